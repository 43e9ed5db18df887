/* Bytes from supervisord: lines and pieces of a known length, bounded, from a blocking descriptor. */
#ifndef EVENTLISTENER_INPUT_H
#define EVENTLISTENER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { INPUT_BUFFER_SIZE = 65536 };

struct input {
    int fd;
    size_t from; /* what is buffered and not taken yet: bytes[from] up to bytes[to] */
    size_t to;
    char bytes[INPUT_BUFFER_SIZE];
};

/* A line without its newline, malloc'd. 1; 0 at end of file; -1 with *err: it is cut, or longer than the buffer. */
int input_take_line(struct input *input, char **line, struct error *err);

/* Exactly so many bytes to `to`, or to nowhere when that is NULL. 0, or -1 with *err: they end too early. */
int input_take(struct input *input, char *to, uint64_t length, struct error *err);

/* The next byte, when there is one right now: it is not taken, and nothing is waited for. */
bool input_peek(struct input *input, char *byte);

/* Whether what input_peek() has found begins with a text, as far as it has come. */
bool input_begins_with(const struct input *input, const char *text);

#endif
