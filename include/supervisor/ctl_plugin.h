/*
 * The interface for extensions of supervisorctl: shared objects that add actions, named in
 *
 *     [ctlplugin:x]
 *     supervisor.ctl_factory = NAME
 *
 * where NAME is that of NAME.so in `plugin_path` of [supervisorctl], or an absolute path. What an action has to say it
 * prints to stdout.
 */
#ifndef SUPERVISOR_CTL_PLUGIN_H
#define SUPERVISOR_CTL_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <supervisor/error.h>
#include <supervisor/value.h>

/* As for plugin.h, and independent of it. */
#define SUPERVISOR_CTL_PLUGIN_VERSION 1

struct ctl_session;

struct ctl_action {
    const char *name; /* letters, digits and underscores */
    const char *help; /* lines for `help NAME`, without the last newline */
    /* `words` are the arguments, `count` of them. `session` is good for the time of the call. */
    void (*run)(struct ctl_session *session, char *const *words, size_t count);
};

/* What a shared object must define, as `const struct supervisor_ctl_plugin supervisor_ctl_plugin`. */
struct supervisor_ctl_plugin {
    unsigned version; /* SUPERVISOR_CTL_PLUGIN_VERSION */
    const struct ctl_action *actions;
    size_t action_count;
    /* Looks at the section before anything else happens; -1 with *err: supervisorctl refuses to run. May be NULL. */
    int (*open)(struct ctl_session *session, struct error *err);
};

#pragma GCC visibility push(default)

extern const struct supervisor_ctl_plugin supervisor_ctl_plugin;

/* A key of the plugin's section, expanded; NULL: not given. Borrowed. */
const char *ctl_session_option(const struct ctl_session *session, const char *key);

/* Says that there is no supervisord to talk to, or that the user must log in, and gives false. */
bool ctl_session_check_server(struct ctl_session *session);

/*
 * Calls a method and takes `params`, an array. The result is the caller's to free. NULL when there is none: *err then
 * says why, with the fault; `err` NULL: the user is told so and the exit status is 1.
 */
struct rpc_value *ctl_session_call(struct ctl_session *session, const char *method, struct rpc_value *params,
                                   struct error *err);

/* Prints "Error: " and the text, then the action's help; exit status 2. */
void ctl_session_say_usage(struct ctl_session *session, const char *action, const char *text);

/* The exit status of supervisorctl, if nothing that comes later sets another. */
void ctl_session_set_exit_status(struct ctl_session *session, int status);

#pragma GCC visibility pop

#endif
