#include "supervisord/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static int parent_fd = -1; /* where the daemon tells that it is up */

static __attribute__((noreturn)) void wait_for_daemon(int fd, pid_t daemon)
{
    char up;
    int status;

    if (fd_read_all(fd, &up, 1) == 1)
        _exit(EXIT_SUCCESS);
    while (waitpid(daemon, &status, 0) < 0 && errno == EINTR)
        continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

int detach_begin(struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_from_errno(err, errno, "cannot daemonize");
    const pid_t daemon = fork();
    if (daemon < 0) {
        error_from_errno(err, errno, "cannot daemonize");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (daemon > 0) {
        close(ends[1]);
        wait_for_daemon(ends[0], daemon);
    }
    close(ends[0]);
    parent_fd = ends[1];
    setsid();
    return 0;
}

int detach_move(const struct config_daemon *daemon, struct error *err)
{
    if (daemon->directory != NULL && chdir(daemon->directory) < 0)
        return error_from_errno(err, errno, "cannot change to directory=%s", daemon->directory);
    umask((mode_t)daemon->umask);
    return 0;
}

void detach_finish(void)
{
    if (parent_fd < 0)
        return;
    CLEANUP_FD int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (null_fd >= 0)
            dup2(null_fd, fd);
    (void)fd_write_all(parent_fd, "u", 1); /* a parent that was killed meanwhile has no use for it */
    fd_close(&parent_fd);
}
