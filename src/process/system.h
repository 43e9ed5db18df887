/*
 * The system calls that the life of a process needs, behind a table, so that tests can walk through it without
 * processes and without waiting.
 */
#ifndef PROCESS_SYSTEM_H
#define PROCESS_SYSTEM_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/spawn.h"

struct process_system {
    int (*spawn)(const struct spawn_request *request, struct spawn_result *result, struct error *err);
    int (*kill)(pid_t pid, int signal);
    int64_t (*wall_us)(void);
    int64_t (*monotonic_us)(void);
    void (*timer_arm)(struct event *timer, int64_t after_us);
    void (*timer_disarm)(struct event *timer);
};

extern const struct process_system process_system_real;

#endif
