/* The HTTP server over real sockets: the loop, the server and its clients live in this process. */
#include "http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/text.h"
#include "http/server.h"

enum { BODY_MAX = 300000 };

struct world {
    char directory[64];
    char path[96]; /* of the UNIX socket */
    struct event_base *loop;
    struct http_server *server;
    struct config_server config;
    int fds[2];
    struct http_request *waiting; /* of /later */
    int cancelled;
    struct http_stream *stream; /* of /stream */
    char *stream_text;          /* owned: what it has not sent yet; NULL: nothing */
    bool stream_ends;
    int streams_closed;
    int asked; /* how often a handler was called */
};

/* The server's pages */

static void say_hello(struct http_request *request, void *context)
{
    struct world *w = context;

    w->asked++;
    http_respond(request, 200, "text/plain", xstrdup("hello"), 5);
}

static void echo(struct http_request *request, void *context)
{
    struct world *w = context;
    size_t length;
    const char *body = http_request_body(request, &length);
    char *copy = xmalloc(length + 1);

    w->asked++;
    memcpy(copy, body, length + 1);
    http_respond(request, 200, "text/plain", copy, length);
}

static void on_cancel(void *context)
{
    struct world *w = context;

    w->cancelled++;
    w->waiting = NULL;
}

static void answer_later(struct http_request *request, void *context)
{
    struct world *w = context;

    w->waiting = request;
    http_request_on_cancel(request, on_cancel, w);
}

static ssize_t read_stream(void *context, char *buffer, size_t size)
{
    struct world *w = context;

    if (w->stream_text == NULL)
        return w->stream_ends ? -1 : 0;

    const size_t length = strlen(w->stream_text) < size ? strlen(w->stream_text) : size;

    memcpy(buffer, w->stream_text, length);
    memmove(w->stream_text, w->stream_text + length, strlen(w->stream_text) - length + 1);
    if (w->stream_text[0] == '\0') {
        free(w->stream_text);
        w->stream_text = NULL;
    }
    return (ssize_t)length;
}

static void close_stream(void *context)
{
    struct world *w = context;

    w->streams_closed++;
    w->stream = NULL;
}

static void start_stream(struct http_request *request, void *context)
{
    struct world *w = context;
    const struct http_stream_source source = {.read = read_stream, .close = close_stream, .context = w};

    w->stream = http_respond_stream(request, 200, "text/plain", &source);
}

static const struct http_route routes[] = {
    {HTTP_EXACT, "/hello", "GET HEAD", 0, say_hello},
    {HTTP_PREFIX, "/echo", "POST", BODY_MAX, echo},
    {HTTP_EXACT, "/later", "GET", 0, answer_later},
    {HTTP_EXACT, "/stream", "GET", 0, start_stream},
};

/* The world */

static void world_serve(struct world *w)
{
    struct error err;

    if (http_socket_open(&w->config, w->fds, &err) < 0)
        fail_msg("%s", err.text);
    w->server = http_server_new(w->loop);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        http_server_route(w->server, &routes[i], w);
    assert_int_equal(http_server_serve(w->server, &w->config, w->fds, &err), 0);
}

static int world_set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    strcpy(w->directory, "/tmp/test-http-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    snprintf(w->path, sizeof w->path, "%s/s.sock", w->directory);
    w->loop = event_base_new();
    w->config = server_config(w->path);
    *state = w;
    return 0;
}

static int world_with_server(void **state)
{
    world_set_up(state);
    world_serve(*state);
    return 0;
}

static int world_tear_down(void **state)
{
    struct world *w = *state;

    http_server_free(w->server);
    if (w->server != NULL)
        http_socket_close(&w->config, w->fds);
    event_base_free(w->loop);
    free(w->stream_text);
    assert_int_equal(rmdir(w->directory), 0);
    free(w);
    return 0;
}

/* One request on a connection of its own; waits for `expected` in what comes back. */
static void ask(struct world *w, const char *request, const char *expected)
{
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, request);
    WAIT_UNTIL(w->loop, client_has(&c, expected) || c.is_closed);
    if (!client_has(&c, expected))
        fail_msg("no '%s' in: %s", expected, utstring_body(&c.got));
    client_leave(&c);
}

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define LATER "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
#define STREAM "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
#define ECHO "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nping"

/* Tests: requests and answers */

