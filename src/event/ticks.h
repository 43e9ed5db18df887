/*
 * TICK_5, TICK_60 and TICK_3600 (manual 1.7.2): whenever the wall clock passes a multiple of the period, for those that
 * somebody wants. While nobody wants any there is no timer. When the clock is set, what lies between is not made up
 * for.
 */
#ifndef EVENT_TICKS_H
#define EVENT_TICKS_H

#include <event2/event.h>

#include "base/error.h"
#include "base/handover.h"
#include "event/event.h"

struct ticks;

struct ticks *ticks_new(struct event_base *loop, struct event_bus *bus, struct error *err); /* NULL with *err */
void ticks_free(struct ticks *ticks);                                                       /* NULL is fine */

/* It is `now` in seconds since 1970: publishes what has become due since the last call. For the timer, and for tests.
 */
void ticks_advance(struct ticks *ticks, int64_t now);

/* Which ticks have been published, so that one which falls between two programs is not lost. After the listeners. */
void ticks_hand_over(struct ticks *ticks, struct handover *handover);

#endif
