#include "base/loop.h"

#include "base/memory.h"

struct event *loop_event_new(struct event_base *loop, int fd, short what, event_callback_fn callback, void *context)
{
    struct event *event = event_new(loop, fd, what, callback, context);

    if (event == NULL)
        memory_exhausted();
    return event;
}

struct event *loop_timer_new(struct event_base *loop, event_callback_fn callback, void *context)
{
    return loop_event_new(loop, -1, 0, callback, context);
}

void loop_timer_arm(struct event *timer, int64_t after_us)
{
    const struct timeval after = {.tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000};

    if (evtimer_add(timer, &after) < 0)
        memory_exhausted();
}

void loop_timer_arm_next_turn(struct event *timer)
{
    loop_timer_arm(timer, 0);
}
