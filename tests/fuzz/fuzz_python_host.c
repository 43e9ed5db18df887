/*
 * What a Python host sends: messages and their values, however the stream is cut. A value that is taken must come out
 * of JSON as it went in.
 *
 * The first byte says how large the pieces are, and whether the rest is one message or a stream of them.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "channel.h"
#include "lines.h"
#include "value.h"

enum { PIPE_SIZE = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const json_t *json)
{
    struct rpc_value *value = value_from_json(json);

    if (value == NULL)
        return;
    json_t *once = value_to_json(value);
    struct rpc_value *again = once != NULL ? value_from_json(once) : NULL;
    json_t *twice = again != NULL ? value_to_json(again) : NULL;
    if (twice == NULL || json_equal(once, twice) == 0)
        abort();
    json_decref(once);
    json_decref(twice);
    rpc_value_free(value);
    rpc_value_free(again);
}

static void check_log(const json_t *text)
{
    struct lines lines = {.name = "fuzz"};

    if (!json_is_string(text))
        return;
    (void)lines_add(&lines, LOG_LEVEL_INFO, json_string_value(text), json_string_length(text));
    lines_end(&lines, LOG_LEVEL_INFO);
}

/* False at the end of what is a stream of messages. */
static bool take_messages(struct channel *channel)
{
    struct error err;
    json_t *message;

    if (channel_fill(channel, &err) < 0)
        return false;
    while (channel_next(channel, &message, &err) == 0) {
        if (message == NULL)
            return true;
        check_value(message);
        check_value(json_object_get(message, "value"));
        check_log(json_object_get(message, "text"));
        json_decref(message);
    }
    return false;
}

static void feed(const char *bytes, size_t length, size_t piece)
{
    struct channel channel = {0};
    int fds[2];

    if (pipe2(fds, O_NONBLOCK) < 0)
        abort();
    channel.fd = fds[0];
    for (size_t at = 0; at < length; at += piece) {
        const size_t count = length - at < piece ? length - at : piece;
        if (write(fds[1], bytes + at, count) != (ssize_t)count || !take_messages(&channel))
            break;
    }
    channel_release(&channel);
    close(fds[0]);
    close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > PIPE_SIZE / 2)
        return 0;
    const size_t length = size - 1;
    const uint32_t head = htonl((uint32_t)length);
    CLEANUP_FREE char *stream = xmalloc(sizeof head + length);

    memcpy(stream, &head, sizeof head);
    memcpy(stream + sizeof head, data + 1, length);
    const bool is_framed = (data[0] & 1) == 0;
    const size_t piece = (size_t)data[0] * 4 + 1;
    feed(is_framed ? stream : stream + sizeof head, is_framed ? sizeof head + length : length, piece);
    return 0;
}
