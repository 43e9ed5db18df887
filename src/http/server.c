/* The server's life: libmicrohttpd in our loop, accepting connections within the limits. */
#include "http/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "http/internal.h"

static const UT_icd binding_icd = {sizeof(struct http_binding), NULL, NULL, NULL};

struct http_server *http_server_new(struct event_base *loop)
{
    struct http_server *server = xcalloc(1, sizeof *server);

    server->loop = loop;
    utarray_init(&server->bindings, &binding_icd);
    return server;
}

void http_server_route(struct http_server *server, const struct http_route *route, void *context)
{
    const struct http_binding binding = {.route = route, .context = context};

    utarray_push_back(&server->bindings, &binding);
}

/* --- driving libmicrohttpd ---------------------------------------------------------------------------------------- */

/*
 * The timer is there only while a connection can run out of time. One that is due too early does no harm and is set
 * anew when it fires, which is cheaper than to move it with every request. When libmicrohttpd wants to go on at once,
 * others get their turn before: a fast reader of a long answer could keep it busy for as long as it likes.
 */
static void listener_plan(struct http_listener *listener)
{
    MHD_UNSIGNED_LONG_LONG milliseconds;

    if (MHD_get_timeout(listener->mhd, &milliseconds) != MHD_YES) {
        event_del(listener->timer);
    } else if (milliseconds == 0) {
        loop_timer_arm_next_turn(listener->timer);
    } else if (!event_pending(listener->timer, EV_TIMEOUT, NULL)) {
        loop_timer_arm(listener->timer, (int64_t)milliseconds * 1000);
    }
}

static void listener_run(struct http_listener *listener)
{
    MHD_run(listener->mhd);
    http_listener_await_handshakes(listener);
}

static void on_run(evutil_socket_t fd, short what, void *context)
{
    struct http_listener *listener = context;

    (void)fd;
    (void)what;
    listener_run(listener);
    listener_plan(listener);
}

/* --- accepting ---------------------------------------------------------------------------------------------------- */

void http_listener_accept_on(struct http_listener *listener)
{
    for (int i = 0; i < 2; i++)
        if (listener->accepts[i] != NULL)
            event_add(listener->accepts[i], NULL);
}

static void listener_accept_off(struct http_listener *listener)
{
    for (int i = 0; i < 2; i++)
        if (listener->accepts[i] != NULL)
            event_del(listener->accepts[i]);
}

static void on_accept_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    http_listener_accept_on(context);
}

static bool is_shortage(int os)
{
    return os == EMFILE || os == ENFILE || os == ENOBUFS || os == ENOMEM;
}

/* The client stays in the backlog, and we do not spin: its socket stays readable while nothing can be accepted. */
static void listener_pause(struct http_listener *listener, int os)
{
    if (!listener->is_short_of_fds)
        log_error("HTTP: cannot accept a connection, clients have to wait: %s", strerror(os));
    listener->is_short_of_fds = true;
    listener_accept_off(listener);
    loop_timer_arm(listener->accept_again, HTTP_ACCEPT_PAUSE_SECONDS * INT64_C(1000000));
}

/* libmicrohttpd says ENFILE when an address has too many. Not for each of them: they come as fast as they can. */
static void log_refused(struct http_listener *listener, const struct sockaddr_storage *address, socklen_t size, int os)
{
    const int64_t now_us = clock_monotonic_us();
    char host[NI_MAXHOST];

    if (os != ENFILE ||
        getnameinfo((const struct sockaddr *)address, size, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0) {
        log_error("HTTP: cannot serve a connection: %s", strerror(os));
        return;
    }
    if (listener->refused_log_us != 0 &&
        now_us < listener->refused_log_us + HTTP_REFUSED_LOG_SECONDS * INT64_C(1000000))
        return;
    listener->refused_log_us = now_us;
    log_warn("HTTP: %s has as many connections as one address may have; more of them are closed", host);
}

/* False: no more for now. */
static bool listener_accept_one(struct http_listener *listener, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    const int client = accept4(fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (client < 0) {
        const int os = errno;
        if (is_shortage(os))
            listener_pause(listener, os);
        return os == ECONNABORTED || os == EINTR;
    }
    listener->is_short_of_fds = false;
    if (MHD_add_connection(listener->mhd, client, (struct sockaddr *)&address, size) != MHD_YES)
        log_refused(listener, &address, size, errno);
    return true;
}

static void on_accept(evutil_socket_t fd, short what, void *context)
{
    struct http_listener *listener = context;

    (void)what;
    for (int i = 0; i < HTTP_ACCEPT_BURST && listener->connections < listener->connections_max; i++)
        if (!listener_accept_one(listener, fd))
            break;
    if (listener->connections >= listener->connections_max)
        listener_accept_off(listener);
    listener_plan(listener);
}

/* --- making and ending -------------------------------------------------------------------------------------------- */

static unsigned choose_connections_max(const struct config_server *config)
{
    const rlim_t configured = (rlim_t)config->max_connections;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / HTTP_CONNECTIONS_PER_FDS > configured)
        return (unsigned)configured;
    return (unsigned)(limit.rlim_cur / HTTP_CONNECTIONS_PER_FDS);
}

/* Applies to TCP alone: clients of a UNIX socket have no address. */
static unsigned choose_connections_per_address(const struct http_listener *listener)
{
    if (listener->config->max_connections_per_address > 0)
        return (unsigned)listener->config->max_connections_per_address;
    return listener->connections_max / 2 + listener->connections_max % 2;
}

static struct MHD_Daemon *start_mhd(struct http_listener *listener)
{
    const struct config_server *config = listener->config;
    const struct http_tls *tls = &listener->tls;
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    const struct MHD_OptionItem with_tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){HTTP_TLS_PRIORITIES}},
        {tls->client_ca != NULL ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, tls->client_ca},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem without_tls[] = {{MHD_OPTION_END, 0, NULL}};
    const bool has_tls = tls->certificate != NULL;

    return MHD_start_daemon(
        flags | (has_tls ? MHD_USE_TLS : MHD_ALLOW_UPGRADE), 0, NULL, NULL, http_request_progress, listener,
        MHD_OPTION_CONNECTION_LIMIT, listener->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        choose_connections_per_address(listener), MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)config->idle_timeout,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)config->max_header_bytes, MHD_OPTION_NOTIFY_COMPLETED,
        http_request_completed, listener, MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, listener,
        MHD_OPTION_ARRAY, has_tls ? with_tls : without_tls, MHD_OPTION_END);
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void listener_free(struct http_listener *listener)
{
    http_listener_abandon_requests(listener);
    http_listener_give_up_strangers(listener);
    listener->connections_max = 0; /* nothing is accepted any more, whoever leaves */
    free_event(listener->run);     /* before its descriptor is closed */
    free_event(listener->timer);
    if (listener->mhd != NULL)
        MHD_stop_daemon(listener->mhd);
    free_event(listener->strangers_timer);
    free_event(listener->accept_again);
    free_event(listener->accepts[0]);
    free_event(listener->accepts[1]);
    http_auth_free(listener->auth);
    http_tls_release(&listener->tls);
    free(listener);
}

