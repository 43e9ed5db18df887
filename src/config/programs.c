/* The groups of processes: [program:x], [fcgi-program:x], [eventlistener:x] and [group:x] (manual 1.4.6 to 1.4.10). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/loader.h"
#include "config/value.h"

#define PROGRAM_PREFIX "program:"
#define FCGI_PREFIX "fcgi-program:"
#define LISTENER_PREFIX "eventlistener:"
#define GROUP_PREFIX "group:"

#define LISTENER_PRIORITY (-1)
#define RESULT_HANDLER "supervisor.dispatchers:default_handler"

/* What a group is made of: the section, the names in it, and what they may be used for. */
struct plan {
    struct loader *loader;
    const struct ini_section *section;
    const char *program;
    const char *group;
    struct expand_variable variables[2];
    struct loader_scope scope;
};

static void plan_init(struct plan *plan, struct loader *loader, const struct ini_section *section, const char *program,
                      const char *group)
{
    *plan =
        (struct plan){.loader = loader,
                      .section = section,
                      .program = program,
                      .group = group,
                      .variables = {{.name = "program_name", .text = program}, {.name = "group_name", .text = group}}};
    plan->scope = (struct loader_scope){.section = plan->variables, .section_count = 2};
}

/* The x of a header, without white space around it, when it is a good name. To free. */
static char *take_name(const struct loader *loader, const struct ini_section *section, struct error *err)
{
    const char *start = strchr(section->name, ':') + 1;

    start += strspn(start, " \t");
    size_t length = strlen(start);
    while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t'))
        length--;
    char *name = xstrndup(start, length);
    if (value_check_name(name, err) == 0)
        return name;
    free(name);
    loader_locate(loader, section, NULL, err);
    return NULL;
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

/* Takes over `text`. */
static void add_warning(struct config *config, char *text)
{
    config->warnings = xreallocarray(config->warnings, config->warning_count + 1, sizeof *config->warnings);
    config->warnings[config->warning_count++] = text;
}

/* Whether the log goes to syslog because its file is called so; `*_syslog` may say the same. */
static bool is_file_named_syslog(const struct plan *plan, const struct loader_scope *scope,
                                 const struct config_log *log, const char *key)
{
    const struct ini_entry *entry = ini_find_entry(plan->loader->ini, plan->section, key);
    struct error unused;

    if (!log->syslog || log->file != NULL || entry == NULL)
        return false;
    CLEANUP_FREE char *text = loader_expand_entry(plan->loader, plan->section, entry, scope, &unused);
    return text != NULL && strcasecmp(text, "syslog") == 0;
}

/* As the original words it: users search for these lines. */
static void warn_of_logs(const struct plan *plan, const struct loader_scope *scope,
                         const struct config_process *process)
{
    struct config *config = plan->loader->config;
    const char *section = plan->section->name;

    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++) {
        const char *stream = config_stream_name(channel);
        CLEANUP_FREE char *key = xasprintf("%s_logfile", stream);
        if (is_file_named_syslog(plan, scope, &process->logs[channel], key))
            add_warning(config, xasprintf("For [%s], %s=syslog but this is deprecated and will be removed.  "
                                          "Use %s_syslog=true to enable syslog instead.",
                                          section, key, stream));
    }
    if (process->redirect_stderr && process->logs[CONFIG_STDERR].file != NULL)
        add_warning(config, xasprintf("For [%s], redirect_stderr=true but stderr_logfile has also been set to a "
                                      "filename, the filename has been ignored",
                                      section));
}

/* What one option says about others. */
static int settle_process(const struct plan *plan, struct config_process *process, struct error *err)
{
    struct config_log *log = &process->logs[CONFIG_STDERR];

    if (!loader_has(plan->loader, plan->section, "killasgroup"))
        process->killasgroup = process->stopasgroup;
    if (process->stopasgroup && !process->killasgroup) {
        error_set(err, "cannot set stopasgroup=true and killasgroup=false");
        return loader_locate(plan->loader, plan->section, "killasgroup", err);
    }
    if (process->redirect_stderr) {
        free(log->file);
        log->file = NULL;
        log->is_automatic = false;
    }
    return 0;
}

static int fill_process(const struct plan *plan, struct config_process *process, long number, int numprocs,
                        struct error *err)
{
    const struct expand_variable variables[] = {{.name = "process_num", .number = number},
                                                {.name = "numprocs", .number = numprocs}};
    struct loader_scope scope = plan->scope;

