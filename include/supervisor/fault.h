/*
 * The reasons for refusing a request that travel to clients, with their numbers on the wire.
 * Observed from the original's XML-RPC interface (manual 2.1). The text of a fault is its name, with ": detail"
 * behind it when there is one.
 */
#ifndef SUPERVISOR_FAULT_H
#define SUPERVISOR_FAULT_H

#define FAULTS(X)               \
    X(UNKNOWN_METHOD, 1)        \
    X(INCORRECT_PARAMETERS, 2)  \
    X(BAD_ARGUMENTS, 3)         \
    X(SIGNATURE_UNSUPPORTED, 4) \
    X(SHUTDOWN_STATE, 6)        \
    X(BAD_NAME, 10)             \
    X(BAD_SIGNAL, 11)           \
    X(NO_FILE, 20)              \
    X(NOT_EXECUTABLE, 21)       \
    X(FAILED, 30)               \
    X(ABNORMAL_TERMINATION, 40) \
    X(SPAWN_ERROR, 50)          \
    X(ALREADY_STARTED, 60)      \
    X(NOT_RUNNING, 70)          \
    X(SUCCESS, 80)              \
    X(ALREADY_ADDED, 90)        \
    X(STILL_RUNNING, 91)        \
    X(CANT_REREAD, 92)          \
    X(READ_ONLY, 403) /* ours: the account may look and not touch */

#define FAULT_AS_ENUM(name, code) FAULT_##name = (code),
enum fault { FAULT_NONE = 0, FAULTS(FAULT_AS_ENUM) };
#undef FAULT_AS_ENUM

#pragma GCC visibility push(default)

/* The name of a fault, such as "BAD_NAME", or "UNKNOWN" for a number that is none. */
const char *fault_name(int fault);

#pragma GCC visibility pop

#endif
