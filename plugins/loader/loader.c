/*
 * The namespace of supervisor_loader: groups and programs are added and removed while the daemon runs. Its option:
 *
 *     persist   an absolute path: what was added is kept in this file, and added again when the daemon starts
 *
 * Each added program has the numbers 1, 2, 3 ... for `%(process_num)d`, as far as they are free, unless its options
 * give it a `numprocs_start`. After an upgrade the processes are there already, and what is known of them is handed
 * over.
 */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/common/memory.h"
#include "plugins/common/methods.h"
#include "plugins/loader/json.h"
#include "plugins/loader/record.h"

/* Bytes that the file may have: more than anybody adds by hand, less than what would hurt. */
#define PERSIST_MAX ((size_t)16 * 1024 * 1024)
#define DEFAULT_PRIORITY 999

struct loader {
    struct plugin *plugin;
    const char *path;     /* borrowed; of `persist`, or NULL */
    struct record record; /* owned */
    bool is_changed;      /* since the file was written */
};

/* --- the file ----------------------------------------------------------------------------------------------------- */

/* To free. */
static char *print_record(const struct record *record)
{
    struct rpc_value *value = record_to_value(record);
    char *text = memory_checked(json_from_value(value));

    rpc_value_free(value);
    return text;
}

/* Writes the file if there is anything new for it. */
static int save(struct loader *loader, struct error *err)
{
    char *text;
    int result;

    if (loader->path == NULL || !loader->is_changed)
        return 0;
    text = print_record(&loader->record);
    if (strlen(text) > PERSIST_MAX)
        result = error_set(err, "%s would become larger than %zu bytes", loader->path, PERSIST_MAX);
    else
        result = plugin_write_file(loader->path, text, strlen(text), err);
    free(text);
    if (result == 0)
        loader->is_changed = false;
    return result;
}

/* After a change: what cannot be kept has happened all the same, and whoever asked for it is told. */
static int keep(struct loader *loader, struct error *err)
{
    loader->is_changed = true;
    if (save(loader, err) == 0)
        return 0;
    log_error("%s: what was changed will be forgotten at a restart: %s", plugin_namespace(loader->plugin), err->text);
    err->fault = FAULT_FAILED;
    return error_prefix(err, "FAILED: done, but a restart will forget it");
}

static int parse(struct record *record, const char *text, size_t length, struct error *err)
{
    struct rpc_value *value = json_to_value(text, length, err);
    int result;

    if (value == NULL)
        return -1;
    result = record_from_value(record, value, err);
    rpc_value_free(value);
    return result;
}

