#include "event/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/containers.h"

struct event_subscription {
    struct event_bus *bus;
    event_mask_t types;
    event_handler *handler; /* NULL: ended during a publication, to be freed when the outermost one is over */
    void *context;
    uint64_t since; /* publications that began before this one are not heard */
    struct event_subscription *prev, *next;
};

struct event_bus {
    struct event_subscription *subscriptions;
    event_mask_t wanted; /* union of all types: makes an event that nobody wants cost one test */
    unsigned depth;      /* publications under way: handlers may publish */
    bool has_ended;      /* some subscription waits to be freed */
    uint64_t publications;
    void (*on_interest)(void *context); /* NULL: nobody wants to know */
    void *on_interest_context;
};

static const struct {
    const char *name;
    enum event_type parent;
} types[] = {
#define EVENT_TYPE_AS_ROW(type, parent_type) [EVENT_TYPE_##type] = {#type, EVENT_TYPE_##parent_type},
    EVENT_TYPES(EVENT_TYPE_AS_ROW)
#undef EVENT_TYPE_AS_ROW
};

static bool is_a(enum event_type type, enum event_type ancestor)
{
    while (type != ancestor && types[type].parent != type)
        type = types[type].parent;
    return type == ancestor;
}

event_mask_t event_mask(enum event_type type)
{
    event_mask_t mask = 0;

    for (enum event_type candidate = 0; candidate < EVENT_TYPE_COUNT; candidate++)
        if (is_a(candidate, type))
            mask |= (event_mask_t)1 << candidate;
    return mask;
}

const char *event_type_name(enum event_type type)
{
    return types[type].name;
}

int event_type_by_name(const char *name)
{
    for (int type = 0; type < EVENT_TYPE_COUNT; type++)
        if (strcmp(types[type].name, name) == 0)
            return type;
    return -1;
}

struct event_bus *event_bus_new(void)
{
    return xcalloc(1, sizeof(struct event_bus));
}

void event_bus_free(struct event_bus *bus)
{
    free(bus);
}

static void recompute_wanted(struct event_bus *bus)
{
    const event_mask_t before = bus->wanted;
    struct event_subscription *subscription;

    bus->wanted = 0;
    DL_FOREACH (bus->subscriptions, subscription)
        if (subscription->handler != NULL)
            bus->wanted |= subscription->types;
    if (bus->wanted != before && bus->on_interest != NULL)
        bus->on_interest(bus->on_interest_context);
}

struct event_subscription *event_subscribe(struct event_bus *bus, event_mask_t mask, event_handler *handler,
                                           void *context)
{
    struct event_subscription *subscription = xcalloc(1, sizeof *subscription);

    subscription->bus = bus;
    subscription->types = mask;
    subscription->handler = handler;
    subscription->context = context;
    subscription->since = bus->publications;
    DL_APPEND(bus->subscriptions, subscription);
    recompute_wanted(bus);
    return subscription;
}

void event_subscription_change(struct event_subscription *subscription, event_mask_t mask)
{
    subscription->types = mask;
    recompute_wanted(subscription->bus);
}

static void free_ended(struct event_bus *bus)
{
    struct event_subscription *subscription;
    struct event_subscription *next;

    DL_FOREACH_SAFE (bus->subscriptions, subscription, next) {
        if (subscription->handler == NULL) {
            DL_DELETE(bus->subscriptions, subscription);
            free(subscription);
        }
    }
    bus->has_ended = false;
}

void event_unsubscribe(struct event_subscription *subscription)
{
    if (subscription == NULL)
        return;
    struct event_bus *bus = subscription->bus;
    subscription->handler = NULL;
    bus->has_ended = true;
    if (bus->depth == 0)
        free_ended(bus);
    recompute_wanted(bus);
}

bool event_is_wanted(const struct event_bus *bus, enum event_type type)
{
    return (bus->wanted >> type & 1) != 0;
}

void event_watch_interest(struct event_bus *bus, void (*handler)(void *context), void *context)
{
    bus->on_interest = handler;
    bus->on_interest_context = context;
}

void event_publish(struct event_bus *bus, struct event_occurrence *occurrence)
{
    struct event_subscription *subscription;

    if (!event_is_wanted(bus, occurrence->type))
        return;
    occurrence->wall_us = clock_wall_us();
    occurrence->monotonic_us = clock_monotonic_us();
    const uint64_t publication = bus->publications++;
    bus->depth++;
    DL_FOREACH (bus->subscriptions, subscription)
        if (subscription->handler != NULL && (subscription->types >> occurrence->type & 1) != 0 &&
            subscription->since <= publication)
            subscription->handler(subscription->context, occurrence);
    bus->depth--;
    if (bus->depth == 0 && bus->has_ended)
        free_ended(bus);
}
