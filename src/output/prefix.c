#include "output/prefix.h"

#include <string.h>

#include "base/memory.h"

static size_t count_newlines(const char *bytes, size_t length)
{
    const char *end = bytes + length;
    size_t count = 0;

    for (const char *newline; (newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL; bytes = newline + 1)
        count++;
    return count;
}

/* Up to the end of the line, its newline included. */
static size_t line_length(const char *bytes, size_t length)
{
    const char *newline = memchr(bytes, '\n', length);

    return newline != NULL ? (size_t)(newline - bytes) + 1 : length;
}

char *prefix_lines(const char *prefix, bool *within_line, const char *bytes, size_t length, size_t *made)
{
    const size_t prefix_length = strlen(prefix);
    char *text = xmalloc(length + (count_newlines(bytes, length) + 1) * (prefix_length + 1) + 1);
    char *end = text;

    while (length > 0) {
        const size_t line = line_length(bytes, length);
        if (!*within_line) {
            end = mempcpy(end, prefix, prefix_length);
            *end++ = ' ';
        }
        end = mempcpy(end, bytes, line);
        *within_line = bytes[line - 1] != '\n';
        bytes += line;
        length -= line;
    }
    *made = (size_t)(end - text);
    return text;
}
