#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "config/diff.h"

static struct rpc_value *list_names(const char **names, size_t count)
{
    struct rpc_value *list = rpc_array(count);

    for (size_t i = 0; i < count; i++)
        rpc_array_append(list, rpc_string(names[i]));
    return list;
}

/* What the original answers: a list in a list. */
static struct rpc_value *report_diff(const struct config_diff *diff)
{
    struct rpc_value *lists = rpc_array(3);
    struct rpc_value *report = rpc_array(1);

    rpc_array_append(lists, list_names(diff->added, diff->added_count));
    rpc_array_append(lists, list_names(diff->changed, diff->changed_count));
    rpc_array_append(lists, list_names(diff->removed, diff->removed_count));
    rpc_array_append(report, lists);
    return report;
}

static struct rpc_value *compare_with_running(const struct supervisor *supervisor, const struct config *fresh)
{
    const size_t count = HASH_CNT(by_name, supervisor->groups);
    CLEANUP_FREE struct config_group **running = xcalloc(count, sizeof(struct config_group *));
    struct config_diff diff;
    size_t place = 0;

    for (const struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next)
        if (!group->config->is_dynamic)
            running[place++] = group->config;
    config_diff_compute(&diff, running, place, fresh);
    struct rpc_value *report = report_diff(&diff);
    config_diff_release(&diff);
    return report;
}

enum rpc_outcome api_reload_config(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                   struct error *err)
{
    struct api_context *context = rpc_call_context(call);
    struct config *fresh = context->load_config(context->daemon, err);

    (void)params;
    if (fresh == NULL) {
        err->fault = FAULT_CANT_REREAD;
        return api_fail(err);
    }
    *result = compare_with_running(context->supervisor, fresh);
    config_unref(context->config);
    context->config = fresh;
    supervisor_configure(context->supervisor, fresh);
    return RPC_DONE;
}

enum rpc_outcome api_add_process_group(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                       struct error *err)
{
    const struct api_context *context = rpc_call_context(call);
    const char *name = rpc_as_string(rpc_array_get(params, 0));
    struct config_group *group = config_find_group(context->config, name);

    if (group == NULL) {
        error_set_fault(err, FAULT_BAD_NAME, "%s", name);
        return api_fail(err);
    }
    if (supervisor_add_group(context->supervisor, group, err) < 0) {
        if (err->fault == FAULT_FAILED)
            error_prefix(err, "%s", name);
        return api_fail(err);
    }
    *result = rpc_boolean(true);
    return RPC_DONE;
}

enum rpc_outcome api_remove_process_group(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    struct supervisor *supervisor = api_supervisor(call);
    struct process_group *group = api_find_group(supervisor, rpc_as_string(rpc_array_get(params, 0)), err);

    if (group == NULL || supervisor_remove_group(supervisor, group, err) < 0)
        return api_fail(err);
    *result = rpc_boolean(true);
    return RPC_DONE;
}

/* --- getAllConfigInfo --------------------------------------------------------------------------------------------- */

static struct rpc_value *text_or_none(const char *text)
{
    return text != NULL && text[0] != '\0' ? rpc_string(text) : rpc_string_static("none");
}

/* The keys that one stream's settings have. */
static const struct stream_keys {
    const char *capture_maxbytes, *events_enabled, *logfile, *logfile_backups, *logfile_maxbytes, *syslog;
} stream_keys[CONFIG_STREAM_COUNT] = {
    {"stdout_capture_maxbytes", "stdout_events_enabled", "stdout_logfile", "stdout_logfile_backups",
     "stdout_logfile_maxbytes", "stdout_syslog"},
    {"stderr_capture_maxbytes", "stderr_events_enabled", "stderr_logfile", "stderr_logfile_backups",
     "stderr_logfile_maxbytes", "stderr_syslog"},
};

/* The name of an AUTO log is known once its process is there. */
static struct rpc_value *describe_logfile(const struct config_process *config, enum config_stream channel,
                                          const struct process *process)
{
    const struct config_log *log = &config->logs[channel];

    if (channel == CONFIG_STDERR && config->redirect_stderr)
        return text_or_none(NULL);
    if (!log->is_automatic)
        return text_or_none(log->file);
    return process != NULL ? rpc_string(process_log_path(process, channel)) : rpc_string_static("auto");
}

