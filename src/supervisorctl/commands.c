#include "supervisorctl/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "supervisorctl/plugins.h"

#define HELP_WIDTH 79
#define NOTE_RESTART "Note: the configuration file is not read again; see reread and update for that."
#define UPDATE_DOES "Read the configuration again, add, remove and restart what it changed"

static void command_help(struct ctl *ctl, const struct words *words);
static void command_exit(struct ctl *ctl, const struct words *words);

const struct command commands[] = {
    {"add", "add <name> [...]\tStart to use what the configuration says about a process or group", ARGUMENTS_GROUP,
     command_add},
    {"avail", "avail\t\t\tList the configured processes", ARGUMENTS_NONE, command_avail},
    {"clear",
     "clear <name>\t\tEmpty the log files of a process\n"
     "clear <name> <name>\tEmpty those of several processes\n"
     "clear all\t\tEmpty those of all processes",
     ARGUMENTS_PROCESS, command_clear},
    {"exit", "exit\tLeave the shell.", ARGUMENTS_NONE, command_exit},
    {"fg", "fg <process>\tTalk to a process in the foreground\n\t\tCtrl-C goes back", ARGUMENTS_PROCESS, command_fg},
    {"maintail",
     "maintail -f \tFollow the log of supervisord (Ctrl-C ends it)\n"
     "maintail -100\tIts last 100 *bytes*\n"
     "maintail\tIts last 1600 *bytes*\n",
     ARGUMENTS_NONE, command_maintail},
    {"open", "open <url>\tConnect to another supervisord.\n\t\t(a UNIX socket is unix:///path/to/socket)",
     ARGUMENTS_NONE, command_open},
    {"pid",
     "pid\t\t\tPrint the PID of supervisord.\n"
     "pid <name>\t\tPrint the PID of one process.\n"
     "pid all\t\t\tPrint the PIDs of all processes, each on a line.",
     ARGUMENTS_PROCESS, command_pid},
    {"quit", "quit\tLeave the shell.", ARGUMENTS_NONE, command_exit},
    {"reload", "reload \t\tMake supervisord stop everything and begin afresh.", ARGUMENTS_NONE, command_reload},
    {"remove", "remove <name> [...]\tStop to use a process or group that is not running", ARGUMENTS_GROUP,
     command_remove},
    {"reread", "reread \t\t\tRead the configuration files again, change no process", ARGUMENTS_NONE, command_reread},
    {"restart",
     "restart <name>\t\tStop and start a process\n"
     "restart <gname>:*\tStop and start a group\n"
     "restart <name> <name>\tStop, then start several processes or groups\n"
     "restart all\t\tStop, then start everything\n" NOTE_RESTART,
     ARGUMENTS_PROCESS, command_restart},
    {"shutdown", "shutdown \tMake supervisord stop everything and end.", ARGUMENTS_NONE, command_shutdown},
    {"signal",
     "signal <signal name> <name>\t\tSend a signal to a process\n"
     "signal <signal name> <gname>:*\t\tSend it to a group\n"
     "signal <signal name> <name> <name>\tSend it to several processes or groups\n"
     "signal <signal name> all\t\tSend it to all processes",
     ARGUMENTS_SIGNAL, command_signal},
    {"start",
     "start <name>\t\tStart a process\n"
     "start <gname>:*\t\tStart a group\n"
     "start <name> <name>\tStart several processes or groups\n"
     "start all\t\tStart everything",
     ARGUMENTS_PROCESS, command_start},
    {"status",
     "status <name>\t\tShow the status of a process\n"
     "status <gname>:*\tShow that of a group\n"
     "status <name> <name>\tShow that of several processes\n"
     "status\t\t\tShow all\n"
     "status --json [...]\tThe same as JSON",
     ARGUMENTS_PROCESS, command_status},
    {"stop",
     "stop <name>\t\tStop a process\n"
     "stop <gname>:*\t\tStop a group\n"
     "stop <name> <name>\tStop several processes or groups\n"
     "stop all\t\tStop everything",
     ARGUMENTS_PROCESS, command_stop},
    {"tail",
     "tail [-f] <name> [stdout|stderr] (default stdout)\n"
     "Examples:\n"
     "tail -f <name>\t\tFollow what a process writes\n"
     "\t\t\tCtrl-C ends it.\n"
     "tail -100 <name>\tThe last 100 *bytes* of its stdout\n"
     "tail <name> stderr\tThe last 1600 *bytes* of its stderr",
     ARGUMENTS_PROCESS, command_tail},
    {"update",
     "update\t\t\t" UPDATE_DOES "\n"
     "update all\t\t" UPDATE_DOES "\n"
     "update <gname> [...]\tThe same for some groups",
     ARGUMENTS_GROUP, command_update},
    {"upgrade", "upgrade\t\t\tLet supervisord become the installed version; no process is stopped", ARGUMENTS_NONE,
     command_upgrade},
    {"version", "version\t\t\tPrint the version of supervisord", ARGUMENTS_NONE, command_version},
};
const size_t command_count = sizeof commands / sizeof *commands;

