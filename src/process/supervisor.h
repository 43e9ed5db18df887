/*
 * All groups and processes of one daemon, and its own state (process/state.h).
 * Fields are for reading; only src/process/ writes them.
 */
#ifndef PROCESS_SUPERVISOR_H
#define PROCESS_SUPERVISOR_H

#include "config/model.h"
#include "event/event.h"
#include "process/group.h"
#include "process/process.h"
#include "process/system.h"

struct stopping;

struct supervisor {
    struct event_base *loop;             /* borrowed */
    struct event_bus *bus;               /* owned */
    const struct process_system *system; /* borrowed: the system calls */
    enum supervisor_state state;

    struct process_group *groups; /* owned; uthash by name (by_name), in the order in which they were added */
    struct process *by_pid;       /* borrowed; every process that has a child */

    /* Settings that come from [supervisord] and hold for groups made from now on. Owned. */
    char *identifier;
    char *childlogdir;
    char *server_url; /* what SUPERVISOR_SERVER_URL is when the program does not say; NULL: no server */
    bool strip_ansi;
    bool keeps_automatic_logs; /* also when their group is removed */
    bool is_changing;          /* subscribers are being told of a group or process that has come or goes */

    struct process *start_queue; /* utlist: to be started when the loop comes round */
    struct event *start_event;   /* owned: works the queue off */
    struct event *sigchld;       /* owned; NULL until children are watched */
    struct event *reap_event;    /* owned: goes on with reaping after others had their turn */

    struct stopping *stopping;         /* owned: how far a shutdown has come; NULL: none is under way */
    int exit_status;                   /* of the daemon, when a shutdown has come to its end */
    void (*on_stopped)(void *context); /* set by the owner: a shutdown or restart has stopped everything */
    void *on_stopped_context;
    /* Set by whoever knows: a group that should not be stopped yet, as it is about to finish something. NULL: none is.
     */
    bool (*is_occupied)(void *context, const struct process_group *group);
    void *is_occupied_context;
};

struct supervisor *supervisor_new(struct event_base *loop, const struct process_system *system);
void supervisor_free(struct supervisor *supervisor); /* no child may be left but in UNKNOWN; NULL is fine */

/* Takes over identifier, childlogdir, strip_ansi and nocleanup of a model, and the server URL of the first. */
void supervisor_configure(struct supervisor *supervisor, const struct config *config);

/* Begins to hear of ended children. */
int supervisor_watch_children(struct supervisor *supervisor, struct error *err);

/* Makes the group and its processes and queues those with autostart. -1 with *err: ALREADY_ADDED, or a bad AUTO log. */
int supervisor_add_group(struct supervisor *supervisor, struct config_group *config, struct error *err);

/* -1 with STILL_RUNNING while a member is alive, else the group is gone, and its AUTO logs with it. */
int supervisor_remove_group(struct supervisor *supervisor, struct process_group *group, struct error *err);

/*
 * Gives a group another configuration, whose last `comer_count` processes are new (process/group.h); those with
 * autostart are queued. -1 with *err, and nothing has changed: STILL_RUNNING, ALREADY_ADDED, FAILED.
 */
int supervisor_change_group(struct supervisor *supervisor, struct process_group *group, struct config_group *config,
                            size_t comer_count, struct error *err);

struct process_group *supervisor_find_group(const struct supervisor *supervisor, const char *name);
struct process *supervisor_find_process(const struct supervisor *supervisor, const char *group, const char *name);

/*
 * Every process sorted by group name, then process name. A malloc'd array; *count says how many.
 */
struct process **supervisor_sorted_processes(const struct supervisor *supervisor, size_t *count);

/*
 * Every process in the order of starting: by group priority, within a group by process priority.
 * A malloc'd array; *count says how many.
 */
struct process **supervisor_processes_by_priority(const struct supervisor *supervisor, size_t *count);

/*
 * Starts a process soon: the queue is worked off in slices between which clients are served. A process that cannot be
 * started goes through BACKOFF to FATAL, whatever the reason. Does nothing when it is queued or running already.
 */
void supervisor_queue_start(struct supervisor *supervisor, struct process *process);
void supervisor_unqueue_start(struct supervisor *supervisor, struct process *process);

/*
 * Stops everything, highest group priority first, groups of one priority together; then calls `on_stopped` from the
 * loop. `state` is SUPERVISOR_SHUTDOWN or SUPERVISOR_RESTARTING. During a restart a shutdown turns it into one;
 * anything else that comes during either changes nothing.
 */
void supervisor_stop(struct supervisor *supervisor, enum supervisor_state state);

/*
 * A group that is_occupied() is waited for, two seconds at most, before it and its like are stopped. To be called when
 * one no longer is; does nothing when no shutdown is under way.
 */
void supervisor_continue_stop(struct supervisor *supervisor);

/* Reopens the logs of all processes (SIGUSR2). Failures are logged. */
void supervisor_reopen_logs(struct supervisor *supervisor);

#endif
