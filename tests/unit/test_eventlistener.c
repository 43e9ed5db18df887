#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "eventlistener/input.h"
#include "eventlistener/parse.h"

/* "a=1;b=2;": what was found, in order. */
static const char *shown(const struct listener_token *tokens, size_t count)
{
    static char text[512];

    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s=%s;", tokens[i].key, tokens[i].value);
    }
    return text;
}

static int parse(struct parsed *parsed, const char *header, const char *payload, size_t length)
{
    struct error err;
    char *copy = xmalloc(length + 1);

    if (parse_header(parsed, xstrdup(header), &err) < 0) {
        free(copy);
        return -1;
    }
    memcpy(copy, payload, length);
    copy[length] = '\0';
    parse_payload(parsed, copy, length);
    return 0;
}

static void an_event_has_tokens_and_data(void **state)
{
    static const char payload[] = "processname:cat groupname:g pid:7\nfirst\0\nsecond";
    struct parsed parsed = {.length = 0};
    const struct listener_event *event = &parsed.event;

    (void)state;
    assert_int_equal(
        parse(&parsed, "ver:3.0 server:s serial:4 eventname:PROCESS_LOG_STDOUT len:49", payload, sizeof payload - 1),
        0);
    assert_int_equal(parsed.length, 49);
    assert_string_equal(event->name, "PROCESS_LOG_STDOUT");
    assert_string_equal(shown(event->headers, event->header_count),
                        "ver=3.0;server=s;serial=4;eventname=PROCESS_LOG_STDOUT;len=49;");
    assert_string_equal(shown(event->fields, event->field_count), "processname=cat;groupname=g;pid=7;");
    assert_string_equal(listener_event_field(event, "groupname"), "g");
    assert_null(listener_event_field(event, "serial"));
    assert_int_equal(event->data_length, 13);
    assert_memory_equal(event->data, "first\0\nsecond", 14);
    assert_int_equal(event->payload_length, sizeof payload - 1);
    parsed_release(&parsed);
    assert_null(event->payload);
}

static void tokens_that_are_none(void **state)
{
    static const struct {
        const char *payload;
        const char *fields;
        const char *data;
    } cases[] = {
        {"", "", ""},
        {"when:12", "when=12;", ""},
        {"groupname:g\n", "groupname=g;", ""},
        {"\ndata", "", "data"},
        {"type:two words\ndata", "type=two words;", "data"},
        {"type:two  words a:b", "type=two  words;a=b;", ""},
        {"rubbish type:a", "type=a;", ""},
        {"a:b:c :d e:", "a=b:c;=d;e=;", ""},
        {"a:1 ", "a=1 ;", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed parsed = {.length = 0};

        assert_int_equal(parse(&parsed, "eventname:X len:0", cases[i].payload, strlen(cases[i].payload)), 0);
        assert_string_equal(shown(parsed.event.fields, parsed.event.field_count), cases[i].fields);
        assert_string_equal(parsed.event.data, cases[i].data);
        parsed_release(&parsed);
    }
}

static void headers_that_are_refused(void **state)
{
    static const char *const headers[] = {
        "",
        "READY",
        "eventname:X",
        "len:5",
        "len:5 ",
        "eventname:X len:",
        "eventname:X len:-1",
        "eventname:X len:+1",
        "eventname:X len: 1",
        "eventname:X len:1x",
        "eventname:X len:18446744073709551616",
    };

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct parsed parsed = {.length = 0};

        assert_int_equal(parse(&parsed, headers[i], "", 0), -1);
        parsed_release(&parsed);
    }
}

static void types_have_types_above_them(void **state)
{
    const struct listener_event event = {.name = "PROCESS_STATE_EXITED"};

    (void)state;
    assert_true(listener_event_is(&event, "EVENT"));
    assert_true(listener_event_is(&event, "PROCESS_STATE"));
    assert_true(listener_event_is(&event, "PROCESS_STATE_EXITED"));
    assert_false(listener_event_is(&event, "PROCESS_STAT"));
    assert_false(listener_event_is(&event, "PROCESS_STATE_EXITED_X"));
    assert_false(listener_event_is(&event, "TICK"));
}

/* What comes through a pipe in these pieces. */
static struct input *input_of(const char *const *pieces, int *writer)
{
    struct input *input = xcalloc(1, sizeof *input);
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    for (; *pieces != NULL; pieces++)
        assert_int_equal(write(ends[1], *pieces, strlen(*pieces)), strlen(*pieces));
    input->fd = ends[0];
    *writer = ends[1];
    return input;
}

static void lines_and_pieces(void **state)
{
    static const char *const pieces[] = {"one\ntwo", "\nfive bytes", NULL};
    struct error err;
    char five[5];
    char byte;
    char *line;
    int writer;
    struct input *input = input_of(pieces, &writer);

    (void)state;
    assert_int_equal(input_take_line(input, &line, &err), 1);
    assert_string_equal(line, "one");
    free(line);
    assert_int_equal(input_take_line(input, &line, &err), 1);
    assert_string_equal(line, "two");
    free(line);
    assert_int_equal(input_take(input, five, sizeof five, &err), 0);
    assert_memory_equal(five, "five ", 5);
    assert_true(input_peek(input, &byte));
    assert_int_equal(byte, 'b');
    assert_true(input_begins_with(input, "byt"));
    assert_true(input_begins_with(input, "bytes and more that may still come"));
    assert_false(input_begins_with(input, "bits"));
    assert_int_equal(input_take(input, NULL, 5, &err), 0);
    assert_false(input_peek(input, &byte));
    close(writer);
    assert_false(input_peek(input, &byte));
    assert_int_equal(input_take_line(input, &line, &err), 0);
    assert_int_equal(input_take(input, five, 1, &err), -1);
    close(input->fd);
    free(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_tokens_and_data),
        cmocka_unit_test(tokens_that_are_none),
        cmocka_unit_test(headers_that_are_refused),
        cmocka_unit_test(types_have_types_above_them),
        cmocka_unit_test(lines_and_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
