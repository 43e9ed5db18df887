#include "output/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/containers.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"

struct console {
    char *path; /* owned */
    int fd;
    ssize_t (*write)(int fd, const char *bytes, size_t length); /* never blocks: -1 with EAGAIN instead */
    bool failing;                                               /* reported, and not yet mended */
    struct console_writer *owner;                               /* has an unfinished line on the console, or NULL */
    unsigned references;
    struct console *next;
};

struct console_writer {
    struct console *console;
    struct event *writable; /* NULL without a loop */
    console_ready *ready;
    void *context;
};

static struct console *consoles;

/* The daemon's own descriptor that a path stands for, or -1. */
static int own_descriptor(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    return strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

bool console_is_meant(const char *path)
{
    struct stat status;

    return own_descriptor(path) >= 0 || (stat(path, &status) == 0 && !S_ISREG(status.st_mode));
}

static ssize_t write_plain(int fd, const char *bytes, size_t length)
{
    return write(fd, bytes, length);
}

static ssize_t write_socket(int fd, const char *bytes, size_t length)
{
    return send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* For a blocking descriptor shared with others: what is writable at all takes PIPE_BUF bytes without waiting. */
static ssize_t write_with_care(int fd, const char *bytes, size_t length)
{
    struct pollfd poller = {.fd = fd, .events = POLLOUT};

    if (poll(&poller, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

/* One of descriptors 1 and 2. Opening it anew gives it flags of its own, where it can be opened at all. */
static int open_own_descriptor(struct console *console, int number)
{
    char name[32];
    struct stat status;

    if (fstat(number, &status) < 0)
        return -1;
    console->write = S_ISSOCK(status.st_mode) ? write_socket : write_plain;
    if (!S_ISSOCK(status.st_mode) && !S_ISREG(status.st_mode)) {
        (void)snprintf(name, sizeof name, "/proc/self/fd/%d", number);
        console->fd = open(name, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        console->write = console->fd >= 0 ? write_plain : write_with_care;
    }
    if (console->fd < 0)
        console->fd = fcntl(number, F_DUPFD_CLOEXEC, 0);
    return console->fd;
}

static int open_device(struct console *console)
{
    console->write = write_plain;
    console->fd = open(console->path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return console->fd;
}

static void console_unref(struct console *console)
{
    if (--console->references > 0)
        return;
    LL_DELETE(consoles, console);
    fd_close(&console->fd);
    free(console->path);
    free(console);
}

static struct console *console_ref(const char *path, struct error *err)
{
    const int own = own_descriptor(path);
    struct console *console;
    int os;

    LL_FOREACH (consoles, console) {
        if (strcmp(console->path, path) == 0) {
            console->references++;
            return console;
        }
    }
    console = xcalloc(1, sizeof *console);
    console->path = xstrdup(path);
    console->fd = -1;
    console->references = 1;
    LL_PREPEND(consoles, console);
    if ((own >= 0 ? open_own_descriptor(console, own) : open_device(console)) >= 0)
        return console;
    os = errno;
    console_unref(console);
    (void)error_from_errno(err, os, "cannot open log file %s", path);
    return NULL;
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct console_writer *writer = context;

    (void)fd;
    (void)what;
    writer->ready(writer->context);
}

struct console_writer *console_writer_new(struct event_base *loop, const char *path, console_ready *ready,
                                          void *context, struct error *err)
{
    struct console *console = console_ref(path, err);
    struct console_writer *writer;

    if (console == NULL)
        return NULL;
    writer = xcalloc(1, sizeof *writer);
    writer->console = console;
    writer->ready = ready;
    writer->context = context;
    if (loop != NULL)
        writer->writable = loop_event_new(loop, console->fd, EV_WRITE, on_writable, writer);
    return writer;
}

void console_writer_free(struct console_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->writable != NULL)
        event_free(writer->writable);
    if (writer->console->owner == writer)
        writer->console->owner = NULL;
    console_unref(writer->console);
    free(writer);
}

static void report_failure(struct console *console)
{
    const int os = errno;

    if (console->failing)
        return;
    console->failing = true;
    log_error("cannot write to %s: %s; what goes there is lost until that changes", console->path, strerror(os));
}

/* As much as the console takes; all of it when the console is gone. */
static size_t write_what_fits(struct console *console, const char *bytes, size_t length)
{
    size_t taken = 0;

    while (taken < length) {
        const ssize_t written = console->write(console->fd, bytes + taken, length - taken);
        if (written >= 0) {
            taken += (size_t)written;
            console->failing = false;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return taken;
        report_failure(console);
        return length;
    }
    return taken;
}

size_t console_write(struct console_writer *writer, const char *bytes, size_t length)
{
    struct console *console = writer->console;
    size_t taken = 0;

    if (console->owner == NULL || console->owner == writer) {
        taken = write_what_fits(console, bytes, length);
        if (taken > 0)
            console->owner = taken < length && bytes[taken - 1] != '\n' ? writer : NULL;
    }
    if (taken < length && writer->writable != NULL && event_add(writer->writable, NULL) < 0)
        return length; /* not a descriptor to wait for: those never refuse, so this is a console that is gone */
    return taken;
}

void console_hand_over(struct console_writer *writer, struct handover *handover)
{
    if (handover_flag(handover, "has_unfinished_line", writer->console->owner == writer))
        writer->console->owner = writer;
    if (handover_is_taking(handover) && writer->writable != NULL)
        (void)event_add(writer->writable, NULL); /* refused for what never makes anybody wait */
}
