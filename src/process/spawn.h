/*
 * Making a child (manual 1.5.3): without copying the daemon's address space or descriptor table, and with every
 * failure between the fork and the exec known to the parent by its cause.
 */
#ifndef PROCESS_SPAWN_H
#define PROCESS_SPAWN_H

#include <sys/types.h>

#include "base/error.h"
#include "config/model.h"

struct spawn_request {
    const char *name;                  /* of the process, for messages */
    const char *executable;            /* absolute or relative path: no search */
    char *const *arguments;            /* NULL-terminated, arguments[0] included */
    char *const *environment;          /* NULL-terminated "NAME=value" */
    const char *directory;             /* NULL: stay */
    int umask;                         /* -1: stay */
    const struct config_account *user; /* NULL or not set: stay */
    bool redirect_stderr;              /* stderr goes where stdout goes */
    bool killonparentdeath;            /* SIGKILL when the daemon dies */
    int stdin_fd;                      /* descriptor 0 of the child instead of a pipe (shared sockets); -1: a pipe */
};

/* The parent's ends of the pipes, close-on-exec and non-blocking; -1 where there is none. */
struct spawn_result {
    pid_t pid;
    int stdin_fd;
    int output_fds[CONFIG_STREAM_COUNT];
};

/*
 * Reserves the low descriptors that children are set up from. Once, before the first descriptor that is to stay open
 * for long; descriptors 0, 1 and 2 must be open. 0, or -1 with *err.
 */
int spawn_prepare(struct error *err);

/*
 * 0, or -1 with *err and nothing left behind. When the system has no descriptors or processes left the text is the
 * original's ("too many open files to spawn 'x'", "Too many processes in process table to spawn 'x'"). A failure in the
 * child reads "couldn't exec /bin/x: ENOEXEC",
 * "couldn't chdir to /x: ENOENT", "couldn't setuid to nobody: EPERM" ...
 * The child leads a process group of its own, has default signal dispositions, no blocked signal, and no descriptors
 * but 0, 1 and 2.
 */
int spawn_child(const struct spawn_request *request, struct spawn_result *result, struct error *err);

#endif
