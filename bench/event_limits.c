/* What passing on events costs at best: one or more listeners, their pipes, and nothing in between. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_LISTENERS 16
#define LINE_SIZE 4096

struct listener {
    pid_t pid;
    int input, output; /* our ends of its stdin and stdout */
};

static struct listener listener_start(char *program, char *file)
{
    char *const argv[] = {program, file, NULL};
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        die("pipe");
    const struct listener listener = {.pid = spawn(argv, to[0], from[1]), .input = to[1], .output = from[0]};
    close(to[0]);
    close(from[1]);
    return listener;
}

static void listener_end(const struct listener *listener)
{
    kill(listener->pid, SIGKILL);
    while (waitpid(listener->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void send_event(const struct listener *listener, int64_t serial, const char *payload)
{
    char event[LINE_SIZE + 256];
    const int length = snprintf(event, sizeof event,
                                "ver:3.0 server:supervisor serial:%lld pool:pool poolserial:%lld "
                                "eventname:REMOTE_COMMUNICATION len:%zu\n%s",
                                (long long)serial, (long long)serial, strlen(payload), payload);

    if (write(listener->input, event, (size_t)length) != length)
        die("write to a listener");
}

/* Its answers are shorter than what a pipe writes in one piece, and so is each read. */
static void read_answer(const struct listener *listener)
{
    char answer[64];

    if (read(listener->output, answer, sizeof answer) <= 0)
        die("read from a listener");
}

static double rate_of(struct listener *listeners, nfds_t width, int64_t count)
{
    struct pollfd ready[MOST_LISTENERS];
    const int64_t begin = clock_nanoseconds();
    int64_t answered = 0, sent = 0;

    for (nfds_t i = 0; i < width; i++) {
        ready[i] = (struct pollfd){.fd = listeners[i].output, .events = POLLIN};
        send_event(&listeners[i], ++sent, "type:bench\nx");
    }
    while (answered < count && poll(ready, width, -1) > 0)
        for (nfds_t i = 0; i < width; i++)
            if (ready[i].revents != 0) {
                read_answer(&listeners[i]);
                answered++;
                send_event(&listeners[i], ++sent, "type:bench\nx");
            }
    return (double)answered / ((double)(clock_nanoseconds() - begin) / 1e9);
}

/* rate COUNT LISTENER FILE...: events per second to as many listeners as there are files. */
static void limit_rate(char **arguments)
{
    struct listener listeners[MOST_LISTENERS];
    nfds_t width = 0;

    for (char **file = arguments + 2; *file != NULL && width < MOST_LISTENERS; file++) {
        listeners[width] = listener_start(arguments[1], *file);
        read_answer(&listeners[width++]); /* READY */
    }
    printf("{\"rate\": %.1f}\n", rate_of(listeners, width, number_argument(arguments[0])));
    for (nfds_t i = 0; i < width; i++)
        listener_end(&listeners[i]);
}

/* relay LISTENER FILE PROGRAM...: each line of the program becomes an event, until the program ends. */
static void limit_relay(char **arguments)
{
    const struct listener listener = listener_start(arguments[0], arguments[1]);
    char line[LINE_SIZE];
    ssize_t got;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe");
    const pid_t writer = spawn(arguments + 2, -1, ends[1]);
    close(ends[1]);
    read_answer(&listener); /* READY */
    for (int64_t serial = 1; (got = read(ends[0], line, sizeof line - 1)) > 0; serial++) {
        line[got] = '\0';
        send_event(&listener, serial, line);
        read_answer(&listener);
    }
    listener_end(&listener);
    waitpid(writer, NULL, 0);
    printf("{}\n");
}

int main(int argc, char **argv)
{
    if (argc >= 5 && strcmp(argv[1], "rate") == 0) {
        limit_rate(argv + 2);
        return 0;
    }
    if (argc >= 5 && strcmp(argv[1], "relay") == 0) {
        limit_relay(argv + 2);
        return 0;
    }
    fprintf(stderr, "usage: event_limits rate COUNT LISTENER FILE...\n"
                    "       event_limits relay LISTENER FILE PROGRAM...\n");
    return 2;
}
