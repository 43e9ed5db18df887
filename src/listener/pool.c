#include "listener/pool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/log.h"
#include "listener/protocol.h"
#include "listener/queue.h"
#include "process/input.h"
#include "process/supervisor.h"

struct listener {
    struct pool *pool;
    struct process *process; /* borrowed from the group */
    struct protocol protocol;
    struct queued in_flight; /* sent, and not answered yet */
};

struct pool {
    struct process_group *group; /* borrowed */
    event_mask_t types;
    uint64_t next_serial;
    struct queue queue;
    UT_string header; /* of the event being sent */
    size_t count;
    struct listener listeners[]; /* in the order of the configuration */
};

static const char *name_of(const struct pool *pool)
{
    return pool->group->config->name;
}

/* --- the queue: never longer than buffer_size --------------------------------------------------------------------- */

static void make_room(struct pool *pool)
{
    if (pool->queue.count < (size_t)pool->group->config->listener.buffer_size)
        return;
    const struct queued oldest = queue_take(&pool->queue);
    log_error("pool %s event buffer overflowed, discarding event %" PRIu64, name_of(pool), oldest.payload->serial);
    payload_unref(oldest.payload);
}

static void put_back(struct pool *pool, struct queued event)
{
    log_debug("rebuffering event %" PRIu64 " for pool %s (buf size=%zu, max=%d)", event.payload->serial, name_of(pool),
              pool->queue.count, pool->group->config->listener.buffer_size);
    make_room(pool);
    queue_put_back(&pool->queue, event);
}

/* The listener will not answer: its event is for the next who is ready. */
static void take_back(struct listener *listener)
{
    const struct queued event = listener->in_flight;

    listener->in_flight.payload = NULL;
    if (event.payload != NULL)
        put_back(listener->pool, event);
}

/* --- states ------------------------------------------------------------------------------------------------------- */

static void log_move(const struct listener *listener, enum protocol_state from)
{
    log_debug("%s: %s -> %s", listener->process->config->name, protocol_state_name(from),
              protocol_state_name(listener->protocol.state));
}

