/* The methods of plugins, and their calls of others. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/internal.h"

struct plugin_method {
    struct rpc_method row; /* its texts are owned */
    struct plugin_method *next;
};

/* --- checking rows ------------------------------------------------------------------------------------------------ */

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return length > 0;
}

static bool is_type(const char *word, size_t length)
{
    if (length > 0 && word[length - 1] == '*')
        length--;
    for (enum rpc_type type = RPC_NIL; type <= RPC_STRUCT; type++)
        if (strlen(rpc_type_name(type)) == length && strncmp(rpc_type_name(type), word, length) == 0)
            return true;
    return false;
}

/* How many words of types there are; 0 when one of them is none. */
static size_t count_types(const char *signature)
{
    size_t count = 0;

    for (const char *word = signature; *(word += strspn(word, " ")) != '\0'; word += strcspn(word, " "), count++)
        if (!is_type(word, strcspn(word, " ")))
            return 0;
    return count;
}

/* How many names of parameters there are; (size_t)-1 when one of them is none. */
static size_t count_names(const char *params)
{
    size_t count = 0;

    for (const char *word = params; *(word += strspn(word, ", ")) != '\0'; word += strcspn(word, ","), count++)
        if (!is_name(word, strcspn(word, "=, ")))
            return (size_t)-1;
    return count;
}

/* What takes anything need not say what. */
static bool has_no_signature(const struct rpc_method *row)
{
    return (row->flags & RPC_TAKES_ANY) != 0 && row->signature != NULL && row->signature[0] == '\0';
}

static int check_row(const struct rpc_method *row, struct error *err)
{
    const size_t types = row->signature != NULL ? count_types(row->signature) : 0;

    if (row->name == NULL || !is_name(row->name, strlen(row->name)))
        return error_set(err, "%s cannot be the name of a method", row->name != NULL ? row->name : "NULL");
    if (row->call == NULL)
        return error_set(err, "the method %s has no function", row->name);
    if (types == 0 && !has_no_signature(row))
        return error_set(err, "the signature of %s has a type that is none", row->name);
    if ((row->flags & RPC_TAKES_ANY) == 0 && count_names(row->params != NULL ? row->params : "") != types - 1)
        return error_set(err, "the method %s has not as many types as names of parameters", row->name);
    return 0;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static void free_method(struct plugin_method *method)
{
    const struct rpc_method *row = &method->row;
    const char *const texts[] = {row->name, row->signature, row->params, row->help};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free((void *)(uintptr_t)texts[i]);
    free(method);
}

static struct plugin_method *copy_method(const struct plugin *plugin, const struct rpc_method *row)
{
    struct plugin_method *method = xcalloc(1, sizeof *method);

    method->row = (struct rpc_method){
        .name = xasprintf("%s.%s", plugin->config->name, row->name),
        .signature = xstrdup(row->signature),
        .params = xstrdup(row->params != NULL ? row->params : ""),
        .help = xstrdup(row->help != NULL ? row->help : ""),
        .flags = row->flags,
        .call = row->call,
    };
    return method;
}

/* One that is replaced stays in the list, as a call under way may know it, and goes with the plugin. */
int plugin_add_methods(struct plugin *plugin, const struct rpc_method *methods, size_t count, void *context,
                       struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (check_row(&methods[i], err) < 0)
            return -1;
    for (size_t i = 0; i < count; i++) {
        struct plugin_method *method = copy_method(plugin, &methods[i]);
        rpc_registry_add(plugin->host->registry, &method->row, 1, context);
        LL_PREPEND(plugin->methods, method);
    }
    return 0;
}

void plugin_release_methods(struct plugin *plugin)
{
    struct plugin_method *method;
    struct plugin_method *next;

    LL_FOREACH_SAFE (plugin->methods, method, next) {
        if (rpc_registry_find(plugin->host->registry, method->row.name) == &method->row)
            rpc_registry_remove(plugin->host->registry, method->row.name);
        free_method(method);
    }
    plugin->methods = NULL;
}

const char *plugin_call_name(const struct rpc_call *call)
{
    return rpc_call_method(call)->name;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

struct plugin_pending {
    struct plugin *plugin;
    struct rpc_call *call; /* borrowed; until the answer */
    plugin_answer *answer;
    void *context;
    struct plugin_pending *prev, *next;
};

static void free_pending(struct plugin_pending *pending)
{
    DL_DELETE(pending->plugin->pending, pending);
    free(pending);
}

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    const struct plugin_pending told = *(struct plugin_pending *)context;

    free_pending(context);
    told.answer(told.context, result, err);
}

struct plugin_pending *plugin_call(struct plugin *plugin, const char *method, struct rpc_value *params,
                                   plugin_answer *answer, void *context)
{
    struct plugin_pending *pending = xcalloc(1, sizeof *pending);

    *pending = (struct plugin_pending){.plugin = plugin, .answer = answer, .context = context};
    DL_APPEND(plugin->pending, pending);
    struct rpc_call *call = rpc_registry_call(plugin->host->registry, RPC_CALLER_CHANGES, method,
                                              params != NULL ? params : rpc_array(0), on_answer, pending);
    if (call == NULL) /* `pending` has been answered, and freed */
        return NULL;
    pending->call = call;
    return pending;
}

void plugin_call_cancel(struct plugin_pending *pending)
{
    rpc_call_cancel(pending->call);
    free_pending(pending);
}

void plugin_release_calls(struct plugin *plugin)
{
    struct plugin_pending *pending;
    struct plugin_pending *next;

    DL_FOREACH_SAFE (plugin->pending, pending, next)
        plugin_call_cancel(pending);
}
