/* Removal of ANSI control sequences (ESC [ parameters letter) from a stream that comes in pieces (strip_ansi). */
#ifndef OUTPUT_ANSI_H
#define OUTPUT_ANSI_H

#include <stddef.h>

#define ANSI_HELD_MAXIMUM 64 /* a longer sequence is taken for text */

/* Zero it to begin. Holds a sequence that is not complete yet. */
struct ansi_stripper {
    char held[ANSI_HELD_MAXIMUM];
    size_t held_length;
};

/* Writes what remains of `input` to `output`, which has room for length + ANSI_HELD_MAXIMUM. Returns how much. */
size_t ansi_strip(struct ansi_stripper *stripper, const char *input, size_t length, char *output);

/* At the end of the stream: what was held is no sequence after all. Returns how many bytes went to `output`. */
size_t ansi_finish(struct ansi_stripper *stripper, char *output);

#endif
