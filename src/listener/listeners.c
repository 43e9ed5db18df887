#include "listener/listeners.h"

#include <stdlib.h>
#include <string.h>

#include "listener/pool.h"

/* A pool among others. */
struct entry {
    struct pool *pool;
    struct entry *prev, *next;
};

struct listeners {
    struct supervisor *supervisor;
    struct event_subscription *subscription;
    struct entry *pools;        /* in the order in which their groups were added */
    event_mask_t state_changes; /* of processes */
};

/* No two events of one process have the same serial (manual 1.7.1), also when the daemon has begun anew meanwhile. */
static uint64_t next_serial;

static bool is_of_listeners(const struct process_group *group)
{
    return group->config->kind == CONFIG_GROUP_LISTENER;
}

/* --- as groups come and go ---------------------------------------------------------------------------------------- */

static event_mask_t own_interest(void)
{
    return event_mask(EVENT_TYPE_PROCESS_GROUP);
}

/* What the pools want, and what we must know to run them. */
static void subscribe_again(struct listeners *listeners)
{
    const struct entry *entry;
    event_mask_t types = own_interest();

    if (listeners->pools != NULL)
        types |= listeners->state_changes;
    DL_FOREACH (listeners->pools, entry)
        types |= pool_types(entry->pool);
    event_subscription_change(listeners->subscription, types);
}

static struct entry *find_entry(const struct listeners *listeners, const char *group)
{
    struct entry *entry;

    DL_FOREACH (listeners->pools, entry)
        if (strcmp(pool_group(entry->pool)->config->name, group) == 0)
            return entry;
    return NULL;
}

static void add_pool(struct listeners *listeners, struct process_group *group)
{
    if (group == NULL || !is_of_listeners(group))
        return;
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->pool = pool_new(group);
    DL_APPEND(listeners->pools, entry);
    subscribe_again(listeners);
}

static void free_entry(struct listeners *listeners, struct entry *entry)
{
    DL_DELETE(listeners->pools, entry);
    pool_free(entry->pool);
    free(entry);
}

static void remove_pool(struct listeners *listeners, const char *name)
{
    struct entry *entry = find_entry(listeners, name);

    if (entry == NULL)
        return;
    free_entry(listeners, entry);
    subscribe_again(listeners);
}

/* --- from the bus ------------------------------------------------------------------------------------------------- */

static void distribute(struct listeners *listeners, const struct event_occurrence *occurrence)
{
    struct payload *payload = NULL;
    const struct entry *entry;

    DL_FOREACH (listeners->pools, entry) {
        if ((pool_types(entry->pool) >> occurrence->type & 1) == 0)
            continue;
        if (payload == NULL)
            payload = payload_new(occurrence, next_serial++);
        pool_accept(entry->pool, payload);
    }
    payload_unref(payload);
}

static bool is_state_of_listener(const struct listeners *listeners, const struct event_occurrence *occurrence)
{
    return (listeners->state_changes >> occurrence->type & 1) != 0 && is_of_listeners(occurrence->state.process->group);
}

/* A pool hears of its own making, and not of its end. */
static void on_event(void *context, const struct event_occurrence *occurrence)
{
    struct listeners *listeners = context;

    if (occurrence->type == EVENT_TYPE_PROCESS_GROUP_ADDED)
        add_pool(listeners, supervisor_find_group(listeners->supervisor, occurrence->group.group));
    else if (occurrence->type == EVENT_TYPE_PROCESS_GROUP_REMOVED)
        remove_pool(listeners, occurrence->group.group);
    distribute(listeners, occurrence);
    if (is_state_of_listener(listeners, occurrence))
        pool_note_state(occurrence->state.process);
}

/* --- at a shutdown ------------------------------------------------------------------------------------------------ */

static bool is_occupied(void *context, const struct process_group *group)
{
    const struct listeners *listeners = context;
    const struct entry *entry = is_of_listeners(group) ? find_entry(listeners, group->config->name) : NULL;

    return entry != NULL && pool_is_occupied(entry->pool);
}

struct listeners *listeners_new(struct supervisor *supervisor)
{
    struct listeners *listeners = xcalloc(1, sizeof *listeners);

    listeners->supervisor = supervisor;
    listeners->state_changes = event_mask(EVENT_TYPE_PROCESS_STATE);
    listeners->subscription = event_subscribe(supervisor->bus, own_interest(), on_event, listeners);
    supervisor->is_occupied = is_occupied;
    supervisor->is_occupied_context = listeners;
    return listeners;
}

void listeners_free(struct listeners *listeners)
{
    if (listeners == NULL)
        return;
    listeners->supervisor->is_occupied = NULL;
    event_unsubscribe(listeners->subscription);
    while (listeners->pools != NULL)
        free_entry(listeners, listeners->pools);
    free(listeners);
}

/* --- to the next program ------------------------------------------------------------------------------------------ */

void listeners_hand_over(struct listeners *listeners, struct handover *handover)
{
    const struct entry *entry;

    if (handover_is_taking(handover))
        for (struct process_group *group = listeners->supervisor->groups; group != NULL; group = group->by_name.next)
            add_pool(listeners, group);
    next_serial = (uint64_t)handover_integer(handover, "next_serial", (int64_t)next_serial);
    (void)handover_open_list(handover, "pools", 0);
    DL_FOREACH (listeners->pools, entry) {
        handover_open_next(handover);
        pool_hand_over(entry->pool, handover);
        handover_close(handover);
    }
    handover_close(handover);
}
