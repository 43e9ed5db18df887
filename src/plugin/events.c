/* The bus, as plugins see it. */
#include <stdlib.h>
#include <string.h>

#include "listener/payload.h"
#include "plugin/internal.h"
#include "process/group.h"

struct plugin_subscription {
    struct plugin *plugin;
    struct event_subscription *subscription; /* owned */
    plugin_event_handler *handler;
    void *context;
    struct plugin_subscription *prev, *next;
};

static bool is_one_of(enum event_type type, enum event_type kind)
{
    return (event_mask(type) & event_mask(kind)) != 0;
}

static void name_process(struct plugin_event *event, const struct process *process)
{
    event->group = process->group->config->name;
    event->process = process->config->name;
}

static void describe_state(struct plugin_event *event, const struct event_occurrence *occurrence)
{
    name_process(event, occurrence->state.process);
    event->pid = occurrence->state.pid;
    event->from = (enum process_state)occurrence->state.from;
    event->tries = occurrence->state.tries;
    event->is_expected = occurrence->state.expected;
}

static void describe_group(struct plugin_event *event, const struct event_occurrence *occurrence)
{
    event->group = occurrence->group.group;
}

static void describe_output(struct plugin_event *event, const struct event_occurrence *occurrence)
{
    name_process(event, occurrence->output.process);
    event->pid = occurrence->output.pid;
    event->bytes = occurrence->output.bytes;
    event->length = occurrence->output.length;
}

static void describe_remote(struct plugin_event *event, const struct event_occurrence *occurrence)
{
    event->remote_type = occurrence->remote.type;
    event->bytes = occurrence->remote.data;
    event->length = occurrence->remote.length;
}

static void describe_tick(struct plugin_event *event, const struct event_occurrence *occurrence)
{
    event->tick = occurrence->tick.when;
}

/* Which member of an occurrence each kind of event has. */
static const struct {
    enum event_type kind;
    void (*describe)(struct plugin_event *event, const struct event_occurrence *occurrence);
} kinds[] = {
    {EVENT_TYPE_PROCESS_STATE, describe_state},         {EVENT_TYPE_PROCESS_ADDED, describe_state},
    {EVENT_TYPE_PROCESS_REMOVED, describe_state},       {EVENT_TYPE_PROCESS_GROUP, describe_group},
    {EVENT_TYPE_PROCESS_LOG, describe_output},          {EVENT_TYPE_PROCESS_COMMUNICATION, describe_output},
    {EVENT_TYPE_REMOTE_COMMUNICATION, describe_remote}, {EVENT_TYPE_TICK, describe_tick},
};

static void on_event(void *context, const struct event_occurrence *occurrence)
{
    const struct plugin_subscription *subscription = context;
    struct plugin_event event = {
        .type = occurrence->type,
        .wall_us = occurrence->wall_us,
        .monotonic_us = occurrence->monotonic_us,
        .occurrence = occurrence,
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (is_one_of(occurrence->type, kinds[i].kind))
            kinds[i].describe(&event, occurrence);
    subscription->handler(subscription->context, &event);
}

struct plugin_subscription *plugin_subscribe(struct plugin *plugin, event_mask_t types, plugin_event_handler *handler,
                                             void *context)
{
    struct plugin_subscription *subscription = xcalloc(1, sizeof *subscription);

    *subscription = (struct plugin_subscription){.plugin = plugin, .handler = handler, .context = context};
    subscription->subscription = event_subscribe(plugin->host->supervisor->bus, types, on_event, subscription);
    DL_APPEND(plugin->subscriptions, subscription);
    return subscription;
}

void plugin_unsubscribe(struct plugin_subscription *subscription)
{
    if (subscription == NULL)
        return;
    DL_DELETE(subscription->plugin->subscriptions, subscription);
    event_unsubscribe(subscription->subscription);
    free(subscription);
}

void plugin_release_subscriptions(struct plugin *plugin)
{
    struct plugin_subscription *subscription;
    struct plugin_subscription *next;

    DL_FOREACH_SAFE (plugin->subscriptions, subscription, next)
        plugin_unsubscribe(subscription);
}

char *plugin_event_payload(const struct plugin_event *event, size_t *length)
{
    struct payload *payload = payload_new(event->occurrence, 0);
    char *text = xstrndup(payload->bytes, payload->length);

    *length = payload->length;
    payload_unref(payload);
    return text;
}
