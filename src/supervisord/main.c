#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "config/load.h"
#include "config/value.h"
#include "plugin/plugins.h"
#include "process/spawn.h"
#include "supervisord/command_line.h"
#include "supervisord/daemon.h"
#include "supervisord/footprint.h"
#include "supervisord/upgrade.h"

/* Of every usage or configuration error. */
enum { EXIT_BAD = 2 };

static int complain(const char *program, const struct error *err)
{
    fprintf(stderr, "Error: %s\nFor help, use %s -h\n", err->text, program);
    return EXIT_BAD;
}

/* Somebody may start us with a standard descriptor closed; whatever we open first would then be taken for it. */
static void open_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* The descriptor that a path such as /dev/fd/63 stands for, which is what a shell makes of <(...), or -1. */
static int descriptor_of(const char *path)
{
    static const char directory[] = "/dev/fd/";

    if (path == NULL || !text_starts_with(path, directory))
        return -1;
    const long fd = strtol(path + strlen(directory), NULL, 10);
    return fd < INT_MAX ? (int)fd : -1;
}

/* What an earlier program left open is none of our business, nor of our children's: all but the configuration. */
static void close_inherited_descriptors(int kept)
{
    if (kept <= STDERR_FILENO) {
        closefrom(STDERR_FILENO + 1);
        return;
    }
    if (kept > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)kept - 1, 0);
    closefrom(kept + 1);
    fcntl(kept, F_SETFD, FD_CLOEXEC);
}

/* A mask is inherited through exec: with SIGTERM or SIGCHLD blocked we would never hear of it. */
static void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static char *choose_configuration(const struct command_line *line, const char *program, struct error *err)
{
    if (line->configuration == NULL && geteuid() == 0)
        fprintf(stderr, "Warning: running as root and searching for the configuration file in default locations, the "
                        "current directory among them; give its path with -c to be safe.\n");
    if (line->configuration == NULL)
        return config_find_file(program, err);
    if (access(line->configuration, F_OK) == 0)
        return value_make_absolute(line->configuration);
    error_set(err, "could not find config file %s", line->configuration);
    return NULL;
}

static int check(const struct command_line *line, const char *path, const char *program)
{
    struct error err;
    struct config *config = daemon_load_config(line, path, true, &err);

    if (config == NULL)
        return complain(program, &err);
    struct plugins *plugins = plugins_load(config, &err);
    if (plugins == NULL) {
        config_unref(config);
        return complain(program, &err);
    }
    plugins_free(plugins);
    for (size_t i = 0; i < config->remark_count; i++)
        puts(config->remarks[i].text);
    const int status = config->remark_count > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    printf("%s: %s\n", path, status == EXIT_SUCCESS ? "good" : "can be used, with the remarks above");
    config_unref(config);
    return status;
}

/* Takes `handover`: of the program that has become this one, or NULL. */
static int run(const struct command_line *line, const char *path, struct handover *handover, const char *program)
{
    struct error err;
    int status;
    enum daemon_outcome outcome =
        daemon_run(line, path, handover != NULL ? DAEMON_TAKES_OVER : DAEMON_STARTS, handover, &status, &err);

    while (outcome == DAEMON_RESTARTS)
        outcome = daemon_run(line, path, DAEMON_STARTS_AGAIN, NULL, &status, &err);
    return outcome == DAEMON_ENDED ? status : complain(program, &err);
}

static int act(const struct command_line *line, const char *program)
{
    struct error err;

    if (line->action == COMMAND_LINE_HELP) {
        command_line_print_help(program);
        return EXIT_SUCCESS;
    }
    if (line->action == COMMAND_LINE_VERSION) {
        puts(SUPERVISOR_VERSION);
        return EXIT_SUCCESS;
    }
    CLEANUP_FREE char *path = choose_configuration(line, program, &err);
    if (path == NULL)
        return complain(program, &err);
    return line->action == COMMAND_LINE_CHECK ? check(line, path, program) : run(line, path, NULL, program);
}

static int start(const struct command_line *line, const char *program)
{
    struct error err;

    unblock_signals();
    close_inherited_descriptors(descriptor_of(line->configuration));
    if (spawn_prepare(&err) < 0)
        return complain(program, &err);
    return act(line, program);
}

/* In the place of the program that has become this one: with its configuration, and signals held as it held them. */
static int go_on(const struct command_line *line, struct handover *handover, const char *program)
{
    CLEANUP_FREE char *path = NULL;
    struct error err;

    handover_text(handover, "path", &path);
    if (path == NULL)
        path = xstrdup(line->configuration != NULL ? line->configuration : "");
    if (spawn_prepare(&err) < 0)
        return complain(program, &err);
    return run(line, path, handover, program);
}

int main(int count, char **arguments)
{
    struct command_line line;
    struct error err;
    bool is_refused;

    footprint_prepare();
    open_standard_descriptors();
    struct handover *handover = upgrade_prepare(arguments, &is_refused, &err);
    if (is_refused || command_line_parse(&line, count, arguments, &err) < 0)
        return complain(arguments[0], &err);
    return handover != NULL ? go_on(&line, handover, arguments[0]) : start(&line, arguments[0]);
}
