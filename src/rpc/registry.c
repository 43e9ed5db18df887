#include "rpc/registry.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/containers.h"

struct parameter {
    enum rpc_type type;
    bool takes_any;
    char *name;          /* owned */
    char *default_value; /* owned; NULL: it must be given */
};

struct entry {
    const struct rpc_method *method; /* borrowed */
    void *context;                   /* borrowed; of its handler */
    struct parameter *parameters;    /* owned */
    size_t parameter_count;
    size_t required_count;
    UT_hash_handle hh; /* by method->name */
};

struct rpc_registry {
    struct entry *entries; /* owned */
    bool (*is_stopping)(void *context);
    void *context;
};

struct rpc_call {
    struct rpc_registry *registry;
    const struct rpc_method *method; /* borrowed */
    void *context;                   /* borrowed; the method's */
    enum rpc_caller caller;
    struct rpc_value *params; /* owned */
    rpc_answer *answer;
    void *answer_context;
    void (*cancel)(void *waiting); /* once it is deferred */
    void *waiting;
};

/* --- rows --------------------------------------------------------------------------------------------------------- */

static const char blanks[] = " ";

/* Types of the words of methodSignature. A word that is none is a slip in a table. */
static enum rpc_type type_by_name(const char *name, size_t length)
{
    for (enum rpc_type type = RPC_NIL; type <= RPC_STRUCT; type++)
        if (strlen(rpc_type_name(type)) == length && strncmp(rpc_type_name(type), name, length) == 0)
            return type;
    assert(!"unknown type in a signature");
    abort();
}

static void parse_type(struct parameter *parameter, const char *word, size_t length)
{
    parameter->takes_any = word[length - 1] == '*';
    parameter->type = type_by_name(word, parameter->takes_any ? length - 1 : length);
}

/* "name" or "name=default". */
static void parse_name(struct parameter *parameter, const char *word, size_t length)
{
    const char *equals = memchr(word, '=', length);
    const size_t name_length = equals != NULL ? (size_t)(equals - word) : length;

    parameter->name = xstrndup(word, name_length);
    if (equals != NULL)
        parameter->default_value = xstrndup(equals + 1, length - name_length - 1);
}

static void parse_parameters(struct entry *entry)
{
    const char *types = entry->method->signature;
    const char *names = entry->method->params != NULL ? entry->method->params : "";

    for (types += strcspn(types, blanks); *(types += strspn(types, blanks)) != '\0'; types += strcspn(types, blanks)) {
        struct parameter parameter = {0};
        names += strspn(names, ", ");
        parse_type(&parameter, types, strcspn(types, blanks));
        parse_name(&parameter, names, strcspn(names, ","));
        names += strcspn(names, ",");
        entry->parameters = xreallocarray(entry->parameters, entry->parameter_count + 1, sizeof entry->parameters[0]);
        entry->parameters[entry->parameter_count++] = parameter;
        entry->required_count += parameter.default_value == NULL;
    }
}

static void free_entry(struct entry *entry)
{
    for (size_t i = 0; i < entry->parameter_count; i++) {
        free(entry->parameters[i].name);
        free(entry->parameters[i].default_value);
    }
    free(entry->parameters);
    free(entry);
}

static struct entry *find(const struct rpc_registry *registry, const char *name)
{
    struct entry *entry;

    HASH_FIND_STR(registry->entries, name, entry);
    return entry;
}

void rpc_registry_add(struct rpc_registry *registry, const struct rpc_method *methods, size_t count, void *context)
{
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = xcalloc(1, sizeof *entry);
        struct entry *replaced = find(registry, methods[i].name);
        entry->method = &methods[i];
        entry->context = context;
        parse_parameters(entry);
        if (replaced != NULL) {
            HASH_DEL(registry->entries, replaced);
            free_entry(replaced);
        }
        HASH_ADD_KEYPTR(hh, registry->entries, entry->method->name, strlen(entry->method->name), entry);
    }
}

