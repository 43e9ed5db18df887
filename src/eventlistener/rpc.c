#include <stdarg.h>
#include <stdlib.h>
#include <supervisor/listener.h>

#include "base/memory.h"
#include "client/transport.h"

struct listener_rpc {
    struct transport *transport;
    struct transport_tls tls;
};

/* A variable that is there but empty says nothing. */
static const char *setting(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

struct listener_rpc *listener_rpc_new(struct error *err)
{
    static const struct transport_tls_names names = {"SUPERVISOR_TLS_CA", "SUPERVISOR_TLS_CA in the environment",
                                                     "SUPERVISOR_TLS_CERTIFICATE", "SUPERVISOR_TLS_KEY"};
    const char *url = setting("SUPERVISOR_SERVER_URL");
    struct listener_rpc *rpc;

    if (url == NULL) {
        error_set(err, "SUPERVISOR_SERVER_URL is not set: this is an event listener, for supervisord to start; and "
                       "supervisord needs a [unix_http_server] or [inet_http_server]");
        return NULL;
    }
    rpc = xcalloc(1, sizeof *rpc);
    rpc->tls =
        (struct transport_tls){setting(names.ca), setting(names.certificate), setting(names.key), .names = &names};
    rpc->transport = transport_new(url, setting("SUPERVISOR_USERNAME"), setting("SUPERVISOR_PASSWORD"), &rpc->tls, err);
    if (rpc->transport != NULL)
        return rpc;
    free(rpc);
    return NULL;
}

void listener_rpc_free(struct listener_rpc *rpc)
{
    if (rpc == NULL)
        return;
    transport_free(rpc->transport);
    free(rpc);
}

/* NULL with *err: a letter of `types` that stands for nothing. */
static struct rpc_value *collect(const char *types, va_list arguments, struct error *err)
{
    struct rpc_value *params = rpc_array(4);

    for (; *types != '\0'; types++) {
        switch (*types) {
        case 's':
            rpc_array_append(params, rpc_string(va_arg(arguments, const char *)));
            break;
        case 'i':
            rpc_array_append(params, rpc_int(va_arg(arguments, int)));
            break;
        case 'b':
            rpc_array_append(params, rpc_boolean(va_arg(arguments, int) != 0));
            break;
        case 'd':
            rpc_array_append(params, rpc_double(va_arg(arguments, double)));
            break;
        default:
            rpc_value_free(params);
            error_set(err, "no argument has the type \"%c\"", *types);
            return NULL;
        }
    }
    return params;
}

static int call(struct listener_rpc *rpc, struct rpc_value **result, struct error *err, const char *method,
                const struct rpc_value *params)
{
    struct transport_call one = {.method = method, .params = params};

    transport_call_all(rpc->transport, &one, 1);
    if (one.answer.outcome == TRANSPORT_OK) {
        *result = one.answer.result;
        return 0;
    }
    *err = one.answer.err;
    if (one.answer.outcome == TRANSPORT_UNAUTHORIZED)
        return error_prefix(err, "the user name or the password is wrong");
    return -1;
}

int listener_rpc_call(struct listener_rpc *rpc, struct rpc_value **result, struct error *err, const char *method,
                      const char *types, ...)
{
    struct rpc_value *answer = NULL;
    va_list arguments;

    va_start(arguments, types);
    struct rpc_value *params = collect(types, arguments, err);
    va_end(arguments);
    const int outcome = params != NULL ? call(rpc, &answer, err, method, params) : -1;
    rpc_value_free(params);
    if (outcome < 0)
        return error_prefix(err, "%s", method);
    if (result != NULL)
        *result = answer;
    else
        rpc_value_free(answer);
    return 0;
}

static const struct rpc_value *member(const struct rpc_value *record, const char *key)
{
    return record != NULL && rpc_value_type(record) == RPC_STRUCT ? rpc_struct_get(record, key) : NULL;
}

const char *listener_text_of(const struct rpc_value *record, const char *key)
{
    const struct rpc_value *value = member(record, key);

    return value != NULL && rpc_value_type(value) == RPC_STRING ? rpc_as_string(value) : "";
}

int64_t listener_number_of(const struct rpc_value *record, const char *key)
{
    const struct rpc_value *value = member(record, key);

    if (value == NULL)
        return 0;
    if (rpc_value_type(value) == RPC_BOOLEAN)
        return rpc_as_boolean(value);
    return rpc_value_type(value) == RPC_INT ? rpc_as_int(value) : 0;
}
