/*
 * Reading XML-RPC with libxml2's SAX interface: no tree is built, and only what the table of elements allows where it
 * allows it gets past on_start(). Depth is bounded by the number of <value>s that are open, since every other element
 * has its fixed place around or in one.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base64.h"
#include "rpc/codec.h"

/* name, tag, the elements it may stand in */
#define ELEMENTS(X)                                                  \
    X(METHOD_CALL, "methodCall", IN(DOCUMENT))                       \
    X(METHOD_RESPONSE, "methodResponse", IN(DOCUMENT))               \
    X(METHOD_NAME, "methodName", IN(METHOD_CALL))                    \
    X(PARAMS, "params", IN(METHOD_CALL) | IN(METHOD_RESPONSE))       \
    X(PARAM, "param", IN(PARAMS))                                    \
    X(FAULT, "fault", IN(METHOD_RESPONSE))                           \
    X(VALUE, "value", IN(PARAM) | IN(FAULT) | IN(DATA) | IN(MEMBER)) \
    X(ARRAY, "array", IN(VALUE))                                     \
    X(DATA, "data", IN(ARRAY))                                       \
    X(STRUCT, "struct", IN(VALUE))                                   \
    X(MEMBER, "member", IN(STRUCT))                                  \
    X(NAME, "name", IN(MEMBER))                                      \
    X(STRING, "string", IN(VALUE))                                   \
    X(INT, "int", IN(VALUE))                                         \
    X(I4, "i4", IN(VALUE))                                           \
    X(I8, "i8", IN(VALUE))                                           \
    X(BOOLEAN, "boolean", IN(VALUE))                                 \
    X(DOUBLE, "double", IN(VALUE))                                   \
    X(DATETIME, "dateTime.iso8601", IN(VALUE))                       \
    X(BASE64, "base64", IN(VALUE))                                   \
    X(NIL, "nil", IN(VALUE))                                         \
    X(EX_NIL, "ex:nil", IN(VALUE))

#define ELEMENT_AS_ENUM(name, tag, parents) ELEMENT_##name,
enum element { ELEMENT_DOCUMENT, ELEMENTS(ELEMENT_AS_ENUM) ELEMENT_COUNT };
#undef ELEMENT_AS_ENUM

/* An open <value>: what it holds so far, and for a struct the name of the member that is open. */
struct frame {
    struct rpc_value *value;
    char *name;
};

/* Three elements a value (value, struct, member), and those around all of them. */
enum { ELEMENT_DEPTH_MAX = 3 * RPC_DEPTH_MAX + 8 };

struct decoder {
    xmlParserCtxtPtr parser;
    struct error *err;
    bool has_failed;
    enum element open[ELEMENT_DEPTH_MAX]; /* open[0] is the document */
    size_t depth;                         /* index of the innermost */
    struct frame frames[RPC_DEPTH_MAX];
    size_t frame_count;
    size_t value_count;
    UT_string text; /* of the innermost element */
    char *method;
    struct rpc_value *params;
    struct rpc_value *fault;
};

static void fail(struct decoder *decoder, const char *why, const char *what)
{
    if (!decoder->has_failed)
        error_set(decoder->err, "line %d: %s%s", xmlSAX2GetLineNumber(decoder->parser), why, what);
    decoder->has_failed = true;
    xmlStopParser(decoder->parser);
}

static struct frame *innermost_frame(struct decoder *decoder)
{
    return &decoder->frames[decoder->frame_count - 1];
}

/* --- scalars ------------------------------------------------------------------------------------------------------ */

static const char white_space[] = " \t\r\n";

static bool is_blank(const char *text)
{
    return text[strspn(text, white_space)] == '\0';
}

static struct rpc_value *read_int(const UT_string *text)
{
    char *end;

    errno = 0;
    const long long number = strtoll(utstring_body(text), &end, 10);
    return errno == 0 && end != utstring_body(text) && is_blank(end) ? rpc_int(number) : NULL;
}

static struct rpc_value *read_boolean(const UT_string *text)
{
    const char *digit = utstring_body(text) + strspn(utstring_body(text), white_space);

