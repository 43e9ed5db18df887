/* WebSocket's handshake over real sockets, and what becomes of connections that are no HTTP any more. */
#include "http_client.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "http/server.h"

enum { MANY = 40 };

struct world {
    char directory[64];
    char path[96]; /* of the UNIX socket */
    struct event_base *loop;
    struct http_server *server;
    struct config_server config;
    int fds[2];
    int refused;
    int opened;
    int closed; /* by the server, or never opened */
    int ended;  /* by their clients */
    bool closes_at_once;
    struct http_request *waiting; /* of /later */
};

/* What the server does with a connection that it has been given: it sends back what comes. */
struct echo {
    struct world *world;
    struct http_upgrade *upgrade;
    struct event *readable; /* NULL: not open yet */
};

static void echo_free(struct echo *echo)
{
    if (echo->readable != NULL)
        event_free(echo->readable);
    free(echo);
}

static void on_bytes(evutil_socket_t fd, short what, void *context)
{
    struct echo *echo = context;
    char bytes[4096];
    const ssize_t got = read(fd, bytes, sizeof bytes);

    (void)what;
    if (got > 0) {
        assert_int_equal(send(fd, bytes, (size_t)got, MSG_NOSIGNAL), got);
        return;
    }
    echo->world->ended++;
    http_upgrade_close(echo->upgrade);
    echo_free(echo);
}

static void on_opened(void *context, struct http_upgrade *upgrade, int fd, const char *early, size_t length)
{
    struct echo *echo = context;

    echo->world->opened++;
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(send(fd, early, length, MSG_NOSIGNAL), (ssize_t)length);
    if (echo->world->closes_at_once) {
        http_upgrade_close(upgrade);
        echo_free(echo);
        return;
    }
    echo->upgrade = upgrade;
    echo->readable = event_new(echo->world->loop, fd, EV_READ | EV_PERSIST, on_bytes, echo);
    assert_int_equal(event_add(echo->readable, NULL), 0); /* refused if anybody else still waits for it */
}

static void on_closed(void *context)
{
    struct echo *echo = context;

    echo->world->closed++;
    echo_free(echo);
}

static void upgrade(struct http_request *request, void *context)
{
    struct echo *echo = xcalloc(1, sizeof *echo);
    const struct http_upgrade_handler handler = {on_opened, on_closed, echo};

    echo->world = context;
    if (!http_respond_websocket(request, &handler)) {
        echo->world->refused++;
        echo_free(echo);
    }
}

static void upgrade_later(struct http_request *request, void *context)
{
    ((struct world *)context)->waiting = request;
}

static const struct http_route routes[] = {
    {HTTP_EXACT, "/ws", "GET POST", 0, upgrade},
    {HTTP_EXACT, "/later", "GET", 0, upgrade_later},
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
    if (http_server_serve(w->server, &w->config, w->fds, &err) < 0)
        fail_msg("%s", err.text);
}

static void world_end_server(struct world *w)
{
    http_server_free(w->server);
    if (w->server != NULL)
        http_socket_close(&w->config, w->fds);
    w->server = NULL;
}

static int world_set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    strcpy(w->directory, "/tmp/test-websocket-XXXXXX");
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

    world_end_server(w);
    event_base_free(w->loop);
    assert_int_equal(rmdir(w->directory), 0);
    free(w);
    return 0;
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

/* The example of RFC 6455, 1.3. */
#define BEGIN "GET /ws HTTP/1.1\r\nHost: here\r\n"
#define WANTED "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define HANDSHAKE BEGIN WANTED KEY VERSION "\r\n"
#define ACCEPT "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static void client_upgrade(struct client *c, struct world *w)
{
    client_connect(c, w->loop, w->path);
    client_send(c, HANDSHAKE);
    WAIT_UNTIL(w->loop, client_has(c, "\r\n\r\n") || c->is_closed);
    assert_true(client_has(c, ACCEPT));
}

