#include "listener/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { CAPACITY_MIN = 16 };

static struct queued *slot(const struct queue *queue, size_t place)
{
    return &queue->ring[(queue->head + place) & (queue->capacity - 1)];
}

/* Makes room for one more, with the events in order from the start of the new ring. */
static void make_room(struct queue *queue)
{
    if (queue->count < queue->capacity)
        return;
    const size_t capacity = queue->capacity > 0 ? 2 * queue->capacity : CAPACITY_MIN;
    struct queued *ring = xreallocarray(NULL, capacity, sizeof *ring);
    for (size_t i = 0; i < queue->count; i++)
        ring[i] = *slot(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->head = 0;
}

void queue_append(struct queue *queue, struct queued event)
{
    make_room(queue);
    *slot(queue, queue->count++) = event;
}

void queue_put_back(struct queue *queue, struct queued event)
{
    make_room(queue);
    queue->head = (queue->head - 1) & (queue->capacity - 1);
    queue->count++;
    *slot(queue, 0) = event;
}

struct queued queue_take(struct queue *queue)
{
    const struct queued event = *slot(queue, 0);

    queue->head = (queue->head + 1) & (queue->capacity - 1);
    if (--queue->count == 0 && queue->capacity > CAPACITY_MIN)
        queue_release(queue); /* what a burst needed is given back */
    return event;
}

void queue_release(struct queue *queue)
{
    while (queue->count > 0)
        payload_unref(slot(queue, --queue->count)->payload);
    free(queue->ring);
    *queue = (struct queue){.ring = NULL};
}

void queued_hand_over(struct queued *event, struct handover *handover)
{
    payload_hand_over(&event->payload, handover);
    event->pool_serial = (uint64_t)handover_integer(handover, "pool_serial", (int64_t)event->pool_serial);
}

static void take_one(struct queue *queue, struct handover *handover)
{
    struct queued event = {.payload = NULL};

    queued_hand_over(&event, handover);
    if (event.payload != NULL)
        queue_append(queue, event);
}

void queue_hand_over(struct queue *queue, struct handover *handover)
{
    const size_t count = handover_open_list(handover, "queue", queue->count);

    for (size_t i = 0; i < count; i++) {
        handover_open_next(handover);
        if (handover_is_taking(handover))
            take_one(queue, handover);
        else
            queued_hand_over(slot(queue, i), handover);
        handover_close(handover);
    }
    handover_close(handover);
}
