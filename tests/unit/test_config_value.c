#include "cmocka_all.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "config/value.h"

static struct error err;

static void booleans(void **state)
{
    static const char *const yes[] = {"true", "True", "YES", "on", "1"};
    static const char *const no[] = {"false", "No", "OFF", "0"};
    static const char *const neither[] = {"", "maybe", "2", "truely"};
    bool result = false;

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        assert_int_equal(value_parse_boolean(yes[i], &result, &err), 0);
        assert_true(result);
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        assert_int_equal(value_parse_boolean(no[i], &result, &err), 0);
        assert_false(result);
    }
    for (size_t i = 0; i < sizeof neither / sizeof neither[0]; i++)
        assert_int_equal(value_parse_boolean(neither[i], &result, &err), -1);
}

static void assert_integer(const char *text, int64_t expected)
{
    int64_t result = 0;

    assert_int_equal(value_parse_integer(text, INT64_MIN, INT64_MAX, &result, &err), 0);
    assert_true(result == expected);
}

static void integers(void **state)
{
    static const char *const bad[] = {"", "x", "1.5", "1 2", "-", "+", "1_", "_1", "1__0", "0x10", "5;"};
    int64_t result = 77;

    (void)state;
    assert_integer("0", 0);
    assert_integer("-1", -1);
    assert_integer("+5", 5);
    assert_integer("1_000", 1000);
    assert_integer("007", 7);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(value_parse_integer(bad[i], INT_MIN, INT_MAX, &result, &err), -1);
    assert_int_equal(value_parse_integer("2147483647", INT_MIN, INT_MAX, &result, &err), 0);
    assert_int_equal(value_parse_integer("2147483648", INT_MIN, INT_MAX, &result, &err), -1);
    assert_string_equal(err.text, "above the upper bound (2147483647)");
    assert_int_equal(value_parse_integer("99999999999999999999999", INT_MIN, INT_MAX, &result, &err), -1);
    assert_int_equal(value_parse_integer("0", 1, INT_MAX, &result, &err), -1);
    assert_string_equal(err.text, "below the lower bound (1)");
    assert_true(result == 2147483647);
}

static void assert_size(const char *text, int64_t expected)
{
    int64_t result = 0;

    assert_int_equal(value_parse_size(text, &result, &err), 0);
    assert_true(result == expected);
}

