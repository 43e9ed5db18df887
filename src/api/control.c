#include <stdlib.h>

#include "api/internal.h"
#include "api/operation.h"
#include "base/signals.h"

/* --- what can be done to a process -------------------------------------------------------------------------------- */

static bool is_not_running(const struct process *process)
{
    return !process_state_is_running(process->state);
}

static bool is_running(const struct process *process)
{
    return process_state_is_running(process->state);
}

static bool has_child(const struct process *process)
{
    return process->pid != 0;
}

static int start(struct process *process, int unused, struct error *err)
{
    (void)unused;
    return process_start(process, err);
}

static int stop(struct process *process, int unused, struct error *err)
{
    (void)unused;
    return process_stop(process, err);
}

static int send_signal(struct process *process, int signal, struct error *err)
{
    return process_signal(process, signal, err);
}

static int clear_logs(struct process *process, int unused, struct error *err)
{
    (void)unused;
    return process_clear_logs(process, err);
}

static enum operation_progress progress_of_start(const struct process *process, enum fault *fault)
{
    if (process->state == PROCESS_RUNNING)
        return OPERATION_SUCCEEDED;
    if (process->state == PROCESS_STARTING)
        return OPERATION_UNDER_WAY;
    *fault = process->spawn_error != NULL ? FAULT_SPAWN_ERROR : FAULT_ABNORMAL_TERMINATION;
    return OPERATION_FAILED;
}

static enum operation_progress progress_of_stop(const struct process *process, enum fault *fault)
{
    (void)fault;
    return process_state_is_alive(process->state) ? OPERATION_UNDER_WAY : OPERATION_SUCCEEDED;
}

static const struct operation_kind starting = {is_not_running, start, progress_of_start};
static const struct operation_kind stopping = {is_running, stop, progress_of_stop};
static const struct operation_kind signalling = {has_child, send_signal, NULL};
static const struct operation_kind clearing = {NULL, clear_logs, NULL};

/* --- to one, a group, all ----------------------------------------------------------------------------------------- */

static enum rpc_outcome run_on_group(struct rpc_call *call, const struct operation_kind *kind, int argument,
                                     const struct process_group *group, bool wait, struct rpc_value **result)
{
    return operation_run_many(call, kind, argument, group_by_priority(group, false),
                              HASH_CNT(by_name, group->processes), wait, result);
}

static enum rpc_outcome run_on_name(struct rpc_call *call, const struct operation_kind *kind, int argument,
                                    const char *name, bool wait, struct rpc_value **result, struct error *err)
{
    struct api_target target;

    if (api_find_target(api_supervisor(call), name, &target, err) < 0)
        return api_fail(err);
    if (target.process == NULL)
        return run_on_group(call, kind, argument, target.group, wait, result);
    return operation_run_one(call, kind, argument, target.process, name, wait, result, err);
}

static enum rpc_outcome run_on_group_name(struct rpc_call *call, const struct operation_kind *kind, int argument,
                                          const char *name, bool wait, struct rpc_value **result, struct error *err)
{
    const struct process_group *group = api_find_group(api_supervisor(call), name, err);

    return group != NULL ? run_on_group(call, kind, argument, group, wait, result) : api_fail(err);
}

static enum rpc_outcome run_on_all(struct rpc_call *call, const struct operation_kind *kind, int argument, bool wait,
                                   struct rpc_value **result)
{
    size_t count;
    struct process **processes = supervisor_processes_by_priority(api_supervisor(call), &count);

    return operation_run_many(call, kind, argument, processes, count, wait, result);
}

/* --- the methods -------------------------------------------------------------------------------------------------- */

static const char *name_of(const struct rpc_value *params)
{
    return rpc_as_string(rpc_array_get(params, 0));
}

static bool wait_of(const struct rpc_value *params, size_t index)
{
    return rpc_as_boolean(rpc_array_get(params, index));
}

enum rpc_outcome api_start_process(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                   struct error *err)
{
    return run_on_name(call, &starting, 0, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_start_process_group(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    return run_on_group_name(call, &starting, 0, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_start_all_processes(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    (void)err;
    return run_on_all(call, &starting, 0, wait_of(params, 0), result);
}

enum rpc_outcome api_stop_process(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                  struct error *err)
{
    return run_on_name(call, &stopping, 0, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_stop_process_group(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    return run_on_group_name(call, &stopping, 0, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_stop_all_processes(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    (void)err;
    return run_on_all(call, &stopping, 0, wait_of(params, 0), result);
}

/* The signal that a parameter names, or -1 with *err. */
static int signal_of(const struct rpc_value *params, size_t index, struct error *err)
{
    const char *name = rpc_as_string(rpc_array_get(params, index));
    const int number = signal_by_name(name);

    return number < 0 ? error_set_fault(err, FAULT_BAD_SIGNAL, "%s", name) : number;
}

enum rpc_outcome api_signal_process(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                    struct error *err)
{
    const int signal = signal_of(params, 1, err);

    return signal < 0 ? api_fail(err) : run_on_name(call, &signalling, signal, name_of(params), true, result, err);
}

enum rpc_outcome api_signal_process_group(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    const int signal = signal_of(params, 1, err);

    return signal < 0 ? api_fail(err)
                      : run_on_group_name(call, &signalling, signal, name_of(params), true, result, err);
}

enum rpc_outcome api_signal_all_processes(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    const int signal = signal_of(params, 0, err);

    return signal < 0 ? api_fail(err) : run_on_all(call, &signalling, signal, true, result);
}

enum rpc_outcome api_send_process_stdin(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    const struct rpc_value *chars = rpc_array_get(params, 1);
    struct process *process = api_find_process(api_supervisor(call), name_of(params), err);

    if (process == NULL)
        return api_fail(err);
    if (process_write_stdin(process, rpc_as_string(chars), rpc_string_length(chars), err) < 0) {
        const enum fault fault = err->fault;
        error_set_fault(err, fault, "%s", name_of(params));
        return api_fail(err);
    }
    *result = rpc_boolean(true);
    return RPC_DONE;
}

enum rpc_outcome api_clear_process_logs(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    struct process *process = api_find_process(api_supervisor(call), name_of(params), err);

    if (process == NULL)
        return api_fail(err);
    return operation_run_one(call, &clearing, 0, process, name_of(params), true, result, err);
}

enum rpc_outcome api_clear_all_process_logs(struct rpc_call *call, const struct rpc_value *params,
                                            struct rpc_value **result, struct error *err)
{
    (void)params;
    (void)err;
    return run_on_all(call, &clearing, 0, true, result);
}
