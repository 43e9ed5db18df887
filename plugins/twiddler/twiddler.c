/*
 * The namespace of supervisor_twiddler: programs are added to groups, and processes taken out of them, while the daemon
 * runs. Nothing of it survives a restart. Its option:
 *
 *     whitelist   methods that may be called, with commas or blanks between; not given or empty: all
 */
#include <string.h>

#include "plugins/common/methods.h"

#define FAULT_NOT_IN_WHITELIST ((enum fault)230)

static const char separators[] = ", \t\r\n";

/* --- methods; their context is the plugin ------------------------------------------------------------------------- */

static enum rpc_outcome add_program_to_group(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    if (plugin_add_program(rpc_call_context(call), common_text(params, 0), common_text(params, 1),
                           rpc_array_get(params, 2), NULL, err) < 0)
        return RPC_FAILED;
    return common_succeed(result);
}

static enum rpc_outcome remove_process_from_group(struct rpc_call *call, const struct rpc_value *params,
                                                  struct rpc_value **result, struct error *err)
{
    if (plugin_remove_process(rpc_call_context(call), common_text(params, 0), common_text(params, 1), err) < 0)
        return RPC_FAILED;
    return common_succeed(result);
}

static enum rpc_outcome refuse(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                               struct error *err)
{
    (void)call;
    (void)params;
    (void)result;
    error_set_fault(err, FAULT_NOT_IN_WHITELIST, "NOT_IN_WHITELIST");
    return RPC_FAILED;
}

static const struct rpc_method methods[] = {
    {.name = "addProgramToGroup",
     .signature = "boolean string string struct",
     .params = "group_name, program_name, program_options",
     .help = "Adds the processes of a program to a group. The options are those of a [program:x] section.",
     .call = add_program_to_group},
    {.name = "removeProcessFromGroup",
     .signature = "boolean string string",
     .params = "group_name, process_name",
     .help = "Takes a process that does not run out of its group.",
     .call = remove_process_from_group},
};
static const size_t method_count = sizeof methods / sizeof methods[0];

/* --- the whitelist ------------------------------------------------------------------------------------------------ */

static bool is_listed(const char *list, const char *name)
{
    const size_t length = strlen(name);

    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        const size_t word = strcspn(list, separators);
        if (word == length && strncmp(list, name, length) == 0)
            return true;
        list += word;
    }
    return false;
}

/* A method that may not be called is there all the same, and says so whatever it is given. */
static int add_methods(struct plugin *plugin, const char *whitelist, const struct rpc_method *rows, size_t count,
                       struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct rpc_method method = rows[i];
        if (whitelist != NULL && !is_listed(whitelist, method.name)) {
            method.call = refuse;
            method.flags |= RPC_TAKES_ANY;
        }
        if (plugin_add_methods(plugin, &method, 1, plugin, err) < 0)
            return -1;
    }
    return 0;
}

static void *open_twiddler(struct plugin *plugin, struct error *err)
{
    static const char *const known[] = {"whitelist", NULL};
    const char *whitelist = plugin_option(plugin, "whitelist");

    if (plugin_check_options(plugin, known, err) < 0)
        return NULL;
    if (whitelist != NULL && whitelist[strspn(whitelist, separators)] == '\0')
        whitelist = NULL;
    if (add_methods(plugin, whitelist, common_methods, common_method_count, err) < 0 ||
        add_methods(plugin, whitelist, methods, method_count, err) < 0)
        return NULL;
    return plugin;
}

static void close_twiddler(void *context)
{
    (void)context;
}

const struct supervisor_plugin supervisor_plugin = {
    .version = SUPERVISOR_PLUGIN_VERSION,
    .open = open_twiddler,
    .close = close_twiddler,
};
