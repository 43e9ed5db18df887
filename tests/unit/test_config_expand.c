#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "config/expand.h"

static char name_a[] = "A", name_b[] = "B", name_empty[] = "EMPTY";
static char value_own[] = "own", value_daemon[] = "daemon", value_empty[] = "";
static struct config_variable own_variables[] = {{name_a, value_own}, {name_empty, value_empty}};
static struct config_variable daemon_variables[] = {{name_a, value_daemon}, {name_b, value_daemon}};
static const struct config_environment own = {own_variables, 2};
static const struct config_environment daemon = {daemon_variables, 2};
static const struct expand_variable variables[] = {
    {.name = "program_name", .text = "prog"},   {.name = "process_num", .number = 7},
    {.name = "big", .number = 12345678},        {.name = "minus", .number = -7},
    {.name = "letter", .number = 65},           {.name = "euro", .number = 0x20AC},
    {.name = "face", .number = 0x1F600},        {.name = "accent", .text = "\xc3\xa9t\xc3\xa9"},
    {.name = "quoted", .text = "it's\n\\"},     {.name = "one", .text = "x"},
    {.name = "nested(name)", .text = "nested"},
};
static const struct expand_scope scope = {variables, sizeof variables / sizeof variables[0], {&own, &daemon}};

static void assert_expands(const char *format, const char *expected)
{
    struct error err;
    char *text = expand_text(format, &scope, &err);

    if (text == NULL)
        fail_msg("%s: %s", format, err.text);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_refused(const char *format, const char *part)
{
    struct error err;
    char *text = expand_text(format, &scope, &err);

    if (text != NULL)
        fail_msg("%s: %s", format, text);
    if (strstr(err.text, part) == NULL)
        fail_msg("%s: %s", format, err.text);
}

static void names(void **state)
{
    (void)state;
    assert_expands("", "");
    assert_expands("plain", "plain");
    assert_expands("100%%", "100%");
    assert_expands("%%(program_name)s", "%(program_name)s");
    assert_expands("a%(program_name)sb%(process_num)dc", "aprogb7c");
    assert_expands("%(nested(name))s", "nested");
}

static void environment_has_an_order(void **state)
{
    (void)state;
    assert_int_equal(setenv("A", "process", 1), 0);
    assert_int_equal(setenv("B", "process", 1), 0);
    assert_int_equal(setenv("EXPAND_TEST", "process", 1), 0);
    assert_expands("%(ENV_A)s %(ENV_B)s %(ENV_EXPAND_TEST)s|%(ENV_EMPTY)s|", "own daemon process||");
    assert_int_equal(setenv("EXPAND_TEST", "\xff", 1), 0);
    assert_refused("%(ENV_EXPAND_TEST)s", "ENV_EXPAND_TEST");
    assert_int_equal(unsetenv("EXPAND_TEST"), 0);
    assert_refused("%(ENV_EXPAND_TEST)s", "%(ENV_EXPAND_TEST) cannot be expanded");
    assert_refused("%(ENV_A)d", "text");
}

/* What Python's % makes of each, which the original was seen to do. */
static void integers(void **state)
{
    (void)state;
    assert_expands("%(process_num)d|%(process_num)i|%(process_num)u|%(process_num)ld", "7|7|7|7");
    assert_expands("%(process_num)02d|%(process_num)3d|%(process_num)-3d|%(process_num)+d|%(process_num) d",
                   "07|  7|7  |+7| 7");
    assert_expands("%(minus)d|%(minus)04d|%(minus)4d|%(minus)-4d|%(minus)x", "-7|-007|  -7|-7  |-7");
    assert_expands("%(process_num).3d|%(process_num)5.3d|%(process_num)05.3d|%(process_num)-010d|",
                   "007|  007|00007|7         |");
    assert_expands("%(big)o|%(big)#o|%(big)x|%(big)X|%(big)#x|%(big)#X",
                   "57060516|0o57060516|bc614e|BC614E|0xbc614e|0XBC614E");
    assert_expands("%(process_num)#010x|%(process_num)#.5x", "0x00000007|0x00007");
    assert_expands("%(process_num)s|%(process_num)3s|%(process_num)r|%(big).3s", "7|  7|7|123");
    assert_expands("%(letter)c|%(euro)c|%(face)c|%(letter)3c|", "A|\xe2\x82\xac|\xf0\x9f\x98\x80|  A|");
}

static void floats(void **state)
{
    (void)state;
    assert_expands("%(process_num)f|%(process_num).1f|%(process_num)05.1f|%(big)e|%(big)g|%(big)E|%(big).0f",
                   "7.000000|7.0|007.0|1.234568e+07|1.23457e+07|1.234568E+07|12345678");
    assert_expands("%(minus).1f|%(minus)06.1f", "-7.0|-007.0");
}

static void strings(void **state)
{
    (void)state;
    assert_expands("%(program_name)6s|%(program_name)-6s|%(program_name).2s|%(program_name)6.1s|",
                   "  prog|prog  |pr|     p|");
    assert_expands("%(program_name)06s|%(program_name)+s|%(program_name)#s", "  prog|prog|prog");
    assert_expands("%(accent)5s|%(accent).2s|", "  \xc3\xa9t\xc3\xa9|\xc3\xa9t|");
    assert_expands("%(program_name)r|%(quoted)r|%(one)c", "'prog'|\"it's\\n\\\\\"|x");
}

static void mistakes(void **state)
{
    (void)state;
    assert_refused("%(nonsense)s", "%(nonsense) cannot be expanded: known are program_name, process_num");
    assert_refused("%()s", "%() cannot be expanded");
    assert_refused("%( here)s", "%( here) cannot be expanded");
    assert_refused("%", "a % must begin");
    assert_refused("50%", "a % must begin");
    assert_refused("%d", "a % must begin");
    assert_refused("a%b", "a % must begin");
    assert_refused("%5%", "a % must begin");
    assert_refused("%(program_name", "a % must begin");
    assert_refused("%(program_name)", "%(program_name) lacks its format");
    assert_refused("%(process_num)3", "%(process_num) lacks its format");
    assert_refused("%(process_num)y", "%(process_num) is a number and has no format \"y\"");
    assert_refused("%(process_num)*d", "no format \"*\"");
    assert_refused("%(program_name)d", "%(program_name) is text and has no format \"d\"");
    assert_refused("%(program_name)c", "no format \"c\"");
    assert_refused("%(minus)c", "no character");
    assert_refused("%(process_num)99999999999d", "too large");
    assert_refused("%(process_num).99999d", "too large");
}

static void widths_up_to_the_bound(void **state)
{
    struct error err;
    char *text = expand_text("%(process_num)04096d%(process_num).4096d%(process_num).4096f", &scope, &err);

    (void)state;
    assert_non_null(text);
    assert_int_equal(strlen(text), 4096 + 4096 + 4098);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(environment_has_an_order),
        cmocka_unit_test(integers),
        cmocka_unit_test(floats),
        cmocka_unit_test(strings),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(widths_up_to_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
