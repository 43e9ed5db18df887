/*
 * The activity log's way out (manual 1.6.1): file with rotation, or syslog, and an echo on stdout in the foreground.
 * One per program; base/log.h hands it the lines.
 */
#ifndef OUTPUT_ACTIVITY_H
#define OUTPUT_ACTIVITY_H

#include "base/error.h"
#include "config/model.h"
#include "output/logfile.h"

/* Opens what `daemon` configures and becomes the sink of base/log.h. -1 with *err when the file cannot be opened. */
int activity_log_open(const struct config_daemon *daemon, bool echo_to_stdout, struct error *err);

void activity_log_close(void);
int activity_log_reopen(struct error *err);

/* NULL when it is not a file. */
struct logfile *activity_log_file(void);

#endif
