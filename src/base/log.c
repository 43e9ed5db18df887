#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/containers.h"

#define LEVEL_AS_NAME(name, value, code) [LOG_LEVEL_##name] = value,
static const char *const level_names[] = {LOG_LEVELS(LEVEL_AS_NAME)};
#define LEVEL_AS_CODE(name, value, code) [LOG_LEVEL_##name] = code,
static const char *const level_codes[] = {LOG_LEVELS(LEVEL_AS_CODE)};

static struct {
    log_sink *sink;
    void *context;
    enum log_level level;
} front = {.level = LOG_LEVEL_INFO};

void log_set_sink(log_sink *sink, void *context)
{
    front.sink = sink;
    front.context = context;
}

void log_set_level(enum log_level least_urgent)
{
    front.level = least_urgent;
}

bool log_is_enabled(enum log_level level)
{
    return front.sink != NULL && level <= front.level;
}

int log_level_by_name(const char *name)
{
    for (int level = 0; level < LOG_LEVEL_COUNT; level++)
        if (strcasecmp(level_names[level], name) == 0)
            return level;
    return -1;
}

static void append_head(UT_string *line, enum log_level level)
{
    const int64_t now = clock_wall_us();
    const time_t seconds = (time_t)(now / 1000000);
    struct tm local;
    char stamp[32];

    localtime_r(&seconds, &local);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);
    utstring_printf(line, "%s,%03d %s ", stamp, (int)(now % 1000000 / 1000), level_codes[level]);
}

static void send_line(enum log_level level, UT_string *line)
{
    utstring_bincpy(line, "\n", 1);
    front.sink(front.context, level, utstring_body(line), utstring_len(line));
}

/* Names and texts of others may hold anything: a line stays one line, and a terminal's commands are none. */
static void defuse(char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == '\x7f')
            *text = '?';
}

void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;
    UT_string line;

    if (!log_is_enabled(level))
        return;
    utstring_init(&line);
    append_head(&line, level);
    va_start(arguments, format);
    utstring_printf_va(&line, format, arguments);
    va_end(arguments);
    defuse(utstring_body(&line));
    send_line(level, &line);
    utstring_done(&line);
}

void log_write_bytes(enum log_level level, const char *prefix, const char *bytes, size_t length)
{
    UT_string line;

    if (!log_is_enabled(level))
        return;
    utstring_init(&line);
    append_head(&line, level);
    utstring_bincpy(&line, prefix, strlen(prefix));
    utstring_bincpy(&line, bytes, length);
    send_line(level, &line);
    utstring_done(&line);
}
