/*
 * Event types and the bus (manual 1.7). Whoever changes something publishes; log followers, deferred answers,
 * listeners, plugins and pages subscribe. The bus knows nothing of what it carries beyond this file.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process;
struct process_group;

/* name, parent. An event of a type is also one of its parent. Abstract types are never published themselves. */
#define EVENT_TYPES(X)                                           \
    X(EVENT, EVENT)                                              \
    X(PROCESS_STATE, EVENT)                                      \
    X(PROCESS_STATE_STOPPED, PROCESS_STATE)                      \
    X(PROCESS_STATE_EXITED, PROCESS_STATE)                       \
    X(PROCESS_STATE_STARTING, PROCESS_STATE)                     \
    X(PROCESS_STATE_STOPPING, PROCESS_STATE)                     \
    X(PROCESS_STATE_BACKOFF, PROCESS_STATE)                      \
    X(PROCESS_STATE_FATAL, PROCESS_STATE)                        \
    X(PROCESS_STATE_RUNNING, PROCESS_STATE)                      \
    X(PROCESS_STATE_UNKNOWN, PROCESS_STATE)                      \
    X(PROCESS_GROUP, EVENT)                                      \
    X(PROCESS_GROUP_ADDED, PROCESS_GROUP)                        \
    X(PROCESS_GROUP_REMOVED, PROCESS_GROUP)                      \
    X(SUPERVISOR_STATE_CHANGE, EVENT)                            \
    X(SUPERVISOR_STATE_CHANGE_RUNNING, SUPERVISOR_STATE_CHANGE)  \
    X(SUPERVISOR_STATE_CHANGE_STOPPING, SUPERVISOR_STATE_CHANGE) \
    X(PROCESS_LOG, EVENT)                                        \
    X(PROCESS_LOG_STDOUT, PROCESS_LOG)                           \
    X(PROCESS_LOG_STDERR, PROCESS_LOG)                           \
    X(PROCESS_COMMUNICATION, EVENT)                              \
    X(PROCESS_COMMUNICATION_STDOUT, PROCESS_COMMUNICATION)       \
    X(PROCESS_COMMUNICATION_STDERR, PROCESS_COMMUNICATION)       \
    X(REMOTE_COMMUNICATION, EVENT)                               \
    X(TICK, EVENT)                                               \
    X(TICK_5, TICK)                                              \
    X(TICK_60, TICK)                                             \
    X(TICK_3600, TICK)

#define EVENT_TYPE_AS_ENUM(name, parent) EVENT_TYPE_##name,
enum event_type { EVENT_TYPES(EVENT_TYPE_AS_ENUM) EVENT_TYPE_COUNT };
#undef EVENT_TYPE_AS_ENUM

/* A set of types; event_mask() gives a type with everything below it. */
typedef uint64_t event_mask_t;

event_mask_t event_mask(enum event_type type);
const char *event_type_name(enum event_type type);
int event_type_by_name(const char *name); /* the type, or -1; case matters */

/* What happened. Everything pointed to is borrowed and good for the time of the call only. */
struct event_occurrence {
    enum event_type type;
    int64_t wall_us;      /* when; filled in by event_publish() */
    int64_t monotonic_us; /* the same on the other clock */
    union {
        struct { /* PROCESS_STATE_* */
            struct process *process;
            int from;      /* enum process_state */
            int tries;     /* BACKOFF and STARTING: attempts so far */
            bool expected; /* EXITED */
            int pid;
        } state;
        struct { /* PROCESS_GROUP_* */
            const char *group;
        } group;
        struct { /* PROCESS_LOG_*, PROCESS_COMMUNICATION_* */
            struct process *process;
            const char *bytes;
            size_t length;
            int pid;
        } output;
        struct { /* REMOTE_COMMUNICATION */
            const char *type;
            const char *data;
            size_t length;
        } remote;
        struct {          /* TICK_* */
            int64_t when; /* seconds since 1970, a multiple of the period */
        } tick;
    };
};

struct event_bus;
struct event_subscription;

typedef void event_handler(void *context, const struct event_occurrence *occurrence);

struct event_bus *event_bus_new(void);
void event_bus_free(struct event_bus *bus); /* all subscriptions must be gone */

/*
 * Handlers are called in the order of subscription, at once, from within event_publish(). A handler may subscribe,
 * unsubscribe anybody (itself included) and publish; one that subscribes during a publication first hears of the next.
 */
struct event_subscription *event_subscribe(struct event_bus *bus, event_mask_t mask, event_handler *handler,
                                           void *context);
void event_unsubscribe(struct event_subscription *subscription);                            /* NULL is fine */
void event_subscription_change(struct event_subscription *subscription, event_mask_t mask); /* holds at once */

/* True when somebody listens: lets the publisher skip preparing what nobody wants. */
bool event_is_wanted(const struct event_bus *bus, enum event_type type);

/* Calls `handler` whenever event_is_wanted() has a new answer for some type. One handler a bus; NULL takes it away. */
void event_watch_interest(struct event_bus *bus, void (*handler)(void *context), void *context);

void event_publish(struct event_bus *bus, struct event_occurrence *occurrence);

#endif
