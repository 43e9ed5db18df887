#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "api/operation.h"
#include "base/log.h"
#include "base/signals.h"

/* --- what can be done to a process -------------------------------------------------------------------------------- */

static bool is_not_running(const struct process *process)
{
    return !process_state_is_running(process->state);
}

static bool has_child(const struct process *process)
{
    return process->pid != 0;
}

static int start(struct process *process, const struct rpc_value *unused, struct error *err)
{
    (void)unused;
    if (process->supervisor->state != SUPERVISOR_RUNNING)
        return error_set_fault(err, FAULT_SHUTDOWN_STATE, "%s", "");
    return process_start(process, err);
}

static int stop(struct process *process, const struct rpc_value *unused, struct error *err)
{
    (void)unused;
    if (process->state == PROCESS_STOPPING)
        return error_set_fault(err, FAULT_NOT_RUNNING, "%s", "");
    if (process->pid != 0)
        log_info("waiting for %s to stop", process->config->name);
    return process_stop(process, err);
}

/* 0 is no signal, but asks whether there is somebody to send one to. */
static int signal_number(const char *name)
{
    return strcmp(name, "0") == 0 ? 0 : signal_by_name(name);
}

static int send_signal(struct process *process, const struct rpc_value *signal, struct error *err)
{
    CLEANUP_FREE char *name = api_text_of(signal);
    const int number = signal_number(name);

    if (number < 0)
        return error_set_fault(err, FAULT_BAD_SIGNAL, "%s", name);
    return process_signal(process, number, err);
}

static int clear_logs(struct process *process, const struct rpc_value *unused, struct error *err)
{
    (void)unused;
    return process_clear_logs(process, err);
}

static enum operation_progress progress_of_start(const struct process *process, enum fault *fault)
{
    if (process->state == PROCESS_RUNNING)
        return OPERATION_SUCCEEDED;
    if (process->state == PROCESS_STARTING || (process->state == PROCESS_BACKOFF && process->attempts == 1))
        return OPERATION_UNDER_WAY; /* one failed attempt is no outcome: the next is made a second later */
    *fault = process->spawn_error != NULL ? FAULT_SPAWN_ERROR : FAULT_ABNORMAL_TERMINATION;
    return OPERATION_FAILED;
}

static enum operation_progress progress_of_stop(const struct process *process, enum fault *fault)
{
    if (process->state == PROCESS_UNKNOWN) {
        *fault = FAULT_FAILED;
        return OPERATION_FAILED;
    }
    return process->state == PROCESS_STOPPING ? OPERATION_UNDER_WAY : OPERATION_SUCCEEDED;
}

static const struct operation_kind starting = {is_not_running, start, progress_of_start};
static const struct operation_kind stopping = {process_can_be_stopped, stop, progress_of_stop};
static const struct operation_kind signalling = {has_child, send_signal, NULL};
static const struct operation_kind clearing = {NULL, clear_logs, NULL};

/* --- to one, a group, all ----------------------------------------------------------------------------------------- */

static enum rpc_outcome run_on_group(struct rpc_call *call, const struct operation_kind *kind,
                                     const struct rpc_value *argument, const struct process_group *group, bool wait,
                                     struct rpc_value **result)
{
    return operation_run_many(call, kind, argument, group_by_priority(group, false),
                              HASH_CNT(by_name, group->processes), wait, result);
}

static enum rpc_outcome run_on_name(struct rpc_call *call, const struct operation_kind *kind,
                                    const struct rpc_value *argument, const char *name, bool wait,
                                    struct rpc_value **result, struct error *err)
{
    struct api_target target;

    if (api_find_target(api_supervisor(call), name, &target, err) < 0)
        return api_fail(err);
    if (target.process == NULL)
        return run_on_group(call, kind, argument, target.group, wait, result);
    return operation_run_one(call, kind, argument, target.process, name, wait, result, err);
}

static enum rpc_outcome run_on_group_name(struct rpc_call *call, const struct operation_kind *kind,
                                          const struct rpc_value *argument, const char *name, bool wait,
                                          struct rpc_value **result, struct error *err)
{
    const struct process_group *group = api_find_group(api_supervisor(call), name, err);

    return group != NULL ? run_on_group(call, kind, argument, group, wait, result) : api_fail(err);
}

static enum rpc_outcome run_on_all(struct rpc_call *call, const struct operation_kind *kind,
                                   const struct rpc_value *argument, bool wait, struct rpc_value **result)
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
    return run_on_name(call, &starting, NULL, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_start_process_group(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    return run_on_group_name(call, &starting, NULL, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_start_all_processes(struct rpc_call *call, const struct rpc_value *params,
                                         struct rpc_value **result, struct error *err)
{
    (void)err;
    return run_on_all(call, &starting, NULL, wait_of(params, 0), result);
}

enum rpc_outcome api_stop_process(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                  struct error *err)
{
    return run_on_name(call, &stopping, NULL, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_stop_process_group(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    return run_on_group_name(call, &stopping, NULL, name_of(params), wait_of(params, 1), result, err);
}

enum rpc_outcome api_stop_all_processes(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    (void)err;
    return run_on_all(call, &stopping, NULL, wait_of(params, 0), result);
}

enum rpc_outcome api_signal_process(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                    struct error *err)
{
    return run_on_name(call, &signalling, rpc_array_get(params, 1), name_of(params), true, result, err);
}

enum rpc_outcome api_signal_process_group(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    return run_on_group_name(call, &signalling, rpc_array_get(params, 1), name_of(params), true, result, err);
}

enum rpc_outcome api_signal_all_processes(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    (void)err;
    return run_on_all(call, &signalling, rpc_array_get(params, 0), true, result);
}

static int write_stdin(struct process *process, const struct rpc_value *chars, struct error *err)
{
    if (process->state == PROCESS_STOPPING)
        return error_set_fault(err, FAULT_NOT_RUNNING, "%s", "");
    return process_write_stdin(process, rpc_as_string(chars), rpc_string_length(chars), err);
}

static enum rpc_outcome refuse_chars(const struct rpc_value *chars, struct error *err)
{
    CLEANUP_FREE char *text = api_text_of(chars);

    error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "%s", text);
    return api_fail(err);
}

enum rpc_outcome api_send_process_stdin(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    const struct rpc_value *chars = rpc_array_get(params, 1);
    struct process *process;

    if (rpc_value_type(chars) != RPC_STRING)
        return refuse_chars(chars, err);
    process = api_find_process(api_supervisor(call), name_of(params), err);
    if (process == NULL)
        return api_fail(err);
    if (write_stdin(process, chars, err) < 0) {
        error_set_fault(err, err->fault, "%s", name_of(params));
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
    return operation_run_one(call, &clearing, NULL, process, name_of(params), true, result, err);
}

enum rpc_outcome api_clear_all_process_logs(struct rpc_call *call, const struct rpc_value *params,
                                            struct rpc_value **result, struct error *err)
{
    (void)params;
    (void)err;
    return run_on_all(call, &clearing, NULL, true, result);
}
