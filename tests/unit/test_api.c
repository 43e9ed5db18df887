/* The supervisor.* methods over processes that are a fake: no forks, no waiting. */
#include "cmocka_all.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "api/api.h"
#include "fake_system.h"

enum { MEMBER_COUNT = 3 };

static struct world {
    struct event_base *loop;
    struct config *config;
    struct api_context api;
    struct rpc_registry *registry;
    struct config *fresh; /* what load_config() gives; NULL: an error */
    /* What the transport was told last. */
    int answers;
    struct rpc_value *result;
    struct error err;
} world;

static void turn_loop(void)
{
    for (int i = 0; i < 10; i++)
        event_base_loop(world.loop, EVLOOP_NONBLOCK);
}

static void time_passes(struct process *process)
{
    fake_fire(process->timer, 1000000);
    turn_loop();
}

static void child_ends(struct process *process, int status)
{
    process_child_ended(process, status);
    turn_loop();
}

/* --- a configuration: the program "solo" and the group "many" of m0, m1, m2 --------------------------------------- */

static struct config_group *make_group(const char *name, size_t count)
{
    struct config_group *group = calloc(1, sizeof *group);

    *group = (struct config_group){.references = 1, .name = strdup(name), .priority = 999, .process_count = count};
    group->processes = calloc(count, sizeof(struct config_process *));
    return group;
}

static struct config_process *keep_program(struct config_process program)
{
    struct config_process *process = config_process_new();

    program.references = 1;
    *process = program;
    return process;
}

static struct config *make_config(void)
{
    struct config *config = calloc(1, sizeof *config);

    config->references = 1;
    config->daemon.identifier = strdup("supervisor");
    config->daemon.childlogdir = strdup("/tmp");
    config->group_count = 2;
    config->groups = calloc(config->group_count, sizeof(struct config_group *));
    config->groups[0] = make_group("solo", 1);
    config->groups[0]->processes[0] = keep_program(fake_program("solo"));
    config->groups[1] = make_group("many", MEMBER_COUNT);
    for (int i = 0; i < MEMBER_COUNT; i++) {
        const char name[] = {'m', (char)('0' + i), '\0'};
        config->groups[1]->processes[i] = keep_program(fake_program(name));
        config->groups[1]->processes[i]->priority = (int)(MEMBER_COUNT - i);
    }
    return config;
}

static struct config *load_config(void *daemon, struct error *err)
{
    (void)daemon;
    if (world.fresh == NULL)
        error_set(err, "no good");
    return world.fresh;
}

static int set_up(void **state)
{
    struct error err;

    (void)state;
    memset(&world, 0, sizeof world);
    fake_reset();
    world.loop = event_base_new();
    world.api = (struct api_context){.supervisor = supervisor_new(world.loop, &fake_process_system),
                                     .config = make_config(),
                                     .load_config = load_config};
    supervisor_configure(world.api.supervisor, world.api.config);
    for (size_t i = 0; i < world.api.config->group_count; i++)
        assert_int_equal(supervisor_add_group(world.api.supervisor, world.api.config->groups[i], &err), 0);
    world.registry = rpc_registry_new(api_is_stopping, &world.api);
    api_add_methods(world.registry, &world.api);
    rpc_registry_add_system(world.registry);
    return 0;
}

static int tear_down(void **state)
{
    struct supervisor *supervisor = world.api.supervisor;

    (void)state;
    supervisor->state = SUPERVISOR_SHUTDOWN;
    for (struct process *process = supervisor->by_pid, *next; process != NULL; process = next) {
        next = process->by_pid.next;
        process_child_ended(process, 0);
    }
    rpc_value_free(world.result);
    rpc_registry_free(world.registry);
    supervisor_free(supervisor);
    config_unref(world.api.config);
    event_base_free(world.loop);
    return 0;
}

/* --- calling ------------------------------------------------------------------------------------------------------ */

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    (void)context;
    world.answers++;
    rpc_value_free(world.result);
    world.result = result;
    world.err = err != NULL ? *err : (struct error){0};
}

