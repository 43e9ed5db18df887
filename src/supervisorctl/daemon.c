/* avail, reread, update, add, remove, reload, upgrade, shutdown, version, open: what concerns supervisord and its
 * configuration.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "supervisorctl/commands.h"

/* A fault that an action expects, and what it says then; %s is the name given. */
struct fault_text {
    enum fault fault;
    const char *prefix;
    bool with_name;
    int exit_status;
};

static void say_fault(struct ctl *ctl, const struct transport_answer *answer, const struct fault_text *texts,
                      const char *name)
{
    if (answer->outcome == TRANSPORT_FAULT) {
        for (; texts->prefix != NULL; texts++) {
            if (texts->fault != answer->err.fault)
                continue;
            printf("ERROR: %s%s\n", texts->prefix, texts->with_name ? name : "");
            if (texts->exit_status != CTL_SUCCESS)
                ctl->exit_status = texts->exit_status;
            return;
        }
    }
    ctl_say_failure(ctl, answer);
}

static bool takes_nothing(struct ctl *ctl, const struct words *words, const char *action)
{
    CLEANUP_FREE char *text = xasprintf("%s accepts no arguments", action);

    if (words->count == 0)
        return true;
    ctl_say_usage(ctl, action, text, CTL_FAILURE);
    return false;
}

static void print_configured(const struct rpc_value *process)
{
    CLEANUP_FREE char *name = process_name_show(member_text(process, "group"), member_text(process, "name"));

    printf("%-32s %-9s %-9s %" PRId64 ":%" PRId64 "\n", name, member_true(process, "inuse") ? "in use" : "avail",
           member_true(process, "autostart") ? "auto" : "manual", member_int(process, "group_prio"),
           member_int(process, "process_prio"));
}

void command_avail(struct ctl *ctl, const struct words *words)
{
    static const struct fault_text texts[] = {{FAULT_SHUTDOWN_STATE, "supervisor shutting down", false, CTL_FAILURE},
                                              {FAULT_NONE}};
    struct transport_answer answer;

    if (!takes_nothing(ctl, words, "avail"))
        return;
    if (ctl_call(ctl, "supervisor.getAllConfigInfo", NULL, &answer)) {
        for (size_t i = 0; i < list_count(answer.result); i++)
            print_configured(rpc_array_get(answer.result, i));
    } else {
        say_fault(ctl, &answer, texts, "");
    }
    transport_answer_release(&answer);
}

/* What reloadConfig answers: [[added, changed, removed]]. */
enum change { ADDED, CHANGED, REMOVED, CHANGE_COUNT };

/* The names in one of the three lists. Fills *names. */
static void read_changes(struct words *names, const struct rpc_value *result, enum change change)
{
    const struct rpc_value *lists = NULL;
    const struct rpc_value *list = NULL;

    *names = (struct words){NULL, 0};
    if (list_count(result) > 0)
        lists = rpc_array_get(result, 0);
    if (lists != NULL && list_count(lists) == CHANGE_COUNT)
        list = rpc_array_get(lists, change);
    for (size_t i = 0; list != NULL && i < list_count(list); i++) {
        if (rpc_value_type(rpc_array_get(list, i)) == RPC_STRING)
            words_append(names, rpc_as_string(rpc_array_get(list, i)));
    }
}

/* By the name before the colon, which each line has once: "c" stands before "c2". */
static int compare_lines(const void *a, const void *b)
{
    const char *left = *(char *const *)a;
    const char *right = *(char *const *)b;
    const size_t left_length = strcspn(left, ":");
    const size_t right_length = strcspn(right, ":");
    const int order = memcmp(left, right, left_length < right_length ? left_length : right_length);

    return order != 0 ? order : (left_length > right_length) - (left_length < right_length);
}

static void print_changes(const struct rpc_value *result)
{
    static const char *const texts[CHANGE_COUNT] = {
        [ADDED] = "available", [CHANGED] = "changed", [REMOVED] = "disappeared"};
    struct words lines = {NULL, 0};

    for (enum change change = ADDED; change < CHANGE_COUNT; change++) {
        struct words names;

        read_changes(&names, result, change);
        for (size_t i = 0; i < names.count; i++) {
            CLEANUP_FREE char *line = xasprintf("%s: %s", names.items[i], texts[change]);

            words_append(&lines, line);
        }
        words_release(&names);
    }
    if (lines.count == 0)
        printf("No config updates to processes\n");
    else
        qsort(lines.items, lines.count, sizeof *lines.items, compare_lines);
    for (size_t i = 0; i < lines.count; i++)
        printf("%s\n", lines.items[i]);
    words_release(&lines);
}

void command_reread(struct ctl *ctl, const struct words *words)
{
    static const struct fault_text texts[] = {{FAULT_SHUTDOWN_STATE, "supervisor shutting down", false, CTL_FAILURE},
                                              {FAULT_NONE}};
    struct transport_answer answer;

    if (!takes_nothing(ctl, words, "reread"))
        return;
    if (ctl_call(ctl, "supervisor.reloadConfig", NULL, &answer)) {
        print_changes(answer.result);
    } else if (answer.outcome == TRANSPORT_FAULT && answer.err.fault == FAULT_CANT_REREAD) {
        printf("ERROR: %s\n", answer.err.text);
        ctl->exit_status = CTL_FAILURE;
    } else {
        say_fault(ctl, &answer, texts, "");
    }
    transport_answer_release(&answer);
}

