/* A process group: the processes of one [program:x] or of a [group:x], controlled as a unit. Fields are for reading. */
#ifndef PROCESS_GROUP_H
#define PROCESS_GROUP_H

#include "process/process.h"

struct shared_socket;

struct process_group {
    struct supervisor *supervisor; /* borrowed */
    struct config_group *config;   /* one reference; it has those of the processes */
    struct process *processes;     /* owned; uthash by name (by_name), in the order of the configuration */
    struct shared_socket *socket;  /* owned; of a [fcgi-program:x], else NULL */
    size_t alive_count;            /* members whose state is alive (process/state.h) */
    UT_hash_handle by_name;        /* in the supervisor */
};

/*
 * Makes the group and its processes. NULL with *err, FAILED, when its shared socket or an AUTO log cannot be made;
 * neither is touched when they are to be taken over (process/handover.h). Owned by the supervisor.
 */
struct process_group *group_new(struct supervisor *supervisor, struct config_group *config, bool is_taken,
                                struct error *err);
void group_free(struct process_group *group); /* no member may be alive */

/* Removes the files that were made for `AUTO`, of a group's processes. Failures are logged. */
void group_remove_automatic_logs(const struct process *processes);

/* Frees processes that are chained as those of a group are; none may be alive. */
void group_free_processes(struct process **processes);

/*
 * Gives the group another configuration: processes whose own one is in it stay, others leave or come. *leavers are
 * the ones that have left, to free with group_free_processes(). -1 with *err, and nothing has changed: STILL_RUNNING,
 * ALREADY_ADDED, FAILED. For groups without a shared socket.
 */
int group_change(struct process_group *group, struct config_group *config, struct process **leavers, struct error *err);

struct process *group_find_process(const struct process_group *group, const char *name);

/*
 * The members in the order of their priority (equal ones in the order of the configuration; `reverse` turns all of it
 * round). A malloc'd array of HASH_CNT(by_name, group->processes) pointers.
 */
struct process **group_by_priority(const struct process_group *group, bool reverse);

#endif
