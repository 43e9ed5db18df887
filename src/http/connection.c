/*
 * Connections, from when they are accepted: strangers, who have to show soon that they may call, handshakes of TLS, and
 * clients that go in the middle of a request.
 */
#include <sys/socket.h>

#include "base/clock.h"
#include "base/loop.h"
#include "http/internal.h"

enum handshake {
    HANDSHAKE_OVER,    /* or there is none */
    HANDSHAKE_RUNNING, /* in the listener's list: libmicrohttpd goes on with it when it runs next */
    HANDSHAKE_WAITING, /* suspended until the client sends more */
};

struct http_connection {
    struct http_listener *listener; /* borrowed */
    struct MHD_Connection *mhd;     /* borrowed */
    int fd;                         /* borrowed */
    int64_t deadline_us;            /* until when it must be admitted */
    bool is_admitted;               /* or given up; else in the listener's list of strangers */
    enum handshake handshake;
    struct event *more;   /* owned: the client has sent more of the handshake; NULL without TLS */
    struct event *closed; /* owned: the client says no more */
    struct http_connection *prev, *next;
    struct http_connection *prev_handshake, *next_handshake;
};

/* --- handshakes --------------------------------------------------------------------------------------------------- */

static void handshake_run(struct http_connection *connection)
{
    connection->handshake = HANDSHAKE_RUNNING;
    DL_APPEND2(connection->listener->handshakes, connection, prev_handshake, next_handshake);
}

static void handshake_leave_list(struct http_connection *connection, enum handshake now)
{
    if (connection->handshake == HANDSHAKE_RUNNING)
        DL_DELETE2(connection->listener->handshakes, connection, prev_handshake, next_handshake);
    connection->handshake = now;
}

/* The client's last message of the handshake has come. */
static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned is_incoming,
                       const gnutls_datum_t *message)
{
    (void)type;
    (void)when;
    (void)message;
    if (is_incoming != 0)
        handshake_leave_list(gnutls_session_get_ptr(session), HANDSHAKE_OVER);
    return 0;
}

static void handshake_resume(struct http_connection *connection)
{
    event_del(connection->more);
    handshake_run(connection);
    MHD_resume_connection(connection->mhd);
    event_active(connection->listener->run, EV_TIMEOUT, 0);
}

static void on_more(evutil_socket_t fd, short what, void *connection)
{
    (void)fd;
    (void)what;
    handshake_resume(connection);
}

static void handshake_begin(struct http_connection *connection)
{
    const struct http_listener *listener = connection->listener;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info->tls_session;

    if (listener->tls.client_ca != NULL)
        http_tls_demand_certificate(session);
    gnutls_session_set_ptr(session, connection);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
    connection->more = loop_event_new(listener->server->loop, connection->fd, EV_READ | EV_ET, on_more, connection);
    handshake_run(connection);
}

void http_listener_await_handshakes(struct http_listener *listener)
{
    while (listener->handshakes != NULL) {
        struct http_connection *connection = listener->handshakes;
        handshake_leave_list(connection, HANDSHAKE_WAITING);
        MHD_suspend_connection(connection->mhd);
        event_add(connection->more, NULL);
    }
}

/* --- clients that go ---------------------------------------------------------------------------------------------- */

/*
 * libmicrohttpd does not notice the end of what a client sends when it comes together with the last bytes: it waits for
 * an edge that has passed. Suspended and resumed, it looks again. What is suspended already looks when it is resumed.
 */
static void on_closed(evutil_socket_t fd, short what, void *context)
{
    struct http_connection *connection = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);

    (void)fd;
    (void)what;
    if (info->suspended == MHD_YES)
        return;
    MHD_suspend_connection(connection->mhd);
    MHD_resume_connection(connection->mhd);
    event_active(connection->listener->run, EV_TIMEOUT, 0);
}

static void watch_closing(struct http_connection *connection)
{
    connection->closed =
        loop_event_new(connection->listener->server->loop, connection->fd, EV_CLOSED | EV_ET, on_closed, connection);
    (void)event_add(connection->closed, NULL); /* refused: the client's time is limited all the same */
}

void http_connection_hand_over(struct http_connection *connection)
{
    event_del(connection->closed);
}

/* --- strangers ---------------------------------------------------------------------------------------------------- */

static void plan_strangers(struct http_listener *listener)
{
    if (listener->strangers == NULL)
        event_del(listener->strangers_timer);
    else if (!event_pending(listener->strangers_timer, EV_TIMEOUT, NULL))
        loop_timer_arm(listener->strangers_timer, listener->strangers->deadline_us - clock_monotonic_us());
}

void http_connection_admit(struct http_connection *connection)
{
    if (connection->is_admitted)
        return;
    connection->is_admitted = true;
    DL_DELETE(connection->listener->strangers, connection);
    plan_strangers(connection->listener);
}

/* libmicrohttpd notices the end of a connection that is shut down, and closes it. */
static void give_up(struct http_connection *connection)
{
    connection->is_admitted = true;
    DL_DELETE(connection->listener->strangers, connection);
    shutdown(connection->fd, SHUT_RDWR);
    if (connection->handshake == HANDSHAKE_WAITING)
        handshake_resume(connection);
}

void http_listener_on_strangers_late(evutil_socket_t fd, short what, void *context)
{
    struct http_listener *listener = context;
    const int64_t now_us = clock_monotonic_us();

    (void)fd;
    (void)what;
    while (listener->strangers != NULL && listener->strangers->deadline_us <= now_us)
        give_up(listener->strangers);
    plan_strangers(listener);
}

void http_listener_give_up_strangers(struct http_listener *listener)
{
    while (listener->strangers != NULL)
        give_up(listener->strangers);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static struct http_connection *connection_new(struct http_listener *listener, struct MHD_Connection *mhd)
{
    struct http_connection *connection = xcalloc(1, sizeof *connection);

    connection->listener = listener;
    connection->mhd = mhd;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->deadline_us = clock_monotonic_us() + listener->config->request_timeout * INT64_C(1000000);
    DL_APPEND(listener->strangers, connection);
    plan_strangers(listener);
    if (listener->tls.certificate != NULL)
        handshake_begin(connection);
    watch_closing(connection);
    listener->connections++;
    return connection;
}

static void connection_free(struct http_connection *connection)
{
    struct http_listener *listener = connection->listener;

    http_connection_admit(connection);
    handshake_leave_list(connection, HANDSHAKE_OVER);
    if (connection->more != NULL)
        event_free(connection->more);
    event_free(connection->closed);
    free(connection);
    if (listener->connections-- == listener->connections_max)
        http_listener_accept_on(listener);
}

void http_connection_notify(void *listener, struct MHD_Connection *mhd, void **connection,
                            enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *connection = connection_new(listener, mhd);
    } else {
        connection_free(*connection);
        *connection = NULL;
    }
}
