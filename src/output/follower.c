#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/containers.h"
#include "base/fd.h"
#include "output/logfile_internal.h"

struct follower {
    struct logfile *log; /* borrowed; NULL when it is gone */
    int fd;              /* -1: the file that `behind` tells is not open yet */
    int64_t offset;
    int behind; /* how many times our file was rotated since it was the current one */
    follower_ready *ready;
    void *context;
    struct follower *prev, *next;
};

/* Opens the file that is to be read; false when it is not there. */
static bool follower_open(struct follower *follower)
{
    if (follower->fd < 0 && follower->log != NULL) {
        CLEANUP_FREE char *path = logfile_generation_path(follower->log, follower->behind);
        follower->fd = fd_open_warily(path, O_RDONLY, 0);
    }
    return follower->fd >= 0;
}

struct follower *logfile_follow(struct logfile *log, size_t last, follower_ready *ready, void *context)
{
    struct follower *follower = xcalloc(1, sizeof *follower);
    struct stat status;

    follower->log = log;
    follower->fd = -1;
    follower->ready = ready;
    follower->context = context;
    if (follower_open(follower) && fstat(follower->fd, &status) == 0 && (uint64_t)status.st_size > last)
        follower->offset = status.st_size - (int64_t)last;
    DL_APPEND(log->followers, follower);
    return follower;
}

void follower_free(struct follower *follower)
{
    if (follower == NULL)
        return;
    if (follower->log != NULL)
        DL_DELETE(follower->log->followers, follower);
    fd_close(&follower->fd);
    free(follower);
}

/* Bytes at the offset, after going back to the start of a file that was truncated below it. */
static ssize_t read_here(struct follower *follower, char *buffer, size_t size)
{
    struct stat status;
    ssize_t got = pread(follower->fd, buffer, size, follower->offset);

    if (got == 0 && fstat(follower->fd, &status) == 0 && status.st_size < follower->offset) {
        follower->offset = 0;
        got = pread(follower->fd, buffer, size, 0);
    }
    if (got > 0)
        follower->offset += got;
    return got > 0 ? got : 0;
}

/* Whether the path leads to another file than the one that we read: others renamed or replaced it. */
static bool was_replaced(const struct follower *follower)
{
    struct stat ours;
    struct stat current;

    return stat(logfile_path(follower->log), &current) == 0 && fstat(follower->fd, &ours) == 0 &&
           (ours.st_ino != current.st_ino || ours.st_dev != current.st_dev);
}

/* Leaves a file that was read to its end for the one after it. False when there is none yet. */
static bool move_on(struct follower *follower)
{
    if (follower->log == NULL)
        return false;
    if (follower->behind > 0)
        follower->behind--;
    else if (follower->fd < 0 || !was_replaced(follower))
        return false;
    fd_close(&follower->fd);
    follower->offset = 0;
    return true;
}

ssize_t follower_read(struct follower *follower, char *buffer, size_t size)
{
    do {
        if (follower_open(follower)) {
            const ssize_t got = read_here(follower, buffer, size);
            if (got > 0)
                return got;
        }
    } while (move_on(follower));
    return follower->log != NULL ? 0 : -1;
}

void followers_notify(struct logfile *log)
{
    struct follower *follower;
    struct follower *after;

    DL_FOREACH_SAFE (log->followers, follower, after)
        follower->ready(follower->context);
}

void followers_rotated(struct logfile *log, int64_t tail_start)
{
    struct follower *follower;

    DL_FOREACH (log->followers, follower) {
        if (follower->behind == 0 && follower->offset > tail_start) { /* it has seen a part of the moved line */
            fd_close(&follower->fd);
            follower->offset -= tail_start;
        } else if (follower->behind <=
                   log->backups) { /* one more than that: removed, and read by its descriptor only */
            follower->behind++;
        }
    }
}

void followers_emptied(struct logfile *log, int64_t kept_from)
{
    struct follower *follower;

    DL_FOREACH (log->followers, follower) {
        if (follower->behind > 0)
            fd_close(&follower->fd);
        follower->behind = 0;
        follower->offset = follower->offset > kept_from ? follower->offset - kept_from : 0;
    }
}

void followers_orphan(struct logfile *log)
{
    struct follower *follower;
    struct follower *after;

    DL_FOREACH_SAFE (log->followers, follower, after) {
        DL_DELETE(log->followers, follower);
        follower->log = NULL;
        follower->ready(follower->context);
    }
}
