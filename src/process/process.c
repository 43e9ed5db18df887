/*
 * The life of a process. States and what leads from one to the next stand in the table below (manual 1.5.4);
 * process_step() is the only writer of `state`. Whoever calls it has done the deed (spawned, reaped, signalled) before,
 * so that a subscriber of the event may start or stop the process again at once.
 */
#include "process/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/signals.h"
#include "config/load.h"
#include "output/automatic.h"
#include "process/command.h"
#include "process/input.h"
#include "process/shared_socket.h"
#include "process/supervisor.h"

#define SECOND_US INT64_C(1000000)

/*
 * A process that ends at once is started again at once, but not more often than this: with startsecs=0 and
 * autorestart=true a command that fails would otherwise keep a core busy.
 */
#define AUTOMATIC_START_INTERVAL_US (10 * INT64_C(1000))

enum happening {
    CHILD_SPAWNED,     /* a start was tried and there is a child */
    START_FAILED,      /* a start was tried and there is none */
    STARTSECS_PASSED,  /* it stayed up long enough */
    CHILD_ENDED_EARLY, /* ... or did not */
    CHILD_ENDED,       /* after a success, or because it was asked to */
    RETRIES_EXHAUSTED, /* one failed start too many */
    STOP_ASKED,        /* by a user or a shutdown */
    KILL_REFUSED,      /* the system does not let us signal our own child */
    HAPPENING_COUNT
};

typedef void enter_state(struct process *process);

static enter_state await_startsecs, forget_attempts, await_retry, await_end, rest, consider_restart;

/* No `enter`: the happening means nothing in that state. */
static const struct transition {
    enum process_state to;
    enter_state *enter; /* bookkeeping and timers of the new state; runs before the event is published */
} transitions[PROCESS_STATE_COUNT][HAPPENING_COUNT] = {
    [PROCESS_STOPPED] =
        {[CHILD_SPAWNED] = {PROCESS_STARTING, await_startsecs}, [START_FAILED] = {PROCESS_STARTING, rest}},
    [PROCESS_EXITED] = {[CHILD_SPAWNED] = {PROCESS_STARTING, await_startsecs},
                        [START_FAILED] = {PROCESS_STARTING, rest},
                        [STOP_ASKED] = {PROCESS_STOPPED, forget_attempts}},
    [PROCESS_FATAL] =
        {[CHILD_SPAWNED] = {PROCESS_STARTING, await_startsecs}, [START_FAILED] = {PROCESS_STARTING, rest}},
    [PROCESS_BACKOFF] = {[CHILD_SPAWNED] = {PROCESS_STARTING, await_startsecs},
                         [START_FAILED] = {PROCESS_STARTING, rest},
                         [RETRIES_EXHAUSTED] = {PROCESS_FATAL, forget_attempts},
                         [STOP_ASKED] = {PROCESS_STOPPED, forget_attempts}},
    [PROCESS_STARTING] = {[STARTSECS_PASSED] = {PROCESS_RUNNING, forget_attempts},
                          [START_FAILED] = {PROCESS_BACKOFF, await_retry},
                          [CHILD_ENDED_EARLY] = {PROCESS_BACKOFF, await_retry},
                          [STOP_ASKED] = {PROCESS_STOPPING, await_end}},
    [PROCESS_RUNNING] =
        {[CHILD_ENDED] = {PROCESS_EXITED, consider_restart}, [STOP_ASKED] = {PROCESS_STOPPING, await_end}},
    [PROCESS_STOPPING] = {[CHILD_ENDED] = {PROCESS_STOPPED, rest}, [KILL_REFUSED] = {PROCESS_UNKNOWN, rest}},
    [PROCESS_UNKNOWN] = {[CHILD_ENDED] = {PROCESS_STOPPED, rest}},
};

static enum event_type state_event(enum process_state state)
{
    static const enum event_type events[] = {
#define PROCESS_STATE_AS_EVENT(name, code) [PROCESS_##name] = EVENT_TYPE_PROCESS_STATE_##name,
        PROCESS_STATES(PROCESS_STATE_AS_EVENT)
#undef PROCESS_STATE_AS_EVENT
    };

