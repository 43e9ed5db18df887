/*
 * The life cycle without processes: fork, kill, the clocks and the timers are a fake world, so that a crash, a slow
 * stop or an hour of uptime is a line of test and takes no time.
 */
#include "cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fake_system.h"

/* What the bus carried, as one word of text a state: "STARTING RUNNING ". */
static char history[1024];

static void note_state(void *context, const struct event_occurrence *occurrence)
{
    (void)context;
    strcat(history, event_type_name(occurrence->type) + strlen("PROCESS_STATE_"));
    strcat(history, " ");
}

static struct event_base *loop;
static struct supervisor *supervisor;
static struct event_subscription *subscription;

static struct process *add(struct config_process config, int priority)
{
    struct config_group *group = calloc(1, sizeof *group);
    struct error err;

    *group = (struct config_group){.references = 1, .name = strdup(config.name), .priority = priority};
    group->processes = malloc(sizeof(struct config_process *));
    group->processes[0] = config_process_new();
    config.references = 1;
    *group->processes[0] = config;
    group->process_count = 1;
    assert_int_equal(supervisor_add_group(supervisor, group, &err), 0);
    config_group_unref(group);
    return supervisor_find_process(supervisor, config.name, config.name);
}

static void turn_loop(void)
{
    event_base_loop(loop, EVLOOP_NONBLOCK);
}

/* Lets the timer that was armed last come to its end. */
static void time_passes(void)
{
    assert_non_null(fake.armed);
    fake_fire(fake.armed, fake.last_timer_us);
    turn_loop();
    turn_loop();
}

static void child_exits(struct process *process, int status)
{
    process_child_ended(process, W_EXITCODE(status, 0));
    turn_loop();
}