void rpc_registry_remove(struct rpc_registry *registry, const char *name)
{
    struct entry *entry = find(registry, name);

    HASH_DEL(registry->entries, entry);
    free_entry(entry);
}

const struct rpc_method *rpc_registry_find(const struct rpc_registry *registry, const char *name)
{
    const struct entry *entry = find(registry, name);

    return entry != NULL ? entry->method : NULL;
}

static int by_name(const void *left, const void *right)
{
    return strcmp((*(const struct rpc_method *const *)left)->name, (*(const struct rpc_method *const *)right)->name);
}

const struct rpc_method **rpc_registry_list(const struct rpc_registry *registry, size_t *count)
{
    const struct rpc_method **methods = xcalloc(HASH_COUNT(registry->entries) + 1, sizeof(struct rpc_method *));

    *count = 0;
    for (const struct entry *entry = registry->entries; entry != NULL; entry = entry->hh.next)
        methods[(*count)++] = entry->method;
    qsort(methods, *count, sizeof(struct rpc_method *), by_name);
    return methods;
}

struct rpc_registry *rpc_registry_new(bool (*is_stopping)(void *context), void *context)
{
    struct rpc_registry *registry = xcalloc(1, sizeof *registry);

    registry->is_stopping = is_stopping;
    registry->context = context;
    return registry;
}

void rpc_registry_free(struct rpc_registry *registry)
{
    struct entry *entry;
    struct entry *next;

    if (registry == NULL)
        return;
    HASH_ITER (hh, registry->entries, entry, next) {
        HASH_DEL(registry->entries, entry);
        free_entry(entry);
    }
    free(registry);
}

/* --- parameters --------------------------------------------------------------------------------------------------- */

/* The number that a text is, as Python's int() reads it. NULL when it is none. */
static struct rpc_value *int_of_text(const struct rpc_value *text)
{
    const char *begin = rpc_as_string(text);
    char *end;

    errno = 0;
    const long long number = strtoll(begin, &end, 10);
    end += strspn(end, " \t\r\n");
    return errno == 0 && end != begin && end == begin + rpc_string_length(text) ? rpc_int(number) : NULL;
}

static struct rpc_value *int_of_double(double number)
{
    return number > -1e15 && number < 1e15 ? rpc_int((int64_t)number) : NULL;
}

static struct rpc_value *to_int(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_BOOLEAN:
        return rpc_int(rpc_as_boolean(value));
    case RPC_DOUBLE:
        return int_of_double(rpc_as_double(value));
    case RPC_STRING:
        return int_of_text(value);
    default:
        return NULL;
    }
}

static struct rpc_value *to_boolean(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_NIL:
        return rpc_boolean(false);
    case RPC_INT:
        return rpc_boolean(rpc_as_int(value) != 0);
    case RPC_DOUBLE:
        return rpc_boolean(rpc_as_double(value) != 0);
    case RPC_STRING:
        return rpc_boolean(rpc_string_length(value) > 0);
    default:
        return NULL;
    }
}

/* Clients of a language without types send one for another; what cannot be misunderstood is taken. */
static struct rpc_value *convert(const struct rpc_value *value, enum rpc_type type)
{
    if (type == RPC_INT)
        return to_int(value);
    if (type == RPC_BOOLEAN)
        return to_boolean(value);
    return NULL;
}

static int fit(const struct parameter *parameter, struct rpc_value *params, size_t index, struct error *err)
{
    const struct rpc_value *given = rpc_array_get(params, index);

    if (parameter->takes_any || rpc_value_type(given) == parameter->type)
        return 0;

    struct rpc_value *converted = convert(given, parameter->type);
    if (converted == NULL)
        return error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: %s must be %s, not %s",
                               parameter->name, rpc_type_name(parameter->type), rpc_type_name(rpc_value_type(given)));
    rpc_array_replace(params, index, converted);
    return 0;
}

static struct rpc_value *make_default(const struct parameter *parameter)
{
    switch (parameter->type) {
    case RPC_BOOLEAN:
        return rpc_boolean(strcmp(parameter->default_value, "true") == 0);
    case RPC_INT:
        return rpc_int(strtoll(parameter->default_value, NULL, 10));
    default:
        return rpc_string_static(parameter->default_value);
    }
}

