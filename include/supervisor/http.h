/*
 * Requests of HTTP and their answers. Who asks has given a name and a password where the server wants them, and has
 * kept to the server's limits.
 */
#ifndef SUPERVISOR_HTTP_H
#define SUPERVISOR_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct http_request;

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

#pragma GCC visibility push(default)

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

/*
 * The end of HTTP on a connection whose client wants to speak WebSocket (RFC 6455): the handshake is answered, and the
 * socket is the handler's from then on; what comes over it are frames, for a library such as wslay. It does not block.
 */
struct http_upgrade;
struct http_upgrade_handler {
    /* Once, from the loop. `early` is what the client has sent already; borrowed. */
    void (*opened)(void *context, struct http_upgrade *upgrade, int fd, const char *early, size_t length);
    /* The server ends, or the client went before opened(): there is no socket any more, and no `upgrade`. */
    void (*closed)(void *context);
    void *context;
};

/* False when the request is no handshake of WebSocket: then it has been answered with an error, and nobody is called.*/
bool http_respond_websocket(struct http_request *request, const struct http_upgrade_handler *handler);
/* Closes the socket. closed() is not called. */
void http_upgrade_close(struct http_upgrade *upgrade);

#pragma GCC visibility pop

#endif
