/* A text before every line: however the stream is cut, the same must come out, and without the prefixes the input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "output/prefix.h"

#define PREFIX "p:"
#define ADDED (sizeof PREFIX) /* the blank behind it included */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t prefix_in_pieces(const char *text, size_t length, size_t piece, char *output)
{
    bool within_line = false;
    size_t total = 0;

    for (size_t at = 0; at < length; at += piece) {
        size_t made;
        CLEANUP_FREE char *lines =
            prefix_lines(PREFIX, &within_line, text + at, length - at < piece ? length - at : piece, &made);
        memcpy(output + total, lines, made);
        total += made;
    }
    return total;
}

/* Takes the prefixes away again, line by line. */
static void check_lines(const char *output, size_t made, const char *text, size_t length)
{
    const char *end = output + made;
    size_t at = 0;

    while (output < end) {
        if ((size_t)(end - output) <= ADDED || memcmp(output, PREFIX " ", ADDED) != 0)
            abort();
        output += ADDED;
        const char *newline = memchr(output, '\n', (size_t)(end - output));
        const size_t line = newline != NULL ? (size_t)(newline - output) + 1 : (size_t)(end - output);
        if (line > length - at || memcmp(output, text + at, line) != 0)
            abort();
        output += line;
        at += line;
    }
    if (at != length)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    const size_t length = size - 1;
    CLEANUP_FREE char *whole = xmalloc((length + 1) * (ADDED + 1));
    CLEANUP_FREE char *pieces = xmalloc((length + 1) * (ADDED + 1));
    const size_t whole_length = prefix_in_pieces(text, length, size, whole);
    const size_t pieces_length = prefix_in_pieces(text, length, (size_t)data[0] + 1, pieces);

    if (whole_length != pieces_length || memcmp(whole, pieces, whole_length) != 0)
        abort(); /* where a read ends shows in the log */
    check_lines(whole, whole_length, text, length);
    return 0;
}
