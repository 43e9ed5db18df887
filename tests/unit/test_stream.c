#include "cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "output/stream.h"
#include "output/syslog_sink.h"

struct world {
    char directory[64];
    char path[80];
    struct event_base *loop;
    struct config_log config;
    struct stream *stream;
    int child; /* the child's end of the pipe */
};

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(w->directory, sizeof w->directory, "/tmp/test_stream.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    (void)snprintf(w->path, sizeof w->path, "%s/log", w->directory);
    w->loop = event_base_new();
    w->config.file = w->path;
    w->child = -1;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    stream_free(w->stream);
    fd_close(&w->child);
    event_base_free(w->loop);
    (void)unlink(w->path);
    (void)rmdir(w->directory);
    free(w);
    return 0;
}

static struct stream *world_stream(struct world *w, bool strip_ansi)
{
    return stream_new(&(struct stream_options){
        .loop = w->loop,
        .process_name = "cat",
        .channel = CONFIG_STDOUT,
        .config = &w->config,
        .strip_ansi = strip_ansi,
    });
}

/* Attaches a new pipe and returns the child's end of it. */
static int attach(struct stream *stream)
{
    int ends[2];
    struct error err;

    assert_int_equal(stream_open(stream, &err), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fd_set_nonblocking(ends[0]), 0);
    assert_int_equal(stream_attach(stream, ends[0], &err), 0);
    return ends[1];
}

