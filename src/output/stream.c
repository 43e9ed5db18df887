#include "output/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "output/ansi.h"
#include "output/capture.h"
#include "output/console.h"
#include "output/console_lines.h"
#include "output/prefix.h"
#include "output/syslog_sink.h"

#define READ_SIZE ((size_t)256 << 10)
#define READS_PER_TURN 4                      /* then others get their turn */
#define PIPE_DEFAULT_SIZE ((ssize_t)64 << 10) /* a read of as much means that the child waits for us */
#define PIPE_LARGE_SIZE (1 << 20)
#define LINE_HELD_MAXIMUM ((size_t)8 << 10) /* a longer line goes to the system log in pieces */

struct stream {
    struct event_base *loop;
    const char *process_name; /* borrowed */
    enum config_stream channel;
    const struct config_log *config;
    struct logfile *log;                    /* NULL: no file; stays closed while a console is written to */
    struct console_lines *console;          /* NULL unless what stands at the path is no regular file */
    struct evbuffer *syslog_held;           /* for the system log: an unfinished line */
    const struct stream_observer *observer; /* borrowed; NULL: none */
    void *observer_context;
    bool within_line; /* the log ends in one that has its prefix; only with a prefix */
    bool strip_ansi;
    struct ansi_stripper ansi;
    struct capture *capture; /* NULL: no capture mode */
    int pipe;                /* -1 while there is no child */
    bool pipe_is_large;
    struct event *readable; /* NULL while there is no child */
};

/* Shared by all streams: nothing stays in them between two calls. */
static char read_buffer[READ_SIZE];
static char stripped_buffer[READ_SIZE + ANSI_HELD_MAXIMUM];

static struct evbuffer *new_buffer(void)
{
    struct evbuffer *buffer = evbuffer_new();

    if (buffer == NULL)
        memory_exhausted();
    return buffer;
}

static void append(struct evbuffer *buffer, const char *bytes, size_t length)
{
    if (evbuffer_add(buffer, bytes, length) < 0)
        memory_exhausted();
}

/* All of a buffer in one piece. */
static const char *contiguous(struct evbuffer *buffer)
{
    return (const char *)evbuffer_pullup(buffer, -1);
}

static struct logfile *new_log(const struct config_log *config, const char *path)
{
    return logfile_new(&(struct logfile_options){
        .path = path,
        .maxbytes = config->maxbytes,
        .backups = config->backups,
        .mode = config->is_automatic ? 0600 : 0644,
    });
}

struct stream *stream_new(const struct stream_options *options)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    const char *path = options->config->is_automatic ? options->automatic_path : options->config->file;

    stream->loop = options->loop;
    stream->process_name = options->process_name;
    stream->channel = options->channel;
    stream->config = options->config;
    stream->strip_ansi = options->strip_ansi;
    stream->observer = options->observer;
    stream->observer_context = options->observer_context;
    stream->pipe = -1;
    if (path != NULL)
        stream->log = new_log(options->config, path);
    if (options->config->capture_maxbytes > 0)
        stream->capture = capture_new(options->config->capture_maxbytes);
    return stream;
}

static void forget_pipe(struct stream *stream)
{
    if (stream->readable != NULL)
        event_free(stream->readable);
    stream->readable = NULL;
    fd_close(&stream->pipe);
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream_detach(stream, false);
    console_lines_free(stream->console);
    if (stream->syslog_held != NULL)
        evbuffer_free(stream->syslog_held);
    logfile_free(stream->log);
    capture_free(stream->capture);
    free(stream);
}

const char *stream_log_path(const struct stream *stream)
{
    return stream->log != NULL ? logfile_path(stream->log) : "";
}

struct logfile *stream_logfile(struct stream *stream)
{
    return stream->log != NULL && !console_is_meant(logfile_path(stream->log)) ? stream->log : NULL;
}

/* --- to the system log: whole lines ------------------------------------------------------------------------------- */