static void sizes(void **state)
{
    static const char *const bad[] = {"", "x", "KB", "1TB", "1.5MB", "5B", "1K", "9999999999GB", "MB1"};
    int64_t result;

    (void)state;
    assert_size("0", 0);
    assert_size("1", 1);
    assert_size("1KB", 1024);
    assert_size("2mb", 2 << 20);
    assert_size("1 MB", 1 << 20);
    assert_size("3Gb", INT64_C(3) << 30);
    assert_size("-1", 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(value_parse_size(bad[i], &result, &err), -1);
}

static void octal_numbers(void **state)
{
    static const char *const bad[] = {"", "9", "08", "x", "-1", "0o", "10000"};
    int result = 0;

    (void)state;
    assert_int_equal(value_parse_octal("022", 07777, &result, &err), 0);
    assert_int_equal(result, 022);
    assert_int_equal(value_parse_octal("0o7777", 07777, &result, &err), 0);
    assert_int_equal(result, 07777);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(value_parse_octal(bad[i], 07777, &result, &err), -1);
    assert_int_equal(result, 07777);
}

static void words_of_fixed_sets(void **state)
{
    enum config_autorestart autorestart = AUTORESTART_NEVER;
    enum log_level level = LOG_LEVEL_INFO;
    int number = 0;

    (void)state;
    assert_int_equal(value_parse_autorestart("Unexpected", &autorestart, &err), 0);
    assert_int_equal(autorestart, AUTORESTART_UNEXPECTED);
    assert_int_equal(value_parse_autorestart("TRUE", &autorestart, &err), 0);
    assert_int_equal(autorestart, AUTORESTART_ALWAYS);
    assert_int_equal(value_parse_autorestart("0", &autorestart, &err), 0);
    assert_int_equal(autorestart, AUTORESTART_NEVER);
    assert_int_equal(value_parse_autorestart("", &autorestart, &err), -1);
    assert_int_equal(value_parse_log_level("DEBUG", &level, &err), 0);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(value_parse_log_level("loud", &level, &err), -1);
    assert_int_equal(value_parse_log_level("20", &level, &err), -1);
    assert_int_equal(value_parse_signal("sigusr1", &number, &err), 0);
    assert_int_equal(number, SIGUSR1);
    assert_int_equal(value_parse_signal("99", &number, &err), -1);
}

static void exit_codes(void **state)
{
    static const char *const bad[] = {"256", "-1", "a", "0,,2", "0,", ",", "0 2"};
    int *codes = NULL;
    size_t count = 0;

    (void)state;
    assert_int_equal(value_parse_exitcodes("0, 2,255", &codes, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], 2);
    assert_int_equal(codes[2], 255);
    free(codes);
    assert_int_equal(value_parse_exitcodes("  ", &codes, &count, &err), 0);
    assert_int_equal(count, 0);
    assert_null(codes);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(value_parse_exitcodes(bad[i], &codes, &count, &err), -1);
}

static void lists(void **state)
{
    char **words;
    size_t count;

    (void)state;
    value_split_list(" a , b,c d,,", &words, &count);
    assert_int_equal(count, 5);
    assert_string_equal(words[0], "a");
    assert_string_equal(words[1], "b");
    assert_string_equal(words[2], "c d");
    assert_string_equal(words[3], "");
    value_free_list(words, count);
    value_split_list(" \n", &words, &count);
    assert_int_equal(count, 0);
    value_free_list(words, count);
}

static void accounts(void **state)
{
    struct config_account account = {0};
    gid_t group = 0;

    (void)state;
    assert_int_equal(value_parse_account("root", &account, &err), 0);
    assert_true(account.is_set);
    assert_int_equal(account.uid, 0);
    assert_string_equal(account.name, "root");
    free(account.name);
    assert_int_equal(value_parse_account("0", &account, &err), 0);
    assert_string_equal(account.name, "root");
    free(account.name);
    assert_int_equal(value_parse_account("no-such-user-x", &account, &err), -1);
    assert_string_equal(err.text, "invalid user name no-such-user-x");
    assert_int_equal(value_parse_account("", &account, &err), -1);
    assert_int_equal(value_parse_account("4294967295", &account, &err), -1);
    assert_string_equal(err.text, "invalid user id 4294967295");
    assert_int_equal(value_parse_account("99999999999999999999", &account, &err), -1);

    assert_int_equal(value_parse_owner("root", &account, &group, &err), 0);
    assert_true(group == (gid_t)-1);
    free(account.name);
    assert_int_equal(value_parse_owner("0:0", &account, &group, &err), 0);
    assert_int_equal(group, 0);
    free(account.name);
    assert_int_equal(value_parse_owner("root:no-such-group-x", &account, &group, &err), -1);
    assert_string_equal(err.text, "invalid group name no-such-group-x");
    assert_int_equal(value_parse_owner("root:root:root", &account, &group, &err), -1);
    assert_int_equal(value_parse_owner(":root", &account, &group, &err), -1);
    assert_int_equal(value_parse_owner("", &account, &group, &err), -1);
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
    } good[] = {{"127.0.0.1:9001", "127.0.0.1", 9001},
                {":1", "", 1},
                {"*:65535", "*", 65535},
                {"9001", "", 9001},
                {"[::1]:80", "[::1]", 80}};
    static const char *const bad[] = {"", "x", "h:", "h:x", "h:0", "h:65536", "h:-1", "65536"};
    char *host = NULL;
    int port = 0;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(value_parse_address(good[i].text, &host, &port, &err), 0);
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
        free(host);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(value_parse_address(bad[i], &host, &port, &err), -1);
}

static void assert_home(const char *text, const char *expected)
{
    char *path = value_resolve_home(text);

    assert_string_equal(path, expected);
    free(path);
}

static void paths(void **state)
{
    char here[4096];

    (void)state;
    assert_int_equal(setenv("HOME", "/home/x", 1), 0);
    assert_home("~", "/home/x");
    assert_home("~/a", "/home/x/a");
    assert_home("~root/a", "/root/a");
    assert_home("~no-such-user-x/a", "~no-such-user-x/a");
    assert_home("a~", "a~");
    assert_int_equal(value_check_parent("/tmp/x", &err), 0);
    assert_int_equal(value_check_parent("x", &err), 0);
    assert_int_equal(value_check_parent("/x", &err), 0);
    assert_int_equal(value_check_parent("/nowhere/x", &err), -1);
    assert_string_equal(err.text, "the directory named as part of the path /nowhere/x does not exist");
    assert_int_equal(value_check_parent("/etc/passwd/x", &err), -1);
    assert_int_equal(chdir("/tmp"), 0);
    assert_non_null(getcwd(here, sizeof here));
    char *path = value_make_absolute("a/b");
    assert_int_equal(strncmp(path, here, strlen(here)), 0);
    assert_string_equal(path + strlen(here), "/a/b");
    free(path);
    assert_int_equal(chdir("/"), 0);
    path = value_make_absolute("a");
    assert_string_equal(path, "/a");
    free(path);
}

