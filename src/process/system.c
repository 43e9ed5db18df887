#include "process/system.h"

#include <signal.h>

#include "base/clock.h"

static int arm(struct event *timer, int64_t after_us)
{
    const struct timeval after = {.tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000};

    return evtimer_add(timer, &after);
}

static int disarm(struct event *timer)
{
    return evtimer_del(timer);
}

const struct process_system process_system_real = {
    .spawn = spawn_child,
    .kill = kill,
    .wall_us = clock_wall_us,
    .monotonic_us = clock_monotonic_us,
    .timer_arm = arm,
    .timer_disarm = disarm,
};
