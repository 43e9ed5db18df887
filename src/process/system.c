#include "process/system.h"

#include <signal.h>

#include "base/clock.h"
#include "base/loop.h"

static void disarm(struct event *timer)
{
    (void)evtimer_del(timer); /* fails for no timer of ours */
}

const struct process_system process_system_real = {
    .spawn = spawn_child,
    .kill = kill,
    .wall_us = clock_wall_us,
    .monotonic_us = clock_monotonic_us,
    .timer_arm = loop_timer_arm,
    .timer_disarm = disarm,
};
