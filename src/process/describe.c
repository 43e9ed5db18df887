/* What clients are told of a process (manual 2.1.2, getProcessInfo). */
#include <stdio.h>
#include <time.h>

#include "process/process.h"
#include "process/supervisor.h"

#define SECOND_US INT64_C(1000000)

const char *process_spawn_error(const struct process *process)
{
    return process->spawn_error != NULL ? process->spawn_error : "";
}

const char *process_log_path(const struct process *process, enum config_stream channel)
{
    return process->streams[channel] != NULL ? stream_log_path(process->streams[channel]) : "";
}

static void describe_uptime(const struct process *process, char *buffer, size_t size)
{
    const int64_t seconds = (process->supervisor->system->monotonic_us() - process->started_mono_us) / SECOND_US;
    const int days = (int)(seconds / 86400);
    const int rest_of_day = (int)(seconds % 86400);
    char day_text[32] = "";

    if (days > 0)
        (void)snprintf(day_text, sizeof day_text, "%d day%s, ", days, days == 1 ? "" : "s");
    (void)snprintf(buffer, size, "pid %d, uptime %s%d:%02d:%02d", (int)process->pid, day_text, rest_of_day / 3600,
                   rest_of_day / 60 % 60, rest_of_day % 60);
}

static void describe_stop_time(const struct process *process, char *buffer, size_t size)
{
    /* one that never had a child, for want of a command, has a start but no end */
    const time_t seconds = (time_t)((process->stop_us != 0 ? process->stop_us : process->start_us) / SECOND_US);
    struct tm local;

    if (process->start_us == 0) {
        (void)snprintf(buffer, size, "Not started");
        return;
    }
    localtime_r(&seconds, &local);
    (void)strftime(buffer, size, "%b %d %I:%M %p", &local);
}

const char *process_describe(const struct process *process, char *buffer, size_t size)
{
    switch (process->state) {
    case PROCESS_RUNNING:
        describe_uptime(process, buffer, size);
        break;
    case PROCESS_FATAL:
    case PROCESS_BACKOFF:
        if (process->spawn_error != NULL)
            (void)snprintf(buffer, size, "%s", process->spawn_error);
        else
            (void)snprintf(buffer, size, "unknown error (try \"tail %s\")", process->config->name);
        break;
    case PROCESS_STOPPED:
    case PROCESS_EXITED:
        describe_stop_time(process, buffer, size);
        break;
    default:
        buffer[0] = '\0';
    }
    return buffer;
}
