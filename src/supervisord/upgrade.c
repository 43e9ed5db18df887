#include "supervisord/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "config/value.h"

/* How the next program learns the descriptors: of what is handed over, and on trial of where to answer. */
#define HANDOVER_VARIABLE "SUPERVISOR_HANDOVER_FD"
#define TRIAL_VARIABLE "SUPERVISOR_HANDOVER_TRIAL_FD"

#define TAKEN "taken"

/* Longer than any program takes that is going to succeed: nothing else is done meanwhile. */
enum { TRIAL_MS = 10000 };

static char **program_arguments;
static char *program_path;
static int trial_fd = -1;

/* --- where the program is ----------------------------------------------------------------------------------------- */

static bool is_this_program(const char *path)
{
    struct stat there;
    struct stat ours;

    return stat(path, &there) == 0 && stat("/proc/self/exe", &ours) == 0 && there.st_dev == ours.st_dev &&
           there.st_ino == ours.st_ino;
}

/* The first of the places in PATH that holds this program, to free, or NULL. */
static char *find_in_path(const char *name)
{
    const char *path = getenv("PATH");
    CLEANUP_FREE char *places = xstrdup(path != NULL ? path : "");
    char *rest = places;

    for (const char *place = strsep(&rest, ":"); place != NULL; place = strsep(&rest, ":")) {
        CLEANUP_FREE char *there = xasprintf("%s/%s", place[0] != '\0' ? place : ".", name);
        if (is_this_program(there))
            return value_make_absolute(there);
    }
    return NULL;
}

static char *find_by_link(void)
{
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);

    return length > 0 ? xstrndup(path, (size_t)length) : NULL;
}

/* As it was called, so that a symbolic link that leads to a newer version by then is followed. */
static char *find_program(const char *name)
{
    char *path = strchr(name, '/') == NULL ? find_in_path(name)
                 : is_this_program(name)   ? value_make_absolute(name)
                                           : NULL;

    return path != NULL ? path : find_by_link();
}

/* --- in the program that takes ------------------------------------------------------------------------------------ */

/* The descriptor that a variable names, close-on-exec, or -1. Children are not to inherit the variable. */
static int take_variable(const char *name)
{
    const char *text = getenv(name);
    const int fd = text != NULL ? (int)strtol(text, NULL, 10) : -1;

    unsetenv(name);
    return fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

struct handover *upgrade_prepare(char **arguments, bool *is_refused, struct error *err)
{
    CLEANUP_FD int fd = take_variable(HANDOVER_VARIABLE);

    trial_fd = take_variable(TRIAL_VARIABLE);
    program_arguments = arguments;
    program_path = find_program(arguments[0]);
    if (program_path == NULL)
        program_path = arguments[0];
    *is_refused = false;
    if (fd < 0)
        return NULL;
    struct handover *handover = handover_read(fd, err);
    *is_refused = handover == NULL;
    return handover;
}

const char *upgrade_program(void)
{
    return program_path;
}

bool upgrade_is_trial(void)
{
    return trial_fd >= 0;
}

void upgrade_end_trial(const struct error *err)
{
    const char *answer = err != NULL ? err->text : TAKEN;

    _exit(fd_write_all(trial_fd, answer, strlen(answer)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- in the program that gives ------------------------------------------------------------------------------------ */

static void set_variable(const char *name, int fd)
{
    char number[16];

    (void)snprintf(number, sizeof number, "%d", fd);
    setenv(name, number, 1);
}

static void set_inheritance(const struct handover *handover, int file, bool is_inherited)
{
    size_t count;
    const int *fds = handover_fds(handover, &count);
    const int flags = is_inherited ? 0 : FD_CLOEXEC;

    for (size_t i = 0; i < count; i++)
        fcntl(fds[i], F_SETFD, flags);
    fcntl(file, F_SETFD, flags);
}

/* Comes back with errno. */
static void execute(const struct handover *handover, int file)
{
    set_variable(HANDOVER_VARIABLE, file);
    set_inheritance(handover, file, true);
    program_arguments[0] = program_path; /* the directory may have changed since it was found */
    execv(program_path, program_arguments);
}

static __attribute__((noreturn)) void perform_trial(const struct handover *handover, int file, int answer)
{
    struct error err;

    set_variable(TRIAL_VARIABLE, answer);
    fcntl(answer, F_SETFD, 0);
    execute(handover, file);
    error_from_errno(&err, errno, "cannot execute %s", program_path);
    trial_fd = answer;
    upgrade_end_trial(&err);
}

/* Waits for all that the child says, until it closes its end. False when that takes too long. */
static bool read_answer(int fd, char *answer, size_t size)
{
    const int64_t until_us = clock_monotonic_us() + TRIAL_MS * INT64_C(1000);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    size_t length = 0;
    ssize_t got = 1;

    while (got != 0) {
        const int64_t left_us = until_us - clock_monotonic_us();
        if (left_us <= 0)
            return false;
        if (poll(&readable, 1, (int)(left_us / 1000) + 1) <= 0)
            continue;
        got = read(fd, answer + length, size - 1 - length);
        if (got < 0 && errno != EINTR)
            return false;
        length += got > 0 ? (size_t)got : 0;
    }
    answer[length] = '\0';
    return true;
}

static int judge_trial(const char *answer, int wait_status, struct error *err)
{
    const char *program = program_path;

    if (strcmp(answer, TAKEN) == 0)
        return 0;
    if (answer[0] != '\0')
        return error_set(err, "%s", answer);
    if (WIFSIGNALED(wait_status))
        return error_set(err, "%s was ended by signal %d when it was tried", program, WTERMSIG(wait_status));
    return error_set(err, "%s cannot take over from a running supervisord (it ended with status %d when it was tried)",
                     program, WEXITSTATUS(wait_status));
}

static int await_trial(pid_t pid, int fd, struct error *err)
{
    char answer[ERROR_TEXT_SIZE];
    int wait_status = 0;
    const bool is_complete = read_answer(fd, answer, sizeof answer);

    if (!is_complete)
        kill(pid, SIGKILL);
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    if (!is_complete)
        return error_set(err, "%s did not answer within %d s when it was tried", program_path, TRIAL_MS / 1000);
    return judge_trial(answer, wait_status, err);
}

int upgrade_try(const struct handover *handover, struct error *err)
{
    CLEANUP_FD int file = handover_write(handover, err);
    int ends[2];

    if (file < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_from_errno(err, errno, "cannot try %s", program_path);
    CLEANUP_FD int reading = ends[0];
    CLEANUP_FD int writing = ends[1];
    const pid_t pid = fork();
    if (pid < 0)
        return error_from_errno(err, errno, "cannot try %s", program_path);
    if (pid == 0)
        perform_trial(handover, file, writing);
    fd_close(&writing);
    return await_trial(pid, reading, err);
}

void upgrade_execute(const struct handover *handover, struct error *err)
{
    CLEANUP_FD int file = handover_write(handover, err);

    if (file < 0)
        return;
    execute(handover, file);
    error_from_errno(err, errno, "cannot execute %s", program_path);
    set_inheritance(handover, file, false);
    unsetenv(HANDOVER_VARIABLE);
}
