#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "event/ticks.h"

/* A multiple of all periods in the far future: no real tick comes between. */
#define HOUR INT64_C(36000000000)

struct world {
    struct event_base *loop;
    struct event_bus *bus;
    struct ticks *ticks;
    char heard[256]; /* "5:when 60:when " with when counted from HOUR */
};

static void note(void *context, const struct event_occurrence *occurrence)
{
    struct world *world = context;
    const size_t end = strlen(world->heard);

    snprintf(world->heard + end, sizeof world->heard - end, "%s:%ld ",
             event_type_name(occurrence->type) + strlen("TICK_"), (long)(occurrence->tick.when - HOUR));
}

static void advance(struct world *world, int64_t from_hour, const char *expected)
{
    world->heard[0] = '\0';
    ticks_advance(world->ticks, HOUR + from_hour);
    assert_string_equal(world->heard, expected);
}

static int set_up(void **state)
{
    static struct world world;
    struct error err;

    world.loop = event_base_new();
    world.bus = event_bus_new();
    world.ticks = ticks_new(world.loop, world.bus, &err);
    assert_non_null(world.ticks);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    ticks_free(world->ticks);
    event_bus_free(world->bus);
    event_base_free(world->loop);
    return 0;
}

static void each_period_at_its_multiples(void **state)
{
    struct world *world = *state;
    struct event_subscription *subscription = event_subscribe(world->bus, event_mask(EVENT_TYPE_TICK), note, world);

    advance(world, 0, "5:0 60:0 3600:0 ");
    advance(world, 4, "");
    advance(world, 5, "5:5 ");
    advance(world, 9, "");
    advance(world, 61, "5:60 60:60 ");
    advance(world, 3600, "5:3600 60:3600 3600:3600 ");
    event_unsubscribe(subscription);
}

static void a_clock_that_jumps_makes_one_tick(void **state)
{
    struct world *world = *state;
    struct event_subscription *subscription = event_subscribe(world->bus, event_mask(EVENT_TYPE_TICK_5), note, world);

    advance(world, 0, "5:0 ");
    advance(world, 1000002, "5:1000000 ");
    advance(world, 1000003, "");
    advance(world, 12, "5:10 ");
    event_unsubscribe(subscription);
}

static void only_what_is_wanted(void **state)
{
    struct world *world = *state;
    struct event_subscription *subscription = event_subscribe(world->bus, event_mask(EVENT_TYPE_TICK_60), note, world);

    advance(world, 0, "60:0 ");
    event_subscription_change(subscription, event_mask(EVENT_TYPE_TICK_5));
    advance(world, 3600, "5:3600 ");
    event_unsubscribe(subscription);
    advance(world, 7200, "");
    subscription = event_subscribe(world->bus, event_mask(EVENT_TYPE_TICK_3600), note, world);
    ticks_advance(world->ticks, clock_wall_us() / 1000000);
    assert_string_equal(world->heard, ""); /* the first is the next one, not the one before */
    event_unsubscribe(subscription);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_period_at_its_multiples, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_makes_one_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_wanted, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
