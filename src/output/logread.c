#include "output/logread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

/* Only a regular file has offsets. Its size, or -1 with errno. */
static int64_t open_and_measure(const char *path, int *fd)
{
    struct stat status;

    *fd = fd_open_warily(path, O_RDONLY, 0);
    if (*fd < 0 || fstat(*fd, &status) < 0)
        return -1;
    if (!S_ISREG(status.st_mode)) {
        errno = ESPIPE;
        return -1;
    }
    return status.st_size;
}

static bool is_allowed(int64_t offset, int64_t length)
{
    return length >= 0 && (offset >= 0 || length == 0);
}

/* The bytes [start, end) of a file of `size` bytes that an allowed (offset, length) means. */
static void slice_bounds(int64_t size, int64_t offset, int64_t length, int64_t *start, int64_t *end)
{
    if (offset < 0)
        *start = offset < -size ? 0 : size + offset;
    else
        *start = offset < size ? offset : size;
    *end = length > 0 && length < size - *start ? *start + length : size;
}

/* Reads [start, end); the file may have shrunk meanwhile. How many bytes, or -1 with errno. */
static ssize_t read_range(int fd, int64_t start, int64_t end, char **bytes)
{
    const size_t want = (size_t)(end - start);
    ssize_t got;

    *bytes = xmalloc(want + 1);
    got = lseek(fd, start, SEEK_SET) < 0 ? -1 : fd_read_all(fd, *bytes, want);
    if (got < 0) {
        free(*bytes);
        *bytes = NULL;
        return -1;
    }
    (*bytes)[got] = '\0'; /* a courtesy to readers of text, not counted */
    return got;
}

static int fault_from_errno(struct error *err, const char *path)
{
    error_from_errno(err, errno, "%s", path);
    err->fault = err->os == ENOENT || err->os == ENOTDIR ? FAULT_NO_FILE : FAULT_FAILED;
    if (err->fault == FAULT_NO_FILE) /* the original's text names the file alone */
        return error_set_fault(err, FAULT_NO_FILE, "%s", path);
    return -1;
}

int logread_slice(const char *path, int64_t offset, int64_t length, char **bytes, size_t *size, struct error *err)
{
    CLEANUP_FD int fd = -1;
    const int64_t file_size = open_and_measure(path, &fd);
    int64_t start;
    int64_t end;
    ssize_t got;

    if (file_size < 0)
        return fault_from_errno(err, path);
    if (!is_allowed(offset, length))
        return error_set_fault(err, FAULT_BAD_ARGUMENTS, "%s", "");
    slice_bounds(file_size, offset, length, &start, &end);
    if (end - start > LOGREAD_MAXIMUM)
        return error_set_fault(err, FAULT_FAILED, "%s: more than %lld bytes asked for at once", path,
                               (long long)LOGREAD_MAXIMUM);
    got = read_range(fd, start, end, bytes);
    if (got < 0)
        return fault_from_errno(err, path);
    *size = (size_t)got;
    return 0;
}

/* offset + length without the overflow that a client could ask for. */
static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

void logread_tail(const char *path, int64_t offset, int64_t length, struct logread_tail *tail)
{
    CLEANUP_FD int fd = -1;
    const int64_t size = open_and_measure(path, &fd);
    int64_t wanted = length < size ? length : size;
    ssize_t got = 0;

    *tail = (struct logread_tail){.offset = size > 0 ? size : 0};
    if (size >= 0)
        tail->overflow = size > add_saturated(offset, length);
    if (offset >= size || wanted < 0)
        wanted = 0;
    if (wanted > LOGREAD_MAXIMUM)
        wanted = LOGREAD_MAXIMUM;
    if (wanted > 0)
        got = read_range(fd, size - wanted, size, &tail->bytes);
    tail->size = got > 0 ? (size_t)got : 0;
    if (tail->bytes == NULL)
        tail->bytes = xstrdup("");
}