    scope.process = variables;
    scope.process_count = sizeof variables / sizeof variables[0];
    scope.environment = &process->environment;
    process->program = xstrdup(plan->program);
    if (loader_fill(plan->loader, plan->section, &options_process, &scope, process, err) < 0)
        return -1;
    value_inherit_environment(&process->environment, &plan->loader->config->daemon.environment);
    warn_of_logs(plan, &scope, process);
    return settle_process(plan, process, err);
}

static int check_process_name(const struct plan *plan, int numprocs, struct error *err)
{
    const struct ini_entry *entry = ini_find_entry(plan->loader->ini, plan->section, "process_name");

    if (numprocs <= 1 || (entry != NULL && strstr(entry->text, "%(process_num)") != NULL))
        return 0;
    error_set(err, "%%(process_num) must be present within process_name when numprocs > 1");
    return loader_locate(plan->loader, plan->section, entry != NULL ? "process_name" : "numprocs", err);
}

/* Adds the processes of the plan's section to the group. */
static int add_processes(const struct plan *plan, struct config_group *group, struct error *err)
{
    struct option_counts counts = {0};

    if (loader_fill(plan->loader, plan->section, &options_counts, &plan->scope, &counts, err) < 0 ||
        check_process_name(plan, counts.numprocs, err) < 0)
        return -1;
    if (counts.numprocs <= 0)
        return 0;
    group->processes = xreallocarray(group->processes, group->process_count + (size_t)counts.numprocs,
                                     sizeof(struct config_process *));
    for (int i = 0; i < counts.numprocs; i++) {
        struct config_process *process = group->processes[group->process_count++] = config_process_new();
        if (fill_process(plan, process, (long)counts.numprocs_start + i, counts.numprocs, err) < 0)
            return -1;
    }
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The name that is there twice, or NULL. Sorts. */
static const char *find_duplicate(const char **names, size_t count)
{
    if (count == 0)
        return NULL;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return names[i];
    return NULL;
}

static int check_duplicate_processes(const struct loader *loader, const struct ini_section *section,
                                     const struct config_group *group, struct error *err)
{
    CLEANUP_FREE const char **names = xcalloc(group->process_count + 1, sizeof *names);

    for (size_t i = 0; i < group->process_count; i++)
        names[i] = group->processes[i]->name;
    const char *duplicate = find_duplicate(names, group->process_count);
    if (duplicate == NULL)
        return 0;
    error_set(err, "two processes of the group are named %s", duplicate);
    return loader_locate(loader, section, NULL, err);
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static struct config_group *add_group(struct loader *loader, enum config_group_kind kind, const char *name)
{
    struct config *config = loader->config;
    struct config_group *group = xcalloc(1, sizeof *group);

    group->references = 1;
    group->kind = kind;
    group->name = xstrdup(name);
    config->groups = xreallocarray(config->groups, config->group_count + 1, sizeof(struct config_group *));
    config->groups[config->group_count++] = group;
    return group;
}

/* A program outside of a [group:x] gives its group its own priority. */
static int find_priority(const struct plan *plan, enum config_group_kind kind, int *priority, struct error *err)
{
    const struct option *option = option_find(option_find_section(PROGRAM_PREFIX), "priority");
    struct config_process scratch = {0};

    if (loader_fill_option(plan->loader, plan->section, option, &plan->scope, &scratch, err) < 0)
        return -1;
    *priority = kind == CONFIG_GROUP_LISTENER && !loader_has(plan->loader, plan->section, "priority")
                    ? LISTENER_PRIORITY
                    : scratch.priority;
    return 0;
}

/* Path or host and port, from the URL, which is known to be good. */
static void take_socket_apart(struct config_fcgi_socket *socket)
{
    static const char local[] = "unix://";
    struct error unused;

    if (text_starts_with(socket->url, local))
        socket->path = xstrdup(socket->url + sizeof local - 1);
    else
        (void)value_parse_address(socket->url + strlen("tcp://"), &socket->host, &socket->port, &unused);
}

/* Without an owner of its own, a UNIX socket belongs to the user of the program. */
static int settle_socket_owner(const struct plan *plan, struct config_fcgi_socket *socket, struct error *err)
{
    const struct option *option = option_find(option_find_section(PROGRAM_PREFIX), "user");
    struct config_process scratch = {0};

    if (socket->owner.is_set || socket->path == NULL)
        return 0;
    if (loader_fill_option(plan->loader, plan->section, option, &plan->scope, &scratch, err) < 0)
        return -1;
    socket->owner = scratch.user;
    if (socket->owner.is_set)
        socket->owner_gid = socket->owner.gid;
    return 0;
}

static int make_socket(const struct plan *plan, struct config_group *group, struct error *err)
{
    struct config_fcgi_socket *socket = group->socket = xcalloc(1, sizeof *socket);

    if (loader_fill(plan->loader, plan->section, &options_fcgi, &plan->scope, socket, err) < 0)
        return -1;
    take_socket_apart(socket);
    if (socket->path == NULL && (socket->owner.is_set || socket->mode >= 0)) {
        error_set(err, "socket_owner and socket_mode are for UNIX sockets only");
        return loader_locate(plan->loader, plan->section, "socket", err);
    }
    return settle_socket_owner(plan, socket, err);
}

static int check_events(const struct plan *plan, const struct config_group *group, struct error *err)
{
    bool (*is_event)(const char *name) = plan->loader->options->is_event;

    for (size_t i = 0; is_event != NULL && i < group->listener.event_count; i++)
        if (!is_event(group->listener.events[i])) {
            error_set(err, "unknown event type %s", group->listener.events[i]);
            return loader_locate(plan->loader, plan->section, "events", err);
        }
    return 0;
}

static int make_listener(const struct plan *plan, struct config_group *group, struct error *err)
{
    if (loader_fill(plan->loader, plan->section, &options_listener, &plan->scope, group, err) < 0 ||
        check_events(plan, group, err) < 0)
        return -1;
    if (group->process_count > 0 && group->processes[0]->redirect_stderr) {
        error_set(err, "an event listener must not redirect stderr: it would interfere with the protocol on stdout");
        return loader_locate(plan->loader, plan->section, "redirect_stderr", err);
    }
    if (strcmp(group->listener.result_handler, RESULT_HANDLER) != 0) {
        error_set(err, "%s cannot be resolved: the only result handler is " RESULT_HANDLER,
                  group->listener.result_handler);
        return loader_locate(plan->loader, plan->section, "result_handler", err);
    }
    return 0;
}

/* The group of one section of programs. */
static int make_homogeneous_group(struct loader *loader, const struct ini_section *section, enum config_group_kind kind,
                                  struct error *err)
{
    CLEANUP_FREE char *name = take_name(loader, section, err);
    struct plan plan;

    if (name == NULL)
        return -1;
    plan_init(&plan, loader, section, name, name);
    struct config_group *group = add_group(loader, kind, name);
    if (find_priority(&plan, kind, &group->priority, err) < 0 || add_processes(&plan, group, err) < 0 ||
        check_duplicate_processes(loader, section, group, err) < 0)
        return -1;
    if (kind == CONFIG_GROUP_FCGI)
        return make_socket(&plan, group, err);
    return kind == CONFIG_GROUP_LISTENER ? make_listener(&plan, group, err) : 0;
}

/* --- [group:x] ---------------------------------------------------------------------------------------------------- */

/* The names of all programs that a [group:x] has taken, as a set. */
struct member {
    UT_hash_handle by_name;
    char *name;
};

static void add_member(struct member **members, const char *name)
{
    struct member *member;

    HASH_FIND(by_name, *members, name, strlen(name), member);
    if (member != NULL)
        return;
    member = xcalloc(1, sizeof *member);
    member->name = xstrdup(name);
    HASH_ADD_KEYPTR(by_name, *members, member->name, strlen(member->name), member);
}

static bool is_member(struct member *members, const struct ini_section *section)
{
    const char *name = strchr(section->name, ':') + 1;
    struct member *member;

    HASH_FIND(by_name, members, name, strlen(name), member);
    return member != NULL;
}

static void free_members(struct member **members)
{
    struct member *member;
    struct member *next;

    HASH_ITER (by_name, *members, member, next) {
        HASH_DELETE(by_name, *members, member);
        free(member->name);
        free(member);
    }
}

static const struct ini_section *find_program(const struct loader *loader, const char *prefix, const char *name)
{
    CLEANUP_FREE char *header = xasprintf("%s%s", prefix, name);

    return ini_find_section(loader->ini, header);
}

static const struct ini_section *find_member(const struct loader *loader, const char *program, struct error *err)
{
    const struct ini_section *section = find_program(loader, PROGRAM_PREFIX, program);

    if (section == NULL && find_program(loader, FCGI_PREFIX, program) != NULL)
        error_set(err, "the fcgi-program %s cannot be in a group: its processes share a socket", program);
    else if (section == NULL)
        error_set(err, "names unknown program %s", program);
    return section;
}

static int add_programs(struct loader *loader, const struct ini_section *section, const struct option_group *names,
                        struct config_group *group, struct member **members, struct error *err)
{
    for (size_t i = 0; i < names->program_count; i++) {
        const char *program = names->programs[i];
        const struct ini_section *program_section = find_member(loader, program, err);
        struct plan plan;
        if (program_section == NULL)
            return loader_locate(loader, section, "programs", err);
        plan_init(&plan, loader, program_section, program, group->name);
        if (add_processes(&plan, group, err) < 0)
            return -1;
        add_member(members, program);
    }
    return check_duplicate_processes(loader, section, group, err);
}

static int make_mixed_group(struct loader *loader, const struct ini_section *section, struct member **members,
                            struct error *err)
{
    static const struct loader_scope scope = {0};
    CLEANUP_FREE char *name = take_name(loader, section, err);
    struct option_group names = {0};

    if (name == NULL)
        return -1;
    int result = loader_fill(loader, section, &options_group, &scope, &names, err);
    if (result == 0) {
        struct config_group *group = add_group(loader, CONFIG_GROUP_MIXED, name);
        group->priority = names.priority;
        result = add_programs(loader, section, &names, group, members, err);
    }
    options_release(&options_group, &names);
    return result;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static int compare_groups(const void *a, const void *b)
{
    const struct config_group *one = *(struct config_group *const *)a;
    const struct config_group *other = *(struct config_group *const *)b;

    if (one->priority != other->priority)
        return one->priority < other->priority ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int check_duplicate_groups(const struct config *config, struct error *err)
{
    CLEANUP_FREE const char **names = xcalloc(config->group_count + 1, sizeof *names);

    for (size_t i = 0; i < config->group_count; i++)
        names[i] = config->groups[i]->name;
    const char *duplicate = find_duplicate(names, config->group_count);
    return duplicate == NULL ? 0 : error_set(err, "%s: two groups or programs are named %s", config->path, duplicate);
}

static int make_mixed_groups(struct loader *loader, struct member **members, struct error *err)
{
    for (struct ini_section *section = loader->ini->sections; section != NULL; section = section->by_name.next)
        if (text_starts_with(section->name, GROUP_PREFIX) && make_mixed_group(loader, section, members, err) < 0)
            return -1;
    return 0;
}

static int make_homogeneous_groups(struct loader *loader, struct member *members, struct error *err)
{
    static const struct {
        const char *prefix;
        enum config_group_kind kind;
    } kinds[] = {{PROGRAM_PREFIX, CONFIG_GROUP_PROGRAM},
                 {FCGI_PREFIX, CONFIG_GROUP_FCGI},
                 {LISTENER_PREFIX, CONFIG_GROUP_LISTENER}};

    for (struct ini_section *section = loader->ini->sections; section != NULL; section = section->by_name.next)
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            if (!text_starts_with(section->name, kinds[i].prefix) ||
                (kinds[i].kind == CONFIG_GROUP_PROGRAM && is_member(members, section)))
                continue;
            if (make_homogeneous_group(loader, section, kinds[i].kind, err) < 0)
                return -1;
        }
    return 0;
}

int loader_make_groups(struct loader *loader, struct error *err)
{
    struct config *config = loader->config;
    struct member *members = NULL;
    int result = make_mixed_groups(loader, &members, err);

    if (result == 0)
        result = make_homogeneous_groups(loader, members, err);
    free_members(&members);
    if (result < 0 || check_duplicate_groups(config, err) < 0)
        return -1;
    if (config->group_count > 0)
        qsort(config->groups, config->group_count, sizeof(struct config_group *), compare_groups);
    return 0;
}

/* --- a program of no file ----------------------------------------------------------------------------------------- */

static void set_options(struct ini_section *section, const struct config_environment *options)
{
    for (size_t i = 0; i < options->count; i++)
        ini_set(section, options->variables[i].name, options->variables[i].value);
}

struct config_group *loader_make_program(struct loader *loader, const char *group, const char *program,
                                         const struct config_environment *options, struct error *err)
{
    CLEANUP_FREE char *header = xasprintf(PROGRAM_PREFIX "%s", program);
    struct ini_section *section = ini_add_section(loader->ini, loader->config->path, header);
    struct config_group *made = add_group(loader, CONFIG_GROUP_MIXED, group);
    struct plan plan;

    set_options(section, options);
    plan_init(&plan, loader, section, program, group);
    if (value_check_name(program, err) < 0 || add_processes(&plan, made, err) < 0 ||
        check_duplicate_processes(loader, section, made, err) < 0)
        return NULL;
    for (size_t i = 0; i < made->process_count; i++)
        made->processes[i]->is_dynamic = true;
    return config_group_ref(made);
}
