/* AUTO log files: names below childlogdir, and the removal of those an earlier daemon left (manual 1.6.2). */
#ifndef OUTPUT_AUTOMATIC_H
#define OUTPUT_AUTOMATIC_H

#include "base/error.h"
#include "config/model.h"

/*
 * Creates an empty file NAME-CHANNEL---IDENTIFIER-RANDOM.log of mode 0600 in `directory` and gives its path (to free),
 * or NULL with *err.
 */
char *automatic_log_create(const char *directory, const char *identifier, const char *process_name,
                           enum config_stream channel, struct error *err);

/* Removes a file that automatic_log_create() made, and its rotations. Failures are logged, not returned. */
void automatic_log_remove(const char *path);

/* Removes *---IDENTIFIER-*.log and their rotations from `directory`. Failures are logged, not returned. */
void automatic_log_clean(const char *directory, const char *identifier);

#endif
