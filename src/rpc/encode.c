#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rpc/base64.h"
#include "rpc/codec.h"

/* What stands between two line ends of base64 in Python's layout. */
enum { BASE64_LINE = 76 };

/*
 * Grows geometrically, where utstring_bincpy() would copy the whole answer again and again. The NUL that a UT_string
 * has behind its bytes comes with finish(). Inlined, so that literals are copied by a few moves.
 */
static inline __attribute__((always_inline)) void append(UT_string *out, const char *bytes, size_t length)
{
    if (out->n - out->i <= length)
        utstring_reserve(out, out->n + length + 1);
    memcpy(out->d + out->i, bytes, length);
    out->i += length;
}

static void finish(UT_string *out)
{
    append(out, "", 1);
    out->i--;
}

#define APPEND_LITERAL(out, literal) append(out, literal, sizeof(literal) - 1)
#define APPEND_OPEN(out, type) APPEND_LITERAL(out, "<value><" type ">")
#define APPEND_CLOSE(out, type) APPEND_LITERAL(out, "</" type "></value>\n")

/* --- text --------------------------------------------------------------------------------------------------------- */

/* U+FFFE and U+FFFF are well-formed UTF-8, but no characters of XML. */
static bool is_noncharacter(const char *bytes, size_t length)
{
    return length == 3 && bytes[0] == '\xef' && bytes[1] == '\xbf' && (unsigned char)bytes[2] >= 0xbe;
}

#define BIT(byte) (UINT64_C(1) << (byte))

/* The bytes of ASCII that stand for themselves: all but control characters, and the few that XML gives a meaning. */
static bool is_plain(char byte)
{
    static const uint64_t plain_below_64 =
        ~(UINT64_C(0xffffffff) | BIT('&') | BIT('<') | BIT('>')) | BIT('\t') | BIT('\n');
    const unsigned char code = (unsigned char)byte;

    return code < 64 ? (plain_below_64 >> code & 1) != 0 : code < 0x80;
}

/* How many bytes the character of more than one byte at `bytes` has, or 0 when there is none that XML can carry. */
static size_t wide_length(const char *bytes, size_t available)
{
    const size_t length = text_utf8_length(bytes, available);

    return length < 2 || is_noncharacter(bytes, length) ? 0 : length;
}

/* How many bytes at the beginning can be copied. */
static size_t copyable(const char *text, size_t length)
{
    size_t done = 0;

    while (done < length) {
        const size_t step = is_plain(text[done]) ? 1 : wide_length(text + done, length - done);
        if (step == 0)
            break;
        done += step;
    }
    return done;
}

static const char *replacement(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r': /* readers of XML take a bare one for a line end */
        return "&#13;";
    default:
        return "\xef\xbf\xbd";
    }
}

static void append_text(UT_string *out, const char *text, size_t length)
{
    for (;;) {
        const size_t plain = copyable(text, length);
        append(out, text, plain);
        if (plain == length)
            break;
        const char *instead = replacement(text[plain]);
        append(out, instead, strlen(instead));
        text += plain + 1;
        length -= plain + 1;
    }
}

