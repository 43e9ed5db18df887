#include "cmocka_all.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/containers.h"
#include "base/log.h"
#include "output/logfile.h"

struct world {
    char directory[64];
    char path[80];
    struct logfile *log;
};

static int errors_logged;
static int infos_logged;

static void count_line(void *context, enum log_level level, const char *line, size_t length)
{
    (void)context;
    (void)line;
    (void)length;
    errors_logged += level == LOG_LEVEL_ERROR;
    infos_logged += level == LOG_LEVEL_INFO;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    (void)snprintf(w->directory, sizeof w->directory, "/tmp/test_logfile.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    (void)snprintf(w->path, sizeof w->path, "%s/log", w->directory);
    errors_logged = infos_logged = 0;
    log_set_sink(count_line, NULL);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    logfile_free(w->log);
    log_set_sink(NULL, NULL);
    (void)nftw(w->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

static struct logfile *world_open(struct world *w, int64_t maxbytes, int backups)
{
    struct error err;

    w->log = logfile_new(&(struct logfile_options){w->path, maxbytes, backups, 0644});
    assert_false(logfile_is_open(w->log));
    assert_int_equal(logfile_open(w->log, &err), 0);
    return w->log;
}

static void write_text(struct logfile *log, const char *text)
{
    logfile_write(log, text, strlen(text));
}

/* The contents of generation n (0: the log), or NULL when there is no such file. To free. */
static char *contents(const struct world *w, int generation)
{
    CLEANUP_FREE char *path = generation == 0 ? xstrdup(w->path) : xasprintf("%s.%d", w->path, generation);
    FILE *file = fopen(path, "re");
    struct stat status;
    char *text;

    if (file == NULL)
        return NULL;
    assert_int_equal(fstat(fileno(file), &status), 0);
    text = xcalloc(1, (size_t)status.st_size + 1);
    assert_int_equal(fread(text, 1, (size_t)status.st_size, file), status.st_size);
    (void)fclose(file);
    return text;
}

static void assert_contents(const struct world *w, int generation, const char *expected)
{
    CLEANUP_FREE char *text = contents(w, generation);

    if (expected == NULL) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void full_files_move_up_and_the_oldest_goes(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 8, 2);

    write_text(log, "one\n");
    write_text(log, "two\n"); /* exactly full: still one file */
    assert_contents(w, 1, NULL);
    write_text(log, "three\n");
    write_text(log, "four\nfive\nsix\nseven\n");
    assert_contents(w, 0, "seven\n");
    assert_contents(w, 1, "six\n");
    assert_contents(w, 2, "five\n");
    assert_contents(w, 3, NULL);
}

static void unfinished_line_moves_to_the_new_file(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 10, 3);

    write_text(log, "one\n");
    write_text(log, "tw");
    write_text(log, "o is long\n"); /* "two is long\n" does not fit into 10: torn, but only there */
    assert_contents(w, 2, "one\n");
    assert_contents(w, 1, "two is lon");
    assert_contents(w, 0, "g\n");
}

static void without_backups_the_file_starts_again(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 10, 0);

    write_text(log, "one\ntwo");
    write_text(log, "three\n");
    assert_contents(w, 0, "twothree\n");
    assert_contents(w, 1, NULL);
}

static void limit_zero_means_no_limit(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 0, 2);

    write_text(log, "a line\nand another one\n");
    assert_contents(w, 0, "a line\nand another one\n");
    assert_contents(w, 1, NULL);
}

static void remove_generations(const struct world *w, int count)
{
    for (int generation = 0; generation <= count; generation++) {
        CLEANUP_FREE char *path = generation == 0 ? xstrdup(w->path) : xasprintf("%s.%d", w->path, generation);
        (void)unlink(path);
    }
}

/* Joins what all generations hold, the oldest first, checking each file on the way. */
static void join_generations(const struct world *w, int count, int64_t maxbytes, UT_string *whole)
{
    for (int generation = count; generation >= 0; generation--) {
        CLEANUP_FREE char *text = contents(w, generation);
        if (text == NULL)
            continue;
        assert_true((int64_t)strlen(text) <= maxbytes);
        if (generation > 0 && *text != '\0' && text[strlen(text) - 1] != '\n') { /* torn: it had a file for itself */
            assert_int_equal(strlen(text), maxbytes);
            assert_null(strchr(text, '\n'));
        }
        utstring_bincpy(whole, text, strlen(text));
    }
}

static unsigned random_state;

/* The same numbers in every run. */
static unsigned next_random(void)
{
    random_state = random_state * 1103515245 + 12345;
    return random_state >> 16 & 0x7fff;
}

static void no_byte_is_lost_and_no_line_torn_that_fits(void **state)
{
    struct world *w = *state;
    const int backups = 400;

    for (unsigned seed = 1; seed <= 25; seed++) {
        const int64_t maxbytes = 20 + (int)(seed * 13 % 200);
        struct logfile *log = world_open(w, maxbytes, backups);
        UT_string input;
        UT_string output;
        struct error err;

        random_state = seed;
        utstring_init(&input);
        utstring_init(&output);
        for (unsigned line = 0; line < 200; line++) {
            const unsigned length = next_random() % 12 == 0 ? next_random() % 300 : next_random() % 30;
            for (unsigned i = 0; i < length; i++)
                utstring_printf(&input, "%c", 'a' + (int)((line + i) % 26));
            utstring_printf(&input, "\n");
        }
        for (size_t at = 0; at < utstring_len(&input);) {
            size_t chunk = 1 + next_random() % 100;
            if (chunk > utstring_len(&input) - at)
                chunk = utstring_len(&input) - at;
            logfile_write(log, utstring_body(&input) + at, chunk);
            at += chunk;
        }
        join_generations(w, backups, maxbytes, &output);
        assert_string_equal(utstring_body(&output), utstring_body(&input));
        utstring_done(&input);
        utstring_done(&output);
        assert_int_equal(logfile_clear(log, &err), 0);
        logfile_free(log);
        remove_generations(w, backups);
        w->log = NULL;
    }
    assert_int_equal(errors_logged, 0);
}