/* Sends the lines of the text and returns how many bytes they had; with `all`, also one without an end. */
static size_t syslog_lines(const struct stream *stream, const char *text, size_t length, bool all)
{
    size_t done = 0;

    while (done < length) {
        const char *start = text + done;
        const char *newline = memchr(start, '\n', length - done);
        if (newline == NULL && !all && length - done < LINE_HELD_MAXIMUM)
            break;
        const size_t line = newline != NULL ? (size_t)(newline - start) : length - done;
        syslog_sink_write(stream->process_name, start, line);
        done += line + (newline != NULL);
    }
    return done;
}

static void syslog_take(struct stream *stream, const char *bytes, size_t length)
{
    struct evbuffer *held = stream->syslog_held;

    append(held, bytes, length);
    evbuffer_drain(held, syslog_lines(stream, contiguous(held), evbuffer_get_length(held), false));
}

static void syslog_finish(struct stream *stream)
{
    struct evbuffer *held = stream->syslog_held;

    evbuffer_drain(held, syslog_lines(stream, contiguous(held), evbuffer_get_length(held), true));
}

/* --- to the logs -------------------------------------------------------------------------------------------------- */

static void copy_to_activity_log(const struct stream *stream, const char *bytes, size_t length)
{
    CLEANUP_FREE char *prefix =
        xasprintf("'%s' %s output:\n", stream->process_name, config_stream_name(stream->channel));

    log_write_bytes(LOG_LEVEL_DEBUG, prefix, bytes, length);
}

/* To what is shared with others or kept: here each line has its prefix. */
static void write_log(struct stream *stream, const char *bytes, size_t length)
{
    if (stream->log != NULL)
        logfile_write(stream->log, bytes, length);
    if (stream->console != NULL && !console_lines_write(stream->console, bytes, length) && stream->readable != NULL)
        event_del(stream->readable);
}

static void write_log_prefixed(struct stream *stream, const char *bytes, size_t length)
{
    size_t prefixed_length;
    CLEANUP_FREE char *prefixed =
        prefix_lines(stream->config->prefix, &stream->within_line, bytes, length, &prefixed_length);

    write_log(stream, prefixed, prefixed_length);
}

static void deliver(struct stream *stream, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    if (log_is_enabled(LOG_LEVEL_DEBUG))
        copy_to_activity_log(stream, bytes, length);
    if (stream->config->prefix != NULL)
        write_log_prefixed(stream, bytes, length);
    else
        write_log(stream, bytes, length);
    if (stream->syslog_held != NULL)
        syslog_take(stream, bytes, length);
    if (stream->config->events_enabled && stream->observer != NULL && stream->observer->logged != NULL)
        stream->observer->logged(stream->observer_context, stream->channel, bytes, length);
}

/* --- capture mode ------------------------------------------------------------------------------------------------- */

static void keep_message(struct stream *stream, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    if (log_is_enabled(LOG_LEVEL_DEBUG))
        copy_to_activity_log(stream, bytes, length);
    capture_keep(stream->capture, bytes, length);
}

static void tell_message(struct stream *stream)
{
    const struct capture_input message = capture_kept(stream->capture);

    log_debug("'%s' %s emitted a comm event", stream->process_name, config_stream_name(stream->channel));
    if (stream->observer != NULL && stream->observer->captured != NULL)
        stream->observer->captured(stream->observer_context, stream->channel, message.bytes, message.length);
    capture_forget(stream->capture);
}

/* --- from the pipe ------------------------------------------------------------------------------------------------ */

typedef void take_text(struct stream *stream, const char *bytes, size_t length);

static void pass(struct stream *stream, take_text *take, const char *bytes, size_t length)
{
    if (!stream->strip_ansi)
        take(stream, bytes, length);
    else
        take(stream, stripped_buffer, ansi_strip(&stream->ansi, bytes, length, stripped_buffer));
}

