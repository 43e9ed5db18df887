#include "cmocka_all.h"

#include <string.h>

#include "supervisord/command_line.h"

enum { ARGUMENTS_MAX = 16 };

/* Splits at blanks, so that a command line is one string of a test. */
static int parse(const char *text, struct command_line *line, struct error *err)
{
    static char copy[256];
    static char program[] = "supervisord";
    char *arguments[ARGUMENTS_MAX] = {program};
    int count = 1;

    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        arguments[count++] = word;
    return command_line_parse(line, count, arguments, err);
}

static void options_override_keys_of_the_file(void **state)
{
    static const struct {
        const char *text, *key, *value, *origin;
    } cases[] = {
        {"-n", "nodaemon", "true", "-n"},
        {"--nodaemon", "nodaemon", "true", "--nodaemon"},
        {"-s", "silent", "true", "-s"},
        {"-u chrism", "user", "chrism", "-u"},
        {"-m 022", "umask", "022", "-m"},
        {"-d /tmp", "directory", "/tmp", "-d"},
        {"-l/var/log/x", "logfile", "/var/log/x", "-l"},
        {"--logfile=/x", "logfile", "/x", "--logfile"},
        {"-y 1MB", "logfile_maxbytes", "1MB", "-y"},
        {"-z 3", "logfile_backups", "3", "-z"},
        {"-e debug", "loglevel", "debug", "-e"},
        {"-j /x.pid", "pidfile", "/x.pid", "-j"},
        {"-i me", "identifier", "me", "-i"},
        {"-q /logs", "childlogdir", "/logs", "-q"},
        {"-k", "nocleanup", "true", "-k"},
        {"-a 100", "minfds", "100", "-a"},
        {"-t", "strip_ansi", "true", "-t"},
        {"--minprocs 5", "minprocs", "5", "--minprocs"},
        {"--minpr 5", "minprocs", "5", "--minprocs"},
    };
    struct command_line line;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].text, &line, &err), 0);
        assert_int_equal(line.override_count, 1);
        assert_string_equal(line.overrides[0].section, "supervisord");
        assert_string_equal(line.overrides[0].key, cases[i].key);
        assert_string_equal(line.overrides[0].value, cases[i].value);
        assert_string_equal(line.overrides[0].origin, cases[i].origin);
    }
}

static void switches_may_share_a_word(void **state)
{
    struct command_line line;
    struct error err;

    (void)state;
    assert_int_equal(parse("-nsc /etc/x.conf", &line, &err), 0);
    assert_int_equal(line.override_count, 2);
    assert_string_equal(line.overrides[1].origin, "-s");
    assert_string_equal(line.configuration, "/etc/x.conf");
}

static void actions_are_told_apart(void **state)
{
    struct command_line line;
    struct error err;

    (void)state;
    assert_int_equal(parse("-h", &line, &err), 0);
    assert_int_equal(line.action, COMMAND_LINE_HELP);
    assert_int_equal(parse("--version", &line, &err), 0);
    assert_int_equal(line.action, COMMAND_LINE_VERSION);
    assert_int_equal(parse("--check -c x", &line, &err), 0);
    assert_int_equal(line.action, COMMAND_LINE_CHECK);
    assert_int_equal(parse("--profile_options=calls", &line, &err), 0);
    assert_int_equal(line.action, COMMAND_LINE_RUN);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"-l x -l y", "conflicting command line option '-l'"},
        {"-l x --logfile y", "conflicting command line option '--logfile'"},
        {"-c x -c y", "conflicting command line option '-c'"},
        {"-Z", "option -Z not recognized"},
        {"--nosuch", "option --nosuch not recognized"},
        {"--nosuch=3", "option --nosuch not recognized"},
        {"-c", "option -c requires argument"},
        {"--logfile", "option --logfile requires argument"},
        {"foo bar", "positional arguments are not supported: ['foo', 'bar']"},
        {"-n foo -k", "positional arguments are not supported: ['foo', '-k']"},
        {"-n=3", "option -= not recognized"},
    };
    struct command_line line;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].text, &line, &err), -1);
        assert_string_equal(err.text, cases[i].complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_override_keys_of_the_file),
        cmocka_unit_test(switches_may_share_a_word),
        cmocka_unit_test(actions_are_told_apart),
        cmocka_unit_test(mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
