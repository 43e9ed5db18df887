/* HTML in which only literals are markup, and the reading of forms. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "process/usage.h"
#include "web/form.h"
#include "web/html.h"

static void assert_text(const char *text, const char *expected)
{
    struct html *html = html_new();
    size_t length;

    html_text(html, text);
    CLEANUP_FREE char *made = html_finish(html, &length);
    assert_string_equal(made, expected);
    assert_int_equal(length, strlen(expected));
}

static void text_is_escaped(void **state)
{
    (void)state;
    assert_text("", "");
    assert_text("plain \xc3\xa4\n\t", "plain \xc3\xa4\n\t");
    assert_text("<a href=\"x\">'&amp;", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;");
    assert_text("<<", "&lt;&lt;");
}

static void what_is_no_text_becomes_a_replacement(void **state)
{
    (void)state;
    assert_text("a\x01z", "a\xef\xbf\xbdz");
    assert_text("\x1b[0m", "\xef\xbf\xbd[0m");
    assert_text("\x7f", "\xef\xbf\xbd");
    assert_text("\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd");
    assert_text("\xc3", "\xef\xbf\xbd");
    assert_text("\xc0\xbcx", "\xef\xbf\xbd\xef\xbf\xbdx"); /* an overlong < */
}

static void bytes_may_have_a_NUL(void **state)
{
    struct html *html = html_new();
    size_t length;

    (void)state;
    html_text_bytes(html, "a\0b", 3);
    CLEANUP_FREE char *made = html_finish(html, &length);
    assert_string_equal(made, "a\xef\xbf\xbd"
                              "b");
}

static void parameters_are_percent_encoded(void **state)
{
    struct html *html = html_new();
    size_t length;

    (void)state;
    HTML(html, "<a href=\"?x=");
    html_parameter(html, "g:n m/\"&=+%\xff~-._");
    HTML(html, "\">");
    CLEANUP_FREE char *made = html_finish(html, &length);
    assert_string_equal(made, "<a href=\"?x=g%3An%20m%2F%22%26%3D%2B%25%FF~-._\">");
}

static void assert_field(const char *body, const char *name, const char *expected)
{
    CLEANUP_FREE char *value = form_value(body, strlen(body), name);

    if (expected == NULL)
        assert_null(value);
    else
        assert_string_equal(value, expected);
}

static void fields_are_found_and_decoded(void **state)
{
    (void)state;
    assert_field("action=stop&processname=a%3Ab", "action", "stop");
    assert_field("action=stop&processname=a%3Ab", "processname", "a:b");
    assert_field("a=1&a=2", "a", "1");
    assert_field("a", "a", "");
    assert_field("a=", "a", "");
    assert_field("x=1&a+b=c+d", "a b", "c d");
    assert_field("%61=%62", "a", "b");
    assert_field("", "a", NULL);
    assert_field("&&=&b=1", "a", NULL);
    assert_field("ab=1", "a", NULL);
}

static void broken_encoding_stands_for_itself(void **state)
{
    (void)state;
    assert_field("a=%", "a", "%");
    assert_field("a=%4", "a", "%4");
    assert_field("a=%4g", "a", "%4g");
    assert_field("a=100%&b=1", "a", "100%");
    assert_field("a=%41%", "a", "A%");
    assert_field("a=b=c", "a", "b=c");
}

static void usage_of_processes(void **state)
{
    struct usage usage;

    (void)state;
    assert_int_equal(usage_read(getpid(), &usage), 0);
    assert_true(usage.memory > 100 * 1024);
    assert_true(usage.cpu_us >= 0);
    assert_int_equal(usage_read(0x7ffffff0, &usage), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(what_is_no_text_becomes_a_replacement),
        cmocka_unit_test(bytes_may_have_a_NUL),
        cmocka_unit_test(parameters_are_percent_encoded),
        cmocka_unit_test(fields_are_found_and_decoded),
        cmocka_unit_test(broken_encoding_stands_for_itself),
        cmocka_unit_test(usage_of_processes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
