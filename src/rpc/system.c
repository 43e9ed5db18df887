/* The system.* namespace (manual 2.1.4), built from the rows of the registry. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rpc/registry.h"

static enum rpc_outcome list_methods(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                     struct error *err)
{
    size_t count;
    CLEANUP_FREE const struct rpc_method **methods = rpc_registry_list(rpc_call_registry(call), &count);

    (void)params;
    (void)err;
    *result = rpc_array(count);
    for (size_t i = 0; i < count; i++)
        rpc_array_append(*result, rpc_string(methods[i]->name));
    return RPC_DONE;
}

static const struct rpc_method *find_method(const struct rpc_call *call, const struct rpc_value *params,
                                            struct error *err)
{
    const char *name = rpc_as_string(rpc_array_get(params, 0));
    const struct rpc_method *method = rpc_registry_find(rpc_call_registry(call), name);

    if (method == NULL)
        error_set_fault(err, FAULT_SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED");
    return method;
}

static enum rpc_outcome method_help(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                    struct error *err)
{
    const struct rpc_method *method = find_method(call, params, err);

    if (method == NULL)
        return RPC_FAILED;
    *result = rpc_string(method->help);
    return RPC_DONE;
}

static enum rpc_outcome method_signature(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    const struct rpc_method *method = find_method(call, params, err);

    if (method == NULL)
        return RPC_FAILED;
    if (method->signature[0] == '\0') {
        error_set_fault(err, FAULT_SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED");
        return RPC_FAILED;
    }
    *result = rpc_array(4);
    for (const char *word = method->signature; *word != '\0'; word += strcspn(word, " "), word += strspn(word, " "))
        rpc_array_append(*result, rpc_string_bytes(word, strcspn(word, " *")));
    return RPC_DONE;
}

/* --- multicall ---------------------------------------------------------------------------------------------------- */

/*
 * A small request may ask for large answers many times. Beyond this weight, in values and pieces of text of 64 bytes,
 * the calls that remain are refused.
 */
enum { RESULTS_WEIGHT_MAX = 2000000, TEXT_PIECE = 64 };

/* Calls of one request are made one after another; one that answers later holds up those behind it. */
struct multicall {
    struct rpc_call *call;         /* the multicall itself */
    const struct rpc_value *calls; /* its parameter: borrowed from it */
    struct rpc_value *results;     /* owned */
    size_t weight;                 /* of the results */
    size_t next;
    bool is_starting;       /* an answer that comes now comes at once */
    struct rpc_call *inner; /* the one that is waited for */
};

static void free_multicall(struct multicall *multicall)
{
    rpc_value_free(multicall->results);
    free(multicall);
}

static struct rpc_value *take_results(struct multicall *multicall)
{
    struct rpc_value *results = multicall->results;

    multicall->results = NULL;
    return results;
}

static void add_fault(struct multicall *multicall, int code, const char *text)
{
    struct rpc_value *fault = rpc_struct(2);

    rpc_struct_set_static(fault, "faultCode", rpc_int(code));
    rpc_struct_set_static(fault, "faultString", rpc_string(text));
    rpc_array_append(multicall->results, fault);
}

static void refuse(struct multicall *multicall, const char *why)
{
    add_fault(multicall, FAULT_INCORRECT_PARAMETERS, why);
}

static size_t weigh(const struct rpc_value *value)
{
    size_t weight = 1;

    switch (rpc_value_type(value)) {
    case RPC_ARRAY:
        for (size_t i = 0; i < rpc_count(value); i++)
            weight += weigh(rpc_array_get(value, i));
        break;
    case RPC_STRUCT:
        for (size_t i = 0; i < rpc_count(value); i++)
            weight += weigh(rpc_struct_item(value, i));
        break;
    case RPC_STRING:
    case RPC_BASE64:
        weight += rpc_string_length(value) / TEXT_PIECE;
        break;
    default:
        break;
    }
    return weight;
}

static void add_result(struct multicall *multicall, struct rpc_value *result)
{
    multicall->weight += weigh(result);
    rpc_array_append(multicall->results, result);
}

