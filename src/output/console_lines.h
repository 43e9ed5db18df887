/*
 * One stream's lines to a console: whole as far as possible, so that the lines of several streams do not mix. What the
 * console does not take is held; whoever writes is told to wait meanwhile.
 */
#ifndef OUTPUT_CONSOLE_LINES_H
#define OUTPUT_CONSOLE_LINES_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/handover.h"

struct console_lines;
typedef void console_lines_ready(void *context);

/*
 * `path` is a console (output/console.h) and `name` whose lines these are; both borrowed, they outlive the result.
 * `ready` is called from the loop when the console has taken what it had left. NULL with *err when the path cannot
 * be opened.
 */
struct console_lines *console_lines_new(struct event_base *loop, const char *path, const char *name,
                                        console_lines_ready *ready, void *context, struct error *err);
void console_lines_free(struct console_lines *lines); /* NULL is fine; what is held is lost */

/* Takes all. False: the console has left something, and no more should come before `ready` is called. */
bool console_lines_write(struct console_lines *lines, const char *bytes, size_t length);

/* No more comes for now: an unfinished line goes as it is. */
void console_lines_finish(struct console_lines *lines);

/* What is held. What is taken goes when the loop finds that the console takes it. */
void console_lines_hand_over(struct console_lines *lines, struct handover *handover);

#endif
