/*
 * A log file that is appended to and rotated (manual 1.6.1, "Activity Log Rotation", and 1.6.2): file, file.1, file.2
 * ...
 *
 * Bytes are written at once, nothing is held back. When a write would pass the limit, as many whole lines as fit go to
 * the full file and the rest to a new one; a line is torn only when it is longer than the limit. A path that is not a
 * regular file (pipe, terminal, /dev/null) is never rotated, truncated or renamed.
 * A refused write (ENOSPC, EIO, ...) loses those bytes, is logged once, and once more when writing works again.
 */
#ifndef OUTPUT_LOGFILE_H
#define OUTPUT_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/handover.h"

struct logfile;

struct logfile_options {
    const char *path; /* copied */
    int64_t maxbytes; /* 0: never rotate */
    int backups;      /* 0: the full file is emptied instead of renamed */
    mode_t mode;      /* of a new file, before the umask: 0644, AUTO logs 0600 */
};

/* Made closed: no descriptor, nothing touched on disk. */
struct logfile *logfile_new(const struct logfile_options *options);
void logfile_free(struct logfile *log); /* NULL is fine; followers see the end */

const char *logfile_path(const struct logfile *log);
bool logfile_is_open(const struct logfile *log);

int logfile_open(struct logfile *log, struct error *err); /* creates or appends; 0 when it is open already */
void logfile_close(struct logfile *log);

/*
 * Takes all the bytes: what cannot be written is lost and reported as above. A closed log drops them silently.
 * Never blocks on a regular file longer than the disk does.
 */
void logfile_write(struct logfile *log, const char *bytes, size_t length);

/* Closes and opens the path again (SIGUSR2): for log rotation by others. A closed log stays closed. */
int logfile_reopen(struct logfile *log, struct error *err);

/* Empties the log: truncates the file and goes on at offset 0; rotated files stay. Works on a closed one too. */
int logfile_clear(struct logfile *log, struct error *err);

/* Its descriptor and how far it is: a log that is taken goes on where it was, whatever is at its path by now. */
void logfile_hand_over(struct logfile *log, struct handover *handover);

/*
 * Following, for `tail -f`. The callback tells that there is, or may be, more to read (bytes were written, the file was
 * rotated or cleared); the reader then calls follower_read() from wherever it likes. A follower reads by its
 * own descriptor and never delays the writer. It reads a rotated file to its end before the next one, and starts at
 * offset 0 after a truncation.
 */
struct follower;
typedef void follower_ready(void *context);

/* Begins `last` bytes before the end. The file need not exist yet. */
struct follower *logfile_follow(struct logfile *log, size_t last, follower_ready *ready, void *context);

/* How many bytes were read; 0: nothing now, wait for the callback; -1: the log is gone for good. */
ssize_t follower_read(struct follower *follower, char *buffer, size_t size);
void follower_free(struct follower *follower); /* NULL is fine */

#endif
