/*
 * One life of the daemon: from a configuration to the end of the last process. A restart (SIGHUP, supervisor.restart)
 * is the next life in the same process.
 */
#ifndef SUPERVISORD_DAEMON_H
#define SUPERVISORD_DAEMON_H

#include "base/error.h"
#include "supervisord/command_line.h"

enum daemon_outcome { DAEMON_FAILED, DAEMON_ENDED, DAEMON_RESTARTS };

/*
 * `is_first` is the life in which user, limits and session are settled. DAEMON_FAILED comes with *err, before anything
 * was started, and leaves nothing behind.
 */
enum daemon_outcome daemon_run(const struct command_line *line, const char *path, bool is_first, struct error *err);

#endif
