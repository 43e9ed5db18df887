/* The activity log (manual 1.6.1), for those who write to it. */
#ifndef SUPERVISOR_LOG_H
#define SUPERVISOR_LOG_H

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

#pragma GCC visibility push(default)

/* The line's time, level and newline are added. What is less urgent than `loglevel` is dropped. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#pragma GCC visibility pop

#define log_critical(...) log_write(LOG_LEVEL_CRITICAL, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_trace(...) log_write(LOG_LEVEL_TRACE, __VA_ARGS__)

#endif