    return (*digit == '0' || *digit == '1') && is_blank(digit + 1) ? rpc_boolean(*digit == '1') : NULL;
}

static struct rpc_value *read_double(const UT_string *text)
{
    const char *begin = utstring_body(text) + strspn(utstring_body(text), white_space);
    char *end;

    if (*begin == '\0' || !is_blank(begin + strspn(begin, "0123456789+-.eE")))
        return NULL; /* no hexadecimal numbers, infinities and the like */
    const double number = strtod(begin, &end);
    return end != begin && is_blank(end) && isfinite(number) ? rpc_double(number) : NULL;
}

static struct rpc_value *read_string(const UT_string *text)
{
    return rpc_string_bytes(utstring_body(text), utstring_len(text));
}

static struct rpc_value *read_datetime(const UT_string *text)
{
    return rpc_bytes(RPC_DATETIME, utstring_body(text), utstring_len(text));
}

static struct rpc_value *read_base64(const UT_string *text)
{
    char *bytes;
    size_t length;

    if (base64_decode(utstring_body(text), utstring_len(text), &bytes, &length) < 0)
        return NULL;
    struct rpc_value *value = rpc_bytes(RPC_BASE64, bytes, length);
    free(bytes);
    return value;
}

static struct rpc_value *read_nil(const UT_string *text)
{
    (void)text;
    return rpc_nil();
}

/* --- elements ----------------------------------------------------------------------------------------------------- */

static void start_value(struct decoder *decoder)
{
    if (decoder->frame_count == RPC_DEPTH_MAX)
        fail(decoder, "nested too deeply", "");
    else if (++decoder->value_count > RPC_VALUES_MAX)
        fail(decoder, "too many values", "");
    else
        decoder->frames[decoder->frame_count++] = (struct frame){0};
}

static void start_array(struct decoder *decoder)
{
    innermost_frame(decoder)->value = rpc_array(0);
}

static void start_struct(struct decoder *decoder)
{
    innermost_frame(decoder)->value = rpc_struct(0);
}

static void start_params(struct decoder *decoder)
{
    if (decoder->params != NULL)
        fail(decoder, "second <params>", "");
    else
        decoder->params = rpc_array(0);
}

static void end_method_name(struct decoder *decoder)
{
    const char *begin = utstring_body(&decoder->text);
    size_t length;

    begin += strspn(begin, white_space);
    length = strcspn(begin, white_space);
    if (decoder->method != NULL || length == 0 || !is_blank(begin + length))
        fail(decoder, "bad <methodName>", "");
    else
        decoder->method = xstrndup(begin, length);
}

static void end_name(struct decoder *decoder)
{
    struct frame *frame = innermost_frame(decoder);

    if (frame->name != NULL)
        fail(decoder, "second <name>", "");
    else
        frame->name = xstrdup(utstring_body(&decoder->text));
}

static void end_member(struct decoder *decoder)
{
    if (innermost_frame(decoder)->name != NULL)
        fail(decoder, "<member> without a <value>", "");
}

static void put_member(struct decoder *decoder, struct rpc_value *value)
{
    struct frame *frame = innermost_frame(decoder);

    if (frame->name == NULL) {
        rpc_value_free(value);
        fail(decoder, "<value> without a <name>", "");
        return;
    }
    rpc_struct_set(frame->value, frame->name, value);
    free(frame->name);
    frame->name = NULL;
}

/* Puts the value where it belongs by the element it stands in, which is the innermost one by now. */
static void end_value(struct decoder *decoder)
{
    struct rpc_value *value = innermost_frame(decoder)->value;

    if (value == NULL)
        value = read_string(&decoder->text);
    decoder->frame_count--;
    switch (decoder->open[decoder->depth]) {
    case ELEMENT_PARAM:
        rpc_array_append(decoder->params, value);
        break;
    case ELEMENT_DATA:
        rpc_array_append(innermost_frame(decoder)->value, value);
        break;
    case ELEMENT_MEMBER:
        put_member(decoder, value);
        break;
    default: /* <fault> */
        rpc_value_free(decoder->fault);
        decoder->fault = value;
        break;
    }
}

