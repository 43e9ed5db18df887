/*
 * The front of the activity log (manual 1.6.1): levels, formatting, and where the lines go.
 * A line is "2007-09-08 14:43:22,886 INFO message\n" in local time.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <supervisor/log.h>

/* Receives each finished line, newline included. */
typedef void log_sink(void *context, enum log_level level, const char *line, size_t length);

/* Until a sink is set, lines are dropped. NULL takes it away again. */
void log_set_sink(log_sink *sink, void *context);

void log_set_level(enum log_level least_urgent);
bool log_is_enabled(enum log_level level);

/* -1 when the text names no level. Case does not matter. */
int log_level_by_name(const char *name);

/* As log_write() for a message that is no format and may be long or hold NUL bytes (child output at level debug). */
void log_write_bytes(enum log_level level, const char *prefix, const char *bytes, size_t length);

#endif