static void requests_are_answered(void **state)
{
    struct world *w = *state;

    ask(w, HELLO, "\r\n\r\nhello");
    ask(w, HELLO, "HTTP/1.1 200 OK\r\n");
    ask(w, HELLO, "Content-Type: text/plain\r\n");
    ask(w, ECHO, "\r\n\r\nping");
    ask(w, "POST /echo/more HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0\r\n\r\n",
        "\r\n\r\npong");
}

static void refused_requests_get_their_status(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *request, *status;
    } cases[] = {
        {"GET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n", " 404 "},
        {"GET /hello/more HTTP/1.1\r\nHost: x\r\n\r\n", " 404 "},
        {"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", " 405 "},
        {"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", "\r\nAllow: POST\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\n\r\n", " 411 "},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", " 413 "},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", " 400 "},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", " 400 "},
        {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", " 413 "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ask(w, cases[i].request, cases[i].status);
    assert_int_equal(w->asked, 0);
}

static void a_connection_serves_many_requests(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, HELLO HELLO ECHO); /* at once */
    WAIT_UNTIL(w->loop, client_has(&c, "ping"));
    assert_int_equal(w->asked, 3);
    client_send(&c, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    WAIT_UNTIL(w->loop, c.is_closed);
    assert_int_equal(w->asked, 4);
    client_leave(&c);

    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /hello HTTP/1.0\r\n\r\n");
    WAIT_UNTIL(w->loop, c.is_closed);
    assert_true(client_has(&c, "hello"));
    client_leave(&c);
}

static int count_timer(const struct event_base *loop, const struct event *event, void *context)
{
    (void)loop;
    *(int *)context += event_pending(event, EV_TIMEOUT, NULL) != 0;
    return 0;
}

static int count_timers(const struct world *w)
{
    int timers = 0;

    event_base_foreach_event(w->loop, count_timer, &timers);
    return timers;
}

/* No connection is left: the server's timer is gone, and only that of the waiting itself is there. */
static void wait_until_idle(struct world *w)
{
    WAIT_UNTIL(w->loop, count_timers(w) == 1);
}

/* Whatever part of a request has come when the client goes: nothing happens, and nothing stays. */
static void requests_may_be_cut_anywhere(void **state)
{
    struct world *w = *state;

    for (size_t length = 0; length < strlen(ECHO); length++) {
        char part[sizeof ECHO];
        struct client c;
        snprintf(part, sizeof part, "%.*s", (int)length, ECHO);
        client_connect(&c, w->loop, w->path);
        client_send(&c, part);
        client_leave(&c);
    }
    ask(w, HELLO, "hello");
    wait_until_idle(w);
    assert_int_equal(w->asked, 1);
}

static void requests_may_come_in_single_bytes(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    for (size_t i = 0; i < strlen(ECHO); i++) {
        const char byte[2] = {ECHO[i], '\0'};
        client_send(&c, byte);
        event_base_loop(w->loop, EVLOOP_NONBLOCK);
    }
    WAIT_UNTIL(w->loop, client_has(&c, "ping"));
    client_leave(&c);
}

static void send_in_pieces(struct client *c, size_t total)
{
    char piece[10000];

    memset(piece, 'x', sizeof piece);
    for (size_t sent = 0; sent < total; sent += sizeof piece) {
        if (send(c->fd, piece, sizeof piece, MSG_NOSIGNAL) < 0) /* the server has had enough */
            return;
        event_base_loop(c->loop, EVLOOP_NONBLOCK);
    }
}

static void large_bodies_pass_up_to_the_limit(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n");
    send_in_pieces(&c, BODY_MAX);
    WAIT_UNTIL(w->loop, utstring_len(&c.got) > BODY_MAX);
    assert_true(client_has(&c, " 200 OK"));
    client_leave(&c);

    client_connect(&c, w->loop, w->path);
    client_send(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 310000\r\n\r\n");
    send_in_pieces(&c, BODY_MAX + 10000);
    WAIT_UNTIL(w->loop, client_has(&c, " 413 "));
    client_leave(&c);
    assert_int_equal(w->asked, 1);
}

static void large_headers_are_refused(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Large: ");
    send_in_pieces(&c, 100000);
    WAIT_UNTIL(w->loop, c.is_closed);
    assert_false(client_has(&c, " 200 "));
    client_leave(&c);
    ask(w, HELLO, "hello");
}

static void a_silent_client_delays_nobody(void **state)
{
    struct world *w = *state;
    struct client silent;
    struct client slow;

    client_connect(&silent, w->loop, w->path);
    client_connect(&slow, w->loop, w->path);
    client_send(&slow, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\np");
    ask(w, HELLO, "hello");
    client_send(&slow, "ing");
    WAIT_UNTIL(w->loop, client_has(&slow, "ping"));
    client_leave(&silent);
    client_leave(&slow);
}

/* Tests: answers that come later, streams */

static void an_answer_may_come_later(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, LATER HELLO);
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    ask(w, HELLO, "hello");
    assert_int_equal(utstring_len(&c.got), 0);
    http_respond(w->waiting, 200, "text/plain", xstrdup("at last"), 7);
    WAIT_UNTIL(w->loop, client_has(&c, "hello"));
    assert_true(client_has(&c, "at last"));
    assert_int_equal(w->cancelled, 0);
    client_leave(&c);
}

static void a_client_that_leaves_cancels(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, LATER);
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->cancelled == 1);

    client_connect(&c, w->loop, w->path);
    client_send(&c, LATER HELLO HELLO); /* bytes that nobody reads must not hide the end */
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->cancelled == 2);
    ask(w, HELLO, "hello");
}

