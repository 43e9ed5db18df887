#include "cmocka_all.h"

#include "event/event.h"

struct log {
    struct event_bus *bus;
    struct event_subscription *other;
    int heard;
};

static void count(void *context, const struct event_occurrence *occurrence)
{
    struct log *log = context;

    (void)occurrence;
    log->heard++;
}

static void publish(struct event_bus *bus, enum event_type type)
{
    struct event_occurrence occurrence = {.type = type};

    event_publish(bus, &occurrence);
}

static void abstract_types_cover_what_is_below_them(void **state)
{
    (void)state;
    assert_true(event_mask(EVENT_TYPE_PROCESS_STATE) >> EVENT_TYPE_PROCESS_STATE_FATAL & 1);
    assert_false(event_mask(EVENT_TYPE_PROCESS_STATE) >> EVENT_TYPE_TICK_5 & 1);
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        assert_true(event_mask(EVENT_TYPE_EVENT) >> type & 1);
        assert_int_equal(event_type_by_name(event_type_name(type)), type);
    }
    assert_int_equal(event_type_by_name("process_state"), -1);
}

static void only_subscribers_of_a_type_hear_it(void **state)
{
    struct event_bus *bus = event_bus_new();
    struct log states = {0};
    struct log ticks = {0};
    struct event_subscription *a = event_subscribe(bus, event_mask(EVENT_TYPE_PROCESS_STATE), count, &states);
    struct event_subscription *b = event_subscribe(bus, event_mask(EVENT_TYPE_TICK), count, &ticks);

    (void)state;
    publish(bus, EVENT_TYPE_PROCESS_STATE_RUNNING);
    publish(bus, EVENT_TYPE_REMOTE_COMMUNICATION);
    assert_int_equal(states.heard, 1);
    assert_int_equal(ticks.heard, 0);
    assert_true(event_is_wanted(bus, EVENT_TYPE_TICK_60));
    event_unsubscribe(b);
    assert_false(event_is_wanted(bus, EVENT_TYPE_TICK_60));
    event_unsubscribe(a);
    event_bus_free(bus);
}

static void end_the_other(void *context, const struct event_occurrence *occurrence)
{
    struct log *log = context;

    (void)occurrence;
    event_unsubscribe(log->other);
    log->other = NULL;
}

static void a_handler_may_end_another(void **state)
{
    struct event_bus *bus = event_bus_new();
    struct log victim = {0};
    struct log killer = {0};
    struct event_subscription *first = event_subscribe(bus, event_mask(EVENT_TYPE_EVENT), end_the_other, &killer);

    (void)state;
    killer.other = event_subscribe(bus, event_mask(EVENT_TYPE_EVENT), count, &victim);
    publish(bus, EVENT_TYPE_TICK_5);
    publish(bus, EVENT_TYPE_TICK_5);
    assert_int_equal(victim.heard, 0);
    event_unsubscribe(first);
    event_bus_free(bus);
}

static void subscribe_one_more(void *context, const struct event_occurrence *occurrence)
{
    struct log *log = context;

    (void)occurrence;
    if (log->other == NULL)
        log->other = event_subscribe(log->bus, event_mask(EVENT_TYPE_EVENT), count, log);
}

static void one_added_during_a_publication_hears_the_next(void **state)
{
    struct event_bus *bus = event_bus_new();
    struct log log = {.bus = bus};
    struct event_subscription *first = event_subscribe(bus, event_mask(EVENT_TYPE_EVENT), subscribe_one_more, &log);

    (void)state;
    publish(bus, EVENT_TYPE_TICK_5);
    assert_int_equal(log.heard, 0);
    publish(bus, EVENT_TYPE_TICK_5);
    assert_int_equal(log.heard, 1);
    event_unsubscribe(log.other);
    event_unsubscribe(first);
    event_bus_free(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abstract_types_cover_what_is_below_them),
        cmocka_unit_test(only_subscribers_of_a_type_hear_it),
        cmocka_unit_test(a_handler_may_end_another),
        cmocka_unit_test(one_added_during_a_publication_hears_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
