#include "process/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/signals.h"
#include "process/stopping.h"

/* How long starts may keep the loop from its other work at a stretch. */
#define START_SLICE_US (5 * INT64_C(1000))

/* How many children are buried before others have their turn. */
enum { REAP_SLICE = 64 };

/* --- the start queue ---------------------------------------------------------------------------------------------- */

void supervisor_queue_start(struct supervisor *supervisor, struct process *process)
{
    if (process->is_queued)
        return;
    if (supervisor->start_queue == NULL)
        loop_timer_arm_next_turn(supervisor->start_event);
    process->is_queued = true;
    DL_APPEND2(supervisor->start_queue, process, prev_queued, next_queued);
}

void supervisor_unqueue_start(struct supervisor *supervisor, struct process *process)
{
    if (!process->is_queued)
        return;
    process->is_queued = false;
    DL_DELETE2(supervisor->start_queue, process, prev_queued, next_queued);
}

static void start_queued(evutil_socket_t fd, short what, void *context)
{
    struct supervisor *supervisor = context;
    const int64_t until = supervisor->system->monotonic_us() + START_SLICE_US;

    (void)fd;
    (void)what;
    while (supervisor->start_queue != NULL) {
        struct process *process = supervisor->start_queue;
        supervisor_unqueue_start(supervisor, process);
        process_start_automatically(process);
        if (supervisor->system->monotonic_us() >= until)
            break;
    }
    if (supervisor->start_queue != NULL)
        loop_timer_arm_next_turn(supervisor->start_event);
}

/* --- reaping ------------------------------------------------------------------------------------------------------ */

static void bury(struct supervisor *supervisor, pid_t pid, int wait_status)
{
    struct process *process;

    HASH_FIND(by_pid, supervisor->by_pid, &pid, sizeof pid, process);
    if (process != NULL)
        process_child_ended(process, wait_status);
    else if (WIFSIGNALED(wait_status))
        log_info("reaped unknown pid %d (terminated by %s)", (int)pid, signal_name(WTERMSIG(wait_status)));
    else
        log_info("reaped unknown pid %d (exit status %d)", (int)pid, WEXITSTATUS(wait_status));
}

static void reap(struct supervisor *supervisor)
{
    for (int count = 0; count < REAP_SLICE; count++) {
        int wait_status;
        const pid_t pid = waitpid(-1, &wait_status, WNOHANG);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid <= 0)
            return;
        bury(supervisor, pid, wait_status);
    }
    loop_timer_arm_next_turn(supervisor->reap_event);
}

static void on_reap(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    reap(context);
}

static void on_sigchld(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    log_debug("received SIGCHLD indicating a child quit");
    reap(context);
}

