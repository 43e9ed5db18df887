/* start, stop, restart, signal, clear, pid: what is done to processes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/interrupt.h"
#include "supervisorctl/commands.h"
#include "supervisorctl/parallel.h"

/* What the end of one request is called, and what it does to the exit status. */
struct verdict {
    enum fault code;
    int exit_status;
    const char *text; /* NULL: the fault's own string, without a name */
};

static const struct verdict start_verdicts[] = {
    {FAULT_SUCCESS, CTL_SUCCESS, "started"},
    {FAULT_BAD_NAME, CTL_FAILURE, "ERROR (no such process)"},
    {FAULT_NO_FILE, CTL_FAILURE, "ERROR (no such file)"},
    {FAULT_NOT_EXECUTABLE, CTL_FAILURE, "ERROR (file is not executable)"},
    {FAULT_ALREADY_STARTED, CTL_SUCCESS, "ERROR (already started)"},
    {FAULT_SPAWN_ERROR, CTL_NOT_RUNNING, "ERROR (spawn error)"},
    {FAULT_ABNORMAL_TERMINATION, CTL_NOT_RUNNING, "ERROR (abnormal termination)"},
    {FAULT_NONE},
};
static const struct verdict stop_verdicts[] = {
    {FAULT_SUCCESS, CTL_SUCCESS, "stopped"},
    {FAULT_BAD_NAME, CTL_FAILURE, "ERROR (no such process)"},
    {FAULT_BAD_SIGNAL, CTL_FAILURE, "ERROR (bad signal name)"},
    {FAULT_NOT_RUNNING, CTL_SUCCESS, "ERROR (not running)"},
    {FAULT_FAILED, CTL_FAILURE, NULL},
    {FAULT_NONE},
};
static const struct verdict signal_verdicts[] = {
    {FAULT_SUCCESS, CTL_SUCCESS, "signalled"},
    {FAULT_BAD_NAME, CTL_FAILURE, "ERROR (no such process)"},
    {FAULT_BAD_SIGNAL, CTL_FAILURE, "ERROR (bad signal name)"},
    {FAULT_NOT_RUNNING, CTL_NOT_RUNNING, "ERROR (not running)"},
    {FAULT_FAILED, CTL_FAILURE, NULL},
    {FAULT_NONE},
};
static const struct verdict clear_verdicts[] = {
    {FAULT_SUCCESS, CTL_SUCCESS, "cleared"},
    {FAULT_BAD_NAME, CTL_FAILURE, "ERROR (no such process)"},
    {FAULT_FAILED, CTL_FAILURE, "ERROR (failed)"},
    {FAULT_NONE},
};

/* An action on processes: its methods and how results read. */
struct control {
    const char *action;
    const char *method;
    const char *group_method; /* NULL: group:* becomes one call for each member */
    const char *all_method;
    const struct verdict *verdicts;
    int no_group_exit_status;
    enum parallel_order order;
};

static const struct control start_control = {
    "start",        "supervisor.startProcess", "supervisor.startProcessGroup", "supervisor.startAllProcesses",
    start_verdicts, CTL_INVALID_ARGUMENTS,     PARALLEL_LOW_PRIORITY_FIRST};
static const struct control stop_control = {"stop",
                                            "supervisor.stopProcess",
                                            "supervisor.stopProcessGroup",
                                            "supervisor.stopAllProcesses",
                                            stop_verdicts,
                                            CTL_FAILURE,
                                            PARALLEL_HIGH_PRIORITY_FIRST};
static const struct control signal_control = {"signal",
                                              "supervisor.signalProcess",
                                              "supervisor.signalProcessGroup",
                                              "supervisor.signalAllProcesses",
                                              signal_verdicts,
                                              CTL_FAILURE,
                                              PARALLEL_AS_GIVEN};
static const struct control clear_control = {"clear",
                                             "supervisor.clearProcessLogs",
                                             NULL,
                                             "supervisor.clearAllProcessLogs",
                                             clear_verdicts,
                                             CTL_FAILURE,
                                             PARALLEL_AS_GIVEN};

static const struct verdict *find_verdict(const struct control *control, int64_t code)
{
    for (const struct verdict *verdict = control->verdicts; verdict->code != FAULT_NONE; verdict++) {
        if ((int64_t)verdict->code == code)
            return verdict;
    }
    return NULL;
}

/* `text` is the fault's string. False when the code means nothing for this action. */
static bool say_verdict(struct ctl *ctl, const struct control *control, const char *name, int64_t code,
                        const char *text)
{
    const struct verdict *verdict = find_verdict(control, code);

    if (verdict == NULL)
        return false;
    if (verdict->text == NULL)
        printf("%s\n", text);
    else
        printf("%s: %s\n", name, verdict->text);
    if (verdict->exit_status != CTL_SUCCESS)
        ctl->exit_status = verdict->exit_status;
    return true;
}

/* The answer to a call for a group or for all: one result for each process. */
static void say_results(struct ctl *ctl, const struct control *control, const struct rpc_value *results)
{
    for (size_t i = 0; i < list_count(results); i++) {
        const struct rpc_value *result = rpc_array_get(results, i);
        CLEANUP_FREE char *name = process_name_show(member_text(result, "group"), member_text(result, "name"));
        const char *description = member_text(result, "description");

        if (say_verdict(ctl, control, name, member_int(result, "status"), description))
            continue;
        printf("%s: ERROR (%s)\n", name, description);
        ctl->exit_status = CTL_FAILURE;
    }
}

