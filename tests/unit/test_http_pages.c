/* /RPC2 and the log streams over a real server, with a registry and processes that are made up here. */
#include "http_client.h"

#include <signal.h>
#include <stdlib.h>

#include "http/logtail.h"
#include "http/rpc_endpoint.h"
#include "output/activity.h"
#include "rpc/codec.h"

struct world {
    char directory[64];
    char path[96]; /* of the UNIX socket */
    char log_path[96];
    struct event_base *loop;
    struct http_server *server;
    struct config_server config;
    int fds[2];
    struct supervisor supervisor;
    struct process process; /* "talk", with a log for stdout alone */
    struct logfile *log;
};

/* The made-up registry: a call's method says how it ends. */

static rpc_answer *waiting_answer;
static void *waiting_context;
static int cancelled;

int rpc_decode_call(const char *body, size_t length, char **method, struct rpc_value **params, struct error *err)
{
    if (body[0] == '<')
        return error_set(err, "malformed");
    *method = xstrndup(body, length);
    *params = NULL;
    return 0;
}

void rpc_encode_result(UT_string *out, const struct rpc_value *result)
{
    (void)result;
    utstring_printf(out, "a result");
}

void rpc_encode_fault(UT_string *out, int code, const char *text)
{
    utstring_printf(out, "fault %d %s", code, text);
}

void rpc_value_free(struct rpc_value *value)
{
    assert_null(value);
}

struct rpc_call *rpc_registry_call(struct rpc_registry *registry, enum rpc_caller caller, const char *method,
                                   struct rpc_value *params, rpc_answer *answer, void *context)
{
    struct error err;

    (void)params;
    assert_int_equal(caller, RPC_CALLER_CHANGES);
    if (strcmp(method, "later") == 0) {
        waiting_answer = answer;
        waiting_context = context;
        return (struct rpc_call *)registry;
    }
    if (strcmp(method, "fail") == 0) {
        error_set_fault(&err, FAULT_BAD_NAME, "BAD_NAME: x");
        answer(context, NULL, &err);
    } else {
        answer(context, NULL, NULL);
    }
    return NULL;
}

void rpc_call_cancel(struct rpc_call *call)
{
    assert_non_null(call);
    cancelled++;
}

/* The made-up processes */

static struct world *the_world;

struct process *supervisor_find_process(const struct supervisor *supervisor, const char *group, const char *name)
{
    assert_ptr_equal(supervisor, &the_world->supervisor);
    return strcmp(group, "talk") == 0 && strcmp(name, "talk") == 0 ? &the_world->process : NULL;
}

struct logfile *stream_logfile(struct stream *stream)
{
    assert_ptr_equal(stream, the_world);
    return the_world->log;
}

struct logfile *activity_log_file(void)
{
    return NULL;
}

/* The world */

static int world_set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    const struct logfile_options options = {.path = w->log_path, .mode = 0644};
    struct error err;

    *state = w;
    the_world = w;
    strcpy(w->directory, "/tmp/test-http-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    snprintf(w->path, sizeof w->path, "%s/s.sock", w->directory);
    snprintf(w->log_path, sizeof w->log_path, "%s/talk.log", w->directory);
    w->log = logfile_new(&options);
    w->process.streams[CONFIG_STDOUT] = (struct stream *)w;
    w->loop = event_base_new();
    w->config = server_config(w->path);
    assert_int_equal(http_socket_open(&w->config, w->fds, &err), 0);
    w->server = http_server_new(w->loop);
    rpc_endpoint_add(w->server, (struct rpc_registry *)w);
    logtail_add(w->server, &w->supervisor);
    assert_int_equal(http_server_serve(w->server, &w->config, w->fds, &err), 0);
    waiting_context = NULL;
    cancelled = 0;
    return 0;
}

static int world_tear_down(void **state)
{
    struct world *w = *state;

    http_server_free(w->server);
    http_socket_close(&w->config, w->fds);
    event_base_free(w->loop);
    logfile_free(w->log);
    unlink(w->log_path);
    assert_int_equal(rmdir(w->directory), 0);
    free(w);
    return 0;
}

static void ask_raw(struct world *w, const char *request, const char *expected)
{
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, request);
    WAIT_UNTIL(w->loop, client_has(&c, expected) || c.is_closed);
    if (!client_has(&c, expected))
        fail_msg("no '%s' to %s: %s", expected, request, utstring_body(&c.got));
    client_leave(&c);
}

static void ask(struct world *w, const char *method, const char *path, const char *body, const char *expected)
{
    CLEANUP_FREE char *request =
        xasprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method, path, strlen(body), body);

    ask_raw(w, request, expected);
}

/* Tests */

static void calls_are_answered(void **state)
{
    ask(*state, "POST", "/RPC2", "x", "\r\n\r\na result");
    ask(*state, "POST", "/RPC2", "x", "Content-Type: text/xml\r\n");
    ask(*state, "POST", "/RPC2/any/thing", "x", "a result");
    ask(*state, "POST", "/RPC2?a=b", "x", "a result");
    ask(*state, "POST", "/RPC2", "fail", "\r\n\r\nfault 10 BAD_NAME: x");
    ask(*state, "POST", "/RPC2", "fail", " 200 OK\r\n");
    ask(*state, "POST", "/RPC2", "<a", " 400 Bad Request\r\n");
    ask(*state, "POST", "/RPC", "x", " 404 ");
    ask(*state, "GET", "/RPC2", "", " 405 ");
}