static void log_unknown(const struct listener *listener, enum protocol_state from)
{
    log_move(listener, from);
    log_warn("%s: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process "
             "violated the eventlistener protocol",
             listener->process->config->name);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static bool is_available(const struct listener *listener)
{
    const struct process *process = listener->process;

    return listener->protocol.state == PROTOCOL_READY && process->state == PROCESS_RUNNING && process->stdin_fd >= 0;
}

static struct listener *find_available(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        if (is_available(&pool->listeners[i]))
            return &pool->listeners[i];
    return NULL;
}

/* Every byte begins a character but those that go on with one. */
static size_t count_characters(const char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}

static size_t payload_len(const struct pool *pool, const struct payload *payload)
{
    if (!pool->group->config->listener.len_in_characters)
        return payload->length;
    return count_characters(payload->bytes, payload->length);
}

static void write_header(struct pool *pool, const struct queued *event)
{
    utstring_clear(&pool->header);
    utstring_printf(&pool->header,
                    "ver:3.0 server:%s serial:%" PRIu64 " pool:%s poolserial:%" PRIu64 " eventname:%s len:%zu\n",
                    pool->group->supervisor->identifier, event->payload->serial, name_of(pool), event->pool_serial,
                    event_type_name(event->payload->type), payload_len(pool, event->payload));
}

/* A listener that cannot be written to is not tried again: its stdin is closed, or it answers without reading. */
static void note_refusal(struct listener *listener, const struct queued *event, const struct error *err)
{
    const char *name = listener->process->config->name;

    if (listener->process->stdin_fd < 0) {
        log_debug("epipe occurred while sending event %" PRIu64 " to listener %s, listener state unchanged",
                  event->payload->serial, name);
    } else {
        log_warn("%s: %s", name, err->text);
        protocol_give_up(&listener->protocol);
        log_unknown(listener, PROTOCOL_READY);
    }
    put_back(listener->pool, *event);
}

static void send_event(struct listener *listener, struct queued event)
{
    struct pool *pool = listener->pool;
    struct error err;

    write_header(pool, &event);
    const struct iovec parts[] = {
        {.iov_base = utstring_body(&pool->header), .iov_len = utstring_len(&pool->header)},
        {.iov_base = event.payload->bytes, .iov_len = event.payload->length},
    };
    if (input_write(listener->process, parts, sizeof parts / sizeof parts[0], &err) < 0) {
        note_refusal(listener, &event, &err);
        return;
    }
    protocol_sent(&listener->protocol);
    listener->in_flight = event;
    log_debug("event %" PRIu64 " sent to listener %s", event.payload->serial, listener->process->config->name);
}

/* Sends what waits, as long as somebody takes it. */
static void dispatch(struct pool *pool)
{
    struct listener *listener;

    while (pool->queue.count > 0 && (listener = find_available(pool)) != NULL)
        send_event(listener, queue_take(&pool->queue));
    if (pool->group->supervisor->stopping != NULL && !pool_is_occupied(pool))
        supervisor_continue_stop(pool->group->supervisor);
}

void pool_accept(struct pool *pool, struct payload *payload)
{
    make_room(pool);
    queue_append(&pool->queue, (struct queued){payload_ref(payload), pool->next_serial++});
    dispatch(pool);
}

/* --- what listeners say ------------------------------------------------------------------------------------------- */

static void note_result(struct listener *listener, bool is_ok)
{
    if (is_ok)
        log_debug("%s: event was processed", listener->process->config->name);
    else
        log_warn("%s: event was rejected", listener->process->config->name);
    log_move(listener, PROTOCOL_BUSY);
    if (!is_ok)
        take_back(listener);
    payload_unref(listener->in_flight.payload);
    listener->in_flight.payload = NULL;
}

static void note_garbage(struct listener *listener, enum protocol_state from)
{
    if (from == PROTOCOL_BUSY)
        log_warn("%s: bad result line: '%s'", listener->process->config->name, listener->protocol.line);
    log_unknown(listener, from);
    take_back(listener);
}

static void note_outcome(struct listener *listener, enum protocol_state from, enum protocol_outcome outcome)
{
    switch (outcome) {
    case PROTOCOL_SAYS_NOTHING:
        break;
    case PROTOCOL_SAYS_READY:
        log_move(listener, from);
        break;
    case PROTOCOL_SAYS_OK:
    case PROTOCOL_SAYS_FAIL:
        note_result(listener, outcome == PROTOCOL_SAYS_OK);
        break;
    case PROTOCOL_SAYS_GARBAGE:
        note_garbage(listener, from);
        break;
    }
}

/* Nothing is sent before all is read: what comes after a READY in one piece was said without having been asked. */
static void on_output(void *context, struct process *process, const char *bytes, size_t length)
{
    struct listener *listener = context;

    (void)process;
    while (length > 0) {
        const enum protocol_state from = listener->protocol.state;
        size_t used;
        const enum protocol_outcome outcome = protocol_read(&listener->protocol, bytes, length, &used);
        note_outcome(listener, from, outcome);
        bytes += used;
        length -= used;
    }
    dispatch(listener->pool);
}

void pool_note_state(struct process *process)
{
    struct listener *listener = process->on_output_context;

    if (process->pid == 0 || process->state == PROCESS_STARTING) { /* the child that spoke is gone */
        take_back(listener);
        listener->protocol = (struct protocol){.state = PROTOCOL_ACKNOWLEDGED};
    }
    dispatch(listener->pool);
}

/* --- the pool ----------------------------------------------------------------------------------------------------- */

static event_mask_t types_of(const struct config_group *config)
{
    event_mask_t types = 0;

    for (size_t i = 0; i < config->listener.event_count; i++)
        types |= event_mask((enum event_type)event_type_by_name(config->listener.events[i]));
    return types;
}

struct pool *pool_new(struct process_group *group)
{
    struct pool *pool = xcalloc(1, sizeof *pool + group->config->process_count * sizeof pool->listeners[0]);

    pool->group = group;
    pool->types = types_of(group->config);
    utstring_init(&pool->header);
    for (struct process *process = group->processes; process != NULL; process = process->by_name.next) {
        struct listener *listener = &pool->listeners[pool->count++];
        listener->pool = pool;
        listener->process = process;
        process_listen(process, on_output, listener);
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        process_listen(pool->listeners[i].process, NULL, NULL);
        payload_unref(pool->listeners[i].in_flight.payload);
    }
    queue_release(&pool->queue);
    utstring_done(&pool->header);
    free(pool);
}

const struct process_group *pool_group(const struct pool *pool)
{
    return pool->group;
}

event_mask_t pool_types(const struct pool *pool)
{
    return pool->types;
}

static bool may_take(const struct listener *listener)
{
    return listener->process->state == PROCESS_RUNNING && listener->protocol.state != PROTOCOL_UNKNOWN &&
           listener->process->stdin_fd >= 0;
}

bool pool_is_occupied(const struct pool *pool)
{
    bool is_waiting = pool->queue.count > 0;
    bool has_listener = false;

    for (size_t i = 0; i < pool->count; i++) {
        is_waiting |= pool->listeners[i].in_flight.payload != NULL;
        has_listener |= may_take(&pool->listeners[i]);
    }
    return is_waiting && has_listener;
}

void pool_hand_over(struct pool *pool, struct handover *handover)
{
    pool->next_serial = (uint64_t)handover_integer(handover, "next_serial", (int64_t)pool->next_serial);
    queue_hand_over(&pool->queue, handover);
    (void)handover_open_list(handover, "listeners", pool->count);
    for (size_t i = 0; i < pool->count; i++) {
        handover_open_next(handover);
        protocol_hand_over(&pool->listeners[i].protocol, handover);
        queued_hand_over(&pool->listeners[i].in_flight, handover);
        handover_close(handover);
    }
    handover_close(handover);
}
