/*
 * Messages to and from the host process: JSON objects, each behind its length in four bytes. Nothing here waits, and
 * what the other side does not take or send to its end is kept within limits.
 */
#ifndef PYTHON_CHANNEL_H
#define PYTHON_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <supervisor/error.h>

struct bytes {
    char *data;  /* owned */
    size_t done; /* what has been dealt with */
    size_t length;
    size_t size;
};

struct channel {
    int fd;         /* borrowed; does not block */
    bool has_ended; /* the other side has closed it */
    struct bytes in;
    struct bytes out;
};

/* Frees what is kept. */
void channel_release(struct channel *channel);

/* Puts a message behind those that wait, and takes it. -1 with *err: the message, or all that waits, is too large. */
int channel_send(struct channel *channel, json_t *message, struct error *err);
/* Writes what can be written now. -1 with *err. */
int channel_flush(struct channel *channel, struct error *err);
bool channel_has_output(const struct channel *channel);

/* Reads a piece of what is there. -1 with *err: the other side has ended, or what it sends is no message. */
int channel_fill(struct channel *channel, struct error *err);
/* The next whole message, which is the caller's, or NULL: none yet. -1 with *err. */
int channel_next(struct channel *channel, json_t **message, struct error *err);

#endif
