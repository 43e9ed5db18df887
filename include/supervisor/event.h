/* The types of events (manual 1.7.2). */
#ifndef SUPERVISOR_EVENT_H
#define SUPERVISOR_EVENT_H

#include <stdint.h>

/* name, parent. An event of a type is also one of its parent. Abstract types are never published themselves. */
#define EVENT_TYPES(X)                                             \
    X(EVENT, EVENT)                                                \
    X(PROCESS_STATE, EVENT)                                        \
    X(PROCESS_STATE_STOPPED, PROCESS_STATE)                        \
    X(PROCESS_STATE_EXITED, PROCESS_STATE)                         \
    X(PROCESS_STATE_STARTING, PROCESS_STATE)                       \
    X(PROCESS_STATE_STOPPING, PROCESS_STATE)                       \
    X(PROCESS_STATE_BACKOFF, PROCESS_STATE)                        \
    X(PROCESS_STATE_FATAL, PROCESS_STATE)                          \
    X(PROCESS_STATE_RUNNING, PROCESS_STATE)                        \
    X(PROCESS_STATE_UNKNOWN, PROCESS_STATE)                        \
    X(PROCESS_GROUP, EVENT)                                        \
    X(PROCESS_GROUP_ADDED, PROCESS_GROUP)                          \
    X(PROCESS_GROUP_REMOVED, PROCESS_GROUP)                        \
    X(PROCESS_ADDED, EVENT)   /* ours: to a group that is there */ \
    X(PROCESS_REMOVED, EVENT) /* ours: from a group that stays */  \
    X(SUPERVISOR_STATE_CHANGE, EVENT)                              \
    X(SUPERVISOR_STATE_CHANGE_RUNNING, SUPERVISOR_STATE_CHANGE)    \
    X(SUPERVISOR_STATE_CHANGE_STOPPING, SUPERVISOR_STATE_CHANGE)   \
    X(PROCESS_LOG, EVENT)                                          \
    X(PROCESS_LOG_STDOUT, PROCESS_LOG)                             \
    X(PROCESS_LOG_STDERR, PROCESS_LOG)                             \
    X(PROCESS_COMMUNICATION, EVENT)                                \
    X(PROCESS_COMMUNICATION_STDOUT, PROCESS_COMMUNICATION)         \
    X(PROCESS_COMMUNICATION_STDERR, PROCESS_COMMUNICATION)         \
    X(REMOTE_COMMUNICATION, EVENT)                                 \
    X(TICK, EVENT)                                                 \
    X(TICK_5, TICK)                                                \
    X(TICK_60, TICK)                                               \
    X(TICK_3600, TICK)

#define EVENT_TYPE_AS_ENUM(name, parent) EVENT_TYPE_##name,
enum event_type { EVENT_TYPES(EVENT_TYPE_AS_ENUM) EVENT_TYPE_COUNT };
#undef EVENT_TYPE_AS_ENUM

/* A set of types; event_mask() gives a type with everything below it. */
typedef uint64_t event_mask_t;

#pragma GCC visibility push(default)

event_mask_t event_mask(enum event_type type);
const char *event_type_name(enum event_type type);
int event_type_by_name(const char *name); /* the type, or -1; case matters */

#pragma GCC visibility pop

#endif
