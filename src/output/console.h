/*
 * Writing to what is no regular file: the daemon's own stdout and stderr ("/dev/stdout", "/dev/stderr"), terminals,
 * pipes, sockets, devices. It never blocks, and O_NONBLOCK does not leak to others that share the descriptor.
 * Writers to the same path take turns, so that nobody writes into the middle of another's line.
 */
#ifndef OUTPUT_CONSOLE_H
#define OUTPUT_CONSOLE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/handover.h"

struct console_writer;
typedef void console_ready(void *context);

/* Whether the path is, or names, something that this is for. */
bool console_is_meant(const char *path);

/*
 * `ready` is called from the loop after a write that took less than all, when more may be taken. Without a loop
 * nothing is called, and `ready` may be NULL. NULL with *err when the path cannot be opened.
 */
struct console_writer *console_writer_new(struct event_base *loop, const char *path, console_ready *ready,
                                          void *context, struct error *err);
void console_writer_free(struct console_writer *writer); /* NULL is fine */

/* How many bytes were taken. A console that is gone (EPIPE, EIO) takes and drops all; that is logged once. */
size_t console_write(struct console_writer *writer, const char *bytes, size_t length);

/* Whose unfinished line is on the console. A writer that is taken over hears at once when the console takes more. */
void console_hand_over(struct console_writer *writer, struct handover *handover);

#endif
