/*
 * The handshake of WebSocket (RFC 6455). What comes after it is no HTTP any more: libmicrohttpd keeps the connection
 * suspended until we say that it is over. It hands over plain sockets itself; of those with TLS it knows no more than
 * that a request waits for an answer.
 */
#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/loop.h"
#include "http/internal.h"
#include "http/tunnel.h"
#include "rpc/base64.h"

#define SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* the same for everybody (RFC 6455, 1.3) */

enum {
    KEY_SIZE = 16,
    KEY_TEXT_LENGTH = 24,
    SHA1_SIZE = 20,
    ACCEPT_LENGTH = 28,
};

struct http_upgrade {
    struct http_request *request; /* borrowed */
    struct http_upgrade_handler handler;
    bool is_open;                             /* the socket has been handed over */
    struct MHD_UpgradeResponseHandle *socket; /* borrowed; NULL with TLS */
    struct event *begin;                      /* owned; with TLS: the request has been suspended by then */
    struct http_tunnel *tunnel;               /* owned; NULL without TLS */
    char accept[ACCEPT_LENGTH + 1];
};

/* --- what makes a handshake --------------------------------------------------------------------------------------- */

struct header_search {
    const char *name, *token;
    int headers; /* how many have the name */
    bool is_found;
};

static bool has_token(const char *list, const char *token)
{
    for (const char *at = list + strspn(list, ", \t"); *at != '\0'; at += strspn(at, ", \t")) {
        const size_t length = strcspn(at, ", \t");
        if (length == strlen(token) && strncasecmp(at, token, length) == 0)
            return true;
        at += length;
    }
    return false;
}

static enum MHD_Result search_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct header_search *search = context;

    (void)kind;
    if (strcasecmp(name, search->name) != 0)
        return MHD_YES;
    search->headers++;
    search->is_found |= value != NULL && has_token(value, search->token);
    return MHD_YES;
}

/* A header may come more than once, which is as one with commas. */
static struct header_search search(const struct http_request *request, const char *name, const char *token)
{
    struct header_search search = {.name = name, .token = token};

    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, search_header, &search);
    return search;
}

static bool is_get(const struct http_request *request)
{
    return strcmp(request->method, MHD_HTTP_METHOD_GET) == 0;
}

static bool is_http_1_1(const struct http_request *request)
{
    return strcmp(request->version, MHD_HTTP_VERSION_1_1) == 0;
}

static bool wants_websocket(const struct http_request *request)
{
    return search(request, MHD_HTTP_HEADER_UPGRADE, "websocket").is_found &&
           search(request, MHD_HTTP_HEADER_CONNECTION, "upgrade").is_found;
}

static bool is_version_13(const struct http_request *request)
{
    const struct header_search found = search(request, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION, "13");

    return found.is_found && found.headers == 1;
}

static bool has_key(const struct http_request *request)
{
    const char *key = http_request_header(request, MHD_HTTP_HEADER_SEC_WEBSOCKET_KEY);
    char *bytes;
    size_t length;

    if (search(request, MHD_HTTP_HEADER_SEC_WEBSOCKET_KEY, "").headers != 1 || key == NULL ||
        strlen(key) != KEY_TEXT_LENGTH || strcmp(key + KEY_TEXT_LENGTH - 2, "==") != 0 ||
        base64_decode(key, KEY_TEXT_LENGTH, &bytes, &length) < 0)
        return false;
    free(bytes);
    return length == KEY_SIZE;
}

/*
 * Every browser sends Origin with this request, so one without it comes from none; that it is a GET says nothing here.
 */
static bool is_of_own_site(const struct http_request *request)
{
    const bool is_of_browser = http_request_header(request, MHD_HTTP_HEADER_ORIGIN) != NULL ||
                               http_request_header(request, "Sec-Fetch-Site") != NULL;

    return !is_of_browser || !http_request_is_cross_site(request);
}

static const struct requirement {
    bool (*is_met)(const struct http_request *request);
    unsigned status;
    const char *text;
} requirements[] = {
    {is_get, MHD_HTTP_BAD_REQUEST, "WebSocket begins with GET"},
    {is_http_1_1, MHD_HTTP_BAD_REQUEST, "WebSocket begins with HTTP/1.1"},
    {wants_websocket, MHD_HTTP_UPGRADE_REQUIRED, "only WebSocket is spoken here"},
    {is_version_13, MHD_HTTP_UPGRADE_REQUIRED, "Sec-WebSocket-Version must be 13"},
    {has_key, MHD_HTTP_BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64"},
    {is_of_own_site, MHD_HTTP_FORBIDDEN, "sent on behalf of another site"},
};

/* NULL: all are met. */
static const struct requirement *find_unmet(const struct http_request *request)
{
    for (size_t i = 0; i < sizeof requirements / sizeof requirements[0]; i++)
        if (!requirements[i].is_met(request))
            return &requirements[i];
    return NULL;
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

static bool make_accept(const char *key, char accept[ACCEPT_LENGTH + 1])
{
    char text[KEY_TEXT_LENGTH + sizeof SUFFIX];
    char sum[SHA1_SIZE];
    size_t taken = 0;

    memcpy(text, key, KEY_TEXT_LENGTH);
    memcpy(text + KEY_TEXT_LENGTH, SUFFIX, sizeof SUFFIX);
    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), sum) < 0)
        return false;
    for (char *quantum = accept; taken < sizeof sum; quantum += 4)
        taken += base64_encode_quantum(sum + taken, sizeof sum - taken, quantum);
    accept[ACCEPT_LENGTH] = '\0';
    return true;
}

