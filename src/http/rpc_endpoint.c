#include "http/rpc_endpoint.h"

#include <stdint.h>

#include "base/log.h"
#include "rpc/codec.h"

/* Takes the result. */
static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    struct http_request *request = context;
    UT_string out;

    utstring_init(&out);
    if (err != NULL)
        rpc_encode_fault(&out, (int)err->fault, err->text);
    else
        rpc_encode_result(&out, result);
    rpc_value_free(result);
    http_respond(request, 200, "text/xml", out.d, utstring_len(&out));
}

static void on_cancel(void *context)
{
    rpc_call_cancel(context);
}

static void handle_call(struct http_request *request, void *context)
{
    size_t length;
    const char *body = http_request_body(request, &length);
    CLEANUP_FREE char *method = NULL;
    struct rpc_value *params = NULL;
    struct error err = {0};

    if (http_request_is_cross_site(request)) {
        http_respond_error(request, 403, "calls from other sites are refused");
        return;
    }
    if (rpc_decode_call(body, length, &method, &params, &err) < 0) {
        log_error("XML-RPC request is invalid: %s", err.text);
        http_respond_error(request, 400, err.text);
        return;
    }

    const enum rpc_caller caller = http_request_may_change(request) ? RPC_CALLER_CHANGES : RPC_CALLER_READS;
    struct rpc_call *call = rpc_registry_call(context, caller, method, params, on_answer, request);

    if (call != NULL)
        http_request_on_cancel(request, on_cancel, call);
}

void rpc_endpoint_add(struct http_server *server, struct rpc_registry *registry)
{
    static const struct http_route route = {
        .match = HTTP_PREFIX, .path = "/RPC2", .methods = "POST", .body_max = SIZE_MAX, .handler = handle_call};

    http_server_route(server, &route, registry);
}
