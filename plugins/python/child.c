#include "child.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/plugin.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOST_SOCKET = 3 };

char *child_find_program(struct error *err)
{
    Dl_info info;
    char *path = NULL;

    if (dladdr(&supervisor_plugin, &info) == 0 || strrchr(info.dli_fname, '/') == NULL) {
        error_set(err, "cannot tell where this plugin is");
        return NULL;
    }
    const int folder = (int)(strrchr(info.dli_fname, '/') - info.dli_fname);
    if (asprintf(&path, "%.*s/python", folder, info.dli_fname) < 0)
        abort();
    if (access(path, R_OK | X_OK) == 0)
        return path;
    error_from_errno(err, errno, "cannot read the Python part in %s", path);
    free(path);
    return NULL;
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

/* Both ends of what connects the two: the child's must not lie where descriptors are put for it. */
struct ends {
    int ours;
    int theirs;
};

static void close_ends(struct ends *ends)
{
    if (ends->ours >= 0)
        close(ends->ours);
    if (ends->theirs >= 0)
        close(ends->theirs);
    *ends = (struct ends){-1, -1};
}

static int prepare_ends(struct ends *ends, const int fds[2], struct error *err)
{
    *ends = (struct ends){fds[0], fcntl(fds[1], F_DUPFD_CLOEXEC, HOST_SOCKET + 1)};
    const int os = errno;
    close(fds[1]);
    if (ends->theirs >= 0 && fcntl(ends->ours, F_SETFL, O_NONBLOCK) == 0)
        return 0;
    error_from_errno(err, os, "cannot make descriptors for the Python host");
    close_ends(ends);
    return -1;
}

static int make_socket(struct ends *ends, struct error *err)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return error_from_errno(err, errno, "cannot make a socket for the Python host");
    return prepare_ends(ends, fds, err);
}

static int make_pipe(struct ends *ends, struct error *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return error_from_errno(err, errno, "cannot make a pipe for the Python host");
    return prepare_ends(ends, fds, err);
}

static void plan_files(posix_spawn_file_actions_t *actions, int socket_fd, int output_fd)
{
    posix_spawn_file_actions_init(actions);
    posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(actions, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(actions, output_fd, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(actions, socket_fd, HOST_SOCKET);
    posix_spawn_file_actions_addclosefrom_np(actions, HOST_SOCKET + 1);
}

static void plan_attributes(posix_spawnattr_t *attributes)
{
    sigset_t signals;

    posix_spawnattr_init(attributes);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(attributes, &signals);
}

static int explain(struct error *err, const char *interpreter, int os)
{
    if (os == ENOENT)
        return error_set(err,
                         "there is no %s: install the package python3, or name an interpreter by supervisor.python",
                         interpreter);
    return error_from_errno(err, os, "cannot run %s", interpreter);
}

static int spawn(struct child *child, const char *interpreter, const char *program, const struct ends ends[2],
                 struct error *err)
{
    char *const words[] = {(char *)(uintptr_t)interpreter, (char *)(uintptr_t) "-u", (char *)(uintptr_t)program, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    plan_files(&actions, ends[0].theirs, ends[1].theirs);
    plan_attributes(&attributes);
    const int os = posix_spawnp(&child->pid, interpreter, &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return os == 0 ? 0 : explain(err, interpreter, os);
}

static int open_pidfd(struct child *child, struct error *err)
{
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd >= 0)
        return 0;
    error_from_errno(err, errno, "cannot watch the Python host");
    kill(-child->pid, SIGKILL);
    return -1;
}

int child_start(struct child *child, const char *interpreter, const char *program, struct error *err)
{
    struct ends ends[2] = {{-1, -1}, {-1, -1}};

    *child = CHILD_NONE;
    if (make_socket(&ends[0], err) < 0 || make_pipe(&ends[1], err) < 0 ||
        spawn(child, interpreter, program, ends, err) < 0 || open_pidfd(child, err) < 0) {
        close_ends(&ends[0]);
        close_ends(&ends[1]);
        return -1;
    }
    child->socket_fd = ends[0].ours;
    child->output_fd = ends[1].ours;
    close(ends[0].theirs);
    close(ends[1].theirs);
    return 0;
}

/* --- ending ------------------------------------------------------------------------------------------------------- */

void child_kill(const struct child *child)
{
    kill(-child->pid, SIGKILL);
}

static bool wait_for_end(const struct child *child, int patience_ms)
{
    struct pollfd pollfd = {.fd = child->pidfd, .events = POLLIN};

    return poll(&pollfd, 1, patience_ms) > 0;
}

void child_end(struct child *child, int patience_ms)
{
    close(child->socket_fd);
    child->socket_fd = -1;
    if (!wait_for_end(child, patience_ms)) {
        child_kill(child);
        (void)wait_for_end(child, patience_ms);
    }
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void child_release(struct child *child)
{
    child_kill(child);                        /* what it has started: their group outlives it */
    (void)waitpid(child->pid, NULL, WNOHANG); /* if it is ours and the daemon has not seen its end before us */
    close_if_open(child->pidfd);
    close_if_open(child->socket_fd);
    close_if_open(child->output_fd);
    *child = CHILD_NONE;
}
