/* The host process: how it is made and ended. It leads a process group of its own. */
#ifndef PYTHON_CHILD_H
#define PYTHON_CHILD_H

#include <supervisor/error.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int pidfd;     /* readable once it has ended, whosever child it is */
    int socket_fd; /* to its descriptor 3 */
    int output_fd; /* from its stdout and stderr */
};

#define CHILD_NONE ((struct child){.pidfd = -1, .socket_fd = -1, .output_fd = -1})

/* The directory with the host's Python files, beside this shared object; to free. NULL with *err. */
char *child_find_program(struct error *err);

/* Starts `interpreter` (searched in PATH when it has no slash) on a program. -1 with *err. */
int child_start(struct child *child, const char *interpreter, const char *program, struct error *err);

/* Kills it and what it has started. It ends soon, and must be released then. */
void child_kill(const struct child *child);

/* Lets it end by itself, at the end of its socket, for so many milliseconds. */
void child_end(struct child *child, int patience_ms);

/* After its end: closes what is left, and leaves nothing of its group. */
void child_release(struct child *child);

#endif