static void the_end_of_the_server_cancels(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, LATER);
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    http_server_free(w->server);
    assert_int_equal(w->cancelled, 1);
    http_socket_close(&w->config, w->fds);
    w->server = NULL;
    client_leave(&c);
}

static void streams_send_what_comes(void **state)
{
    struct world *w = *state;
    struct client c;

    w->stream_text = xstrdup("first ");
    client_connect(&c, w->loop, w->path);
    client_send(&c, STREAM);
    WAIT_UNTIL(w->loop, client_has(&c, "first "));
    assert_true(client_has(&c, "Transfer-Encoding: chunked\r\n"));
    assert_true(client_has(&c, "X-Accel-Buffering: no\r\n"));
    w->stream_text = xstrdup("second ");
    http_stream_wake(w->stream);
    WAIT_UNTIL(w->loop, client_has(&c, "second "));
    w->stream_ends = true;
    http_stream_wake(w->stream);
    WAIT_UNTIL(w->loop, client_has(&c, "\r\n0\r\n\r\n"));
    WAIT_UNTIL(w->loop, w->streams_closed == 1);
    client_leave(&c);
}

static void streams_end_with_their_client(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, STREAM);
    WAIT_UNTIL(w->loop, client_has(&c, "200 OK"));
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->streams_closed == 1);
}

static void streams_end_with_the_server(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, STREAM);
    WAIT_UNTIL(w->loop, client_has(&c, "200 OK"));
    http_server_free(w->server);
    assert_int_equal(w->streams_closed, 1);
    http_socket_close(&w->config, w->fds);
    w->server = NULL;
    client_leave(&c);
}

static void head_of_a_stream_is_a_mistake(void **state)
{
    ask(*state, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n", " 405 ");
}

static void draining_lets_answers_out(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, LATER);
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    http_respond(w->waiting, 200, "text/plain", xstrdup("bye"), 3);
    http_server_drain(w->server, 3600 * 1000); /* returns as soon as they are out */
    http_server_free(w->server);
    http_socket_close(&w->config, w->fds);
    w->server = NULL;
    WAIT_UNTIL(w->loop, c.is_closed);
    assert_true(client_has(&c, "bye"));
    client_leave(&c);
}

/* Tests: authentication */

static void credentials_decide(void **state)
{
    struct world *w = *state;
    /* user:thepassword, user:the:password, user:, userthepassword, user:{SHA}82ab..., User:thepassword */
    static const struct {
        const char *header, *password;
        bool passes;
    } cases[] = {
        {"", "thepassword", false},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepassword", true},
        {"Authorization: basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepassword", true},
        {"Authorization: BASIC  dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepassword", true},
        {"Authorization: Digest dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepassword", false},
        {"Authorization: dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepassword", false},
        {"Authorization: Basic\r\n", "thepassword", false},
        {"Authorization: Basic @@@\r\n", "thepassword", false},
        {"Authorization: Basic dXNlcnRoZXBhc3N3b3Jk\r\n", "thepassword", false},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepasswordx", false},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "thepasswor", false},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", NULL, false},
        {"Authorization: Basic dXNlcjp0aGU6cGFzc3dvcmQ=\r\n", "the:password", true},
        {"Authorization: Basic dXNlcjo=\r\n", "thepassword", false},
        {"Authorization: Basic dXNlcjo=\r\n", "", true},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d", true},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "{SHA}82AB876D1387BFAFE46CC1C8A2EF074EAE50CB1D", true},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1e", false},
        {"Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n", "{SHA}82ab", false},
        {"Authorization: Basic "
         "dXNlcjp7U0hBfTgyYWI4NzZkMTM4N2JmYWZlNDZjYzFjOGEyZWYwNzRlYWU1MGNiMWQ=\r\n",
         "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d", false},
        {"Authorization: Basic VXNlcjp0aGVwYXNzd29yZA==\r\n", "thepassword", false},
    };
    char user[] = "user";

    w->config.username = user;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP_FREE char *password = xstrdup_or_null(cases[i].password);
        CLEANUP_FREE char *request = xasprintf("GET /hello HTTP/1.1\r\nHost: x\r\n%s\r\n", cases[i].header);
        w->config.password = password;
        ask(w, request, cases[i].passes ? " 200 OK" : "\r\nWWW-Authenticate: Basic realm=\"default\"\r\n");
    }
    ask(w, "GET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n", " 401 ");
    ask(w, ECHO, " 401 ");
    w->config.username = NULL;
    ask(w, HELLO, "hello");
}

