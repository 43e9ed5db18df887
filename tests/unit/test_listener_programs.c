#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listeners/command_line.h"
#include "listeners/mail.h"
#include "listeners/memory.h"
#include "listeners/names.h"
#include "listeners/run.h"

static void sizes_and_times(void **state)
{
    static const struct {
        option_taker *take;
        const char *text;
        int64_t number; /* -1: it is none */
    } cases[] = {
        {take_size, "0", 0},
        {take_size, "1000", 1000},
        {take_size, "3KB", 3072},
        {take_size, "2mb", 2 << 20},
        {take_size, "1GB", 1 << 30},
        {take_size, "8589934591GB", INT64_MAX - (1 << 30) + 1},
        {take_size, "8589934592GB", -1},
        {take_size, "99999999999999999999", -1},
        {take_size, "1 MB", -1},
        {take_size, "-1", -1},
        {take_size, "1.5MB", -1},
        {take_size, "", -1},
        {take_seconds, "90", 90},
        {take_seconds, "90s", 90},
        {take_seconds, "5M", 300},
        {take_seconds, "2h", 7200},
        {take_seconds, "1d", 86400},
        {take_seconds, "1w", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t number = 0;

        assert_int_equal(cases[i].take(&number, cases[i].text), cases[i].number >= 0);
        if (cases[i].number >= 0)
            assert_int_equal(number, cases[i].number);
    }
}

/* "a|b c|": the words of a command; "none": they are none. */
static const char *split(const char *command)
{
    static char text[256];
    UT_array *words = command_split(command);
    char **word = NULL;

    if (words == NULL)
        return "none";
    text[0] = '\0';
    while ((word = utarray_next(words, word)) != NULL && *word != NULL)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", *word);
    command_free(words);
    return text;
}

static void words_of_commands(void **state)
{
    (void)state;
    assert_string_equal(split("/usr/sbin/sendmail -t -i"), "/usr/sbin/sendmail|-t|-i|");
    assert_string_equal(split("  a\tb  "), "a|b|");
    assert_string_equal(split("a 'b  c' \"d 'e'\" f\\ g h'i'j"), "a|b  c|d 'e'|f g|hij|");
    assert_string_equal(split("a '' \"\\\"\" '\\' $HOME `x` ;"), "a||\"|\\|$HOME|`x`|;|");
    assert_string_equal(split(""), "none");
    assert_string_equal(split("  "), "none");
    assert_string_equal(split("a 'b"), "none");
    assert_string_equal(split("a \"b"), "none");
}

static void add_address(void *context, const char *address)
{
    char *text = context;

    strcat(text, address);
    strcat(text, "|");
}

static void addresses(void **state)
{
    char text[256] = "";

    (void)state;
    mail_each_address(" a@b ,c@d,, You There <e@f>, <g@h>,", add_address, text);
    assert_string_equal(text, "a@b|c@d|e@f|g@h|");
}

static void headers_of_mail_are_one_line_each(void **state)
{
    const struct mail mail = {
        .to = "a@b\r\nBcc: c@d", .from = "e@f\n\nbody", .subject = "\xc3\xa4\x7f\t.", .body = "one\ntwo\n"};
    char *message = mail_compose(&mail);

    (void)state;
    assert_non_null(strstr(message, "To: a@b  Bcc: c@d\n"));
    assert_non_null(strstr(message, "From: e@f  body\n"));
    assert_non_null(strstr(message, "Subject: ??  .\n"));
    assert_string_equal(strstr(message, "\n\n"), "\n\none\ntwo\n");
    free(message);
}

static void names_of_processes(void **state)
{
    (void)state;
    assert_true(name_means_process("g", "p", "p"));
    assert_true(name_means_process("g", "p", "g:p"));
    assert_true(name_means_process("g", "p", "g:*"));
    assert_false(name_means_process("g", "p", "g"));
    assert_false(name_means_process("g", "p", "h:p"));
    assert_false(name_means_process("g", "p", "g:q"));
    assert_false(name_means_process("g", "p", "gg:p"));
    assert_false(name_means_process("g", "p", ":p"));
}

static void memory_of_ourselves(void **state)
{
    uint64_t rss = 0;
    uint64_t pss = 0;
    uint64_t both = 0;
    const pid_t child = fork();

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    struct memory_families *families = memory_families_new();
    assert_int_equal(memory_of_process(getpid(), MEMORY_RSS, &rss), 0);
    assert_int_equal(memory_of_process(getpid(), MEMORY_PSS, &pss), 0);
    assert_int_equal(memory_of_family(families, getpid(), MEMORY_RSS, &both), 0);
    assert_true(rss > 100000 && pss > 10000 && pss < rss && both > rss);
    memory_families_free(families);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(memory_of_process(child, MEMORY_RSS, &rss), -1);
}

static void programs_are_run_with_a_limit(void **state)
{
    char *const cat[] = {(char[]){"cat"}, NULL};
    char *const sleeper[] = {(char[]){"sleep"}, (char[]){"600"}, NULL};
    UT_string *output;
    char *problem;

    (void)state;
    utstring_new(output);
    assert_int_equal(command_run(cat, "some text\n", output, 60, &problem), 0);
    assert_string_equal(utstring_body(output), "some text\n");
    assert_int_equal(command_run(sleeper, "", output, 1, &problem), -1);
    assert_string_equal(problem, "sleep: did not end in 1 seconds");
    free(problem);
    utstring_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_times),
        cmocka_unit_test(words_of_commands),
        cmocka_unit_test(addresses),
        cmocka_unit_test(headers_of_mail_are_one_line_each),
        cmocka_unit_test(names_of_processes),
        cmocka_unit_test(memory_of_ourselves),
        cmocka_unit_test(programs_are_run_with_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