static void client_is_echoed(struct client *c, const char *text)
{
    client_send(c, text);
    WAIT_UNTIL(c->loop, client_has(c, text));
}

/* Tests: the handshake */

static void good_handshakes_are_answered(void **state)
{
    static const char *const handshakes[] = {
        HANDSHAKE,
        BEGIN "Upgrade: h2c, WebSocket\r\nConnection: keep-alive\r\nConnection: foo,\tUPGRADE\r\n" KEY VERSION "\r\n",
        BEGIN WANTED KEY VERSION "Origin: http://here\r\n\r\n",
        BEGIN WANTED KEY VERSION "Origin: http://here\r\nUser-Agent: Mozilla/5.0\r\n\r\n",
        BEGIN WANTED KEY VERSION "Origin: https://proxy\r\nSec-Fetch-Site: same-origin\r\n\r\n",
        BEGIN WANTED KEY VERSION "User-Agent: Mozilla/5.0\r\n\r\n",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof handshakes / sizeof handshakes[0]; i++) {
        struct client c;
        client_connect(&c, w->loop, w->path);
        client_send(&c, handshakes[i]);
        WAIT_UNTIL(w->loop, client_has(&c, "\r\n\r\n"));
        assert_true(client_has(&c, "HTTP/1.1 101 Switching Protocols\r\n"));
        assert_true(client_has(&c, ACCEPT));
        assert_true(client_has(&c, "\r\nUpgrade: websocket\r\n"));
        assert_true(client_has(&c, "\r\nConnection: Upgrade\r\n"));
        client_is_echoed(&c, "frames");
        client_leave(&c);
        WAIT_UNTIL(w->loop, w->ended == (int)i + 1);
    }
    assert_int_equal(w->closed, 0);
}

static void bad_handshakes_are_refused(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"POST /ws HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n" WANTED KEY VERSION "\r\n", " 400 "},
        {"GET /ws HTTP/1.0\r\nHost: here\r\n" WANTED KEY VERSION "\r\n", " 400 "},
        {BEGIN "\r\n", " 426 "},
        {BEGIN "\r\n", "\r\nUpgrade: websocket\r\n"},
        {BEGIN "Connection: Upgrade\r\n" KEY VERSION "\r\n", " 426 "},
        {BEGIN "Upgrade: websocket\r\n" KEY VERSION "\r\n", " 426 "},
        {BEGIN "Upgrade: websockets\r\nConnection: Upgrade\r\n" KEY VERSION "\r\n", " 426 "},
        {BEGIN "Upgrade: websocket\r\nConnection: Upgraded\r\n" KEY VERSION "\r\n", " 426 "},
        {BEGIN "Upgrade:\r\nConnection:\r\n" KEY VERSION "\r\n", " 426 "},
        {BEGIN WANTED KEY "\r\n", " 426 "},
        {BEGIN WANTED KEY "Sec-WebSocket-Version: 8\r\n\r\n", "\r\nSec-WebSocket-Version: 13\r\n"},
        {BEGIN WANTED KEY "Sec-WebSocket-Version: 8\r\n\r\n", " 426 "},
        {BEGIN WANTED KEY VERSION VERSION "\r\n", " 426 "},
        {BEGIN WANTED VERSION "\r\n", " 400 "},
        {BEGIN WANTED VERSION KEY KEY "\r\n", " 400 "},
        {BEGIN WANTED VERSION "Sec-WebSocket-Key:\r\n\r\n", " 400 "},
        {BEGIN WANTED VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n", " 400 "},
        {BEGIN WANTED VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n\r\n", " 400 "},
        {BEGIN WANTED VERSION "Sec-WebSocket-Key: dGhlIHNhbX*sZSBub25jZQ==\r\n\r\n", " 400 "},
        {BEGIN WANTED VERSION "Sec-WebSocket-Key: dGhlIHNhbX sZSBub25jZQ==\r\n\r\n", " 400 "},
        {BEGIN WANTED VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j====\r\n\r\n", " 400 "},
        {BEGIN WANTED KEY VERSION "Origin: http://elsewhere\r\n\r\n", " 403 "},
        {BEGIN WANTED KEY VERSION "Origin: null\r\n\r\n", " 403 "},
        {BEGIN WANTED KEY VERSION "Sec-Fetch-Site: cross-site\r\n\r\n", " 403 "},
        {BEGIN WANTED KEY VERSION "Origin: http://here\r\nSec-Fetch-Site: same-site\r\n\r\n", " 403 "},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client c;
        client_connect(&c, w->loop, w->path);
        client_send(&c, cases[i].request);
        WAIT_UNTIL(w->loop, client_has(&c, "\r\n\r\n") || c.is_closed);
        if (!client_has(&c, cases[i].answer))
            fail_msg("no '%s' to %s in: %s", cases[i].answer, cases[i].request, utstring_body(&c.got));
        client_leave(&c);
        assert_int_equal(w->refused, (int)i + 1);
    }
    assert_int_equal(w->opened + w->closed, 0);
}

static void the_password_is_asked_for(void **state)
{
    char user[] = "user";
    char password[] = "thepassword";
    struct world *w = *state;
    struct client c;

    w->config.username = user;
    w->config.password = password;
    client_connect(&c, w->loop, w->path);
    client_send(&c, HANDSHAKE);
    WAIT_UNTIL(w->loop, client_has(&c, " 401 "));
    client_leave(&c);
    client_connect(&c, w->loop, w->path);
    client_send(&c, BEGIN WANTED KEY VERSION "Authorization: Basic dXNlcjp0aGVwYXNzd29yZA==\r\n\r\n");
    WAIT_UNTIL(w->loop, client_has(&c, ACCEPT));
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->ended == 1);
}