/* An ANSI sequence ends where the text ends, complete or not. */
static void pass_end(struct stream *stream, take_text *take)
{
    if (stream->strip_ansi)
        take(stream, stripped_buffer, ansi_finish(&stream->ansi, stripped_buffer));
}

static void pass_piece(struct stream *stream, const struct capture_piece *piece)
{
    switch (piece->what) {
    case CAPTURE_OUTPUT:
        pass(stream, deliver, piece->text.bytes, piece->text.length);
        break;
    case CAPTURE_BEGIN:
        pass_end(stream, deliver);
        break;
    case CAPTURE_MESSAGE:
        pass(stream, keep_message, piece->text.bytes, piece->text.length);
        break;
    case CAPTURE_END:
        pass_end(stream, keep_message);
        tell_message(stream);
        break;
    }
}

static void take_apart(struct stream *stream, const char *bytes, size_t length)
{
    struct capture_input input = {bytes, length};
    struct capture_piece piece;

    while (capture_next(stream->capture, &input, &piece))
        pass_piece(stream, &piece);
}

static void take(struct stream *stream, const char *bytes, size_t length)
{
    if (stream->capture != NULL)
        take_apart(stream, bytes, length);
    else
        pass(stream, deliver, bytes, length);
    if (stream->observer != NULL && stream->observer->read != NULL)
        stream->observer->read(stream->observer_context, stream->channel, bytes, length);
}

/* The child writes no more: a message that it did not end is nobody's. */
static void take_end(struct stream *stream)
{
    struct capture_piece piece;

    if (stream->capture != NULL && capture_finish(stream->capture, &piece))
        pass_piece(stream, &piece);
    pass_end(stream, deliver);
    if (stream->capture != NULL)
        capture_forget(stream->capture);
    if (stream->within_line)
        write_log_prefixed(stream, "\n", 1);
    if (stream->syslog_held != NULL)
        syslog_finish(stream);
}

/* One read of at most `size` bytes. How many; 0 at the end of the output, -1 when there is nothing at the moment. */
static ssize_t take_once(struct stream *stream, size_t size)
{
    ssize_t got;

    do
        got = read(stream->pipe, read_buffer, size < READ_SIZE ? size : READ_SIZE);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN)
        return 0;
    if (got > 0)
        take(stream, read_buffer, (size_t)got);
    return got;
}

/* A larger pipe means fewer, larger reads. Refused when the user's pipes have used up their share: then it stays. */
static void enlarge_pipe(struct stream *stream)
{
    if (!stream->pipe_is_large)
        (void)fcntl(stream->pipe, F_SETPIPE_SZ, PIPE_LARGE_SIZE);
    stream->pipe_is_large = true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct stream *stream = context;

    (void)fd;
    (void)what;
    for (int turn = 0; turn < READS_PER_TURN && event_pending(stream->readable, EV_READ, NULL); turn++) {
        const ssize_t got = take_once(stream, READ_SIZE);
        if (got == 0) /* closed by the child, which may live on */
            event_del(stream->readable);
        if (got >= PIPE_DEFAULT_SIZE)
            enlarge_pipe(stream);
        if (got < (ssize_t)READ_SIZE)
            return;
    }
}

/* What is in the pipe now: a grandchild may hold the other end and write for ever. */
static void drain_pipe(struct stream *stream)
{
    int available = 0;

    if (ioctl(stream->pipe, FIONREAD, &available) < 0)
        return;
    while (available > 0) {
        const ssize_t got = take_once(stream, (size_t)available);
        if (got <= 0)
            return;
        available -= (int)got;
    }
}

/* --- the life of a child ------------------------------------------------------------------------------------------ */

static void on_console_ready(void *context)
{
    struct stream *stream = context;

    if (stream->readable != NULL)
        event_add(stream->readable, NULL);
}