/* Tests: sockets */

static void unix_sockets_have_mode_and_owner(void **state)
{
    struct world *w = *state;
    struct stat status;
    struct error err;
    const mode_t old = umask(077);

    w->config.chmod = 0765;
    if (geteuid() == 0)
        w->config.uid = 12345;
    assert_int_equal(http_socket_open(&w->config, w->fds, &err), 0);
    umask(old);
    assert_int_equal(stat(w->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0765);
    assert_int_equal(status.st_uid, geteuid() == 0 ? 12345 : geteuid());
    assert_int_equal(w->fds[1], -1);
    assert_true(fcntl(w->fds[0], F_GETFD) & FD_CLOEXEC);
    http_socket_close(&w->config, w->fds);
    assert_int_equal(stat(w->path, &status), -1);
}

static void stale_sockets_are_replaced_and_live_ones_kept(void **state)
{
    struct world *w = *state;
    struct error err;
    int second[2];

    assert_int_equal(http_socket_open(&w->config, w->fds, &err), 0);
    assert_int_equal(http_socket_open(&w->config, second, &err), -1);
    assert_true(text_starts_with(err.text, "Another program is already listening on a port"));
    close(w->fds[0]); /* as after a kill: the file stays */
    assert_int_equal(http_socket_open(&w->config, second, &err), 0);

    assert_int_equal(unlink(w->path), 0);
    const int strange = open(w->path, O_CREAT | O_WRONLY, 0600);
    http_socket_close(&w->config, second);
    assert_int_equal(access(w->path, F_OK), 0); /* not ours */
    assert_int_equal(http_socket_open(&w->config, second, &err), -1);
    assert_non_null(strstr(err.text, w->path));
    assert_int_equal(access(w->path, F_OK), 0);
    close(strange);
    unlink(w->path);
}

static void impossible_addresses_are_named(void **state)
{
    struct world *w = *state;
    struct error err;
    int fds[2];
    char missing[] = "/nosuch/directory/s.sock";
    char longest[200];
    char host[] = "no such host";
    char foreign[] = "192.0.2.1";

    w->config.path = missing;
    assert_int_equal(http_socket_open(&w->config, fds, &err), -1);
    assert_string_equal(err.text, "Cannot open an HTTP server: /nosuch/directory/s.sock: No such file or directory");
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    w->config.path = longest;
    assert_int_equal(http_socket_open(&w->config, fds, &err), -1);
    assert_non_null(strstr(err.text, "too long"));
    w->config.kind = CONFIG_SERVER_INET;
    w->config.port = 9001;
    w->config.host = host;
    assert_int_equal(http_socket_open(&w->config, fds, &err), -1);
    assert_non_null(strstr(err.text, "no such host:9001"));
    w->config.host = foreign;
    assert_int_equal(http_socket_open(&w->config, fds, &err), -1);
    assert_string_equal(err.text, "Cannot open an HTTP server: 192.0.2.1:9001: Cannot assign requested address");
}

static int port_of(int fd)
{
    struct sockaddr_in6 address; /* sin6_port lies where sin_port does */
    socklen_t size = sizeof address;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin6_port);
}

