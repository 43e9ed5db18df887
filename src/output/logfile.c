#include "output/logfile_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

#define COPY_BLOCK 65536

struct logfile *logfile_new(const struct logfile_options *options)
{
    struct logfile *log = xcalloc(1, sizeof *log);

    log->path = xstrdup(options->path);
    log->maxbytes = options->maxbytes;
    log->backups = options->backups;
    log->mode = options->mode;
    log->fd = -1;
    return log;
}

void logfile_free(struct logfile *log)
{
    if (log == NULL)
        return;
    followers_orphan(log);
    logfile_close(log);
    free(log->path);
    free(log);
}

const char *logfile_path(const struct logfile *log)
{
    return log->path;
}

bool logfile_is_open(const struct logfile *log)
{
    return log->fd >= 0;
}

char *logfile_generation_path(const struct logfile *log, int generation)
{
    if (generation == 0)
        return xstrdup(log->path);
    return xasprintf("%s.%d", log->path, generation);
}

static int open_path(const struct logfile *log, int flags)
{
    return fd_open_warily(log->path, flags, log->mode);
}

/* Takes `fd` over as the log's descriptor. */
static int adopt(struct logfile *log, int fd, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        const int os = errno;
        close(fd);
        return error_from_errno(err, os, "cannot look at log file %s", log->path);
    }
    fd_close(&log->fd);
    log->fd = fd;
    log->is_regular = S_ISREG(status.st_mode);
    log->size = log->is_regular ? status.st_size : 0;
    log->limit = log->maxbytes;
    return 0;
}

static int open_for_append(struct logfile *log, struct error *err)
{
    const int fd = open_path(log, O_WRONLY | O_APPEND | O_CREAT);

    if (fd < 0)
        return error_from_errno(err, errno, "cannot open log file %s", log->path);
    return adopt(log, fd, err);
}

int logfile_open(struct logfile *log, struct error *err)
{
    if (logfile_is_open(log))
        return 0;
    if (open_for_append(log, err) < 0)
        return -1;
    followers_notify(log);
    return 0;
}

void logfile_close(struct logfile *log)
{
    fd_close(&log->fd);
}

int logfile_reopen(struct logfile *log, struct error *err)
{
    if (!logfile_is_open(log))
        return 0;
    if (open_for_append(log, err) < 0)
        return -1;
    followers_notify(log);
    return 0;
}

/* The state is set before anything is logged: the line may come back to this very log. */
static void report_loss(struct logfile *log, size_t length, int os)
{
    log->lost += length;
    if (log->write_failing)
        return;
    log->write_failing = true;
    log_error("cannot write log file %s: %s; its output is lost until that changes", log->path, strerror(os));
}

static void report_recovery(struct logfile *log)
{
    const uint64_t lost = log->lost;

    log->write_failing = false;
    log->lost = 0;
    log_info("log file %s can be written again; %llu bytes were lost", log->path, (unsigned long long)lost);
}

static void append(struct logfile *log, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(log->fd, bytes, length);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            report_loss(log, length, errno);
            return;
        }
        bytes += written;
        length -= (size_t)written;
        log->size += written;
    }
    if (log->write_failing)
        report_recovery(log);
}

/* Copies what stands in [from, end) of one descriptor to offset 0 of another, which may be the same file. */
static int copy_to_start(int source, int64_t from, int64_t end, int target)
{
    char block[COPY_BLOCK];
    int64_t to = 0;

    while (from < end) {
        const size_t want = end - from < COPY_BLOCK ? (size_t)(end - from) : COPY_BLOCK;
        const ssize_t got = pread(source, block, want, from);
        if (got <= 0 || pwrite(target, block, (size_t)got, to) != got)
            return -1;
        from += got;
        to += got;
    }
    return 0;
}

/* Where the unfinished line at the end of the file begins; `size` when there is none. */
static int64_t find_last_line(int fd, int64_t size)
{
    char block[COPY_BLOCK];
    int64_t end = size;

    while (end > 0) {
        const int64_t start = end > COPY_BLOCK ? end - COPY_BLOCK : 0;
        const ssize_t got = pread(fd, block, (size_t)(end - start), start);
        if (got != end - start)
            return size;
        const char *newline = memrchr(block, '\n', (size_t)got);
        if (newline != NULL)
            return start + (newline - block) + 1;
        end = start;
    }
    return 0;
}

