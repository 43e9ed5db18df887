/*
 * The bytes of a TLS connection as those of a plain socket, once it is no HTTP any more: a pair of sockets, of which
 * the owner of the connection has one end. What libmicrohttpd has for it moves a few bytes at a time, and does not tell
 * the owner that the client has gone.
 */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include <event2/event.h>
#include <gnutls/gnutls.h>

struct http_tunnel;

/*
 * `fd` is the connection's, `session` what is spoken over it; both borrowed, and not to be used by others before
 * http_tunnel_close(). The client gets `first` (a text) before all else. NULL with errno: the system refuses.
 */
struct http_tunnel *http_tunnel_new(struct event_base *loop, int fd, gnutls_session_t session, const char *first);
int http_tunnel_fd(const struct http_tunnel *tunnel); /* the owner's end, close-on-exec and not blocking */

/* What the owner has written still goes to the client as far as that takes it now. Frees. */
void http_tunnel_close(struct http_tunnel *tunnel);

#endif
