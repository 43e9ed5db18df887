/*
 * Runs a command that hands its work to another process, and passes signals on to that one, which it finds in a pid
 * file (manual 1.5.2). It lives as long as the two, so that whoever watches it watches them, and ends as they do.
 *
 * It is the subreaper of all that the command starts (prctl(2)). So a daemon that has detached itself is still a
 * descendant, whose end and exit status are heard of; and a pid that is not one of a descendant, from a pid file that
 * was left behind, is never signalled.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

enum {
    STATUS_USAGE = 1,
    STATUS_CANNOT_RUN = 126, /* as shells have it */
    STATUS_NOT_FOUND = 127,
    PIDFILE_GRACE_MS = 5000, /* how long after the command a daemon may take to write its pid file */
    GENERATIONS_MAX = 1000,
};

struct proxy {
    const char *pidfile;
    pid_t command; /* 0: it has ended */
    pid_t served;  /* the last descendant that the pid file named; 0: none yet */
    int served_fd; /* its pidfd, owned; -1: none yet. We are not told of its end when it has another parent */
    int status;    /* wait status to end with */
    bool has_served_status;
};

/* --- who the pid file names --------------------------------------------------------------------------------------- */

static int read_text(const char *path, char *text, size_t size)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t length = fd >= 0 ? fd_read_all(fd, text, size - 1) : -1;

    if (length < 0)
        return -1;
    text[length] = '\0';
    return 0;
}

/* 0: there is none. */
static pid_t parent_of(pid_t pid)
{
    char path[64];
    char text[1024];

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const char *name_end = read_text(path, text, sizeof text) == 0 ? strrchr(text, ')') : NULL;
    return name_end != NULL ? (pid_t)strtol(name_end + strlen(") S"), NULL, 10) : 0;
}

static bool is_descendant(pid_t pid)
{
    for (int generation = 0; generation < GENERATIONS_MAX && pid > 1; generation++) {
        pid = parent_of(pid);
        if (pid == getpid())
            return true;
    }
    return false;
}

/* The process that the pid file names, or 0 when there is no file, no number in it, or one that is not ours to signal.
 */
static pid_t read_pidfile(const char *path)
{
    char text[64];
    char *end;

    if (read_text(path, text, sizeof text) < 0)
        return 0;
    errno = 0;
    const long number = strtol(text, &end, 10);
    end += strspn(end, " \t\r\n");
    if (errno != 0 || end == text || *end != '\0' || number <= 1 || number > INT_MAX)
        return 0;
    return is_descendant((pid_t)number) ? (pid_t)number : 0;
}

/* --- signals ------------------------------------------------------------------------------------------------------ */

/* All but those that mean a fault of our own, and job control, which a process does to itself. */
static void choose_signals(sigset_t *chosen)
{
    static const int others[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT,
                                 SIGSYS,  SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGCONT};

    sigfillset(chosen);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        sigdelset(chosen, others[i]);
}

/* To the process in the pid file; before there is one, to the command. */
static void pass_on(const struct proxy *proxy, int number)
{
    const pid_t named = read_pidfile(proxy->pidfile);
    const pid_t target = named != 0 ? named : proxy->command;

    if (target != 0 && kill(target, number) < 0 && errno != ESRCH)
        (void)fprintf(stderr, "pidproxy: cannot send signal %d to %d: %s\n", number, (int)target, strerror(errno));
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

/*
 * The status of what is served counts more than that of the command which only started it. It is not told to us when
 * the command, or another that it started, is its parent and waits for it.
 */
static void bury(struct proxy *proxy)
{
    int status;

    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        proxy->has_served_status |= pid == proxy->served;
        if (pid == proxy->served || (pid == proxy->command && !proxy->has_served_status))
            proxy->status = status;
        if (pid == proxy->command)
            proxy->command = 0;
    }
}

static void look_for_served(struct proxy *proxy)
{
    const pid_t named = read_pidfile(proxy->pidfile);

    if (named == 0 || named == proxy->served)
        return;
    const int named_fd = pidfd_open(named, 0);
    if (named_fd < 0)
        return; /* it has ended meanwhile */
    fd_close(&proxy->served_fd);
    proxy->served = named;
    proxy->served_fd = named_fd;
}

static bool has_descendants(void)
{
    return waitpid(-1, NULL, WNOHANG) == 0;
}

static bool is_served_alive(const struct proxy *proxy)
{
    struct pollfd ended = {.fd = proxy->served_fd, .events = POLLIN};

    return proxy->served_fd >= 0 && poll(&ended, 1, 0) == 0;
}

/* How long to wait for the next signal: -1 for ever, or 0 when all is over. */
static int time_left(const struct proxy *proxy, bool is_serving, bool has_waited)
{
    if (proxy->command != 0 || is_serving)
        return -1;
    /* The command has left processes behind, and one of them may be about to write the pid file. */
    return proxy->served == 0 && has_descendants() && !has_waited ? PIDFILE_GRACE_MS : 0;
}

__attribute__((noreturn)) static void end_likewise(int status)
{
    if (WIFSIGNALED(status)) {
        sigset_t none;
        sigemptyset(&none);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void take_signal(struct proxy *proxy, int signals)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    look_for_served(proxy); /* before it is buried */
    if (info.ssi_signo == SIGCHLD)
        bury(proxy);
    else
        pass_on(proxy, (int)info.ssi_signo);
}

static void serve(struct proxy *proxy, int signals)
{
    bool has_waited = false;

    while (true) {
        look_for_served(proxy);
        /* Asked once a turn: an end that comes later wakes poll(), and one that is known does not. */
        const bool is_serving = is_served_alive(proxy);
        const int timeout = time_left(proxy, is_serving, has_waited);
        if (timeout == 0)
            return;
        struct pollfd readable[] = {
            {.fd = signals, .events = POLLIN},
            {.fd = is_serving ? proxy->served_fd : -1, .events = POLLIN},
        };
        const int ready = poll(readable, 2, timeout);
        if (ready > 0 && readable[0].revents != 0)
            take_signal(proxy, signals);
        else if (ready > 0)
            bury(proxy); /* its status, when we are its parent */
        else if (ready == 0)
            has_waited = true;
    }
}

/* In the child. */
__attribute__((noreturn)) static void run(char **command, const sigset_t *mask)
{
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    const int os = errno;
    (void)fprintf(stderr, "pidproxy: cannot run %s: %s\n", command[0], strerror(os));
    _exit(os == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}

static int refuse(const char *what)
{
    perror(what);
    return STATUS_CANNOT_RUN;
}

int main(int argc, char **argv)
{
    sigset_t chosen;
    sigset_t before;

    if (argc < 3) {
        (void)fprintf(stderr,
                      "pidproxy -- run a command and pass signals on to the process in its pid file.\n\n"
                      "Usage: %s PIDFILE COMMAND [ARGUMENT...]\n",
                      argv[0]);
        return STATUS_USAGE;
    }
    struct proxy proxy = {.pidfile = argv[1], .served_fd = -1};
    choose_signals(&chosen);
    sigprocmask(SIG_BLOCK, &chosen, &before);
    CLEANUP_FD int signals = signalfd(-1, &chosen, SFD_CLOEXEC);
    if (signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return refuse("pidproxy: cannot watch for signals");
    proxy.command = fork();
    if (proxy.command < 0)
        return refuse("pidproxy: cannot fork");
    if (proxy.command == 0)
        run(argv + 2, &before);
    serve(&proxy, signals);
    end_likewise(proxy.status);
}
