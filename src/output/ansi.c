#include "output/ansi.h"

#include <stdbool.h>
#include <string.h>

#define ESCAPE '\x1b'

/* What a byte means to the sequence of which `held` bytes are known. */
enum verdict { GOES_ON, COMPLETES, BREAKS };

static enum verdict judge(size_t held, unsigned char byte)
{
    if (held == 1)
        return byte == '[' ? GOES_ON : BREAKS;
    if (byte >= 0x20 && byte <= 0x3f) /* parameters and intermediates */
        return held < ANSI_HELD_MAXIMUM ? GOES_ON : BREAKS;
    return byte >= 0x40 && byte <= 0x7e ? COMPLETES : BREAKS;
}

size_t ansi_finish(struct ansi_stripper *stripper, char *output)
{
    const size_t length = stripper->held_length;

    memcpy(output, stripper->held, length);
    stripper->held_length = 0;
    return length;
}

/* Copies up to the next escape, if any. Returns how many bytes were copied. */
static size_t copy_text(const char *input, size_t length, char *output)
{
    const char *escape = memchr(input, ESCAPE, length);
    const size_t text = escape != NULL ? (size_t)(escape - input) : length;

    memcpy(output, input, text);
    return text;
}

size_t ansi_strip(struct ansi_stripper *stripper, const char *input, size_t length, char *output)
{
    size_t made = 0;

    for (size_t i = 0; i < length;) {
        if (stripper->held_length == 0) {
            const size_t text = copy_text(input + i, length - i, output + made);
            made += text;
            i += text;
            if (i < length)
                stripper->held[stripper->held_length++] = input[i++];
            continue;
        }
        switch (judge(stripper->held_length, (unsigned char)input[i])) {
        case GOES_ON:
            stripper->held[stripper->held_length++] = input[i++];
            break;
        case COMPLETES:
            stripper->held_length = 0;
            i++;
            break;
        case BREAKS: /* the byte itself may begin a new sequence */
            made += ansi_finish(stripper, output + made);
            break;
        }
    }
    return made;
}
