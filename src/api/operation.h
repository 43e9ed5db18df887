/*
 * Doing something to processes and answering when it is done: the one mechanism behind startProcess,
 * stopProcessGroup, signalAllProcesses and all the others. An operation works through its processes in slices, so that
 * a thousand starts do not keep other clients waiting, and then waits for the events that tell the outcome.
 */
#ifndef API_OPERATION_H
#define API_OPERATION_H

#include "api/api.h"

/* How far a process has come. */
enum operation_progress { OPERATION_UNDER_WAY, OPERATION_SUCCEEDED, OPERATION_FAILED };

struct operation_kind {
    /* Whether an operation on many takes this one in. NULL: all. */
    bool (*concerns)(const struct process *process);
    /* Does it. -1 with *err when it is refused. `argument` is that of operation_run_one() or operation_run_many(). */
    int (*act)(struct process *process, const struct rpc_value *argument, struct error *err);
    /* What the process's state says about the outcome. On failure *fault says why. NULL: done once acted. */
    enum operation_progress (*progress)(const struct process *process, enum fault *fault);
};

/*
 * `argument` is one of the call's parameters or NULL.
 *
 * On one process, called `name` by the client: answers true or a fault. With `wait` false the answer comes once it has
 * been acted.
 */
enum rpc_outcome operation_run_one(struct rpc_call *call, const struct operation_kind *kind,
                                   const struct rpc_value *argument, struct process *process, const char *name,
                                   bool wait, struct rpc_value **result, struct error *err);

/*
 * On many, in the order given: answers with an array of {name, group, status, description} in the order of completion.
 * Takes the array `processes`.
 */
enum rpc_outcome operation_run_many(struct rpc_call *call, const struct operation_kind *kind,
                                    const struct rpc_value *argument, struct process **processes, size_t count,
                                    bool wait, struct rpc_value **result);

#endif