static void append_base64(UT_string *out, const char *bytes, size_t length)
{
    size_t column = 0;

    APPEND_LITERAL(out, "\n");
    while (length > 0) {
        char quantum[4];
        const size_t taken = base64_encode_quantum(bytes, length, quantum);
        append(out, quantum, sizeof quantum);
        bytes += taken;
        length -= taken;
        column += sizeof quantum;
        if (column == BASE64_LINE || length == 0) {
            APPEND_LITERAL(out, "\n");
            column = 0;
        }
    }
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

static void append_digits(UT_string *out, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    append(out, digits + at, sizeof digits - at);
}

/* The shortest form that reads back as the same number; without an exponent where Python writes none. */
static void append_double(UT_string *out, double number)
{
    const bool wants_exponent = number != 0 && !(fabs(number) >= 1e-4 && fabs(number) < 1e16);
    char text[64];

    for (int precision = 1; precision <= 20; precision++) {
        (void)snprintf(text, sizeof text, wants_exponent ? "%.*g" : "%.*f", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    append(out, text, strlen(text));
}

static void append_int(UT_string *out, int64_t number)
{
    if (number >= INT32_MIN && number <= INT32_MAX) {
        APPEND_OPEN(out, "int");
        append_digits(out, number);
        APPEND_CLOSE(out, "int");
    } else {
        APPEND_OPEN(out, "i8");
        append_digits(out, number);
        APPEND_CLOSE(out, "i8");
    }
}

/* --- values ------------------------------------------------------------------------------------------------------- */

static void append_value(UT_string *out, const struct rpc_value *value);

static void append_array(UT_string *out, const struct rpc_value *array)
{
    const size_t count = rpc_count(array);

    APPEND_LITERAL(out, "<value><array><data>\n");
    for (size_t i = 0; i < count; i++)
        append_value(out, rpc_array_get(array, i));
    APPEND_LITERAL(out, "</data></array></value>\n");
}

static void append_struct(UT_string *out, const struct rpc_value *record)
{
    const size_t count = rpc_count(record);

    APPEND_LITERAL(out, "<value><struct>\n");
    for (size_t i = 0; i < count; i++) {
        const char *key = rpc_struct_key(record, i);
        APPEND_LITERAL(out, "<member>\n<name>");
        append_text(out, key, strlen(key));
        APPEND_LITERAL(out, "</name>\n");
        append_value(out, rpc_struct_item(record, i));
        APPEND_LITERAL(out, "</member>\n");
    }
    APPEND_LITERAL(out, "</struct></value>\n");
}

static void append_value(UT_string *out, const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_NIL:
        APPEND_LITERAL(out, "<value><nil/></value>\n");
        break;
    case RPC_INT:
        append_int(out, rpc_as_int(value));
        break;
    case RPC_BOOLEAN:
        APPEND_OPEN(out, "boolean");
        append_digits(out, rpc_as_boolean(value));
        APPEND_CLOSE(out, "boolean");
        break;
    case RPC_DOUBLE:
        APPEND_OPEN(out, "double");
        append_double(out, rpc_as_double(value));
        APPEND_CLOSE(out, "double");
        break;
    case RPC_STRING:
        APPEND_OPEN(out, "string");
        append_text(out, rpc_as_string(value), rpc_string_length(value));
        APPEND_CLOSE(out, "string");
        break;
    case RPC_DATETIME:
        APPEND_OPEN(out, "dateTime.iso8601");
        append_text(out, rpc_as_string(value), rpc_string_length(value));
        APPEND_CLOSE(out, "dateTime.iso8601");
        break;
    case RPC_BASE64:
        APPEND_OPEN(out, "base64");
        append_base64(out, rpc_as_string(value), rpc_string_length(value));
        APPEND_CLOSE(out, "base64");
        break;
    case RPC_ARRAY:
        append_array(out, value);
        break;
    case RPC_STRUCT:
        append_struct(out, value);
        break;
    }
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

#define XML_DECLARATION "<?xml version='1.0'?>\n"

void rpc_encode_call(UT_string *out, const char *method, const struct rpc_value *params)
{
    APPEND_LITERAL(out, XML_DECLARATION "<methodCall>\n<methodName>");
    append_text(out, method, strlen(method));
    APPEND_LITERAL(out, "</methodName>\n<params>\n");
    for (size_t i = 0; i < rpc_count(params); i++) {
        APPEND_LITERAL(out, "<param>\n");
        append_value(out, rpc_array_get(params, i));
        APPEND_LITERAL(out, "</param>\n");
    }
    APPEND_LITERAL(out, "</params>\n</methodCall>\n");
    finish(out);
}

void rpc_encode_result(UT_string *out, const struct rpc_value *result)
{
    APPEND_LITERAL(out, XML_DECLARATION "<methodResponse>\n<params>\n<param>\n");
    append_value(out, result);
    APPEND_LITERAL(out, "</param>\n</params>\n</methodResponse>\n");
    finish(out);
}

void rpc_encode_fault(UT_string *out, int code, const char *text)
{
    struct rpc_value *fault = rpc_struct(2);

    rpc_struct_set_static(fault, "faultCode", rpc_int(code));
    rpc_struct_set_static(fault, "faultString", rpc_string(text));
    APPEND_LITERAL(out, XML_DECLARATION "<methodResponse>\n<fault>\n");
    append_value(out, fault);
    APPEND_LITERAL(out, "</fault>\n</methodResponse>\n");
    finish(out);
    rpc_value_free(fault);
}