/* The answer has gone out, or goes before all else. */
static void open_upgrade(struct http_upgrade *upgrade, int fd, const char *early, size_t length)
{
    upgrade->is_open = true;
    upgrade->handler.opened(upgrade->handler.context, upgrade, fd, early, length);
}

static void on_handed_over(void *context, struct MHD_Connection *connection, void *request, const char *early,
                           size_t length, MHD_socket fd, struct MHD_UpgradeResponseHandle *socket)
{
    struct http_upgrade *upgrade = context;

    (void)connection;
    (void)request;
    upgrade->socket = socket;
    http_request_hand_over(upgrade->request);
    open_upgrade(upgrade, fd, early == NULL ? "" : early, length);
}

static void answer_plain(struct http_upgrade *upgrade)
{
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_handed_over, upgrade);

    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
        MHD_add_response_header(response, MHD_HTTP_HEADER_SEC_WEBSOCKET_ACCEPT, upgrade->accept);
    }
    http_request_answer(upgrade->request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
}

/* What an impatient client has sent is still in the session, but for what came in one record with the headers. */
static void on_begin(evutil_socket_t unused, short what, void *context)
{
    struct http_upgrade *upgrade = context;
    struct http_request *request = upgrade->request;
    struct MHD_Connection *connection = request->connection;
    const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    gnutls_session_t session = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    CLEANUP_FREE char *answer = xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                                          upgrade->accept);

    (void)unused;
    (void)what;
    if (request->is_gone)
        return;
    http_request_hand_over(request);
    upgrade->tunnel = http_tunnel_new(request->listener->server->loop, fd, session, answer);
    if (upgrade->tunnel != NULL) {
        open_upgrade(upgrade, http_tunnel_fd(upgrade->tunnel), "", 0);
    } else {
        log_error("HTTP: cannot hand over a connection: %s", strerror(errno));
        http_request_abandon(request);
    }
}

static void answer_tls(struct http_upgrade *upgrade)
{
    upgrade->request->cancel = NULL;
    upgrade->begin = loop_timer_new(upgrade->request->listener->server->loop, on_begin, upgrade);
    loop_timer_arm_next_turn(upgrade->begin);
}

bool http_respond_websocket(struct http_request *request, const struct http_upgrade_handler *handler)
{
    const struct requirement *unmet = find_unmet(request);
    struct http_upgrade *upgrade;

    if (unmet != NULL) {
        http_respond_error(request, unmet->status, unmet->text);
        return false;
    }
    upgrade = xcalloc(1, sizeof *upgrade);
    if (!make_accept(http_request_header(request, MHD_HTTP_HEADER_SEC_WEBSOCKET_KEY), upgrade->accept)) {
        free(upgrade);
        http_respond_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "no SHA-1 on this machine");
        return false;
    }
    upgrade->request = request;
    upgrade->handler = *handler;
    request->upgrade = upgrade;
    if (request->listener->tls.certificate != NULL)
        answer_tls(upgrade);
    else
        answer_plain(upgrade);
    return true;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

bool http_upgrade_is_open(const struct http_upgrade *upgrade)
{
    return upgrade->is_open;
}

/* libmicrohttpd lets the connection go when it runs next. */
void http_upgrade_close(struct http_upgrade *upgrade)
{
    struct http_request *request = upgrade->request;

    request->upgrade = NULL;
    if (upgrade->socket != NULL) {
        MHD_upgrade_action(upgrade->socket, MHD_UPGRADE_ACTION_CLOSE);
        event_active(request->listener->run, EV_TIMEOUT, 0);
    }
    if (upgrade->tunnel != NULL) {
        http_tunnel_close(upgrade->tunnel);
        http_request_abandon(request);
    }
    if (upgrade->begin != NULL)
        event_free(upgrade->begin);
    free(upgrade);
}

void http_upgrade_end(struct http_upgrade *upgrade)
{
    upgrade->handler.closed(upgrade->handler.context); /* before its descriptor is closed */
    http_upgrade_close(upgrade);
}
