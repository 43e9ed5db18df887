#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/containers.h"
#include "config/diff.h"
#include "config/load.h"

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
    assert_diff(BASE A, BASE "[fcgi-program:a]\ncommand=/bin/cat\nsocket=unix:///tmp/f\n", "~a ");
    assert_diff(BASE A L F, BASE A L F, "");
}

/* A value for each option that is not the default. */
static void each_option_of_a_program_counts(void **state)
{
    static const char *const lines[] = {
        "command=/bin/true",
        "process_name=other",
        "priority=5",
        "autostart=false",
        "autorestart=true",
        "startsecs=5",
        "startretries=5",
        "exitcodes=0,5",
        "exitcodes=5",
        "exitcodes=",
        "stopsignal=INT",
        "stopwaitsecs=5",
        "stopasgroup=true",
        "killasgroup=true",
        "user=root",
        "redirect_stderr=true",
        "stdout_syslog=true",
        "stdout_logfile=/tmp/x",
        "stdout_logfile=NONE",
        "stdout_logfile_maxbytes=5",
        "stdout_logfile_backups=5",
        "stdout_capture_maxbytes=5",
        "stdout_events_enabled=true",
        "stderr_syslog=true",
        "stderr_logfile=/tmp/x",
        "stderr_logfile_maxbytes=5",
        "stderr_logfile_backups=5",
        "stderr_capture_maxbytes=5",
        "stderr_events_enabled=true",
        "environment=A=1",
        "directory=/tmp",
        "umask=077",
        "serverurl=http://h:1",
        "numprocs=0",
        "numprocs=2\nprocess_name=%(process_num)d",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CLEANUP_FREE char *changed = xasprintf(BASE A "%s\n" B, lines[i]);
        assert_diff(BASE A B, changed, "~a ");
        assert_diff(changed, BASE A B, "~a ");
        assert_diff(changed, changed, "");
    }
}

static void environments_are_compared_whole(void **state)
{
    (void)state;
    assert_diff(BASE A "environment=X=1,Y=2\n", BASE A "environment=X=1,Y=3\n", "~a ");
    assert_diff(BASE A "environment=X=1\n", BASE A "environment=Y=1\n", "~a ");
    assert_diff(BASE A "environment=X='1'\n", BASE A "environment=X=\"1\"\n", "");
}

static void sockets_and_pools_count(void **state)
{
    (void)state;
    assert_diff(BASE F, BASE F "socket=unix:///tmp/g\n", "~f ");
    assert_diff(BASE F, BASE F "socket_mode=0600\n", "~f ");
    assert_diff(BASE F, BASE F "socket_owner=root\n", "~f ");
    assert_diff(BASE F, BASE F "socket_backlog=5\n", "~f ");
    assert_diff(BASE L, BASE L "buffer_size=5\n", "~l ");
    assert_diff(BASE L, BASE L "events=TICK_5\n", "~l ");
    assert_diff(BASE L, BASE L "events=EVENT,TICK_5\n", "~l ");
    assert_diff(BASE L, BASE L "priority=5\n", "~l ");
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
        cmocka_unit_test(each_option_of_a_program_counts),
        cmocka_unit_test(environments_are_compared_whole),
        cmocka_unit_test(sockets_and_pools_count),
        cmocka_unit_test(other_sections_do_not_count),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
