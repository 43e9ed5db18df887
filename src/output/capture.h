/*
 * Capture mode (manual 1.5.7): what a child writes between <!--XSUPERVISOR:BEGIN--> and <!--XSUPERVISOR:END--> is no
 * output but a message. Takes a stream of bytes apart, wherever its reads are cut, and keeps a message until its end.
 *
 * Within a message BEGIN is text like any other, and so is END outside of one. Neither tag belongs to the text.
 */
#ifndef OUTPUT_CAPTURE_H
#define OUTPUT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/handover.h"

struct capture;

/* `maxbytes`: of a message the newest so many bytes are kept. */
struct capture *capture_new(int64_t maxbytes);
void capture_free(struct capture *capture); /* NULL is fine */

struct capture_input {
    const char *bytes;
    size_t length;
};

/* What comes next in the stream. The bytes are borrowed, from the input or from a constant. */
struct capture_piece {
    enum capture_what { CAPTURE_OUTPUT, CAPTURE_BEGIN, CAPTURE_MESSAGE, CAPTURE_END } what;
    struct capture_input text; /* OUTPUT and MESSAGE: not empty */
};

/*
 * Takes the next piece off the input. False when the input is used up; it may have ended with the beginning of a tag,
 * which is held until the next call shows what it is. A message comes in any number of pieces between BEGIN and END.
 */
bool capture_next(struct capture *capture, struct capture_input *input, struct capture_piece *piece);

/*
 * At the end of the stream: true, with the piece, when the beginning of a tag was held and is text after all. The
 * next byte begins a new stream, outside of any message.
 */
bool capture_finish(struct capture *capture, struct capture_piece *piece);

/* Adds to the message, and forgets the oldest bytes of one that grows too long. */
void capture_keep(struct capture *capture, const char *bytes, size_t length);

/* The message so far; good until the next call. */
struct capture_input capture_kept(struct capture *capture);
void capture_forget(struct capture *capture);

void capture_hand_over(struct capture *capture, struct handover *handover);

#endif
