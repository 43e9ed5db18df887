#include "client/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/containers.h"
#include "base/memory.h"
#include "base/text.h"
#include "client/interrupt.h"
#include "rpc/codec.h"

#define CONNECTIONS_MAX 100L
#define CONNECT_TIMEOUT_S 10L
#define ANSWER_BYTES_MAX (256U << 20)

struct transport {
    CURLM *multi;
    struct curl_slist *headers;
    char *url;  /* as given */
    char *base; /* "http://host:port", for curl */
    char *path; /* of the UNIX socket, or NULL */
    char *username;
    char *password;
    const struct transport_tls *tls; /* borrowed */
};

/* One exchange, as long as curl has it. */
struct request {
    struct transport *transport;
    CURL *easy;
    struct transport_stream *stream; /* NULL: a call */
    UT_string sent;
    UT_string received;
    bool is_done;
    CURLcode code;
    char message[CURL_ERROR_SIZE];
};

static bool transport_learn_url(struct transport *transport, const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};
    static const char local[] = "unix://";

    if (text_starts_with(url, local)) {
        transport->path = xstrdup(url + sizeof local - 1);
        transport->base = xstrdup("http://localhost");
        return true;
    }
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const size_t length = strlen(schemes[i]);

        if (!text_starts_with(url, schemes[i]))
            continue;
        transport->base = xstrndup(url, length + strcspn(url + length, "/"));
        return true;
    }
    return false;
}

/* Said here by name: the library's message would not tell which file it is. */
static int check_files(const struct transport_tls *tls, struct error *err)
{
    const struct {
        const char *option;
        const char *path;
    } files[] = {{tls->names->ca, tls->ca}, {tls->names->certificate, tls->certificate}, {tls->names->key, tls->key}};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i].path != NULL && access(files[i].path, R_OK) < 0)
            return error_from_errno(err, errno, "%s: cannot read %s", files[i].option, files[i].path);
    return 0;
}

struct transport *transport_new(const char *url, const char *username, const char *password,
                                const struct transport_tls *tls, struct error *err)
{
    struct transport *transport = xcalloc(1, sizeof *transport);

    if (!transport_learn_url(transport, url)) {
        free(transport);
        error_set(err, "Unknown protocol for serverurl %s", url);
        return NULL;
    }
    if (text_starts_with(url, "https://") && check_files(tls, err) < 0) {
        free(transport->base);
        free(transport);
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_NOTHING);
    transport->multi = curl_multi_init();
    if (transport->multi == NULL)
        memory_exhausted();
    curl_multi_setopt(transport->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    transport->headers = curl_slist_append(NULL, "Content-Type: text/xml");
    transport->headers = curl_slist_append(transport->headers, "Expect:");
    transport->url = xstrdup(url);
    transport->tls = tls;
    transport_set_credentials(transport, username, password);
    return transport;
}

void transport_set_credentials(struct transport *transport, const char *username, const char *password)
{
    free(transport->username);
    free(transport->password);
    transport->username = xstrdup_or_null(username);
    transport->password = xstrdup_or_null(password);
}

const char *transport_url(const struct transport *transport)
{
    return transport->url;
}

void transport_free(struct transport *transport)
{
    if (transport == NULL)
        return;
    curl_multi_cleanup(transport->multi);
    curl_slist_free_all(transport->headers);
    free(transport->url);
    free(transport->base);
    free(transport->path);
    free(transport->username);
    free(transport->password);
    free(transport);
}

void transport_answer_release(struct transport_answer *answer)
{
    rpc_value_free(answer->result);
    answer->result = NULL;
}

static size_t request_receive(char *bytes, size_t size, size_t count, void *context)
{
    struct request *request = context;
    const size_t length = size * count;

    if (request->stream == NULL) {
        if (utstring_len(&request->received) + length > ANSWER_BYTES_MAX)
            return 0;
        utstring_bincpy(&request->received, bytes, length);
        return length;
    }
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &request->stream->status);
    if (request->stream->status == 200) /* the page that comes with a refusal is no log text */
        request->stream->data(request->stream->context, bytes, length);
    return length;
}

