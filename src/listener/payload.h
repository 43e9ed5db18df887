/*
 * An occurrence as event listeners read it (manual 1.7.2). It is made once, whoever many pools take it, and counted by
 * references. (It stands here and not in event/, because it needs the names of processes.)
 */
#ifndef LISTENER_PAYLOAD_H
#define LISTENER_PAYLOAD_H

#include <stdint.h>

#include "base/handover.h"
#include "event/event.h"

struct payload {
    unsigned references;
    enum event_type type;
    uint64_t serial; /* of the event, counted over all pools */
    size_t length;
    char bytes[];
};

/* With one reference, the caller's. */
struct payload *payload_new(const struct event_occurrence *occurrence, uint64_t serial);
struct payload *payload_ref(struct payload *payload);
void payload_unref(struct payload *payload); /* NULL is fine */

/*
 * NULL: none. One that is taken has one reference, the caller's, and is NULL when this program knows no such event.
 * What several pools have becomes one for each.
 */
void payload_hand_over(struct payload **payload, struct handover *handover);

#endif
