/* supervisorctl: from the command line and the configuration file to one action or a shell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/interrupt.h"
#include "config/load.h"
#include "supervisorctl/command_line.h"
#include "supervisorctl/commands.h"
#include "supervisorctl/plugins.h"
#include "supervisorctl/shell.h"

#define EXIT_USAGE 2
#define DEFAULT_HISTORY ".supervisorctl_history"

/* Without a file. */
static const struct config_ctl defaults = {.serverurl = (char[]){"http://localhost:9001"},
                                           .prompt = (char[]){"supervisor"}};

static int fail_with_usage(const char *program, const struct error *err)
{
    fprintf(stderr, "Error: %s\nFor help, use %s -h\n", err->text, program);
    return EXIT_USAGE;
}

/* Reads the file into *config, which stays NULL when none is named and none is found: defaults will do then. */
static int load(const struct command_line *line, const char *program, struct config **config, struct error *err)
{
    const struct config_load_options options = {.for_ctl = true};
    CLEANUP_FREE char *path = NULL;
    struct error none_found;

    *config = NULL;
    if (line->configuration == NULL)
        path = config_find_file(program, &none_found);
    else if (access(line->configuration, F_OK) == 0)
        path = xstrdup(line->configuration);
    else
        return error_set(err, "could not find config file %s", line->configuration);
    if (path == NULL)
        return 0;
    *config = config_load(path, &options, err);
    return *config != NULL ? 0 : -1;
}

/* What the command line says goes before what the file says. */
static const char *choose(const char *given, const char *configured)
{
    return given != NULL ? given : configured;
}

static char *history_path(const struct command_line *line, const struct config_ctl *settings)
{
    const char *home = getenv("HOME");

    if (line->history_file != NULL)
        return xstrdup(line->history_file);
    if (settings->history_file != NULL)
        return xstrdup(settings->history_file);
    if (line->keep_history && home != NULL)
        return xasprintf("%s/%s", home, DEFAULT_HISTORY);
    return NULL;
}

/* The arguments of a plugin's action are as the user's shell has split them. */
static bool run_action_of_plugin(struct ctl *ctl, const struct command_line *line)
{
    return ctl_plugins_run(ctl->plugins, line->action[0], line->action + 1, (size_t)line->action_count - 1);
}

static void run_line(struct ctl *ctl, const struct command_line *line)
{
    char *joined = xstrdup("");

    for (int i = 0; i < line->action_count; i++) {
        char *longer = xasprintf("%s%s%s", joined, i > 0 ? " " : "", line->action[i]);

        free(joined);
        joined = longer;
    }
    command_run_line(ctl, joined);
    free(joined);
}

static void run_action(struct ctl *ctl, const struct command_line *line)
{
    if (ctl->is_interactive) /* Ctrl-C leads to the shell */
        interrupt_begin();
    if (!run_action_of_plugin(ctl, line))
        run_line(ctl, line);
    if (ctl->is_interactive)
        interrupt_end();
    fflush(stdout);
}

static int run(struct ctl *ctl, const struct command_line *line, const struct config_ctl *settings)
{
    struct error err;

    if (ctl_open(ctl, choose(line->serverurl, settings->serverurl), &err) < 0) {
        printf("error: %s\n", err.text);
        return CTL_FAILURE;
    }
    ctl->is_interactive = line->interactive || line->action_count == 0;
    if (line->action_count > 0)
        run_action(ctl, line);
    if (ctl->is_interactive && !ctl->is_leaving) {
        CLEANUP_FREE char *history = history_path(line, settings);

        shell_run(ctl, settings->prompt, history);
        ctl->exit_status = CTL_SUCCESS;
    }
    transport_free(ctl->transport);
    return ctl->exit_status;
}

/* `config` may be NULL. */
static int run_with_plugins(const struct command_line *line, const struct config *config, const char *program)
{
    static const struct transport_tls_names names = {"tls_ca", "tls_ca in [supervisorctl]", "tls_certificate",
                                                     "tls_key"};
    const struct config_ctl *settings = config != NULL ? &config->ctl : &defaults;
    struct ctl ctl = {.username = choose(line->username, settings->username),
                      .password = choose(line->password, settings->password),
                      .tls = {settings->tls_ca, settings->tls_certificate, settings->tls_key, &names}};
    struct error err;

    if (config != NULL && config->ctlplugin_count > 0) {
        ctl.plugins = ctl_plugins_load(config, &ctl, &err);
        if (ctl.plugins == NULL)
            return fail_with_usage(program, &err);
    }
    const int status = run(&ctl, line, settings);
    ctl_plugins_free(ctl.plugins);
    return status;
}

int main(int argc, char **argv)
{
    struct command_line line;
    struct config *config;
    struct error err;
    int status;

    if (command_line_parse(&line, argc, argv, &err) < 0)
        return fail_with_usage(argv[0], &err);
    if (line.help) {
        command_line_print_help(argv[0]);
        return CTL_SUCCESS;
    }
    if (load(&line, argv[0], &config, &err) < 0)
        return fail_with_usage(argv[0], &err);
    status = run_with_plugins(&line, config, argv[0]);
    config_unref(config);
    return status;
}