static int set_up(void **state)
{
    struct config config = {
        .daemon = {.identifier = (char *)(uintptr_t) "supervisor", .childlogdir = (char *)(uintptr_t) "/tmp"}};

    (void)state;
    fake_reset();
    history[0] = '\0';
    loop = event_base_new();
    supervisor = supervisor_new(loop, &fake_process_system);
    supervisor_configure(supervisor, &config);
    subscription = event_subscribe(supervisor->bus, event_mask(EVENT_TYPE_PROCESS_STATE), note_state, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    event_unsubscribe(subscription);
    for (struct process *process = supervisor->by_pid, *next; process != NULL; process = next) {
        next = process->by_pid.next;
        supervisor->state = SUPERVISOR_SHUTDOWN;
        process_child_ended(process, 0);
    }
    supervisor_free(supervisor);
    event_base_free(loop);
    return 0;
}

static void it_runs_after_startsecs(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;

    (void)state;
    assert_int_equal(process_start(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_STARTING);
    assert_int_equal(fake.last_timer_us, 1000000);
    time_passes();
    assert_int_equal(cat->state, PROCESS_RUNNING);
    assert_string_equal(history, "STARTING RUNNING ");
    assert_int_equal(process_start(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_ALREADY_STARTED);
}

static void without_startsecs_it_runs_at_once(void **state)
{
    struct config_process config = fake_program("cat");
    struct error err;

    (void)state;
    config.startsecs = 0;
    struct process *cat = add(config, 999);
    assert_int_equal(process_start(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_RUNNING);
    child_exits(cat, 0);
    assert_int_equal(cat->state, PROCESS_EXITED);
    assert_string_equal(history, "STARTING RUNNING EXITED ");
}

static void early_exits_back_off_longer_each_time_and_end_in_fatal(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;

    (void)state;
    assert_int_equal(process_start(cat, &err), 0);
    for (int attempt = 1; attempt <= 3; attempt++) {
        child_exits(cat, 0);
        assert_int_equal(cat->state, PROCESS_BACKOFF);
        assert_int_equal(fake.last_timer_us, attempt * 1000000);
        assert_string_equal(process_spawn_error(cat), "Exited too quickly (process log may have details)");
        time_passes();
        assert_int_equal(cat->state, PROCESS_STARTING);
    }
    child_exits(cat, 0);
    assert_int_equal(cat->state, PROCESS_FATAL);
    assert_int_equal(cat->group->alive_count, 0);
    assert_string_equal(history, "STARTING BACKOFF STARTING BACKOFF STARTING BACKOFF STARTING BACKOFF FATAL ");
    assert_int_equal(process_start(cat, &err), 0);
    child_exits(cat, 0);
    assert_int_equal(fake.last_timer_us, 1000000); /* it counts afresh */
}

static void a_refused_fork_is_a_failed_start(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;

    (void)state;
    fake.spawn_refusals = 1;
    assert_int_equal(process_start(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_SPAWN_ERROR);
    assert_int_equal(cat->state, PROCESS_BACKOFF);
    assert_string_equal(process_spawn_error(cat), "Too many processes in process table to spawn 'cat'");
    time_passes();
    assert_int_equal(cat->state, PROCESS_STARTING);
}

static void a_child_whose_output_cannot_be_waited_for_is_killed_and_reaped_like_any(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;

    (void)state;
    fake.odd_pipes = true;
    assert_int_equal(process_start(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_STARTING);
    assert_int_equal(fake.sent_count, 2); /* once for each stream */
    assert_int_equal(fake.sent[0].pid, cat->pid);
    assert_int_equal(fake.sent[0].number, SIGKILL);
    process_child_ended(cat, SIGKILL);
    assert_int_equal(cat->state, PROCESS_BACKOFF);
    assert_int_equal(cat->pid, 0);
}

static void a_missing_command_is_refused_to_users_and_fatal_at_boot(void **state)
{
    struct config_process config = fake_program("cat");
    struct error err;

    (void)state;
    free(config.command);
    config.command = strdup("/nonexistent/cat");
    config.startretries = 0;
    config.autostart = true;
    struct process *cat = add(config, 999);
    turn_loop();
    assert_int_equal(cat->state, PROCESS_FATAL);
    assert_string_equal(history, "STARTING BACKOFF FATAL ");
    assert_string_equal(process_spawn_error(cat), "can't find command '/nonexistent/cat'");
    assert_int_equal(process_start(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_NO_FILE);
    assert_int_equal(cat->state, PROCESS_FATAL);
    assert_string_equal(history, "STARTING BACKOFF FATAL ");
}

static struct process *running(struct config_process config)
{
    struct process *process = add(config, 999);
    struct error err;

    assert_int_equal(process_start(process, &err), 0);
    if (process->state == PROCESS_STARTING)
        time_passes();
    history[0] = '\0';
    return process;
}

static void it_restarts_as_autorestart_says(void **state)
{
    static const struct {
        enum config_autorestart autorestart;
        int status;
        bool restarts;
    } cases[] = {
        {AUTORESTART_NEVER, 1, false},     {AUTORESTART_NEVER, 0, false}, {AUTORESTART_UNEXPECTED, 0, false},
        {AUTORESTART_UNEXPECTED, 1, true}, {AUTORESTART_ALWAYS, 0, true}, {AUTORESTART_ALWAYS, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[] = "cat0";
        name[3] = (char)('0' + i);
        struct config_process config = fake_program(name);
        config.autorestart = cases[i].autorestart;
        struct process *cat = running(config);
        child_exits(cat, cases[i].status);
        assert_int_equal(cat->state, cases[i].restarts ? PROCESS_STARTING : PROCESS_EXITED);
        assert_string_equal(history, cases[i].restarts ? "EXITED STARTING " : "EXITED ");
    }
}

static void a_signal_is_never_an_expected_end(void **state)
{
    struct process *cat = running(fake_program("cat"));

    (void)state;
    process_child_ended(cat, W_EXITCODE(0, SIGKILL));
    assert_int_equal(cat->exitstatus, -1);
    assert_string_equal(process_spawn_error(cat), "Bad exit code -1");
    turn_loop();
    assert_int_equal(cat->state, PROCESS_STARTING);
}

static void one_that_ends_at_once_does_not_spin(void **state)
{
    struct config_process config = fake_program("cat");

    (void)state;
    config.startsecs = 0;
    config.autorestart = AUTORESTART_ALWAYS;
    struct process *cat = running(config);
    fake.now_us += 1000;
    child_exits(cat, 0);
    assert_int_equal(cat->state, PROCESS_EXITED);
    assert_int_equal(fake.last_timer_us, 9000);
    time_passes();
    assert_int_equal(cat->state, PROCESS_RUNNING);
}

static void a_due_restart_can_be_called_off(void **state)
{
    struct config_process config = fake_program("cat");
    struct error err;

    (void)state;
    config.startsecs = 0;
    config.autorestart = AUTORESTART_ALWAYS;
    struct process *cat = running(config);
    child_exits(cat, 0);
    assert_int_equal(process_stop(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_STOPPED);
    assert_null(fake.armed);
}

static void it_is_stopped_by_signal_then_killed(void **state)
{
    struct process *cat = running(fake_program("cat"));
    struct error err;

    (void)state;
    assert_int_equal(process_stop(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_STOPPING);
    assert_int_equal(fake.sent[0].pid, cat->pid);
    assert_int_equal(fake.sent[0].number, SIGTERM);
    assert_int_equal(fake.last_timer_us, 10000000);
    assert_int_equal(process_start(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_ABNORMAL_TERMINATION);
    time_passes();
    assert_int_equal(fake.sent_count, 2);
    assert_int_equal(fake.sent[1].number, SIGKILL);
    process_child_ended(cat, W_EXITCODE(0, SIGKILL));
    turn_loop();
    assert_int_equal(cat->state, PROCESS_STOPPED);
    assert_string_equal(history, "STOPPING STOPPED ");
    assert_int_equal(process_stop(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_NOT_RUNNING);
}

static void whole_groups_are_signalled_on_request(void **state)
{
    struct config_process config = fake_program("cat");
    struct error err;

    (void)state;
    config.stopasgroup = config.killasgroup = true;
    config.stopsignal = SIGINT;
    struct process *cat = running(config);
    assert_int_equal(process_stop(cat, &err), 0);
    time_passes();
    assert_int_equal(fake.sent[0].pid, -cat->pid);
    assert_int_equal(fake.sent[0].number, SIGINT);
    assert_int_equal(fake.sent[1].pid, -cat->pid);
}

static void one_that_cannot_be_killed_is_unknown(void **state)
{
    struct process *cat = running(fake_program("cat"));
    struct error err;

    (void)state;
    fake.kill_errno = EPERM;
    assert_int_equal(process_stop(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_FAILED);
    assert_int_equal(cat->state, PROCESS_UNKNOWN);
    assert_int_equal(process_start(cat, &err), -1);
    process_child_ended(cat, 0);
    assert_int_equal(cat->state, PROCESS_STOPPED);
}

static void one_that_cannot_be_killed_can_be_removed(void **state)
{
    struct process *cat = running(fake_program("cat"));
    struct error err;

    (void)state;
    fake.kill_errno = EPERM;
    assert_int_equal(process_stop(cat, &err), -1);
    assert_int_equal(supervisor_remove_group(supervisor, cat->group, &err), 0);
    assert_null(supervisor->by_pid); /* its end, whenever it comes, is that of a stranger */
}

static void a_start_that_is_due_can_be_called_off(void **state)
{
    struct config_process config = fake_program("cat");
    struct error err;

    (void)state;
    config.autostart = true;
    struct process *cat = add(config, 999);
    assert_true(cat->is_queued);
    assert_true(process_can_be_stopped(cat));
    assert_int_equal(process_stop(cat, &err), 0);
    assert_false(process_can_be_stopped(cat));
    turn_loop();
    assert_int_equal(cat->state, PROCESS_STOPPED);
    assert_int_equal(cat->pid, 0);
    assert_string_equal(history, "");
    assert_int_equal(process_stop(cat, &err), -1);
    assert_int_equal(err.fault, FAULT_NOT_RUNNING);
}

static void back_off_can_be_stopped(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;

    (void)state;
    assert_int_equal(process_start(cat, &err), 0);
    child_exits(cat, 1);
    assert_int_equal(process_stop(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_STOPPED);
    assert_int_equal(fake.sent_count, 0);
    assert_int_equal(cat->attempts, 0);
}

static void steps_of_the_wall_clock_do_not_matter(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;
    char text[128];

    (void)state;
    assert_int_equal(process_start(cat, &err), 0);
    fake.wall_step_us = INT64_C(-3600) * 1000000;
    fake.now_us += 500000;
    child_exits(cat, 0);
    assert_int_equal(cat->state, PROCESS_BACKOFF);
    time_passes();
    time_passes();
    assert_int_equal(cat->state, PROCESS_RUNNING);
    fake.wall_step_us = INT64_C(7200) * 1000000;
    fake.now_us += (INT64_C(86400) + 3723) * 1000000;
    assert_string_equal(process_describe(cat, text, sizeof text), "pid 102, uptime 1 day, 1:02:04");
}

static void descriptions_say_what_matters(void **state)
{
    struct process *cat = add(fake_program("cat"), 999);
    char text[128];
    struct error err;

    (void)state;
    assert_string_equal(process_describe(cat, text, sizeof text), "Not started");
    assert_int_equal(process_start(cat, &err), 0);
    assert_string_equal(process_describe(cat, text, sizeof text), "");
    time_passes();
    assert_string_equal(process_describe(cat, text, sizeof text), "pid 101, uptime 0:00:01");
}

static bool has_stopped;

static void note_stopped(void *context)
{
    (void)context;
    has_stopped = true;
}

static void a_shutdown_goes_by_priority(void **state)
{
    (void)state;
    struct process *low = running(fake_program("low"));
    struct error err;
    struct process *high = add(fake_program("high"), 1000);
    struct process *other = add(fake_program("other"), 1000);

    has_stopped = false;
    supervisor->on_stopped = note_stopped;
    assert_int_equal(process_start(high, &err), 0);
    assert_int_equal(process_start(other, &err), 0);
    supervisor_stop(supervisor, SUPERVISOR_RESTARTING);
    supervisor_stop(supervisor, SUPERVISOR_SHUTDOWN);
    assert_int_equal(supervisor->state, SUPERVISOR_SHUTDOWN);
    turn_loop();
    assert_int_equal(fake.sent_count, 2); /* both of priority 1000, and nobody else */
    assert_int_equal(low->state, PROCESS_RUNNING);
    child_exits(high, 0);
    turn_loop();
    assert_int_equal(fake.sent_count, 2);
    child_exits(other, 0);
    turn_loop();
    assert_int_equal(low->state, PROCESS_STOPPING);
    assert_false(has_stopped);
    child_exits(low, 1);
    turn_loop();
    assert_true(has_stopped);
    assert_int_equal(low->state, PROCESS_STOPPED);
}

static const char *occupied; /* the group that has something to finish; NULL: none */

static bool is_occupied(void *context, const struct process_group *group)
{
    (void)context;
    return occupied != NULL && strcmp(group->config->name, occupied) == 0;
}

static struct process *begin_shutdown_with_occupied_group(void)
{
    struct process *cat = running(fake_program("cat"));

    occupied = "cat";
    supervisor->is_occupied = is_occupied;
    supervisor_stop(supervisor, SUPERVISOR_SHUTDOWN);
    turn_loop();
    assert_int_equal(fake.sent_count, 0);
    assert_int_equal(cat->state, PROCESS_RUNNING);
    return cat;
}

static void a_shutdown_waits_until_a_group_has_finished(void **state)
{
    (void)state;
    struct process *cat = begin_shutdown_with_occupied_group();

    supervisor_continue_stop(supervisor); /* somebody else has finished */
    turn_loop();
    assert_int_equal(fake.sent_count, 0);
    occupied = NULL;
    supervisor_continue_stop(supervisor);
    turn_loop();
    assert_int_equal(fake.sent_count, 1);
    supervisor_continue_stop(supervisor); /* changes nothing any more */
    turn_loop();
    assert_int_equal(fake.sent_count, 1);
    child_exits(cat, 0);
}

static void a_shutdown_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct process *cat = begin_shutdown_with_occupied_group();

    assert_int_equal(fake.last_timer_us, 2000000);
    time_passes();
    assert_int_equal(fake.sent_count, 1);
    child_exits(cat, 0);
}

static void a_process_that_ends_while_it_is_waited_for(void **state)
{
    (void)state;
    struct process *cat = begin_shutdown_with_occupied_group();

    has_stopped = false;
    supervisor->on_stopped = note_stopped;
    child_exits(cat, 0);
    turn_loop();
    assert_int_equal(fake.sent_count, 0);
    assert_true(has_stopped);
}

static void nothing_restarts_during_a_shutdown(void **state)
{
    struct config_process config = fake_program("cat");

    (void)state;
    config.autorestart = AUTORESTART_ALWAYS;
    struct process *cat = running(config);
    supervisor_stop(supervisor, SUPERVISOR_SHUTDOWN);
    child_exits(cat, 1); /* before the stop signal was sent */
    turn_loop();
    assert_int_equal(cat->state, PROCESS_EXITED);
    assert_int_equal(fake.sent_count, 0);
}

/* A subscriber that stops whatever starts: the machine must cope with being stepped from within its own events. */
static void stop_at_once(void *context, const struct event_occurrence *occurrence)
{
    struct error err;

    (void)context;
    if (occurrence->type == EVENT_TYPE_PROCESS_STATE_STARTING)
        process_stop(occurrence->state.process, &err);
}

static void a_subscriber_may_stop_what_starts(void **state)
{
    struct event_subscription *spoilsport =
        event_subscribe(supervisor->bus, event_mask(EVENT_TYPE_PROCESS_STATE), stop_at_once, NULL);
    struct process *cat = add(fake_program("cat"), 999);
    struct error err;

    (void)state;
    assert_int_equal(process_start(cat, &err), 0);
    assert_int_equal(cat->state, PROCESS_STOPPING);
    child_exits(cat, 0);
    assert_int_equal(cat->state, PROCESS_STOPPED);
    fake.spawn_refusals = 1;
    assert_int_equal(process_start(cat, &err), -1);
    assert_int_equal(cat->state, PROCESS_STOPPED);
    event_unsubscribe(spoilsport);
}

static void a_group_with_somebody_alive_stays(void **state)
{
    struct process *cat = running(fake_program("cat"));
    struct error err;

    (void)state;
    assert_int_equal(supervisor_remove_group(supervisor, cat->group, &err), -1);
    assert_int_equal(err.fault, FAULT_STILL_RUNNING);
    child_exits(cat, 0);
    assert_int_equal(supervisor_remove_group(supervisor, cat->group, &err), 0);
    assert_null(supervisor_find_group(supervisor, "cat"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_runs_after_startsecs),
        TEST(without_startsecs_it_runs_at_once),
        TEST(early_exits_back_off_longer_each_time_and_end_in_fatal),
        TEST(a_refused_fork_is_a_failed_start),
        TEST(a_child_whose_output_cannot_be_waited_for_is_killed_and_reaped_like_any),
        TEST(a_missing_command_is_refused_to_users_and_fatal_at_boot),
        TEST(it_restarts_as_autorestart_says),
        TEST(a_signal_is_never_an_expected_end),
        TEST(one_that_ends_at_once_does_not_spin),
        TEST(a_due_restart_can_be_called_off),
        TEST(it_is_stopped_by_signal_then_killed),
        TEST(whole_groups_are_signalled_on_request),
        TEST(one_that_cannot_be_killed_is_unknown),
        TEST(one_that_cannot_be_killed_can_be_removed),
        TEST(a_start_that_is_due_can_be_called_off),
        TEST(back_off_can_be_stopped),
        TEST(steps_of_the_wall_clock_do_not_matter),
        TEST(descriptions_say_what_matters),
        TEST(a_shutdown_goes_by_priority),
        TEST(a_shutdown_waits_until_a_group_has_finished),
        TEST(a_shutdown_does_not_wait_for_ever),
        TEST(a_process_that_ends_while_it_is_waited_for),
        TEST(nothing_restarts_during_a_shutdown),
        TEST(a_subscriber_may_stop_what_starts),
        TEST(a_group_with_somebody_alive_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
