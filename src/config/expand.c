#include "config/expand.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "base/text.h"

#define ENVIRONMENT_PREFIX "ENV_"
#define WIDTH_MAX 4096 /* of a width and of a precision */
#define NUMBER_SIZE (WIDTH_MAX + 512)

/* One `%(name)05.2d`, taken apart. */
struct directive {
    const char *name;
    size_t name_length;
    bool alternate, zero, left, blank, plus;
    int width;
    int precision; /* -1: none */
    char conversion;
};

/* A value to put in: text, or a number when text is NULL. */
struct operand {
    const char *text;
    long number;
};

static const char *find_in_environment(const struct config_environment *environment, const char *name)
{
    for (size_t i = 0; environment != NULL && i < environment->count; i++)
        if (strcmp(environment->variables[i].name, name) == 0)
            return environment->variables[i].value;
    return NULL;
}

static const char *find_environment(const struct expand_scope *scope, const char *name)
{
    for (size_t i = 0; i < sizeof scope->environments / sizeof scope->environments[0]; i++) {
        const char *value = find_in_environment(scope->environments[i], name);
        if (value != NULL)
            return value;
    }
    const char *value = getenv(name);
    return value != NULL && text_utf8_valid(value, strlen(value)) ? value : NULL;
}

static int refuse_name(const struct expand_scope *scope, const char *name, struct error *err)
{
    UT_string known;

    utstring_init(&known);
    for (size_t i = 0; i < scope->variable_count; i++)
        utstring_printf(&known, "%s, ", scope->variables[i].name);
    error_set(err, "%%(%s) cannot be expanded: known are %sand " ENVIRONMENT_PREFIX "x for the environment variable x",
              name, utstring_len(&known) > 0 ? utstring_body(&known) : "");
    utstring_done(&known);
    return -1;
}

static int find_operand(const struct expand_scope *scope, const struct directive *directive, struct operand *operand,
                        struct error *err)
{
    CLEANUP_FREE char *name = xstrndup(directive->name, directive->name_length);

    for (size_t i = 0; i < scope->variable_count; i++)
        if (strcmp(scope->variables[i].name, name) == 0) {
            *operand = (struct operand){scope->variables[i].text, scope->variables[i].number};
            return 0;
        }
    if (text_starts_with(name, ENVIRONMENT_PREFIX))
        operand->text = find_environment(scope, name + sizeof ENVIRONMENT_PREFIX - 1);
    return operand->text != NULL ? 0 : refuse_name(scope, name, err);
}

/* The number at *at, or -1 when it is too large; 0 without any digit. */
static int take_number(const char **at)
{
    int number = 0;

    for (; isdigit((unsigned char)**at); (*at)++)
        if (number >= 0)
            number = number * 10 + (**at - '0') > WIDTH_MAX ? -1 : number * 10 + (**at - '0');
    return number;
}

/* The name between the parentheses, which may hold pairs of them. */
static bool take_name(struct directive *directive, const char **at)
{
    int depth = 1;

    if (**at != '(')
        return false;
    directive->name = ++*at;
    for (; **at != '\0'; (*at)++) {
        depth += (**at == '(') - (**at == ')');
        if (depth == 0)
            break;
    }
    directive->name_length = (size_t)(*at - directive->name);
    if (**at == '\0')
        return false;
    (*at)++;
    return true;
}

static void take_flags(struct directive *directive, const char **at)
{
    for (;; (*at)++)
        switch (**at) {
        case '#':
            directive->alternate = true;
            break;
        case '0':
            directive->zero = true;
            break;
        case '-':
            directive->left = true;
            break;
        case ' ':
            directive->blank = true;
            break;
        case '+':
            directive->plus = true;
            break;
        default:
            return;
        }
}

/* What stands behind the `%`. */
static int take_directive(struct directive *directive, const char **at, struct error *err)
{
    *directive = (struct directive){.name = "", .precision = -1};
    if (!take_name(directive, at))
        return error_set(err, "a %% must begin %%(name)s or be doubled");
    take_flags(directive, at);
    directive->width = take_number(at);
    if (**at == '.') {
        (*at)++;
        directive->precision = take_number(at);
        if (directive->precision < 0)
            directive->width = -1;
    }
    if (directive->width < 0)
        return error_set(err, "the width or precision of %%(%.*s) is too large", (int)directive->name_length,
                         directive->name);
    if (**at != '\0' && strchr("hlL", **at) != NULL)
        (*at)++;
    directive->conversion = **at;
    if (directive->conversion == '\0')
        return error_set(err, "%%(%.*s) lacks its format, such as %%(%.*s)s", (int)directive->name_length,
                         directive->name, (int)directive->name_length, directive->name);
    (*at)++;
    return 0;
}

