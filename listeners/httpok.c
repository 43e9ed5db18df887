/* Starts processes anew when a web page is not as it should be. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>
#include <time.h>
#include <unistd.h>

#include "listeners/command_line.h"
#include "listeners/mail.h"
#include "listeners/names.h"
#include "listeners/processes.h"
#include "listeners/run.h"
#include "listeners/text.h"

enum { BODY_MAX = 16 << 20, RETRY_S = 10, CORE_PATIENCE_S = 60 };

static const char usual_gcore[] = "/usr/bin/gcore -o";

struct httpok {
    const char *url;
    UT_array *programs; /* of const char *; NULL: none */
    UT_array *statuses; /* of long; NULL: 200 */
    UT_array *headers;  /* of const char *, besides our own; NULL: none */
    UT_array *gcore;    /* the words of a command; NULL: the usual one */
    bool is_any;
    bool is_eager;
    int64_t timeout_s;
    const char *body;
    const char *unix_socket;
    const char *ca;
    const char *core_directory;
    const char *name;
    struct mail_program mail;
    struct listener_rpc *rpc;
};

/* "200", or several with commas between; each time the option is given there are more. */
static bool take_statuses(void *field, const char *value)
{
    static const UT_icd icd = {.sz = sizeof(long)};
    UT_array **statuses = field;
    char *end;

    if (*statuses == NULL)
        utarray_new(*statuses, &icd);
    do {
        const long status = strtol(value, &end, 10);

        if (end == value || (*end != '\0' && *end != ',') || status < 100 || status > 999)
            return false;
        utarray_push_back(*statuses, &status);
        value = end + 1;
    } while (*end == ',');
    return true;
}

static bool take_timeout(void *field, const char *value)
{
    return take_seconds(field, value) && *(int64_t *)field > 0 && *(int64_t *)field <= 86400;
}

/* A line of a request: nothing may end it but its end. */
static bool take_header(void *field, const char *value)
{
    const char *colon = strchr(value, ':');

    return colon != NULL && colon != value && strpbrk(value, "\r\n") == NULL && take_texts(field, value);
}

static const struct option_row rows[] = {
    OPTION('p', "program", "NAME", take_texts, struct httpok, programs,
           "Restart this process if it is RUNNING; NAME or GROUP:NAME."),
    OPTION('a', "any", NULL, take_flag, struct httpok, is_any, "Restart every process that is RUNNING."),
    OPTION('t', "timeout", "SECONDS", take_timeout, struct httpok, timeout_s, "For the whole answer; 10."),
    OPTION('c', "code", "STATUS", take_statuses, struct httpok, statuses,
           "The HTTP status that is good, or several: 200,404; 200."),
    OPTION('b', "body", "TEXT", take_text, struct httpok, body, "What the page must have in it."),
    OPTION('e', "eager", NULL, take_flag, struct httpok, is_eager,
           "Ask even if none of them is RUNNING (the default)."),
    OPTION('E', "not-eager", NULL, take_no_flag, struct httpok, is_eager, "Ask only if one of them is RUNNING."),
    OPTION('g', "gcore", "COMMAND", take_command, struct httpok, gcore,
           "Makes a core file, given its name and a pid; /usr/bin/gcore -o."),
    OPTION('d', "coredir", "DIRECTORY", take_text, struct httpok, core_directory,
           "Before a restart, make a core file there."),
    OPTION('n', "name", "NAME", take_text, struct httpok, name, "Of this httpok, for the subject of mails."),
    OPTION(0, "unix-socket", "PATH", take_text, struct httpok, unix_socket, "Connect there, whatever the URL's host."),
    OPTION(0, "header", "LINE", take_header, struct httpok, headers, "Send this header, too: \"Host: example.com\"."),
    OPTION(0, "ca", "FILE", take_text, struct httpok, ca, "Trust the certificates in FILE, not the system's."),
    MAIL_PROGRAM_OPTIONS(struct httpok, mail),
};