static void describe_stream(struct rpc_value *info, const struct config_process *config, enum config_stream channel,
                            const struct process *process)
{
    const struct stream_keys *keys = &stream_keys[channel];
    const struct config_log *log = &config->logs[channel];

    rpc_struct_set_static(info, keys->capture_maxbytes, rpc_int(log->capture_maxbytes));
    rpc_struct_set_static(info, keys->events_enabled, rpc_boolean(log->events_enabled));
    rpc_struct_set_static(info, keys->logfile, describe_logfile(config, channel, process));
    rpc_struct_set_static(info, keys->logfile_backups, rpc_int(log->backups));
    rpc_struct_set_static(info, keys->logfile_maxbytes, rpc_int(log->maxbytes));
    rpc_struct_set_static(info, keys->syslog, rpc_boolean(log->syslog));
}

static struct rpc_value *list_exitcodes(const struct config_process *config)
{
    struct rpc_value *list = rpc_array(config->exitcode_count);

    for (size_t i = 0; i < config->exitcode_count; i++)
        rpc_array_append(list, rpc_int(config->exitcodes[i]));
    return list;
}

/* `group` is the running one of that name, NULL when there is none; keys in the order of the original. */
static struct rpc_value *describe_config(const struct config_process *config, const struct config_group *in,
                                         const struct process_group *group)
{
    const struct process *process = group != NULL ? group_find_process(group, config->name) : NULL;
    struct rpc_value *info = rpc_struct(32);

    rpc_struct_set_static(info, "autostart", rpc_boolean(config->autostart));
    rpc_struct_set_static(info, "directory", text_or_none(config->directory));
    rpc_struct_set_static(info, "uid", config->user.is_set ? rpc_int(config->user.uid) : text_or_none(NULL));
    rpc_struct_set_static(info, "command", rpc_string(config->command));
    rpc_struct_set_static(info, "exitcodes", list_exitcodes(config));
    rpc_struct_set_static(info, "group", rpc_string(in->name));
    rpc_struct_set_static(info, "group_prio", rpc_int(in->priority));
    rpc_struct_set_static(info, "inuse", rpc_boolean(group != NULL));
    rpc_struct_set_static(info, "killasgroup", rpc_boolean(config->killasgroup));
    rpc_struct_set_static(info, "name", rpc_string(config->name));
    rpc_struct_set_static(info, "process_prio", rpc_int(config->priority));
    rpc_struct_set_static(info, "redirect_stderr", rpc_boolean(config->redirect_stderr));
    rpc_struct_set_static(info, "startretries", rpc_int(config->startretries));
    rpc_struct_set_static(info, "startsecs", rpc_int(config->startsecs));
    describe_stream(info, config, CONFIG_STDOUT, process);
    rpc_struct_set_static(info, "stopsignal", rpc_int(config->stopsignal));
    rpc_struct_set_static(info, "stopwaitsecs", rpc_int(config->stopwaitsecs));
    describe_stream(info, config, CONFIG_STDERR, process);
    rpc_struct_set_static(info, "serverurl", text_or_none(config->server_url));
    return info;
}

/* A process and the group that it is in. */
struct place {
    const struct config_process *process;
    const struct config_group *group;
};

static int by_name(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    const int names = strcmp(a->process->name, b->process->name);

    return names != 0 ? names : strcmp(a->group->name, b->group->name);
}

struct places {
    struct place *list; /* owned */
    size_t count;
};

/* Those of a group that a file has, or those that none has. */
static void add_places(struct places *places, const struct config_group *group, bool dynamic)
{
    places->list = xreallocarray(places->list, places->count + group->process_count + 1, sizeof *places->list);
    for (size_t i = 0; i < group->process_count; i++)
        if (group->processes[i]->is_dynamic == dynamic)
            places->list[places->count++] = (struct place){group->processes[i], group};
}

/* All processes of the model, and those that were added at run time, sorted by name. */
static struct places sort_processes(const struct api_context *context)
{
    const struct config *config = context->config;
    struct places places = {0};

    for (size_t i = 0; i < config->group_count; i++)
        add_places(&places, config->groups[i], false);
    for (const struct process_group *group = context->supervisor->groups; group != NULL; group = group->by_name.next)
        add_places(&places, group->config, true);
    if (places.count > 0)
        qsort(places.list, places.count, sizeof *places.list, by_name);
    return places;
}

enum rpc_outcome api_get_all_config_info(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    const struct api_context *context = rpc_call_context(call);
    const struct places places = sort_processes(context);

    (void)params;
    (void)err;
    *result = rpc_array(places.count);
    for (size_t i = 0; i < places.count; i++) {
        const struct place *place = &places.list[i];
        rpc_array_append(*result, describe_config(place->process, place->group,
                                                  supervisor_find_group(context->supervisor, place->group->name)));
    }
    free(places.list);
    return RPC_DONE;
}
