#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/internal.h"
#include "base/version.h"

/* Of the interface, not of the product: clients check it before they call. */
#define API_VERSION "3.0"

#define SECOND_US INT64_C(1000000)

enum { EXIT_STATUS_MAX = 255 };

enum rpc_outcome api_get_api_version(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                     struct error *err)
{
    (void)call;
    (void)params;
    (void)err;
    *result = rpc_string_static(API_VERSION);
    return RPC_DONE;
}

enum rpc_outcome api_get_supervisor_version(struct rpc_call *call, const struct rpc_value *params,
                                            struct rpc_value **result, struct error *err)
{
    (void)call;
    (void)params;
    (void)err;
    *result = rpc_string_static(SUPERVISOR_VERSION);
    return RPC_DONE;
}

enum rpc_outcome api_get_identification(struct rpc_call *call, const struct rpc_value *params,
                                        struct rpc_value **result, struct error *err)
{
    (void)params;
    (void)err;
    *result = rpc_string(api_supervisor(call)->identifier);
    return RPC_DONE;
}

enum rpc_outcome api_get_state(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                               struct error *err)
{
    const enum supervisor_state state = api_supervisor(call)->state;

    (void)params;
    (void)err;
    *result = rpc_struct(2);
    rpc_struct_set_static(*result, "statecode", rpc_int(state));
    rpc_struct_set_static(*result, "statename", rpc_string_static(supervisor_state_name(state)));
    return RPC_DONE;
}

enum rpc_outcome api_get_pid(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                             struct error *err)
{
    (void)call;
    (void)params;
    (void)err;
    *result = rpc_int(getpid());
    return RPC_DONE;
}

static struct rpc_value *describe_process(const struct process *process, int64_t now_us)
{
    struct rpc_value *info = rpc_struct(14);
    const char *stdout_path = process_log_path(process, CONFIG_STDOUT);
    char description[512];

    rpc_struct_set_static(info, "name", rpc_string(process->config->name));
    rpc_struct_set_static(info, "group", rpc_string(process->group->config->name));
    rpc_struct_set_static(info, "start", rpc_int(process->start_us / SECOND_US));
    rpc_struct_set_static(info, "stop", rpc_int(process->stop_us / SECOND_US));
    rpc_struct_set_static(info, "now", rpc_int(now_us / SECOND_US));
    rpc_struct_set_static(info, "state", rpc_int(process_state_code(process->state)));
    rpc_struct_set_static(info, "statename", rpc_string_static(process_state_name(process->state)));
    rpc_struct_set_static(info, "spawnerr", rpc_string(process_spawn_error(process)));
    rpc_struct_set_static(info, "exitstatus", rpc_int(process->exitstatus));
    rpc_struct_set_static(info, "logfile", rpc_string(stdout_path));
    rpc_struct_set_static(info, "stdout_logfile", rpc_string(stdout_path));
    rpc_struct_set_static(info, "stderr_logfile", rpc_string(process_log_path(process, CONFIG_STDERR)));
    rpc_struct_set_static(info, "pid", rpc_int(process->pid));
    rpc_struct_set_static(info, "description", rpc_string(process_describe(process, description, sizeof description)));
    return info;
}

enum rpc_outcome api_get_process_info(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                      struct error *err)
{
    struct supervisor *supervisor = api_supervisor(call);
    const struct process *process = api_find_process(supervisor, rpc_as_string(rpc_array_get(params, 0)), err);

    if (process == NULL)
        return api_fail(err);
    *result = describe_process(process, supervisor->system->wall_us());
    return RPC_DONE;
}

enum rpc_outcome api_get_all_process_info(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    struct supervisor *supervisor = api_supervisor(call);
    const int64_t now_us = supervisor->system->wall_us();
    size_t count;
    CLEANUP_FREE struct process **processes = supervisor_sorted_processes(supervisor, &count);

    (void)params;
    (void)err;
    *result = rpc_array(count);
    for (size_t i = 0; i < count; i++)
        rpc_array_append(*result, describe_process(processes[i], now_us));
    return RPC_DONE;
}

static enum rpc_outcome stop_supervisor(struct rpc_call *call, enum supervisor_state state, struct rpc_value **result)
{
    supervisor_stop(api_supervisor(call), state);
    *result = rpc_boolean(true);
    return RPC_DONE;
}

enum rpc_outcome api_shutdown(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                              struct error *err)
{
    (void)params;
    (void)err;
    return stop_supervisor(call, SUPERVISOR_SHUTDOWN, result);
}

enum rpc_outcome api_shutdown_with_status(struct rpc_call *call, const struct rpc_value *params,
                                          struct rpc_value **result, struct error *err)
{
    const int64_t status = rpc_as_int(rpc_array_get(params, 0));

    if (status < 0 || status > EXIT_STATUS_MAX) {
        error_set_fault(err, FAULT_INCORRECT_PARAMETERS, "status must be from 0 to 255, not %" PRId64, status);
        return api_fail(err);
    }
    api_supervisor(call)->exit_status = (int)status;
    return stop_supervisor(call, SUPERVISOR_SHUTDOWN, result);
}

enum rpc_outcome api_restart(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                             struct error *err)
{
    (void)params;
    (void)err;
    return stop_supervisor(call, SUPERVISOR_RESTARTING, result);
}

enum rpc_outcome api_upgrade(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                             struct error *err)
{
    const struct api_context *context = rpc_call_context(call);

    (void)params;
    (void)result;
    return context->upgrade(context->daemon, call, err) == 0 ? RPC_LATER : api_fail(err);
}

enum rpc_outcome api_send_remote_comm_event(struct rpc_call *call, const struct rpc_value *params,
                                            struct rpc_value **result, struct error *err)
{
    CLEANUP_FREE char *type = api_text_of(rpc_array_get(params, 0));
    CLEANUP_FREE char *data = api_text_of(rpc_array_get(params, 1));
    struct event_occurrence occurrence = {
        .type = EVENT_TYPE_REMOTE_COMMUNICATION,
        .remote = {.type = type, .data = data, .length = strlen(data)},
    };

    (void)err;
    event_publish(api_supervisor(call)->bus, &occurrence);
    *result = rpc_boolean(true);
    return RPC_DONE;
}