/* Calls a method with a group's name. */
static bool group_call(struct ctl *ctl, const char *method, const char *group)
{
    struct transport_answer answer;
    const bool is_good = ctl_call_or_say(ctl, method, params_string(group), &answer);

    transport_answer_release(&answer);
    return is_good;
}

static bool group_stop(struct ctl *ctl, const char *group)
{
    struct transport_answer answer;
    bool is_good = ctl_call_or_say(ctl, "supervisor.stopProcessGroup", params_string(group), &answer);

    if (is_good) {
        printf("%s: stopped\n", group);
        for (size_t i = 0; i < list_count(answer.result) && is_good; i++)
            is_good = member_int(rpc_array_get(answer.result, i), "status") != FAULT_FAILED;
        if (!is_good) {
            printf("%s: has problems; not removing\n", group);
            ctl->exit_status = CTL_FAILURE;
        }
    }
    transport_answer_release(&answer);
    fflush(stdout);
    return is_good;
}

static bool update_removed(struct ctl *ctl, const char *group)
{
    if (!group_stop(ctl, group))
        return true;
    if (!group_call(ctl, "supervisor.removeProcessGroup", group))
        return false;
    printf("%s: removed process group\n", group);
    return true;
}

static bool update_changed(struct ctl *ctl, const char *group)
{
    if (!group_stop(ctl, group))
        return true;
    if (!group_call(ctl, "supervisor.removeProcessGroup", group) ||
        !group_call(ctl, "supervisor.addProcessGroup", group))
        return false;
    printf("%s: updated process group\n", group);
    return true;
}

static bool update_added(struct ctl *ctl, const char *group)
{
    if (!group_call(ctl, "supervisor.addProcessGroup", group))
        return false;
    printf("%s: added process group\n", group);
    return true;
}

/* Applies one kind of change to all of its groups, or those of `wanted` if it names any. */
static bool update_kind(struct ctl *ctl, const struct rpc_value *changes, enum change change,
                        const struct words *wanted, bool (*apply)(struct ctl *ctl, const char *group))
{
    struct words names;
    bool is_good = true;

    read_changes(&names, changes, change);
    for (size_t i = 0; i < names.count && is_good; i++) {
        if (wanted->count == 0 || words_have(wanted, names.items[i]))
            is_good = apply(ctl, names.items[i]);
    }
    words_release(&names);
    return is_good;
}

static bool is_active_group(const struct rpc_value *processes, const char *group)
{
    for (size_t i = 0; i < list_count(processes); i++) {
        if (strcmp(member_text(rpc_array_get(processes, i), "group"), group) == 0)
            return true;
    }
    return false;
}

static void say_unknown_groups(struct ctl *ctl, const struct rpc_value *changes, const struct words *wanted)
{
    struct transport_answer answer;
    struct words added;

    read_changes(&added, changes, ADDED);
    if (ctl_call_or_say(ctl, "supervisor.getAllProcessInfo", NULL, &answer)) {
        for (size_t i = 0; i < wanted->count; i++) {
            if (words_have(&added, wanted->items[i]) || is_active_group(answer.result, wanted->items[i]))
                continue;
            printf("ERROR: no such group: %s\n", wanted->items[i]);
            ctl->exit_status = CTL_FAILURE;
        }
    }
    transport_answer_release(&answer);
    words_release(&added);
}

static void apply_changes(struct ctl *ctl, const struct rpc_value *changes, const struct words *wanted)
{
    if (wanted->count > 0)
        say_unknown_groups(ctl, changes, wanted);
    (void)(update_kind(ctl, changes, REMOVED, wanted, update_removed) &&
           update_kind(ctl, changes, CHANGED, wanted, update_changed) &&
           update_kind(ctl, changes, ADDED, wanted, update_added));
}

void command_update(struct ctl *ctl, const struct words *words)
{
    static const struct fault_text texts[] = {{FAULT_SHUTDOWN_STATE, "already shutting down", false, CTL_FAILURE},
                                              {FAULT_NONE}};
    static const struct words everything = {NULL, 0};
    struct transport_answer answer;

    if (ctl_call(ctl, "supervisor.reloadConfig", NULL, &answer))
        apply_changes(ctl, answer.result, words_have(words, "all") ? &everything : words);
    else
        say_fault(ctl, &answer, texts, "");
    transport_answer_release(&answer);
}

static void change_groups(struct ctl *ctl, const struct words *words, const char *method, const char *done,
                          const struct fault_text *texts)
{
    for (size_t i = 0; i < words->count; i++) {
        struct transport_answer answer;

        if (ctl_call(ctl, method, params_string(words->items[i]), &answer))
            printf("%s: %s process group\n", words->items[i], done);
        else
            say_fault(ctl, &answer, texts, words->items[i]);
        transport_answer_release(&answer);
    }
}

