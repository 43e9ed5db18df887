/* Actions of supervisorctl that do as they are told: each part of include/supervisor/ctl_plugin.h is used by one. */
#include <stdio.h>
#include <stdlib.h>
#include <supervisor/ctl_plugin.h>

static void print_words(struct ctl_session *session, char *const *words, size_t count)
{
    (void)session;
    for (size_t i = 0; i < count; i++)
        printf("<%s>", words[i]);
    printf("\n");
}

static struct rpc_value *nothing(void)
{
    return rpc_array(0);
}

static void call(struct ctl_session *session, char *const *words, size_t count)
{
    struct rpc_value *result;

    if (count != 1) {
        ctl_session_say_usage(session, "exercise_call", "it takes the name of one method");
        return;
    }
    if (!ctl_session_check_server(session))
        return;
    result = ctl_session_call(session, words[0], nothing(), NULL);
    if (result != NULL)
        printf("%s\n", rpc_type_name(rpc_value_type(result)));
    rpc_value_free(result);
}

static void call_quietly(struct ctl_session *session, char *const *words, size_t count)
{
    struct error err;
    struct rpc_value *result = ctl_session_call(session, count > 0 ? words[0] : "", nothing(), &err);

    if (result == NULL)
        printf("fault %d: %s\n", (int)err.fault, err.text);
    rpc_value_free(result);
}

static void set_status(struct ctl_session *session, char *const *words, size_t count)
{
    ctl_session_set_exit_status(session, count > 0 ? atoi(words[0]) : 0);
}

static void print_option(struct ctl_session *session, char *const *words, size_t count)
{
    const char *value = count > 0 ? ctl_session_option(session, words[0]) : NULL;

    printf("%s\n", value != NULL ? value : "(none)");
}

static const struct ctl_action actions[] = {
    {"exercise_words", "exercise_words ...\tPrint the arguments", print_words},
    {"exercise_call", "exercise_call <method>\tCall a method", call},
    {"exercise_quietly", "exercise_quietly <method>\tCall a method and print its fault", call_quietly},
    {"exercise_status", "exercise_status <number>\tSet the exit status", set_status},
    {"exercise_option", "exercise_option <key>\tPrint a key of the section", print_option},
};

static int refuse_on_demand(struct ctl_session *session, struct error *err)
{
    const char *text = ctl_session_option(session, "refuse");

    return text != NULL ? error_set(err, "%s", text) : 0;
}

const struct supervisor_ctl_plugin supervisor_ctl_plugin = {
    .version = SUPERVISOR_CTL_PLUGIN_VERSION,
    .actions = actions,
    .action_count = sizeof actions / sizeof actions[0],
    .open = refuse_on_demand,
};