static void early_bytes_are_not_lost(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, HANDSHAKE "early ");
    client_send(&c, "bird ");
    WAIT_UNTIL(w->loop, client_has(&c, "\r\n\r\nearly bird "));
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->ended == 1);
}

static void the_answer_may_come_later(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /later HTTP/1.1\r\nHost: here\r\n" WANTED KEY VERSION "\r\n");
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    assert_int_equal(http_server_count_waiting(w->server), 1);
    upgrade(w->waiting, w);
    WAIT_UNTIL(w->loop, client_has(&c, ACCEPT));
    client_is_echoed(&c, "frames");
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->ended == 1);
}

/* Tests: the connection */

static void many_connections_at_a_time(void **state)
{
    struct world *w = *state;
    struct client clients[MANY];

    for (int i = 0; i < MANY; i++)
        client_upgrade(&clients[i], w);
    for (int i = 0; i < MANY; i++)
        client_is_echoed(&clients[i], "frames");
    for (int i = 0; i < MANY; i++)
        client_leave(&clients[i]);
    WAIT_UNTIL(w->loop, w->ended == MANY);
    assert_int_equal(w->closed, 0);
}

/* Open ones are counted, and make room when they have gone. */
static void connections_are_limited(void **state)
{
    struct world *w = *state;
    struct client first, second;

    w->config.max_connections = 1;
    world_serve(w);
    client_upgrade(&first, w);
    client_connect(&second, w->loop, w->path);
    client_send(&second, HANDSHAKE);
    client_is_echoed(&first, "frames");
    assert_int_equal(w->opened, 1);
    client_leave(&first);
    WAIT_UNTIL(w->loop, client_has(&second, ACCEPT));
    client_leave(&second);
    WAIT_UNTIL(w->loop, w->ended == 2);
}

static void a_connection_may_be_closed_at_once(void **state)
{
    struct world *w = *state;
    struct client c;

    w->closes_at_once = true;
    client_connect(&c, w->loop, w->path);
    client_send(&c, HANDSHAKE "early");
    WAIT_UNTIL(w->loop, c.is_closed);
    assert_true(client_has(&c, "\r\n\r\nearly"));
    client_leave(&c);
    assert_int_equal(w->closed, 0);
}

