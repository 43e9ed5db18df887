/* The events that wait in a pool: a ring of payloads, first in, first out. */
#ifndef LISTENER_QUEUE_H
#define LISTENER_QUEUE_H

#include "listener/payload.h"

/* An event as one pool counts it. */
struct queued {
    struct payload *payload; /* one reference; NULL: none */
    uint64_t pool_serial;
};

void queued_hand_over(struct queued *event, struct handover *handover);

/* All zero is an empty one. It holds as many as it is given: the limit is the pool's business. */
struct queue {
    struct queued *ring; /* owned */
    size_t capacity;     /* a power of two, or 0 */
    size_t head;
    size_t count;
};

void queue_append(struct queue *queue, struct queued event);   /* the reference becomes the queue's */
void queue_put_back(struct queue *queue, struct queued event); /* to be the next; likewise */
struct queued queue_take(struct queue *queue);                 /* the next, and its reference; there must be one */
void queue_hand_over(struct queue *queue, struct handover *handover);
void queue_release(struct queue *queue); /* drops all events, and leaves the queue empty */

#endif