static void world_start(struct world *w, bool strip_ansi)
{
    w->stream = world_stream(w, strip_ansi);
    w->child = attach(w->stream);
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Everything that is due now. */
static void turn(struct world *w)
{
    for (int i = 0; i < 8; i++)
        assert_true(event_base_loop(w->loop, EVLOOP_NONBLOCK) >= 0);
}

static void assert_file(const char *path, const char *expected)
{
    char text[1024];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd_read_all(fd, text, sizeof text - 1);

    assert_true(got >= 0);
    close(fd);
    text[got] = '\0';
    assert_string_equal(text, expected);
}

static void output_goes_to_the_file(void **state)
{
    struct world *w = *state;

    world_start(w, false);
    assert_string_equal(stream_log_path(w->stream), w->path);
    say(w->child, "hello\nunfinished");
    turn(w);
    assert_file(w->path, "hello\nunfinished");
}

static void last_words_are_not_lost(void **state)
{
    struct world *w = *state;

    world_start(w, false);
    say(w->child, "dying\n");
    stream_detach(w->stream, false);
    assert_file(w->path, "dying\n");
    assert_false(logfile_is_open(stream_logfile(w->stream)));
    fd_close(&w->child);
    w->child = attach(w->stream);
    say(w->child, "reborn\n");
    stream_detach(w->stream, true);
    assert_file(w->path, "dying\nreborn\n");
    assert_true(logfile_is_open(stream_logfile(w->stream)));
}

static void closed_output_does_not_spin(void **state)
{
    struct world *w = *state;

    world_start(w, false);
    say(w->child, "bye\n");
    fd_close(&w->child);
    turn(w);
    assert_int_equal(event_base_get_num_events(w->loop, EVENT_BASE_COUNT_ADDED), 0);
    stream_detach(w->stream, false);
    assert_file(w->path, "bye\n");
}

static void no_file_still_reads(void **state)
{
    struct world *w = *state;
    static char block[60000];

    w->config.file = NULL;
    world_start(w, false);
    assert_string_equal(stream_log_path(w->stream), "");
    assert_null(stream_logfile(w->stream));
    assert_int_equal(fd_set_nonblocking(w->child), 0);
    for (int i = 0; i < 5; i++) { /* more than a pipe holds */
        assert_int_equal(write(w->child, block, sizeof block), sizeof block);
        turn(w);
    }
}

static void escapes_are_stripped_across_reads(void **state)
{
    struct world *w = *state;

    world_start(w, true);
    say(w->child, "a\x1b[3");
    turn(w);
    say(w->child, "1mb\x1b[0mc\n\x1b[");
    turn(w);
    assert_file(w->path, "abc\n");
    stream_detach(w->stream, false);
    assert_file(w->path, "abc\n\x1b[");
}

static void large_output_arrives_whole(void **state)
{
    struct world *w = *state;
    struct stat status;
    char line[64];
    off_t written = 0;

    world_start(w, false);
    assert_int_equal(fd_set_nonblocking(w->child), 0);
    for (int i = 0; i < 100000; i++) {
        const int length = snprintf(line, sizeof line, "line %d of a long output\n", i);
        while (write(w->child, line, (size_t)length) < 0)
            turn(w);
        written += length;
    }
    stream_detach(w->stream, false);
    assert_int_equal(stat(w->path, &status), 0);
    assert_int_equal(status.st_size, written);
}

static char debug_text[512];

static void keep_line(void *context, enum log_level level, const char *line, size_t length)
{
    (void)context;
    (void)level;
    assert_true(length < sizeof debug_text);
    memcpy(debug_text, line, length);
    debug_text[length] = '\0';
}

static void debug_level_shows_the_output(void **state)
{
    struct world *w = *state;

    log_set_sink(keep_line, NULL);
    log_set_level(LOG_LEVEL_DEBUG);
    world_start(w, false);
    say(w->child, "words\n");
    turn(w);
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(NULL, NULL);
    assert_string_equal(debug_text + strlen("2007-09-08 14:43:22,886 "), "DEBG 'cat' stdout output:\nwords\n\n");
}

static void unusable_log_is_known_before_there_is_a_child(void **state)
{
    struct world *w = *state;
    struct error err;

    (void)snprintf(w->path, sizeof w->path, "/nowhere/log");
    w->stream = world_stream(w, false);
    assert_int_equal(stream_open(w->stream, &err), -1);
    assert_non_null(strstr(err.text, "/nowhere/log"));
}

static void pipe_that_cannot_be_waited_for_is_read_at_the_end(void **state)
{
    struct world *w = *state;
    char words[] = "/tmp/test_stream_words.XXXXXX";
    const int file = mkstemp(words); /* epoll takes no regular file */
    struct error err;

    assert_true(file >= 0);
    assert_int_equal(unlink(words), 0);
    w->stream = world_stream(w, false);
    assert_int_equal(stream_open(w->stream, &err), 0);
    assert_int_equal(stream_attach(w->stream, file, &err), -1);
    assert_non_null(strstr(err.text, "output of cat"));
    say(file, "words\n");
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    stream_detach(w->stream, false);
    assert_file(w->path, "words\n");
}

/* Makes a FIFO the log and returns its reading end. */
static int world_console(struct world *w)
{
    int fd;

    assert_int_equal(mkfifo(w->path, 0600), 0);
    fd = open(w->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Reads until nothing comes any more; how many bytes. */
static size_t swallow(struct world *w, int fd)
{
    static char block[65536];
    size_t total = 0;

    for (int idle = 0; idle < 3;) {
        const ssize_t got = read(fd, block, sizeof block);
        idle = got > 0 ? 0 : idle + 1;
        total += got > 0 ? (size_t)got : 0;
        turn(w);
    }
    return total;
}

static void full_console_holds_the_child_and_loses_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP_FD int console = world_console(w);
    static char block[4096];
    size_t written = 0;
    size_t seen;

    world_start(w, false);
    assert_null(stream_logfile(w->stream));
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    assert_int_equal(fd_set_nonblocking(w->child), 0);
    while (write(w->child, block, sizeof block) == sizeof block) { /* ends only by back-pressure */
        written += sizeof block;
        turn(w);
        assert_true(written < ((size_t)8 << 20));
    }
    seen = swallow(w, console);
    say(w->child, "end\n");
    seen += swallow(w, console);
    assert_int_equal(seen, written + 4);
}

static void lines_on_a_console_do_not_mix(void **state)
{
    struct world *w = *state;
    CLEANUP_FD int console = world_console(w);
    struct stream *other = world_stream(w, false);
    int other_child = attach(other);
    char text[64] = "";

    world_start(w, false);
    say(w->child, "one ");
    turn(w);
    say(other_child, "two\n");
    turn(w);
    say(w->child, "line\n");
    turn(w);
    assert_true(read(console, text, sizeof text - 1) > 0);
    assert_string_equal(text, "two\none line\n");
    say(other_child, "rest");
    stream_free(other);
    fd_close(&other_child);
    memset(text, 0, sizeof text);
    assert_true(read(console, text, sizeof text - 1) > 0);
    assert_string_equal(text, "rest");
}

static void dead_console_drops_and_does_not_block(void **state)
{
    struct world *w = *state;
    int console = world_console(w);
    static char block[60000];

    world_start(w, false);
    fd_close(&console);
    assert_int_equal(fd_set_nonblocking(w->child), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write(w->child, block, sizeof block), sizeof block);
        turn(w);
    }
}

static void system_log_gets_whole_lines(void **state)
{
    struct world *w = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    static const char *const expected[] = {": cat one", ": cat ", ": cat two"};
    char text[256];

    memcpy(address.sun_path, w->path, sizeof w->path);
    assert_int_equal(bind(receiver, (const struct sockaddr *)&address, sizeof address), 0);
    syslog_sink_set_path(w->path);
    w->config = (struct config_log){.syslog = true};
    world_start(w, false);
    say(w->child, "o");
    turn(w);
    say(w->child, "ne\n\ntwo");
    stream_detach(w->stream, false);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const ssize_t got = recv(receiver, text, sizeof text - 1, 0);
        assert_true(got > 0);
        text[got] = '\0';
        assert_string_equal(text + got - strlen(expected[i]), expected[i]);
    }
    assert_int_equal(recv(receiver, text, sizeof text, 0), -1);
    syslog_sink_set_path("/dev/log");
}

