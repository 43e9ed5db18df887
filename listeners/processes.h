/* What supervisord's processes are doing, and starting them anew. */
#ifndef LISTENERS_PROCESSES_H
#define LISTENERS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <supervisor/listener.h>
#include <sys/types.h>

struct process {
    const char *group;
    const char *name;
    char *namespec;   /* "group:name" */
    pid_t pid;        /* 0: it is down */
    bool is_running;  /* in the state RUNNING */
    bool is_wanted;   /* RUNNING or STARTING: nobody is stopping it, and it is not waiting to be started */
    int64_t uptime_s; /* since it was started; 0 when it is down */
};

/* All but the listener that asks: it could stop itself and nothing more. */
struct processes {
    struct process *list;
    size_t count;
    struct rpc_value *answer; /* what the texts point into */
};

int processes_get(struct processes *processes, struct listener_rpc *rpc, struct error *err); /* 0 or -1 */
void processes_release(struct processes *processes);

/*
 * Stops it and starts it, and waits for both. 0, or -1 with *err; it may be down then. One that somebody else has
 * stopped meanwhile is left so.
 */
int process_restart(const struct process *process, struct listener_rpc *rpc, struct error *err);

#endif
