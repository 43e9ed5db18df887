#include "process/group.h"

#include <stdlib.h>
#include <string.h>

#include "output/automatic.h"
#include "process/shared_socket.h"
#include "process/supervisor.h"

static int make_processes(struct process_group *group, bool is_taken, struct error *err)
{
    for (size_t i = 0; i < group->config->process_count; i++) {
        struct process *process = process_new(group, &group->config->processes[i], is_taken, err);
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

void group_free(struct process_group *group)
{
    struct process *process;
    struct process *next;

    HASH_ITER (by_name, group->processes, process, next) {
        HASH_DELETE(by_name, group->processes, process);
        process_free(process);
    }
    shared_socket_free(group->socket);
    config_group_unref(group->config);
    free(group);
}

void group_remove_automatic_logs(const struct process_group *group)
{
    for (const struct process *process = group->processes; process != NULL; process = process->by_name.next)
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

static int compare_position(const struct process *a, const struct process *b)
{
    return (a->config > b->config) - (a->config < b->config); /* elements of one array, in the order of the file */
}

static int by_priority(const void *left, const void *right)
{
    const struct process *a = *(struct process *const *)left;
    const struct process *b = *(struct process *const *)right;

    if (a->config->priority != b->config->priority)
        return a->config->priority < b->config->priority ? -1 : 1;
    return compare_position(a, b);
}

static int by_priority_reversed(const void *left, const void *right)
{
    return by_priority(right, left);
}

struct process **group_by_priority(const struct process_group *group, bool reverse)
{
    struct process **sorted = xcalloc(HASH_CNT(by_name, group->processes), sizeof(struct process *));
    struct process *process;
    size_t count = 0;

    for (process = group->processes; process != NULL; process = process->by_name.next)
        sorted[count++] = process;
    qsort(sorted, count, sizeof(struct process *), reverse ? by_priority_reversed : by_priority);
    return sorted;
}
