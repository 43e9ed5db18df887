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
#include <supervisor/http.h>

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

/* Routes are compared in the order in which they were added; the first that fits is taken. Borrowed. */
void http_server_route(struct http_server *server, const struct http_route *route, void *context);

#endif