static void request_set_tls(CURL *easy, const struct transport_tls *tls)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or later */
    if (tls->ca != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca);
    if (tls->certificate != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->certificate);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key != NULL ? tls->key : tls->certificate);
    }
}

static void request_begin(struct request *request, struct transport *transport, const char *path)
{
    CLEANUP_FREE char *url = xasprintf("%s%s", transport->base, path);
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        memory_exhausted();
    request->transport = transport;
    request->easy = easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transport->headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->message);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, request_receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    request_set_tls(easy, transport->tls);
    if (transport->path != NULL)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, transport->path);
    if (transport->username != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, transport->username);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, transport->password != NULL ? transport->password : "");
    }
}

static void request_end(struct request *request)
{
    curl_multi_remove_handle(request->transport->multi, request->easy);
    curl_easy_cleanup(request->easy);
    utstring_done(&request->sent);
    utstring_done(&request->received);
}

static void request_begin_call(struct request *request, struct transport *transport, const struct transport_call *call)
{
    utstring_init(&request->sent);
    utstring_init(&request->received);
    rpc_encode_call(&request->sent, call->method, call->params);
    request_begin(request, transport, "/RPC2");
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)utstring_len(&request->sent));
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, utstring_body(&request->sent));
    curl_multi_add_handle(transport->multi, request->easy);
}

/* Lets everything that is ready happen. */
static void transport_turn(struct transport *transport)
{
    int running;
    int left;
    CURLMsg *message;

    curl_multi_perform(transport->multi, &running);
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        struct request *request;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        request->is_done = true;
        request->code = message->data.result;
    }
}

static enum transport_outcome outcome_of_connect(int os, const struct transport *transport, struct error *err)
{
    error_set(err, "%s: %s", transport->url, os != 0 ? strerror(os) : "cannot connect");
    err->os = os;
    if (os == ENOENT && transport->path != NULL)
        return TRANSPORT_NO_SOCKET;
    return os == ECONNREFUSED ? TRANSPORT_REFUSED : TRANSPORT_FAILED;
}

/* When it was TLS that went wrong: says so, in words that say which option helps. */
static bool describe_tls_failure(const struct request *request, const char *message, struct error *err)
{
    const char *url = request->transport->url;

    switch (request->code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        error_set(err, "%s: the certificate of the server is not trusted; %s says which one is (%s)", url,
                  request->transport->tls->names->ca_with_place, message);
        return true;
    case CURLE_SSL_CONNECT_ERROR:
        error_set(err, "%s: no TLS with the server (%s)", url, message);
        return true;
    default:
        return false;
    }
}

/* Why there is no HTTP answer. */
static enum transport_outcome outcome_of_failure(const struct request *request, struct error *err)
{
    const char *message = request->message[0] != '\0' ? request->message : curl_easy_strerror(request->code);
    long os = 0;

    if (request->code == CURLE_COULDNT_CONNECT) {
        curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os);
        return outcome_of_connect((int)os, request->transport, err);
    }
    if (!describe_tls_failure(request, message, err))
        error_set(err, "%s: %s", request->transport->url, message);
    return TRANSPORT_FAILED;
}

static enum transport_outcome outcome_of_call(const struct request *request, struct rpc_value **result,
                                              struct error *err)
{
    long status = 0;

    err->fault = FAULT_NONE;
    if (!request->is_done) {
        error_set(err, "interrupted");
        return TRANSPORT_INTERRUPTED;
    }
    if (request->code != CURLE_OK)
        return outcome_of_failure(request, err);
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        error_set(err, "%s: HTTP status %ld", request->transport->url, status);
        return status == 401 ? TRANSPORT_UNAUTHORIZED : TRANSPORT_FAILED;
    }
    if (rpc_decode_answer(utstring_body(&request->received), utstring_len(&request->received), result, err) == 0)
        return TRANSPORT_OK;
    return err->fault != FAULT_NONE ? TRANSPORT_FAULT : TRANSPORT_FAILED;
}

