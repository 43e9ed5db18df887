#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "output/activity.h"
#include "output/syslog_sink.h"

struct world {
    char directory[64];
    char path[80];
    int real_stdout;
    int echo; /* the reading end of what replaces our stdout */
};

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    int ends[2];

    (void)snprintf(w->directory, sizeof w->directory, "/tmp/test_activity.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    (void)snprintf(w->path, sizeof w->path, "%s/log", w->directory);
    (void)fflush(stdout);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fd_set_nonblocking(ends[0]), 0);
    w->real_stdout = dup(STDOUT_FILENO);
    w->echo = ends[0];
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    close(ends[1]);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    activity_log_close();
    assert_true(dup2(w->real_stdout, STDOUT_FILENO) >= 0);
    close(w->real_stdout);
    fd_close(&w->echo);
    (void)unlink(w->path);
    (void)rmdir(w->directory);
    free(w);
    return 0;
}

static struct config_daemon settings(char *path)
{
    return (struct config_daemon){.logfile = path, .loglevel = LOG_LEVEL_INFO};
}

/* What can be read now. */
static void read_now(int fd, char *text, size_t size)
{
    const ssize_t got = read(fd, text, size - 1);

    text[got > 0 ? got : 0] = '\0';
}

static void read_path(const char *path, char *text, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    read_now(fd, text, size);
    close(fd);
}

static void lines_go_to_the_file_and_the_screen(void **state)
{
    struct world *w = *state;
    const struct config_daemon daemon = settings(w->path);
    char in_file[256];
    char on_screen[256];
    struct error err;

    assert_int_equal(activity_log_open(&daemon, true, &err), 0);
    log_info("hello");
    log_debug("not this");
    read_now(w->echo, on_screen, sizeof on_screen);
    read_path(w->path, in_file, sizeof in_file);
    assert_string_equal(in_file, on_screen);
    assert_non_null(strstr(in_file, " INFO hello\n"));
    assert_null(strstr(in_file, "not this"));
    assert_non_null(activity_log_file());
}

static void screen_that_takes_nothing_does_not_block(void **state)
{
    struct world *w = *state;
    const struct config_daemon daemon = settings(w->path);
    char text[1 << 17];
    struct error err;

    assert_int_equal(activity_log_open(&daemon, true, &err), 0);
    for (int i = 0; i < 5000; i++)
        log_info("a line of some length to fill the pipe: %d", i);
    read_now(w->echo, text, sizeof text);
    log_info("after the pause");
    read_now(w->echo, text, sizeof text);
    assert_non_null(strstr(text, "lines are missing here"));
    assert_non_null(strstr(text, "after the pause\n"));
    assert_int_equal(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

static void log_on_stdout_is_not_echoed_too(void **state)
{
    struct world *w = *state;
    char path[] = "/dev/stdout";
    const struct config_daemon daemon = settings(path);
    char text[256];
    struct error err;

    assert_int_equal(activity_log_open(&daemon, true, &err), 0);
    log_info("once");
    read_now(w->echo, text, sizeof text);
    assert_string_equal(strchr(text, '\n'), "\n");
    assert_null(activity_log_file());
}

static void unusable_file_is_an_error(void **state)
{
    char path[] = "/nowhere/log";
    const struct config_daemon daemon = settings(path);
    struct error err;

    (void)state;
    assert_int_equal(activity_log_open(&daemon, false, &err), -1);
    assert_non_null(strstr(err.text, "/nowhere/log"));
    assert_null(activity_log_file());
}

static void reopen_makes_the_file_anew(void **state)
{
    struct world *w = *state;
    const struct config_daemon daemon = settings(w->path);
    char text[256];
    struct error err;

    assert_int_equal(activity_log_open(&daemon, false, &err), 0);
    assert_int_equal(unlink(w->path), 0);
    assert_int_equal(activity_log_reopen(&err), 0);
    log_info("again");
    read_path(w->path, text, sizeof text);
    assert_non_null(strstr(text, "again"));
}

static void syslog_gets_each_line_as_a_message(void **state)
{
    struct world *w = *state;
    char path[] = "syslog";
    const struct config_daemon daemon = settings(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char text[256];
    struct error err;

    memcpy(address.sun_path, w->path, sizeof w->path);
    assert_int_equal(bind(receiver, (const struct sockaddr *)&address, sizeof address), 0);
    syslog_sink_set_path(w->path);
    assert_int_equal(activity_log_open(&daemon, false, &err), 0);
    log_info("to the system");
    read_now(receiver, text, sizeof text);
    assert_memory_equal(text, "<14>", 4);
    assert_non_null(strstr(text, ": 20"));
    assert_string_equal(text + strlen(text) - strlen("INFO to the system"), "INFO to the system");
    for (int i = 0; i < 1000; i++) /* a system log that does not read loses lines, not our time */
        log_info("more");
    assert_null(activity_log_file());
    activity_log_close();
    syslog_sink_set_path("/dev/log");
}

int main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(lines_go_to_the_file_and_the_screen), WORLD_TEST(screen_that_takes_nothing_does_not_block),
        WORLD_TEST(log_on_stdout_is_not_echoed_too),     WORLD_TEST(unusable_file_is_an_error),
        WORLD_TEST(reopen_makes_the_file_anew),          WORLD_TEST(syslog_gets_each_line_as_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