    return events[state];
}

static bool exit_was_expected(const struct process *process)
{
    for (size_t i = 0; i < process->config->exitcode_count; i++)
        if (process->config->exitcodes[i] == process->exitstatus)
            return true;
    return false;
}

/* The child that a change of state is about: the one there is, or the one that has just ended. */
static pid_t concerned_pid(const struct process *process, enum process_state from)
{
    const bool has_ended = process_state_is_alive(from) && from != PROCESS_BACKOFF;

    if (process->pid != 0)
        return process->pid;
    return has_ended ? process->ended_pid : 0;
}

static void publish_state(struct process *process, enum process_state from)
{
    struct event_occurrence occurrence = {
        .type = state_event(process->state),
        .state = {.process = process,
                  .from = from,
                  .tries = process->attempts,
                  .expected = process->state == PROCESS_EXITED && exit_was_expected(process),
                  .pid = concerned_pid(process, from)},
    };

    event_publish(process->supervisor->bus, &occurrence);
}

/* Does nothing where the table has nothing: a subscriber may have taken the process elsewhere meanwhile. */
static void process_step(struct process *process, enum happening happening)
{
    const struct transition *transition = &transitions[process->state][happening];
    const enum process_state from = process->state;

    if (transition->enter == NULL)
        return;
    process->state = transition->to;
    process->group->alive_count += process_state_is_alive(process->state);
    process->group->alive_count -= process_state_is_alive(from);
    transition->enter(process);
    publish_state(process, from);
}

/* --- entering a state --------------------------------------------------------------------------------------------- */

static void arm_timer(struct process *process, int64_t after_us)
{
    process->timer_due_us = process->supervisor->system->monotonic_us() + after_us;
    process->supervisor->system->timer_arm(process->timer, after_us);
}

static void rest(struct process *process)
{
    process->timer_due_us = 0;
    process->supervisor->system->timer_disarm(process->timer);
    supervisor_unqueue_start(process->supervisor, process);
}

static void await_startsecs(struct process *process)
{
    rest(process);
    if (process->config->startsecs > 0)
        arm_timer(process, process->config->startsecs * SECOND_US);
}

static void forget_attempts(struct process *process)
{
    rest(process);
    process->attempts = 0;
}

/* The pause grows by a second with each failure. After the last one there is none: the caller gives up. */
static void await_retry(struct process *process)
{
    process->attempts++;
    if (process->attempts <= process->config->startretries)
        arm_timer(process, process->attempts * SECOND_US);
}

static void await_end(struct process *process)
{
    forget_attempts(process);
    arm_timer(process, process->config->stopwaitsecs * SECOND_US);
}

static bool wants_restart(const struct process *process)
{
    if (process->supervisor->state != SUPERVISOR_RUNNING)
        return false;
    switch (process->config->autorestart) {
    case AUTORESTART_NEVER:
        return false;
    case AUTORESTART_UNEXPECTED:
        return !exit_was_expected(process);
    case AUTORESTART_ALWAYS:
        return true;
    }
    return false;
}

