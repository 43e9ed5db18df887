#include "event/ticks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/memory.h"

/* type, seconds; the shortest first */
static const struct {
    enum event_type type;
    int64_t seconds;
} periods[] = {{EVENT_TYPE_TICK_5, 5}, {EVENT_TYPE_TICK_60, 60}, {EVENT_TYPE_TICK_3600, 3600}};

enum { PERIOD_COUNT = sizeof periods / sizeof periods[0] };

struct ticks {
    struct event_bus *bus;
    int timer; /* a timerfd: it is of the wall clock, and says when that is set */
    struct event *event;
    int64_t last[PERIOD_COUNT]; /* the multiple that was passed last; 0: nobody wants this one */
};

static int64_t multiple(int64_t now, int64_t period)
{
    return now - now % period;
}

static int64_t wall_seconds(void)
{
    return clock_wall_us() / 1000000;
}

/* Every wanted period is a multiple of the shortest. Without a wanted one the timer is disarmed. */
static void arm(const struct ticks *ticks)
{
    struct itimerspec when = {.it_value = {0}};

    for (size_t i = 0; i < PERIOD_COUNT && when.it_value.tv_sec == 0; i++)
        if (ticks->last[i] != 0)
            when.it_value.tv_sec = ticks->last[i] + periods[i].seconds;
    (void)timerfd_settime(ticks->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL);
}

void ticks_advance(struct ticks *ticks, int64_t now)
{
    for (size_t i = 0; i < PERIOD_COUNT; i++) {
        const int64_t passed = multiple(now, periods[i].seconds);
        if (ticks->last[i] == 0 || ticks->last[i] == passed)
            continue;
        ticks->last[i] = passed;
        struct event_occurrence occurrence = {.type = periods[i].type, .tick = {.when = passed}};
        event_publish(ticks->bus, &occurrence);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct ticks *ticks = context;
    uint64_t expirations;

    (void)what;
    if (read(fd, &expirations, sizeof expirations) < 0 && errno != ECANCELED) /* ECANCELED: the clock was set */
        return;
    const int64_t now = wall_seconds(); /* a multiple that passes from here on makes the timer fire at once */
    ticks_advance(ticks, now);
    arm(ticks);
}

/* The first tick of a period that comes to be wanted is at its next multiple. */
static void on_interest(void *context)
{
    struct ticks *ticks = context;
    const int64_t now = wall_seconds();

    for (size_t i = 0; i < PERIOD_COUNT; i++) {
        const bool is_wanted = event_is_wanted(ticks->bus, periods[i].type);
        if (!is_wanted)
            ticks->last[i] = 0;
        else if (ticks->last[i] == 0)
            ticks->last[i] = multiple(now, periods[i].seconds);
    }
    arm(ticks);
}

struct ticks *ticks_new(struct event_base *loop, struct event_bus *bus, struct error *err)
{
    const int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (timer < 0) {
        error_from_errno(err, errno, "cannot make a timer for TICK events");
        return NULL;
    }
    struct ticks *ticks = xcalloc(1, sizeof *ticks);
    ticks->bus = bus;
    ticks->timer = timer;
    ticks->event = loop_event_new(loop, timer, EV_READ | EV_PERSIST, on_timer, ticks);
    event_add(ticks->event, NULL);
    event_watch_interest(bus, on_interest, ticks);
    on_interest(ticks);
    return ticks;
}

void ticks_hand_over(struct ticks *ticks, struct handover *handover)
{
    (void)handover_open_list(handover, "ticks", PERIOD_COUNT);
    for (size_t i = 0; i < PERIOD_COUNT; i++) {
        handover_open_next(handover);
        const int64_t last = handover_integer(handover, "last", ticks->last[i]);
        if (last != 0 && ticks->last[i] != 0)
            ticks->last[i] = last;
        handover_close(handover);
    }
    handover_close(handover);
    arm(ticks);
}

void ticks_free(struct ticks *ticks)
{
    if (ticks == NULL)
        return;
    event_watch_interest(ticks->bus, NULL, NULL);
    event_free(ticks->event);
    fd_close(&ticks->timer);
    free(ticks);
}
