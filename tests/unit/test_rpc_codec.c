#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/codec.h"

#define CALL(params) "<methodCall><methodName>m</methodName><params>" params "</params></methodCall>"
#define PARAM(value) CALL("<param>" value "</param>")

static struct rpc_value *decode(const char *body)
{
    struct rpc_value *params = NULL;
    char *method = NULL;
    struct error err;

    if (rpc_decode_call(body, strlen(body), &method, &params, &err) < 0)
        fail_msg("%s: %s", body, err.text);
    free(method);
    return params;
}

static void refuse_bytes(const char *body, size_t length)
{
    struct rpc_value *params;
    char *method;
    struct error err = {0};

    assert_int_equal(rpc_decode_call(body, length, &method, &params, &err), -1);
    assert_int_equal(err.fault, FAULT_NONE);
    assert_int_not_equal(err.text[0], '\0');
    assert_null(strchr(err.text, '\n'));
}

static void refuse(const char *body)
{
    refuse_bytes(body, strlen(body));
}

/* The value of a call's only parameter, written again as Python's library would. */
static void assert_becomes(const char *value, const char *expected)
{
    CLEANUP_FREE char *body = xasprintf(PARAM("%s"), value);
    struct rpc_value *params = decode(body);
    UT_string out;

    assert_int_equal(rpc_count(params), 1);
    utstring_init(&out);
    rpc_encode_result(&out, rpc_array_get(params, 0));

    CLEANUP_FREE char *whole = xasprintf("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n%s\n</param>\n"
                                         "</params>\n</methodResponse>\n",
                                         expected);
    assert_string_equal(utstring_body(&out), whole);
    utstring_done(&out);
    rpc_value_free(params);
}

