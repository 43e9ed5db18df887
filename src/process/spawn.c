#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/*
 * How a child gets its descriptors. The daemon may hold tens of thousands; copying the table for each child, and
 * closing it at exec, would make every start cost as much as all children before it. So the child shares the table
 * (CLONE_FILES) until its first call, close_range(CLOSE_RANGE_UNSHARE), which gives it a table of its own with only
 * the lowest places: 0, 1, 2 and the slots below, into which the parent has put what the child needs.
 */
enum slot { SLOT_STDIN = 3, SLOT_STDOUT, SLOT_STDERR, SLOT_REPORT, SLOT_END };

enum {
    CHILD_STACK_SIZE = 256 * 1024,
    EXIT_NOT_SPAWNED = 127,
    STOPPED_CHECK_MS = 100, /* a child that has not run by then is looked at */
};

/* What the child could not do, sent to the parent through the report pipe. Nothing is sent when the exec succeeds. */
struct report {
    int os;
    enum step {
        STEP_DESCRIPTORS,
        STEP_SETGROUPS,
        STEP_SETGID,
        STEP_SETUID,
        STEP_PARENT_DEATH,
        STEP_CHDIR,
        STEP_EXEC
    } step;
};

struct plan {
    const struct spawn_request *request;
    pid_t parent;
    const gid_t *groups;
    int group_count;
    sigset_t empty;
};

static int placeholder = -1; /* keeps the slots taken between two children */
static char *child_stack;

