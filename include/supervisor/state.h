/* The states of a process (manual 1.5.4) and of the whole daemon (manual 2.1.1, getState). */
#ifndef SUPERVISOR_STATE_H
#define SUPERVISOR_STATE_H

#include <stdbool.h>

#pragma GCC visibility push(default)

/* name, code on the wire */
#define PROCESS_STATES(X) \
    X(STOPPED, 0)         \
    X(STARTING, 10)       \
    X(RUNNING, 20)        \
    X(BACKOFF, 30)        \
    X(STOPPING, 40)       \
    X(EXITED, 100)        \
    X(FATAL, 200)         \
    X(UNKNOWN, 1000)

#define PROCESS_STATE_AS_ENUM(name, code) PROCESS_##name,
enum process_state { PROCESS_STATES(PROCESS_STATE_AS_ENUM) PROCESS_STATE_COUNT };
#undef PROCESS_STATE_AS_ENUM

const char *process_state_name(enum process_state state); /* "STOPPED" */
int process_state_code(enum process_state state);         /* 0, 10, 20 ... */

/* STARTING, RUNNING, BACKOFF: what a start request finds ALREADY_STARTED and a stop request can stop. */
bool process_state_is_running(enum process_state state);

/* STARTING, RUNNING, BACKOFF, STOPPING: a child exists or is about to. (That of UNKNOWN has been given up.) */
bool process_state_is_alive(enum process_state state);

#define SUPERVISOR_STATES(X) \
    X(FATAL, 2)              \
    X(RUNNING, 1)            \
    X(RESTARTING, 0)         \
    X(SHUTDOWN, -1)

#define SUPERVISOR_STATE_AS_ENUM(name, code) SUPERVISOR_##name = (code),
enum supervisor_state { SUPERVISOR_STATES(SUPERVISOR_STATE_AS_ENUM) };
#undef SUPERVISOR_STATE_AS_ENUM

const char *supervisor_state_name(enum supervisor_state state);

#pragma GCC visibility pop

#endif
