#include "cmocka_all.h"

#include <string.h>

#include "output/ansi.h"

/* Strips `input` in pieces of `step` bytes. */
static void assert_stripped(const char *input, size_t step, const char *expected)
{
    struct ansi_stripper stripper = {0};
    const size_t length = strlen(input);
    char output[512];
    size_t made = 0;

    for (size_t at = 0; at < length; at += step)
        made += ansi_strip(&stripper, input + at, length - at < step ? length - at : step, output + made);
    made += ansi_finish(&stripper, output + made);
    output[made] = '\0';
    assert_string_equal(output, expected);
}

static const struct {
    const char *input;
    const char *expected;
} cases[] = {
    {"plain\r\n", "plain\r\n"},
    {"A\x1b[31mred\x1b[0mB", "AredB"},
    {"\x1b[2J\x1b[12;40Hx\x1b[?25l\x1b[38;5;1my\x1b[K", "xy"},
    {"\x1b[5~z", "z"},
    {"\x1b(0F\x1bHh\x1b]0;title\x07", "\x1b(0F\x1bHh\x1b]0;title\x07"}, /* no CSI */
    {"x\x1b", "x\x1b"},
    {"x\x1b[31", "x\x1b[31"},
    {"\x1b[31\ny", "\x1b[31\ny"},
    {"\x1b\x1b[1mz", "\x1bz"},
    {"\x1b[1\x1b[1mz", "\x1b[1z"},
};

static void sequences_vanish_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step <= strlen(cases[i].input); step++)
            assert_stripped(cases[i].input, step, cases[i].expected);
}

static void endless_sequence_is_text(void **state)
{
    char input[300] = "\x1b[";

    (void)state;
    memset(input + 2, '1', sizeof input - 3);
    for (size_t step = 1; step < 4; step++)
        assert_stripped(input, step, input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_vanish_however_they_are_cut),
        cmocka_unit_test(endless_sequence_is_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