static void consider_restart(struct process *process)
{
    rest(process);
    if (!wants_restart(process))
        return;
    const int64_t lived_us = process->supervisor->system->monotonic_us() - process->started_mono_us;
    if (lived_us >= AUTOMATIC_START_INTERVAL_US)
        supervisor_queue_start(process->supervisor, process);
    else
        arm_timer(process, AUTOMATIC_START_INTERVAL_US - lived_us);
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

static void set_spawn_error(struct process *process, const char *text)
{
    free(process->spawn_error);
    process->spawn_error = xstrdup_or_null(text);
}

static void forget_child(struct process *process)
{
    HASH_DELETE(by_pid, process->supervisor->by_pid, process);
    process->ended_pid = process->pid;
    process->pid = 0;
}

static void adopt_child(struct process *process, const struct spawn_result *child)
{
    process->pid = child->pid;
    process->stdin_fd = child->stdin_fd;
    HASH_ADD(by_pid, process->supervisor->by_pid, pid, sizeof process->pid, process);
}

static void detach_streams(struct process *process, bool keep_logs_open)
{
    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
        if (process->streams[channel] != NULL)
            stream_detach(process->streams[channel], keep_logs_open);
}

static int open_streams(struct process *process, struct error *err)
{
    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
        if (process->streams[channel] != NULL && stream_open(process->streams[channel], err) < 0)
            return -1;
    return 0;
}

/* A child whose output cannot be waited for would hang before long: it is ended, which the reaper hears of. */
static void attach_streams(struct process *process, const struct spawn_result *child)
{
    struct error err;

    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++) {
        if (process->streams[channel] == NULL ||
            stream_attach(process->streams[channel], child->output_fds[channel], &err) == 0)
            continue;
        log_error("%s; killing '%s' (%d) with SIGKILL", err.text, process->config->name, (int)child->pid);
        process->supervisor->system->kill(child->pid, SIGKILL);
    }
}

/* What the child gets as descriptor 0: -1 for a pipe. */
static int hold_input(const struct process *process, int *fd, struct error *err)
{
    *fd = -1;
    if (process->group->socket == NULL)
        return 0;
    *fd = shared_socket_hold(process->group->socket, err);
    return *fd >= 0 ? 0 : -1;
}

static void drop_input(const struct process *process)
{
    if (process->group->socket != NULL)
        shared_socket_drop(process->group->socket);
}

static int spawn_with(struct process *process, int stdin_fd, const char *executable, char **arguments,
                      struct error *err)
{
    CLEANUP_FREE char **environment = command_environment(process);
    const struct spawn_request request = {
        .name = process->config->name,
        .executable = executable,
        .arguments = arguments,
        .environment = environment,
        .directory = process->config->directory,
        .umask = process->config->umask,
        .killonparentdeath = process->config->killonparentdeath,
        .user = &process->config->user,
        .redirect_stderr = process->config->redirect_stderr,
        .stdin_fd = stdin_fd,
    };
    struct spawn_result child;

    if (open_streams(process, err) < 0 || process->supervisor->system->spawn(&request, &child, err) < 0) {
        detach_streams(process, false);
        return -1;
    }
    adopt_child(process, &child);
    attach_streams(process, &child);
    return 0;
}

static int spawn(struct process *process, const char *executable, char **arguments, struct error *err)
{
    int stdin_fd;

    if (hold_input(process, &stdin_fd, err) < 0)
        return -1;
    if (spawn_with(process, stdin_fd, executable, arguments, err) == 0)
        return 0;
    drop_input(process);
    return -1;
}

static void give_up_if_exhausted(struct process *process)
{
    if (process->state != PROCESS_BACKOFF || process->attempts <= process->config->startretries)
        return;
    log_info("gave up: %s entered FATAL state, too many start retries too quickly", process->config->name);
    process_step(process, RETRIES_EXHAUSTED);
}

static void succeed(struct process *process)
{
    log_info("success: %s entered RUNNING state, process has stayed up for > than %d seconds (startsecs)",
             process->config->name, process->config->startsecs);
    process_step(process, STARTSECS_PASSED);
}

/* A start that failed, for the reason in *err: STARTING, BACKOFF and, when it was the last, FATAL. */
static void fail_start(struct process *process, const struct error *err)
{
    set_spawn_error(process, err->text);
    log_info("spawnerr: %s", err->text);
    process_step(process, START_FAILED);
    if (process->state == PROCESS_STARTING)
        process_step(process, START_FAILED);
    give_up_if_exhausted(process);
}

static void note_start(struct process *process)
{
    process->start_us = process->supervisor->system->wall_us();
    process->started_mono_us = process->supervisor->system->monotonic_us();
    process->exitstatus = 0;
    set_spawn_error(process, NULL);
}

