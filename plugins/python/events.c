/* Events, for the host. */
#include "host.h"
#include "value.h"

static json_t *describe_process(const struct plugin_event *event)
{
    return json_pack("{s:s?, s:s?, s:i, s:s, s:i, s:b}", "group", event->group, "process", event->process, "pid",
                     (int)event->pid, "from", process_state_name(event->from), "tries", event->tries, "expected",
                     (int)event->is_expected);
}

/* The members that a type does not have are there as well, and mean nothing. */
static json_t *describe(const struct plugin_event *event)
{
    json_t *message = describe_process(event);

    json_object_set_new(message, "op", json_string("event"));
    json_object_set_new(message, "type", json_string(event_type_name(event->type)));
    json_object_set_new(message, "when", json_integer(event->tick));
    if (event->remote_type != NULL)
        json_object_set_new(message, "remote_type", json_string(event->remote_type));
    if (event->bytes != NULL)
        json_object_set_new(message, "data", value_bytes_to_json(event->bytes, event->length));
    return message;
}

static void on_event(void *context, const struct plugin_event *event)
{
    json_t *message = describe(event);

    if (message != NULL) /* else a name is no text */
        host_send(context, message);
}

int events_subscribe(struct host *host, const json_t *message, struct error *err)
{
    const json_t *names = json_object_get(message, "types");
    event_mask_t types = 0;

    if (!json_is_array(names))
        return error_set(err, "it subscribes to what are no events");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const int type = name != NULL ? event_type_by_name(name) : -1;
        if (type >= 0)
            types |= event_mask((enum event_type)type);
    }
    plugin_unsubscribe(host->subscription);
    host->subscription = types != 0 ? plugin_subscribe(host->plugin, types, on_event, host) : NULL;
    return 0;
}