static void add_fill(UT_string *out, char fill, size_t have, int width)
{
    for (size_t i = have; i < (size_t)width; i++)
        utstring_bincpy(out, &fill, 1);
}

/* How many bytes the first `count` characters have. */
static size_t measure_characters(const char *text, size_t count)
{
    const size_t length = strlen(text);
    size_t at = 0;

    for (; count > 0 && at < length; count--) {
        const size_t step = text_utf8_length(text + at, length - at);
        at += step > 0 ? step : 1;
    }
    return at;
}

static size_t count_characters(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0U) != 0x80U;
    return count;
}

static void add_text(UT_string *out, const struct directive *directive, const char *text)
{
    const size_t length =
        directive->precision >= 0 ? measure_characters(text, (size_t)directive->precision) : strlen(text);
    const size_t shown = count_characters(text, length);

    if (!directive->left)
        add_fill(out, ' ', shown, directive->width);
    utstring_bincpy(out, text, length);
    if (directive->left)
        add_fill(out, ' ', shown, directive->width);
}

/* Sign and base in front of digits, all of it padded. */
static void add_number(UT_string *out, const struct directive *directive, const char *prefix, const char *digits)
{
    const size_t length = strlen(prefix) + strlen(digits);

    if (!directive->left && !directive->zero)
        add_fill(out, ' ', length, directive->width);
    utstring_bincpy(out, prefix, strlen(prefix));
    if (!directive->left && directive->zero)
        add_fill(out, '0', length, directive->width);
    utstring_bincpy(out, digits, strlen(digits));
    if (directive->left)
        add_fill(out, ' ', length, directive->width);
}

static const char *choose_sign(const struct directive *directive, long number)
{
    if (number < 0)
        return "-";
    if (directive->plus)
        return "+";
    return directive->blank ? " " : "";
}

static void add_integer(UT_string *out, const struct directive *directive, long number)
{
    const unsigned long magnitude = number < 0 ? 0UL - (unsigned long)number : (unsigned long)number;
    const int precision = directive->precision < 1 ? 1 : directive->precision;
    const char *base = "";
    char digits[NUMBER_SIZE];
    char prefix[4];

    switch (directive->conversion) {
    case 'x':
        (void)snprintf(digits, sizeof digits, "%.*lx", precision, magnitude);
        base = "0x";
        break;
    case 'X':
        (void)snprintf(digits, sizeof digits, "%.*lX", precision, magnitude);
        base = "0X";
        break;
    case 'o':
        (void)snprintf(digits, sizeof digits, "%.*lo", precision, magnitude);
        base = "0o";
        break;
    default:
        (void)snprintf(digits, sizeof digits, "%.*lu", precision, magnitude);
    }
    (void)snprintf(prefix, sizeof prefix, "%s%s", choose_sign(directive, number), directive->alternate ? base : "");
    add_number(out, directive, prefix, digits);
}

static void add_float(UT_string *out, const struct directive *directive, long number)
{
    const double magnitude = number < 0 ? -(double)number : (double)number;
    char digits[NUMBER_SIZE];
    char format[16];

    (void)snprintf(format, sizeof format, "%%.%d%c", directive->precision < 0 ? 6 : directive->precision,
                   directive->conversion);
    (void)strfromd(digits, sizeof digits, format, magnitude);
    add_number(out, directive, choose_sign(directive, number), digits);
}

