/* What a listener says: however it is cut, the same must come of it, and reading goes on after everything. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "listener/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One letter an outcome; an event is sent after each READY. */
static size_t read_in_pieces(const char *text, size_t length, size_t piece, char *outcomes)
{
    struct protocol protocol = {.state = PROTOCOL_ACKNOWLEDGED};
    size_t count = 0;

    for (size_t at = 0; at < length;) {
        const size_t step = length - at < piece ? length - at : piece;
        size_t used;
        const enum protocol_outcome outcome = protocol_read(&protocol, text + at, step, &used);
        if (used == 0 || used > step || (outcome == PROTOCOL_SAYS_NOTHING && used < step) ||
            memchr(protocol.line, '\0', sizeof protocol.line) == NULL)
            abort();
        if (outcome != PROTOCOL_SAYS_NOTHING)
            outcomes[count++] = (char)('0' + outcome);
        if (outcome == PROTOCOL_SAYS_READY)
            protocol_sent(&protocol);
        at += used;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    CLEANUP_FREE char *whole = xmalloc(size);
    CLEANUP_FREE char *pieces = xmalloc(size);
    const size_t whole_count = read_in_pieces(text, size - 1, size, whole);
    const size_t pieces_count = read_in_pieces(text, size - 1, (size_t)data[0] + 1, pieces);

    if (whole_count != pieces_count || memcmp(whole, pieces, whole_count) != 0)
        abort();
    return 0;
}