/* The start itself. `executable` and `arguments` come from command_prepare(). */
static int launch(struct process *process, const char *executable, char **arguments, struct error *err)
{
    note_start(process);
    if (spawn(process, executable, arguments, err) < 0) {
        err->fault = FAULT_SPAWN_ERROR;
        fail_start(process, err);
        return -1;
    }
    log_info("spawned: '%s' with pid %d", process->config->name, (int)process->pid);
    process_step(process, CHILD_SPAWNED);
    if (process->state == PROCESS_STARTING && process->config->startsecs <= 0)
        succeed(process);
    return 0;
}

static int refuse_start(const struct process *process, struct error *err)
{
    if (process_state_is_running(process->state))
        return error_set_fault(err, FAULT_ALREADY_STARTED, "%s", process->config->name);
    if (process->state == PROCESS_STOPPING)
        return error_set_fault(err, FAULT_ABNORMAL_TERMINATION, "%s", process->config->name);
    if (process->state == PROCESS_UNKNOWN)
        return error_set_fault(err, FAULT_FAILED, "%s is in an unknown process state", process->config->name);
    return 0;
}

static int start_prepared(struct process *process, struct error *err)
{
    char *executable;
    char **arguments;

    if (command_prepare(process, &executable, &arguments, err) < 0)
        return -1;
    const int outcome = launch(process, executable, arguments, err);
    free(executable);
    config_free_words(arguments);
    return outcome;
}

int process_start(struct process *process, struct error *err)
{
    if (refuse_start(process, err) < 0)
        return -1;
    return start_prepared(process, err);
}

void process_start_automatically(struct process *process)
{
    struct error err;

    if (process->supervisor->state != SUPERVISOR_RUNNING ||
        (process->state != PROCESS_BACKOFF && refuse_start(process, &err) < 0))
        return;
    if (start_prepared(process, &err) < 0 && err.fault != FAULT_SPAWN_ERROR) {
        note_start(process);
        fail_start(process, &err);
    }
}

/* --- stopping ----------------------------------------------------------------------------------------------------- */

static int send_signal(struct process *process, int signal, bool to_group, struct error *err)
{
    const char *name = process->config->name;

    log_debug("killing %s (pid %d) %swith signal %s", name, (int)process->pid, to_group ? "process group " : "",
              signal_name(signal));
    if (process->supervisor->system->kill(to_group ? -process->pid : process->pid, signal) == 0)
        return 0;
    if (errno == ESRCH)
        return 0; /* it has ended, and its end is about to be heard of */
    log_critical("unknown problem killing %s (%d): %s", name, (int)process->pid, strerror(errno));
    return error_from_errno(err, errno, "unknown problem killing %s (%d)", name, (int)process->pid);
}

static void send_stop_signal(struct process *process, int signal, bool to_group)
{
    struct error err;

    if (process->pid == 0) /* a subscriber stopped it while its failed start was being published */
        process_step(process, CHILD_ENDED);
    else if (send_signal(process, signal, to_group, &err) < 0)
        process_step(process, KILL_REFUSED);
}

bool process_can_be_stopped(const struct process *process)
{
    const bool restart_is_due = process->state == PROCESS_EXITED && evtimer_pending(process->timer, NULL);

    return process_state_is_running(process->state) || process->is_queued || restart_is_due;
}

int process_stop(struct process *process, struct error *err)
{
    const struct config_process *config = process->config;
    const bool can_be_stopped = process_can_be_stopped(process);

    if (process->state == PROCESS_STOPPING)
        return 0;
    supervisor_unqueue_start(process->supervisor, process);
    if (!can_be_stopped)
        return error_set_fault(err, FAULT_NOT_RUNNING, "%s", config->name);
    process_step(process, STOP_ASKED);
    if (process->pid == 0) /* a restart was due, for which the logs had been left open */
        detach_streams(process, false);
    if (process->state == PROCESS_STOPPING)
        send_stop_signal(process, config->stopsignal, config->stopasgroup);
    if (process->state == PROCESS_UNKNOWN)
        return error_set_fault(err, FAULT_FAILED, "%s", config->name);
    return 0;
}

int process_signal(struct process *process, int signal, struct error *err)
{
    if (process->pid == 0)
        return error_set_fault(err, FAULT_NOT_RUNNING, "%s", process->config->name);
    if (send_signal(process, signal, false, err) == 0)
        return 0;
    err->fault = FAULT_FAILED;
    return -1;
}