/* The character with that code point. */
static int add_character(UT_string *out, const struct directive *directive, long code, struct error *err)
{
    char text[5] = "";
    size_t length = 0;

    if (code < 0x80) {
        text[length++] = (char)code;
    } else if (code < 0x800) {
        text[length++] = (char)(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        text[length++] = (char)(0xE0 | code >> 12);
        text[length++] = (char)(0x80 | (code >> 6 & 0x3F));
    } else {
        text[length++] = (char)(0xF0 | (code >> 18 & 0x07));
        text[length++] = (char)(0x80 | (code >> 12 & 0x3F));
        text[length++] = (char)(0x80 | (code >> 6 & 0x3F));
    }
    if (code >= 0x80)
        text[length++] = (char)(0x80 | (code & 0x3F));
    if (code <= 0 || code > 0x10FFFF || !text_utf8_valid(text, length))
        return error_set(err, "%%(%.*s)c: %ld is no character", (int)directive->name_length, directive->name, code);
    const struct directive whole = {.width = directive->width, .left = directive->left, .precision = -1};
    add_text(out, &whole, text);
    return 0;
}

/* Text as Python writes it in source: between quotes, with escapes. */
static char *quote_text(const char *text)
{
    const char quote = strchr(text, '\'') != NULL && strchr(text, '"') == NULL ? '"' : '\'';
    UT_string out;

    utstring_init(&out);
    utstring_printf(&out, "%c", quote);
    for (; *text != '\0'; text++)
        if (*text == quote || *text == '\\')
            utstring_printf(&out, "\\%c", *text);
        else if (*text == '\n')
            utstring_printf(&out, "\\n");
        else if (*text == '\t')
            utstring_printf(&out, "\\t");
        else if (iscntrl((unsigned char)*text))
            utstring_printf(&out, "\\x%02x", (unsigned)(unsigned char)*text);
        else
            utstring_bincpy(&out, text, 1);
    utstring_printf(&out, "%c", quote);
    return utstring_body(&out);
}

static int refuse_conversion(const struct directive *directive, const struct operand *operand, struct error *err)
{
    return error_set(err, "%%(%.*s) is %s and has no format \"%c\"", (int)directive->name_length, directive->name,
                     operand->text != NULL ? "text" : "a number",
                     isprint((unsigned char)directive->conversion) ? directive->conversion : '?');
}

static int add_text_operand(UT_string *out, const struct directive *directive, const struct operand *operand,
                            struct error *err)
{
    switch (directive->conversion) {
    case 'r':
    case 'a': {
        CLEANUP_FREE char *quoted = quote_text(operand->text);
        add_text(out, directive, quoted);
        return 0;
    }
    case 'c':
        if (count_characters(operand->text, strlen(operand->text)) != 1)
            return refuse_conversion(directive, operand, err);
        break;
    case 's':
        break;
    default:
        return refuse_conversion(directive, operand, err);
    }
    add_text(out, directive, operand->text);
    return 0;
}

static int add_number_operand(UT_string *out, const struct directive *directive, const struct operand *operand,
                              struct error *err)
{
    char text[32];

    if (strchr("diuxXo", directive->conversion) != NULL) {
        add_integer(out, directive, operand->number);
    } else if (strchr("eEfFgG", directive->conversion) != NULL) {
        add_float(out, directive, operand->number);
    } else if (strchr("sra", directive->conversion) != NULL) {
        (void)snprintf(text, sizeof text, "%ld", operand->number);
        add_text(out, directive, text);
    } else if (directive->conversion == 'c') {
        return add_character(out, directive, operand->number, err);
    } else {
        return refuse_conversion(directive, operand, err);
    }
    return 0;
}

/* Behind a `%`: adds what it stands for, and moves *at behind it. */
static int expand_one(UT_string *out, const char **at, const struct expand_scope *scope, struct error *err)
{
    struct directive directive;
    struct operand operand = {0};

    if (**at == '%') {
        utstring_bincpy(out, "%", 1);
        (*at)++;
        return 0;
    }
    if (take_directive(&directive, at, err) < 0 || find_operand(scope, &directive, &operand, err) < 0)
        return -1;
    if (operand.text != NULL)
        return add_text_operand(out, &directive, &operand, err);
    return add_number_operand(out, &directive, &operand, err);
}

char *expand_text(const char *format, const struct expand_scope *scope, struct error *err)
{
    UT_string out;

    if (strchr(format, '%') == NULL)
        return xstrdup(format);
    utstring_init(&out);
    while (*format != '\0') {
        const size_t plain = strcspn(format, "%");
        utstring_bincpy(&out, format, plain);
        format += plain;
        if (*format == '\0')
            break;
        format++;
        if (expand_one(&out, &format, scope, err) < 0) {
            utstring_done(&out);
            return NULL;
        }
    }
    return utstring_body(&out);
}
