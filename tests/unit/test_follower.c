#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "output/logfile.h"

struct world {
    char directory[64];
    char path[80];
    struct logfile *log;
    struct follower *follower;
    int calls; /* of the callback */
};

static void count_call(void *context)
{
    ((struct world *)context)->calls++;
}

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    (void)snprintf(w->directory, sizeof w->directory, "/tmp/test_follower.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    (void)snprintf(w->path, sizeof w->path, "%s/log", w->directory);
    *state = w;
    return 0;
}

static void remove_log(const struct world *w)
{
    char path[sizeof w->path + 8];

    (void)unlink(w->path);
    for (int generation = 1; generation <= 9; generation++) {
        (void)snprintf(path, sizeof path, "%s.%d", w->path, generation);
        (void)unlink(path);
    }
}

static int tear_down(void **state)
{
    struct world *w = *state;

    follower_free(w->follower);
    logfile_free(w->log);
    remove_log(w);
    (void)rmdir(w->directory);
    free(w);
    return 0;
}

static void world_make(struct world *w, int64_t maxbytes, int backups)
{
    w->log = logfile_new(&(struct logfile_options){w->path, maxbytes, backups, 0644});
}

static void world_open(struct world *w, int64_t maxbytes, int backups)
{
    struct error err;

    world_make(w, maxbytes, backups);
    assert_int_equal(logfile_open(w->log, &err), 0);
}

static void world_write(struct world *w, const char *text)
{
    logfile_write(w->log, text, strlen(text));
}

static void world_follow(struct world *w, size_t last)
{
    w->follower = logfile_follow(w->log, last, count_call, w);
}

/* Everything that can be read now, in small pieces. */
static void assert_reads(struct world *w, const char *expected)
{
    char text[4096] = "";
    size_t have = 0;
    ssize_t got;

    while ((got = follower_read(w->follower, text + have, 5)) > 0)
        have += (size_t)got;
    text[have] = '\0';
    assert_string_equal(text, expected);
}

static void begins_so_many_bytes_before_the_end(void **state)
{
    struct world *w = *state;

    world_open(w, 0, 0);
    world_write(w, "0123456789");
    world_follow(w, 4);
    assert_reads(w, "6789");
    world_write(w, "more");
    assert_int_equal(w->calls, 1);
    assert_reads(w, "more");
    follower_free(w->follower);
    world_follow(w, 1000);
    assert_reads(w, "0123456789more");
}

static void waits_for_a_file_that_is_not_there(void **state)
{
    struct world *w = *state;
    struct error err;

    world_make(w, 0, 0);
    world_follow(w, 10);
    assert_reads(w, "");
    assert_int_equal(logfile_open(w->log, &err), 0);
    world_write(w, "first\n");
    assert_true(w->calls > 0);
    assert_reads(w, "first\n");
}

static void reads_rotated_files_to_the_end(void **state)
{
    struct world *w = *state;

    world_open(w, 8, 5);
    world_follow(w, 0);
    world_write(w, "one\n");
    assert_reads(w, "one\n");
    world_write(w, "two\nthree\nfour\nfive\nsix\n");
    assert_reads(w, "two\nthree\nfour\nfive\nsix\n");
    world_write(w, "seven\n");
    assert_reads(w, "seven\n");
}

static void goes_on_with_the_oldest_when_it_was_too_slow(void **state)
{
    struct world *w = *state;

    world_open(w, 4, 2);
    world_follow(w, 0);
    world_write(w, "aa\n");
    assert_reads(w, "aa\n");
    world_write(w, "bb\ncc\ndd\nee\nff\n");
    assert_reads(w, "dd\nee\nff\n");
}

static void reads_a_line_that_was_moved_once(void **state)
{
    struct world *w = *state;

    world_open(w, 10, 3);
    world_follow(w, 0);
    world_write(w, "one\ntwo");
    assert_reads(w, "one\ntwo");
    world_write(w, "three\n");
    assert_reads(w, "three\n");
    world_write(w, "x");
    world_write(w, "yyyyyyyyy\n");
    assert_reads(w, "xyyyyyyyyy\n");
}

static void follows_without_backups(void **state)
{
    struct world *w = *state;

    world_open(w, 10, 0);
    world_follow(w, 0);
    world_write(w, "one\ntwo");
    assert_reads(w, "one\ntwo");
    world_write(w, "three\n");
    assert_reads(w, "three\n");
    world_write(w, "four\n");
    assert_reads(w, "four\n");
}

static void starts_again_after_clear_and_truncation(void **state)
{
    struct world *w = *state;
    struct error err;

    world_open(w, 0, 0);
    world_follow(w, 0);
    world_write(w, "a long line\n");
    assert_reads(w, "a long line\n");
    assert_int_equal(logfile_clear(w->log, &err), 0);
    world_write(w, "new\n");
    assert_reads(w, "new\n");
    assert_int_equal(truncate(w->path, 0), 0);
    world_write(w, "x\n");
    assert_reads(w, "x\n");
}

static void follows_a_reopened_log(void **state)
{
    struct world *w = *state;
    CLEANUP_FREE char *elsewhere = xasprintf("%s/elsewhere", w->directory);
    struct error err;

    world_open(w, 0, 0);
    world_follow(w, 0);
    assert_int_equal(rename(w->path, elsewhere), 0);
    world_write(w, "old\n");
    assert_int_equal(logfile_reopen(w->log, &err), 0);
    world_write(w, "new\n");
    assert_reads(w, "old\nnew\n");
    assert_int_equal(unlink(elsewhere), 0);
}

static void sees_the_end_when_the_log_is_freed(void **state)
{
    struct world *w = *state;
    char buffer[16];

    world_open(w, 0, 0);
    world_follow(w, 0);
    world_write(w, "last\n");
    remove_log(w);
    w->calls = 0;
    logfile_free(w->log);
    w->log = NULL;
    assert_int_equal(w->calls, 1);
    assert_int_equal(follower_read(w->follower, buffer, sizeof buffer), 5);
    assert_int_equal(follower_read(w->follower, buffer, sizeof buffer), -1);
}

int main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(begins_so_many_bytes_before_the_end),     WORLD_TEST(waits_for_a_file_that_is_not_there),
        WORLD_TEST(reads_rotated_files_to_the_end),          WORLD_TEST(goes_on_with_the_oldest_when_it_was_too_slow),
        WORLD_TEST(reads_a_line_that_was_moved_once),        WORLD_TEST(follows_without_backups),
        WORLD_TEST(starts_again_after_clear_and_truncation), WORLD_TEST(follows_a_reopened_log),
        WORLD_TEST(sees_the_end_when_the_log_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