static const struct command command = {
    .name = "httpok",
    .summary = "restarts processes when a web page is not as it should be",
    .events = "TICK_60",
    .operand = "URL",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

/* --- the page ----------------------------------------------------------------------------------------------------- */

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    UT_string *body = context;
    const size_t length = size * count;
    const size_t room = BODY_MAX - utstring_len(body);

    utstring_bincpy(body, bytes, length < room ? length : room);
    return length;
}

static struct curl_slist *collect_headers(const struct httpok *httpok)
{
    struct curl_slist *headers = NULL;
    const char **one = NULL;

    while (httpok->headers != NULL && (one = utarray_next(httpok->headers, one)) != NULL)
        headers = curl_slist_append(headers, *one);
    return headers;
}

static CURLcode request(const struct httpok *httpok, long timeout_ms, long *status, UT_string *body, char *problem)
{
    struct curl_slist *headers = collect_headers(httpok);
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        text_out_of_memory();
    problem[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, httpok->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "httpok");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem);
    if (httpok->ca != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, httpok->ca);
    if (httpok->unix_socket != NULL)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, httpok->unix_socket);
    const CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    if (code != CURLE_OK && problem[0] == '\0')
        snprintf(problem, CURL_ERROR_SIZE, "%s", curl_easy_strerror(code));
    return code;
}

static bool is_wanted(const struct httpok *httpok, long status)
{
    long *one = NULL;

    if (httpok->statuses == NULL)
        return status == 200;
    while ((one = utarray_next(httpok->statuses, one)) != NULL)
        if (*one == status)
            return true;
    return false;
}

