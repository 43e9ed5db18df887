#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "output/capture.h"

#define BEGIN "<!--XSUPERVISOR:BEGIN-->"
#define END "<!--XSUPERVISOR:END-->"

/* What came of a stream: the output, and each message in brackets. */
static char output[512];
static char messages[512];

static void note(struct capture *capture, const struct capture_piece *piece)
{
    const struct capture_input *text = &piece->text;

    switch (piece->what) {
    case CAPTURE_OUTPUT:
        strncat(output, text->bytes, text->length);
        break;
    case CAPTURE_BEGIN:
        break;
    case CAPTURE_MESSAGE:
        capture_keep(capture, text->bytes, text->length);
        break;
    case CAPTURE_END: {
        const struct capture_input kept = capture_kept(capture);
        const size_t used = strlen(messages);
        (void)snprintf(messages + used, sizeof messages - used, "[%.*s]", (int)kept.length, kept.bytes);
        capture_forget(capture);
        break;
    }
    }
}

static void feed(struct capture *capture, const char *bytes, size_t length)
{
    struct capture_input input = {bytes, length};
    struct capture_piece piece;

    while (capture_next(capture, &input, &piece))
        note(capture, &piece);
}

static void finish(struct capture *capture)
{
    struct capture_piece piece;

    if (capture_finish(capture, &piece))
        note(capture, &piece);
    capture_forget(capture);
}

static void assert_taken_apart(const char *stream, const char *expected_output, const char *expected_messages)
{
    const size_t length = strlen(stream);

    for (size_t step = 1; step <= length; step++) { /* wherever the reads are cut */
        struct capture *capture = capture_new(100);
        output[0] = messages[0] = '\0';
        for (size_t at = 0; at < length; at += step)
            feed(capture, stream + at, length - at < step ? length - at : step);
        finish(capture);
        assert_string_equal(output, expected_output);
        assert_string_equal(messages, expected_messages);
        capture_free(capture);
    }
}

static void messages_are_no_output(void **state)
{
    (void)state;
    assert_taken_apart("before" BEGIN "message" END "after\n", "beforeafter\n", "[message]");
    assert_taken_apart(BEGIN "one" END BEGIN "two" END, "", "[one][two]");
    assert_taken_apart(BEGIN END "x", "x", "[]");
}

static void tags_out_of_place_are_text(void **state)
{
    (void)state;
    assert_taken_apart("x" END "y\n", "x" END "y\n", "");
    assert_taken_apart(BEGIN "one" BEGIN "two" END "three" END "four", "three" END "four", "[one" BEGIN "two]");
}

static void what_only_begins_like_a_tag_is_text(void **state)
{
    (void)state;
    assert_taken_apart("<!--XSUPERVISOR:BEG\n", "<!--XSUPERVISOR:BEG\n", "");
    assert_taken_apart("<<!--XSUPERVISOR:" BEGIN "<!--" END "<!--XSUPERVISOR:BEGIN--",
                       "<<!--XSUPERVISOR:"
                       "<!--XSUPERVISOR:BEGIN--",
                       "[<!--]");
    assert_taken_apart("<", "<", "");
}

static void message_without_an_end_is_nobodys(void **state)
{
    (void)state;
    assert_taken_apart("x" BEGIN "message", "x", "");
    assert_taken_apart("x" BEGIN "message<!--XSUPERVISOR:END", "x", "");
}

static void nothing_is_held_but_the_beginning_of_a_tag(void **state)
{
    struct capture *capture = capture_new(10);

    (void)state;
    output[0] = '\0';
    feed(capture, "short", 5);
    assert_string_equal(output, "short");
    feed(capture, "a<!-", 4);
    assert_string_equal(output, "shorta");
    feed(capture, "b", 1);
    assert_string_equal(output, "shorta<!-b");
    capture_free(capture);
}

static void new_stream_begins_outside_of_a_message(void **state)
{
    struct capture *capture = capture_new(10);

    (void)state;
    output[0] = messages[0] = '\0';
    feed(capture, BEGIN "lost", strlen(BEGIN "lost"));
    finish(capture);
    feed(capture, "output" BEGIN "m" END, strlen("output" BEGIN "m" END));
    assert_string_equal(output, "output");
    assert_string_equal(messages, "[m]");
    capture_free(capture);
}

static void assert_kept(struct capture *capture, const char *expected)
{
    const struct capture_input kept = capture_kept(capture);

    assert_int_equal(kept.length, strlen(expected));
    assert_memory_equal(kept.bytes, expected, kept.length);
}

static void newest_bytes_are_kept(void **state)
{
    struct capture *capture = capture_new(5);

    (void)state;
    assert_kept(capture, "");
    capture_keep(capture, "123", 3);
    assert_kept(capture, "123");
    capture_keep(capture, "456", 3);
    assert_kept(capture, "23456");
    capture_keep(capture, "abcdefgh", 8);
    assert_kept(capture, "defgh");
    capture_keep(capture, "i", 1);
    assert_kept(capture, "efghi");
    capture_forget(capture);
    assert_kept(capture, "");
    capture_free(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_no_output),
        cmocka_unit_test(tags_out_of_place_are_text),
        cmocka_unit_test(what_only_begins_like_a_tag_is_text),
        cmocka_unit_test(message_without_an_end_is_nobodys),
        cmocka_unit_test(nothing_is_held_but_the_beginning_of_a_tag),
        cmocka_unit_test(new_stream_begins_outside_of_a_message),
        cmocka_unit_test(newest_bytes_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
