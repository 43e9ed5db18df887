#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "output/logread.h"

#define LOG_TEXT "0123456789"

static char path[64];

static int make_log(void **state)
{
    CLEANUP_FD int fd = -1;

    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/test_logread.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, LOG_TEXT, strlen(LOG_TEXT)), 0);
    return 0;
}

static int remove_log(void **state)
{
    (void)state;
    return unlink(path);
}

/* Answers of the original for a log of ten digits; NULL: the fault BAD_ARGUMENTS. */
static const struct {
    int64_t offset;
    int64_t length;
    const char *text;
} slices[] = {
    {-100, -100, NULL}, {-100, -4, NULL},      {-100, -1, NULL},      {-100, 0, "0123456789"},
    {-100, 1, NULL},    {-100, 4, NULL},       {-100, 10, NULL},      {-100, 11, NULL},
    {-100, 100, NULL},  {-4, -100, NULL},      {-4, -4, NULL},        {-4, -1, NULL},
    {-4, 0, "6789"},    {-4, 1, NULL},         {-4, 4, NULL},         {-4, 10, NULL},
    {-4, 11, NULL},     {-4, 100, NULL},       {-1, -100, NULL},      {-1, -4, NULL},
    {-1, -1, NULL},     {-1, 0, "9"},          {-1, 1, NULL},         {-1, 4, NULL},
    {-1, 10, NULL},     {-1, 11, NULL},        {-1, 100, NULL},       {0, -100, NULL},
    {0, -4, NULL},      {0, -1, NULL},         {0, 0, "0123456789"},  {0, 1, "0"},
    {0, 4, "0123"},     {0, 10, "0123456789"}, {0, 11, "0123456789"}, {0, 100, "0123456789"},
    {4, -100, NULL},    {4, -4, NULL},         {4, -1, NULL},         {4, 0, "456789"},
    {4, 1, "4"},        {4, 4, "4567"},        {4, 10, "456789"},     {4, 11, "456789"},
    {4, 100, "456789"}, {9, -100, NULL},       {9, -4, NULL},         {9, -1, NULL},
    {9, 0, "9"},        {9, 1, "9"},           {9, 4, "9"},           {9, 10, "9"},
    {9, 11, "9"},       {9, 100, "9"},         {10, -100, NULL},      {10, -4, NULL},
    {10, -1, NULL},     {10, 0, ""},           {10, 1, ""},           {10, 4, ""},
    {10, 10, ""},       {10, 11, ""},          {10, 100, ""},         {11, -100, NULL},
    {11, -4, NULL},     {11, -1, NULL},        {11, 0, ""},           {11, 1, ""},
    {11, 4, ""},        {11, 10, ""},          {11, 11, ""},          {11, 100, ""},
    {100, -100, NULL},  {100, -4, NULL},       {100, -1, NULL},       {100, 0, ""},
    {100, 1, ""},       {100, 4, ""},          {100, 10, ""},         {100, 11, ""},
    {100, 100, ""},
};

static const struct {
    int64_t offset;
    int64_t length;
    const char *text;
    bool overflow;
} tails[] = {
    {-100, -100, "", true},
    {-100, -4, "", true},
    {-100, -1, "", true},
    {-100, 0, "", true},
    {-100, 1, "9", true},
    {-100, 4, "6789", true},
    {-100, 10, "0123456789", true},
    {-100, 11, "0123456789", true},
    {-100, 100, "0123456789", true},
    {-4, -100, "", true},
    {-4, -4, "", true},
    {-4, -1, "", true},
    {-4, 0, "", true},
    {-4, 1, "9", true},
    {-4, 4, "6789", true},
    {-4, 10, "0123456789", true},
    {-4, 11, "0123456789", true},
    {-4, 100, "0123456789", false},
    {-1, -100, "", true},
    {-1, -4, "", true},
    {-1, -1, "", true},
    {-1, 0, "", true},
    {-1, 1, "9", true},
    {-1, 4, "6789", true},
    {-1, 10, "0123456789", true},
    {-1, 11, "0123456789", false},
    {-1, 100, "0123456789", false},
    {0, -100, "", true},
    {0, -4, "", true},
    {0, -1, "", true},
    {0, 0, "", true},
    {0, 1, "9", true},
    {0, 4, "6789", true},
    {0, 10, "0123456789", false},
    {0, 11, "0123456789", false},
    {0, 100, "0123456789", false},
    {4, -100, "", true},
    {4, -4, "", true},
    {4, -1, "", true},
    {4, 0, "", true},
    {4, 1, "9", true},
    {4, 4, "6789", true},
    {4, 10, "0123456789", false},
    {4, 11, "0123456789", false},
    {4, 100, "0123456789", false},
    {9, -100, "", true},
    {9, -4, "", true},
    {9, -1, "", true},
    {9, 0, "", true},
    {9, 1, "9", false},
    {9, 4, "6789", false},
    {9, 10, "0123456789", false},
    {9, 11, "0123456789", false},
    {9, 100, "0123456789", false},
    {10, -100, "", true},
    {10, -4, "", true},
    {10, -1, "", true},
    {10, 0, "", false},
    {10, 1, "", false},
    {10, 4, "", false},
    {10, 10, "", false},
    {10, 11, "", false},
    {10, 100, "", false},
    {11, -100, "", true},
    {11, -4, "", true},
    {11, -1, "", false},
    {11, 0, "", false},
    {11, 1, "", false},
    {11, 4, "", false},
    {11, 10, "", false},
    {11, 11, "", false},
    {11, 100, "", false},
    {100, -100, "", true},
    {100, -4, "", false},
    {100, -1, "", false},
    {100, 0, "", false},
    {100, 1, "", false},
    {100, 4, "", false},
    {100, 10, "", false},
    {100, 11, "", false},
    {100, 100, "", false},
};

