/*
 * A request from its headers to the end of its answer. libmicrohttpd calls http_request_progress() when the headers are
 * there, for each piece of the body, and when all of it is there; a request without an answer by then is suspended, and
 * called again after http_respond() has resumed it.
 */
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "http/internal.h"

struct http_stream {
    struct http_request *request; /* borrowed; NULL when the connection is gone */
    struct http_stream_source source;
};

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    const char *value = NULL;
    const enum MHD_Result found =
        MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, NULL);

    return found == MHD_YES && value == NULL ? "" : value;
}

bool http_request_may_change(const struct http_request *request)
{
    return request->may_change;
}

const char *http_request_body(const struct http_request *request, size_t *length)
{
    *length = request->length;
    return request->body == NULL ? "" : request->body;
}

void http_request_on_cancel(struct http_request *request, void (*cancel)(void *context), void *context)
{
    request->cancel = cancel;
    request->cancel_context = context;
}

static struct http_connection *request_connection(const struct http_request *request)
{
    return MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* --- suspending and resuming -------------------------------------------------------------------------------------- */

/* libmicrohttpd goes on with it when it runs next, which nothing but us would make it do. */
static void request_resume(struct http_request *request)
{
    request->is_suspended = false;
    MHD_resume_connection(request->connection);
    event_active(request->listener->run, EV_TIMEOUT, 0);
}

static void request_cancel(struct http_request *request)
{
    void (*cancel)(void *context) = request->cancel;

    request->cancel = NULL;
    if (cancel != NULL && request->response == NULL)
        cancel(request->cancel_context);
}

void http_request_abandon(struct http_request *request)
{
    request->is_gone = true;
    if (request->upgrade != NULL && http_upgrade_is_open(request->upgrade))
        http_upgrade_end(request->upgrade);
    if (!request->is_suspended)
        return;
    request_cancel(request);
    request_resume(request);
}

static bool is_hung_up(int fd)
{
    struct pollfd check = {.fd = fd, .events = POLLRDHUP};

    return poll(&check, 1, 0) > 0;
}

static void on_client_moves(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    if (is_hung_up(fd))
        http_request_abandon(context);
}

/*
 * libmicrohttpd does not look at suspended connections. Edge-triggered, so that a client that sends more requests
 * meanwhile, which nobody reads, does not wake us again and again.
 */
static void request_watch(struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    request->watch = event_new(request->listener->server->loop, info->connect_fd,
                               EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_client_moves, request);
    if (request->watch == NULL || event_add(request->watch, NULL) < 0)
        log_warn("HTTP: a client that hangs up while it waits will not be noticed");
}

static void request_suspend(struct http_request *request)
{
    request->is_suspended = true;
    MHD_suspend_connection(request->connection);
    if (request->watch == NULL)
        request_watch(request);
}

void http_request_hand_over(struct http_request *request)
{
    if (request->watch != NULL)
        event_free(request->watch);
    request->watch = NULL;
    http_connection_hand_over(request_connection(request));
}

void http_listener_abandon_requests(struct http_listener *listener)
{
    struct http_request *request;
    struct http_request *next;

    DL_FOREACH_SAFE (listener->requests, request, next)
        http_request_abandon(request);
}

static bool is_endless(const struct http_request *request)
{
    return request->stream != NULL || (request->upgrade != NULL && http_upgrade_is_open(request->upgrade));
}

bool http_listener_is_answering(const struct http_listener *listener)
{
    const struct http_request *request;

    DL_FOREACH (listener->requests, request)
        if (request->response != NULL && !is_endless(request))
            return true;
    return false;
}

size_t http_listener_count_waiting(const struct http_listener *listener)
{
    const struct http_request *request;
    size_t count = 0;

    DL_FOREACH (listener->requests, request)
        count += request->is_suspended && request->response == NULL && request->upgrade == NULL;
    return count;
}

/* --- from the headers to the handler ------------------------------------------------------------------------------ */

static bool is_word_in(const char *words, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (size == length && memcmp(at, word, length) == 0)
            return true;
        at += size;
    }
    return false;
}

static const struct http_binding *find_binding(const struct http_server *server, const char *path)
{
    for (size_t i = 0; i < utarray_len(&server->bindings); i++) {
        const struct http_binding *binding = utarray_eltptr(&server->bindings, i);
        const struct http_route *route = binding->route;
        if (route->match == HTTP_PREFIX ? text_starts_with(path, route->path) : strcmp(path, route->path) == 0)
            return binding;
    }
    return NULL;
}

