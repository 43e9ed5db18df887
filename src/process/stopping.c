#include "process/stopping.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "process/supervisor.h"

/* How long a wave is put off for groups that have something to finish: event listeners with their last events. */
#define GRACE_US (2 * INT64_C(1000000))

/* One wave after the other: all groups of one priority are asked to stop and waited for together. */
struct stopping {
    struct supervisor *supervisor; /* borrowed */
    struct event_subscription *subscription;
    struct event *next_wave; /* from the loop, not from under whoever brought the last process down */
    int priority;            /* of the wave under way */
    size_t awaited;          /* its processes that are still alive */
    int64_t grace_until_us;  /* monotonic: when a wave that is put off begins all the same; 0: none is put off */
};

void stopping_free(struct stopping *stopping)
{
    if (stopping == NULL)
        return;
    event_unsubscribe(stopping->subscription);
    event_free(stopping->next_wave);
    free(stopping);
}

static void on_process_state(void *context, const struct event_occurrence *occurrence)
{
    struct stopping *stopping = context;
    const struct process *process = occurrence->state.process;

    if (process->group->config->priority != stopping->priority || process_state_is_alive(process->state) ||
        !process_state_is_alive(occurrence->state.from))
        return;
    if (--stopping->awaited == 0)
        loop_timer_arm_next_turn(stopping->next_wave);
}

/* The highest priority of a group with somebody alive; false when all are down. */
static bool find_wave(struct stopping *stopping)
{
    bool found = false;

    stopping->awaited = 0;
    for (const struct process_group *group = stopping->supervisor->groups; group != NULL; group = group->by_name.next) {
        if (group->alive_count == 0 || (found && group->config->priority < stopping->priority))
            continue;
        if (!found || group->config->priority > stopping->priority)
            stopping->awaited = 0;
        found = true;
        stopping->priority = group->config->priority;
        stopping->awaited += group->alive_count;
    }
    return found;
}

static void log_wave(const struct stopping *stopping)
{
    UT_string names;

    utstring_init(&names);
    for (const struct process_group *group = stopping->supervisor->groups; group != NULL; group = group->by_name.next)
        for (const struct process *process = group->processes; process != NULL; process = process->by_name.next)
            if (process_state_is_alive(process->state))
                utstring_printf(&names, "%s%s", utstring_len(&names) > 0 ? ", " : "", process->config->name);
    log_info("waiting for %s to die", utstring_body(&names));
    utstring_done(&names);
}

static void stop_group(struct process_group *group)
{
    const size_t count = HASH_CNT(by_name, group->processes);
    CLEANUP_FREE struct process **members = group_by_priority(group, true);
    struct error err;

    for (size_t i = 0; i < count; i++)
        if (process_state_is_running(members[i]->state))
            process_stop(members[i], &err); /* a refused signal is logged, and ends the wait for that process */
}

static bool is_in_wave(const struct stopping *stopping, const struct process_group *group)
{
    return group->config->priority == stopping->priority && group->alive_count > 0;
}

static bool has_occupied_group(const struct stopping *stopping)
{
    const struct supervisor *supervisor = stopping->supervisor;

    if (supervisor->is_occupied == NULL)
        return false;
    for (const struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next)
        if (is_in_wave(stopping, group) && supervisor->is_occupied(supervisor->is_occupied_context, group))
            return true;
    return false;
}

/* True when the wave has to wait: until somebody says that it need not, or its grace is over. */
static bool put_off(struct stopping *stopping)
{
    const int64_t now_us = stopping->supervisor->system->monotonic_us();

    if (stopping->grace_until_us == 0)
        stopping->grace_until_us = now_us + GRACE_US;
    const bool waits = now_us < stopping->grace_until_us && has_occupied_group(stopping);
    if (waits)
        stopping->supervisor->system->timer_arm(stopping->next_wave, stopping->grace_until_us - now_us);
    else
        stopping->grace_until_us = 0;
    return waits;
}

static void on_next_wave(evutil_socket_t fd, short what, void *context)
{
    struct stopping *stopping = context;
    struct supervisor *supervisor = stopping->supervisor;

    (void)fd;
    (void)what;
    if (!find_wave(stopping)) {
        if (supervisor->on_stopped != NULL)
            supervisor->on_stopped(supervisor->on_stopped_context);
        return;
    }
    if (put_off(stopping))
        return;
    log_wave(stopping);
    for (struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next)
        if (is_in_wave(stopping, group))
            stop_group(group);
}

void supervisor_continue_stop(struct supervisor *supervisor)
{
    if (supervisor->stopping != NULL && supervisor->stopping->grace_until_us != 0)
        loop_timer_arm_next_turn(supervisor->stopping->next_wave);
}

static struct stopping *stopping_new(struct supervisor *supervisor)
{
    struct stopping *stopping = xcalloc(1, sizeof *stopping);

    stopping->supervisor = supervisor;
    stopping->priority = INT_MAX;
    stopping->next_wave = loop_timer_new(supervisor->loop, on_next_wave, stopping);
    stopping->subscription =
        event_subscribe(supervisor->bus, event_mask(EVENT_TYPE_PROCESS_STATE), on_process_state, stopping);
    return stopping;
}

void supervisor_stop(struct supervisor *supervisor, enum supervisor_state state)
{
    if (supervisor->state == SUPERVISOR_SHUTDOWN || supervisor->state == state)
        return;
    supervisor->state = state;
    if (supervisor->stopping != NULL)
        return; /* a restart on its way down has become a shutdown */
    struct event_occurrence occurrence = {.type = EVENT_TYPE_SUPERVISOR_STATE_CHANGE_STOPPING};
    event_publish(supervisor->bus, &occurrence);
    supervisor->stopping = stopping_new(supervisor);
    loop_timer_arm_next_turn(supervisor->stopping->next_wave);
}
