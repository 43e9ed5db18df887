#include "cmocka_all.h"

#include <string.h>

#include "listener/protocol.h"

/* What a text leads to, as letters: R ready, O ok, F fail, G garbage. An event is sent after each READY. */
static const char *outcomes(struct protocol *protocol, const char *text, size_t piece)
{
    static char found[64];
    size_t left = strlen(text);
    size_t count = 0;

    while (left > 0) {
        const size_t length = left < piece ? left : piece;
        size_t used;
        const enum protocol_outcome outcome = protocol_read(protocol, text, length, &used);
        assert_true(used > 0 && used <= length);
        assert_true(outcome != PROTOCOL_SAYS_NOTHING || used == length);
        if (outcome != PROTOCOL_SAYS_NOTHING)
            found[count++] = " ROFG"[outcome];
        if (outcome == PROTOCOL_SAYS_READY)
            protocol_sent(protocol);
        text += used;
        left -= used;
    }
    found[count] = '\0';
    return found;
}

static void assert_outcomes(const char *text, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct protocol protocol = {.state = PROTOCOL_ACKNOWLEDGED};
        assert_string_equal(outcomes(&protocol, text, piece), expected);
    }
}

static void what_listeners_say_however_it_is_cut(void **state)
{
    (void)state;
    assert_outcomes("READY\n", "R");
    assert_outcomes("READY\nRESULT 2\nOK", "RO");
    assert_outcomes("READY\nRESULT 2\nOKREADY\nRESULT 4\nFAILREADY\n", "RORFR");
    assert_outcomes("READY\nRESULT 3\nOK\nREADY\n", "RFR");
    assert_outcomes("READY\nRESULT 0\nREADY\n", "RFR");
    assert_outcomes("READY\nRESULT 2\nNO", "RF");
    assert_outcomes("READY\nRESULT 20\n01234567890123456789READY\n", "RFR");
    assert_outcomes("READY\nresult \t 02 \r\nOK", "RO");
    assert_outcomes("READY\nRESULT 2\nO", "R");
}

static void garbage(void **state)
{
    static const char *const texts[] = {"\n",          "READ\n",      "RESULT -2\n", "RESULT 1 2\n",       "RESULT2\n",
                                        "RESULTS 2\n", " RESULT 2\n", "RESULT\n",    "RESULT 1234567890\n"};

    (void)state;
    assert_outcomes("x", "G");
    assert_outcomes("REAX", "G");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct protocol protocol = {.state = PROTOCOL_BUSY};
        assert_string_equal(outcomes(&protocol, texts[i], 1), "G");
    }
}

static void a_wrong_line_can_be_told(void **state)
{
    struct protocol protocol = {.state = PROTOCOL_BUSY};

    (void)state;
    assert_string_equal(outcomes(&protocol, "junk of 1\nmore", 100), "G");
    assert_string_equal(protocol.line, "junk of 1");
    assert_int_equal(protocol.state, PROTOCOL_UNKNOWN);
}

static void an_endless_line_is_garbage_before_it_is_long(void **state)
{
    struct protocol protocol = {.state = PROTOCOL_BUSY};
    char text[2 * PROTOCOL_LINE_SIZE];

    (void)state;
    memset(text, 'R', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_string_equal(outcomes(&protocol, text, 1), "G");
    assert_true(strlen(protocol.line) < PROTOCOL_LINE_SIZE);
}

static void a_nul_in_a_line_is_garbage(void **state)
{
    struct protocol protocol = {.state = PROTOCOL_BUSY};
    size_t used;

    (void)state;
    assert_int_equal(protocol_read(&protocol, "RESULT 2\0 3\n", 12, &used), PROTOCOL_SAYS_GARBAGE);
}

static void nothing_counts_in_unknown_and_nothing_is_expected_in_ready(void **state)
{
    struct protocol protocol = {.state = PROTOCOL_ACKNOWLEDGED};
    size_t used;

    (void)state;
    assert_int_equal(protocol_read(&protocol, "READY\n", 6, &used), PROTOCOL_SAYS_READY);
    assert_int_equal(protocol_read(&protocol, "READY\n", 6, &used), PROTOCOL_SAYS_GARBAGE);
    assert_int_equal(protocol_read(&protocol, "READY\n", 6, &used), PROTOCOL_SAYS_NOTHING);
    assert_int_equal(used, 6);
    assert_int_equal(protocol.state, PROTOCOL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_listeners_say_however_it_is_cut),
        cmocka_unit_test(garbage),
        cmocka_unit_test(a_wrong_line_can_be_told),
        cmocka_unit_test(an_endless_line_is_garbage_before_it_is_long),
        cmocka_unit_test(a_nul_in_a_line_is_garbage),
        cmocka_unit_test(nothing_counts_in_unknown_and_nothing_is_expected_in_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
