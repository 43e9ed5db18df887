#include "cmocka_all.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/ini.h"

static struct ini *read_text(const char *text, size_t length)
{
    struct ini *ini = ini_new();
    struct error err;

    if (ini_read_text(ini, "x.conf", text, length, &err) < 0)
        fail_msg("%s", err.text);
    return ini;
}

static void assert_value(const char *text, const char *section, const char *key, const char *expected)
{
    struct ini *ini = read_text(text, strlen(text));
    const struct ini_entry *entry = ini_find_entry(ini, ini_find_section(ini, section), key);

    if (expected == NULL) {
        assert_null(entry);
    } else {
        assert_non_null(entry);
        assert_string_equal(entry->text, expected);
    }
    ini_free(ini);
}

static void assert_refused(const char *text, size_t length, const char *message)
{
    struct ini *ini = ini_new();
    struct error err;

    assert_int_equal(ini_read_text(ini, "x.conf", text, length, &err), -1);
    assert_string_equal(err.text, message);
    ini_free(ini);
}

static void both_separators_and_blanks(void **state)
{
    (void)state;
    assert_value("[a]\nk=v\n", "a", "k", "v");
    assert_value("[a]\nk: v\n", "a", "k", "v");
    assert_value("[a]\nk   =  v w  \t\n", "a", "k", "v w");
    assert_value("[a]\nk = = v:w\n", "a", "k", "= v:w");
    assert_value("[a]\nk = http://x=1\n", "a", "k", "http://x=1");
    assert_value("[a]\nk=\n", "a", "k", "");
    assert_value("[a]\ntwo words=v\n", "a", "two words", "v");
    assert_value("[a]\nk=v", "a", "k", "v");
    assert_value("[a]\nk=[x]\n", "a", "k", "[x]");
}

static void comments(void **state)
{
    (void)state;
    assert_value("; c\n# c\n  ; c\n[a] ; c\nk=v\n", "a", "k", "v");
    assert_value("[a]\nk=v ; c\n", "a", "k", "v");
    assert_value("[a]\nk=v # c\n", "a", "k", "v");
    assert_value("[a]\nk=v\t;c\n", "a", "k", "v");
    assert_value("[a]\nk=v;w#x\n", "a", "k", "v;w#x");
    assert_value("[a]\nk=\"v ; w\"\n", "a", "k", "\"v");
    assert_value("[a]\nk=;v\n", "a", "k", ";v");
    assert_value("[a]\nk= ;v\n", "a", "k", "");
}

static void continuation_lines(void **state)
{
    (void)state;
    assert_value("[a]\nk=v\n w\n\tx ; c\nl=1\n", "a", "k", "v\nw\nx");
    assert_value("[a]\nk=v\n\n w\n\n\nl=1\n", "a", "k", "v\n\nw");
    assert_value("[a]\nk=v\n# c\n ; c\n w\n", "a", "k", "v\nw");
    assert_value("[a]\nk=v\n [b]\n l=1\n", "a", "k", "v\n[b]\nl=1");
    assert_value("[a]\nk=\n v\n", "a", "k", "v");
    assert_value("  [a]\n  k=v\n  l=w\n", "a", "l", "w");
    assert_value("[a]\n  k=v\n    w\n  l=x\n", "a", "k", "v\nw");
    assert_value("[a]\n    k=v\n  l=x\n", "a", "l", "x");
}

static void headers(void **state)
{
    (void)state;
    assert_value("[a]b\nk=v\n", "a", "k", "v");
    assert_value("[a]b]\nk=v\n", "a]b", "k", "v");
    assert_value("[a b:c]\nk=v\n", "a b:c", "k", "v");
    assert_value("[A]\nk=v\n", "a", "k", NULL);
    assert_value("[a]\n[b:c\n", "a", "[b", "c");
}

static void keys_lose_their_case_and_the_last_counts(void **state)
{
    (void)state;
    assert_value("[a]\nKeY=v\n", "a", "key", "v");
    assert_value("[a]\nk=v\nK=w\n", "a", "k", "w");
    assert_value("[a]\nk=v\n[b]\n[a]\nl=w\n", "a", "k", "v");
    assert_value("[a]\nk=v\n[b]\n[a]\nk=w\n", "a", "k", "w");
}

static void default_section_stands_in(void **state)
{
    (void)state;
    assert_value("[DEFAULT]\nk=v\n[a]\n", "a", "k", "v");
    assert_value("[a]\nk=w\n[DEFAULT]\nk=v\n", "a", "k", "w");
    struct ini *ini = read_text("[DEFAULT]\nk=v\n", 14);
    assert_null(ini_find_section(ini, "DEFAULT"));
    assert_null(ini->sections);
    ini_free(ini);
}

