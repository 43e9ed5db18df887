#include "eventlistener/input.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* Reads once, behind what is there; there must be room. How many bytes; 0 at end of file; -1 with *err. */
static ssize_t input_fill(struct input *input, struct error *err)
{
    ssize_t length;

    do
        length = read(input->fd, input->bytes + input->to, INPUT_BUFFER_SIZE - input->to);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return error_from_errno(err, errno, "cannot read from supervisord");
    input->to += (size_t)length;
    return length;
}

static void input_make_room(struct input *input)
{
    memmove(input->bytes, input->bytes + input->from, input->to - input->from);
    input->to -= input->from;
    input->from = 0;
}

int input_take_line(struct input *input, char **line, struct error *err)
{
    for (;;) {
        char *const start = input->bytes + input->from;
        const size_t buffered = input->to - input->from;
        const char *newline = memchr(start, '\n', buffered);
        ssize_t length;

        if (newline != NULL) {
            *line = xstrndup(start, (size_t)(newline - start));
            input->from += (size_t)(newline - start) + 1;
            return 1;
        }
        if (buffered == INPUT_BUFFER_SIZE)
            return error_set(err, "the header of an event is longer than %d bytes", INPUT_BUFFER_SIZE);
        input_make_room(input);
        length = input_fill(input, err);
        if (length < 0)
            return -1;
        if (length == 0)
            return buffered == 0 ? 0 : error_set(err, "supervisord ended in the middle of a header");
    }
}

int input_take(struct input *input, char *to, uint64_t length, struct error *err)
{
    while (length > 0) {
        const size_t buffered = input->to - input->from;
        const size_t piece = buffered < length ? buffered : (size_t)length;

        if (to != NULL) {
            memcpy(to, input->bytes + input->from, piece);
            to += piece;
        }
        input->from += piece;
        length -= piece;
        if (length == 0)
            break;
        input->from = input->to = 0;
        const ssize_t filled = input_fill(input, err);
        if (filled <= 0)
            return filled < 0 ? -1 : error_set(err, "supervisord ended in the middle of a payload");
    }
    return 0;
}

bool input_peek(struct input *input, char *byte)
{
    struct pollfd ready = {.fd = input->fd, .events = POLLIN};
    struct error ignored;

    if (input->from == input->to) {
        input->from = input->to = 0;
        if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLIN) == 0 || input_fill(input, &ignored) <= 0)
            return false;
    }
    *byte = input->bytes[input->from];
    return true;
}

bool input_begins_with(const struct input *input, const char *text)
{
    const size_t buffered = input->to - input->from;
    const size_t length = strlen(text);

    return memcmp(input->bytes + input->from, text, buffered < length ? buffered : length) == 0;
}
