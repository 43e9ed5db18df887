/* Groups and processes that plugins add and remove. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/load.h"
#include "config/options.h"
#include "config/value.h"
#include "plugin/internal.h"
#include "process/group.h"

static struct process_group *find_group(const struct plugin *plugin, const char *name, struct error *err)
{
    struct process_group *group = supervisor_find_group(plugin->host->supervisor, name);

    if (group == NULL)
        error_set_fault(err, FAULT_BAD_NAME, "%s", name);
    return group;
}

/* Groups with a shared socket or listeners are of one program for ever. */
static int check_kind(const struct process_group *group, struct error *err)
{
    if (group->config->kind == CONFIG_GROUP_PROGRAM || group->config->kind == CONFIG_GROUP_MIXED)
        return 0;
    return error_set_fault(err, FAULT_BAD_NAME, "%s: the processes of a %s stay as they are", group->config->name,
                           group->config->kind == CONFIG_GROUP_FCGI ? "fcgi-program" : "listener pool");
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static int check_name(const char *name, struct error *err)
{
    if (value_check_name(name, err) == 0)
        return 0;
    error_prefix(err, "%s", name);
    err->fault = FAULT_BAD_NAME;
    return -1;
}

int plugin_add_group(struct plugin *plugin, const char *name, int priority, struct error *err)
{
    struct config_group *config = xcalloc(1, sizeof *config);

    *config = (struct config_group){
        .references = 1, .kind = CONFIG_GROUP_MIXED, .name = xstrdup(name), .priority = priority, .is_dynamic = true};
    const bool is_added = plugin_check_running(plugin, err) == 0 && check_name(name, err) == 0 &&
                          supervisor_add_group(plugin->host->supervisor, config, err) == 0;
    config_group_unref(config);
    return is_added ? 0 : plugin_refuse(err);
}

int plugin_remove_group(struct plugin *plugin, const char *name, struct error *err)
{
    struct process_group *group = find_group(plugin, name, err);

    if (group == NULL || supervisor_remove_group(plugin->host->supervisor, group, err) < 0)
        return plugin_refuse(err);
    return 0;
}

/* --- options ------------------------------------------------------------------------------------------------------ */

/* What a configuration file would say, to free; NULL: the value is of another kind. */
static char *print_value(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_STRING:
        return xstrdup(rpc_as_string(value));
    case RPC_INT:
        return xasprintf("%lld", (long long)rpc_as_int(value));
    case RPC_BOOLEAN:
        return xstrdup(rpc_as_boolean(value) ? "true" : "false");
    default:
        return NULL;
    }
}

static void warn_of_key(const char *program, const char *key)
{
    CLEANUP_FREE char *header = xasprintf("program:%s", program);

    if (option_find(option_find_section(header), key) == NULL)
        log_warn("the options of program %s have %s, which is no option and has no effect", program, key);
}

static int take_options(const struct rpc_value *given, const char *program, struct config_environment *options,
                        struct error *err)
{
    if (rpc_value_type(given) != RPC_STRUCT)
        return error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "the options must be a struct");
    options->variables = xcalloc(rpc_count(given) + 1, sizeof *options->variables);
    for (size_t i = 0; i < rpc_count(given); i++) {
        const char *key = rpc_struct_key(given, i);
        char *text = print_value(rpc_struct_item(given, i));
        if (text == NULL)
            return error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "the option %s must be text, a number or a boolean",
                                   key);
        options->variables[options->count++] = (struct config_variable){xstrdup(key), text};
        warn_of_key(program, key);
    }
    return 0;
}