static bool requests_are_done(const struct request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!requests[i].is_done)
            return false;
    }
    return true;
}

void transport_call_all(struct transport *transport, struct transport_call *calls, size_t count)
{
    struct request *requests = xcalloc(count, sizeof *requests);
    struct curl_waitfd wake = {.fd = interrupt_fd(), .events = CURL_WAIT_POLLIN};

    for (size_t i = 0; i < count; i++)
        request_begin_call(&requests[i], transport, &calls[i]);
    for (;;) {
        transport_turn(transport);
        if (requests_are_done(requests, count) || (wake.fd >= 0 && interrupt_seen()))
            break;
        curl_multi_poll(transport->multi, &wake, wake.fd >= 0 ? 1 : 0, INT32_MAX, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        struct transport_answer *answer = &calls[i].answer;

        answer->result = NULL;
        answer->outcome = outcome_of_call(&requests[i], &answer->result, &answer->err);
        request_end(&requests[i]);
    }
    free(requests);
}

static bool watch_turn(const struct transport_watch *watch, bool is_readable, int64_t *next_tick_us)
{
    if (is_readable && watch->readable != NULL && !watch->readable(watch->context))
        return false;
    if (watch->tick == NULL || clock_monotonic_us() < *next_tick_us)
        return true;
    *next_tick_us = clock_monotonic_us() + (int64_t)watch->tick_ms * 1000;
    return watch->tick(watch->context);
}

static int watch_timeout_ms(const struct transport_watch *watch, int64_t next_tick_us)
{
    const int64_t left_us = next_tick_us - clock_monotonic_us();

    if (watch->tick == NULL)
        return INT32_MAX;
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static void streams_loop(struct transport *transport, const struct request *requests, size_t count,
                         const struct transport_watch *watch)
{
    struct curl_waitfd extra[2] = {{.fd = interrupt_fd(), .events = CURL_WAIT_POLLIN},
                                   {.fd = watch->fd, .events = CURL_WAIT_POLLIN}};
    int64_t next_tick_us = clock_monotonic_us() + (int64_t)watch->tick_ms * 1000;

    for (;;) {
        transport_turn(transport);
        if (requests_are_done(requests, count) || interrupt_seen())
            return;
        extra[0].revents = extra[1].revents = 0;
        curl_multi_poll(transport->multi, extra, watch->fd >= 0 ? 2 : 1, watch_timeout_ms(watch, next_tick_us), NULL);
        if (!watch_turn(watch, extra[1].revents != 0, &next_tick_us))
            return;
    }
}

void transport_run_streams(struct transport *transport, struct transport_stream *streams, size_t count,
                           const struct transport_watch *watch)
{
    static const struct transport_watch nothing = {.fd = -1};
    struct request *requests = xcalloc(count, sizeof *requests);

    for (size_t i = 0; i < count; i++) {
        utstring_init(&requests[i].sent);
        utstring_init(&requests[i].received);
        requests[i].stream = &streams[i];
        request_begin(&requests[i], transport, streams[i].path);
        curl_multi_add_handle(transport->multi, requests[i].easy);
    }
    streams_loop(transport, requests, count, watch != NULL ? watch : &nothing);
    for (size_t i = 0; i < count; i++) {
        streams[i].has_ended = requests[i].is_done;
        curl_easy_getinfo(requests[i].easy, CURLINFO_RESPONSE_CODE, &streams[i].status);
        if (requests[i].is_done && requests[i].code != CURLE_OK)
            outcome_of_failure(&requests[i], &streams[i].err);
        request_end(&requests[i]);
    }
    free(requests);
}

char *transport_logtail_path(const char *process, const char *channel)
{
    char *escaped = curl_easy_escape(NULL, process, 0);
    char *path;

    if (escaped == NULL)
        memory_exhausted();
    path = xasprintf("/logtail/%s/%s", escaped, channel);
    curl_free(escaped);
    return path;
}