/* Whether the path still leads to our file: others may have renamed, removed or replaced it. */
static bool path_is_ours(const struct logfile *log)
{
    struct stat ours;
    struct stat there;

    return fstat(log->fd, &ours) == 0 && stat(log->path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

static int truncate_retrying(int fd, int64_t size)
{
    int result;

    do
        result = ftruncate(fd, size);
    while (result < 0 && errno == EINTR);
    return result;
}

/* backups=0: the file is emptied but for its unfinished line, which moves to the front. */
static int restart_in_place(struct logfile *log, int64_t tail_start, struct error *err)
{
    CLEANUP_FD int moving_fd = open_path(log, O_RDWR); /* ours is for appending only */
    int64_t tail = log->size - tail_start;

    if (tail > 0 && (moving_fd < 0 || copy_to_start(moving_fd, tail_start, log->size, moving_fd) < 0))
        tail = 0;
    if (truncate_retrying(log->fd, tail) < 0)
        return error_from_errno(err, errno, "cannot empty log file %s", log->path);
    followers_emptied(log, log->size - tail);
    log->size = tail;
    return 0;
}

/* file.N goes, file.N-1 becomes file.N, ... and file becomes file.1. */
static int shift_generations(const struct logfile *log, struct error *err)
{
    for (int generation = log->backups - 1; generation >= 0; generation--) {
        CLEANUP_FREE char *from = logfile_generation_path(log, generation);
        CLEANUP_FREE char *to = logfile_generation_path(log, generation + 1);
        if (rename(from, to) < 0 && errno != ENOENT)
            return error_from_errno(err, errno, "cannot rename %s to %s", from, to);
    }
    return 0;
}

/* Moves the unfinished line from the end of the full file to the new one. False: it stays, torn. */
static bool carry_line_over(struct logfile *log, int old_fd, int64_t tail_start, int64_t old_size)
{
    CLEANUP_FREE char *old_path = logfile_generation_path(log, 1);
    CLEANUP_FD int reading_fd = open(old_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (tail_start == old_size || log->size != 0)
        return false;
    if (reading_fd < 0 || copy_to_start(reading_fd, tail_start, old_size, log->fd) < 0 ||
        truncate_retrying(old_fd, tail_start) < 0) {
        (void)truncate_retrying(log->fd, 0);
        return false;
    }
    log->size = old_size - tail_start;
    return true;
}

/* Renames the full file and goes on in a new one, which begins with the old one's unfinished line. */
static int restart_in_new_file(struct logfile *log, int64_t tail_start, struct error *err)
{
    const int64_t old_size = log->size;
    CLEANUP_FD int old_fd = fcntl(log->fd, F_DUPFD_CLOEXEC, 0);

    if (old_fd < 0)
        return error_from_errno(err, errno, "cannot rotate log file %s", log->path);
    if (shift_generations(log, err) < 0)
        return -1;
    if (open_for_append(log, err) < 0) {
        CLEANUP_FREE char *moved = logfile_generation_path(log, 1);
        (void)rename(moved, log->path); /* best effort: the old file goes on under its name */
        return -1;
    }
    followers_rotated(log, carry_line_over(log, old_fd, tail_start, old_size) ? tail_start : old_size);
    return 0;
}

static int rotate(struct logfile *log, int64_t tail_start, struct error *err)
{
    if (!path_is_ours(log))
        return logfile_reopen(log, err);
    if (log->backups == 0)
        return restart_in_place(log, tail_start, err);
    return restart_in_new_file(log, tail_start, err);
}

/* After a failure the old file goes on growing, and the next attempt comes when it has grown by as much again. */
static void rotate_or_report(struct logfile *log, int64_t tail_start)
{
    struct error err;

    if (rotate(log, tail_start, &err) == 0) {
        log->rotation_failing = false;
        return;
    }
    log->limit = log->size + log->maxbytes;
    if (log->rotation_failing)
        return;
    log->rotation_failing = true;
    log_error("cannot rotate: %s", err.text);
}

/* Others may have truncated the file (logrotate's copytruncate), so the limit is not reached before fstat says so. */
static bool would_pass_limit(struct logfile *log, size_t length)
{
    struct stat status;

    if (log->maxbytes <= 0 || !log->is_regular || (int64_t)length <= log->limit - log->size)
        return false;
    if (fstat(log->fd, &status) == 0)
        log->size = status.st_size;
    return (int64_t)length > log->limit - log->size;
}

/* How many of the bytes, which do not all fit, are whole lines that do. */
static size_t whole_lines_that_fit(const struct logfile *log, const char *bytes)
{
    const int64_t room = log->limit - log->size;
    const char *newline = room > 0 ? memrchr(bytes, '\n', (size_t)room) : NULL;

    return newline != NULL ? (size_t)(newline - bytes) + 1 : 0;
}

/* Where the unfinished line at the end of the file begins; `size` when there is none that could be kept whole. */
static int64_t unfinished_line(const struct logfile *log)
{
    CLEANUP_FD int fd = open_path(log, O_RDONLY);
    const int64_t start = fd >= 0 ? find_last_line(fd, log->size) : log->size;

    return log->size - start <= log->maxbytes ? start : log->size;
}

/* Fills the current file from `bytes` as far as it may be, and makes room. Returns how many bytes it took. */
static size_t fill_and_rotate(struct logfile *log, const char *bytes)
{
    size_t taken = whole_lines_that_fit(log, bytes);
    int64_t tail_start;

    if (taken == 0) {
        tail_start = unfinished_line(log);
        if (tail_start > 0) {
            rotate_or_report(log, tail_start);
            return 0;
        }
        if (log->limit > log->size) /* the line has the file for itself and is too long even so */
            taken = (size_t)(log->limit - log->size);
    }
    append(log, bytes, taken);
    rotate_or_report(log, log->size);
    return taken;
}

void logfile_write(struct logfile *log, const char *bytes, size_t length)
{
    if (!logfile_is_open(log) || length == 0)
        return;
    while (would_pass_limit(log, length)) {
        const size_t taken = fill_and_rotate(log, bytes);
        bytes += taken;
        length -= taken;
    }
    if (length > 0)
        append(log, bytes, length);
    followers_notify(log);
}

static int empty_file(const struct logfile *log, struct error *err)
{
    CLEANUP_FD int fd = open_path(log, O_WRONLY);
    struct stat status;

    if (fd < 0)
        return error_from_errno(err, errno, "cannot open log file %s", log->path);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && truncate_retrying(fd, 0) < 0)
        return error_from_errno(err, errno, "cannot empty log file %s", log->path);
    return 0;
}

int logfile_clear(struct logfile *log, struct error *err)
{
    if (logfile_is_open(log) && !log->is_regular)
        return 0;
    if (logfile_is_open(log) && !path_is_ours(log) && logfile_reopen(log, err) < 0)
        return -1;
    if (empty_file(log, err) < 0)
        return -1;
    log->size = 0;
    log->limit = log->maxbytes;
    followers_emptied(log, INT64_MAX);
    followers_notify(log);
    return 0;
}

static void take(struct logfile *log, struct handover *handover)
{
    struct error err;
    int fd;

    handover_fd(handover, "fd", &fd);
    if (fd >= 0 && adopt(log, fd, &err) < 0)
        handover_refuse(handover, &err);
}

void logfile_hand_over(struct logfile *log, struct handover *handover)
{
    if (handover_is_taking(handover))
        take(log, handover);
    else
        handover_fd(handover, "fd", &log->fd);
    log->limit = handover_integer(handover, "limit", log->limit);
    log->rotation_failing = handover_flag(handover, "rotation_failing", log->rotation_failing);
    log->write_failing = handover_flag(handover, "write_failing", log->write_failing);
    log->lost = (uint64_t)handover_integer(handover, "lost", (int64_t)log->lost);
}