/* What a browser tells of where a request comes from. Clients that are none tell nothing. */
static void calls_from_other_sites_are_refused(void **state)
{
    static const struct {
        const char *headers;
        const char *expected;
    } cases[] = {
        {"", " 200 "},
        {"Sec-Fetch-Site: same-origin\r\n", " 200 "},
        {"Sec-Fetch-Site: none\r\n", " 200 "},
        {"Sec-Fetch-Site: cross-site\r\n", " 403 "},
        {"Sec-Fetch-Site: same-site\r\n", " 403 "},
        {"Sec-Fetch-Site: \r\n", " 403 "},
        {"Origin: http://host:9001\r\n", " 200 "},
        {"Origin: https://HOST:9001\r\n", " 200 "},
        {"Origin: http://host\r\n", " 403 "},
        {"Origin: http://host:90011\r\n", " 403 "},
        {"Origin: http://evil\r\n", " 403 "},
        {"Origin: null\r\n", " 403 "},
        {"Origin: host:9001\r\n", " 403 "},
        {"Referer: http://host:9001/?message=x\r\n", " 200 "},
        {"Referer: http://evil/http://host:9001/\r\n", " 403 "},
        {"Origin: http://evil\r\nReferer: http://host:9001/\r\n", " 403 "},
        {"User-Agent: Mozilla/5.0\r\n", " 200 "}, /* a browser that POSTs names itself; only programs come here */
        {"Sec-Fetch-Site: same-origin\r\nOrigin: http://proxy\r\n", " 200 "},
        {"Sec-Fetch-Site: cross-site\r\nOrigin: http://host:9001\r\n", " 403 "},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP_FREE char *request =
            xasprintf("POST /RPC2 HTTP/1.1\r\nHost: host:9001\r\n%sContent-Length: 1\r\n\r\nx", cases[i].headers);

        ask_raw(w, request, cases[i].expected);
    }
}

static void calls_may_be_answered_later(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nlater");
    WAIT_UNTIL(w->loop, waiting_context != NULL);
    waiting_answer(waiting_context, NULL, NULL);
    WAIT_UNTIL(w->loop, client_has(&c, "a result"));
    client_leave(&c);
    assert_int_equal(cancelled, 0);
}

static void calls_end_with_their_client(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nlater");
    WAIT_UNTIL(w->loop, waiting_context != NULL);
    client_leave(&c);
    WAIT_UNTIL(w->loop, cancelled == 1);
}

static void write_log(struct world *w, const char *text)
{
    logfile_write(w->log, text, strlen(text));
}

static void logs_without_a_file_are_not_found(void **state)
{
    static const char *const paths[] = {"/logtail/talk",        "/logtail/nosuch",     "/logtail/",
                                        "/logtail/talk/stderr", "/logtail/talk/other", "/logtail/talk/stdout/x",
                                        "/logtail/talk:*",      "/mainlogtail",        "/logtail"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        ask(*state, "GET", paths[i], "", " 404 ");
}

static void logs_are_found_by_every_name(void **state)
{
    static const char *const paths[] = {"/logtail/talk", "/logtail/talk:talk", "/logtail/talk/stdout",
                                        "/logtail/talk:talk/stdout", "/logtail/t%61lk"};
    struct world *w = *state;
    struct error err;

    assert_int_equal(logfile_open(w->log, &err), 0);
    write_log(w, "a line\n");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        ask(w, "GET", paths[i], "", "a line\n");
    ask(w, "GET", "/logtail/talk", "", "Content-Type: text/plain;charset=utf-8\r\n");
    ask(w, "HEAD", "/logtail/talk", "", " 200 OK\r\n");
}

static void logs_are_followed_to_their_end(void **state)
{
    struct world *w = *state;
    struct client c;
    struct error err;

    assert_int_equal(logfile_open(w->log, &err), 0);
    for (int i = 0; i < 200; i++)
        write_log(w, "0123456789\n");
    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /logtail/talk HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_UNTIL(w->loop, client_has(&c, "0123456789"));
    assert_true(utstring_len(&c.got) < 1500); /* no more than the last 1024 bytes */
    write_log(w, "more\n");
    WAIT_UNTIL(w->loop, client_has(&c, "more\n"));
    assert_int_equal(logfile_clear(w->log, &err), 0);
    write_log(w, "cleared\n");
    WAIT_UNTIL(w->loop, client_has(&c, "cleared\n"));
    logfile_free(w->log);
    w->log = NULL;
    WAIT_UNTIL(w->loop, client_has(&c, "\r\n0\r\n\r\n"));
    WAIT_UNTIL(w->loop, c.is_closed);
    client_leave(&c);
}

/* What a client does not read stays in the file: the server neither waits nor hoards. */
static void a_slow_reader_loses_nothing(void **state)
{
    enum { LINES = 20000 };
    struct world *w = *state;
    struct client c;
    struct error err;
    char line[101];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_int_equal(logfile_open(w->log, &err), 0);
    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /logtail/talk HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_UNTIL(w->loop, client_has(&c, "\r\n\r\n"));
    event_del(c.readable);
    for (int i = 0; i < LINES; i++) {
        write_log(w, line);
        event_base_loop(w->loop, EVLOOP_NONBLOCK);
    }
    write_log(w, "the last");
    event_add(c.readable, NULL);
    WAIT_UNTIL(w->loop, client_has(&c, "the last"));
    assert_true(utstring_len(&c.got) > LINES * strlen(line));
    client_leave(&c);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(calls_are_answered),
        WITH_WORLD(calls_from_other_sites_are_refused),
        WITH_WORLD(calls_may_be_answered_later),
        WITH_WORLD(calls_end_with_their_client),
        WITH_WORLD(logs_without_a_file_are_not_found),
        WITH_WORLD(logs_are_found_by_every_name),
        WITH_WORLD(logs_are_followed_to_their_end),
        WITH_WORLD(a_slow_reader_loses_nothing),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("http_pages", tests, NULL, NULL);
}