static void line_ends_and_byte_order_mark(void **state)
{
    (void)state;
    assert_value("[a]\r\nk=v\r\n w\r\n", "a", "k", "v\nw");
    assert_value("[a]\rk=v\rl=w", "a", "l", "w");
    assert_value("\xef\xbb\xbf[a]\nk=v\n", "a", "k", "v");
    assert_value("[caf\xc3\xa9]\nk=\xe2\x82\xac\n", "caf\xc3\xa9", "k", "\xe2\x82\xac");
}

static void entries_know_their_place(void **state)
{
    struct ini *ini = ini_new();
    struct error err;
    const char *first = "\n[a]\nk=v\n w\nl=x\n";
    const char *second = "[a]\nl=y\n";

    (void)state;
    assert_int_equal(ini_read_text(ini, "1.conf", first, strlen(first), &err), 0);
    assert_int_equal(ini_read_text(ini, "2.conf", second, strlen(second), &err), 0);
    const struct ini_section *section = ini_find_section(ini, "a");
    assert_string_equal(section->file, "1.conf");
    assert_int_equal(section->line, 2);
    const struct ini_entry *entry = ini_find_entry(ini, section, "k");
    assert_string_equal(entry->file, "1.conf");
    assert_int_equal(entry->line, 3);
    entry = ini_find_entry(ini, section, "l");
    assert_string_equal(entry->file, "2.conf");
    assert_int_equal(entry->line, 2);
    ini_free(ini);
}

static void long_lines_are_whole(void **state)
{
    const size_t length = 1 << 20;
    char *text = xmalloc(length + 8);

    (void)state;
    static const char head[] = {'[', 'a', ']', '\n', 'k', '='};
    memcpy(text, head, sizeof head);
    memset(text + 6, 'x', length);
    struct ini *ini = read_text(text, length + 6);
    assert_int_equal(strlen(ini_find_entry(ini, ini_find_section(ini, "a"), "k")->text), length);
    ini_free(ini);
    free(text);
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    assert_refused("a=b\n", 4, "x.conf:1: a line before the first section header: a=b");
    assert_refused("[a]\nword\n", 9, "x.conf:2: not a section header, a key with a value, or an indented line: word");
    assert_refused("[]\n", 3, "x.conf:1: a line before the first section header: []");
    assert_refused("[a]\n\n=v\n", 8, "x.conf:3: not a section header, a key with a value, or an indented line: =v");
    assert_refused("[a]\nk=\xff\n", 8, "x.conf:2: not UTF-8");
    assert_refused("[a]\nk=a\0b\n", 10, "x.conf:2: a NUL byte");
    assert_refused("[a]\r\n\r\n;\xc3\n", 10, "x.conf:3: not UTF-8");
    const char *text = "[a]\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
    assert_refused(text, strlen(text),
                   "x.conf:2: not a section header, a key with a value, or an indented line: "
                   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...");
}

static void unreadable_files_are_named(void **state)
{
    struct ini *ini = ini_new();
    struct error err;

    (void)state;
    assert_int_equal(ini_read_file(ini, "/nowhere/x.conf", &err), -1);
    assert_string_equal(err.text, "cannot read the configuration file /nowhere/x.conf: No such file or directory");
    assert_int_equal(ini_read_file(ini, "/tmp", &err), -1);
    assert_string_equal(err.text, "cannot read the configuration file /tmp: Is a directory");
    ini_free(ini);
}

static void files_have_a_bound(void **state)
{
    char path[] = "/tmp/test-config-ini-XXXXXX";
    const int fd = mkstemp(path);
    struct ini *ini = ini_new();
    struct error err;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)INI_FILE_MAX + 1), 0);
    assert_int_equal(ini_read_file(ini, path, &err), -1);
    assert_non_null(strstr(err.text, "File too large"));
    assert_int_equal(unlink(path), 0);
    (void)close(fd);
    ini_free(ini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_separators_and_blanks),
        cmocka_unit_test(comments),
        cmocka_unit_test(continuation_lines),
        cmocka_unit_test(headers),
        cmocka_unit_test(keys_lose_their_case_and_the_last_counts),
        cmocka_unit_test(default_section_stands_in),
        cmocka_unit_test(line_ends_and_byte_order_mark),
        cmocka_unit_test(entries_know_their_place),
        cmocka_unit_test(long_lines_are_whole),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(unreadable_files_are_named),
        cmocka_unit_test(files_have_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
