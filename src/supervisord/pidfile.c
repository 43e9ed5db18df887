#include "supervisord/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static int refuse(const char *path, struct error *err)
{
    return error_from_errno(err, errno, "could not write pidfile %s", path);
}

/* A device is not ours to remove, whatever it says to what is written. */
static void remove_half_written(const char *path, int fd)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        unlink(path);
}

int pidfile_write(const char *path, struct error *err)
{
    char text[32];
    /* In a directory that others can write to, a link could make us overwrite any file, and a FIFO could hold us. */
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

    if (fd < 0)
        return refuse(path, err);
    const int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (fd_write_all(fd, text, (size_t)length) < 0) {
        refuse(path, err);
        remove_half_written(path, fd);
        return -1;
    }
    return 0;
}

/* Another daemon may have replaced it. */
static bool is_ours(const char *path)
{
    char text[32] = "";
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    return fd >= 0 && fd_read_all(fd, text, sizeof text - 1) > 0 && strtol(text, NULL, 10) == (long)getpid();
}

void pidfile_remove(const char *path)
{
    if (is_ours(path))
        unlink(path);
}
