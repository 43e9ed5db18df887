#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

int fd_set_nonblocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -1;
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void fd_close(int *fd)
{
    const int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

static bool is_open_to_all(const char *directory)
{
    struct stat status;

    return stat(directory, &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

static bool may_follow(const char *path)
{
    CLEANUP_FREE char *directory = xstrdup(path);
    char *slash = strrchr(directory, '/');
    struct stat status;

    if (lstat(path, &status) < 0 || !S_ISLNK(status.st_mode) || (status.st_uid != 0 && status.st_uid != geteuid()))
        return false;
    if (slash != NULL)
        slash[slash == directory] = '\0';
    return slash == NULL || !is_open_to_all(directory);
}

int fd_open_warily(const char *path, int flags, mode_t mode)
{
    const int wary = may_follow(path) ? 0 : O_NOFOLLOW; /* one that becomes a link after our look is not followed */

    return open(path, flags | wary | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
}

int fd_write_all(int fd, const void *data, size_t length)
{
    const char *next = data;

    while (length > 0) {
        const ssize_t written = write(fd, next, length);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        next += written;
        length -= (size_t)written;
    }
    return 0;
}

ssize_t fd_read_all(int fd, void *data, size_t size)
{
    size_t have = 0;

    while (have < size) {
        const ssize_t got = read(fd, (char *)data + have, size - have);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}