/* NULL: all is well. Else what is not, to free. */
static char *judge(const struct httpok *httpok, CURLcode code, long status, const UT_string *body, const char *problem)
{
    if (code != CURLE_OK)
        return text_format("no answer: %s", problem);
    if (!is_wanted(httpok, status))
        return text_format("the answer has the status %ld", status);
    if (httpok->body != NULL &&
        memmem(utstring_body(body), utstring_len(body), httpok->body, strlen(httpok->body)) == NULL)
        return text_format("the answer does not have \"%s\" in it", httpok->body);
    return NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A server that nobody listens for yet may be starting: it is asked again while there is time. As judge(). */
static char *find_fault(const struct httpok *httpok, const struct listener *listener)
{
    const int64_t end = now_ms() + httpok->timeout_s * 1000;
    char problem[CURL_ERROR_SIZE];
    UT_string body;
    CURLcode code;
    long status = 0;

    utstring_init(&body);
    for (;;) {
        utstring_clear(&body);
        const int64_t left_ms = end - now_ms();

        code = request(httpok, left_ms > 0 ? (long)left_ms : 1, &status, &body, problem); /* 0 would be for ever */
        if (code != CURLE_COULDNT_CONNECT || end - now_ms() <= RETRY_S * INT64_C(1000))
            break;
        listener_log(listener, "%s: %s; asking again in %d seconds", httpok->url, problem, RETRY_S);
        sleep(RETRY_S);
    }
    char *fault = judge(httpok, code, status, &body, problem);
    utstring_done(&body);
    return fault;
}

/* --- the processes ------------------------------------------------------------------------------------------------ */

static bool is_watched(const struct httpok *httpok, const struct process *process)
{
    return httpok->is_any || names_mean_process(process->group, process->name, httpok->programs);
}

/* What the command has to say goes into the mail; so does why there is no core file. */
static void make_core(const struct httpok *httpok, const struct process *process, UT_string *report)
{
    UT_array *words = httpok->gcore != NULL ? httpok->gcore : command_split(usual_gcore);
    char **all = memory_new(utarray_len(words) + 2, sizeof *all);
    char **word = NULL;
    size_t count = 0;
    char *pid = text_format("%d", (int)process->pid);
    char *file = text_format("%s/%s", httpok->core_directory, process->namespec);
    char *problem = NULL;

    while ((word = utarray_next(words, word)) != NULL && *word != NULL)
        all[count++] = *word;
    all[count] = file;
    all[count + 1] = pid;
    utstring_printf(report, "Core file of %s (pid %s): %s\n", process->namespec, pid, file);
    if (command_run(all, "", report, CORE_PATIENCE_S, &problem) < 0)
        utstring_printf(report, "\nThere may be none: %s\n", problem);
    free(problem);
    free(all);
    free(pid);
    free(file);
    if (httpok->gcore == NULL)
        command_free(words);
}

static void restart(const struct httpok *httpok, const struct process *process, UT_string *report)
{
    struct error err;

    if (httpok->core_directory != NULL)
        make_core(httpok, process, report);
    if (process_restart(process, httpok->rpc, &err) == 0)
        utstring_printf(report, "%s was restarted.\n", process->namespec);
    else
        utstring_printf(report, "%s could not be restarted: %s\n", process->namespec, err.text);
}

static void log_lines(const struct listener *listener, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");

        if (length > 0)
            listener_log(listener, "%.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void tell(const struct httpok *httpok, const struct listener *listener, const char *fault,
                 const UT_string *report)
{
    char *now = text_time_now();
    char *subject = httpok->name != NULL ? text_format("httpok [%s]: %s: %s", httpok->name, httpok->url, fault)
                                         : text_format("httpok: %s: %s", httpok->url, fault);
    char *body = text_format("%s: %s: %s\n\n%s", now, httpok->url, fault, utstring_body(report));

    listener_log(listener, "%s: %s", httpok->url, fault);
    log_lines(listener, utstring_body(report));
    mail_by_program(&httpok->mail, listener, subject, body);
    free(now);
    free(subject);
    free(body);
}

static size_t count_watched_running(const struct httpok *httpok, const struct processes *processes)
{
    size_t count = 0;

    for (size_t i = 0; i < processes->count; i++)
        count += processes->list[i].is_running && is_watched(httpok, &processes->list[i]);
    return count;
}

static void restart_watched(const struct httpok *httpok, const struct listener *listener, const char *fault,
                            const struct processes *processes)
{
    UT_string report;

    utstring_init(&report);
    for (size_t i = 0; i < processes->count; i++)
        if (processes->list[i].is_running && is_watched(httpok, &processes->list[i]))
            restart(httpok, &processes->list[i], &report);
    if (utstring_len(&report) == 0)
        utstring_printf(&report, "Nothing was restarted: no such process is RUNNING.\n");
    tell(httpok, listener, fault, &report);
    utstring_done(&report);
}

/* The processes are asked for when the page has been found bad, too: its answer may have taken a while. */
static void check(const struct httpok *httpok, const struct listener *listener)
{
    struct processes processes;
    struct error err;
    char *fault = NULL;

    if (httpok->is_eager)
        fault = find_fault(httpok, listener);
    if (httpok->is_eager && fault == NULL)
        return;
    if (processes_get(&processes, httpok->rpc, &err) < 0) {
        listener_log(listener, "%s%s%s", fault != NULL ? fault : "", fault != NULL ? "; " : "", err.text);
        free(fault);
        return;
    }
    if (!httpok->is_eager && count_watched_running(httpok, &processes) > 0)
        fault = find_fault(httpok, listener);
    if (fault != NULL)
        restart_watched(httpok, listener, fault, &processes);
    processes_release(&processes);
    free(fault);
}

static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    if (listener_event_is(event, "TICK"))
        check(context, listener);
    return LISTENER_OK;
}

int main(int count, char **arguments)
{
    static struct httpok httpok = {.is_eager = true, .timeout_s = 10}; /* for as long as the program */
    struct error err;

    httpok.url = command_line_read(&command, &httpok, count, arguments);
    if (strncmp(httpok.url, "http://", 7) != 0 && strncmp(httpok.url, "https://", 8) != 0)
        command_line_refuse(&command, "not an http:// or https:// URL: %s", httpok.url);
    if (!httpok.is_any && httpok.programs == NULL && httpok.mail.to == NULL)
        command_line_refuse(&command, "nothing to do about a bad page: none of -p, -a and -m is given");
    httpok.rpc = listener_rpc_new(&err);
    if (httpok.rpc == NULL)
        command_line_refuse(&command, "%s", err.text);
    return listener_main(NULL, handle, &httpok);
}