static void every_type_is_read_and_written(void **state)
{
    static const struct {
        const char *read;
        const char *written;
    } cases[] = {
        {"<value><int>5</int></value>", "<value><int>5</int></value>"},
        {"<value><i4> -5\n</i4></value>", "<value><int>-5</int></value>"},
        {"<value><i8>2147483648</i8></value>", "<value><i8>2147483648</i8></value>"},
        {"<value><int>-9223372036854775808</int></value>", "<value><i8>-9223372036854775808</i8></value>"},
        {"<value><boolean>1</boolean></value>", "<value><boolean>1</boolean></value>"},
        {"<value><boolean>0</boolean></value>", "<value><boolean>0</boolean></value>"},
        {"<value><double>-1.5e3</double></value>", "<value><double>-1500.0</double></value>"},
        {"<value><double>1E100</double></value>", "<value><double>1e+100</double></value>"},
        {"<value><double>0.1</double></value>", "<value><double>0.1</double></value>"},
        {"<value><string>a &amp; b</string></value>", "<value><string>a &amp; b</string></value>"},
        {"<value>bare text</value>", "<value><string>bare text</string></value>"},
        {"<value> </value>", "<value><string> </string></value>"},
        {"<value/>", "<value><string></string></value>"},
        {"<value><string/></value>", "<value><string></string></value>"},
        {"<value><string><![CDATA[<&>]]></string></value>", "<value><string>&lt;&amp;&gt;</string></value>"},
        {"<value><string>a<!-- b -->c</string></value>", "<value><string>ac</string></value>"},
        {"<value><string>&#233;&#x20ac;&#13;</string></value>",
         "<value><string>\xc3\xa9\xe2\x82\xac&#13;</string></value>"},
        {"<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>",
         "<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>"},
        {"<value><base64>\nYQBi\nYw==\n</base64></value>", "<value><base64>\nYQBiYw==\n</base64></value>"},
        {"<value><nil/></value>", "<value><nil/></value>"},
        {"<value><array><data></data></array></value>", "<value><array><data>\n</data></array></value>"},
        {"<value> <array> <data> <value><int>1</int></value> <value>x</value> </data> </array> </value>",
         "<value><array><data>\n<value><int>1</int></value>\n<value><string>x</string></value>\n</data></array></"
         "value>"},
        {"<value><struct></struct></value>", "<value><struct>\n</struct></value>"},
        {"<value> <struct> <member> <name>k</name> <value> <int>1</int> </value> </member> </struct> </value>",
         "<value><struct>\n<member>\n<name>k</name>\n<value><int>1</int></value>\n</member>\n</struct></value>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_becomes(cases[i].read, cases[i].written);
}

static void calls_have_a_method_and_perhaps_parameters(void **state)
{
    static const char body[] = "<?xml version='1.0'?>\n<methodCall> <methodName> a.b </methodName>\n</methodCall>\n";
    struct rpc_value *params;
    char *method;
    struct error err;

    (void)state;
    assert_int_equal(rpc_decode_call(body, strlen(body), &method, &params, &err), 0);
    assert_string_equal(method, "a.b");
    assert_int_equal(rpc_count(params), 0);
    free(method);
    rpc_value_free(params);
}

static void encodings_are_turned_into_utf8(void **state)
{
    struct rpc_value *params = decode("<?xml version='1.0' encoding='iso-8859-1'?>" PARAM("<value>\xe9</value>"));

    (void)state;
    assert_string_equal(rpc_as_string(rpc_array_get(params, 0)), "\xc3\xa9");
    rpc_value_free(params);
}

static void what_is_no_call_is_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        " ",
        "hello",
        "<",
        "<methodCall/>",
        "<methodCall></methodCall>x",
        "<methodResponse><params></params></methodResponse>",
        "<methodCall><methodName></methodName></methodCall>",
        "<methodCall><methodName>a b</methodName></methodCall>",
        "<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>",
        "<methodCall><params></params></methodCall>",
        "<a><methodName>m</methodName></a>",
        CALL("</params><params>"),
        CALL("<value>1</value>"),
        PARAM("<int>1</int>"),
        PARAM("<value><float>1</float></value>"),
        PARAM("<value><int></int></value>"),
        PARAM("<value><int>1x</int></value>"),
        PARAM("<value><int>1.5</int></value>"),
        PARAM("<value><int>99999999999999999999</int></value>"),
        PARAM("<value><boolean>2</boolean></value>"),
        PARAM("<value><boolean>true</boolean></value>"),
        PARAM("<value><double>nan</double></value>"),
        PARAM("<value><double>0x10</double></value>"),
        PARAM("<value><double></double></value>"),
        PARAM("<value><double>1e999</double></value>"),
        PARAM("<value><base64>a*b</base64></value>"),
        PARAM("<value><base64>YQ==YQ==</base64></value>"),
        PARAM("<value><int>1</int><int>2</int></value>"),
        PARAM("<value><array><value>1</value></array></value>"),
        PARAM("<value><struct><member><value>1</value></member></struct></value>"),
        PARAM("<value><struct><member><name>a</name></member></struct></value>"),
        PARAM("<value><struct><member><name>a</name><name>b</name><value/></member></struct></value>"),
        PARAM("<value><struct><member><name>a</name><value/><value/></member></struct></value>"),
        PARAM("<value>\xff\xfe</value>"),
        PARAM("<value>\x01</value>"),
        PARAM("<value>&nbsp;</value>"),
        PARAM("<value>&#0;</value>"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        refuse(bodies[i]);
    refuse_bytes("<methodCall>\0</methodCall>", 26);
}

static void a_call_cut_off_anywhere_is_refused(void **state)
{
    static const char body[] =
        PARAM("<value><struct><member><name>a</name><value><array><data><value><base64>YQ==</base64></value>"
              "<value>x</value></data></array></value></member></struct></value>");

    (void)state;
    for (size_t length = 0; length < strlen(body); length++)
        refuse_bytes(body, length);
    rpc_value_free(decode(body));
}

static void entities_are_refused(void **state)
{
    (void)state;
    refuse("<?xml version='1.0'?><!DOCTYPE x>" PARAM("<value>1</value>"));
    refuse("<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'>" PARAM("<value>1</value>"));
    refuse("<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" PARAM("<value>&a;</value>"));
    refuse("<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>"
           "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>]>" PARAM("<value>&d;</value>"));
    refuse("<?<!DOCTYPE a [<!ENTITY b 'c#>]>xml version='1.0'?>"); /* the parser keeps the document that it has begun */
}

static char *nested_arrays(size_t depth)
{
    UT_string body;

    utstring_init(&body);
    utstring_printf(&body, "<methodCall><methodName>m</methodName><params><param>");
    for (size_t i = 1; i < depth; i++)
        utstring_printf(&body, "<value><array><data>");
    utstring_printf(&body, "<value/>");
    for (size_t i = 1; i < depth; i++)
        utstring_printf(&body, "</data></array></value>");
    utstring_printf(&body, "</param></params></methodCall>");
    return utstring_body(&body);
}

static void depth_is_bounded(void **state)
{
    CLEANUP_FREE char *deepest = nested_arrays(RPC_DEPTH_MAX);
    CLEANUP_FREE char *too_deep = nested_arrays(RPC_DEPTH_MAX + 1);
    CLEANUP_FREE char *far_too_deep = nested_arrays(10000);

    (void)state;
    rpc_value_free(decode(deepest));
    refuse(too_deep);
    refuse(far_too_deep);
}

static char *many_values(size_t count)
{
    UT_string body;

    utstring_init(&body);
    utstring_printf(&body, "<methodCall><methodName>m</methodName><params><param><value><array><data>");
    for (size_t i = 1; i < count; i++)
        utstring_printf(&body, "<value/>");
    utstring_printf(&body, "</data></array></value></param></params></methodCall>");
    return utstring_body(&body);
}

static void the_number_of_values_is_bounded(void **state)
{
    CLEANUP_FREE char *most = many_values(RPC_VALUES_MAX);
    CLEANUP_FREE char *too_many = many_values(RPC_VALUES_MAX + 1);

    (void)state;
    rpc_value_free(decode(most));
    refuse(too_many);
}

static void text_that_xml_cannot_carry_is_replaced(void **state)
{
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"<a> & \"b\" 'c'", "&lt;a&gt; &amp; \"b\" 'c'"},
        {"tab\tline\n", "tab\tline\n"},
        {"\x1b[31m", "\xef\xbf\xbd[31m"},
        {"a\xff\xfe"
         "b",
         "a\xef\xbf\xbd\xef\xbf\xbd"
         "b"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\x7f", "\x7f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP_FREE char *expected = xasprintf("<string>%s</string>", cases[i].written);
        struct rpc_value *value = rpc_string(cases[i].text);
        struct rpc_value *back;
        struct error err;
        UT_string out;

        utstring_init(&out);
        rpc_encode_result(&out, value);
        assert_non_null(strstr(utstring_body(&out), expected));
        assert_int_equal(rpc_decode_answer(utstring_body(&out), utstring_len(&out), &back, &err), 0);
        rpc_value_free(back);
        rpc_value_free(value);
        utstring_done(&out);
    }
}

static void a_nul_is_replaced_too(void **state)
{
    struct rpc_value *value = rpc_string_bytes("a\0b", 3);
    UT_string out;

    (void)state;
    utstring_init(&out);
    rpc_encode_result(&out, value);
    assert_non_null(strstr(utstring_body(&out), "<string>a\xef\xbf\xbd"
                                                "b</string>"));
    utstring_done(&out);
    rpc_value_free(value);
}

static void long_base64_is_broken_into_lines(void **state)
{
    char bytes[100] = {0};
    struct rpc_value *value = rpc_bytes(RPC_BASE64, bytes, sizeof bytes);
    struct rpc_value *back;
    struct error err;
    UT_string out;

    (void)state;
    utstring_init(&out);
    rpc_encode_result(&out, value);
    const char *first = strstr(utstring_body(&out), "<base64>\n") + strlen("<base64>\n");
    assert_int_equal(strcspn(first, "\n"), 76);
    assert_int_equal(rpc_decode_answer(utstring_body(&out), utstring_len(&out), &back, &err), 0);
    assert_int_equal(rpc_string_length(back), sizeof bytes);
    assert_memory_equal(rpc_as_string(back), bytes, sizeof bytes);
    rpc_value_free(back);
    rpc_value_free(value);
    utstring_done(&out);
}

static void faults_come_back_as_errors(void **state)
{
    struct rpc_value *result;
    struct error err;
    UT_string out;

    (void)state;
    utstring_init(&out);
    rpc_encode_fault(&out, FAULT_BAD_NAME, "BAD_NAME: a<b");
    assert_string_equal(utstring_body(&out),
                        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n"
                        "<name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n"
                        "<name>faultString</name>\n<value><string>BAD_NAME: a&lt;b</string></value>\n</member>\n"
                        "</struct></value>\n</fault>\n</methodResponse>\n");
    assert_int_equal(rpc_decode_answer(utstring_body(&out), utstring_len(&out), &result, &err), -1);
    assert_int_equal(err.fault, FAULT_BAD_NAME);
    assert_string_equal(err.text, "BAD_NAME: a<b");
    utstring_done(&out);
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const bodies[] = {
        "<html></html>",
        PARAM("<value>1</value>"),
        "<methodResponse/>",
        "<methodResponse><params/></methodResponse>",
        "<methodResponse><params><param><value/></param><param><value/></param></params></methodResponse>",
        "<methodResponse><fault/></methodResponse>",
        "<methodResponse><fault><value>text</value></fault></methodResponse>",
        ("<methodResponse><fault><value><struct><member><name>faultCode</name><value>x</value></member></struct></"
         "value>"
         "</fault></methodResponse>"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct rpc_value *result;
        struct error err;
        assert_int_equal(rpc_decode_answer(bodies[i], strlen(bodies[i]), &result, &err), -1);
        assert_int_equal(err.fault, FAULT_NONE);
    }
}

static void calls_are_written_as_python_writes_them(void **state)
{
    struct rpc_value *params = rpc_array(1);
    UT_string out;

    (void)state;
    rpc_array_append(params, rpc_string("a"));
    utstring_init(&out);
    rpc_encode_call(&out, "x.y", params);
    assert_string_equal(utstring_body(&out),
                        "<?xml version='1.0'?>\n<methodCall>\n<methodName>x.y</methodName>\n<params>\n<param>\n"
                        "<value><string>a</string></value>\n</param>\n</params>\n</methodCall>\n");
    utstring_done(&out);
    rpc_value_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_and_written),
        cmocka_unit_test(calls_have_a_method_and_perhaps_parameters),
        cmocka_unit_test(encodings_are_turned_into_utf8),
        cmocka_unit_test(what_is_no_call_is_refused),
        cmocka_unit_test(a_call_cut_off_anywhere_is_refused),
        cmocka_unit_test(entities_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_number_of_values_is_bounded),
        cmocka_unit_test(text_that_xml_cannot_carry_is_replaced),
        cmocka_unit_test(a_nul_is_replaced_too),
        cmocka_unit_test(long_base64_is_broken_into_lines),
        cmocka_unit_test(faults_come_back_as_errors),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(calls_are_written_as_python_writes_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