/* What Content-Length says; 0 when there is none. libmicrohttpd has checked it. */
static unsigned long long declared_length(const struct http_request *request)
{
    const char *text = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static bool has_no_length(const struct http_request *request)
{
    return http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH) == NULL &&
           http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) == NULL;
}

static enum MHD_Result count_length(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    int *count = context;

    (void)kind;
    (void)value;
    *count += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
              strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* A proxy before us could take another of the lengths, and for a body what we take for the next request. */
static bool has_many_lengths(const struct http_request *request)
{
    int count = 0;

    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_length, &count);
    return count > 1;
}

static void request_hold(struct http_request *request, size_t size)
{
    request->held += size;
    request->listener->server->held += size;
}

static void request_release(struct http_request *request)
{
    request->listener->server->held -= request->held;
    request->held = 0;
}

/* Clients that ask for much and fetch little must not cost us our memory. What this one holds is not held against it.
 */
static bool is_overloaded(const struct http_request *request)
{
    return request->listener->server->held - request->held > HTTP_HELD_MAX;
}

static bool is_too_large(const struct http_request *request, const struct http_binding *binding,
                         unsigned long long length)
{
    return length > binding->route->body_max || length > (unsigned long long)request->listener->config->max_body_bytes;
}

/* The status that refuses the request, or 0. */
static unsigned judge_headers(const struct http_request *request, enum http_access access,
                              const struct http_binding *binding)
{
    if (access == HTTP_ACCESS_REFUSED)
        return MHD_HTTP_UNAUTHORIZED;
    if (access == HTTP_ACCESS_TOO_OFTEN)
        return MHD_HTTP_TOO_MANY_REQUESTS;
    if (has_many_lengths(request))
        return MHD_HTTP_BAD_REQUEST;
    if (binding == NULL)
        return MHD_HTTP_NOT_FOUND;
    if (!is_word_in(binding->route->methods, request->method))
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    if (strcmp(request->method, MHD_HTTP_METHOD_POST) == 0 && has_no_length(request))
        return MHD_HTTP_LENGTH_REQUIRED;
    if (is_too_large(request, binding, declared_length(request)))
        return MHD_HTTP_CONTENT_TOO_LARGE;
    return 0;
}

static enum http_access find_access(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return http_auth_check(request->listener->auth, http_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
                           info == NULL ? NULL : info->client_addr);
}

static struct http_request *request_new(struct http_listener *listener, struct MHD_Connection *connection,
                                        const char *path, const char *method, const char *version)
{
    struct http_request *request = xcalloc(1, sizeof *request);
    const struct http_binding *binding = find_binding(listener->server, path);

    request->listener = listener;
    request->connection = connection;
    request->path = path;
    request->method = method;
    request->version = version;

    const enum http_access access = find_access(request);

    request->may_change = access == HTTP_ACCESS_CHANGE;
    if (request->may_change || access == HTTP_ACCESS_LOOK)
        http_connection_admit(request_connection(request));
    request->refusal = judge_headers(request, access, binding);
    request->binding = binding;
    DL_APPEND(listener->requests, request);
    return request;
}

static void request_refuse(struct http_request *request, unsigned status)
{
    request->refusal = status;
    free(request->body);
    request->body = NULL;
    request_release(request);
    request->capacity = 0;
}

static void request_keep(struct http_request *request, const char *data, size_t size)
{
    const size_t needed = request->length + size + 1;

    if (needed > request->capacity) {
        const size_t capacity = needed > 2 * request->capacity ? needed : 2 * request->capacity;
        request_hold(request, capacity - request->capacity);
        request->capacity = capacity;
        request->body = xrealloc(request->body, request->capacity);
    }
    memcpy(request->body + request->length, data, size);
    request->body[request->length + size] = '\0';
}

static enum MHD_Result request_collect(struct http_request *request, const char *data, size_t size)
{
    if (request->refusal == 0 && is_too_large(request, request->binding, request->length + size))
        request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE);
    if (request->refusal == 0 && is_overloaded(request))
        request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE);
    if (request->refusal == 0)
        request_keep(request, data, size);
    request->length += size;
    return request->length > HTTP_DISCARD_MAX && request->refusal != 0 ? MHD_NO : MHD_YES;
}

static void request_dispatch(struct http_request *request)
{
    if (request->refusal != 0)
        http_respond_error(request, request->refusal, NULL);
    else
        request->binding->route->handler(request, request->binding->context);
}

static enum MHD_Result request_queue_response(struct http_request *request)
{
    return MHD_queue_response(request->connection, request->status, request->response);
}

/* The headers are there. A body too large to be read for nothing, or of which nobody can tell where it ends, is refused
 * at once, which costs the connection. */
