#include "rpc/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char digit)
{
    const char *found = digit != '\0' ? strchr(alphabet, digit) : NULL;

    return found != NULL ? (int)(found - alphabet) : -1;
}

/* The padding may be missing, but nothing else may stand in its place. */
static bool is_tail(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("= \t\r\n", text[i]) == NULL || text[i] == '\0')
            return false;
    return true;
}

int base64_decode(const char *text, size_t text_length, char **bytes, size_t *length)
{
    char *decoded = xmalloc(text_length / 4 * 3 + 4);
    size_t used = 0;
    uint32_t bits = 0;
    int bit_count = 0;

    for (size_t i = 0; i < text_length; i++) {
        const int digit = digit_value(text[i]);
        if (digit < 0 && text[i] != '=' && is_tail(&text[i], 1))
            continue;
        if (digit < 0 && is_tail(&text[i], text_length - i))
            break;
        if (digit < 0) {
            free(decoded);
            return -1;
        }
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            decoded[used++] = (char)(bits >> bit_count & 0xff);
        }
    }
    decoded[used] = '\0';
    *bytes = decoded;
    *length = used;
    return 0;
}

size_t base64_encode_quantum(const char *bytes, size_t length, char quantum[4])
{
    const size_t taken = length < 3 ? length : 3;
    uint32_t bits = 0;

    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < taken ? (unsigned char)bytes[i] : 0);
    for (size_t i = 0; i < 4; i++)
        quantum[i] = i <= taken ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
    return taken;
}