static struct config_group *make_program(const struct plugin *plugin, const char *group, const char *program,
                                         const struct rpc_value *given, struct error *err)
{
    struct config_environment options = {0};
    struct config_group *made = NULL;

    if (take_options(given, program, &options, err) == 0) {
        made = config_make_program(plugin->host->api->config, group, program, &options, err);
        err->fault = FAULT_INCORRECT_PARAMETERS;
    }
    value_release_environment(&options);
    return made;
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

static bool stays_all(const void *context, const struct config_process *process)
{
    (void)context;
    (void)process;
    return true;
}

static bool has_other_name(const void *context, const struct config_process *process)
{
    return strcmp(process->name, context) != 0;
}

static const struct config_group nobody = {0};

static struct rpc_value *list_names(const struct config_group *group)
{
    struct rpc_value *names = rpc_array(group->process_count);

    for (size_t i = 0; i < group->process_count; i++)
        rpc_array_append(names, rpc_string(group->processes[i]->name));
    return names;
}

static int check_names(const struct process_group *group, const struct config_group *comers, struct error *err)
{
    for (size_t i = 0; i < comers->process_count; i++)
        if (group_find_process(group, comers->processes[i]->name) != NULL)
            return error_set_fault(err, FAULT_ALREADY_ADDED, "%s:%s", comers->name, comers->processes[i]->name);
    return 0;
}

static int add_processes(const struct plugin *plugin, struct process_group *group, const struct config_group *comers,
                         struct error *err)
{
    if (check_names(group, comers, err) < 0)
        return -1;
    struct config_group *config = config_group_combine(group->config, stays_all, NULL, comers);
    const int outcome = supervisor_change_group(plugin->host->supervisor, group, config, comers->process_count, err);
    config_group_unref(config);
    return outcome;
}

int plugin_add_program(struct plugin *plugin, const char *group_name, const char *program,
                       const struct rpc_value *options, struct rpc_value **names, struct error *err)
{
    struct process_group *group = find_group(plugin, group_name, err);

    if (group == NULL || plugin_check_running(plugin, err) < 0 || check_kind(group, err) < 0 ||
        check_name(program, err) < 0)
        return plugin_refuse(err);
    struct config_group *comers = make_program(plugin, group_name, program, options, err);
    if (comers == NULL)
        return plugin_refuse(err);
    const int outcome = add_processes(plugin, group, comers, err);
    if (outcome == 0 && names != NULL)
        *names = list_names(comers);
    config_group_unref(comers);
    return outcome < 0 ? plugin_refuse(err) : 0;
}

int plugin_remove_process(struct plugin *plugin, const char *group_name, const char *name, struct error *err)
{
    struct process_group *group = find_group(plugin, group_name, err);

    if (group != NULL && group_find_process(group, name) == NULL) {
        error_set_fault(err, FAULT_BAD_NAME, "%s:%s", group_name, name);
        group = NULL;
    }
    if (group == NULL || check_kind(group, err) < 0)
        return plugin_refuse(err);
    struct config_group *config = config_group_combine(group->config, has_other_name, name, &nobody);
    const int outcome = supervisor_change_group(plugin->host->supervisor, group, config, 0, err);
    config_group_unref(config);
    return outcome < 0 ? plugin_refuse(err) : 0;
}

/* --- numprocs ----------------------------------------------------------------------------------------------------- */

/* A program, the group that has it, and that group as the file describes it with another `numprocs`. */
struct resizing {
    const char *program;
    struct process_group *group;
    const struct config_group *fresh;
};

static bool is_in(const struct config_group *group, const char *name)
{
    for (size_t i = 0; i < group->process_count; i++)
        if (strcmp(group->processes[i]->name, name) == 0)
            return true;
    return false;
}

static bool stays_resized(const void *context, const struct config_process *process)
{
    const struct resizing *resizing = context;

    return strcmp(process->program, resizing->program) != 0 || is_in(resizing->fresh, process->name);
}

static bool is_comer(const void *context, const struct config_process *process)
{
    const struct resizing *resizing = context;

    return strcmp(process->program, resizing->program) == 0 && !is_in(resizing->group->config, process->name);
}

static void append_leavers(const struct resizing *resizing, struct rpc_value *removed)
{
    const struct config_group *config = resizing->group->config;

    for (size_t i = 0; i < config->process_count; i++)
        if (!stays_resized(resizing, config->processes[i]))
            rpc_array_append(removed, rpc_string(config->processes[i]->name));
}

static int resize(const struct plugin *plugin, const struct resizing *resizing, struct rpc_value **changed,
                  struct error *err)
{
    struct config_group *comers = config_group_combine(resizing->fresh, is_comer, resizing, &nobody);
    struct config_group *config = config_group_combine(resizing->group->config, stays_resized, resizing, comers);
    struct rpc_value *removed = rpc_array(4);

    append_leavers(resizing, removed);
    const int outcome =
        supervisor_change_group(plugin->host->supervisor, resizing->group, config, comers->process_count, err);
    if (outcome == 0 && changed != NULL) {
        *changed = rpc_struct(2);
        rpc_struct_set_static(*changed, "added", list_names(comers));
        rpc_struct_set_static(*changed, "removed", removed);
    } else {
        rpc_value_free(removed);
    }
    config_group_unref(config);
    config_group_unref(comers);
    return outcome;
}

static bool has_program(const struct config_group *group, const char *program)
{
    for (size_t i = 0; i < group->process_count; i++)
        if (!group->processes[i]->is_dynamic && strcmp(group->processes[i]->program, program) == 0)
            return true;
    return false;
}

/* The running group of a program: its own, or the [group:x] that it is in. */
static struct process_group *find_group_of(const struct plugin *plugin, const char *program)
{
    struct process_group *own = supervisor_find_group(plugin->host->supervisor, program);

    if (own != NULL && own->config->kind == CONFIG_GROUP_PROGRAM)
        return own;
    for (struct process_group *group = plugin->host->supervisor->groups; group != NULL; group = group->by_name.next)
        if (has_program(group->config, program))
            return group;
    return NULL;
}

static struct config *read_with(const struct plugin *plugin, const char *program, int numprocs, struct error *err)
{
    CLEANUP_FREE char *section = xasprintf("program:%s", program);
    CLEANUP_FREE char *value = xasprintf("%d", numprocs);
    const struct config_override override = {
        .section = section, .key = "numprocs", .value = value, .origin = "numprocs"};
    struct config *fresh = plugin->host->load_config(plugin->host->api->daemon, &override, err);

    if (fresh == NULL)
        err->fault = FAULT_CANT_REREAD;
    /* It has nothing of the override, which is copied. */
    return fresh; // cppcheck-suppress returnDanglingLifetime
}

static int set_numprocs(const struct plugin *plugin, struct resizing *resizing, int numprocs,
                        struct rpc_value **changed, struct error *err)
{
    struct config *fresh = read_with(plugin, resizing->program, numprocs, err);

    if (fresh == NULL)
        return -1;
    resizing->fresh = config_find_group(fresh, resizing->group->config->name);
    const int outcome =
        resizing->fresh != NULL
            ? resize(plugin, resizing, changed, err)
            : error_set_fault(err, FAULT_BAD_NAME, "%s: the configuration has it no longer", resizing->program);
    config_unref(fresh);
    return outcome;
}

int plugin_set_numprocs(struct plugin *plugin, const char *program, int numprocs, struct rpc_value **changed,
                        struct error *err)
{
    struct resizing resizing = {.program = program, .group = find_group_of(plugin, program)};

    if (resizing.group == NULL)
        error_set_fault(err, FAULT_BAD_NAME, "%s", program);
    else if (numprocs < 0)
        error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "numprocs must not be negative");
    else if (plugin_check_running(plugin, err) == 0 && check_kind(resizing.group, err) == 0 &&
             set_numprocs(plugin, &resizing, numprocs, changed, err) == 0)
        return 0;
    return plugin_refuse(err);
}
