#include "plugins/common/methods.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "plugins/common/memory.h"

const char *common_text(const struct rpc_value *params, size_t index)
{
    return rpc_as_string(rpc_array_get(params, index));
}

enum rpc_outcome common_succeed(struct rpc_value **result)
{
    *result = rpc_boolean(true);
    return RPC_DONE;
}

/* --- getAPIVersion, getGroupNames --------------------------------------------------------------------------------- */

enum rpc_outcome common_get_api_version(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    (void)call;
    (void)params;
    (void)err;
    *result = rpc_string_static("1.0");
    return RPC_DONE;
}

static void append_group_name(void *names, const struct plugin_group *group)
{
    rpc_array_append(names, rpc_string(group->name));
}

static enum rpc_outcome get_group_names(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    (void)params;
    (void)err;
    *result = rpc_array(0);
    plugin_visit_groups(rpc_call_context(call), append_group_name, *result);
    return RPC_DONE;
}

/* --- log ---------------------------------------------------------------------------------------------------------- */

/* The names of a level are those of the activity log's lines and of `loglevel`; its number is that of Python's. */
static const struct {
    const char *value;
    const char *code;
    int64_t number;
} levels[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_CRITICAL] = {"critical", "CRIT", 50}, [LOG_LEVEL_ERROR] = {"error", "ERRO", 40},
    [LOG_LEVEL_WARN] = {"warn", "WARN", 30},         [LOG_LEVEL_INFO] = {"info", "INFO", 20},
    [LOG_LEVEL_DEBUG] = {"debug", "DEBG", 10},       [LOG_LEVEL_TRACE] = {"trace", "TRAC", 5},
    [LOG_LEVEL_BLATHER] = {"blather", "BLAT", 3},
};

static bool is_level(enum log_level level, const struct rpc_value *wanted)
{
    switch (rpc_value_type(wanted)) {
    case RPC_INT:
        return rpc_as_int(wanted) == levels[level].number;
    case RPC_STRING:
        return strcasecmp(rpc_as_string(wanted), levels[level].value) == 0 ||
               strcasecmp(rpc_as_string(wanted), levels[level].code) == 0;
    default:
        return false;
    }
}

/* What a client says stays on one line, so that nobody can write lines that seem to be the daemon's. */
static char *one_line(const char *text)
{
    char *line = memory_checked(strdup(text));

    for (char *c = line; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    return line;
}

static enum rpc_outcome write_log(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                  struct error *err)
{
    (void)call;
    for (enum log_level level = 0; level < LOG_LEVEL_COUNT; level++) {
        if (is_level(level, rpc_array_get(params, 1))) {
            char *line = one_line(common_text(params, 0));
            log_write(level, "%s", line);
            free(line);
            return common_succeed(result);
        }
    }
    error_set_fault(err, FAULT_INCORRECT_PARAMETERS,
                    "INCORRECT_PARAMETERS: no level of the log; CRIT, ERRO, WARN, INFO, DEBG, TRAC, BLAT are");
    return RPC_FAILED;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

const struct rpc_method common_methods[] = {
    {.name = "getAPIVersion",
     .signature = "string",
     .help = "The version of this namespace's methods.",
     .flags = RPC_READS,
     .call = common_get_api_version},
    {.name = "getGroupNames",
     .signature = "array",
     .help = "The names of all process groups, those of the configuration file included.",
     .flags = RPC_READS,
     .call = get_group_names},
    {.name = "log",
     .signature = "boolean string string*",
     .params = "message, level=INFO",
     .help = "Writes a line to the activity log. The level is CRIT, ERRO, WARN, INFO, DEBG, TRAC or BLAT, a value of "
             "`loglevel`, or one of the numbers 50, 40, 30, 20, 10, 5 and 3.",
     .call = write_log},
};
const size_t common_method_count = sizeof common_methods / sizeof common_methods[0];
