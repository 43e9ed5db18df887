#include "channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD = sizeof(uint32_t),
    FRAME_MAX = 16 * 1024 * 1024, /* as in the host */
    WAITING_MAX = 2 * FRAME_MAX,  /* bytes that the host has not taken */
    PIECE = 64 * 1024,            /* read at a time, so that others have their turn */
    IDLE_SIZE = 256 * 1024,       /* a larger buffer is given back once it is empty */
};

void channel_release(struct channel *channel)
{
    free(channel->in.data);
    free(channel->out.data);
    *channel = (struct channel){.fd = -1};
}

/* Room for `more` bytes behind those that are there. Without memory the program ends, as everywhere in the daemon. */
static char *reserve(struct bytes *bytes, size_t more)
{
    if (bytes->done > 0) {
        memmove(bytes->data, bytes->data + bytes->done, bytes->length - bytes->done);
        bytes->length -= bytes->done;
        bytes->done = 0;
    }
    if (bytes->length + more > bytes->size) {
        bytes->size = bytes->length + more + bytes->length / 2;
        bytes->data = realloc(bytes->data, bytes->size);
        if (bytes->data == NULL)
            abort();
    }
    return bytes->data + bytes->length;
}

static void shrink_when_empty(struct bytes *bytes)
{
    if (bytes->done < bytes->length || bytes->size <= IDLE_SIZE)
        return;
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* Its end is no error of the socket, however it is noticed. */
static int refuse(struct error *err, const char *what)
{
    if (errno == EPIPE || errno == ECONNRESET)
        return error_set(err, "it has ended");
    return error_from_errno(err, errno, "%s", what);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static int append(struct bytes *out, const json_t *message, struct error *err)
{
    const size_t length = message != NULL ? json_dumpb(message, NULL, 0, JSON_COMPACT) : 0;
    const uint32_t head = htonl((uint32_t)length);

    if (length == 0 || length > FRAME_MAX)
        return error_set(err, "a message of more than %d MB", FRAME_MAX / 1024 / 1024);
    if (out->length - out->done + length > WAITING_MAX)
        return error_set(err, "it does not take what it is sent");
    char *end = reserve(out, HEAD + length);
    memcpy(end, &head, HEAD);
    json_dumpb(message, end + HEAD, length, JSON_COMPACT);
    out->length += HEAD + length;
    return 0;
}

int channel_send(struct channel *channel, json_t *message, struct error *err)
{
    const int status = append(&channel->out, message, err);

    json_decref(message);
    return status < 0 ? -1 : channel_flush(channel, err);
}

int channel_flush(struct channel *channel, struct error *err)
{
    struct bytes *out = &channel->out;

    while (out->done < out->length) {
        const ssize_t count = send(channel->fd, out->data + out->done, out->length - out->done, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN ? 0 : refuse(err, "cannot send to it");
        out->done += (size_t)count;
    }
    shrink_when_empty(out);
    return 0;
}

bool channel_has_output(const struct channel *channel)
{
    return channel->out.done < channel->out.length;
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */

int channel_fill(struct channel *channel, struct error *err)
{
    const ssize_t count = read(channel->fd, reserve(&channel->in, PIECE), PIECE);

    if (count == 0) {
        channel->has_ended = true;
        return error_set(err, "it has ended");
    }
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : refuse(err, "cannot read from it");
    channel->in.length += (size_t)count;
    return 0;
}

/* How long the next message is, without its head; 0: not known yet. */
static size_t next_length(const struct bytes *in)
{
    uint32_t head;

    if (in->length - in->done < HEAD)
        return 0;
    memcpy(&head, in->data + in->done, HEAD);
    return ntohl(head);
}

int channel_next(struct channel *channel, json_t **message, struct error *err)
{
    struct bytes *in = &channel->in;
    const size_t length = next_length(in);

    *message = NULL;
    if (length > FRAME_MAX)
        return error_set(err, "it sends a message of %zu bytes", length);
    if (in->length - in->done < HEAD || in->length - in->done - HEAD < length)
        return 0;
    *message = json_loadb(in->data + in->done + HEAD, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    in->done += HEAD + length;
    shrink_when_empty(in);
    if (json_is_object(*message))
        return 0;
    json_decref(*message);
    return error_set(err, "it sends what is no message");
}
