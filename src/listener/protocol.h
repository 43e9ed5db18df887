/*
 * What an event listener says on its stdout (manual 1.7.1), as a parser without memory beyond one short line: READY and
 * RESULT structures, cut anywhere between two reads. It knows nothing of processes.
 */
#ifndef LISTENER_PROTOCOL_H
#define LISTENER_PROTOCOL_H

#include <stddef.h>

#include "base/handover.h"

enum protocol_state {
    PROTOCOL_ACKNOWLEDGED, /* owes us a READY: it has just started, or answered */
    PROTOCOL_READY,        /* may be sent an event */
    PROTOCOL_BUSY,         /* owes us a RESULT */
    PROTOCOL_UNKNOWN,      /* has said something else; nothing it says counts any more */
};

const char *protocol_state_name(enum protocol_state state); /* "ACKNOWLEDGED" */

/* Room for a line "RESULT n" with its NUL; no honest one is near it. */
enum { PROTOCOL_LINE_SIZE = 64 };

/* One listener. All zero is where it starts. Fields are for reading. */
struct protocol {
    enum protocol_state state;
    size_t length;                 /* of `line` */
    char line[PROTOCOL_LINE_SIZE]; /* the line under way; after a violation, what was wrong, NUL-terminated */
    size_t result_left;            /* bytes of the result that are still to come; 0: its line is not complete */
    size_t result_length;
    char result[2]; /* its beginning: more than these make no difference */
};

/* What has become known. All but NOTHING are also a change of state. */
enum protocol_outcome {
    PROTOCOL_SAYS_NOTHING, /* more is needed */
    PROTOCOL_SAYS_READY,
    PROTOCOL_SAYS_OK,      /* the event was processed */
    PROTOCOL_SAYS_FAIL,    /* the event was rejected: any result but OK */
    PROTOCOL_SAYS_GARBAGE, /* and is UNKNOWN now */
};

/* Reads up to the first outcome; *used says how many bytes that took, all of them when there is none. */
enum protocol_outcome protocol_read(struct protocol *protocol, const char *bytes, size_t length, size_t *used);

/* An event has been sent to a listener that is READY. */
void protocol_sent(struct protocol *protocol);

/* It has broken the protocol in a way that does not show in what it says: it is UNKNOWN from now on. */
void protocol_give_up(struct protocol *protocol);

void protocol_hand_over(struct protocol *protocol, struct handover *handover);

#endif
