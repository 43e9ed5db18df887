/*
 * A FastCGI server on descriptor 0. Answers every request with a line: its pid, and the query string. A query "hold=N"
 * keeps the request for N milliseconds. SIGTERM ends it after the request at hand.
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t is_asked_to_end;

static void on_term(int number)
{
    (void)number;
    is_asked_to_end = 1;
    FCGX_ShutdownPending();
}

static void hold(const char *query)
{
    const char *found = strstr(query, "hold=");
    const long ms = found != NULL ? strtol(found + strlen("hold="), NULL, 10) : 0;
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&left, &left) < 0)
        continue;
}

static void answer(FCGX_Request *request)
{
    const char *query = FCGX_GetParam("QUERY_STRING", request->envp);

    if (query == NULL)
        query = "";
    hold(query);
    FCGX_FPrintF(request->out, "Content-Type: text/plain\r\n\r\n%d %s\n", (int)getpid(), query);
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_term}; /* without SA_RESTART: accept() must return */
    FCGX_Request request;

    sigaction(SIGTERM, &action, NULL);
    if (FCGX_IsCGI()) {
        fprintf(stderr, "fcgi_responder: descriptor 0 is not a listening socket\n");
        return 99;
    }
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
        return 99;
    while (!is_asked_to_end && FCGX_Accept_r(&request) == 0) {
        answer(&request);
        FCGX_Finish_r(&request);
    }
    return 0;
}