static void idle_connections_stay(void **state)
{
    const struct timeval longer = {.tv_sec = 2, .tv_usec = 500000};
    struct world *w = *state;
    struct client c;
    bool is_over = false;
    struct event *over = evtimer_new(w->loop, give_up, &is_over);

    w->config.idle_timeout = 1;
    w->config.request_timeout = 1;
    world_serve(w);
    client_upgrade(&c, w);
    event_add(over, &longer);
    WAIT_UNTIL(w->loop, is_over);
    event_free(over);
    assert_false(c.is_closed);
    client_is_echoed(&c, "frames");
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->ended == 1);
}

/* Whenever the client goes, its handler is told so once, and nothing stays. */
static void clients_may_go_at_any_time(void **state)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct world *w = *state;

    for (int rounds = 0; rounds < MANY; rounds++) {
        const int before = w->ended + w->closed;
        struct client c;
        client_connect(&c, w->loop, w->path);
        client_send(&c, HANDSHAKE);
        for (int i = 0; i < rounds % 5; i++)
            event_base_loop(w->loop, EVLOOP_NONBLOCK);
        assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        client_leave(&c);
        WAIT_UNTIL(w->loop, w->ended + w->closed == before + 1);
    }
}

/* The answer cannot go out: the handler, which has been promised a connection, hears that there is none. */
static void a_client_that_has_gone_is_reported(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /later HTTP/1.1\r\nHost: here\r\n" WANTED KEY VERSION "\r\n");
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    client_leave(&c);
    upgrade(w->waiting, w);
    WAIT_UNTIL(w->loop, w->closed + w->ended == 1);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->opened, 0);
}

static void open_connections_end_with_the_server(void **state)
{
    struct world *w = *state;
    struct client clients[3];

    for (int i = 0; i < 3; i++)
        client_upgrade(&clients[i], w);
    world_end_server(w);
    assert_int_equal(w->closed, 3);
    for (int i = 0; i < 3; i++) {
        WAIT_UNTIL(w->loop, clients[i].is_closed);
        client_leave(&clients[i]);
    }
}

static void answers_under_way_end_with_the_server(void **state)
{
    struct world *w = *state;
    struct client c;

    client_connect(&c, w->loop, w->path);
    client_send(&c, "GET /later HTTP/1.1\r\nHost: here\r\n" WANTED KEY VERSION "\r\n");
    WAIT_UNTIL(w->loop, w->waiting != NULL);
    upgrade(w->waiting, w);
    world_end_server(w);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->opened, 0);
    client_leave(&c);
}

/* An upgrade of the daemon, a restart, a shutdown must not wait for those who may stay for days. */
static void nobody_waits_for_open_connections(void **state)
{
    struct world *w = *state;
    struct client c;
    const int64_t begin_us = clock_monotonic_us();

    client_upgrade(&c, w);
    assert_int_equal(http_server_count_waiting(w->server), 0);
    http_server_drain(w->server, 3600 * 1000);
    assert_true(clock_monotonic_us() < begin_us + INT64_C(60000000));
    http_server_go_on(w->server);
    client_is_echoed(&c, "frames");
    client_leave(&c);
    WAIT_UNTIL(w->loop, w->ended == 1);
}

/* Tests: TLS */

static void write_pem(const char *path, const gnutls_datum_t *pem)
{
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, pem->data, pem->size), (ssize_t)pem->size);
    close(fd);
}

/* A certificate that vouches for itself. */
static void make_certificate(const char *certificate_path, const char *key_path)
{
    const unsigned char serial = 1;
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, &serial, 1);
    gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 3600);
    gnutls_x509_crt_set_dn(certificate, "CN=localhost", NULL);
    gnutls_x509_crt_set_key(certificate, key);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_pem(certificate_path, &pem);
    gnutls_free(pem.data);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_pem(key_path, &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}

