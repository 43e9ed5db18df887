#include "cmocka_all.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "output/automatic.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/test_automatic.XXXXXX");
    assert_non_null(mkdtemp(directory));
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static void names_and_mode_are_those_of_auto_logs(void **state)
{
    CLEANUP_FREE char *start = xasprintf("%s/web_1-stderr---main-", directory);
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FREE char *other = NULL;
    struct stat status;
    struct error err;

    (void)state;
    path = automatic_log_create(directory, "main", "web_1", CONFIG_STDERR, &err);
    other = automatic_log_create(directory, "main", "web_1", CONFIG_STDERR, &err);
    assert_non_null(path);
    assert_non_null(other);
    assert_string_not_equal(path, other);
    assert_true(text_starts_with(path, start));
    assert_true(text_ends_with(path, ".log"));
    assert_int_equal(strlen(path), strlen(start) + strlen("abcdefgh.log"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(other), 0);
}

static void any_process_name_makes_a_file_name(void **state)
{
    char name[600];
    CLEANUP_FREE char *slashes = NULL;
    CLEANUP_FREE char *longest = NULL;
    struct error err;

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    slashes = automatic_log_create(directory, "main", "../a/b", CONFIG_STDOUT, &err);
    longest = automatic_log_create(directory, "main", name, CONFIG_STDOUT, &err);
    assert_non_null(slashes);
    assert_non_null(longest);
    assert_non_null(strstr(slashes, "/.._a_b-stdout---main-"));
    assert_non_null(strstr(longest, "n-stdout---main-"));
    assert_true(strlen(longest) - strlen(directory) - 1 <= NAME_MAX - strlen(".1000"));
    automatic_log_clean(directory, "main");
    assert_int_equal(access(slashes, F_OK), -1);
    assert_int_equal(access(longest, F_OK), -1);
}

static void missing_directory_is_named(void **state)
{
    struct error err;

    (void)state;
    assert_null(automatic_log_create("/nowhere/logs", "main", "web", CONFIG_STDOUT, &err));
    assert_non_null(strstr(err.text, "/nowhere/logs"));
}

static const struct {
    const char *name;
    bool removed;
} left_behind[] = {
    {"web-stdout---main-abcdefgh.log", true},
    {"web-stderr---main-abcdefgh.log.1", true},
    {"web-stderr---main-abcdefgh.log.12", true},
    {"web-stdout---main-abcdefgh.log.gz", false},
    {"web-stdout---main-abcdefgh.log.", false},
    {"web-stdout---other-abcdefgh.log", false},
    {"web-stdout---main-abcdefgh.txt", false},
    {"web-stdout-main-abcdefgh.log", false},
    {"web.log", false},
};

static void clean_removes_what_matches_and_nothing_else(void **state)
{
    const size_t count = sizeof left_behind / sizeof *left_behind;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *path = xasprintf("%s/%s", directory, left_behind[i].name);
        const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    automatic_log_clean(directory, "main");
    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *path = xasprintf("%s/%s", directory, left_behind[i].name);
        assert_int_equal(access(path, F_OK), left_behind[i].removed ? -1 : 0);
        (void)unlink(path);
    }
}

int main(void)
{
#define DIRECTORY_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        DIRECTORY_TEST(names_and_mode_are_those_of_auto_logs),
        DIRECTORY_TEST(any_process_name_makes_a_file_name),
        DIRECTORY_TEST(missing_directory_is_named),
        DIRECTORY_TEST(clean_removes_what_matches_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
