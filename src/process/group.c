#include "process/group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "output/automatic.h"
#include "process/shared_socket.h"
#include "process/supervisor.h"

static int make_processes(struct process_group *group, bool is_taken, struct error *err)
{
    for (size_t i = 0; i < group->config->process_count; i++) {
        struct process *process = process_new(group, group->config->processes[i], is_taken, err);
        if (process == NULL)
            return -1;
        HASH_ADD_KEYPTR(by_name, group->processes, process->config->name, strlen(process->config->name), process);
    }
    return 0;
}

static int make_socket(struct process_group *group, bool is_taken, struct error *err)
{
    if (group->config->kind != CONFIG_GROUP_FCGI)
        return 0;
    group->socket = shared_socket_new(group->config->socket, is_taken, err);
    return group->socket != NULL ? 0 : -1;
}

struct process_group *group_new(struct supervisor *supervisor, struct config_group *config, bool is_taken,
                                struct error *err)
{
    struct process_group *group = xcalloc(1, sizeof *group);

    group->supervisor = supervisor;
    group->config = config_group_ref(config);
    if (make_socket(group, is_taken, err) < 0 || make_processes(group, is_taken, err) < 0) {
        err->fault = FAULT_FAILED;
        group_free(group);
        return NULL;
    }
    return group;
}

void group_free_processes(struct process **processes)
{
    struct process *process;
    struct process *next;

    HASH_ITER (by_name, *processes, process, next) {
        HASH_DELETE(by_name, *processes, process);
        process_free(process);
    }
}

void group_free(struct process_group *group)
{
    group_free_processes(&group->processes);
    shared_socket_free(group->socket);
    config_group_unref(group->config);
    free(group);
}

void group_remove_automatic_logs(const struct process *processes)
{
    for (const struct process *process = processes; process != NULL; process = process->by_name.next)
        for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
            if (process->streams[channel] != NULL && process->config->logs[channel].is_automatic)
                automatic_log_remove(stream_log_path(process->streams[channel]));
}

struct process *group_find_process(const struct process_group *group, const char *name)
{
    struct process *process;

    HASH_FIND(by_name, group->processes, name, strlen(name), process);
    return process;
}

/* A member and where the configuration has it. */
struct member {
    struct process *process;
    size_t position;
};

static int by_priority(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;

    if (a->process->config->priority != b->process->config->priority)
        return a->process->config->priority < b->process->config->priority ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static int by_priority_reversed(const void *left, const void *right)
{
    return by_priority(right, left);
}

struct process **group_by_priority(const struct process_group *group, bool reverse)
{
    const size_t total = HASH_CNT(by_name, group->processes);
    struct process **sorted = xcalloc(total, sizeof(struct process *));
    CLEANUP_FREE struct member *members = xcalloc(total, sizeof *members);
    size_t count = 0;

    for (struct process *process = group->processes; process != NULL; process = process->by_name.next, count++)
        members[count] = (struct member){process, count};
    qsort(members, count, sizeof *members, reverse ? by_priority_reversed : by_priority);
    for (size_t i = 0; i < count; i++)
        sorted[i] = members[i].process;
    return sorted;
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static bool stays(const struct process *process, const struct config_group *config)
{
    for (size_t i = 0; i < config->process_count; i++)
        if (config->processes[i] == process->config)
            return true;
    return false;
}

/* Those that are to leave must not be alive, and those that are to come must not be there. */
static int check_change(const struct process_group *group, const struct config_group *config, struct error *err)
{
    for (const struct process *process = group->processes; process != NULL; process = process->by_name.next)
        if (process_state_is_alive(process->state) && !stays(process, config))
            return error_set_fault(err, FAULT_STILL_RUNNING, "%s:%s", config->name, process->config->name);
    for (size_t i = 0; i < config->process_count; i++) {
        const struct process *there = group_find_process(group, config->processes[i]->name);
        if (there != NULL && there->config != config->processes[i] && stays(there, config))
            return error_set_fault(err, FAULT_ALREADY_ADDED, "%s:%s", config->name, config->processes[i]->name);
    }
    return 0;
}

static void add_to(struct process **processes, struct process *process)
{
    HASH_ADD_KEYPTR(by_name, *processes, process->config->name, strlen(process->config->name), process);
}

static struct process *find_in(struct process *processes, const char *name)
{
    struct process *process;

    HASH_FIND(by_name, processes, name, strlen(name), process);
    return process;
}

/* Those of the configuration that the group does not have yet. */
static int make_comers(struct process_group *group, const struct config_group *config, struct process **comers,
                       struct error *err)
{
    for (size_t i = 0; i < config->process_count; i++) {
        const struct process *there = group_find_process(group, config->processes[i]->name);
        if (there != NULL && there->config == config->processes[i])
            continue;
        struct process *process = process_new(group, config->processes[i], false, err);
        if (process == NULL) {
            group_free_processes(comers);
            err->fault = FAULT_FAILED;
            return -1;
        }
        add_to(comers, process);
    }
    return 0;
}

int group_change(struct process_group *group, struct config_group *config, struct process **leavers, struct error *err)
{
    struct process *comers = NULL;
    struct process *members = NULL;

    if (check_change(group, config, err) < 0 || make_comers(group, config, &comers, err) < 0)
        return -1;
    for (size_t i = 0; i < config->process_count; i++) {
        struct process **from = find_in(comers, config->processes[i]->name) != NULL ? &comers : &group->processes;
        struct process *process = find_in(*from, config->processes[i]->name);
        assert(process != NULL && *from != NULL); /* it has come, or was there */
        HASH_DELETE(by_name, *from, process);
        add_to(&members, process);
    }
    *leavers = group->processes;
    group->processes = members;
    config_group_ref(config);
    config_group_unref(group->config);
    group->config = config;
    group->by_name.key = config->name; /* the table of groups must not keep the name that may have gone */
    return 0;
}
