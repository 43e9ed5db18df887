#include "web/form.h"

#include <string.h>

#include "base/memory.h"

static int digit_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    const char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* A percent sign without two digits stands for itself; an encoded NUL ends the text. */
static char *decode(const char *encoded, size_t length)
{
    char *text = xmalloc(length + 1);
    char *end = text;

    for (size_t i = 0; i < length; i++) {
        const int high = i + 2 < length && encoded[i] == '%' ? digit_of(encoded[i + 1]) : -1;
        const int low = high >= 0 ? digit_of(encoded[i + 2]) : -1;
        if (low >= 0) {
            *end++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *end++ = (char)(encoded[i] == '+' ? ' ' : encoded[i]);
        }
    }
    *end = '\0';
    return text;
}

/* Where the field ends that begins at `field`. */
static size_t field_length(const char *field, size_t available)
{
    const char *separator = memchr(field, '&', available);

    return separator != NULL ? (size_t)(separator - field) : available;
}

char *form_value(const char *body, size_t length, const char *name)
{
    for (size_t at = 0; at < length;) {
        const size_t size = field_length(body + at, length - at);
        const char *equals = memchr(body + at, '=', size);
        const size_t key_size = equals != NULL ? (size_t)(equals - (body + at)) : size;
        CLEANUP_FREE char *key = decode(body + at, key_size);
        if (strcmp(key, name) == 0)
            return equals != NULL ? decode(equals + 1, size - key_size - 1) : xstrdup("");
        at += size + 1;
    }
    return NULL;
}
