/* Removal of ANSI sequences: however the stream is cut, the same must come out, within the room that was promised. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "output/ansi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hands the text over in pieces of `piece` bytes, each with no more room for its output than the header demands. */
static size_t strip_in_pieces(const char *text, size_t length, size_t piece, char *output)
{
    struct ansi_stripper stripper = {0};
    size_t made = 0;

    for (size_t at = 0; at < length; at += piece) {
        const size_t step = length - at < piece ? length - at : piece;
        CLEANUP_FREE char *room = xmalloc(step + ANSI_HELD_MAXIMUM);
        const size_t got = ansi_strip(&stripper, text + at, step, room);
        memcpy(output + made, room, got);
        made += got;
    }
    return made + ansi_finish(&stripper, output + made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    CLEANUP_FREE char *whole = xmalloc(size + ANSI_HELD_MAXIMUM);
    CLEANUP_FREE char *pieces = xmalloc(size + ANSI_HELD_MAXIMUM);
    const size_t whole_length = strip_in_pieces(text, size - 1, size, whole);
    const size_t pieces_length = strip_in_pieces(text, size - 1, (size_t)data[0] + 1, pieces);

    if (whole_length != pieces_length || memcmp(whole, pieces, whole_length) != 0)
        abort(); /* where a read ends shows in the log */
    return 0;
}
