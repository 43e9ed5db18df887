#include "listeners/processes.h"

#include <stdlib.h>
#include <string.h>

#include "listeners/text.h"

static bool is_own(const char *variable, const char *value)
{
    const char *own = getenv(variable);

    return own != NULL && strcmp(own, value) == 0;
}

static bool is_self(const struct process *process)
{
    return is_own("SUPERVISOR_PROCESS_NAME", process->name) && is_own("SUPERVISOR_GROUP_NAME", process->group);
}

static void read_process(struct process *process, const struct rpc_value *info)
{
    const char *state = listener_text_of(info, "statename");

    process->group = listener_text_of(info, "group");
    process->name = listener_text_of(info, "name");
    process->pid = (pid_t)listener_number_of(info, "pid");
    process->is_running = strcmp(state, "RUNNING") == 0;
    process->is_wanted = process->is_running || strcmp(state, "STARTING") == 0;
    process->uptime_s = process->pid > 0 ? listener_number_of(info, "now") - listener_number_of(info, "start") : 0;
}

int processes_get(struct processes *processes, struct listener_rpc *rpc, struct error *err)
{
    memset(processes, 0, sizeof *processes);
    if (listener_rpc_call(rpc, &processes->answer, err, "supervisor.getAllProcessInfo", "") < 0)
        return -1;
    const size_t count = rpc_value_type(processes->answer) == RPC_ARRAY ? rpc_count(processes->answer) : 0;
    processes->list = memory_new(count, sizeof *processes->list);
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes->list[processes->count];

        read_process(process, rpc_array_get(processes->answer, i));
        if (is_self(process))
            continue;
        process->namespec = text_format("%s:%s", process->group, process->name);
        processes->count++;
    }
    return 0;
}

void processes_release(struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++)
        free(processes->list[i].namespec);
    free(processes->list);
    rpc_value_free(processes->answer);
}

/* That it is started already only says that somebody else was quicker. */
int process_restart(const struct process *process, struct listener_rpc *rpc, struct error *err)
{
    if (listener_rpc_call(rpc, NULL, err, "supervisor.stopProcess", "s", process->namespec) < 0)
        return -1;
    if (listener_rpc_call(rpc, NULL, err, "supervisor.startProcess", "s", process->namespec) < 0 &&
        err->fault != FAULT_ALREADY_STARTED)
        return -1;
    return 0;
}
