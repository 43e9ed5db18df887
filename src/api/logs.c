#include <stdlib.h>
#include <unistd.h>

#include "api/internal.h"
#include "output/activity.h"
#include "output/logread.h"

static int64_t int_of(const struct rpc_value *params, size_t index)
{
    return rpc_as_int(rpc_array_get(params, index));
}

static enum rpc_outcome read_slice(const char *path, int64_t offset, int64_t length, struct rpc_value **result,
                                   struct error *err)
{
    char *bytes;
    size_t size;

    if (logread_slice(path, offset, length, &bytes, &size, err) < 0)
        return api_fail(err);
    *result = rpc_string_take(bytes, size);
    return RPC_DONE;
}

enum rpc_outcome api_read_log(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                              struct error *err)
{
    const struct logfile *log = activity_log_file();

    (void)call;
    if (log == NULL) {
        error_set_fault(err, FAULT_NO_FILE, "%s", "");
        return api_fail(err);
    }
    return read_slice(logfile_path(log), int_of(params, 0), int_of(params, 1), result, err);
}

enum rpc_outcome api_clear_log(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                               struct error *err)
{
    struct logfile *log = activity_log_file();

    (void)call;
    (void)params;
    if (log == NULL || access(logfile_path(log), F_OK) < 0) {
        error_set_fault(err, FAULT_NO_FILE, "%s", "");
        return api_fail(err);
    }
    if (logfile_clear(log, err) < 0) {
        err->fault = FAULT_FAILED;
        return api_fail(err);
    }
    *result = rpc_boolean(true);
    return RPC_DONE;
}

/* The path of one log of the process that the first parameter names, or NULL with *err. */
static const char *path_of(const struct rpc_call *call, const struct rpc_value *params, enum config_stream channel,
                           struct error *err)
{
    const struct process *process =
        api_find_process(api_supervisor(call), rpc_as_string(rpc_array_get(params, 0)), err);

    return process != NULL ? process_log_path(process, channel) : NULL;
}

static enum rpc_outcome read_process_log(struct rpc_call *call, const struct rpc_value *params,
                                         enum config_stream channel, struct rpc_value **result, struct error *err)
{
    const char *path = path_of(call, params, channel, err);

    return path != NULL ? read_slice(path, int_of(params, 1), int_of(params, 2), result, err) : api_fail(err);
}

enum rpc_outcome api_read_process_stdout_log(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    return read_process_log(call, params, CONFIG_STDOUT, result, err);
}

enum rpc_outcome api_read_process_stderr_log(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    return read_process_log(call, params, CONFIG_STDERR, result, err);
}

static enum rpc_outcome tail_process_log(struct rpc_call *call, const struct rpc_value *params,
                                         enum config_stream channel, struct rpc_value **result, struct error *err)
{
    const char *path = path_of(call, params, channel, err);
    struct logread_tail tail;

    if (path == NULL)
        return api_fail(err);
    logread_tail(path, int_of(params, 1), int_of(params, 2), &tail);
    *result = rpc_array(3);
    rpc_array_append(*result, rpc_string_take(tail.bytes, tail.size));
    rpc_array_append(*result, rpc_int(tail.offset));
    rpc_array_append(*result, rpc_boolean(tail.overflow));
    return RPC_DONE;
}

enum rpc_outcome api_tail_process_stdout_log(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    return tail_process_log(call, params, CONFIG_STDOUT, result, err);
}

enum rpc_outcome api_tail_process_stderr_log(struct rpc_call *call, const struct rpc_value *params,
                                             struct rpc_value **result, struct error *err)
{
    return tail_process_log(call, params, CONFIG_STDERR, result, err);
}
