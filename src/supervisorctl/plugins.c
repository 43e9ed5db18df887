#include "supervisorctl/plugins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/ctl_plugin.h>

#include "base/memory.h"
#include "base/shared_object.h"
#include "config/load.h"
#include "supervisorctl/commands.h"

struct ctl_session {
    struct ctl *ctl;
    struct ctl_plugins *all;
    const struct config_plugin *section;
    struct shared_object object;
};

struct ctl_plugins {
    struct ctl_session *sessions;
    size_t count;
};

static const struct supervisor_ctl_plugin *functions_of(const struct ctl_session *session)
{
    return session->object.symbol;
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

/* What the factories of the original's plugins are to us. */
static const struct {
    const char *factory;
    const char *name;
} known_factories[] = {
    {"supervisor_cache.controllerplugin:make_cache_controllerplugin", "ctl_cache"},
};

static const char *find_object(const char *factory)
{
    for (size_t i = 0; i < sizeof known_factories / sizeof known_factories[0]; i++)
        if (strcmp(factory, known_factories[i].factory) == 0)
            return known_factories[i].name;
    return factory;
}

/* Nobody shall lose all actions for the sake of a few. */
static bool is_in_python(const struct config_plugin *section)
{
    const char *object = find_object(section->factory);

    if (object[0] == '/' || strchr(object, ':') == NULL)
        return false;
    fprintf(stderr,
            "supervisorctl: [ctlplugin:%s] supervisor.ctl_factory=%s: actions in Python cannot be run; going on "
            "without them\n",
            section->name, section->factory);
    return true;
}

static int load_one(struct ctl_session *session, const char *path, struct error *err)
{
    const struct supervisor_ctl_plugin *functions;

    if (shared_object_load(&session->object, find_object(session->section->factory), path, "supervisor_ctl_plugin",
                           SUPERVISOR_CTL_PLUGIN_VERSION, err) < 0)
        return -1;
    functions = functions_of(session);
    for (size_t i = 0; i < functions->action_count; i++)
        if (command_find(functions->actions[i].name) != NULL)
            return error_set(err, "supervisorctl has an action %s of its own", functions->actions[i].name);
    return functions->open != NULL ? functions->open(session, err) : 0;
}

struct ctl_plugins *ctl_plugins_load(const struct config *config, struct ctl *ctl, struct error *err)
{
    struct ctl_plugins *plugins = xcalloc(1, sizeof *plugins);

    plugins->sessions = xcalloc(config->ctlplugin_count + 1, sizeof *plugins->sessions);
    for (size_t i = 0; i < config->ctlplugin_count; i++) {
        if (is_in_python(&config->ctlplugins[i]))
            continue;
        struct ctl_session *session = &plugins->sessions[plugins->count++];
        *session = (struct ctl_session){.ctl = ctl, .all = plugins, .section = &config->ctlplugins[i]};
        if (load_one(session, config->ctl.plugin_path, err) < 0) {
            error_prefix(err, "%s: [ctlplugin:%s] supervisor.ctl_factory=%s", config->path, session->section->name,
                         session->section->factory);
            ctl_plugins_free(plugins);
            return NULL;
        }
    }
    return plugins;
}

void ctl_plugins_free(struct ctl_plugins *plugins)
{
    if (plugins == NULL)
        return;
    for (size_t i = 0; i < plugins->count; i++)
        shared_object_unload(&plugins->sessions[i].object);
    free(plugins->sessions);
    free(plugins);
}

/* --- actions ------------------------------------------------------------------------------------------------------ */

static const struct ctl_action *find(const struct ctl_plugins *plugins, const char *name, struct ctl_session **session)
{
    for (size_t i = 0; i < ctl_plugins_count(plugins); i++) {
        const struct supervisor_ctl_plugin *functions = functions_of(&plugins->sessions[i]);
        for (size_t j = 0; j < functions->action_count; j++)
            if (strcmp(functions->actions[j].name, name) == 0) {
                *session = &plugins->sessions[i];
                return &functions->actions[j];
            }
    }
    return NULL;
}

bool ctl_plugins_run(struct ctl_plugins *plugins, const char *action, char *const *words, size_t count)
{
    struct ctl_session *session;
    const struct ctl_action *found = find(plugins, action, &session);

    if (found != NULL)
        found->run(session, words, count);
    return found != NULL;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, NAMES_BLANKS)] == '\0';
}

bool ctl_plugins_run_line(struct ctl_plugins *plugins, const char *action, const char *line)
{
    struct ctl_session *session;
    struct error err;
    size_t count = 0; /* of words */

    if (find(plugins, action, &session) == NULL)
        return false;
    if (is_blank(line))
        return ctl_plugins_run(plugins, action, NULL, 0);
    char **words = config_split_command(line, &err);
    if (words == NULL) {
        ctl_session_say_usage(session, action, err.text);
        return true;
    }
    while (words[count] != NULL)
        count++;
    ctl_plugins_run(plugins, action, words, count);
    config_free_words(words);
    return true;
}

const char *ctl_plugins_help(const struct ctl_plugins *plugins, const char *action)
{
    struct ctl_session *session;
    const struct ctl_action *found = find(plugins, action, &session);

    return found != NULL ? found->help : NULL;
}

size_t ctl_plugins_count(const struct ctl_plugins *plugins)
{
    return plugins != NULL ? plugins->count : 0;
}

const char *ctl_plugins_list(const struct ctl_plugins *plugins, size_t index, struct words *names)
{
    const struct ctl_session *session = &plugins->sessions[index];
    const struct supervisor_ctl_plugin *functions = functions_of(session);

    for (size_t i = 0; i < functions->action_count; i++)
        words_append(names, functions->actions[i].name);
    return session->section->name;
}

/* --- what actions use --------------------------------------------------------------------------------------------- */

const char *ctl_session_option(const struct ctl_session *session, const char *key)
{
    const struct config_environment *options = &session->section->options;

    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->variables[i].name, key) == 0)
            return options->variables[i].value;
    return NULL;
}

bool ctl_session_check_server(struct ctl_session *session)
{
    return ctl_check_server(session->ctl);
}

struct rpc_value *ctl_session_call(struct ctl_session *session, const char *method, struct rpc_value *params,
                                   struct error *err)
{
    struct transport_answer answer;
    struct rpc_value *result = NULL;

    if (ctl_call(session->ctl, method, params, &answer)) {
        result = answer.result;
        answer.result = NULL;
    } else if (err != NULL) {
        *err = answer.err;
    } else {
        ctl_say_failure(session->ctl, &answer);
    }
    transport_answer_release(&answer);
    return result;
}

void ctl_session_say_usage(struct ctl_session *session, const char *action, const char *text)
{
    const char *help = ctl_plugins_help(session->all, action);

    printf("Error: %s\n%s\n", text, help != NULL ? help : "");
    session->ctl->exit_status = CTL_INVALID_ARGUMENTS;
}

void ctl_session_set_exit_status(struct ctl_session *session, int status)
{
    session->ctl->exit_status = status;
}
