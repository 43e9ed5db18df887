#include "cmocka_all.h"

#include <string.h>

#include "supervisorctl/command_line.h"

/* Parses a NULL-terminated list. */
static int parse(struct command_line *line, struct error *err, char **argv)
{
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    return command_line_parse(line, argc, argv, err);
}

#define ARGV(...)                          \
    (char *[])                             \
    {                                      \
        (char[]){"ctl"}, __VA_ARGS__, NULL \
    }
#define A(text) \
    (char[])    \
    {           \
        text    \
    }

static void options_and_action_are_told_apart(void **state)
{
    struct command_line line;
    struct error err;

    (void)state;
    assert_int_equal(parse(&line, &err, ARGV(A("-c"), A("x.conf"), A("-ip"), A("secret"), A("status"), A("-x"))), 0);
    assert_string_equal(line.configuration, "x.conf");
    assert_string_equal(line.password, "secret");
    assert_true(line.interactive);
    assert_false(line.help);
    assert_int_equal(line.action_count, 2);
    assert_string_equal(line.action[0], "status");
    assert_string_equal(line.action[1], "-x"); /* what follows the action is the action's */
}

static void long_options_may_be_cut_short(void **state)
{
    struct command_line line;
    struct error err;

    (void)state;
    assert_int_equal(parse(&line, &err, ARGV(A("--conf=y"), A("--user"), A("joe"), A("--serverurl"), A("unix:///s"))),
                     0);
    assert_string_equal(line.configuration, "y");
    assert_string_equal(line.username, "joe");
    assert_string_equal(line.serverurl, "unix:///s");
    assert_int_equal(line.action_count, 0);
}

static void history_may_have_a_file(void **state)
{
    struct command_line line;
    struct error err;

    (void)state;
    assert_int_equal(parse(&line, &err, ARGV(A("-r"), A("status"))), 0);
    assert_true(line.keep_history);
    assert_null(line.history_file);
    assert_int_equal(line.action_count, 1);
    assert_int_equal(parse(&line, &err, ARGV(A("--history-file=h"))), 0);
    assert_string_equal(line.history_file, "h");
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *first;
        const char *second; /* NULL: none */
        const char *text;
    } cases[] = {
        {"-x", NULL, "option -x not recognized"},
        {"--bad", NULL, "option --bad not recognized"},
        {"--bad=x", NULL, "option --bad not recognized"},
        {"--h", NULL, "option --h not a unique prefix"},
        {"--help=x", NULL, "option --help must not have an argument"},
        {"-hx", NULL, "option -x not recognized"},
        {"-c", NULL, "option -c requires argument"},
        {"--user", NULL, "option --username requires argument"},
        {"-cx", "-cx", "conflicting command line option '-c'"},
        {"-s", "bogus", "invalid value for -s 'bogus': value 'bogus' is not a URL"},
        {"--serverurl=x", NULL, "invalid value for --serverurl 'x': value 'x' is not a URL"},
        {"-s", "", "invalid value for -s '': value '' is not a URL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_line line;
        struct error err;
        char first[32] = "";
        char second[32] = "";

        memcpy(first, cases[i].first, strlen(cases[i].first));
        if (cases[i].second != NULL)
            memcpy(second, cases[i].second, strlen(cases[i].second));
        assert_int_equal(parse(&line, &err, ARGV(first, cases[i].second != NULL ? second : NULL)), -1);
        assert_string_equal(err.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_action_are_told_apart),
        cmocka_unit_test(long_options_may_be_cut_short),
        cmocka_unit_test(history_may_have_a_file),
        cmocka_unit_test(mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
