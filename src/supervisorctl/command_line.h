/* The command line of supervisorctl. */
#ifndef SUPERVISORCTL_COMMAND_LINE_H
#define SUPERVISORCTL_COMMAND_LINE_H

#include <stdbool.h>

#include "base/error.h"

struct command_line {
    const char *configuration; /* each borrowed from argv; NULL when not given */
    const char *serverurl;
    const char *username;
    const char *password;
    const char *history_file;
    bool keep_history; /* -r, with or without a file */
    bool interactive;
    bool help;
    char **action; /* the rest of argv */
    int action_count;
};

/* -1 with *err when it makes no sense. */
int command_line_parse(struct command_line *line, int argc, char **argv, struct error *err);

void command_line_print_help(const char *program);

#endif