static void slices_are_those_of_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        CLEANUP_FREE char *bytes = NULL;
        size_t size = 0;
        struct error err;
        const int result = logread_slice(path, slices[i].offset, slices[i].length, &bytes, &size, &err);
        if (slices[i].text == NULL) {
            assert_int_equal(result, -1);
            assert_int_equal(err.fault, FAULT_BAD_ARGUMENTS);
            assert_string_equal(err.text, "");
            continue;
        }
        assert_int_equal(result, 0);
        assert_int_equal(size, strlen(slices[i].text));
        assert_memory_equal(bytes, slices[i].text, size);
    }
}

static void tails_are_those_of_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct logread_tail tail;
        logread_tail(path, tails[i].offset, tails[i].length, &tail);
        assert_int_equal(tail.size, strlen(tails[i].text));
        assert_memory_equal(tail.bytes, tails[i].text, tail.size);
        assert_int_equal(tail.offset, 10);
        assert_int_equal(tail.overflow, tails[i].overflow);
        free(tail.bytes);
    }
}

static void extreme_numbers_do_no_harm(void **state)
{
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    const size_t count = sizeof extremes / sizeof *extremes;

    (void)state;
    for (size_t i = 0; i < count * count; i++) {
        CLEANUP_FREE char *bytes = NULL;
        size_t size;
        struct error err;
        struct logread_tail tail;
        if (logread_slice(path, extremes[i / count], extremes[i % count], &bytes, &size, &err) == 0)
            assert_true(size <= 10);
        logread_tail(path, extremes[i / count], extremes[i % count], &tail);
        assert_true(tail.size <= 10);
        free(tail.bytes);
    }
}

static void missing_file_is_a_fault_or_an_empty_tail(void **state)
{
    char *bytes = NULL;
    size_t size;
    struct error err;
    struct logread_tail tail;

    (void)state;
    assert_int_equal(logread_slice("/nowhere/log", 0, 0, &bytes, &size, &err), -1);
    assert_int_equal(err.fault, FAULT_NO_FILE);
    assert_string_equal(err.text, "/nowhere/log");
    logread_tail("/nowhere/log", 0, 10, &tail);
    assert_int_equal(tail.size, 0);
    assert_int_equal(tail.offset, 0);
    assert_false(tail.overflow);
    free(tail.bytes);
}

static void what_is_no_regular_file_fails_at_once(void **state)
{
    char *bytes = NULL;
    size_t size;
    struct error err;

    (void)state;
    assert_int_equal(logread_slice("/dev/zero", 0, 0, &bytes, &size, &err), -1);
    assert_int_equal(err.fault, FAULT_FAILED);
    assert_int_equal(logread_slice("/tmp", 0, 0, &bytes, &size, &err), -1);
    assert_int_equal(err.fault, FAULT_FAILED);
}

static void huge_slices_are_refused(void **state)
{
    char *bytes = NULL;
    size_t size;
    struct error err;

    (void)state;
    assert_int_equal(truncate(path, LOGREAD_MAXIMUM + 100), 0);
    assert_int_equal(logread_slice(path, 0, 0, &bytes, &size, &err), -1);
    assert_int_equal(err.fault, FAULT_FAILED);
    assert_int_equal(logread_slice(path, LOGREAD_MAXIMUM, 0, &bytes, &size, &err), 0);
    assert_int_equal(size, 100);
    free(bytes);
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, make_log, remove_log)
    const struct CMUnitTest tests[] = {
        LOG_TEST(slices_are_those_of_the_original),
        LOG_TEST(tails_are_those_of_the_original),
        LOG_TEST(extreme_numbers_do_no_harm),
        LOG_TEST(missing_file_is_a_fault_or_an_empty_tail),
        LOG_TEST(what_is_no_regular_file_fails_at_once),
        LOG_TEST(huge_slices_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
