/*
 * Events and timers of libevent. It refuses them for want of memory only, which ends the program (base/memory.h), so
 * that no caller has to pretend it could go on without.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <event2/event.h>
#include <stdint.h>

/* Owned by the caller, not pending yet. To free with event_free(). */
struct event *loop_event_new(struct event_base *loop, int fd, short what, event_callback_fn callback, void *context);
struct event *loop_timer_new(struct event_base *loop, event_callback_fn callback, void *context);

/* Fires once, `after_us` microseconds from now; a timer that is pending is set anew. */
void loop_timer_arm(struct event *timer, int64_t after_us);

/* Fires when the loop comes round, after what is ready now. */
void loop_timer_arm_next_turn(struct event *timer);

#endif