static int connect_tcp_from(const char *source, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, source, &own.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int connect_tcp(int port)
{
    return connect_tcp_from("127.0.0.1", port);
}

static void tcp_hosts_are_understood(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "", "*"};
    struct world *w = *state;

    w->config.kind = CONFIG_SERVER_INET;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        CLEANUP_FREE char *host = xstrdup(hosts[i]);
        struct client c;
        struct error err;
        int second[2];
        w->config.host = host;
        w->config.port = 0;
        world_serve(w);
        client_adopt(&c, w->loop, connect_tcp(port_of(w->fds[0])));
        client_send(&c, HELLO);
        WAIT_UNTIL(w->loop, client_has(&c, "hello"));
        w->config.port = port_of(w->fds[0]);
        assert_int_equal(http_socket_open(&w->config, second, &err), -1);
        assert_true(text_starts_with(err.text, "Another program is already listening on a port"));
        client_leave(&c);
        http_server_free(w->server);
        http_socket_close(&w->config, w->fds);
        w->server = NULL;
    }
}

static void a_tcp_client_that_leaves_cancels(void **state)
{
    const struct linger resets[] = {{0}, {.l_onoff = 1, .l_linger = 0}}; /* an orderly end, and a reset */
    char host[] = "127.0.0.1";
    struct world *w = *state;

    w->config.kind = CONFIG_SERVER_INET;
    w->config.host = host;
    world_serve(w);
    for (int i = 0; i < 2; i++) {
        struct client c;
        client_adopt(&c, w->loop, connect_tcp(port_of(w->fds[0])));
        client_send(&c, LATER);
        WAIT_UNTIL(w->loop, w->waiting != NULL);
        assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &resets[i], sizeof resets[i]), 0);
        client_leave(&c);
        WAIT_UNTIL(w->loop, w->cancelled == i + 1);
    }
    wait_until_idle(w);
}

/* Tests: shortages */

/* Without descriptors clients wait in the backlog, at no cost, and are served when there are some again. */
static void no_descriptors_means_waiting(void **state)
{
    struct world *w = *state;
    struct rlimit old;
    struct rlimit none;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, HELLO);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = (rlim_t)c.fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

    const struct timeval a_moment = {.tv_usec = 300000};
    bool is_over;
    struct event *over = evtimer_new(w->loop, give_up, &is_over);
    int rounds = 0;

    event_add(over, &a_moment);
    for (; event_pending(over, EV_TIMEOUT, NULL); rounds++)
        event_base_loop(w->loop, EVLOOP_ONCE);
    event_free(over);
    assert_true(rounds < 10);
    assert_int_equal(w->asked, 0);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    WAIT_UNTIL(w->loop, client_has(&c, "hello"));
    client_leave(&c);
}

/* One descriptor in four may be a client's. One more has to wait until another leaves. */
static void connections_are_limited(void **state)
{
    enum { LIMIT = 16 };
    struct world *w = *state;
    struct rlimit old;
    struct rlimit few;
    struct client clients[LIMIT + 1];

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)4 * LIMIT;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    world_serve(w);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (int i = 0; i <= LIMIT; i++) {
        client_connect(&clients[i], w->loop, w->path);
        client_send(&clients[i], HELLO);
    }
    for (int i = 0; i < LIMIT; i++)
        WAIT_UNTIL(w->loop, client_has(&clients[i], "hello"));
    event_base_loop(w->loop, EVLOOP_NONBLOCK);
    assert_int_equal(w->asked, LIMIT);
    client_leave(&clients[0]);
    WAIT_UNTIL(w->loop, client_has(&clients[LIMIT], "hello"));
    for (int i = 1; i <= LIMIT; i++)
        client_leave(&clients[i]);
}

