/* Writes every event as one line of JSON to a file or, without one, to stderr, which supervisord keeps in a log. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "listeners/command_line.h"
#include "listeners/text.h"

enum { FILE_MODE = 0640, LINE_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(16) };

struct eventlog {
    const char *path; /* NULL: stderr */
    bool is_synced;
    int fd;          /* -1: not open */
    bool is_failing; /* and has been told */
};

static const struct option_row rows[] = {
    OPTION('o', "output", "FILE", take_text, struct eventlog, path, "Append to FILE; without, write to stderr."),
    OPTION('S', "sync", NULL, take_flag, struct eventlog, is_synced, "Have each line on disk before answering."),
};

static const struct command command = {
    .name = "eventlog",
    .summary = "every event as a line of JSON",
    .events = "EVENT",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

/* --- the line ----------------------------------------------------------------------------------------------------- */

static json_t *must(json_t *value)
{
    if (value == NULL)
        text_out_of_memory();
    return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, must(value)) < 0)
        text_out_of_memory();
}

/* U+FFFD for every byte that is no UTF-8, as the daemon's own answers have it. */
static json_t *make_text(const char *bytes, size_t length)
{
    json_t *text = json_stringn(bytes, length);
    UT_string *repaired;

    if (text != NULL)
        return text;
    utstring_new(repaired);
    for (size_t i = 0; i < length;) {
        size_t piece = length - i < 4 ? length - i : 4;
        json_t *valid = NULL;

        while (piece > 0 && (valid = json_stringn(bytes + i, piece)) == NULL)
            piece--;
        json_decref(valid);
        if (piece > 0)
            utstring_bincpy(repaired, bytes + i, piece);
        else
            utstring_bincpy(repaired, "\xef\xbf\xbd", 3);
        i += piece > 0 ? piece : 1;
    }
    text = must(json_stringn(utstring_body(repaired), utstring_len(repaired)));
    utstring_free(repaired);
    return text;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    set(object, key, make_text(text, strlen(text)));
}

/* Numbers as numbers where the header has nothing else. */
static void set_number(json_t *object, const char *key, const struct listener_event *event)
{
    const char *text = listener_event_header(event, key);

    if (text != NULL)
        set(object, key, json_integer(strtoll(text, NULL, 10)));
}

static json_t *describe_fields(const struct listener_event *event)
{
    json_t *fields = must(json_object());

    for (size_t i = 0; i < event->field_count; i++) {
        json_t *key = make_text(event->fields[i].key, strlen(event->fields[i].key));

        set_text(fields, json_string_value(key), event->fields[i].value);
        json_decref(key);
    }
    return fields;
}

static char *describe(const struct listener_event *event)
{
    static const char *const texts[] = {"server", "pool"};
    json_t *line = must(json_object());
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    set(line, "time", json_real((double)now.tv_sec + (double)now.tv_nsec / 1e9));
    set_text(line, "event", event->name);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = listener_event_header(event, texts[i]);

        if (value != NULL)
            set_text(line, texts[i], value);
    }
    set_number(line, "serial", event);
    set_number(line, "poolserial", event);
    set(line, "fields", describe_fields(event));
    if (event->data_length > 0)
        set(line, "data", make_text(event->data, event->data_length));
    char *text = json_dumps(line, LINE_FLAGS);
    if (text == NULL)
        text_out_of_memory();
    json_decref(line);
    return text;
}

/* --- where it goes ------------------------------------------------------------------------------------------------ */

/* Whether the file that is open still is the one of that name: logrotate moves it away. */
static bool is_current(const struct eventlog *log)
{
    struct stat named;
    struct stat open;

    return log->fd >= 0 && stat(log->path, &named) == 0 && fstat(log->fd, &open) == 0 && named.st_dev == open.st_dev &&
           named.st_ino == open.st_ino;
}

static bool ensure_open(struct eventlog *log)
{
    if (log->path == NULL || is_current(log))
        return true;
    if (log->fd >= 0)
        close(log->fd);
    log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, FILE_MODE);
    return log->fd >= 0;
}

/* In one write, so that several writers to one file do not mix; what a full disk has cut is told as a failure. */
static bool write_line(struct eventlog *log, const char *line, size_t length)
{
    const int fd = log->path != NULL ? log->fd : STDERR_FILENO;
    const ssize_t written = write(fd, line, length);

    if (written >= 0 && (size_t)written < length)
        errno = ENOSPC;
    if (written < 0 || (size_t)written < length)
        return false;
    return !log->is_synced || fdatasync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

/* Told when it begins and when it ends. An event that cannot be written is lost: sent again, it would come for ever. */
static void tell_failure(struct eventlog *log, const struct listener *listener, bool is_failing)
{
    const char *path = log->path != NULL ? log->path : "stderr";

    if (is_failing && !log->is_failing)
        listener_log(listener, "cannot write to %s, events are lost: %s", path, strerror(errno));
    if (!is_failing && log->is_failing)
        listener_log(listener, "can write to %s again", path);
    log->is_failing = is_failing;
}

static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    struct eventlog *log = context;
    char *text = describe(event);
    char *line = text_format("%s\n", text);

    tell_failure(log, listener, !ensure_open(log) || !write_line(log, line, strlen(line)));
    free(line);
    free(text);
    return LISTENER_OK;
}

int main(int count, char **arguments)
{
    struct eventlog log = {.fd = -1};

    command_line_read(&command, &log, count, arguments);
    if (!ensure_open(&log))
        command_line_refuse(&command, "cannot open %s: %s", log.path, strerror(errno));
    return listener_main(NULL, handle, &log);
}
