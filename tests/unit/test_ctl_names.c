#include "cmocka_all.h"

#include <string.h>

#include "base/memory.h"
#include "supervisorctl/complete.h"
#include "supervisorctl/ctl.h"
#include "supervisorctl/names.h"

static void add_process(struct rpc_value *list, const char *group, const char *name)
{
    struct rpc_value *process = rpc_struct(2);

    rpc_struct_set(process, "group", rpc_string(group));
    rpc_struct_set(process, "name", rpc_string(name));
    rpc_array_append(list, process);
}

static struct rpc_value *some_processes(void)
{
    struct rpc_value *list = rpc_array(5);

    add_process(list, "cat", "cat");
    add_process(list, "web", "web_00");
    add_process(list, "web", "web_01");
    add_process(list, "webdav", "webdav");
    add_process(list, "odd", "p[1]");
    return list;
}

/* "a b" becomes the expanded words, joined with blanks. */
static void assert_expands(const char *given, bool also_groups, const char *expected)
{
    struct rpc_value *processes = some_processes();
    struct words words, names;
    char joined[256] = "";

    words_split(&words, given);
    names_expand(&names, &words, 0, processes, also_groups);
    for (size_t i = 0; i < names.count; i++) {
        strcat(joined, i > 0 ? " " : ""); /* NOLINT: the expected texts are short */
        strcat(joined, names.items[i]);   /* NOLINT */
    }
    assert_string_equal(joined, expected);
    words_release(&words);
    words_release(&names);
    rpc_value_free(processes);
}

static void words_are_split_at_white_space(void **state)
{
    struct words words;

    (void)state;
    words_split(&words, "  a\tb  c:* \n");
    assert_int_equal(words.count, 3);
    assert_string_equal(words.items[1], "b");
    assert_string_equal(words.items[2], "c:*");
    assert_true(words_have(&words, "a"));
    assert_false(words_have(&words, "all"));
    words_release(&words);
    words_split(&words, "");
    assert_int_equal(words.count, 0);
    words_release(&words);
}

static void names_have_the_original_forms(void **state)
{
    static const struct {
        const char *text, *group, *process;
    } cases[] = {
        {"cat", "cat", "cat"}, {"g:a", "g", "a"},     {"g:*", "g", NULL},
        {"g:", "g", NULL},     {"g:a:b", "g", "a:b"}, {":", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct process_name name;

        process_name_parse(&name, cases[i].text);
        assert_string_equal(name.group, cases[i].group);
        if (cases[i].process != NULL)
            assert_string_equal(name.process, cases[i].process);
        else
            assert_null(name.process);
        process_name_release(&name);
    }
}

static void patterns_match_whole_names(void **state)
{
    (void)state;
    assert_expands("web:*_0?", false, "web:web_00 web:web_01");
    assert_expands("*_01", false, "web:web_01");
    assert_expands("web*:*", false, "web:web_00 web:web_01 webdav");
    assert_expands("cat web_0[1-9]", false, "cat web:web_01");
}

static void what_is_no_pattern_stays(void **state)
{
    (void)state;
    assert_expands("cat web:* nosuch*", false, "cat web:* nosuch*");
    assert_expands("odd:p[1]", false, "odd:p[1]"); /* a name, though it looks like a pattern */
    assert_expands("web:* web:", true, "web:web_00 web:web_01 web:web_00 web:web_01");
    assert_expands("nosuch:*", true, "nosuch:*");
}

static void assert_completes(const char *word, const char *addition, size_t candidates)
{
    struct words words;
    struct completion completion;

    words_split(&words, "status stop start stop shutdown");
    complete_narrow(&completion, &words, word);
    assert_string_equal(completion.addition, addition);
    assert_int_equal(completion.candidates.count, candidates);
    complete_release(&completion);
}

static void completion_adds_what_is_sure(void **state)
{
    (void)state;
    assert_completes("", "s", 4);
    assert_completes("st", "", 3);
    assert_completes("sta", "", 2);
    assert_completes("stat", "us ", 1);
    assert_completes("sh", "utdown ", 1);
    assert_completes("x", "", 0);
}

/* Every blank that ends a word lets a new one begin. */
static void completion_knows_all_blanks(void **state)
{
    struct ctl ctl = {.is_interactive = false};
    struct completion completion;

    (void)state;
    for (const char *line = NAMES_BLANKS; *line != '\0'; line++) { /* from each of them to the end */
        complete(&completion, &ctl, line);
        assert_true(completion.candidates.count > 10);
        complete_release(&completion);
    }
}

/* A server may answer anything: what is no list has no items, and what is no struct has no members. */
static void answers_may_be_of_any_type(void **state)
{
    struct rpc_value *text = rpc_string("text");
    struct rpc_value *record = rpc_struct(1);
    struct rpc_value *numbers = rpc_array(1);
    struct words words, names;

    (void)state;
    rpc_array_append(numbers, rpc_int(5));
    assert_int_equal(list_count(text), 0);
    assert_int_equal(list_count(record), 0);
    assert_int_equal(list_count(numbers), 1);
    words_split(&words, "w*");
    for (int i = 0; i < 3; i++) {
        names_expand(&names, &words, 0, (struct rpc_value *[]){text, record, numbers}[i], false);
        assert_int_equal(names.count, 1);
        assert_string_equal(names.items[0], "w*");
        words_release(&names);
    }
    words_release(&words);
    rpc_value_free(text);
    rpc_value_free(record);
    rpc_value_free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_may_be_of_any_type),     cmocka_unit_test(completion_knows_all_blanks),
        cmocka_unit_test(words_are_split_at_white_space), cmocka_unit_test(names_have_the_original_forms),
        cmocka_unit_test(patterns_match_whole_names),     cmocka_unit_test(what_is_no_pattern_stays),
        cmocka_unit_test(completion_adds_what_is_sure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