static struct rpc_call *call(const char *method, struct rpc_value *first, struct rpc_value *second)
{
    struct rpc_value *params = rpc_array(2);

    if (first != NULL)
        rpc_array_append(params, first);
    if (second != NULL)
        rpc_array_append(params, second);
    world.answers = 0;
    return rpc_registry_call(world.registry, RPC_CALLER_CHANGES, method, params, on_answer, NULL);
}

static struct rpc_call *call_name(const char *method, const char *name)
{
    return call(method, rpc_string(name), NULL);
}

static void assert_true_answer(void)
{
    assert_int_equal(world.answers, 1);
    assert_string_equal(world.err.text, "");
    assert_true(rpc_as_boolean(world.result));
}

static void assert_fault(int fault, const char *text)
{
    assert_int_equal(world.answers, 1);
    assert_int_equal(world.err.fault, fault);
    assert_string_equal(world.err.text, text);
}

static void assert_entry(size_t index, const char *name, int status, const char *description)
{
    const struct rpc_value *entry = rpc_array_get(world.result, index);

    assert_string_equal(rpc_as_string(rpc_struct_get(entry, "name")), name);
    assert_string_equal(rpc_as_string(rpc_struct_get(entry, "group")), "many");
    assert_int_equal(rpc_as_int(rpc_struct_get(entry, "status")), status);
    assert_string_equal(rpc_as_string(rpc_struct_get(entry, "description")), description);
}

static struct process *solo(void)
{
    return supervisor_find_process(world.api.supervisor, "solo", "solo");
}

static struct process *member(int index)
{
    const char name[] = {'m', (char)('0' + index), '\0'};

    return supervisor_find_process(world.api.supervisor, "many", name);
}

static void run_solo(void)
{
    assert_non_null(call_name("supervisor.startProcess", "solo"));
    time_passes(solo());
    assert_true_answer();
}

/* --- one process -------------------------------------------------------------------------------------------------- */

static void a_start_answers_when_the_process_runs(void **state)
{
    (void)state;
    assert_non_null(call_name("supervisor.startProcess", "solo"));
    turn_loop();
    assert_int_equal(world.answers, 0);
    time_passes(solo());
    assert_true_answer();
    assert_null(call_name("supervisor.startProcess", "solo"));
    assert_fault(FAULT_ALREADY_STARTED, "ALREADY_STARTED: solo");
}

static void a_start_without_waiting_answers_at_once(void **state)
{
    (void)state;
    assert_null(call("supervisor.startProcess", rpc_string("many:m0"), rpc_boolean(false)));
    assert_true_answer();
    assert_int_equal(member(0)->state, PROCESS_STARTING);
}

static void a_start_survives_one_early_exit_but_not_two(void **state)
{
    (void)state;
    call_name("supervisor.startProcess", "many:m0");
    child_ends(member(0), W_EXITCODE(1, 0));
    assert_int_equal(world.answers, 0);
    time_passes(member(0)); /* the pause before the next attempt */
    assert_int_equal(member(0)->state, PROCESS_STARTING);
    child_ends(member(0), W_EXITCODE(1, 0));
    assert_fault(FAULT_SPAWN_ERROR, "SPAWN_ERROR: many:m0");
}

static void a_start_that_is_stopped_fails(void **state)
{
    struct error err;

    (void)state;
    call_name("supervisor.startProcess", "solo");
    assert_int_equal(process_stop(solo(), &err), 0);
    turn_loop();
    assert_fault(FAULT_ABNORMAL_TERMINATION, "ABNORMAL_TERMINATION: solo");
}

