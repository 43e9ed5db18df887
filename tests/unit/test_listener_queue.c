#include "cmocka_all.h"

#include <string.h>

#include "listener/queue.h"

static struct queued make_event(uint64_t serial)
{
    const struct event_occurrence occurrence = {.type = EVENT_TYPE_TICK_5, .tick = {.when = 1201063880}};

    return (struct queued){payload_new(&occurrence, serial), serial};
}

static void assert_next(struct queue *queue, uint64_t serial)
{
    const struct queued event = queue_take(queue);

    assert_int_equal(event.payload->serial, serial);
    assert_int_equal(event.pool_serial, serial);
    payload_unref(event.payload);
}

static void first_in_first_out_over_every_size(void **state)
{
    struct queue queue = {.ring = NULL};
    uint64_t first = 0;

    (void)state;
    for (uint64_t serial = 0; serial < 500; serial++) {
        queue_append(&queue, make_event(serial));
        if (serial % 3 == 0)
            assert_next(&queue, first++);
    }
    assert_int_equal(queue.count, 500 - first);
    while (queue.count > 0)
        assert_next(&queue, first++);
    assert_int_equal(first, 500);
    assert_null(queue.ring); /* what the burst needed is given back */
}

static void what_is_put_back_is_next(void **state)
{
    struct queue queue = {.ring = NULL};

    (void)state;
    for (uint64_t serial = 50; serial > 0; serial--)
        queue_put_back(&queue, make_event(serial));
    queue_append(&queue, make_event(51));
    for (uint64_t serial = 1; serial <= 51; serial++)
        assert_next(&queue, serial);
    queue_release(&queue);
}

static void release_drops_what_waits(void **state)
{
    struct queue queue = {.ring = NULL};
    const struct queued event = make_event(1);

    (void)state;
    queue_append(&queue, (struct queued){payload_ref(event.payload), 1});
    assert_int_equal(event.payload->references, 2);
    queue_release(&queue);
    assert_int_equal(event.payload->references, 1);
    assert_int_equal(queue.count, 0);
    payload_unref(event.payload);
}

static void assert_payload(const struct event_occurrence *occurrence, const char *expected)
{
    struct payload *payload = payload_new(occurrence, 7);

    assert_int_equal(payload->length, strlen(expected));
    assert_memory_equal(payload->bytes, expected, payload->length);
    assert_int_equal(payload->serial, 7);
    assert_int_equal(payload->type, occurrence->type);
    payload_unref(payload);
}

static void payloads_that_need_no_process(void **state)
{
    (void)state;
    assert_payload(&(struct event_occurrence){.type = EVENT_TYPE_TICK_60, .tick = {.when = 1201063860}},
                   "when:1201063860");
    assert_payload(&(struct event_occurrence){.type = EVENT_TYPE_SUPERVISOR_STATE_CHANGE_RUNNING}, "");
    assert_payload(&(struct event_occurrence){.type = EVENT_TYPE_PROCESS_GROUP_ADDED, .group = {.group = "g"}},
                   "groupname:g\n");
    assert_payload(&(struct event_occurrence){.type = EVENT_TYPE_REMOTE_COMMUNICATION,
                                              .remote = {.type = "t", .data = "d\ne", .length = 3}},
                   "type:t\nd\ne");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out_over_every_size),
        cmocka_unit_test(what_is_put_back_is_next),
        cmocka_unit_test(release_drops_what_waits),
        cmocka_unit_test(payloads_that_need_no_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
