/*
 * One supervised process: its state machine, its child when it has one, its output streams.
 * Fields are for reading; only src/process/ writes them.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/containers.h"
#include "base/error.h"
#include "config/model.h"
#include "output/stream.h"
#include "process/state.h"

struct process;
struct process_group;
struct supervisor;

/* Hears what a process writes to stdout, as it is read. It must not free the process. */
typedef void process_output_handler(void *context, struct process *process, const char *bytes, size_t length);

struct process {
    struct supervisor *supervisor;       /* borrowed */
    struct process_group *group;         /* borrowed: the group owns the process */
    const struct config_process *config; /* borrowed from the group's configuration */
    char *extra_arguments;               /* owned; behind the command when it is run; NULL: none */

    enum process_state state;
    pid_t pid;       /* of the child; 0: none */
    pid_t ended_pid; /* of the child before; 0: none */

    int64_t start_us;        /* wall clock: when it was last started; 0: never */
    int64_t stop_us;         /* wall clock: when its child last ended; 0: never */
    int64_t started_mono_us; /* start_us on the monotonic clock */
    int exitstatus;          /* of the last child: exit code, -1 after a signal; 0 while one runs */
    char *spawn_error;       /* owned; why the last start failed or the last exit was unexpected; NULL: nothing */
    int attempts;            /* failed starts since the last success */

    struct stream *streams[CONFIG_STREAM_COUNT]; /* owned; stderr is NULL with redirect_stderr */
    int stdin_fd;                                /* -1: none or closed by the child */
    struct evbuffer *stdin_pending;              /* owned; NULL when the pipe took everything */
    struct event *stdin_event;                   /* owned; NULL likewise */

    process_output_handler *on_output; /* whoever speaks a protocol with it (a listener pool); NULL: nobody */
    void *on_output_context;

    struct event *timer;  /* owned: startsecs, back-off, stopwaitsecs - whichever the state waits for */
    int64_t timer_due_us; /* when that is, on the monotonic clock; 0: nothing is waited for */
    struct process *next_queued, *prev_queued; /* in the supervisor's start queue */
    bool is_queued;
    UT_hash_handle by_name; /* in the group */
    UT_hash_handle by_pid;  /* in the supervisor, while pid != 0 */
};

/*
 * Starts the process. 0 when a child was spawned (state STARTING, or RUNNING with startsecs=0). -1 with *err:
 * ALREADY_STARTED, NO_FILE, NOT_EXECUTABLE, ABNORMAL_TERMINATION (while STOPPING): nothing has changed;
 * SPAWN_ERROR: the start was tried and the process is in BACKOFF or FATAL. err->text is the detail without the name.
 */
int process_start(struct process *process, struct error *err);

/*
 * STARTING, RUNNING, BACKOFF, and whatever is about to be started, at boot or again: it is down for the moment, but
 * would come up unasked.
 */
bool process_can_be_stopped(const struct process *process);

/*
 * Asks it to stop: sends stopsignal, SIGKILL after stopwaitsecs. 0, and the state is STOPPING or STOPPED.
 * -1: NOT_RUNNING when it cannot be stopped (above), FAILED when the signal could not be sent.
 * While STOPPING it is 0 and changes nothing.
 */
int process_stop(struct process *process, struct error *err);

/* Sends a signal to the child alone. -1: NOT_RUNNING, FAILED. The state does not change. */
int process_signal(struct process *process, int signal, struct error *err);

/* From now on `handler` hears what the process writes to stdout; NULL: nobody does. */
void process_listen(struct process *process, process_output_handler *handler, void *context);

/* Hands bytes to the child's stdin; what the pipe does not take now follows later. -1: NOT_RUNNING, NO_FILE. */
int process_write_stdin(struct process *process, const char *bytes, size_t length, struct error *err);

/*
 * Tells the process how its child ended (the status of waitpid()): after this it has none. For the reaper.
 */
void process_child_ended(struct process *process, int wait_status);

/*
 * Makes a process in state STOPPED, with its AUTO logs created unless it is to be taken over (process/handover.h).
 * NULL with *err. Owned by the group.
 */
struct process *process_new(struct process_group *group, const struct config_process *config, bool is_taken,
                            struct error *err);
void process_free(struct process *process); /* it must have no child */

/*
 * Starts the process whatever comes of it: a command that cannot be run goes through STARTING and BACKOFF to FATAL, as
 * at boot, instead of being refused. Does nothing when it is alive, or when the daemon is stopping.
 */
void process_start_automatically(struct process *process);

/* Reopens both logs (SIGUSR2). Failures are logged. */
void process_reopen_logs(struct process *process);

/* Empties both logs; -1 with FAILED when one could not be. */
int process_clear_logs(struct process *process, struct error *err);

/*
 * The text of `description` (manual 2.1.2): "pid 18806, uptime 0:03:12", "Jun 05 03:16 PM", "Not started" ...
 * Writes at most `size` bytes and returns `buffer`.
 */
const char *process_describe(const struct process *process, char *buffer, size_t size);

/* "" when there is none. */
const char *process_spawn_error(const struct process *process);
/* From now on the command is run with these arguments behind its own, split as it is; NULL: none. */
void process_set_extra_arguments(struct process *process, const char *arguments);
/* The path clients are told, "" when there is none. */
const char *process_log_path(const struct process *process, enum config_stream channel);

#endif