static int fit_all(const struct entry *entry, struct rpc_value *params, struct error *err)
{
    const size_t given = rpc_count(params);

    if ((entry->method->flags & RPC_TAKES_ANY) != 0)
        return 0;
    if (given < entry->required_count || given > entry->parameter_count)
        return error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS");
    for (size_t i = 0; i < given; i++)
        if (fit(&entry->parameters[i], params, i, err) < 0)
            return -1;
    for (size_t i = given; i < entry->parameter_count; i++)
        rpc_array_append(params, make_default(&entry->parameters[i]));
    return 0;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

void *rpc_call_context(const struct rpc_call *call)
{
    return call->context;
}

struct rpc_registry *rpc_call_registry(const struct rpc_call *call)
{
    return call->registry;
}

const struct rpc_method *rpc_call_method(const struct rpc_call *call)
{
    return call->method;
}

enum rpc_caller rpc_call_caller(const struct rpc_call *call)
{
    return call->caller;
}

static void free_call(struct rpc_call *call)
{
    rpc_value_free(call->params);
    free(call);
}

void rpc_call_defer(struct rpc_call *call, void (*cancel)(void *waiting), void *waiting)
{
    call->cancel = cancel;
    call->waiting = waiting;
}

void rpc_call_complete(struct rpc_call *call, struct rpc_value *result)
{
    call->answer(call->answer_context, result, NULL);
    free_call(call);
}

void rpc_call_fail(struct rpc_call *call, const struct error *err)
{
    call->answer(call->answer_context, NULL, err);
    free_call(call);
}

void rpc_call_cancel(struct rpc_call *call)
{
    call->cancel(call->waiting);
    free_call(call);
}

static bool is_refused_now(const struct rpc_registry *registry, const struct rpc_method *method)
{
    return (method->flags & RPC_ALSO_IN_SHUTDOWN) == 0 && registry->is_stopping != NULL &&
           registry->is_stopping(registry->context);
}

static int check(const struct rpc_registry *registry, enum rpc_caller caller, const struct entry *entry,
                 struct rpc_value *params, struct error *err)
{
    if (entry == NULL)
        return error_set_fault(err, FAULT_UNKNOWN_METHOD, "UNKNOWN_METHOD");
    if (caller == RPC_CALLER_READS && (entry->method->flags & RPC_READS) == 0)
        return error_set_fault(err, FAULT_READ_ONLY, "READ_ONLY: this account may not call %s", entry->method->name);
    if (fit_all(entry, params, err) < 0)
        return -1;
    if (is_refused_now(registry, entry->method))
        return error_set_fault(err, FAULT_SHUTDOWN_STATE, "SHUTDOWN_STATE");
    return 0;
}

struct rpc_call *rpc_registry_call(struct rpc_registry *registry, enum rpc_caller caller, const char *method,
                                   struct rpc_value *params, rpc_answer *answer, void *context)
{
    const struct entry *entry = find(registry, method);
    struct rpc_value *result = NULL;
    struct error err = {.fault = FAULT_FAILED, .text = "FAILED"}; /* unless the handler says more */

    if (check(registry, caller, entry, params, &err) < 0) {
        rpc_value_free(params);
        answer(context, NULL, &err);
        return NULL;
    }

    assert(entry != NULL); /* check() refuses what is not there */
    struct rpc_call *call = xmalloc(sizeof *call);
    *call = (struct rpc_call){
        .registry = registry,
        .method = entry->method,
        .context = entry->context,
        .caller = caller,
        .params = params,
        .answer = answer,
        .answer_context = context,
    };
    switch (entry->method->call(call, params, &result, &err)) {
    case RPC_DONE:
        rpc_call_complete(call, result != NULL ? result : rpc_nil());
        return NULL;
    case RPC_FAILED:
        rpc_call_fail(call, &err);
        return NULL;
    case RPC_LATER:
        break;
    }
    return call;
}
