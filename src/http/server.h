/*
 * The HTTP server: sockets, authentication, limits, routes. libmicrohttpd driven by our loop, in one thread.
 *
 * Life: http_socket_open() for each configured server (before daemonizing, so that a refused address ends the start),
 * then, once there is a loop, http_server_new(), http_server_route() and http_server_serve().
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/handover.h"
#include "config/model.h"

/*
 * Binds and listens. UNIX sockets appear with their final mode and owner; a stale socket file is replaced, a live one
 * refused ("Another program is already listening ..."). 0 with the descriptors, which are the caller's until
 * http_socket_close(), or -1 with *err. One server may need two (all interfaces: IPv4 and IPv6); unused places are -1.
 */
int http_socket_open(const struct config_server *config, int fds[2], struct error *err);

/* Closes the descriptors and removes a UNIX socket file if it is still ours. */
void http_socket_close(const struct config_server *config, int fds[2]);

/* The descriptors, and which file a UNIX socket has made. Who takes has them as after http_socket_open(). */
void http_socket_hand_over(const struct config_server *config, int fds[2], struct handover *handover);

struct http_server;
struct http_request;

struct http_server *http_server_new(struct event_base *loop);
void http_server_free(struct http_server *server); /* ends all connections; sockets stay open; NULL is fine */

/* Serves an opened socket. `config` is borrowed and outlives the server. */
int http_server_serve(struct http_server *server, const struct config_server *config, const int fds[2],
                      struct error *err);

/*
 * Lets answers that have been given go out for at most `milliseconds`: before the daemon ends, restarts or hands over.
 * Clients that come meanwhile wait, until http_server_go_on().
 */
void http_server_drain(struct http_server *server, int milliseconds);
void http_server_go_on(struct http_server *server);

/* How many requests wait for an answer that the daemon has not given yet. Streams have been answered. */
size_t http_server_count_waiting(const struct http_server *server);

/* Calls `completed` after each request that has come to its end. One callback; NULL takes it away. */
void http_server_on_completed(struct http_server *server, void (*completed)(void *context), void *context);

/* How a request's path is compared with a route's. */
enum http_match {
    HTTP_EXACT,  /* the whole path */
    HTTP_PREFIX, /* the path begins with it */
};

/*
 * Called once the request is whole (headers and body, within the limits) and authenticated. Answers by one of the
 * functions below, at once or later. `context` is the route's.
 */
typedef void http_handler(struct http_request *request, void *context);

struct http_route {
    enum http_match match;
    const char *path;
    const char *methods; /* "GET HEAD", "POST"; another method gets 405 */
    size_t body_max;     /* bytes, if the server's max_body_bytes is not less; a larger body gets 413; 0: none wanted */
    http_handler *handler;
};

/* Routes are compared in the order in which they were added; the first that fits is taken. Borrowed. */
void http_server_route(struct http_server *server, const struct http_route *route, void *context);

/* What was asked. Borrowed, good until the answer. */
const char *http_request_path(const struct http_request *request); /* decoded, without the query */
const char *http_request_body(const struct http_request *request, size_t *length);
const char *http_request_method(const struct http_request *request);
const char *http_request_header(const struct http_request *request, const char *name); /* NULL: was not sent */
/* A parameter of the query, decoded: "" when it has no value, NULL when it is not there. */
const char *http_request_query(const struct http_request *request, const char *name);
/* False when the client is logged in with the account that may look and not touch. */
bool http_request_may_change(const struct http_request *request);
/*
 * True when a browser says that another site made it send this (Sec-Fetch-Site; without it an Origin, without that a
 * Referer, that is not Host), or when it GETs and says nothing of the kind. What changes anything must be refused then:
 * the password may be the browser's, but the will is not its user's. Other clients send none of these headers. A proxy
 * before us must pass on Host for browsers that know no Sec-Fetch-Site, or send it only over TLS.
 */
bool http_request_is_cross_site(const struct http_request *request);

/* Called instead of an answer when the client goes away while one is awaited. */
void http_request_on_cancel(struct http_request *request, void (*cancel)(void *context), void *context);

/* Answers. `type` is the Content-Type. Takes `body` (malloc'd; may be NULL). Ends the request. */
void http_respond(struct http_request *request, unsigned status, const char *type, char *body, size_t length);
/* The same with headers of one's own, Content-Type among them; names and values are copied. */
struct http_header {
    const char *name;
    const char *value;
};
void http_respond_with(struct http_request *request, unsigned status, const struct http_header *headers, size_t count,
                       char *body, size_t length);
/* A short text page for an error. */
void http_respond_error(struct http_request *request, unsigned status, const char *text);

/*
 * A streamed answer: `read` is asked for bytes whenever the client can take some. It returns how many it wrote; 0:
 * nothing now (http_stream_wake() makes it asked again); -1: the end. `close` is called once, at the end of the stream
 * or when the client goes away. The handle is good until then.
 */
struct http_stream;
struct http_stream_source {
    ssize_t (*read)(void *context, char *buffer, size_t size);
    void (*close)(void *context);
    void *context;
};
struct http_stream *http_respond_stream(struct http_request *request, unsigned status, const char *type,
                                        const struct http_stream_source *source);
void http_stream_wake(struct http_stream *stream);

#endif