/* What stands in the file is run. */
static int check_owner(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_from_errno(err, errno, "cannot read %s", path);
    if ((status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(err, "%s can be written by others, who could have any command run", path);
    return 0;
}

/* A file that is not there is one with nothing in it. */
static int load(const char *path, struct record *record, struct error *err)
{
    char *text;
    size_t length;
    int result;

    if (check_owner(path, err) < 0)
        return -1;
    if (plugin_read_file(path, PERSIST_MAX, &text, &length, err) < 0)
        return err->os == ENOENT ? 0 : -1;
    result = parse(record, text, length, err);
    free(text);
    return result < 0 ? error_prefix(err, "%s is not what was written there", path) : 0;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static int add_group(struct loader *loader, const char *name, int priority, struct error *err)
{
    if (plugin_add_group(loader->plugin, name, priority, err) < 0)
        return -1;
    record_add_group(&loader->record, name, priority);
    return 0;
}

/* Takes `options`. *names: see plugin_add_program(). */
static int add_program(struct loader *loader, const char *group, const char *program, struct rpc_value *options,
                       struct rpc_value **names, struct error *err)
{
    if (plugin_add_program(loader->plugin, group, program, options, names, err) < 0) {
        rpc_value_free(options);
        return -1;
    }
    if (rpc_count(*names) > 0)
        record_add_program(&loader->record, group, program, options, *names);
    else
        rpc_value_free(options);
    return 0;
}

/* The options with the number of the first process. */
static struct rpc_value *number_options(const struct loader *loader, const char *group, const char *program,
                                        const struct rpc_value *options)
{
    struct rpc_value *numbered = rpc_value_copy(options);

    if (record_option(options, "numprocs_start") == NULL)
        rpc_struct_set_static(numbered, "numprocs_start",
                              rpc_int(record_free_number(&loader->record, group, program, options)));
    return numbered;
}

static bool has_group(const struct loader *loader, const char *name)
{
    struct plugin_group group;

    return plugin_find_group(loader->plugin, name, &group);
}

/* --- adding again, at a start ------------------------------------------------------------------------------------- */

static bool is_listed(const struct rpc_value *names, const char *name)
{
    for (size_t i = 0; i < rpc_count(names); i++)
        if (strcmp(rpc_as_string(rpc_array_get(names, i)), name) == 0)
            return true;
    return false;
}

/* Those of its processes that had been removed go again. */
static int remove_unlisted(struct loader *loader, const struct record_program *program, const struct rpc_value *names,
                           struct error *err)
{
    for (size_t i = 0; i < rpc_count(names); i++) {
        const char *name = rpc_as_string(rpc_array_get(names, i));
        if (is_listed(program->names, name))
            continue;
        if (plugin_remove_process(loader->plugin, program->group, name, err) < 0)
            return -1;
        record_remove_process(&loader->record, program->group, name);
    }
    return 0;
}

/* What has come into the configuration file meanwhile is its matter from now on. */
static int forgive_added(const char *what, const char *name, const struct error *err)
{
    if (err->fault != FAULT_ALREADY_ADDED)
        return -1;
    log_info("%s %s is in the configuration now, and no longer added", what, name);
    return 0;
}

static int restore_program(struct loader *loader, const struct record_program *program, struct error *err)
{
    struct rpc_value *names = NULL;
    int result;

    if (!has_group(loader, program->group) && add_group(loader, program->group, DEFAULT_PRIORITY, err) < 0)
        return -1;
    if (add_program(loader, program->group, program->program, rpc_value_copy(program->options), &names, err) < 0)
        return forgive_added("program", program->program, err);
    result = remove_unlisted(loader, program, names, err);
    rpc_value_free(names);
    return result;
}

static int restore(struct loader *loader, const struct record *kept, struct error *err)
{
    for (size_t i = 0; i < kept->group_count; i++) {
        const struct record_group *group = &kept->groups[i];
        if (add_group(loader, group->name, group->priority, err) < 0 && forgive_added("group", group->name, err) < 0)
            return error_prefix(err, "group %s of %s", group->name, loader->path);
    }
    for (size_t i = 0; i < kept->program_count; i++)
        if (restore_program(loader, &kept->programs[i], err) < 0)
            return error_prefix(err, "program %s of %s", kept->programs[i].program, loader->path);
    return 0;
}

/* After an upgrade all is there already. */
static int take_over(struct loader *loader, const struct rpc_value *handed_over, struct error *err)
{
    if (rpc_value_type(handed_over) != RPC_BASE64)
        return error_set(err, "nothing was handed over");
    return parse(&loader->record, rpc_as_string(handed_over), rpc_string_length(handed_over), err);
}

/* The file is written at once: a folder that is not there or refuses is heard of now and not when it matters. */
static int begin(struct loader *loader, struct error *err)
{
    const struct rpc_value *handed_over = plugin_handed_over(loader->plugin);
    struct record kept = {0};
    int result;

    if (handed_over != NULL)
        return take_over(loader, handed_over, err);
    if (loader->path == NULL)
        return 0;
    if (load(loader->path, &kept, err) < 0)
        return -1;
    result = restore(loader, &kept, err);
    record_release(&kept);
    loader->is_changed = true;
    return result < 0 ? -1 : save(loader, err);
}

/* --- methods; their context is the loader ------------------------------------------------------------------------- */

static enum rpc_outcome has_group_method(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    (void)err;
    *result = rpc_boolean(has_group(rpc_call_context(call), common_text(params, 0)));
    return RPC_DONE;
}

struct search {
    const char *name;
    bool is_found;
};

static void compare_process(void *context, const struct plugin_process *process)
{
    struct search *search = context;

    if (strcmp(process->name, search->name) == 0 || strcmp(process->program, search->name) == 0)
        search->is_found = true;
}

/* By the name of a process, or of the program that it is an instance of. */
static enum rpc_outcome has_process_in_group(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    const struct loader *loader = rpc_call_context(call);
    struct search search = {common_text(params, 1), false};

    (void)err;
    if (has_group(loader, common_text(params, 0)))
        plugin_visit_processes(loader->plugin, common_text(params, 0), compare_process, &search);
    *result = rpc_boolean(search.is_found);
    return RPC_DONE;
}

static enum rpc_outcome add_group_method(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    struct loader *loader = rpc_call_context(call);
    const int64_t priority = rpc_as_int(rpc_array_get(params, 1));

    if (priority < INT_MIN || priority > INT_MAX) {
        error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: priority is out of range");
        return RPC_FAILED;
    }
    if (add_group(loader, common_text(params, 0), (int)priority, err) < 0 || keep(loader, err) < 0)
        return RPC_FAILED;
    return common_succeed(result);
}

/* One name as it is; several with blanks between, which no name has. */
static struct rpc_value *join_names(const struct rpc_value *names)
{
    size_t length = 1;
    char *text, *end;

    for (size_t i = 0; i < rpc_count(names); i++)
        length += rpc_string_length(rpc_array_get(names, i)) + 1;
    text = end = memory_checked(calloc(1, length));
    for (size_t i = 0; i < rpc_count(names); i++) {
        if (i > 0)
            *end++ = ' ';
        end = stpcpy(end, rpc_as_string(rpc_array_get(names, i)));
    }
    return rpc_string_take(text, (size_t)(end - text));
}

static enum rpc_outcome add_program_to_group(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    struct loader *loader = rpc_call_context(call);
    const char *group = common_text(params, 0);
    const char *program = common_text(params, 1);
    const bool is_new = !has_group(loader, group);
    struct rpc_value *names = NULL;
    struct error ignored;
    int kept;

    if (is_new && add_group(loader, group, DEFAULT_PRIORITY, err) < 0)
        return RPC_FAILED;
    if (add_program(loader, group, program, number_options(loader, group, program, rpc_array_get(params, 2)), &names,
                    err) < 0) {
        if (is_new)
            plugin_remove_group(loader->plugin, group, &ignored); /* on_removed() sees to the record */
        return RPC_FAILED;
    }
    kept = keep(loader, err);
    if (kept == 0)
        *result = join_names(names);
    rpc_value_free(names);
    return kept == 0 ? RPC_DONE : RPC_FAILED;
}

/* Whoever has removed it, it does not come back at the next start. The end of the daemon removes nothing. */
static void on_removed(void *context, const struct plugin_event *event)
{
    struct loader *loader = context;
    struct error err;

    if (event->type == EVENT_TYPE_PROCESS_REMOVED ? record_remove_process(&loader->record, event->group, event->process)
                                                  : record_remove_group(&loader->record, event->group))
        keep(loader, &err);
}

/* After a removal, of which on_removed() has heard. */
static enum rpc_outcome answer_removal(struct loader *loader, struct rpc_value **result, struct error *err)
{
    if (loader->is_changed && keep(loader, err) < 0)
        return RPC_FAILED;
    return common_succeed(result);
}

static enum rpc_outcome remove_process_from_group(struct rpc_call *call, const struct rpc_value *params,
                                                  struct rpc_value **result, struct error *err)
{
    struct loader *loader = rpc_call_context(call);

    if (plugin_remove_process(loader->plugin, common_text(params, 0), common_text(params, 1), err) < 0)
        return RPC_FAILED;
    return answer_removal(loader, result, err);
}

static enum rpc_outcome remove_group(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                     struct error *err)
{
    struct loader *loader = rpc_call_context(call);

    if (plugin_remove_group(loader->plugin, common_text(params, 0), err) < 0)
        return RPC_FAILED;
    return answer_removal(loader, result, err);
}

static const struct rpc_method methods[] = {
    {.name = "hasGroup",
     .signature = "boolean string",
     .params = "group_name",
     .help = "Whether there is a group of this name.",
     .flags = RPC_READS,
     .call = has_group_method},
    {.name = "hasProcessInGroup",
     .signature = "boolean string string",
     .params = "group_name, process_name",
     .help = "Whether a group has a process of this name, or one of a program of this name.",
     .flags = RPC_READS,
     .call = has_process_in_group},
    {.name = "addGroup",
     .signature = "boolean string int",
     .params = "group_name, priority=999",
     .help = "Adds a group without processes.",
     .call = add_group_method},
    {.name = "addProgramToGroup",
     .signature = "string string string struct",
     .params = "group_name, program_name, program_options",
     .help = "Adds the processes of a program to a group, which is made if there is none. The options are those of a "
             "[program:x] section; %(process_num)d counts from 1 on, over all that were added under the same name. "
             "Answers the name of the process, or several with blanks between.",
     .call = add_program_to_group},
    {.name = "removeProcessFromGroup",
     .signature = "boolean string string",
     .params = "group_name, process_name",
     .help = "Takes a process that does not run out of its group.",
     .call = remove_process_from_group},
    {.name = "removeGroup",
     .signature = "boolean string",
     .params = "group_name",
     .help = "Removes a group none of whose processes runs.",
     .call = remove_group},
};
static const size_t method_count = sizeof methods / sizeof methods[0];

/* --- the plugin --------------------------------------------------------------------------------------------------- */

/* As the documentation of the original once spells it. */
static int add_misspelt(struct plugin *plugin, struct error *err)
{
    for (size_t i = 0; i < common_method_count; i++) {
        struct rpc_method method = common_methods[i];
        if (strcmp(method.name, "getGroupNames") == 0) {
            method.name = "getgroup_names";
            method.help = "Another name of getGroupNames.";
            return plugin_add_methods(plugin, &method, 1, plugin, err);
        }
    }
    return 0;
}

static int add_methods(struct loader *loader, struct error *err)
{
    if (plugin_add_methods(loader->plugin, common_methods, common_method_count, loader->plugin, err) < 0 ||
        add_misspelt(loader->plugin, err) < 0)
        return -1;
    return plugin_add_methods(loader->plugin, methods, method_count, loader, err);
}

static int check_options(const struct loader *loader, struct error *err)
{
    static const char *const known[] = {"persist", NULL};

    if (loader->path != NULL && loader->path[0] != '/')
        return error_set(err, "persist=%s: an absolute path is wanted, such as %%(here)s/loader.json", loader->path);
    return plugin_check_options(loader->plugin, known, err);
}

static void close_loader(void *context)
{
    struct loader *loader = context;

    record_release(&loader->record);
    free(loader);
}

static void *open_loader(struct plugin *plugin, struct error *err)
{
    struct loader *loader = memory_checked(calloc(1, sizeof *loader));

    loader->plugin = plugin;
    loader->path = plugin_option(plugin, "persist");
    if (check_options(loader, err) < 0 || add_methods(loader, err) < 0 || begin(loader, err) < 0) {
        close_loader(loader);
        return NULL;
    }
    plugin_subscribe(plugin, event_mask(EVENT_TYPE_PROCESS_GROUP_REMOVED) | event_mask(EVENT_TYPE_PROCESS_REMOVED),
                     on_removed, loader);
    return loader;
}

/* As the file has it, and as one value: there may be more of them than the daemon takes in one answer. */
static struct rpc_value *hand_over_loader(void *context)
{
    const struct loader *loader = context;
    char *text = print_record(&loader->record);
    struct rpc_value *value = rpc_bytes(RPC_BASE64, text, strlen(text));

    free(text);
    return value;
}

const struct supervisor_plugin supervisor_plugin = {
    .version = SUPERVISOR_PLUGIN_VERSION,
    .open = open_loader,
    .close = close_loader,
    .hand_over = hand_over_loader,
};
