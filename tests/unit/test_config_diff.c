#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/containers.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/option_types.h"

static char path[] = "/tmp/test-config-diff-XXXXXX";

static struct config *load(const char *text)
{
    const struct config_load_options options = {0};
    struct error err;
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
    struct config *config = config_load(path, &options, &err);
    if (config == NULL)
        fail_msg("%s", err.text);
    return config;
}

/* "+a ~b -c" */
static void assert_diff(const char *before, const char *after, const char *expected)
{
    struct config *old = load(before);
    struct config *fresh = load(after);
    struct config_diff diff;
    UT_string got;

    utstring_init(&got);
    utstring_printf(&got, "%s", "");
    config_diff_compute(&diff, old->groups, old->group_count, fresh);
    for (size_t i = 0; i < diff.added_count; i++)
        utstring_printf(&got, "+%s ", diff.added[i]);
    for (size_t i = 0; i < diff.changed_count; i++)
        utstring_printf(&got, "~%s ", diff.changed[i]);
    for (size_t i = 0; i < diff.removed_count; i++)
        utstring_printf(&got, "-%s ", diff.removed[i]);
    assert_string_equal(utstring_body(&got), expected);
    utstring_done(&got);
    config_diff_release(&diff);
    config_unref(old);
    config_unref(fresh);
}

#define BASE "[supervisord]\n"
#define A "[program:a]\ncommand=/bin/cat\n"
#define B "[program:b]\ncommand=/bin/cat\n"
#define C "[program:c]\ncommand=/bin/cat\n"
#define F "[fcgi-program:f]\ncommand=/bin/cat\nsocket=unix:///tmp/f\n"
#define L "[eventlistener:l]\ncommand=/bin/cat\nevents=EVENT\n"

static void groups_come_and_go(void **state)
{
    (void)state;
    assert_diff(BASE, BASE, "");
    assert_diff(BASE A, BASE A, "");
    assert_diff(BASE A, BASE A B, "+b ");
    assert_diff(BASE A B, BASE A, "-b ");
    assert_diff(BASE A, BASE B, "+b -a ");
    assert_diff(BASE A B, BASE B A, "");
    assert_diff(BASE A B, BASE A B "[group:g]\nprograms=a,b\n", "+g -a -b ");
    assert_diff(BASE A B "[group:g]\nprograms=a,b\n", BASE A B "[group:g]\nprograms=b,a\n", "~g ");
    assert_diff(BASE A "[group:g]\nprograms=a\n", BASE A "[group:g]\nprograms=a\npriority=1\n", "~g ");
    assert_diff(BASE A, BASE A "exitcodes=\n", "~a ");
    assert_diff(BASE A "exitcodes=0,5\n", BASE A "exitcodes=5,0\n", "~a ");
    assert_diff(BASE A "stdout_logfile=NONE\n", BASE A "stdout_logfile=syslog\n", "~a ");
    assert_diff(BASE A, BASE A "numprocs=0\n", "~a ");
    assert_diff(BASE A, BASE "[fcgi-program:a]\ncommand=/bin/cat\nsocket=unix:///tmp/f\n", "~a ");
    assert_diff(BASE A L F, BASE A L F, "");
}

/* A value of each kind that is no option's default. */
static const struct {
    const struct option_type *type;
    const char *value;
} values[] = {
    {&option_type_integer, "5"},
    {&option_type_natural, "5"},
    {&option_type_positive, "5"},
    {&option_type_numprocs, "2"},
    {&option_type_size, "5"},
    {&option_type_mode, "0444"},
    {&option_type_signal, "USR1"},
    {&option_type_autorestart, "true"},
    {&option_type_text, "/etc"},
    {&option_type_name, "other"},
    {&option_type_server_url, "http://h:1"},
    {&option_type_socket_url, "unix:///tmp/other"},
    {&option_type_log, "/tmp/other"},
    {&option_type_account, "root"},
    {&option_type_account_owner, "root"},
    {&option_type_environment, "X=1"},
    {&option_type_exitcodes, "5"},
    {&option_type_events, "TICK_60"},
    {&option_type_list, "b"},
};