static int open_console(struct stream *stream, struct error *err)
{
    if (stream->console == NULL)
        stream->console = console_lines_new(stream->loop, logfile_path(stream->log), stream->process_name,
                                            on_console_ready, stream, err);
    return stream->console != NULL ? 0 : -1;
}

int stream_open(struct stream *stream, struct error *err)
{
    if (stream->config->syslog && stream->syslog_held == NULL)
        stream->syslog_held = new_buffer();
    if (stream->log == NULL)
        return 0;
    if (!logfile_is_open(stream->log) && console_is_meant(logfile_path(stream->log)))
        return open_console(stream, err);
    console_lines_free(stream->console);
    stream->console = NULL;
    return logfile_open(stream->log, err);
}

int stream_attach(struct stream *stream, int pipe, struct error *err)
{
    stream->pipe = pipe;
    stream->pipe_is_large = false;
    stream->readable = loop_event_new(stream->loop, pipe, EV_READ | EV_PERSIST, on_readable, stream);
    if (event_add(stream->readable, NULL) < 0)
        return error_set(err, "cannot wait for the output of %s", stream->process_name);
    return 0;
}

void stream_detach(struct stream *stream, bool keep_log_open)
{
    if (stream->pipe >= 0) {
        drain_pipe(stream);
        forget_pipe(stream);
        take_end(stream);
        if (stream->console != NULL)
            console_lines_finish(stream->console);
    }
    if (!keep_log_open && stream->log != NULL)
        logfile_close(stream->log);
}

int stream_reopen(struct stream *stream, struct error *err)
{
    return stream->log != NULL ? logfile_reopen(stream->log, err) : 0;
}

int stream_clear(struct stream *stream, struct error *err)
{
    return stream->log != NULL && stream->console == NULL ? logfile_clear(stream->log, err) : 0;
}

/* --- to the next program ------------------------------------------------------------------------------------------ */

/* The name of an AUTO log was chosen when the stream was made. */
static void hand_over_log(struct stream *stream, struct handover *handover)
{
    CLEANUP_FREE char *path = xstrdup_or_null(stream->log != NULL ? logfile_path(stream->log) : NULL);

    handover_text(handover, "log", &path);
    if (stream->log == NULL && path != NULL)
        stream->log = new_log(stream->config, path);
    if (stream->log != NULL)
        logfile_hand_over(stream->log, handover);
}

static void hand_over_console(struct stream *stream, struct handover *handover)
{
    struct error err;

    if (!handover_flag(handover, "has_console", stream->console != NULL))
        return;
    if (stream->log == NULL)
        return;
    if (open_console(stream, &err) == 0)
        console_lines_hand_over(stream->console, handover);
    else
        handover_refuse(handover, &err);
}

static void hand_over_syslog(struct stream *stream, struct handover *handover)
{
    if (!handover_flag(handover, "has_syslog", stream->syslog_held != NULL))
        return;
    if (stream->syslog_held == NULL)
        stream->syslog_held = new_buffer();
    handover_buffer(handover, "syslog_held", stream->syslog_held);
}

static void hand_over_pipe(struct stream *stream, struct handover *handover)
{
    struct error err;
    int pipe = stream->pipe;

    handover_fd(handover, "pipe", &pipe);
    if (handover_is_taking(handover) && pipe >= 0 && stream_attach(stream, pipe, &err) < 0)
        handover_refuse(handover, &err);
    stream->pipe_is_large = handover_flag(handover, "pipe_is_large", stream->pipe_is_large);
}

void stream_hand_over(struct stream *stream, struct handover *handover)
{
    hand_over_log(stream, handover);
    hand_over_console(stream, handover);
    hand_over_syslog(stream, handover);
    stream->within_line = handover_flag(handover, "within_line", stream->within_line);
    handover_bytes(handover, "ansi", stream->ansi.held, sizeof stream->ansi.held, &stream->ansi.held_length);
    if (stream->capture != NULL)
        capture_hand_over(stream->capture, handover);
    hand_over_pipe(stream, handover);
}