int supervisor_watch_children(struct supervisor *supervisor, struct error *err)
{
    supervisor->sigchld = evsignal_new(supervisor->loop, SIGCHLD, on_sigchld, supervisor);
    if (supervisor->sigchld == NULL || event_add(supervisor->sigchld, NULL) < 0)
        return error_set(err, "cannot watch for SIGCHLD");
    return 0;
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static void publish_group(struct supervisor *supervisor, enum event_type type, const char *name)
{
    struct event_occurrence occurrence = {.type = type, .group = {.group = name}};

    event_publish(supervisor->bus, &occurrence);
}

/* Of the processes from the given place on. */
static void queue_autostarts(struct process_group *group, size_t first)
{
    for (size_t i = first; i < group->config->process_count; i++)
        if (group->config->processes[i]->autostart)
            supervisor_queue_start(group->supervisor, group_find_process(group, group->config->processes[i]->name));
}

/* Who hears of a group that comes or goes must not free under the feet of who tells. */
static int refuse_change(const struct supervisor *supervisor, struct error *err)
{
    if (supervisor->is_changing)
        return error_set_fault(err, FAULT_FAILED, "groups cannot change while others are told of a change");
    return 0;
}

int supervisor_add_group(struct supervisor *supervisor, struct config_group *config, struct error *err)
{
    if (refuse_change(supervisor, err) < 0)
        return -1;
    if (supervisor_find_group(supervisor, config->name) != NULL)
        return error_set_fault(err, FAULT_ALREADY_ADDED, "%s", config->name);
    struct process_group *group = group_new(supervisor, config, false, err);
    if (group == NULL)
        return -1;
    HASH_ADD_KEYPTR(by_name, supervisor->groups, group->config->name, strlen(group->config->name), group);
    supervisor->is_changing = true;
    publish_group(supervisor, EVENT_TYPE_PROCESS_GROUP_ADDED, config->name);
    supervisor->is_changing = false;
    queue_autostarts(group, 0);
    return 0;
}

int supervisor_remove_group(struct supervisor *supervisor, struct process_group *group, struct error *err)
{
    if (refuse_change(supervisor, err) < 0)
        return -1;
    if (group->alive_count > 0)
        return error_set_fault(err, FAULT_STILL_RUNNING, "%s", group->config->name);
    HASH_DELETE(by_name, supervisor->groups, group);
    supervisor->is_changing = true;
    publish_group(supervisor, EVENT_TYPE_PROCESS_GROUP_REMOVED, group->config->name);
    supervisor->is_changing = false;
    if (!supervisor->keeps_automatic_logs)
        group_remove_automatic_logs(group->processes);
    group_free(group);
    return 0;
}

static void publish_process(struct supervisor *supervisor, enum event_type type, struct process *process)
{
    struct event_occurrence occurrence = {.type = type, .state = {.process = process}};

    event_publish(supervisor->bus, &occurrence);
}

static void let_go(struct supervisor *supervisor, struct process *leavers)
{
    for (struct process *process = leavers; process != NULL; process = process->by_name.next)
        publish_process(supervisor, EVENT_TYPE_PROCESS_REMOVED, process);
    if (!supervisor->keeps_automatic_logs)
        group_remove_automatic_logs(leavers);
    group_free_processes(&leavers);
}

int supervisor_change_group(struct supervisor *supervisor, struct process_group *group, struct config_group *config,
                            size_t comer_count, struct error *err)
{
    const size_t first = config->process_count - comer_count;
    struct config_group *before = group->config;
    struct process *leavers = NULL;

    if (refuse_change(supervisor, err) < 0)
        return -1;
    config_group_ref(before); /* it has what the leavers are configured by */
    if (group_change(group, config, &leavers, err) < 0) {
        config_group_unref(before);
        return -1;
    }
    supervisor->is_changing = true;
    let_go(supervisor, leavers);
    config_group_unref(before);
    for (size_t i = first; i < config->process_count; i++)
        publish_process(supervisor, EVENT_TYPE_PROCESS_ADDED, group_find_process(group, config->processes[i]->name));
    supervisor->is_changing = false;
    queue_autostarts(group, first);
    return 0;
}

struct process_group *supervisor_find_group(const struct supervisor *supervisor, const char *name)
{
    struct process_group *group;

    HASH_FIND(by_name, supervisor->groups, name, strlen(name), group);
    return group;
}

struct process *supervisor_find_process(const struct supervisor *supervisor, const char *group_name, const char *name)
{
    const struct process_group *group = supervisor_find_group(supervisor, group_name);

    return group != NULL ? group_find_process(group, name) : NULL;
}

/* --- all processes ------------------------------------------------------------------------------------------------ */

static int by_group_and_name(const void *left, const void *right)
{
    const struct process *a = *(struct process *const *)left;
    const struct process *b = *(struct process *const *)right;
    const int groups = strcmp(a->group->config->name, b->group->config->name);

    return groups != 0 ? groups : strcmp(a->config->name, b->config->name);
}

static size_t count_processes(const struct supervisor *supervisor)
{
    size_t count = 0;

    for (const struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next)
        count += HASH_CNT(by_name, group->processes);
    return count;
}

struct process **supervisor_sorted_processes(const struct supervisor *supervisor, size_t *count)
{
    struct process **sorted = xcalloc(count_processes(supervisor), sizeof(struct process *));

    *count = 0;
    for (const struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next)
        for (struct process *process = group->processes; process != NULL; process = process->by_name.next)
            sorted[(*count)++] = process;
    qsort(sorted, *count, sizeof(struct process *), by_group_and_name);
    return sorted;
}

/* A group with its place, so that the order among equal priorities is the order in which groups were added. */
struct ranked_group {
    struct process_group *group;
    size_t place;
};

static int by_group_priority(const void *left, const void *right)
{
    const struct ranked_group *a = left;
    const struct ranked_group *b = right;
    const int a_priority = a->group->config->priority;
    const int b_priority = b->group->config->priority;

    if (a_priority != b_priority)
        return a_priority < b_priority ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

struct process **supervisor_processes_by_priority(const struct supervisor *supervisor, size_t *count)
{
    struct process **processes = xcalloc(count_processes(supervisor), sizeof(struct process *));
    const size_t group_count = HASH_CNT(by_name, supervisor->groups);
    struct ranked_group *ranked = xcalloc(group_count, sizeof *ranked);
    size_t place = 0;

    for (struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next, place++)
        ranked[place] = (struct ranked_group){group, place};
    qsort(ranked, group_count, sizeof *ranked, by_group_priority);
    *count = 0;
    for (size_t i = 0; i < group_count; i++) {
        const size_t members = HASH_CNT(by_name, ranked[i].group->processes);
        CLEANUP_FREE struct process **sorted = group_by_priority(ranked[i].group, false);
        memcpy(processes + *count, sorted, members * sizeof(struct process *));
        *count += members;
    }
    free(ranked);
    return processes;
}

void supervisor_reopen_logs(struct supervisor *supervisor)
{
    for (struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next)
        for (struct process *process = group->processes; process != NULL; process = process->by_name.next)
            process_reopen_logs(process);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

struct supervisor *supervisor_new(struct event_base *loop, const struct process_system *system)
{
    struct supervisor *supervisor = xcalloc(1, sizeof *supervisor);

    supervisor->loop = loop;
    supervisor->system = system;
    supervisor->bus = event_bus_new();
    supervisor->state = SUPERVISOR_RUNNING;
    supervisor->start_event = loop_timer_new(loop, start_queued, supervisor);
    supervisor->reap_event = loop_timer_new(loop, on_reap, supervisor);
    return supervisor;
}

static char *make_server_url(const struct config *config)
{
    const struct config_server *inet = NULL;

    for (size_t i = 0; i < config->server_count; i++) {
        if (config->servers[i].kind == CONFIG_SERVER_UNIX)
            return xasprintf("unix://%s", config->servers[i].path);
        inet = &config->servers[i];
    }
    if (inet == NULL)
        return NULL;
    return xasprintf("%s://%s:%d", inet->tls_certificate != NULL ? "https" : "http",
                     inet->host[0] != '\0' ? inet->host : "localhost", inet->port);
}

void supervisor_configure(struct supervisor *supervisor, const struct config *config)
{
    free(supervisor->identifier);
    free(supervisor->childlogdir);
    supervisor->identifier = xstrdup(config->daemon.identifier);
    supervisor->childlogdir = xstrdup(config->daemon.childlogdir);
    if (supervisor->server_url == NULL) /* the servers stay those of the start */
        supervisor->server_url = make_server_url(config);
    supervisor->strip_ansi = config->daemon.strip_ansi;
    supervisor->keeps_automatic_logs = config->daemon.nocleanup;
}

void supervisor_free(struct supervisor *supervisor)
{
    struct process_group *group;
    struct process_group *next;

    if (supervisor == NULL)
        return;
    stopping_free(supervisor->stopping);
    HASH_ITER (by_name, supervisor->groups, group, next) {
        HASH_DELETE(by_name, supervisor->groups, group);
        group_free(group);
    }
    if (supervisor->sigchld != NULL)
        event_free(supervisor->sigchld);
    event_free(supervisor->start_event);
    event_free(supervisor->reap_event);
    event_bus_free(supervisor->bus);
    free(supervisor->identifier);
    free(supervisor->childlogdir);
    free(supervisor->server_url);
    free(supervisor);
}
