/*
 * One life of the daemon: from a configuration to the end of the last process. A restart (SIGHUP, supervisor.restart)
 * is the next life in the same process.
 */
#ifndef SUPERVISORD_DAEMON_H
#define SUPERVISORD_DAEMON_H

#include "base/error.h"
#include "base/handover.h"
#include "supervisord/command_line.h"

/*
 * Reads the file with the overrides of the command line, and refuses what this version does not support. NULL with
 * *err; `want_remarks` as in config/load.h.
 */
struct config *daemon_load_config(const struct command_line *line, const char *path, bool want_remarks,
                                  struct error *err);

enum daemon_start {
    DAEMON_STARTS,       /* the life in which user, limits and session are settled */
    DAEMON_STARTS_AGAIN, /* after a restart, in the same process */
    DAEMON_TAKES_OVER,   /* goes on with the life of the program before (supervisord/upgrade.h) */
};

enum daemon_outcome { DAEMON_FAILED, DAEMON_ENDED, DAEMON_RESTARTS };

/*
 * DAEMON_FAILED comes with *err, before anything was started, and leaves nothing behind; DAEMON_ENDED with the exit
 * status that was asked for. `handover` is NULL unless the daemon takes over, and is freed.
 */
enum daemon_outcome daemon_run(const struct command_line *line, const char *path, enum daemon_start start,
                               struct handover *handover, int *exit_status, struct error *err);

#endif