static void names_have_rules(void **state)
{
    static const char *const bad[] = {"", "a b", "a:b", "a/b", "a\tb", "a\nb", "a\x7f", " "};

    (void)state;
    assert_int_equal(value_check_name("caf\xc3\xa9-[1]_x.y", &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(value_check_name(bad[i], &err), -1);
}

/* The pairs as "NAME=value;" in a row. */
static void assert_environment(const char *text, const char *expected)
{
    struct config_environment environment;
    char got[256] = "";

    if (value_parse_environment(text, &environment, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < environment.count; i++) {
        const size_t used = strlen(got);
        (void)snprintf(got + used, sizeof got - used, "%s=%s;", environment.variables[i].name,
                       environment.variables[i].value);
    }
    assert_string_equal(got, expected);
    value_release_environment(&environment);
}

static void environments(void **state)
{
    static const char *const bad[] = {"A",     "A=",     "=1", "A=1 B=2", "A=1,,B=2", "A B=1",
                                      "A=\"1", "A='x\"", ",",  "A=a$b",   "\"A\"=1"};
    struct config_environment environment;

    (void)state;
    assert_environment("", "");
    assert_environment("A=1", "A=1;");
    assert_environment("A=1,B=2,", "A=1;B=2;");
    assert_environment("A = x , B = 2", "A=x;B=2;");
    assert_environment("A=\"x,y\",B='a\nb'", "A=x,y;B=a\nb;");
    assert_environment("A=\"1\"\n,B=2\n,C=3,", "A=1;B=2;C=3;");
    assert_environment("A=\"\"", "A=;");
    assert_environment("A=/usr/bin:/x_y.z+(a)-b", "A=/usr/bin:/x_y.z+(a)-b;");
    assert_environment("A=\"say 'x' now\"", "A=say 'x' now;");
    assert_environment("A=\"back\\slash\\\"", "A=back\\slash\\;");
    assert_environment("a=1,A=2,a=3", "a=3;A=2;");
    assert_environment("A=caf\xc3\xa9,B=1", "A=caf\xc3\xa9;B=1;");
    /* as the original does it */
    assert_environment("A=\"'x'\"", "A=x;");
    assert_environment("A=\"a\"b\"c\"", "A=a;");
    assert_environment("A=1 'x'", "A=1;");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (value_parse_environment(bad[i], &environment, &err) == 0)
            fail_msg("%s", bad[i]);
}

static void assert_words(const char *command, const char *expected)
{
    char **words = config_split_command(command, &err);
    char got[256] = "";

    assert_non_null(words);
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        const size_t used = strlen(got);
        (void)snprintf(got + used, sizeof got - used, "<%s>", words[i]);
    }
    assert_string_equal(got, expected);
    config_free_words(words);
}

static void commands(void **state)
{
    (void)state;
    assert_words("/bin/cat", "</bin/cat>");
    assert_words("  a  b\tc\nd ", "<a><b><c><d>");
    assert_words("a \"b c\" 'd e'", "<a><b c><d e>");
    assert_words("a b\"c d\"e", "<a><bc de>");
    assert_words("a \"\" ''", "<a><><>");
    assert_words("a \\\"b\\ c", "<a><\"b c>");
    assert_words("a \"b\\\"c\\d\"", "<a><b\"c\\d>");
    assert_words("a 'b\\c'", "<a><b\\c>");
    assert_words("a $HOME ~ * | > #x", "<a><$HOME><~><*><|><>><#x>");
    assert_null(config_split_command("", &err));
    assert_string_equal(err.text, "command is empty");
    assert_null(config_split_command(" \n", &err));
    assert_null(config_split_command("a \"b", &err));
    assert_string_equal(err.text, "No closing quotation");
    assert_null(config_split_command("a 'b", &err));
    assert_null(config_split_command("a \\", &err));
    assert_string_equal(err.text, "No escaped character");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans),
        cmocka_unit_test(integers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(octal_numbers),
        cmocka_unit_test(words_of_fixed_sets),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(lists),
        cmocka_unit_test(accounts),
        cmocka_unit_test(addresses),
        cmocka_unit_test(paths),
        cmocka_unit_test(names_have_rules),
        cmocka_unit_test(environments),
        cmocka_unit_test(commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
