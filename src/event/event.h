/*
 * Event types and the bus (manual 1.7). Whoever changes something publishes; log followers, deferred answers,
 * listeners, plugins and pages subscribe. The bus knows nothing of what it carries beyond this file.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor/event.h>

struct process;
struct process_group;

/* What happened. Everything pointed to is borrowed and good for the time of the call only. */
struct event_occurrence {
    enum event_type type;
    int64_t wall_us;      /* when; filled in by event_publish() */
    int64_t monotonic_us; /* the same on the other clock */
    union {
        struct { /* PROCESS_STATE_*; of PROCESS_ADDED and PROCESS_REMOVED `process` alone */
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