static bool listener_make_events(struct http_listener *listener, const int fds[2])
{
    struct event_base *loop = listener->server->loop;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_EPOLL_FD);

    listener->run = loop_event_new(loop, info->epoll_fd, EV_READ | EV_PERSIST, on_run, listener);
    listener->timer = loop_timer_new(loop, on_run, listener);
    listener->accept_again = loop_timer_new(loop, on_accept_again, listener);
    listener->strangers_timer = loop_timer_new(loop, http_listener_on_strangers_late, listener);
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            listener->accepts[i] = loop_event_new(loop, fds[i], EV_READ | EV_PERSIST, on_accept, listener);
    http_listener_accept_on(listener);
    return event_add(listener->run, NULL) == 0;
}

int http_server_serve(struct http_server *server, const struct config_server *config, const int fds[2],
                      struct error *err)
{
    struct http_listener *listener = xcalloc(1, sizeof *listener);

    listener->server = server;
    listener->config = config;
    listener->auth = http_auth_new(config);
    listener->connections_max = choose_connections_max(config);
    if (http_tls_load(config, &listener->tls, err) < 0) {
        listener_free(listener);
        return -1;
    }
    listener->mhd = start_mhd(listener);
    if (listener->mhd == NULL || !listener_make_events(listener, fds)) {
        const int os = errno;
        listener_free(listener);
        return error_from_errno(err, os, "cannot start an HTTP server");
    }
    LL_APPEND(server->listeners, listener);
    return 0;
}

void http_server_free(struct http_server *server)
{
    struct http_listener *listener;
    struct http_listener *next;

    if (server == NULL)
        return;
    LL_FOREACH_SAFE (server->listeners, listener, next)
        listener_free(listener);
    utarray_done(&server->bindings);
    free(server);
}

/* --- draining ----------------------------------------------------------------------------------------------------- */

/* False when there is nothing more to wait for. */
static bool listener_wait(struct http_listener *listener, int64_t left_us)
{
    struct pollfd ready = {.fd = event_get_fd(listener->run), .events = POLLIN};
    MHD_UNSIGNED_LONG_LONG milliseconds;

    if (left_us <= 0)
        return false;
    if (MHD_get_timeout(listener->mhd, &milliseconds) == MHD_YES && milliseconds == 0)
        return true;
    return poll(&ready, 1, (int)(left_us / 1000) + 1) > 0;
}

static void listener_drain(struct http_listener *listener, int64_t deadline_us)
{
    listener_accept_off(listener);
    do
        listener_run(listener);
    while (http_listener_is_answering(listener) && listener_wait(listener, deadline_us - clock_monotonic_us()));
}

size_t http_server_count_waiting(const struct http_server *server)
{
    const struct http_listener *listener;
    size_t count = 0;

    LL_FOREACH (server->listeners, listener)
        count += http_listener_count_waiting(listener);
    return count;
}

void http_server_on_completed(struct http_server *server, void (*completed)(void *context), void *context)
{
    server->completed = completed;
    server->completed_context = context;
}

void http_server_go_on(struct http_server *server)
{
    struct http_listener *listener;

    LL_FOREACH (server->listeners, listener)
        http_listener_accept_on(listener);
}

void http_server_drain(struct http_server *server, int milliseconds)
{
    const int64_t deadline_us = clock_monotonic_us() + (int64_t)milliseconds * 1000;
    struct http_listener *listener;

    LL_FOREACH (server->listeners, listener)
        listener_drain(listener, deadline_us);
}