static void truncation_by_others_postpones_the_rotation(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 10, 2);

    write_text(log, "12345678\n");
    assert_int_equal(truncate(w->path, 0), 0);
    write_text(log, "abcdefgh\n");
    assert_contents(w, 0, "abcdefgh\n");
    assert_contents(w, 1, NULL);
}

static void removed_file_comes_back_at_rotation_or_reopen(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 10, 2);
    struct error err;

    write_text(log, "12345678\n");
    assert_int_equal(unlink(w->path), 0);
    write_text(log, "abc\n");
    assert_contents(w, 0, "abc\n");
    assert_int_equal(unlink(w->path), 0);
    assert_int_equal(logfile_reopen(log, &err), 0);
    write_text(log, "def\n");
    assert_contents(w, 0, "def\n");
    assert_int_equal(errors_logged, 0);
}

static void removed_directory_is_reported_once(void **state)
{
    struct world *w = *state;
    struct logfile *log;

    (void)snprintf(w->path, sizeof w->path, "%s/d", w->directory);
    assert_int_equal(mkdir(w->path, 0755), 0);
    (void)snprintf(w->path, sizeof w->path, "%s/d/log", w->directory);
    log = world_open(w, 10, 2);
    assert_int_equal(unlink(w->path), 0);
    w->path[strlen(w->path) - 4] = '\0';
    assert_int_equal(rmdir(w->path), 0);
    for (int i = 0; i < 20; i++)
        write_text(log, "some text\n");
    assert_int_equal(errors_logged, 1);
    assert_true(logfile_is_open(log));
    assert_int_equal(mkdir(w->path, 0755), 0);
    for (int i = 0; i < 4; i++)
        write_text(log, "some text\n");
    (void)snprintf(w->path, sizeof w->path, "%s/d/log", w->directory);
    assert_contents(w, 0, "some text\n");
}

static void full_disk_is_reported_once_and_its_end_too(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 0, 0);
    struct rlimit old;
    struct rlimit low;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){.rlim_cur = 8, .rlim_max = old.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    for (int i = 0; i < 10; i++)
        write_text(log, "12345\n");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(errors_logged, 1);
    assert_int_equal(infos_logged, 0);
    write_text(log, "\nback\n");
    assert_int_equal(infos_logged, 1);
    assert_contents(w, 0, "12345\n12\nback\n");
}

static void clear_empties_open_and_closed_logs(void **state)
{
    struct world *w = *state;
    struct logfile *log = world_open(w, 8, 2);
    struct error err;

    write_text(log, "one\ntwo\nthree\n");
    assert_int_equal(logfile_clear(log, &err), 0);
    assert_contents(w, 0, "");
    assert_contents(w, 1, "one\ntwo\n"); /* rotated files stay */
    write_text(log, "four\n");
    assert_contents(w, 0, "four\n");
    logfile_close(log);
    assert_int_equal(logfile_clear(log, &err), 0);
    assert_contents(w, 0, "");
    assert_false(logfile_is_open(log));
}

static void devices_are_left_as_they_are(void **state)
{
    struct world *w = *state;
    struct error err;

    (void)snprintf(w->path, sizeof w->path, "/dev/null");
    write_text(world_open(w, 4, 2), "more than four\n");
    assert_int_equal(logfile_clear(w->log, &err), 0);
    assert_int_equal(access("/dev/null", W_OK), 0);
    assert_int_equal(access("/dev/null.1", F_OK), -1);
}

static void links_in_public_directories_are_not_followed(void **state)
{
    struct world *w = *state;
    struct error err;

    assert_int_equal(symlink("/nowhere/target", w->path), 0);
    assert_int_equal(chmod(w->directory, 01777), 0);
    w->log = logfile_new(&(struct logfile_options){w->path, 0, 0, 0644});
    assert_int_equal(logfile_open(w->log, &err), -1);
    assert_int_equal(err.os, ELOOP);
    assert_non_null(strstr(err.text, w->path));
}

static void mode_is_that_of_the_options(void **state)
{
    struct world *w = *state;
    struct stat status;
    struct error err;

    w->log = logfile_new(&(struct logfile_options){w->path, 0, 0, 0600});
    assert_int_equal(logfile_open(w->log, &err), 0);
    assert_int_equal(stat(w->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

int main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(full_files_move_up_and_the_oldest_goes),
        WORLD_TEST(unfinished_line_moves_to_the_new_file),
        WORLD_TEST(without_backups_the_file_starts_again),
        WORLD_TEST(limit_zero_means_no_limit),
        WORLD_TEST(no_byte_is_lost_and_no_line_torn_that_fits),
        WORLD_TEST(truncation_by_others_postpones_the_rotation),
        WORLD_TEST(removed_file_comes_back_at_rotation_or_reopen),
        WORLD_TEST(removed_directory_is_reported_once),
        WORLD_TEST(full_disk_is_reported_once_and_its_end_too),
        WORLD_TEST(clear_empties_open_and_closed_logs),
        WORLD_TEST(devices_are_left_as_they_are),
        WORLD_TEST(links_in_public_directories_are_not_followed),
        WORLD_TEST(mode_is_that_of_the_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