/* --- capture mode and events -------------------------------------------------------------------------------------- */

#define BEGIN "<!--XSUPERVISOR:BEGIN-->"
#define END "<!--XSUPERVISOR:END-->"

static char logged[256];
static char captured[256];

static void on_logged(void *context, enum config_stream channel, const char *bytes, size_t length)
{
    (void)context;
    assert_int_equal(channel, CONFIG_STDOUT);
    strncat(logged, bytes, length);
}

static void on_captured(void *context, enum config_stream channel, const char *bytes, size_t length)
{
    const size_t used = strlen(captured);

    (void)context;
    assert_int_equal(channel, CONFIG_STDOUT);
    (void)snprintf(captured + used, sizeof captured - used, "[%.*s]", (int)length, bytes);
}

static void world_start_observed(struct world *w, bool strip_ansi)
{
    static const struct stream_observer observer = {.logged = on_logged, .captured = on_captured};

    logged[0] = captured[0] = '\0';
    w->config.events_enabled = true;
    w->stream = stream_new(&(struct stream_options){
        .loop = w->loop,
        .process_name = "cat",
        .channel = CONFIG_STDOUT,
        .config = &w->config,
        .strip_ansi = strip_ansi,
        .observer = &observer,
    });
    w->child = attach(w->stream);
}

static void messages_stay_out_of_the_log(void **state)
{
    struct world *w = *state;

    w->config.capture_maxbytes = 5;
    world_start_observed(w, false);
    say(w->child, "before" BEGIN "long mes");
    turn(w);
    assert_string_equal(captured, "");
    say(w->child, "sage" END "after\n" BEGIN END "<!-");
    turn(w);
    assert_file(w->path, "beforeafter\n");
    assert_string_equal(captured, "[ssage][]");
    stream_detach(w->stream, false);
    assert_file(w->path, "beforeafter\n<!-");
    assert_string_equal(logged, "beforeafter\n<!-");
}