/* Clients that connect and say nothing, or not the right thing, must not keep others out. */
static void strangers_have_little_time(void **state)
{
    char user[] = "user";
    char password[] = "thepassword";
    struct world *w = *state;
    struct client silent, slow, wrong, good;

    w->config.request_timeout = 1;
    w->config.username = user;
    w->config.password = password;
    world_serve(w);
    client_connect(&silent, w->loop, w->path);
    client_connect(&slow, w->loop, w->path);
    client_connect(&wrong, w->loop, w->path);
    client_connect(&good, w->loop, w->path);
    client_send(&slow, "GET /hello HTTP/1.1\r\nHost:");
    client_send(&wrong, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
    client_send(&good, "GET /later HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n\r\n");
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    WAIT_UNTIL(w->loop, silent.is_closed && slow.is_closed && wrong.is_closed);
    assert_int_equal(utstring_len(&silent.got), 0);
    assert_int_equal(utstring_len(&slow.got), 0);
    assert_false(good.is_closed);
    http_respond(w->waiting, 200, "text/plain", xstrdup("late"), 4);
    WAIT_UNTIL(w->loop, client_has(&good, "late"));
    client_leave(&silent);
    client_leave(&slow);
    client_leave(&wrong);
    client_leave(&good);
    wait_until_idle(w);
}

static void idle_clients_are_let_go(void **state)
{
    struct world *w = *state;
    struct client c;

    w->config.idle_timeout = 1;
    world_serve(w);
    client_connect(&c, w->loop, w->path);
    client_send(&c, HELLO);
    WAIT_UNTIL(w->loop, client_has(&c, "hello"));
    WAIT_UNTIL(w->loop, c.is_closed);
    client_leave(&c);
}

static void sizes_are_limited(void **state)
{
    struct world *w = *state;
    char header[4200];

    w->config.max_header_bytes = 4096;
    w->config.max_body_bytes = 4;
    world_serve(w);
    ask(w, ECHO, "ping");
    ask(w, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nping!", " 413 ");
    ask(w, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nping!\r\n0\r\n\r\n", " 413 ");
    memset(header, 'x', sizeof header - 1);
    header[sizeof header - 1] = '\0';

    CLEANUP_FREE char *request = xasprintf("GET /hello HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", header);

    ask(w, request, " 431 ");
}

/* One host that takes all it can get leaves some to others. */
static void an_address_has_its_share(void **state)
{
    enum { LIMIT = 8 };
    char host[] = "127.0.0.1";
    struct world *w = *state;
    struct client clients[LIMIT];
    struct client other;

    w->config.kind = CONFIG_SERVER_INET;
    w->config.host = host;
    w->config.max_connections = LIMIT;
    world_serve(w);
    for (int i = 0; i < LIMIT; i++) {
        client_adopt(&clients[i], w->loop, connect_tcp(port_of(w->fds[0])));
        client_send(&clients[i], HELLO);
    }
    for (int i = 0; i < LIMIT; i++)
        WAIT_UNTIL(w->loop, client_has(&clients[i], "hello") || clients[i].is_closed);
    assert_int_equal(w->asked, LIMIT / 2);
    client_adopt(&other, w->loop, connect_tcp_from("127.0.0.2", port_of(w->fds[0])));
    client_send(&other, HELLO);
    WAIT_UNTIL(w->loop, client_has(&other, "hello"));
    client_leave(&other);
    for (int i = 0; i < LIMIT; i++)
        client_leave(&clients[i]);
}

static void an_idle_server_sets_no_timer(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, HELLO);
    WAIT_UNTIL(w->loop, client_has(&c, "hello"));
    assert_int_equal(count_timers(w), 1);
    client_leave(&c);
    wait_until_idle(w);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, world_with_server, world_tear_down)
#define WITHOUT_SERVER(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(requests_are_answered),
        WITH_SERVER(refused_requests_get_their_status),
        WITH_SERVER(a_connection_serves_many_requests),
        WITH_SERVER(requests_may_be_cut_anywhere),
        WITH_SERVER(requests_may_come_in_single_bytes),
        WITH_SERVER(large_bodies_pass_up_to_the_limit),
        WITH_SERVER(large_headers_are_refused),
        WITH_SERVER(a_silent_client_delays_nobody),
        WITH_SERVER(an_answer_may_come_later),
        WITH_SERVER(a_client_that_leaves_cancels),
        WITH_SERVER(the_end_of_the_server_cancels),
        WITH_SERVER(streams_send_what_comes),
        WITH_SERVER(streams_end_with_their_client),
        WITH_SERVER(streams_end_with_the_server),
        WITH_SERVER(head_of_a_stream_is_a_mistake),
        WITH_SERVER(draining_lets_answers_out),
        WITH_SERVER(credentials_decide),
        WITHOUT_SERVER(unix_sockets_have_mode_and_owner),
        WITHOUT_SERVER(stale_sockets_are_replaced_and_live_ones_kept),
        WITHOUT_SERVER(impossible_addresses_are_named),
        WITHOUT_SERVER(tcp_hosts_are_understood),
        WITHOUT_SERVER(a_tcp_client_that_leaves_cancels),
        WITH_SERVER(no_descriptors_means_waiting),
        WITHOUT_SERVER(strangers_have_little_time),
        WITHOUT_SERVER(idle_clients_are_let_go),
        WITHOUT_SERVER(sizes_are_limited),
        WITHOUT_SERVER(an_address_has_its_share),
        WITHOUT_SERVER(connections_are_limited),
        WITH_SERVER(an_idle_server_sets_no_timer),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
