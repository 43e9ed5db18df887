/*
 * What the files of the HTTP server share. A server has a listener for each configured server; each has a daemon of
 * libmicrohttpd, which is handed accepted connections and driven by our loop through its epoll descriptor.
 */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <microhttpd.h>

#include "base/containers.h"
#include "http/auth.h"
#include "http/server.h"
#include "http/tls.h"

/* Limits that are no options. Sizes in bytes. */
enum {
    HTTP_CONNECTIONS_PER_FDS = 4,        /* at most one descriptor in four may be a client's */
    HTTP_HELD_MAX = 256 * 1024 * 1024,   /* bodies and answers of all clients; beyond that, requests are refused */
    HTTP_DISCARD_MAX = 16 * 1024 * 1024, /* a refused request's body is read and dropped up to here */
    HTTP_STREAM_BLOCK = 4 * 1024,        /* what a stream is asked for at a time */
    HTTP_ACCEPT_BURST = 16,              /* connections taken before others get their turn */
    HTTP_ACCEPT_PAUSE_SECONDS = 1,       /* no more descriptors: look again after that */
    HTTP_REFUSED_LOG_SECONDS = 60,       /* clients that have too many connections are not logged more often */
    HTTP_BACKLOG = 1024,                 /* connections waiting to be accepted */
};

struct http_binding { /* a route with its context */
    const struct http_route *route;
    void *context;
};

struct http_connection; /* see connection.c */

struct http_listener {
    struct http_server *server;         /* borrowed */
    const struct config_server *config; /* borrowed */
    struct http_tls tls;                /* owned */
    struct http_auth *auth;             /* owned */
    struct MHD_Daemon *mhd;             /* owned */
    struct event *run;                  /* owned: libmicrohttpd has something to do */
    struct event *timer;                /* owned: a connection may have been idle for too long */
    struct event *strangers_timer;      /* owned: the time of the first stranger is up; not pending without any */
    struct http_connection *strangers;  /* utlist: connections that are not admitted yet, in the order they came */
    struct http_connection *handshakes; /* utlist: those that libmicrohttpd may go on with */
    int64_t refused_log_us;             /* when a client with too many connections was logged last; 0: never */
    struct event *accepts[2];           /* owned, NULL when unused: a client is waiting */
    struct event *accept_again;         /* owned: accepting was refused by the system, try again */
    unsigned connections;               /* open ones */
    unsigned connections_max;
    bool is_short_of_fds;          /* said once, until accepting works again */
    struct http_request *requests; /* utlist: all that are not completed */
    struct http_listener *next;
};

struct http_server {
    struct event_base *loop;         /* borrowed */
    struct http_listener *listeners; /* owned; utlist */
    UT_array bindings;               /* of struct http_binding */
    size_t held;                     /* what the bodies and answers of all requests take */
    void (*completed)(void *context);
    void *completed_context;
};

/* A request from its first header to the end of its answer; for the files that make answers. */
struct http_request {
    struct http_listener *listener;    /* borrowed */
    struct MHD_Connection *connection; /* borrowed */
    const char *path;                  /* borrowed from the connection, as are the method and the version */
    const char *method;
    const char *version;
    const struct http_binding *binding; /* borrowed; NULL when the request is refused */
    unsigned refusal;                   /* status that the headers have earned it, or 0; its body is dropped */
    char *body;                         /* owned */
    size_t length;                      /* of the body that has come, dropped bytes included */
    size_t capacity;
    size_t held;                   /* what its body and its answer take, counted in the server as well */
    struct MHD_Response *response; /* owned; NULL: no answer yet */
    unsigned status;
    struct http_stream *stream;   /* borrowed from the response; NULL when the answer is whole */
    struct http_upgrade *upgrade; /* owned; NULL: none, or its socket has been closed */
    struct event *watch;          /* owned: notices that the client goes while the connection is suspended */
    void (*cancel)(void *context);
    void *cancel_context;
    bool may_change;
    bool is_suspended;
    bool is_gone;
    struct http_request *prev, *next;
};

/* Callbacks of libmicrohttpd: a request's progress and its end. */
enum MHD_Result http_request_progress(void *listener, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *data, size_t *size,
                                      void **request);
void http_request_completed(void *listener, struct MHD_Connection *connection, void **context,
                            enum MHD_RequestTerminationCode reason);

/* Callback of libmicrohttpd: a connection begins or is closed. */
void http_connection_notify(void *listener, struct MHD_Connection *mhd, void **connection,
                            enum MHD_ConnectionNotificationCode code);

/* The client has shown that it may call: its connection has time now. */
void http_connection_admit(struct http_connection *connection);

/* The socket is somebody else's from now on, who may have another opinion on how to wait for it. */
void http_connection_hand_over(struct http_connection *connection);

/*
 * Clients that connect and say nothing, or take for ever to say it, or do not know the password, must not keep others
 * out: theirs are closed when their time is up, and all of them when the server goes.
 */
void http_listener_on_strangers_late(evutil_socket_t fd, short what, void *context); /* the listener */
void http_listener_give_up_strangers(struct http_listener *listener);

/*
 * To be called when libmicrohttpd has run: it would spin while a handshake waits for the client, as it takes such a
 * connection for readable. It does not see it again before there is something to read.
 */
void http_listener_await_handshakes(struct http_listener *listener);

void http_listener_accept_on(struct http_listener *listener);

/* The client is gone, or the server goes: ends a request that waits, or that has been handed over, without an answer.
 */
void http_request_abandon(struct http_request *request);

/* The request's answer, which it takes. */
void http_request_answer(struct http_request *request, unsigned status, struct MHD_Response *response);

/* The request is another one's connection from now on: what it has of it is let go. */
void http_request_hand_over(struct http_request *request);

/* The connection is gone or the server goes: tells the owner, and closes the socket if there is one. */
void http_upgrade_end(struct http_upgrade *upgrade);
bool http_upgrade_is_open(const struct http_upgrade *upgrade); /* the socket has been handed over */

/* The server goes: ends every waiting request without an answer, and every connection that has been handed over. */
void http_listener_abandon_requests(struct http_listener *listener);

/* True while an answer that was given has not gone out; what has no end does not count: streams, open WebSockets. */
bool http_listener_is_answering(const struct http_listener *listener);

size_t http_listener_count_waiting(const struct http_listener *listener); /* see http_server_count_waiting() */

#endif
