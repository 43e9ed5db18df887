/* Calls of the host's methods by clients, and of the daemon's methods by the host. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "host.h"
#include "value.h"

enum {
    WAITING_MAX = 1000, /* calls of clients at a time; others are refused */
    CALLS_MAX = 500,    /* calls of the host at a time: each has a thread there that waits */
    METHODS_MAX = 10000,
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

/* --- the host's methods ------------------------------------------------------------------------------------------- */

static void free_waiting(struct host *host, struct waiting_call *waiting)
{
    DL_DELETE(host->waiting, waiting);
    host->waiting_count--;
    free(waiting);
}

static void on_cancel(void *context)
{
    struct waiting_call *waiting = context;
    struct host *host = waiting->host;
    const int64_t id = waiting->id;

    free_waiting(host, waiting);
    host_send(host, json_pack("{s:s, s:I}", "op", "cancel", "id", (json_int_t)id));
}

static struct waiting_call *add_waiting(struct host *host, struct rpc_call *call)
{
    struct waiting_call *waiting = allocate(sizeof *waiting);

    *waiting = (struct waiting_call){.host = host, .id = ++host->last_id, .call = call};
    DL_APPEND(host->waiting, waiting);
    host->waiting_count++;
    return waiting;
}

static enum rpc_outcome refuse(const struct host *host, const char *why, struct error *err)
{
    error_set_fault(err, FAULT_FAILED, "FAILED: the Python plugin %s %s", plugin_namespace(host->plugin), why);
    return RPC_FAILED;
}

static enum rpc_outcome call_host(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                  struct error *err)
{
    struct host *host = rpc_call_context(call);
    const char *name = plugin_call_name(call) + strlen(plugin_namespace(host->plugin)) + 1;

    (void)result;
    if (host->state != HOST_SERVES)
        return refuse(host, "is being started again", err);
    if (host->waiting_count >= WAITING_MAX)
        return refuse(host, "has too many calls under way", err);
    json_t *json = value_to_json(params);
    if (json == NULL)
        return refuse(host, "cannot be given such parameters", err);
    struct waiting_call *waiting = add_waiting(host, call);
    rpc_call_defer(call, on_cancel, waiting);
    host_send(host, json_pack("{s:s, s:I, s:s, s:o}", "op", "call", "id", (json_int_t)waiting->id, "method", name,
                              "params", json));
    return RPC_LATER;
}

static int add_method(struct host *host, const json_t *row, struct error *err)
{
    const char *name;
    const char *help;
    const char *signature;

    if (json_unpack((json_t *)(uintptr_t)row, "{s:s, s:s, s:s}", "name", &name, "help", &help, "signature",
                    &signature) < 0)
        return error_set(err, "it describes a method in a way that makes no sense");
    const struct rpc_method method = {
        .name = name,
        .signature = signature,
        .help = help,
        .flags = RPC_TAKES_ANY | RPC_ALSO_IN_SHUTDOWN, /* as in the original: the plugin decides */
        .call = call_host,
    };
    return plugin_add_methods(host->plugin, &method, 1, host, err);
}

int calls_register(struct host *host, const json_t *message, struct error *err)
{
    const json_t *methods = json_object_get(message, "methods");

    if (!json_is_array(methods) || json_array_size(methods) > METHODS_MAX)
        return error_set(err, "it does not say what its methods are");
    for (size_t i = 0; i < json_array_size(methods); i++)
        if (add_method(host, json_array_get(methods, i), err) < 0)
            return -1;
    return 0;
}

/* The call of an answer; NULL: nobody waits for it any more. */
static struct rpc_call *take_waiting(struct host *host, const json_t *message)
{
    const int64_t id = json_integer_value(json_object_get(message, "id"));

    struct waiting_call *waiting;

    DL_FOREACH (host->waiting, waiting)
        if (waiting->id == id) {
            struct rpc_call *call = waiting->call;
            free_waiting(host, waiting);
            return call;
        }
    return NULL;
}

int calls_take_answer(struct host *host, const json_t *message, struct error *err)
{
    struct rpc_value *value = value_from_json(json_object_get(message, "value"));

    if (value == NULL)
        return error_set(err, "it answers with what is no value");
    struct rpc_call *call = take_waiting(host, message);
    if (call != NULL)
        rpc_call_complete(call, value);
    else
        rpc_value_free(value);
    return 0;
}

int calls_take_fault(struct host *host, const json_t *message, struct error *err)
{
    const json_t *code = json_object_get(message, "code");
    const char *text = json_string_value(json_object_get(message, "text"));
    struct error fault;

    if (!json_is_integer(code) || text == NULL)
        return error_set(err, "it answers with what is no fault");
    struct rpc_call *call = take_waiting(host, message);
    if (call == NULL)
        return 0;
    error_set_fault(&fault, (enum fault)json_integer_value(code), "%s", text);
    rpc_call_fail(call, &fault);
    return 0;
}

/* --- the daemon's methods ----------------------------------------------------------------------------------------- */

static void free_host_call(struct host *host, struct host_call *call)
{
    DL_DELETE(host->calls, call);
    host->call_count--;
    free(call);
}

/* The text may have been cut in the middle of a character, or hold what a log held: value_to_json() sees to it. */
static json_t *describe_fault(int64_t id, const struct error *err)
{
    struct rpc_value *text = rpc_string(err->text);
    json_t *json = json_pack("{s:s, s:I, s:i, s:o}", "op", "fault", "id", (json_int_t)id, "code", (int)err->fault,
                             "text", value_to_json(text));

    rpc_value_free(text);
    return json;
}

static json_t *describe_result(int64_t id, const struct rpc_value *result)
{
    const struct error too_deep = {.fault = FAULT_FAILED, .text = "FAILED: the answer is nested too deeply"};
    json_t *value = value_to_json(result);

    if (value == NULL)
        return describe_fault(id, &too_deep);
    return json_pack("{s:s, s:I, s:o}", "op", "answer", "id", (json_int_t)id, "value", value);
}

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    const struct host_call call = *(struct host_call *)context;

    free_host_call(call.host, context);
    host_send(call.host, result != NULL ? describe_result(call.id, result) : describe_fault(call.id, err));
    rpc_value_free(result);
}

int calls_take_call(struct host *host, const json_t *message, struct error *err)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    const json_t *id = json_object_get(message, "id");
    struct rpc_value *params = value_from_json(json_object_get(message, "params"));

    if (method == NULL || !json_is_integer(id) || params == NULL || rpc_value_type(params) != RPC_ARRAY ||
        host->call_count >= CALLS_MAX) {
        rpc_value_free(params);
        return error_set(err, "it calls what is no method, or too many at a time");
    }
    struct host_call *call = allocate(sizeof *call);
    *call = (struct host_call){.host = host, .id = json_integer_value(id)};
    DL_APPEND(host->calls, call);
    host->call_count++;
    struct plugin_pending *pending = plugin_call(host->plugin, method, params, on_answer, call);
    if (pending != NULL) /* else it has been answered, and `call` is gone */
        call->pending = pending;
    return 0;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

void calls_forget(struct host *host, const char *why)
{
    struct error fault;

    while (host->waiting != NULL) {
        struct rpc_call *call = host->waiting->call;
        free_waiting(host, host->waiting);
        (void)refuse(host, why, &fault);
        rpc_call_fail(call, &fault);
    }
    while (host->calls != NULL) {
        plugin_call_cancel(host->calls->pending);
        free_host_call(host, host->calls);
    }
}