static void message_ends_with_its_child(void **state)
{
    struct world *w = *state;

    w->config.capture_maxbytes = 100;
    world_start_observed(w, false);
    say(w->child, "x" BEGIN "old");
    stream_detach(w->stream, false);
    fd_close(&w->child);
    w->child = attach(w->stream);
    say(w->child, "y" BEGIN "new" END);
    turn(w);
    assert_file(w->path, "xy");
    assert_string_equal(captured, "[new]");
}

static void escapes_are_stripped_from_messages_too(void **state)
{
    struct world *w = *state;

    w->config.capture_maxbytes = 100;
    world_start_observed(w, true);
    say(w->child, "\x1b[31mred\x1b[" BEGIN "\x1b[32mme\x1b[0mssage\x1b[" END "\x1b[0mout\n");
    turn(w);
    assert_file(w->path, "red\x1b[out\n");
    assert_string_equal(logged, "red\x1b[out\n");
    assert_string_equal(captured, "[message\x1b[]");
}

static void without_capture_mode_tags_are_text(void **state)
{
    struct world *w = *state;

    world_start_observed(w, false);
    say(w->child, BEGIN "message" END "\n");
    turn(w);
    assert_file(w->path, BEGIN "message" END "\n");
    assert_string_equal(captured, "");
}

/* --- prefixes ----------------------------------------------------------------------------------------------------- */

static char cat_prefix[] = "cat |";

static void each_line_has_its_prefix_once(void **state)
{
    struct world *w = *state;

    w->config.prefix = cat_prefix;
    world_start_observed(w, false);
    say(w->child, "one\ntwo");
    turn(w);
    assert_file(w->path, "cat | one\ncat | two");
    say(w->child, " and a half\n\nthree\n");
    turn(w);
    assert_file(w->path, "cat | one\ncat | two and a half\ncat | \ncat | three\n");
    assert_string_equal(logged, "one\ntwo and a half\n\nthree\n");
}

static void unfinished_line_with_a_prefix_is_ended(void **state)
{
    struct world *w = *state;

    w->config.prefix = cat_prefix;
    world_start(w, false);
    say(w->child, "dying");
    stream_detach(w->stream, false);
    fd_close(&w->child);
    w->child = attach(w->stream);
    say(w->child, "reborn\n");
    stream_detach(w->stream, false);
    assert_file(w->path, "cat | dying\ncat | reborn\n");
}

static void prefixed_lines_rotate_whole(void **state)
{
    struct world *w = *state;

    w->config.prefix = cat_prefix;
    w->config.maxbytes = 20;
    world_start(w, false);
    say(w->child, "12345678\nabc");
    turn(w);
    say(w->child, "defgh\n");
    turn(w);
    assert_file(w->path, "cat | abcdefgh\n");
}

int main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(output_goes_to_the_file),
        WORLD_TEST(last_words_are_not_lost),
        WORLD_TEST(closed_output_does_not_spin),
        WORLD_TEST(no_file_still_reads),
        WORLD_TEST(escapes_are_stripped_across_reads),
        WORLD_TEST(large_output_arrives_whole),
        WORLD_TEST(debug_level_shows_the_output),
        WORLD_TEST(unusable_log_is_known_before_there_is_a_child),
        WORLD_TEST(pipe_that_cannot_be_waited_for_is_read_at_the_end),
        WORLD_TEST(full_console_holds_the_child_and_loses_nothing),
        WORLD_TEST(lines_on_a_console_do_not_mix),
        WORLD_TEST(dead_console_drops_and_does_not_block),
        WORLD_TEST(system_log_gets_whole_lines),
        WORLD_TEST(messages_stay_out_of_the_log),
        WORLD_TEST(message_ends_with_its_child),
        WORLD_TEST(escapes_are_stripped_from_messages_too),
        WORLD_TEST(without_capture_mode_tags_are_text),
        WORLD_TEST(each_line_has_its_prefix_once),
        WORLD_TEST(unfinished_line_with_a_prefix_is_ended),
        WORLD_TEST(prefixed_lines_rotate_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