void command_add(struct ctl *ctl, const struct words *words)
{
    static const struct fault_text texts[] = {
        {FAULT_SHUTDOWN_STATE, "shutting down", false, CTL_FAILURE},
        {FAULT_ALREADY_ADDED, "process group already active", false, CTL_SUCCESS},
        {FAULT_BAD_NAME, "no such process/group: ", true, CTL_FAILURE},
        {FAULT_NONE},
    };

    change_groups(ctl, words, "supervisor.addProcessGroup", "added", texts);
}

void command_remove(struct ctl *ctl, const struct words *words)
{
    static const struct fault_text texts[] = {
        {FAULT_STILL_RUNNING, "process/group still running: ", true, CTL_FAILURE},
        {FAULT_BAD_NAME, "no such process/group: ", true, CTL_FAILURE},
        {FAULT_NONE},
    };

    change_groups(ctl, words, "supervisor.removeProcessGroup", "removed", texts);
}

/* In a shell, the user has to say y first. */
static bool is_meant(const struct ctl *ctl, const char *question)
{
    CLEANUP_FREE char *line = NULL;

    if (!ctl->is_interactive)
        return true;
    line = ctl_ask(question, false);
    return line != NULL && (line[0] == 'y' || line[0] == 'Y');
}

void command_reload(struct ctl *ctl, const struct words *words)
{
    static const struct fault_text texts[] = {{FAULT_SHUTDOWN_STATE, "already shutting down", false, CTL_FAILURE},
                                              {FAULT_NONE}};
    struct transport_answer answer;

    if (!takes_nothing(ctl, words, "reload") || !is_meant(ctl, "Really restart the remote supervisord process y/N? "))
        return;
    if (ctl_call(ctl, "supervisor.restart", NULL, &answer))
        printf("Restarted supervisord\n");
    else
        say_fault(ctl, &answer, texts, "");
    transport_answer_release(&answer);
}

/* The answer of the new program is the proof; it takes calls when it has taken over. */
void command_upgrade(struct ctl *ctl, const struct words *words)
{
    struct transport_answer answer;

    if (!takes_nothing(ctl, words, "upgrade") || !ctl_check_server(ctl))
        return;
    const bool is_done = ctl_call_or_say(ctl, "supervisor.upgrade", NULL, &answer);
    transport_answer_release(&answer);
    if (!is_done)
        return;
    if (ctl_call_or_say(ctl, "supervisor.getSupervisorVersion", NULL, &answer) &&
        rpc_value_type(answer.result) == RPC_STRING)
        printf("Upgraded supervisord: version %s is running\n", rpc_as_string(answer.result));
    transport_answer_release(&answer);
}

static void say_not_shut_down(struct ctl *ctl, const struct transport_answer *answer)
{
    static const struct fault_text texts[] = {{FAULT_SHUTDOWN_STATE, "already shutting down", false, CTL_SUCCESS},
                                              {FAULT_NONE}};

    if (answer->outcome != TRANSPORT_NO_SOCKET && answer->outcome != TRANSPORT_REFUSED) {
        say_fault(ctl, answer, texts, "");
        return;
    }
    printf("ERROR: %s %s (already shut down?)\n", transport_url(ctl->transport),
           answer->outcome == TRANSPORT_NO_SOCKET ? "no such file" : "refused connection");
    ctl->exit_status = CTL_FAILURE;
}

void command_shutdown(struct ctl *ctl, const struct words *words)
{
    struct transport_answer answer;

    if (!takes_nothing(ctl, words, "shutdown") ||
        !is_meant(ctl, "Really shut the remote supervisord process down y/N? "))
        return;
    if (ctl_call(ctl, "supervisor.shutdown", NULL, &answer))
        printf("Shut down\n");
    else
        say_not_shut_down(ctl, &answer);
    transport_answer_release(&answer);
}

void command_version(struct ctl *ctl, const struct words *words)
{
    struct transport_answer answer;

    if (!takes_nothing(ctl, words, "version") || !ctl_check_server(ctl))
        return;
    if (ctl_call_or_say(ctl, "supervisor.getSupervisorVersion", NULL, &answer) &&
        rpc_value_type(answer.result) == RPC_STRING)
        printf("%s\n", rpc_as_string(answer.result));
    transport_answer_release(&answer);
}

void command_open(struct ctl *ctl, const struct words *words)
{
    static const struct words nothing = {NULL, 0};
    const char *url = words->count > 0 ? words->items[0] : "";
    const int before = ctl->exit_status;
    struct error err;

    if (words->count != 1 || ctl_open(ctl, url, &err) < 0) {
        printf("ERROR: url must be http:// or unix://\n");
        ctl->exit_status = CTL_FAILURE;
        return;
    }
    command_status(ctl, &nothing);
    if (ctl->exit_status != CTL_FAILURE) /* what the other one runs is not this action's success or failure */
        ctl->exit_status = before;
}