static void say_unit(struct ctl *ctl, const struct control *control, const struct parallel_unit *unit)
{
    const struct transport_answer *answer = &unit->answer;

    if (answer->outcome == TRANSPORT_OK && unit->is_group)
        say_results(ctl, control, answer->result);
    else if (answer->outcome == TRANSPORT_OK)
        say_verdict(ctl, control, unit->name, FAULT_SUCCESS, "");
    else if (unit->is_group && answer->outcome == TRANSPORT_FAULT && answer->err.fault == FAULT_BAD_NAME) {
        printf("%s: ERROR (no such group)\n", unit->group);
        ctl->exit_status = control->no_group_exit_status;
    } else if (answer->outcome != TRANSPORT_FAULT ||
               !say_verdict(ctl, control, unit->name, answer->err.fault, answer->err.text))
        ctl_say_failure(ctl, answer);
}

static void control_all(struct ctl *ctl, const struct control *control, const char *signal)
{
    struct transport_answer answer;

    if (ctl_call_or_say(ctl, control->all_method, signal != NULL ? params_string(signal) : NULL, &answer))
        say_results(ctl, control, answer.result);
    transport_answer_release(&answer);
}

/* The names behind the patterns. False when the server could not tell; that has been said. */
static bool expand(struct ctl *ctl, const struct words *words, size_t first, bool also_groups, struct words *names)
{
    struct transport_answer answer = {.outcome = TRANSPORT_OK};
    bool is_good = true;

    if (!names_have_pattern(words, first, also_groups)) {
        names_copy(names, words, first);
        return true;
    }
    is_good = ctl_call_or_say(ctl, "supervisor.getAllProcessInfo", NULL, &answer);
    if (is_good)
        names_expand(names, words, first, answer.result, also_groups);
    transport_answer_release(&answer);
    return is_good;
}

static void control_names(struct ctl *ctl, const struct control *control, const struct words *names, const char *signal)
{
    const struct parallel_methods methods = {control->method, control->group_method, signal};
    struct parallel parallel;

    parallel_begin(ctl, &parallel, names, &methods, control->order);
    while (!interrupt_seen() && parallel_run_wave(ctl, &parallel)) {
        const struct parallel_unit *unit;

        while ((unit = parallel_next_finished(&parallel)) != NULL)
            say_unit(ctl, control, unit);
        fflush(stdout);
    }
    parallel_end(&parallel);
}

static void control_words(struct ctl *ctl, const struct control *control, const struct words *words, size_t first,
                          const char *signal)
{
    struct words names;

    if (words_have(words, "all")) {
        control_all(ctl, control, signal);
    } else if (expand(ctl, words, first, control->group_method == NULL, &names)) {
        control_names(ctl, control, &names, signal);
        words_release(&names);
    }
}

void command_start(struct ctl *ctl, const struct words *words)
{
    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0)
        ctl_say_usage(ctl, "start", "start requires a process name", CTL_INVALID_ARGUMENTS);
    else
        control_words(ctl, &start_control, words, 0, NULL);
}

void command_stop(struct ctl *ctl, const struct words *words)
{
    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0)
        ctl_say_usage(ctl, "stop", "stop requires a process name", CTL_FAILURE);
    else
        control_words(ctl, &stop_control, words, 0, NULL);
}

void command_restart(struct ctl *ctl, const struct words *words)
{
    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0) {
        ctl_say_usage(ctl, "restart", "restart requires a process name", CTL_FAILURE);
        return;
    }
    control_words(ctl, &stop_control, words, 0, NULL);
    control_words(ctl, &start_control, words, 0, NULL);
}

void command_signal(struct ctl *ctl, const struct words *words)
{
    if (!ctl_check_server(ctl))
        return;
    if (words->count < 2)
        ctl_say_usage(ctl, "signal", "signal requires a signal name and a process name", CTL_FAILURE);
    else
        control_words(ctl, &signal_control, words, 1, words->items[0]);
}

void command_clear(struct ctl *ctl, const struct words *words)
{
    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0)
        ctl_say_usage(ctl, "clear", "clear requires a process name", CTL_FAILURE);
    else
        control_words(ctl, &clear_control, words, 0, NULL);
}

static void pid_of_daemon(struct ctl *ctl)
{
    struct transport_answer answer;

    if (ctl_call_or_say(ctl, "supervisor.getPID", NULL, &answer) && rpc_value_type(answer.result) == RPC_INT)
        printf("%" PRId64 "\n", rpc_as_int(answer.result));
    transport_answer_release(&answer);
}

static void pid_of_all(struct ctl *ctl)
{
    struct transport_answer answer;

    if (ctl_call_or_say(ctl, "supervisor.getAllProcessInfo", NULL, &answer)) {
        for (size_t i = 0; i < list_count(answer.result); i++)
            printf("%" PRId64 "\n", member_int(rpc_array_get(answer.result, i), "pid"));
    }
    transport_answer_release(&answer);
}

static void pid_of_process(struct ctl *ctl, const char *name)
{
    struct transport_answer answer;

    if (ctl_call(ctl, "supervisor.getProcessInfo", params_string(name), &answer)) {
        printf("%" PRId64 "\n", member_int(answer.result, "pid"));
        if (member_int(answer.result, "pid") == 0)
            ctl->exit_status = CTL_NOT_RUNNING;
    } else if (answer.outcome == TRANSPORT_FAULT && answer.err.fault == FAULT_BAD_NAME) {
        printf("No such process %s\n", name);
        ctl->exit_status = CTL_FAILURE;
    } else {
        ctl_say_failure(ctl, &answer);
    }
    transport_answer_release(&answer);
}

void command_pid(struct ctl *ctl, const struct words *words)
{
    struct words names;

    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0) {
        pid_of_daemon(ctl);
    } else if (words_have(words, "all")) {
        pid_of_all(ctl);
    } else if (expand(ctl, words, 0, true, &names)) {
        for (size_t i = 0; i < names.count; i++)
            pid_of_process(ctl, names.items[i]);
        words_release(&names);
    }
}
