#include "output/activity.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "output/console.h"
#include "output/syslog_sink.h"

#define STDOUT_PATH "/dev/stdout"
#define DROPPED_NOTE "(lines are missing here: the terminal did not take them)\n"

/* A console that gets whole lines while it takes them. */
struct echo {
    struct console_writer *console; /* NULL: none */
    bool dropped;                   /* something was lost since the last line that went out */
};

static struct {
    struct logfile *file; /* NULL when it goes elsewhere */
    bool syslog;
    struct echo device; /* logfile=/dev/stdout and the like */
    struct echo screen; /* in the foreground */
} activity;

static bool echo_bytes(const struct echo *echo, const char *bytes, size_t length)
{
    return console_write(echo->console, bytes, length) == length;
}

static void echo_line(struct echo *echo, const char *line, size_t length)
{
    if (echo->console == NULL)
        return;
    if (echo->dropped && !echo_bytes(echo, "\n" DROPPED_NOTE, strlen("\n" DROPPED_NOTE)))
        return;
    echo->dropped = !echo_bytes(echo, line, length);
}

static void echo_stop(struct echo *echo)
{
    console_writer_free(echo->console);
    *echo = (struct echo){0};
}

static void take_line(void *context, enum log_level level, const char *line, size_t length)
{
    (void)context;
    (void)level;
    if (activity.file != NULL)
        logfile_write(activity.file, line, length);
    if (activity.syslog)
        syslog_sink_write("", line, length - 1); /* the newline is the file's */
    echo_line(&activity.device, line, length);
    echo_line(&activity.screen, line, length);
}

static int open_file(const struct config_daemon *daemon, struct error *err)
{
    activity.file = logfile_new(&(struct logfile_options){
        .path = daemon->logfile,
        .maxbytes = daemon->logfile_maxbytes,
        .backups = daemon->logfile_backups,
        .mode = 0644,
    });
    return logfile_open(activity.file, err);
}

static int open_echo(struct echo *echo, const char *path, struct error *err)
{
    echo->console = console_writer_new(NULL, path, NULL, NULL, err);
    return echo->console != NULL ? 0 : -1;
}

static int open_destination(const struct config_daemon *daemon, struct error *err)
{
    if (daemon->logfile == NULL)
        return 0;
    activity.syslog = strcmp(daemon->logfile, "syslog") == 0;
    if (activity.syslog)
        return 0;
    if (console_is_meant(daemon->logfile))
        return open_echo(&activity.device, daemon->logfile, err);
    return open_file(daemon, err);
}

int activity_log_open(const struct config_daemon *daemon, bool echo_to_stdout, struct error *err)
{
    struct error ignored; /* without a stdout there is nobody to echo for */

    if (open_destination(daemon, err) < 0) {
        activity_log_close();
        return -1;
    }
    if (echo_to_stdout && (daemon->logfile == NULL || strcmp(daemon->logfile, STDOUT_PATH) != 0)) /* not twice */
        (void)open_echo(&activity.screen, STDOUT_PATH, &ignored);
    log_set_level(daemon->loglevel);
    log_set_sink(take_line, NULL);
    return 0;
}

void activity_log_close(void)
{
    log_set_sink(NULL, NULL);
    echo_stop(&activity.screen);
    echo_stop(&activity.device);
    logfile_free(activity.file);
    activity.file = NULL;
    if (activity.syslog)
        syslog_sink_close();
    activity.syslog = false;
}

int activity_log_reopen(struct error *err)
{
    return activity.file != NULL ? logfile_reopen(activity.file, err) : 0;
}

struct logfile *activity_log_file(void)
{
    return activity.file;
}
