/*
 * One pool of event listeners: the processes of an [eventlistener:x], the events that wait for them, and who of them is
 * doing what (manual 1.7.1). An event goes to the first listener that is RUNNING and READY, at once; else it waits. One
 * that was rejected, or whose listener ended or broke the protocol, is the next to be sent, under the same serials.
 */
#ifndef LISTENER_POOL_H
#define LISTENER_POOL_H

#include <stdbool.h>

#include "listener/payload.h"
#include "process/group.h"

struct pool;

/* The group must be one of listeners and outlive the pool. */
struct pool *pool_new(struct process_group *group);
void pool_free(struct pool *pool);

const struct process_group *pool_group(const struct pool *pool);
event_mask_t pool_types(const struct pool *pool); /* what it has subscribed to, abstract types resolved */

/* Takes an event of one of its types; keeps a reference of its own. */
void pool_accept(struct pool *pool, struct payload *payload);

/* To be called when one of the group's processes has changed its state. */
void pool_note_state(struct process *process);

/*
 * Whether there are events that the pool has not dealt with, and a listener that may yet do so. When that ends during a
 * shutdown, the supervisor is told (supervisor_continue_stop()).
 */
bool pool_is_occupied(const struct pool *pool);

/* The events that wait, and what each listener is doing. */
void pool_hand_over(struct pool *pool, struct handover *handover);

#endif