#define IN(name) (1U << ELEMENT_##name)
#define ELEMENT_AS_ROW(name, tag, parents) [ELEMENT_##name] = {tag, parents},
static const struct {
    const char *tag;
    unsigned parents;
} grammar[ELEMENT_COUNT] = {ELEMENTS(ELEMENT_AS_ROW)};
#undef ELEMENT_AS_ROW

/* What an element does beyond standing in its place. */
static const struct action {
    void (*start)(struct decoder *decoder);
    void (*end)(struct decoder *decoder);             /* when the element is closed */
    struct rpc_value *(*read)(const UT_string *text); /* scalars: NULL when the text is none */
} actions[ELEMENT_COUNT] = {
    [ELEMENT_METHOD_NAME] = {.end = end_method_name},
    [ELEMENT_PARAMS] = {.start = start_params},
    [ELEMENT_VALUE] = {.start = start_value, .end = end_value},
    [ELEMENT_ARRAY] = {.start = start_array},
    [ELEMENT_STRUCT] = {.start = start_struct},
    [ELEMENT_MEMBER] = {.end = end_member},
    [ELEMENT_NAME] = {.end = end_name},
    [ELEMENT_STRING] = {.read = read_string},
    [ELEMENT_INT] = {.read = read_int},
    [ELEMENT_I4] = {.read = read_int},
    [ELEMENT_I8] = {.read = read_int},
    [ELEMENT_BOOLEAN] = {.read = read_boolean},
    [ELEMENT_DOUBLE] = {.read = read_double},
    [ELEMENT_DATETIME] = {.read = read_datetime},
    [ELEMENT_BASE64] = {.read = read_base64},
    [ELEMENT_NIL] = {.read = read_nil},
    [ELEMENT_EX_NIL] = {.read = read_nil},
};

static enum element element_by_tag(const char *tag)
{
    for (int element = ELEMENT_DOCUMENT + 1; element < ELEMENT_COUNT; element++)
        if (strcmp(grammar[element].tag, tag) == 0)
            return (enum element)element;
    return ELEMENT_DOCUMENT;
}

/* --- what libxml2 calls ------------------------------------------------------------------------------------------- */

static void on_start(void *context, const xmlChar *name, const xmlChar **attributes)
{
    struct decoder *decoder = context;
    const enum element element = element_by_tag((const char *)name);
    const enum element parent = decoder->open[decoder->depth];

    (void)attributes;
    if (decoder->has_failed)
        return;
    if ((grammar[element].parents & 1U << parent) == 0) {
        fail(decoder, "misplaced element ", (const char *)name);
        return;
    }
    if (parent == ELEMENT_VALUE && innermost_frame(decoder)->value != NULL) {
        fail(decoder, "<value> with more than one type", "");
        return;
    }
    if (actions[element].start != NULL)
        actions[element].start(decoder);
    decoder->open[++decoder->depth] = element;
    utstring_clear(&decoder->text);
}

static void on_end(void *context, const xmlChar *name)
{
    struct decoder *decoder = context;
    const enum element element = decoder->open[decoder->depth];

    (void)name; /* the parser has seen to it that it is the innermost element's */
    if (decoder->has_failed)
        return;
    decoder->depth--;
    if (actions[element].read != NULL) {
        struct rpc_value *value = actions[element].read(&decoder->text);
        if (value == NULL)
            fail(decoder, "bad ", grammar[element].tag);
        innermost_frame(decoder)->value = value;
    }
    if (actions[element].end != NULL)
        actions[element].end(decoder);
}

static void on_text(void *context, const xmlChar *text, int length)
{
    struct decoder *decoder = context;
    UT_string *out = &decoder->text;

    if (decoder->has_failed)
        return;
    if (out->n - out->i <= (size_t)length)
        utstring_reserve(out, out->n + (size_t)length + 1);
    utstring_bincpy(out, text, (size_t)length);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    fail(context, "DOCTYPE is not allowed", "");
}

static void on_error(void *context, const char *format, ...)
{
    (void)context;
    (void)format; /* the parser remembers its last error; see say_parser_error() */
}

