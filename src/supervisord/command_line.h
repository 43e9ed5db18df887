/* The command line of supervisord (manual 1.3.2): most options stand for a key of [supervisord] and override it. */
#ifndef SUPERVISORD_COMMAND_LINE_H
#define SUPERVISORD_COMMAND_LINE_H

#include "base/error.h"
#include "config/load.h"

enum command_line_action { COMMAND_LINE_RUN, COMMAND_LINE_CHECK, COMMAND_LINE_HELP, COMMAND_LINE_VERSION };

enum { COMMAND_LINE_OVERRIDES_MAX = 32 };

struct command_line {
    enum command_line_action action;
    const char *configuration; /* of -c; NULL: search */
    struct config_override overrides[COMMAND_LINE_OVERRIDES_MAX];
    size_t override_count;
};

/* Borrows from `arguments`, which it may reorder. -1 with *err for an option that is unknown, incomplete or doubled. */
int command_line_parse(struct command_line *line, int count, char **arguments, struct error *err);

void command_line_print_help(const char *program);

#endif