static void a_stop_answers_when_the_process_has_ended(void **state)
{
    (void)state;
    run_solo();
    assert_non_null(call_name("supervisor.stopProcess", "solo"));
    assert_int_equal(fake.sent[fake.sent_count - 1].number, SIGTERM);
    turn_loop();
    assert_int_equal(world.answers, 0);

    struct rpc_call *waiting = call_name("supervisor.stopProcess", "solo");
    assert_null(waiting);
    assert_fault(FAULT_NOT_RUNNING, "NOT_RUNNING: solo");
    world.answers = 0;
    child_ends(solo(), SIGTERM);
    assert_true_answer();
}

static void a_cancelled_call_is_forgotten(void **state)
{
    (void)state;
    rpc_call_cancel(call_name("supervisor.startProcess", "solo"));
    time_passes(solo());
    assert_int_equal(world.answers, 0);
    assert_int_equal(solo()->state, PROCESS_RUNNING);
}

static void names_that_name_nothing_are_bad(void **state)
{
    static const char *const names[] = {"", "x", "many", "many:x", "many:m0:", ":", ":m0", "x:*", "*"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CLEANUP_FREE char *text = xasprintf("BAD_NAME: %s", names[i]);
        assert_null(call_name("supervisor.startProcess", names[i]));
        assert_fault(FAULT_BAD_NAME, text);
    }
    call_name("supervisor.getProcessInfo", "many:*");
    assert_fault(FAULT_BAD_NAME, "BAD_NAME: many:*");
    call_name("supervisor.startProcessGroup", "");
    assert_fault(FAULT_BAD_NAME, "BAD_NAME: ");
}

