#include "base/text.h"

#include <stdint.h>
#include <string.h>

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
    const size_t length = strlen(text);
    const size_t wanted = strlen(suffix);

    return length >= wanted && memcmp(text + length - wanted, suffix, wanted) == 0;
}

/* One row for each range of first bytes that RFC 3629 allows, with the range of the second byte. */
static const struct utf8_form {
    unsigned char first_from, first_to, second_from, second_to;
    size_t length;
} utf8_forms[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool is_utf8_form(const struct utf8_form *form, const unsigned char *bytes, size_t available)
{
    if (bytes[0] < form->first_from || bytes[0] > form->first_to || available < form->length)
        return false;
    if (form->length > 1 && (bytes[1] < form->second_from || bytes[1] > form->second_to))
        return false;
    for (size_t i = 2; i < form->length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
    return true;
}

size_t text_utf8_length(const char *text, size_t available)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (available == 0)
        return 0;
    for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++)
        if (is_utf8_form(&utf8_forms[i], bytes, available))
            return utf8_forms[i].length;
    return 0;
}

bool text_utf8_valid(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        const size_t sequence = text_utf8_length(text + at, length - at);
        if (sequence == 0)
            return false;
        at += sequence;
    }
    return true;
}

bool text_equal_secret(const char *given, size_t given_length, const char *secret, size_t secret_length)
{
    volatile unsigned char difference = given_length != secret_length;

    for (size_t i = 0; i < given_length; i++)
        difference |= (unsigned char)(given[i] ^ (secret_length > 0 ? secret[i % secret_length] : 0));
    return difference == 0;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

size_t text_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    const size_t a_length = strlen(a);
    const size_t b_length = strlen(b);
    size_t rows[3][LONGEST + 1]; /* this row and the two before it: a swap looks two back */

    if (a_length > LONGEST || b_length > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smallest(row[j], rows[(i - 2) % 3][j - 2] + 1, SIZE_MAX);
        }
    }
    return rows[a_length % 3][b_length];
}