static enum MHD_Result request_begin(struct http_request *request)
{
    if (request->refusal == 0)
        return MHD_YES;
    if (declared_length(request) <= HTTP_DISCARD_MAX && !has_many_lengths(request))
        return MHD_YES;
    request_dispatch(request);
    return request_queue_response(request);
}

/* Everything is there, or the connection was resumed. */
static enum MHD_Result request_proceed(struct http_request *request)
{
    if (request->is_gone)
        return MHD_NO;
    if (request->response == NULL)
        request_dispatch(request);
    if (request->response != NULL)
        return request_queue_response(request);
    request_suspend(request);
    return MHD_YES;
}

enum MHD_Result http_request_progress(void *listener, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *data, size_t *size,
                                      void **request)
{
    if (*request == NULL) {
        *request = request_new(listener, connection, url, method, version);
        return request_begin(*request);
    }
    if (*size > 0) {
        const size_t length = *size;
        *size = 0;
        return request_collect(*request, data, length);
    }
    return request_proceed(*request);
}

void http_request_completed(void *listener, struct MHD_Connection *connection, void **context,
                            enum MHD_RequestTerminationCode reason)
{
    struct http_request *request = *context;
    const struct http_server *server = ((const struct http_listener *)listener)->server;

    (void)connection;
    (void)reason;
    if (request == NULL)
        return;
    *context = NULL;
    request_cancel(request);
    if (request->upgrade != NULL)
        http_upgrade_end(request->upgrade);
    DL_DELETE(request->listener->requests, request);
    if (request->watch != NULL)
        event_free(request->watch);
    if (request->stream != NULL)
        request->stream->request = NULL;
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    free(request->body);
    request_release(request);
    free(request);
    if (server->completed != NULL)
        server->completed(server->completed_context);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

void http_request_answer(struct http_request *request, unsigned status, struct MHD_Response *response)
{
    if (response == NULL)
        memory_exhausted();
    /* Whatever a log says, it is what we say it is: a browser makes no page or script of it. */
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    request->status = status;
    request->response = response;
    if (request->is_suspended)
        request_resume(request);
}

void http_respond_with(struct http_request *request, unsigned status, const struct http_header *headers, size_t count,
                       char *body, size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, body, body == NULL ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);

    for (size_t i = 0; i < count && response != NULL; i++)
        MHD_add_response_header(response, headers[i].name, headers[i].value);
    request_hold(request, length);
    http_request_answer(request, status, response);
}

void http_respond(struct http_request *request, unsigned status, const char *type, char *body, size_t length)
{
    const struct http_header header = {MHD_HTTP_HEADER_CONTENT_TYPE, type};

    http_respond_with(request, status, &header, type != NULL, body, length);
}

/* Headers that a status needs. */
static void add_error_headers(const struct http_request *request, unsigned status, struct MHD_Response *response)
{
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"default\"");
    if (status == MHD_HTTP_TOO_MANY_REQUESTS)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (status == MHD_HTTP_UNAUTHORIZED || status == MHD_HTTP_TOO_MANY_REQUESTS || has_many_lengths(request))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (status == MHD_HTTP_UPGRADE_REQUIRED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "Upgrade");
        MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
        MHD_add_response_header(response, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION, "13");
    }
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->binding->route->methods);
}

void http_respond_error(struct http_request *request, unsigned status, const char *text)
{
    const char *phrase = MHD_get_reason_phrase_for(status);
    char *body = xasprintf("%u %s%s%s\n", status, phrase, text == NULL ? "" : ": ", text == NULL ? "" : text);
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);

    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain;charset=utf-8");
        add_error_headers(request, status, response);
    }
    http_request_answer(request, status, response);
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size)
{
    struct http_stream *stream = context;

    (void)position;
    if (stream->request->is_gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;

    const ssize_t got = stream->source.read(stream->source.context, buffer, size);

    if (got == 0)
        request_suspend(stream->request);
    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static void close_stream(void *context)
{
    struct http_stream *stream = context;

    stream->source.close(stream->source.context);
    free(stream);
}

struct http_stream *http_respond_stream(struct http_request *request, unsigned status, const char *type,
                                        const struct http_stream_source *source)
{
    struct http_stream *stream = xcalloc(1, sizeof *stream);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK, read_stream, stream, close_stream);

    stream->request = request;
    stream->source = *source;
    request->stream = stream;
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    }
    /* A reader may take its time for as long as it likes: it costs a descriptor and no more. */
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    http_request_answer(request, status, response);
    return stream;
}

void http_stream_wake(struct http_stream *stream)
{
    if (stream->request != NULL && stream->request->is_suspended)
        request_resume(stream->request);
}
