#include "listener/payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "process/group.h"

enum { PIECES_MAX = 12, NUMBER_SIZE = 24 };

/* A text that is put together from borrowed pieces, so that it is copied once. */
struct pieces {
    struct {
        const char *bytes;
        size_t length;
    } list[PIECES_MAX];
    size_t count;
    size_t length; /* of all */
    char numbers[2][NUMBER_SIZE];
    size_t number_count;
};

static void add_bytes(struct pieces *pieces, const char *bytes, size_t length)
{
    pieces->list[pieces->count].bytes = bytes;
    pieces->list[pieces->count++].length = length;
    pieces->length += length;
}

static void add_text(struct pieces *pieces, const char *text)
{
    add_bytes(pieces, text, strlen(text));
}

static void add_number(struct pieces *pieces, const char *key, int64_t number)
{
    char *text = pieces->numbers[pieces->number_count++];
    const int length = snprintf(text, NUMBER_SIZE, "%" PRId64, number);

    add_text(pieces, key);
    add_bytes(pieces, text, (size_t)length);
}

static void add_process(struct pieces *pieces, const struct process *process)
{
    add_text(pieces, "processname:");
    add_text(pieces, process->config->name);
    add_text(pieces, " groupname:");
    add_text(pieces, process->group->config->name);
}

static void add_state(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_process(pieces, occurrence->state.process);
    add_text(pieces, " from_state:");
    add_text(pieces, process_state_name(occurrence->state.from));
}

static void add_state_with_tries(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_state(pieces, occurrence);
    add_number(pieces, " tries:", occurrence->state.tries);
}

static void add_state_with_pid(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_state(pieces, occurrence);
    add_number(pieces, " pid:", occurrence->state.pid);
}

static void add_exit(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_state(pieces, occurrence);
    add_text(pieces, occurrence->state.expected ? " expected:1" : " expected:0");
    add_number(pieces, " pid:", occurrence->state.pid);
}

static void add_member(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_process(pieces, occurrence->state.process);
}

static void add_group(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_text(pieces, "groupname:");
    add_text(pieces, occurrence->group.group);
    add_text(pieces, "\n");
}

static void add_output(struct pieces *pieces, const struct event_occurrence *occurrence, const char *channel)
{
    add_process(pieces, occurrence->output.process);
    add_number(pieces, " pid:", occurrence->output.pid);
    add_text(pieces, channel);
    add_bytes(pieces, occurrence->output.bytes, occurrence->output.length);
}

static void add_stdout(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_output(pieces, occurrence, " channel:stdout\n");
}

static void add_stderr(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_output(pieces, occurrence, " channel:stderr\n");
}

static void add_communication(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_output(pieces, occurrence, "\n");
}

static void add_remote(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_text(pieces, "type:");
    add_text(pieces, occurrence->remote.type);
    add_text(pieces, "\n");
    add_bytes(pieces, occurrence->remote.data, occurrence->remote.length);
}

static void add_tick(struct pieces *pieces, const struct event_occurrence *occurrence)
{
    add_number(pieces, "when:", occurrence->tick.when);
}

/* NULL: nothing but the name is told. */
static void (*const bodies[EVENT_TYPE_COUNT])(struct pieces *pieces, const struct event_occurrence *occurrence) = {
    [EVENT_TYPE_PROCESS_STATE_STARTING] = add_state_with_tries,
    [EVENT_TYPE_PROCESS_STATE_BACKOFF] = add_state_with_tries,
    [EVENT_TYPE_PROCESS_STATE_RUNNING] = add_state_with_pid,
    [EVENT_TYPE_PROCESS_STATE_STOPPING] = add_state_with_pid,
    [EVENT_TYPE_PROCESS_STATE_STOPPED] = add_state_with_pid,
    [EVENT_TYPE_PROCESS_STATE_EXITED] = add_exit,
    [EVENT_TYPE_PROCESS_STATE_FATAL] = add_state,
    [EVENT_TYPE_PROCESS_STATE_UNKNOWN] = add_state,
    [EVENT_TYPE_PROCESS_ADDED] = add_member,
    [EVENT_TYPE_PROCESS_REMOVED] = add_member,
    [EVENT_TYPE_PROCESS_GROUP_ADDED] = add_group,
    [EVENT_TYPE_PROCESS_GROUP_REMOVED] = add_group,
    [EVENT_TYPE_PROCESS_LOG_STDOUT] = add_stdout,
    [EVENT_TYPE_PROCESS_LOG_STDERR] = add_stderr,
    [EVENT_TYPE_PROCESS_COMMUNICATION_STDOUT] = add_communication,
    [EVENT_TYPE_PROCESS_COMMUNICATION_STDERR] = add_communication,
    [EVENT_TYPE_REMOTE_COMMUNICATION] = add_remote,
    [EVENT_TYPE_TICK_5] = add_tick,
    [EVENT_TYPE_TICK_60] = add_tick,
    [EVENT_TYPE_TICK_3600] = add_tick,
};

static struct payload *allocate(enum event_type type, uint64_t serial, size_t length)
{
    struct payload *payload = xmalloc(sizeof *payload + length);

    payload->references = 1;
    payload->type = type;
    payload->serial = serial;
    payload->length = length;
    return payload;
}

struct payload *payload_new(const struct event_occurrence *occurrence, uint64_t serial)
{
    struct pieces pieces = {.count = 0};

    if (bodies[occurrence->type] != NULL)
        bodies[occurrence->type](&pieces, occurrence);
    struct payload *payload = allocate(occurrence->type, serial, pieces.length);
    char *end = payload->bytes;
    for (size_t i = 0; i < pieces.count; i++) {
        memcpy(end, pieces.list[i].bytes, pieces.list[i].length);
        end += pieces.list[i].length;
    }
    return payload;
}

struct payload *payload_ref(struct payload *payload)
{
    payload->references++;
    return payload;
}

void payload_unref(struct payload *payload)
{
    if (payload != NULL && --payload->references == 0)
        free(payload);
}

/* --- to the next program: types by name, as it may know more of them or fewer ------------------------------------- */

static void give(const struct payload *payload, struct handover *handover, struct evbuffer *bytes)
{
    CLEANUP_FREE char *type = xstrdup(event_type_name(payload->type));

    handover_text(handover, "type", &type);
    handover_integer(handover, "serial", (int64_t)payload->serial);
    if (evbuffer_add(bytes, payload->bytes, payload->length) < 0)
        memory_exhausted();
    handover_buffer(handover, "bytes", bytes);
}

static struct payload *take(struct handover *handover, struct evbuffer *bytes)
{
    CLEANUP_FREE char *name = NULL;

    handover_text(handover, "type", &name);
    const int type = name != NULL ? event_type_by_name(name) : -1;
    if (type < 0)
        return NULL;
    handover_buffer(handover, "bytes", bytes);
    const size_t length = evbuffer_get_length(bytes);
    struct payload *payload =
        allocate((enum event_type)type, (uint64_t)handover_integer(handover, "serial", 0), length);
    (void)evbuffer_remove(bytes, payload->bytes, length);
    return payload;
}

void payload_hand_over(struct payload **payload, struct handover *handover)
{
    struct evbuffer *bytes = evbuffer_new();

    if (bytes == NULL)
        memory_exhausted();
    if (handover_is_taking(handover))
        *payload = take(handover, bytes);
    else if (*payload != NULL)
        give(*payload, handover, bytes);
    evbuffer_free(bytes);
}