static bool receive_until(gnutls_session_t session, const char *text)
{
    char got[65536] = "";
    size_t length = 0;

    while (strstr(got, text) == NULL) {
        const ssize_t more = gnutls_record_recv(session, got + length, sizeof got - 1 - length);
        if (more <= 0)
            return false;
        length += (size_t)more;
        got[length] = '\0';
    }
    return true;
}

/* A client that may block, as it has a process of its own. It stays until the server ends. */
static bool speak_tls(int fd, const char *text)
{
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;

    if (gnutls_init(&session, GNUTLS_CLIENT) < 0 || gnutls_certificate_allocate_credentials(&credentials) < 0 ||
        gnutls_set_default_priority(session) < 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) < 0)
        return false;
    gnutls_transport_set_int(session, fd);
    if (gnutls_handshake(session) < 0)
        return false;
    if (gnutls_record_send(session, HANDSHAKE, strlen(HANDSHAKE)) < 0 || gnutls_record_send(session, "early", 5) < 0 ||
        !receive_until(session, "\r\n\r\nearly"))
        return false;
    for (size_t sent = 0; sent < strlen(text);) {
        const ssize_t more = gnutls_record_send(session, text + sent, strlen(text) - sent);
        if (more <= 0)
            return false;
        sent += (size_t)more;
    }
    return receive_until(session, "END");
}

static pid_t start_tls_client(const char *path, const char *text, bool stays)
{
    const pid_t pid = fork();

    if (pid == 0) {
        char byte;
        const int fd = connect_unix(path);
        const bool is_fine = speak_tls(fd, text);
        if (is_fine && stays)
            (void)!read(fd, &byte, 1);
        _exit(is_fine ? 0 : 1);
    }
    return pid;
}

static bool ended_well(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void over_tls(void **state)
{
    struct world *w = *state;
    CLEANUP_FREE char *certificate = xasprintf("%s/cert.pem", w->directory);
    CLEANUP_FREE char *key = xasprintf("%s/key.pem", w->directory);
    char text[60000];

    memset(text, 'x', sizeof text);
    strcpy(text + sizeof text - 4, "END");
    make_certificate(certificate, key);
    w->config.tls_certificate = certificate;
    w->config.tls_key = key;
    world_serve(w);
    unlink(certificate);
    unlink(key);

    const pid_t brief = start_tls_client(w->path, text, false);
    WAIT_UNTIL(w->loop, w->ended == 1);
    assert_true(ended_well(brief));

    w->closes_at_once = true;
    const pid_t disappointed = start_tls_client(w->path, text, false);
    WAIT_UNTIL(w->loop, w->opened == 2);
    wait_until_idle(w);
    assert_false(ended_well(disappointed));
    w->closes_at_once = false;

    const pid_t lasting = start_tls_client(w->path, text, true);
    WAIT_UNTIL(w->loop, w->opened == 3);
    assert_int_equal(http_server_count_waiting(w->server), 0);
    http_server_drain(w->server, 3600 * 1000);
    world_end_server(w);
    assert_int_equal(w->closed, 1);
    (void)ended_well(lasting);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, world_with_server, world_tear_down)
#define WITHOUT_SERVER(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(good_handshakes_are_answered),
        WITH_SERVER(bad_handshakes_are_refused),
        WITH_SERVER(the_password_is_asked_for),
        WITH_SERVER(early_bytes_are_not_lost),
        WITH_SERVER(the_answer_may_come_later),
        WITH_SERVER(many_connections_at_a_time),
        WITHOUT_SERVER(connections_are_limited),
        WITH_SERVER(a_connection_may_be_closed_at_once),
        WITHOUT_SERVER(idle_connections_stay),
        WITH_SERVER(clients_may_go_at_any_time),
        WITH_SERVER(a_client_that_has_gone_is_reported),
        WITH_SERVER(open_connections_end_with_the_server),
        WITH_SERVER(answers_under_way_end_with_the_server),
        WITH_SERVER(nobody_waits_for_open_connections),
        WITHOUT_SERVER(over_tls),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("http_websocket", tests, NULL, NULL);
}
