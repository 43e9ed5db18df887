#include "output/console_lines.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "output/console.h"

#define LINE_HELD_MAXIMUM ((size_t)8 << 10) /* a longer line goes in pieces */
#define HELD_MAXIMUM ((size_t)8 << 20)      /* what dead children may leave for a console that takes nothing */

struct console_lines {
    const char *path; /* borrowed */
    const char *name; /* borrowed */
    struct console_writer *console;
    console_lines_ready *ready;
    void *context;
    struct evbuffer *held; /* an unfinished line, and what the console did not take yet */
    bool is_finished;      /* an unfinished line may go */
    bool overrun;          /* reported that HELD_MAXIMUM was passed */
};

/* How many of the held bytes may go now: up to the last newline, or all of an endless line. */
static size_t sendable(const char *text, size_t length, bool is_finished)
{
    const char *newline = length > 0 ? memrchr(text, '\n', length) : NULL;
    const size_t whole = newline != NULL ? (size_t)(newline + 1 - text) : 0;

    return is_finished || length - whole >= LINE_HELD_MAXIMUM ? length : whole;
}

/* True when the console took all that may go. */
static bool flush(struct console_lines *lines)
{
    const char *text = (const char *)evbuffer_pullup(lines->held, -1);
    const size_t due = sendable(text, evbuffer_get_length(lines->held), lines->is_finished);
    const size_t taken = due > 0 ? console_write(lines->console, text, due) : 0;

    evbuffer_drain(lines->held, taken);
    return taken == due;
}

static void on_console_ready(void *context)
{
    struct console_lines *lines = context;

    if (flush(lines))
        lines->ready(lines->context);
}

struct console_lines *console_lines_new(struct event_base *loop, const char *path, const char *name,
                                        console_lines_ready *ready, void *context, struct error *err)
{
    struct console_lines *lines = xcalloc(1, sizeof *lines);

    lines->path = path;
    lines->name = name;
    lines->ready = ready;
    lines->context = context;
    lines->console = console_writer_new(loop, path, on_console_ready, lines, err);
    if (lines->console == NULL) {
        free(lines);
        return NULL;
    }
    lines->held = evbuffer_new();
    if (lines->held == NULL)
        memory_exhausted();
    return lines;
}

void console_lines_free(struct console_lines *lines)
{
    if (lines == NULL)
        return;
    console_writer_free(lines->console);
    evbuffer_free(lines->held);
    free(lines);
}

/* Back-pressure bounds what a living child leaves; this bounds what many dead ones do. */
static bool has_room(struct console_lines *lines, size_t length)
{
    const size_t held = evbuffer_get_length(lines->held);

    if (held == 0 || held + length <= HELD_MAXIMUM) {
        lines->overrun = false;
        return true;
    }
    if (!lines->overrun)
        log_error("%s takes no output: that of '%s' is lost until it does", lines->path, lines->name);
    lines->overrun = true;
    return false;
}

bool console_lines_write(struct console_lines *lines, const char *bytes, size_t length)
{
    if (!has_room(lines, length))
        return true;
    if (evbuffer_add(lines->held, bytes, length) < 0)
        memory_exhausted();
    lines->is_finished = false;
    return flush(lines);
}

void console_lines_finish(struct console_lines *lines)
{
    lines->is_finished = true;
    (void)flush(lines);
}

void console_lines_hand_over(struct console_lines *lines, struct handover *handover)
{
    handover_buffer(handover, "held", lines->held);
    lines->is_finished = handover_flag(handover, "is_finished", lines->is_finished);
    console_hand_over(lines->console, handover);
}
