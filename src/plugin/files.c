/* Small files of plugins. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "plugin/internal.h"

static int check_file(int fd, const char *path, size_t most, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return error_from_errno(err, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, "cannot read %s: it is no regular file", path);
    if ((uintmax_t)status.st_size > most)
        return error_set(err, "cannot read %s: it has more than %zu bytes", path, most);
    return 0;
}

int plugin_read_file(const char *path, size_t most, char **bytes, size_t *length, struct error *err)
{
    CLEANUP_FD int fd = fd_open_warily(path, O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0)
        return error_from_errno(err, errno, "cannot read %s", path);
    if (check_file(fd, path, most, err) < 0)
        return -1;
    char *contents = xmalloc(most + 1);
    const ssize_t count = fd_read_all(fd, contents, most);
    if (count < 0) {
        const int os = errno;
        free(contents);
        return error_from_errno(err, os, "cannot read %s", path);
    }
    contents[count] = '\0';
    *bytes = contents;
    *length = (size_t)count;
    return 0;
}

/* So that the new name outlives a failure of the machine, too; some file systems cannot, which does no harm. */
static void sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *directory = slash != NULL ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        (void)fsync(fd);
}

int plugin_write_file(const char *path, const char *bytes, size_t length, struct error *err)
{
    CLEANUP_FREE char *fresh = xasprintf("%s.XXXXXX", path);
    CLEANUP_FD int fd = mkostemp(fresh, O_CLOEXEC);

    if (fd < 0)
        return error_from_errno(err, errno, "cannot write %s", path);
    if (fd_write_all(fd, bytes, length) == 0 && fsync(fd) == 0 && rename(fresh, path) == 0) {
        sync_directory_of(path);
        return 0;
    }
    error_from_errno(err, errno, "cannot write %s", path);
    (void)unlink(fresh);
    return -1;
}