static bool go_on(struct multicall *multicall);

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    struct multicall *multicall = context;

    if (err != NULL)
        add_fault(multicall, err->fault, err->text);
    else
        add_result(multicall, result);
    if (multicall->is_starting || !go_on(multicall))
        return;
    rpc_call_complete(multicall->call, take_results(multicall));
    free_multicall(multicall);
}

static void start_one(struct multicall *multicall, const struct rpc_value *record)
{
    const bool is_record = rpc_value_type(record) == RPC_STRUCT;
    const struct rpc_value *name = is_record ? rpc_struct_get(record, "methodName") : NULL;
    const struct rpc_value *params = is_record ? rpc_struct_get(record, "params") : NULL;

    if (multicall->weight > RESULTS_WEIGHT_MAX)
        add_fault(multicall, FAULT_FAILED, "FAILED: the answers to the calls before are too large");
    else if (name == NULL)
        refuse(multicall, "INCORRECT_PARAMETERS: No methodName");
    else if (rpc_value_type(name) != RPC_STRING)
        refuse(multicall, "INCORRECT_PARAMETERS: methodName must be string");
    else if (strcmp(rpc_as_string(name), "system.multicall") == 0)
        refuse(multicall, "INCORRECT_PARAMETERS: Recursive system.multicall forbidden");
    else if (params != NULL && rpc_value_type(params) != RPC_ARRAY)
        refuse(multicall, "INCORRECT_PARAMETERS: params must be array");
    else
        multicall->inner =
            rpc_registry_call(rpc_call_registry(multicall->call), rpc_call_caller(multicall->call), rpc_as_string(name),
                              params != NULL ? rpc_value_copy(params) : rpc_array(0), on_answer, multicall);
}

/* Until one has to be waited for. True when all is done. A loop, so that many calls need no more stack than one. */
static bool go_on(struct multicall *multicall)
{
    multicall->inner = NULL;
    multicall->is_starting = true;
    while (multicall->inner == NULL && multicall->next < rpc_count(multicall->calls))
        start_one(multicall, rpc_array_get(multicall->calls, multicall->next++));
    multicall->is_starting = false;
    return multicall->inner == NULL;
}

static void cancel_multicall(void *waiting)
{
    struct multicall *multicall = waiting;

    rpc_call_cancel(multicall->inner);
    free_multicall(multicall);
}

static enum rpc_outcome call_many(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                  struct error *err)
{
    struct multicall *multicall = xcalloc(1, sizeof *multicall);

    (void)err;
    multicall->call = call;
    multicall->calls = rpc_array_get(params, 0);
    multicall->results = rpc_array(rpc_count(multicall->calls));
    if (!go_on(multicall)) {
        rpc_call_defer(call, cancel_multicall, multicall);
        return RPC_LATER;
    }
    *result = take_results(multicall);
    free_multicall(multicall);
    return RPC_DONE;
}

static const struct rpc_method methods[] = {
    {"system.listMethods", "array", "",
     "List the names of all methods.\n\n"
     "@return array result Names, sorted\n",
     RPC_ALSO_IN_SHUTDOWN | RPC_READS, list_methods},
    {"system.methodHelp", "string string", "name",
     "Tell what a method does.\n\n"
     "@param string name Full name of the method\n"
     "@return string result Text such as this one\n",
     RPC_ALSO_IN_SHUTDOWN | RPC_READS, method_help},
    {"system.methodSignature", "array string", "name",
     "Tell the types of a method: of its result, then of its parameters.\n\n"
     "@param string name Full name of the method\n"
     "@return array result Names of types\n",
     RPC_ALSO_IN_SHUTDOWN | RPC_READS, method_signature},
    {"system.multicall", "array array", "calls",
     "Make several calls in one request, one after another.\n\n"
     "@param array calls Structs with string methodName and array params\n"
     "@return array result What each call answers; for one that failed a struct with faultCode and faultString\n",
     RPC_ALSO_IN_SHUTDOWN | RPC_READS, call_many},
};

void rpc_registry_add_system(struct rpc_registry *registry)
{
    rpc_registry_add(registry, methods, sizeof methods / sizeof methods[0], NULL);
}
