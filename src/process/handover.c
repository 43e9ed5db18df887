#include "process/handover.h"

#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "config/handover.h"
#include "process/input.h"
#include "process/shared_socket.h"

/* --- processes ---------------------------------------------------------------------------------------------------- */

static void hand_over_history(struct process *process, struct handover *handover)
{
    process->ended_pid = (pid_t)handover_integer(handover, "ended_pid", process->ended_pid);
    process->start_us = handover_integer(handover, "start", process->start_us);
    process->stop_us = handover_integer(handover, "stop", process->stop_us);
    process->started_mono_us = handover_integer(handover, "started", process->started_mono_us);
    process->exitstatus = (int)handover_integer(handover, "exitstatus", process->exitstatus);
    process->attempts = (int)handover_integer(handover, "attempts", process->attempts);
    handover_text(handover, "spawn_error", &process->spawn_error);
    handover_text(handover, "extra_arguments", &process->extra_arguments);
}

static void hand_over_streams(struct process *process, struct handover *handover)
{
    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++) {
        if (process->streams[channel] == NULL)
            continue;
        (void)handover_open(handover, config_stream_name(channel));
        stream_hand_over(process->streams[channel], handover);
        handover_close(handover);
    }
}

static bool is_state(int64_t number)
{
    return number >= 0 && number < PROCESS_STATE_COUNT;
}

static void hand_over_state(struct process *process, struct handover *handover)
{
    const int64_t state = handover_integer(handover, "state", process->state);

    if (is_state(state))
        process->state = (enum process_state)state;
    process->pid = (pid_t)handover_integer(handover, "pid", process->pid);
    process->timer_due_us = handover_integer(handover, "timer_due", process->timer_due_us);
}

/* What a supervisor knows of a process besides. */
static void settle(struct process *process, bool is_queued)
{
    struct supervisor *supervisor = process->supervisor;
    const int64_t left_us = process->timer_due_us - supervisor->system->monotonic_us();

    if (process->pid != 0)
        HASH_ADD(by_pid, supervisor->by_pid, pid, sizeof process->pid, process);
    process->group->alive_count += process_state_is_alive(process->state);
    if (process->timer_due_us != 0)
        supervisor->system->timer_arm(process->timer, left_us > 0 ? left_us : 0);
    if (is_queued)
        supervisor_queue_start(supervisor, process);
}

static void hand_over_process(struct process *process, struct handover *handover)
{
    hand_over_state(process, handover);
    hand_over_history(process, handover);
    const bool is_queued = handover_flag(handover, "is_queued", process->is_queued);
    input_hand_over(process, handover);
    hand_over_streams(process, handover);
    if (handover_is_taking(handover))
        settle(process, is_queued);
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static void hand_over_group(struct process_group *group, struct handover *handover)
{
    if (group->socket != NULL) {
        (void)handover_open(handover, "socket");
        shared_socket_hand_over(group->socket, handover);
        handover_close(handover);
    }
    (void)handover_open_list(handover, "processes", HASH_CNT(by_name, group->processes));
    for (struct process *process = group->processes; process != NULL; process = process->by_name.next) {
        handover_open_next(handover);
        hand_over_process(process, handover);
        handover_close(handover);
    }
    handover_close(handover);
}

/*
 * Where a configuration stands in the newest model, or -1. Groups come in nearly the order of the model, so the search
 * begins at `*guess`, behind the one before.
 */
static int64_t place_in(const struct config *newest, const struct config_group *wanted, size_t *guess)
{
    for (size_t i = 0; i < newest->group_count; i++) {
        const size_t place = (*guess + i) % newest->group_count;
        if (newest->groups[place] == wanted) {
            *guess = place + 1;
            return (int64_t)place;
        }
    }
    return -1;
}

static void give_group(struct process_group *group, int64_t place, struct handover *handover)
{
    handover_integer(handover, "newest", place);
    if (place < 0)
        config_group_hand_over(handover, "config", &group->config);
    hand_over_group(group, handover);
}

/* The configuration of the group to take, with a reference of its own; NULL when there is no such group. */
static struct config_group *take_config(const struct config *newest, struct handover *handover)
{
    const int64_t place = handover_integer(handover, "newest", -1);
    struct config_group *config = NULL;

    if (place < 0)
        config_group_hand_over(handover, "config", &config);
    else if ((size_t)place < newest->group_count)
        config = config_group_ref(newest->groups[place]);
    return config;
}

static int take_group(struct supervisor *supervisor, const struct config *newest, struct handover *handover,
                      struct error *err)
{
    struct config_group *config = take_config(newest, handover);

    if (config == NULL || config->name == NULL) {
        config_group_unref(config);
        return error_set(err, "a group without its configuration was handed over");
    }
    struct process_group *group = group_new(supervisor, config, true, err);
    config_group_unref(config);
    if (group == NULL)
        return -1;
    HASH_ADD_KEYPTR(by_name, supervisor->groups, group->config->name, strlen(group->config->name), group);
    hand_over_group(group, handover);
    return 0;
}

static void take_groups(struct supervisor *supervisor, const struct config *newest, struct handover *handover)
{
    const size_t count = handover_open_list(handover, "groups", 0);
    struct error err;

    for (size_t i = 0; i < count; i++) {
        handover_open_next(handover);
        if (take_group(supervisor, newest, handover, &err) < 0)
            handover_refuse(handover, &err);
        handover_close(handover);
    }
    handover_close(handover);
}

static void give_groups(struct supervisor *supervisor, const struct config *newest, struct handover *handover)
{
    size_t guess = 0;

    (void)handover_open_list(handover, "groups", HASH_CNT(by_name, supervisor->groups));
    for (struct process_group *group = supervisor->groups; group != NULL; group = group->by_name.next) {
        handover_open_next(handover);
        give_group(group, place_in(newest, group->config, &guess), handover);
        handover_close(handover);
    }
    handover_close(handover);
}

void supervisor_hand_over(struct supervisor *supervisor, const struct config *newest, struct handover *handover)
{
    if (!handover_is_taking(handover)) {
        give_groups(supervisor, newest, handover);
        return;
    }
    take_groups(supervisor, newest, handover);
    loop_timer_arm_next_turn(supervisor->reap_event); /* children may have ended between the two programs */
}