/* Actions that `help` does not list. */
static const struct command hidden_commands[] = {
    {"EOF", "EOF\tLeave the shell.", ARGUMENTS_NONE, command_exit},
    {"help", "help\t\tList the actions\nhelp <action>\tSay what an action does", ARGUMENTS_ACTION, command_help},
};

static const struct command *find_in(const struct command *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *found = find_in(commands, command_count, name);

    return found != NULL ? found : find_in(hidden_commands, sizeof hidden_commands / sizeof *hidden_commands, name);
}

static void command_exit(struct ctl *ctl, const struct words *words)
{
    (void)words;
    printf("\n");
    ctl->is_leaving = true;
}

static size_t column_width(const struct words *names, size_t column, size_t rows)
{
    size_t width = 0;

    for (size_t i = column * rows; i < names->count && i < (column + 1) * rows; i++) {
        if (strlen(names->items[i]) > width)
            width = strlen(names->items[i]);
    }
    return width;
}

static size_t width_with_rows(const struct words *names, size_t rows)
{
    size_t width = 0;

    for (size_t column = 0; column * rows < names->count; column++)
        width += column_width(names, column, rows) + (column > 0 ? 2 : 0);
    return width;
}

/* In columns, down first, in as few rows as fit. */
static void print_columns(const struct words *names, const char *whose)
{
    CLEANUP_FREE char *title = xasprintf("%s commands (type help <topic>):", whose);
    size_t rows = 1;

    while (rows < names->count && width_with_rows(names, rows) > HELP_WIDTH)
        rows++;
    printf("\n%s\n", title);
    for (size_t i = 0; i < strlen(title); i++)
        putchar('=');
    printf("\n");
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column * rows + row < names->count; column++)
            printf("%s%-*s", column > 0 ? "  " : "", (int)column_width(names, column, rows),
                   names->items[column * rows + row]);
        printf("\n");
    }
    printf("\n");
}

static void print_actions(const struct ctl_plugins *plugins)
{
    struct words names = {NULL, 0};

    for (size_t i = 0; i < command_count; i++)
        words_append(&names, commands[i].name);
    print_columns(&names, "default");
    words_release(&names);
    for (size_t i = 0; i < ctl_plugins_count(plugins); i++) {
        names = (struct words){NULL, 0};
        print_columns(&names, ctl_plugins_list(plugins, i, &names));
        words_release(&names);
    }
}

static void command_help(struct ctl *ctl, const struct words *words)
{
    const char *name = words->count == 1 ? words->items[0] : "";
    const struct command *command = strcmp(name, "EOF") != 0 ? command_find(name) : NULL;
    const char *help = command != NULL ? command->help : ctl_plugins_help(ctl->plugins, name);

    if (words->count == 0) {
        print_actions(ctl->plugins);
    } else if (help != NULL) {
        printf("%s\n", help);
    } else {
        printf("*** No help on");
        for (size_t i = 0; i < words->count; i++)
            printf(" %s", words->items[i]);
        printf("\n");
    }
}

/* The action's name ends where letters, digits and underscores do; `?x` is `help x`. */
static char *take_name(const char **line)
{
    const char *start = *line;

    if (*start == '?') {
        *line = start + 1;
        return xstrdup("help");
    }
    while (isalnum((unsigned char)**line) || **line == '_')
        (*line)++;
    return xstrndup(start, (size_t)(*line - start));
}

void command_run_line(struct ctl *ctl, const char *line)
{
    const char *rest = line + strspn(line, " \t\r\n\v\f");
    const size_t length = strlen(rest);
    CLEANUP_FREE char *whole = xstrndup(rest, length);
    CLEANUP_FREE char *name = take_name(&rest);
    const struct command *command = command_find(name);
    struct words words;

    if (length == 0)
        return;
    if (command == NULL && ctl_plugins_run_line(ctl->plugins, name, rest))
        return;
    if (command == NULL) {
        whole[strcspn(whole, "\r\n")] = '\0';
        printf("*** Unknown syntax: %s\n", whole);
        ctl->exit_status = CTL_FAILURE;
        return;
    }
    words_split(&words, rest);
    command->run(ctl, &words);
    words_release(&words);
}
