/* Reading pieces of log files for readLog, readProcess*Log and tailProcess*Log (manual 2.1.1, 2.1.3). */
#ifndef OUTPUT_LOGREAD_H
#define OUTPUT_LOGREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LOGREAD_MAXIMUM ((int64_t)64 << 20) /* bytes that one answer may have */

/*
 * The slice that (offset, length) means by the table of readLog (manual 2.1.1). *bytes is malloc'd, owned by the
 * caller. Faults: BAD_ARGUMENTS for a combination that the table forbids, NO_FILE, FAILED (also when the slice is
 * larger than LOGREAD_MAXIMUM: ask for less).
 */
int logread_slice(const char *path, int64_t offset, int64_t length, char **bytes, size_t *size, struct error *err);

/* What tailProcess*Log answers. An unreadable file is an empty one, as in the original. */
struct logread_tail {
    char *bytes;    /* malloc'd, owned by the caller; a NUL follows */
    size_t size;    /* LOGREAD_MAXIMUM at most */
    int64_t offset; /* of the end of the file: what to ask from next time */
    bool overflow;  /* the file has more than offset + length, as they were asked for */
};

/* The last `length` bytes of the file, none when it has not grown beyond `offset`. */
void logread_tail(const char *path, int64_t offset, int64_t length, struct logread_tail *tail);

#endif
