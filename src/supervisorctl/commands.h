/*
 * The actions of supervisorctl: one table for one-shot use, the shell, help, completion. The functions that it names
 * live in control.c (start, stop ...), status.c, daemon.c (reread, update ...), tail.c, foreground.c.
 */
#ifndef SUPERVISORCTL_COMMANDS_H
#define SUPERVISORCTL_COMMANDS_H

#include <stddef.h>

#include "supervisorctl/ctl.h"

/* What an action takes, for completion. */
enum command_arguments {
    ARGUMENTS_NONE,
    ARGUMENTS_ACTION,
    ARGUMENTS_PROCESS, /* processes, groups, all */
    ARGUMENTS_GROUP,   /* groups */
    ARGUMENTS_SIGNAL,  /* a signal, then as ARGUMENTS_PROCESS */
};

struct command {
    const char *name;
    const char *help; /* lines, without the last newline */
    enum command_arguments arguments;
    void (*run)(struct ctl *ctl, const struct words *words); /* words: the arguments */
};

extern const struct command commands[]; /* by name */
extern const size_t command_count;

const struct command *command_find(const char *name); /* NULL: there is none */

/* Runs one line as typed or as joined from the command line. */
void command_run_line(struct ctl *ctl, const char *line);

void command_start(struct ctl *ctl, const struct words *words);
void command_stop(struct ctl *ctl, const struct words *words);
void command_restart(struct ctl *ctl, const struct words *words);
void command_signal(struct ctl *ctl, const struct words *words);
void command_clear(struct ctl *ctl, const struct words *words);
void command_status(struct ctl *ctl, const struct words *words);
void command_pid(struct ctl *ctl, const struct words *words);
void command_avail(struct ctl *ctl, const struct words *words);
void command_reread(struct ctl *ctl, const struct words *words);
void command_update(struct ctl *ctl, const struct words *words);
void command_add(struct ctl *ctl, const struct words *words);
void command_remove(struct ctl *ctl, const struct words *words);
void command_reload(struct ctl *ctl, const struct words *words);
void command_shutdown(struct ctl *ctl, const struct words *words);
void command_upgrade(struct ctl *ctl, const struct words *words);
void command_version(struct ctl *ctl, const struct words *words);
void command_open(struct ctl *ctl, const struct words *words);
void command_tail(struct ctl *ctl, const struct words *words);
void command_maintail(struct ctl *ctl, const struct words *words);
void command_fg(struct ctl *ctl, const struct words *words);

#endif