/* --- the child's end ---------------------------------------------------------------------------------------------- */

static void describe_end(int wait_status, char *text, size_t size)
{
    if (WIFSIGNALED(wait_status))
        (void)snprintf(text, size, "terminated by %s%s", signal_name(WTERMSIG(wait_status)),
                       WCOREDUMP(wait_status) ? " (core dumped)" : "");
    else
        (void)snprintf(text, size, "exit status %d", WEXITSTATUS(wait_status));
}

static void end_early(struct process *process, const char *end)
{
    set_spawn_error(process, "Exited too quickly (process log may have details)");
    log_warn("exited: %s (%s; not expected)", process->config->name, end);
    process_step(process, CHILD_ENDED_EARLY);
    give_up_if_exhausted(process);
}

static void end_after_success(struct process *process, const char *end)
{
    const bool expected = exit_was_expected(process);

    if (process->state == PROCESS_STARTING)
        process_step(process, STARTSECS_PASSED);
    if (!expected) {
        char text[64];
        (void)snprintf(text, sizeof text, "Bad exit code %d", process->exitstatus);
        set_spawn_error(process, text);
    }
    log_write(expected ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "exited: %s (%s; %s)", process->config->name, end,
              expected ? "expected" : "not expected");
    process_step(process, CHILD_ENDED);
}

static void end_as_asked(struct process *process, const char *end, int wait_status)
{
    log_write(wait_status == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "stopped: %s (%s)", process->config->name, end);
    process_step(process, CHILD_ENDED);
}

static bool ended_too_quickly(const struct process *process)
{
    const int64_t lived_us = process->supervisor->system->monotonic_us() - process->started_mono_us;

    return process->state == PROCESS_STARTING && lived_us < process->config->startsecs * SECOND_US;
}

void process_child_ended(struct process *process, int wait_status)
{
    const bool was_asked = process->state == PROCESS_STOPPING || process->state == PROCESS_UNKNOWN;
    const bool too_quickly = ended_too_quickly(process);
    char end[64];

    process->exitstatus = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    process->stop_us = process->supervisor->system->wall_us();
    input_close(process);
    detach_streams(process, !was_asked && process->supervisor->state == SUPERVISOR_RUNNING);
    forget_child(process);
    describe_end(wait_status, end, sizeof end);
    if (was_asked)
        end_as_asked(process, end, wait_status);
    else if (too_quickly)
        end_early(process, end);
    else
        end_after_success(process, end);
    drop_input(process);
    if (process->pid == 0 && !process_state_is_alive(process->state) && !process->is_queued)
        detach_streams(process, false);
}

/* --- timers ------------------------------------------------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;

    (void)fd;
    (void)what;
    process->timer_due_us = 0;
    switch (process->state) {
    case PROCESS_STARTING:
        succeed(process);
        break;
    case PROCESS_BACKOFF:
    case PROCESS_EXITED:
        supervisor_queue_start(process->supervisor, process);
        break;
    case PROCESS_STOPPING:
        log_warn("killing '%s' (%d) with SIGKILL", process->config->name, (int)process->pid);
        arm_timer(process, (process->config->stopwaitsecs > 0 ? process->config->stopwaitsecs : 1) * SECOND_US);
        send_stop_signal(process, SIGKILL, process->config->killasgroup);
        break;
    default:
        break;
    }
}

/* --- output -----------------------------------------------------------------------------------------------------*/

static void on_read(void *context, enum config_stream channel, const char *bytes, size_t length)
{
    struct process *process = context;

    if (process->on_output != NULL && channel == CONFIG_STDOUT)
        process->on_output(process->on_output_context, process, bytes, length);
}

/* `types`: of stdout and of stderr. What a process says in a protocol over its stdout is no event. */
static void publish_output(struct process *process, const enum event_type types[CONFIG_STREAM_COUNT],
                           enum config_stream channel, const char *bytes, size_t length)
{
    struct event_occurrence occurrence = {
        .type = types[channel],
        .output = {.process = process, .bytes = bytes, .length = length, .pid = process->pid},
    };