int spawn_prepare(struct error *err)
{
    if (placeholder >= 0)
        return 0;
    child_stack = mmap(NULL, CHILD_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (child_stack == MAP_FAILED)
        return error_from_errno(err, errno, "cannot map a stack for children");
    CLEANUP_FD int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return error_from_errno(err, errno, "cannot open /dev/null");
    const int kept = fcntl(null_fd, F_DUPFD_CLOEXEC, SLOT_END);
    if (kept < 0)
        return error_from_errno(err, errno, "cannot reserve descriptors for children");
    for (int slot = SLOT_STDIN; slot < SLOT_END; slot++) {
        /* Somebody else's descriptor in a slot would be lost. */
        if (slot != null_fd && fcntl(slot, F_GETFD) >= 0)
            return error_set(err, "descriptor %d, reserved for children, is in use", slot);
        if (slot != null_fd && dup3(kept, slot, O_CLOEXEC) < 0)
            return error_from_errno(err, errno, "cannot reserve descriptors for children");
    }
    if (null_fd >= SLOT_STDIN && null_fd < SLOT_END)
        null_fd = -1; /* it is a slot now */
    placeholder = kept;
    return 0;
}

/* --- in the child: shares the daemon's memory, so it calls the system and writes only to its own stack ------------ */

/* AddressSanitizer knows the daemon's stack, not this one, and would complain of every way out. */
#define IN_CHILD __attribute__((no_sanitize("address")))

IN_CHILD __attribute__((noreturn)) static void fail(enum step step)
{
    const struct report report = {.os = errno, .step = step};
    const ssize_t ignored = write(SLOT_REPORT, &report, sizeof report);

    (void)ignored;
    _exit(EXIT_NOT_SPAWNED);
}

IN_CHILD static void reset_signals(const sigset_t *empty)
{
    const struct sigaction preset = {.sa_handler = SIG_DFL};

    /* Before the mask is lifted: a handler of the daemon must not run here. */
    for (int signal = 1; signal < SIGRTMIN; signal++)
        sigaction(signal, &preset, NULL);
    sigprocmask(SIG_SETMASK, empty, NULL);
}

IN_CHILD static void take_descriptors(bool redirect_stderr)
{
    if (syscall(SYS_close_range, SLOT_END, ~0U, 2U /* CLOSE_RANGE_UNSHARE */) < 0 && unshare(CLONE_FILES) < 0)
        fail(STEP_DESCRIPTORS); /* without close_range the rest of the table is copied, and closed by the exec */
    if (dup2(SLOT_STDIN, STDIN_FILENO) < 0 || dup2(SLOT_STDOUT, STDOUT_FILENO) < 0 ||
        dup2(redirect_stderr ? SLOT_STDOUT : SLOT_STDERR, STDERR_FILENO) < 0)
        fail(STEP_DESCRIPTORS);
}

/* Nothing to switch when the daemon has that account already, and then it has no right to set the groups either. */
IN_CHILD static bool changes_user(const struct config_account *user)
{
    return user != NULL && user->is_set && (geteuid() == 0 || geteuid() != user->uid);
}

/* By system call: the C library's functions would try to change all threads, with locks that are the daemon's. */
IN_CHILD static void take_user(const struct plan *plan)
{
    const struct config_account *user = plan->request->user;

    if (!changes_user(user))
        return;
    if (syscall(SYS_setgroups, (size_t)plan->group_count, plan->groups) < 0)
        fail(STEP_SETGROUPS);
    if (syscall(SYS_setgid, user->gid) < 0)
        fail(STEP_SETGID);
    if (syscall(SYS_setuid, user->uid) < 0)
        fail(STEP_SETUID);
}

/* After the change of user, which takes the setting back. */
IN_CHILD static void tie_to_parent(const struct plan *plan)
{
    if (!plan->request->killonparentdeath)
        return;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        fail(STEP_PARENT_DEATH);
    if (getppid() != plan->parent) /* it has died before */
        _exit(EXIT_NOT_SPAWNED);
}

IN_CHILD static int child_main(void *context)
{
    const struct plan *plan = context;
    const struct spawn_request *request = plan->request;

    setpgid(0, 0);
    take_descriptors(request->redirect_stderr);
    reset_signals(&plan->empty);
    take_user(plan);
    tie_to_parent(plan);
    if (request->directory != NULL && chdir(request->directory) < 0)
        fail(STEP_CHDIR);
    if (request->umask >= 0)
        umask((mode_t)request->umask);
    execve(request->executable, request->arguments, request->environment);
    fail(STEP_EXEC);
}

/* --- in the parent ------------------------------------------------------------------------------------------------ */

/* All the pipes of one child. [0] is the end to read from. */
struct pipes {
    int input[2];
    int output[CONFIG_STREAM_COUNT][2];
    int report[2];
};

static void close_pipe(int ends[2])
{
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

static void close_pipes(struct pipes *pipes)
{
    close_pipe(pipes->input);
    close_pipe(pipes->output[CONFIG_STDOUT]);
    close_pipe(pipes->output[CONFIG_STDERR]);
    close_pipe(pipes->report);
}

static int open_pipe(int ends[2], int parent_end)
{
    if (pipe2(ends, O_CLOEXEC) < 0) {
        ends[0] = ends[1] = -1;
        return -1;
    }
    return parent_end >= 0 ? fd_set_nonblocking(ends[parent_end]) : 0;
}

static int open_pipes(struct pipes *pipes, const struct spawn_request *request)
{
    memset(pipes, -1, sizeof *pipes);
    if (request->stdin_fd < 0 && open_pipe(pipes->input, 1) < 0)
        return -1;
    if (open_pipe(pipes->output[CONFIG_STDOUT], 0) < 0)
        return -1;
    if (!request->redirect_stderr && open_pipe(pipes->output[CONFIG_STDERR], 0) < 0)
        return -1;
    return open_pipe(pipes->report, -1);
}

/* Puts the child's ends into the slots, or frees the slots again when `pipes` is NULL. */
static int fill_slots(const struct pipes *pipes, const struct spawn_request *request)
{
    const int wanted[SLOT_END] = {
        [SLOT_STDIN] = pipes == NULL            ? placeholder
                       : request->stdin_fd >= 0 ? request->stdin_fd
                                                : pipes->input[0],
        [SLOT_STDOUT] = pipes == NULL ? placeholder : pipes->output[CONFIG_STDOUT][1],
        [SLOT_STDERR] = pipes == NULL || request->redirect_stderr ? placeholder : pipes->output[CONFIG_STDERR][1],
        [SLOT_REPORT] = pipes == NULL ? placeholder : pipes->report[1],
    };

    for (int slot = SLOT_STDIN; slot < SLOT_END; slot++)
        if (dup3(wanted[slot], slot, O_CLOEXEC) < 0)
            return -1;
    return 0;
}

/* Supplementary groups are looked up here, since the child must not call the name service. */
static gid_t *find_groups(const struct config_account *user, int *count)
{
    *count = 1;
    gid_t *groups = xmalloc(sizeof *groups);
    groups[0] = user->gid;
    if (user->name == NULL)
        return groups;
    while (getgrouplist(user->name, user->gid, groups, count) < 0)
        groups = xreallocarray(groups, (size_t)*count, sizeof *groups);
    return groups;
}

static int refuse_descriptors(const struct spawn_request *request, int os, struct error *err)
{
    if (os == EMFILE || os == ENFILE)
        error_set(err, "too many open files to spawn '%s'", request->name);
    else
        error_set(err, "couldn't make pipes to spawn '%s': %s", request->name, error_errno_name(os));
    err->os = os;
    return -1;
}

static int refuse_process(const struct spawn_request *request, int os, struct error *err)
{
    if (os == EAGAIN)
        error_set(err, "Too many processes in process table to spawn '%s'", request->name);
    else
        error_set(err, "couldn't fork to spawn '%s': %s", request->name, error_errno_name(os));
    err->os = os;
    return -1;
}

/*
 * How the child is made. Between its setuid and its exec whoever has the user's account may send it SIGSTOP, and a
 * vfork would have the daemon wait for as long as they like: such a child gets a copy of everything instead.
 */
static int clone_flags(const struct spawn_request *request)
{
    if (changes_user(request->user))
        return SIGCHLD;
    /* valgrind follows a vfork only without CLONE_FILES */
    return CLONE_VM | CLONE_VFORK | SIGCHLD | (RUNNING_ON_VALGRIND ? 0 : CLONE_FILES);
}

static pid_t clone_child(struct plan *plan)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    const pid_t pid = clone(child_main, child_stack + CHILD_STACK_SIZE, clone_flags(plan->request), plan);
    const int saved = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

static int describe_failure(const struct report *report, const struct spawn_request *request, struct error *err)
{
    const char *cause = error_errno_name(report->os);
    const char *user = request->user != NULL && request->user->name != NULL ? request->user->name : "the user";

    switch (report->step) {
    case STEP_DESCRIPTORS:
        error_set(err, "couldn't set up descriptors: %s", cause);
        break;
    case STEP_SETGROUPS:
        error_set(err, "couldn't set groups of %s: %s", user, cause);
        break;
    case STEP_SETGID:
        error_set(err, "couldn't setgid to group of %s: %s", user, cause);
        break;
    case STEP_SETUID:
        error_set(err, "couldn't setuid to %s: %s", user, cause);
        break;
    case STEP_PARENT_DEATH:
        error_set(err, "couldn't set the signal for the death of supervisord: %s", cause);
        break;
    case STEP_CHDIR:
        error_set(err, "couldn't chdir to %s: %s", request->directory, cause);
        break;
    case STEP_EXEC:
        error_set(err, "couldn't exec %s: %s", request->executable, cause);
        break;
    }
    err->os = report->os;
    return -1;
}

static bool is_stopped(pid_t pid)
{
    siginfo_t info = {0};

    /* WEXITED is left out: its end is the reaper's business. */
    return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == pid;
}

/* Waits for the exec or its failure; both close the write end. False: the child was stopped before. */
static bool await_report(int fd, pid_t pid)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    while (poll(&readable, 1, STOPPED_CHECK_MS) <= 0)
        if (is_stopped(pid))
            return false;
    return true;
}

static void bury_child(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static int read_report(int fd, pid_t pid, const struct spawn_request *request, struct error *err)
{
    struct report report;

    if (!await_report(fd, pid)) {
        kill(pid, SIGKILL);
        bury_child(pid);
        return error_set(err, "'%s' was stopped by a signal before it could run", request->name);
    }
    if (fd_read_all(fd, &report, sizeof report) != sizeof report)
        return 0;
    bury_child(pid);
    return describe_failure(&report, request, err);
}

static int start(const struct spawn_request *request, struct pipes *pipes, pid_t *pid, struct error *err)
{
    CLEANUP_FREE gid_t *groups = NULL;
    struct plan plan = {.request = request, .parent = getpid()};

    sigemptyset(&plan.empty);
    if (request->user != NULL && request->user->is_set)
        groups = find_groups(request->user, &plan.group_count);
    plan.groups = groups;
    if (fill_slots(pipes, request) < 0)
        return refuse_descriptors(request, errno, err);
    *pid = clone_child(&plan);
    const int os = errno;
    fill_slots(NULL, request);
    fd_close(&pipes->report[1]);
    if (*pid < 0)
        return refuse_process(request, os, err);
    return read_report(pipes->report[0], *pid, request, err);
}

static int take_end(int *end)
{
    const int fd = *end;

    *end = -1;
    return fd;
}

int spawn_child(const struct spawn_request *request, struct spawn_result *result, struct error *err)
{
    struct pipes pipes;
    pid_t pid = 0;

    int outcome = spawn_prepare(err);
    if (outcome < 0)
        return outcome;
    if (open_pipes(&pipes, request) < 0)
        outcome = refuse_descriptors(request, errno, err);
    else
        outcome = start(request, &pipes, &pid, err);
    if (outcome == 0) {
        result->pid = pid;
        result->stdin_fd = take_end(&pipes.input[1]);
        result->output_fds[CONFIG_STDOUT] = take_end(&pipes.output[CONFIG_STDOUT][0]);
        result->output_fds[CONFIG_STDERR] = take_end(&pipes.output[CONFIG_STDERR][0]);
    }
    close_pipes(&pipes);
    return outcome;
}