static const char *another_value(const struct option *option)
{
    if (option->type == &option_type_boolean)
        return option->preset != NULL && strcmp(option->preset, "true") == 0 ? "false" : "true";
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (values[i].type == option->type)
            return values[i].value;
    fail_msg("no other value is known for %s", option->name);
    return NULL;
}

/* What stdout is to a listener is not up to the file, and there is one result handler. */
static bool is_fixed(const struct option_section *section, const char *option)
{
    static const char *const fixed[] = {"redirect_stderr", "stdout_capture_maxbytes", "stdout_events_enabled",
                                        "result_handler"};

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(section->name, "eventlistener") == 0 && strcmp(fixed[i], option) == 0)
            return true;
    return false;
}

#define NUMBERED "process_name=x%(process_num)d\n"

static void check_option(const struct option_section *section, const struct option *option, void *context)
{
    static const struct {
        const char *section;
        const char *text;
        const char *expected;
    } bases[] = {
        {"program", BASE B A NUMBERED, "~a "},
        {"fcgi-program", BASE B F NUMBERED, "~f "},
        {"eventlistener", BASE B L NUMBERED, "~l "},
        {"group", BASE A B C "[group:g]\nprograms=a,b\n", "~g "},
    };
    int *count = context;

    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        if (strcmp(bases[i].section, section->name) != 0 || is_fixed(section, option->name))
            continue;
        CLEANUP_FREE char *changed = xasprintf("%s%s=%s\n", bases[i].text, option->name, another_value(option));
        if (option->type == &option_type_list) {
            assert_diff(bases[i].text, changed, "+a ~g ");
            continue;
        }
        assert_diff(bases[i].text, changed, bases[i].expected);
        assert_diff(changed, bases[i].text, bases[i].expected);
        assert_diff(changed, changed, "");
        (*count)++;
    }
}

static void each_option_counts(void **state)
{
    int count = 0;

    (void)state;
    option_visit_all(check_option, &count);
    assert_true(count > 90);
}

static void environments_are_compared_whole(void **state)
{
    (void)state;
    assert_diff(BASE A "environment=X=1,Y=2\n", BASE A "environment=X=1,Y=3\n", "~a ");
    assert_diff(BASE A "environment=X=1\n", BASE A "environment=Y=1\n", "~a ");
    assert_diff(BASE A "environment=X='1'\n", BASE A "environment=X=\"1\"\n", "");
    assert_diff(BASE A "environment=X=1,Y=2\n", BASE A "environment=Y=2,X=1\n", "");
    assert_diff(BASE A "environment=X=1,Y=2\n", BASE A "environment=X=2,Y=1\n", "~a ");
    assert_diff(BASE A "environment=X=1\n", BASE A "environment=X=1,Y=2\n", "~a ");
}

static void sockets_and_pools_count(void **state)
{
    (void)state;
    assert_diff(BASE F, BASE F "socket_owner=root:root\n", "~f ");
    assert_diff(BASE F "socket_owner=root\n", BASE F "socket_owner=root:root\n", "~f ");
    assert_diff(BASE F "socket=tcp://h:1\n", BASE F "socket=tcp://h:2\n", "~f ");
    assert_diff(BASE L, BASE L "events=EVENT,TICK_5\n", "~l ");
    assert_diff(BASE L "events=TICK_5,TICK_60\n", BASE L "events=TICK_60,TICK_5,TICK_60\n", "");
}

static void other_sections_do_not_count(void **state)
{
    (void)state;
    assert_diff(BASE A, BASE "identifier=x\n" A "[inet_http_server]\nport=1\n", "");
}

static int set_up(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_come_and_go),
        cmocka_unit_test(each_option_counts),
        cmocka_unit_test(environments_are_compared_whole),
        cmocka_unit_test(sockets_and_pools_count),
        cmocka_unit_test(other_sections_do_not_count),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
