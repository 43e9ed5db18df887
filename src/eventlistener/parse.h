/* From the text of an event to its parts. What comes is not trusted: it need not come from a supervisord. */
#ifndef EVENTLISTENER_PARSE_H
#define EVENTLISTENER_PARSE_H

#include <stdint.h>
#include <supervisor/listener.h>

#include "base/containers.h"
#include "base/error.h"

/* The parts of one event, and the memory that they point into. All zero is an empty one. */
struct parsed {
    struct listener_event event;
    char *header;  /* owned: the header line, cut into its tokens */
    char *line;    /* owned: the payload's first line, cut likewise; NULL: not parsed yet */
    char *payload; /* owned */
    UT_array *headers;
    UT_array *fields;
    uint64_t length; /* of the payload, as the header says */
};

/*
 * Takes a header line (malloc'd, no newline). -1 with *err when it has no eventname or no len that is a number, both
 * once; *parsed is to be released in either case.
 */
int parse_header(struct parsed *parsed, char *line, struct error *err);

/* Takes the payload, malloc'd with a NUL behind it. */
void parse_payload(struct parsed *parsed, char *payload, size_t length);

void parsed_release(struct parsed *parsed); /* and makes it empty */

#endif
