#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"

static void signals_are_known_by_name_and_number(void **state)
{
    (void)state;
    assert_int_equal(signal_by_name("TERM"), SIGTERM);
    assert_int_equal(signal_by_name("sigusr1"), SIGUSR1);
    assert_int_equal(signal_by_name("9"), SIGKILL);
    assert_int_equal(signal_by_name("0"), -1);
    assert_int_equal(signal_by_name("15x"), -1);
    assert_int_equal(signal_by_name("9999"), -1);
    assert_int_equal(signal_by_name("NOSUCH"), -1);
    assert_int_equal(signal_by_name(""), -1);
    assert_string_equal(signal_name(SIGHUP), "SIGHUP");
}

static void utf8_is_checked_strictly(void **state)
{
    (void)state;
    assert_true(text_utf8_valid("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15));
    assert_false(text_utf8_valid("\xc0\xaf", 2));         /* overlong */
    assert_false(text_utf8_valid("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(text_utf8_valid("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    assert_false(text_utf8_valid("\xe2\x82", 2));         /* cut off */
    assert_true(text_utf8_valid("", 0));
}

static void secrets_compare_whole(void **state)
{
    (void)state;
    assert_true(text_equal_secret("abc", 3, "abc", 3));
    assert_false(text_equal_secret("abcabc", 6, "abc", 3));
    assert_false(text_equal_secret("abd", 3, "abc", 3));
    assert_false(text_equal_secret("", 0, "abc", 3));
    assert_false(text_equal_secret("a", 1, "", 0));
    assert_true(text_equal_secret("", 0, "", 0));
}

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(text_distance("autostart", "autostart"), 0);
    assert_int_equal(text_distance("autosart", "autostart"), 1);
    assert_int_equal(text_distance("comamnd", "command"), 1);
    assert_int_equal(text_distance("", "abc"), 3);
}

static void errors_carry_cause_and_context(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_from_errno(&err, ENOENT, "cannot open %s", "/x"), -1);
    assert_int_equal(err.os, ENOENT);
    assert_string_equal(err.text, "cannot open /x: No such file or directory");
    error_prefix(&err, "program %s", "cat");
    assert_string_equal(err.text, "program cat: cannot open /x: No such file or directory");
    assert_string_equal(error_errno_name(ENOENT), "ENOENT");
    assert_string_equal(fault_name(FAULT_BAD_NAME), "BAD_NAME");
}

static char last_line[256];

static void keep_line(void *context, enum log_level level, const char *line, size_t length)
{
    (void)context;
    (void)level;
    assert_true(length < sizeof last_line);
    memcpy(last_line, line, length);
    last_line[length] = '\0';
}

static void log_lines_have_time_level_and_text(void **state)
{
    (void)state;
    log_set_sink(keep_line, NULL);
    log_set_level(LOG_LEVEL_INFO);
    log_info("spawned: '%s'", "cat");
    assert_string_equal(last_line + strlen("2007-09-08 14:43:22,886 "), "INFO spawned: 'cat'\n");
    assert_int_equal(last_line[19], ',');
    last_line[0] = '\0';
    log_debug("silent");
    assert_string_equal(last_line, "");
    log_set_sink(NULL, NULL);
    assert_int_equal(log_level_by_name("WARN"), LOG_LEVEL_WARN);
    assert_int_equal(log_level_by_name("loud"), -1);
}

static void log_lines_stay_one_line(void **state)
{
    (void)state;
    log_set_sink(keep_line, NULL);
    log_error("of %s", "others\n2026-01-01 00:00:00,000 CRIT \033[2J\x7f\tforged");
    log_set_sink(NULL, NULL);
    assert_non_null(strstr(last_line, "others?2026-01-01 00:00:00,000 CRIT ?[2J?\tforged\n"));
}

static void links_are_followed_only_where_nobody_else_could_put_them(void **state)
{
    char directory[] = "/tmp/wary-XXXXXX";
    char link[64];
    char fifo[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(link, sizeof link, "%s/link", directory);
    (void)snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    assert_int_equal(symlink("/dev/null", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int fd = fd_open_warily(link, O_RDONLY, 0);
    assert_true(fd >= 0);
    fd_close(&fd);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(fd_open_warily(link, O_RDONLY, 0), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(fd_open_warily(fifo, O_WRONLY, 0), -1);
    assert_int_equal(errno, ENXIO);
    unlink(link);
    unlink(fifo);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_known_by_name_and_number),
        cmocka_unit_test(utf8_is_checked_strictly),
        cmocka_unit_test(secrets_compare_whole),
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(errors_carry_cause_and_context),
        cmocka_unit_test(log_lines_have_time_level_and_text),
        cmocka_unit_test(log_lines_stay_one_line),
        cmocka_unit_test(links_are_followed_only_where_nobody_else_could_put_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
