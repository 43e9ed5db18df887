/* Groups and processes, as plugins see them. */
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "plugin/internal.h"
#include "process/group.h"

int plugin_refuse(struct error *err)
{
    return error_prefix(err, "%s", fault_name(err->fault));
}

int plugin_check_running(const struct plugin *plugin, struct error *err)
{
    if (plugin->host->supervisor->state == SUPERVISOR_RUNNING)
        return 0;
    return error_set_fault(err, FAULT_SHUTDOWN_STATE, "the daemon is stopping");
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static struct plugin_process describe_process(const struct process *process)
{
    return (struct plugin_process){
        .group = process->group->config->name,
        .name = process->config->name,
        .program = process->config->program,
        .state = process->state,
        .pid = process->pid,
        .start_us = process->start_us,
        .stop_us = process->stop_us,
        .exitstatus = process->exitstatus,
        .spawn_error = process_spawn_error(process),
        .extra_arguments = process->extra_arguments,
    };
}

static struct plugin_group describe_group(const struct process_group *group)
{
    return (struct plugin_group){
        .name = group->config->name,
        .priority = group->config->priority,
        .process_count = group->config->process_count,
        .is_alive = group->alive_count > 0,
    };
}

bool plugin_find_process(const struct plugin *plugin, const char *group, const char *name, struct plugin_process *found)
{
    const struct process *process = supervisor_find_process(plugin->host->supervisor, group, name);

    if (process != NULL)
        *found = describe_process(process);
    return process != NULL;
}

bool plugin_find_group(const struct plugin *plugin, const char *name, struct plugin_group *found)
{
    const struct process_group *group = supervisor_find_group(plugin->host->supervisor, name);

    if (group != NULL)
        *found = describe_group(group);
    return group != NULL;
}

void plugin_visit_groups(const struct plugin *plugin, void (*visit)(void *context, const struct plugin_group *group),
                         void *context)
{
    for (const struct process_group *group = plugin->host->supervisor->groups; group != NULL;
         group = group->by_name.next) {
        const struct plugin_group described = describe_group(group);
        visit(context, &described);
    }
}

static void visit_members(const struct process_group *group,
                          void (*visit)(void *context, const struct plugin_process *process), void *context)
{
    for (const struct process *process = group->processes; process != NULL; process = process->by_name.next) {
        const struct plugin_process described = describe_process(process);
        visit(context, &described);
    }
}

void plugin_visit_processes(const struct plugin *plugin, const char *group,
                            void (*visit)(void *context, const struct plugin_process *process), void *context)
{
    for (const struct process_group *each = plugin->host->supervisor->groups; each != NULL; each = each->by_name.next)
        if (group == NULL || strcmp(each->config->name, group) == 0)
            visit_members(each, visit, context);
}

struct rpc_value *plugin_read_program(const struct plugin *plugin, const char *group, const char *name)
{
    const struct process *process = supervisor_find_process(plugin->host->supervisor, group, name);

    if (process == NULL)
        return NULL;
    struct rpc_value *program = rpc_struct(options_process.count);
    for (size_t i = 0; i < options_process.count; i++) {
        char *text = option_print(&options_process.options[i], process->config);
        if (text != NULL)
            rpc_struct_set(program, options_process.options[i].name, rpc_string_take(text, strlen(text)));
    }
    return program;
}

/* --- starting and stopping ---------------------------------------------------------------------------------------- */

static struct process *find(const struct plugin *plugin, const char *group, const char *name, struct error *err)
{
    struct process *process = supervisor_find_process(plugin->host->supervisor, group, name);

    if (process == NULL)
        error_set_fault(err, FAULT_BAD_NAME, "%s:%s", group, name);
    return process;
}

int plugin_start_process(struct plugin *plugin, const char *group, const char *name, const char *extra_arguments,
                         struct error *err)
{
    struct process *process = find(plugin, group, name, err);

    if (process == NULL || plugin_check_running(plugin, err) < 0)
        return plugin_refuse(err);
    if (process_state_is_running(process->state)) {
        error_set_fault(err, FAULT_ALREADY_STARTED, "%s:%s", group, name);
        return plugin_refuse(err);
    }
    process_set_extra_arguments(process, extra_arguments);
    return process_start(process, err) < 0 ? plugin_refuse(err) : 0;
}

int plugin_stop_process(struct plugin *plugin, const char *group, const char *name, struct error *err)
{
    struct process *process = find(plugin, group, name, err);

    return process == NULL || process_stop(process, err) < 0 ? plugin_refuse(err) : 0;
}