static xmlSAXHandler handlers = {
    .startElement = on_start,
    .endElement = on_end,
    .characters = on_text,
    .cdataBlock = on_text,
    .ignorableWhitespace = on_text,
    .internalSubset = on_doctype,
    .warning = on_error,
    .error = on_error,
    .fatalError = on_error,
    .initialized = 1,
};

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void say_parser_error(const struct decoder *decoder)
{
    const xmlError *last = xmlCtxtGetLastError(decoder->parser);

    if (last == NULL || last->message == NULL)
        error_set(decoder->err, "no XML");
    else
        error_set(decoder->err, "line %d: %.*s", last->line, (int)strcspn(last->message, "\n"), last->message);
}

/* 0 when the body is well-formed and fits the grammar. */
static int decode(struct decoder *decoder, const char *body, size_t length)
{
    if (length > INT32_MAX)
        return error_set(decoder->err, "too long");
    decoder->parser = xmlCreateMemoryParserCtxt(length > 0 ? body : " ", length > 0 ? (int)length : 1);
    if (decoder->parser == NULL)
        memory_exhausted();

    xmlSAXHandlerPtr default_handlers = decoder->parser->sax;

    xmlCtxtUseOptions(decoder->parser, XML_PARSE_NONET | XML_PARSE_HUGE);
    decoder->parser->sax = &handlers;
    decoder->parser->userData = decoder;
    xmlParseDocument(decoder->parser);
    if (!decoder->parser->wellFormed && !decoder->has_failed) {
        say_parser_error(decoder);
        decoder->has_failed = true;
    }
    decoder->parser->sax = default_handlers;
    xmlFreeDoc(decoder->parser->myDoc); /* what a refused DTD has declared */
    xmlFreeParserCtxt(decoder->parser);
    return decoder->has_failed ? -1 : 0;
}

static void init(struct decoder *decoder, struct error *err)
{
    *decoder = (struct decoder){.err = err};
    utstring_init(&decoder->text);
}

static void release(struct decoder *decoder)
{
    for (size_t i = 0; i < decoder->frame_count; i++) {
        rpc_value_free(decoder->frames[i].value);
        free(decoder->frames[i].name);
    }
    utstring_done(&decoder->text);
    free(decoder->method);
    rpc_value_free(decoder->params);
    rpc_value_free(decoder->fault);
}

int rpc_decode_call(const char *body, size_t length, char **method, struct rpc_value **params, struct error *err)
{
    struct decoder decoder;
    int outcome;

    init(&decoder, err);
    outcome = decode(&decoder, body, length);
    if (outcome == 0 && decoder.method == NULL)
        outcome = error_set(err, "no <methodName>");
    if (outcome == 0) {
        *method = decoder.method;
        *params = decoder.params != NULL ? decoder.params : rpc_array(0);
        decoder.method = NULL;
        decoder.params = NULL;
    }
    release(&decoder);
    return outcome;
}

static int report_fault(const struct rpc_value *fault, struct error *err)
{
    const struct rpc_value *code = NULL;
    const struct rpc_value *text = NULL;

    if (rpc_value_type(fault) == RPC_STRUCT) {
        code = rpc_struct_get(fault, "faultCode");
        text = rpc_struct_get(fault, "faultString");
    }
    if (code == NULL || rpc_value_type(code) != RPC_INT || rpc_as_int(code) == FAULT_NONE || text == NULL ||
        rpc_value_type(text) != RPC_STRING)
        return error_set(err, "bad <fault>");
    return error_set_fault(err, (enum fault)rpc_as_int(code), "%s", rpc_as_string(text));
}

static int outcome_of_answer(struct decoder *decoder, struct rpc_value **result, struct error *err)
{
    if (decoder->fault != NULL)
        return report_fault(decoder->fault, err);
    if (decoder->method != NULL || decoder->params == NULL || rpc_count(decoder->params) != 1)
        return error_set(err, "no answer in it");
    *result = rpc_array_pop(decoder->params);
    return 0;
}

int rpc_decode_answer(const char *body, size_t length, struct rpc_value **result, struct error *err)
{
    struct decoder decoder;
    int outcome;

    init(&decoder, err);
    outcome = decode(&decoder, body, length);
    if (outcome == 0)
        outcome = outcome_of_answer(&decoder, result, err);
    release(&decoder);
    return outcome;
}
