/*
 * What becomes of a child's bytes: one stdout or stderr, from the pipe to its log, to syslog and to the activity log at
 * level debug. A stream lives as long as its process is configured; the pipe comes and goes with each child.
 */
#ifndef OUTPUT_STREAM_H
#define OUTPUT_STREAM_H

#include <event2/event.h>

#include "config/model.h"
#include "output/logfile.h"

struct stream;

/*
 * What a stream tells of beside writing its logs, each when somebody wants to know; NULL: nobody does. Called from
 * stream_detach() and from the loop; the handler must not free or detach the stream. The bytes are borrowed.
 */
struct stream_observer {
    /* All that was read, as it was read, after it was logged: what speaks a protocol over the pipe. */
    void (*read)(void *context, enum config_stream channel, const char *bytes, size_t length);
    /* What has gone to the log, as the child wrote it, when config->events_enabled. */
    void (*logged)(void *context, enum config_stream channel, const char *bytes, size_t length);
    /* A message of capture mode, whole, at its end. */
    void (*captured)(void *context, enum config_stream channel, const char *bytes, size_t length);
};

struct stream_options {
    struct event_base *loop;
    const char *process_name; /* borrowed; outlives the stream */
    enum config_stream channel;
    const struct config_log *config; /* borrowed; outlives the stream */
    const char *automatic_path;      /* the name chosen for an AUTO log (copied), else NULL */
    bool strip_ansi;
    const struct stream_observer *observer; /* borrowed; outlives the stream; NULL: none */
    void *observer_context;
};

struct stream *stream_new(const struct stream_options *options);
void stream_free(struct stream *stream); /* NULL is fine; closes pipe and log, keeps the file */

/* The path that clients are told, or "" when there is no file (NONE, syslog). */
const char *stream_log_path(const struct stream *stream);
struct logfile *stream_logfile(struct stream *stream); /* NULL when there is no file */

/* Opens the log, for a child that is about to be made. -1 with *err when it cannot be opened. */
int stream_open(struct stream *stream, struct error *err);

/*
 * Starts reading `pipe`, which must not block and becomes the stream's. -1 with *err when the system does not let us
 * wait for it; what stands in it at the end of the child is read even so.
 */
int stream_attach(struct stream *stream, int pipe, struct error *err);

/*
 * At the end of the child, or when none could be made: takes what is in the pipe at this moment, closes it, and closes
 * the log unless `keep_log_open` (the process is about to be started again).
 */
void stream_detach(struct stream *stream, bool keep_log_open);

int stream_reopen(struct stream *stream, struct error *err);
int stream_clear(struct stream *stream, struct error *err);

/*
 * The pipe, the log and what is held between the two. A stream that takes must be new, and one of an AUTO log is made
 * without a path.
 */
void stream_hand_over(struct stream *stream, struct handover *handover);

#endif