    if (channel != CONFIG_STDOUT || process->on_output == NULL)
        event_publish(process->supervisor->bus, &occurrence);
}

static void on_logged(void *context, enum config_stream channel, const char *bytes, size_t length)
{
    static const enum event_type types[] = {EVENT_TYPE_PROCESS_LOG_STDOUT, EVENT_TYPE_PROCESS_LOG_STDERR};

    publish_output(context, types, channel, bytes, length);
}

static void on_captured(void *context, enum config_stream channel, const char *bytes, size_t length)
{
    static const enum event_type types[] = {EVENT_TYPE_PROCESS_COMMUNICATION_STDOUT,
                                            EVENT_TYPE_PROCESS_COMMUNICATION_STDERR};

    publish_output(context, types, channel, bytes, length);
}

static const struct stream_observer observer = {.read = on_read, .logged = on_logged, .captured = on_captured};

void process_listen(struct process *process, process_output_handler *handler, void *context)
{
    process->on_output = handler;
    process->on_output_context = context;
}

/* --- logs --------------------------------------------------------------------------------------------------------- */

void process_reopen_logs(struct process *process)
{
    struct error err;

    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
        if (process->streams[channel] != NULL && stream_reopen(process->streams[channel], &err) < 0)
            log_error("cannot reopen the log of %s: %s", process->config->name, err.text);
}

int process_clear_logs(struct process *process, struct error *err)
{
    int outcome = 0;

    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
        if (process->streams[channel] != NULL && stream_clear(process->streams[channel], err) < 0)
            outcome = -1;
    if (outcome < 0)
        err->fault = FAULT_FAILED;
    return outcome;
}

/* --- making one --------------------------------------------------------------------------------------------------- */

static int make_stream(struct process *process, enum config_stream channel, bool is_taken, struct error *err)
{
    const struct supervisor *supervisor = process->supervisor;
    const struct config_log *log = &process->config->logs[channel];
    CLEANUP_FREE char *automatic = NULL;

    if (channel == CONFIG_STDERR && process->config->redirect_stderr)
        return 0;
    if (log->is_automatic && !is_taken) {
        automatic =
            automatic_log_create(supervisor->childlogdir, supervisor->identifier, process->config->name, channel, err);
        if (automatic == NULL)
            return -1;
    }
    process->streams[channel] = stream_new(&(struct stream_options){
        .loop = supervisor->loop,
        .process_name = process->config->name,
        .channel = channel,
        .config = log,
        .automatic_path = automatic,
        .strip_ansi = supervisor->strip_ansi,
        .observer = &observer,
        .observer_context = process,
    });
    return 0;
}

struct process *process_new(struct process_group *group, const struct config_process *config, bool is_taken,
                            struct error *err)
{
    struct process *process = xcalloc(1, sizeof *process);

    process->supervisor = group->supervisor;
    process->group = group;
    process->config = config;
    process->state = PROCESS_STOPPED;
    process->stdin_fd = -1;
    process->timer = loop_timer_new(group->supervisor->loop, on_timer, process);
    if (make_stream(process, CONFIG_STDOUT, is_taken, err) < 0 ||
        make_stream(process, CONFIG_STDERR, is_taken, err) < 0) {
        process_free(process);
        return NULL;
    }
    return process;
}

void process_set_extra_arguments(struct process *process, const char *arguments)
{
    free(process->extra_arguments);
    process->extra_arguments = arguments != NULL && arguments[0] != '\0' ? xstrdup(arguments) : NULL;
}

void process_free(struct process *process)
{
    supervisor_unqueue_start(process->supervisor, process);
    if (process->pid != 0) /* UNKNOWN: it could not be killed, and its end is the reaper's business alone */
        HASH_DELETE(by_pid, process->supervisor->by_pid, process);
    event_free(process->timer);
    input_close(process);
    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
        stream_free(process->streams[channel]);
    free(process->spawn_error);
    free(process->extra_arguments);
    free(process);
}