static void signals_are_sent_by_name_and_number(void **state)
{
    (void)state;
    call("supervisor.signalProcess", rpc_string("solo"), rpc_string("HUP"));
    assert_fault(FAULT_NOT_RUNNING, "NOT_RUNNING: solo");
    call("supervisor.signalProcess", rpc_string("solo"), rpc_string("NOPE"));
    assert_fault(FAULT_BAD_SIGNAL, "BAD_SIGNAL: NOPE");
    run_solo();
    call("supervisor.signalProcess", rpc_string("solo"), rpc_string("usr1"));
    assert_true_answer();
    assert_int_equal(fake.sent[fake.sent_count - 1].number, SIGUSR1);
    call("supervisor.signalProcess", rpc_string("solo"), rpc_int(SIGHUP));
    assert_true_answer();
    assert_int_equal(fake.sent[fake.sent_count - 1].number, SIGHUP);
    call("supervisor.signalProcess", rpc_string("solo"), rpc_string(""));
    assert_fault(FAULT_BAD_SIGNAL, "BAD_SIGNAL: ");
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static void a_group_starts_by_priority_and_answers_in_order_of_completion(void **state)
{
    (void)state;
    assert_non_null(call_name("supervisor.startProcess", "many:*"));
    assert_true(member(2)->pid < member(1)->pid && member(1)->pid < member(0)->pid);
    child_ends(member(1), W_EXITCODE(1, 0));
    time_passes(member(1));
    child_ends(member(1), W_EXITCODE(1, 0));
    time_passes(member(0));
    assert_int_equal(world.answers, 0);
    time_passes(member(2));
    assert_int_equal(world.answers, 1);
    assert_int_equal(rpc_count(world.result), 3);
    assert_entry(0, "m1", FAULT_SPAWN_ERROR, "SPAWN_ERROR: many:m1");
    assert_entry(1, "m0", FAULT_SUCCESS, "OK");
    assert_entry(2, "m2", FAULT_SUCCESS, "OK");
}

static void a_group_leaves_out_what_needs_nothing(void **state)
{
    (void)state;
    call("supervisor.startProcess", rpc_string("many:m1"), rpc_boolean(false));
    call("supervisor.startProcessGroup", rpc_string("many"), rpc_boolean(false));
    assert_int_equal(rpc_count(world.result), 2);
    assert_null(call_name("supervisor.startProcessGroup", "many"));
    assert_int_equal(rpc_count(world.result), 0);
    assert_null(call_name("supervisor.stopProcessGroup", "solo"));
    assert_int_equal(rpc_count(world.result), 0);
}

static void slow_starts_give_others_their_turn(void **state)
{
    (void)state;
    fake.spawn_us = 1000000;
    assert_non_null(call("supervisor.startProcessGroup", rpc_string("many"), rpc_boolean(false)));
    assert_int_equal(member(2)->state, PROCESS_STARTING);
    assert_int_equal(member(0)->state, PROCESS_STOPPED);
    assert_int_equal(world.answers, 0);
    turn_loop();
    assert_int_equal(world.answers, 1);
    assert_int_equal(rpc_count(world.result), 3);
}

static void a_group_may_go_while_its_start_is_under_way(void **state)
{
    (void)state;
    fake.spawn_us = 1000000;
    assert_non_null(call("supervisor.startAllProcesses", rpc_boolean(false), NULL));
    assert_int_equal(solo()->state, PROCESS_STARTING);
    struct error err;
    assert_int_equal(supervisor_remove_group(world.api.supervisor, member(0)->group, &err), 0);
    turn_loop();
    assert_int_equal(world.answers, 1);
    assert_int_equal(rpc_count(world.result), 1);
}

static void a_bad_signal_is_told_for_each_member_that_runs(void **state)
{
    (void)state;
    call("supervisor.startProcess", rpc_string("many:m1"), rpc_boolean(false));
    call("supervisor.signalProcessGroup", rpc_string("many"), rpc_string("NOPE"));
    assert_int_equal(rpc_count(world.result), 1);
    assert_entry(0, "m1", FAULT_BAD_SIGNAL, "BAD_SIGNAL: NOPE");
    call("supervisor.signalProcessGroup", rpc_string("many"), rpc_string("HUP"));
    assert_entry(0, "m1", FAULT_SUCCESS, "OK");
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void all_processes_are_described_in_order_of_their_names(void **state)
{
    static const char *const keys[] = {"name",           "group",          "start",    "stop",       "now",
                                       "state",          "statename",      "spawnerr", "exitstatus", "logfile",
                                       "stdout_logfile", "stderr_logfile", "pid",      "description"};

    (void)state;
    call("supervisor.getAllProcessInfo", NULL, NULL);
    assert_int_equal(rpc_count(world.result), 4);
    const struct rpc_value *last = rpc_array_get(world.result, 3);
    assert_string_equal(rpc_as_string(rpc_struct_get(last, "name")), "solo");
    assert_int_equal(rpc_count(last), sizeof keys / sizeof keys[0]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_string_equal(rpc_struct_key(last, i), keys[i]);
    assert_string_equal(rpc_as_string(rpc_struct_get(last, "description")), "Not started");
}

static void settings_are_listed_by_process_name(void **state)
{
    (void)state;
    call("supervisor.getAllConfigInfo", NULL, NULL);
    assert_int_equal(rpc_count(world.result), 4);
    const struct rpc_value *first = rpc_array_get(world.result, 0);
    assert_string_equal(rpc_as_string(rpc_struct_get(first, "name")), "m0");
    assert_string_equal(rpc_as_string(rpc_struct_get(first, "group")), "many");
    assert_true(rpc_as_boolean(rpc_struct_get(first, "inuse")));
    assert_string_equal(rpc_as_string(rpc_struct_get(first, "uid")), "none");
}

static void a_broken_configuration_changes_nothing(void **state)
{
    struct config *before = world.api.config;

    (void)state;
    call("supervisor.reloadConfig", NULL, NULL);
    assert_fault(FAULT_CANT_REREAD, "CANT_REREAD: no good");
    assert_ptr_equal(world.api.config, before);
}

static void reloading_tells_differences_and_groups_come_and_go(void **state)
{
    (void)state;
    world.fresh = make_config();
    world.fresh->groups[0]->name[0] = 'S';
    call("supervisor.reloadConfig", NULL, NULL);
    const struct rpc_value *lists = rpc_array_get(world.result, 0);
    assert_string_equal(rpc_as_string(rpc_array_get(rpc_array_get(lists, 0), 0)), "Solo");
    assert_int_equal(rpc_count(rpc_array_get(lists, 1)), 0);
    assert_string_equal(rpc_as_string(rpc_array_get(rpc_array_get(lists, 2), 0)), "solo");

    call_name("supervisor.addProcessGroup", "Solo");
    assert_true_answer();
    call_name("supervisor.addProcessGroup", "Solo");
    assert_fault(FAULT_ALREADY_ADDED, "ALREADY_ADDED: Solo");
    call("supervisor.startProcess", rpc_string("solo"), rpc_boolean(false));
    call_name("supervisor.removeProcessGroup", "solo");
    assert_fault(FAULT_STILL_RUNNING, "STILL_RUNNING: solo");
    call_name("supervisor.removeProcessGroup", "Solo");
    assert_true_answer();
    call_name("supervisor.removeProcessGroup", "Solo");
    assert_fault(FAULT_BAD_NAME, "BAD_NAME: Solo");
}

static void stdin_takes_text_only_and_needs_a_process(void **state)
{
    (void)state;
    call("supervisor.sendProcessStdin", rpc_string("solo"), rpc_int(5));
    assert_fault(FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: 5");
    call("supervisor.sendProcessStdin", rpc_string("solo"), rpc_string("x"));
    assert_fault(FAULT_NOT_RUNNING, "NOT_RUNNING: solo");
    run_solo();
    call("supervisor.sendProcessStdin", rpc_string("solo"), rpc_string("x"));
    assert_fault(FAULT_NO_FILE, "NO_FILE: solo");
}

static void remember_event(void *context, const struct event_occurrence *occurrence)
{
    char *text = context;

    strcpy(text, occurrence->remote.type);
    strncat(text, occurrence->remote.data, occurrence->remote.length);
}

static void remote_events_reach_the_bus(void **state)
{
    char text[64] = "";
    struct event_subscription *subscription =
        event_subscribe(world.api.supervisor->bus, event_mask(EVENT_TYPE_REMOTE_COMMUNICATION), remember_event, text);

    (void)state;
    call("supervisor.sendRemoteCommEvent", rpc_string("type-"), rpc_int(7));
    assert_true_answer();
    assert_string_equal(text, "type-7");
    event_unsubscribe(subscription);
}

static void during_a_shutdown_calls_are_refused(void **state)
{
    (void)state;
    run_solo();
    call("supervisor.shutdown", NULL, NULL);
    assert_true_answer();
    call("supervisor.getState", NULL, NULL);
    assert_fault(FAULT_SHUTDOWN_STATE, "SHUTDOWN_STATE");
    call("supervisor.sendRemoteCommEvent", rpc_string("a"), rpc_string("b"));
    assert_true_answer();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_answers_when_the_process_runs),
        TEST(a_start_without_waiting_answers_at_once),
        TEST(a_start_survives_one_early_exit_but_not_two),
        TEST(a_start_that_is_stopped_fails),
        TEST(a_stop_answers_when_the_process_has_ended),
        TEST(a_cancelled_call_is_forgotten),
        TEST(names_that_name_nothing_are_bad),
        TEST(signals_are_sent_by_name_and_number),
        TEST(a_group_starts_by_priority_and_answers_in_order_of_completion),
        TEST(a_group_leaves_out_what_needs_nothing),
        TEST(slow_starts_give_others_their_turn),
        TEST(a_group_may_go_while_its_start_is_under_way),
        TEST(a_bad_signal_is_told_for_each_member_that_runs),
        TEST(all_processes_are_described_in_order_of_their_names),
        TEST(settings_are_listed_by_process_name),
        TEST(a_broken_configuration_changes_nothing),
        TEST(reloading_tells_differences_and_groups_come_and_go),
        TEST(stdin_takes_text_only_and_needs_a_process),
        TEST(remote_events_reach_the_bus),
        TEST(during_a_shutdown_calls_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
