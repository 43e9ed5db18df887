/*
 * The front of the activity log (manual 1.6.1): levels, formatting, and where the lines go.
 * A line is "2007-09-08 14:43:22,886 INFO message\n" in local time.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* name, value in the configuration file, code in the line; from the most to the least urgent */
#define LOG_LEVELS(X)               \
    X(CRITICAL, "critical", "CRIT") \
    X(ERROR, "error", "ERRO")       \
    X(WARN, "warn", "WARN")         \
    X(INFO, "info", "INFO")         \
    X(DEBUG, "debug", "DEBG")       \
    X(TRACE, "trace", "TRAC")       \
    X(BLATHER, "blather", "BLAT")

#define LOG_LEVEL_AS_ENUM(name, value, code) LOG_LEVEL_##name,
enum log_level { LOG_LEVELS(LOG_LEVEL_AS_ENUM) LOG_LEVEL_COUNT };
#undef LOG_LEVEL_AS_ENUM

/* Receives each finished line, newline included. */
typedef void log_sink(void *context, enum log_level level, const char *line, size_t length);

/* Until a sink is set, lines are dropped. NULL takes it away again. */
void log_set_sink(log_sink *sink, void *context);

void log_set_level(enum log_level least_urgent);
bool log_is_enabled(enum log_level level);

/* -1 when the text names no level. Case does not matter. */
int log_level_by_name(const char *name);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As log_write() for a message that is no format and may be long or hold NUL bytes (child output at level debug). */
void log_write_bytes(enum log_level level, const char *prefix, const char *bytes, size_t length);

#define log_critical(...) log_write(LOG_LEVEL_CRITICAL, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_trace(...) log_write(LOG_LEVEL_TRACE, __VA_ARGS__)

#endif
