#include "output/capture.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct capture {
    size_t maximum;
    bool in_message;
    size_t matched;        /* so many bytes of the awaited tag ended the last input */
    struct evbuffer *kept; /* NULL until the first message */
};

/* The first byte of a tag occurs nowhere else in it, which keeps the search simple. */
static const struct capture_input begin_tag = {"<!--XSUPERVISOR:BEGIN-->", sizeof "<!--XSUPERVISOR:BEGIN-->" - 1};
static const struct capture_input end_tag = {"<!--XSUPERVISOR:END-->", sizeof "<!--XSUPERVISOR:END-->" - 1};

struct capture *capture_new(int64_t maxbytes)
{
    struct capture *capture = xcalloc(1, sizeof *capture);

    capture->maximum = (size_t)maxbytes;
    return capture;
}

void capture_free(struct capture *capture)
{
    if (capture == NULL)
        return;
    if (capture->kept != NULL)
        evbuffer_free(capture->kept);
    free(capture);
}

/* --- taking the stream apart -------------------------------------------------------------------------------------- */

static const struct capture_input *awaited_tag(const struct capture *capture)
{
    return capture->in_message ? &end_tag : &begin_tag;
}

/* How many bytes at the end of the input are the beginning of the tag. */
static size_t partial_tag(const struct capture_input *tag, const struct capture_input *input)
{
    const size_t most = input->length < tag->length - 1 ? input->length : tag->length - 1;
    const char *end = input->bytes + input->length;
    const char *start = memrchr(end - most, tag->bytes[0], most);

    return start != NULL && memcmp(start, tag->bytes, (size_t)(end - start)) == 0 ? (size_t)(end - start) : 0;
}

/* How many bytes come before the tag, or before what may become one. */
static size_t text_before_tag(const struct capture_input *tag, const struct capture_input *input)
{
    const char *found = memmem(input->bytes, input->length, tag->bytes, tag->length);

    return found != NULL ? (size_t)(found - input->bytes) : input->length - partial_tag(tag, input);
}

static void advance(struct capture_input *input, size_t length)
{
    input->bytes += length;
    input->length -= length;
}

static struct capture_piece text_piece(const struct capture *capture, const char *bytes, size_t length)
{
    return (struct capture_piece){capture->in_message ? CAPTURE_MESSAGE : CAPTURE_OUTPUT, {bytes, length}};
}

/* Goes on with a tag of which some bytes are known. */
static bool match_tag(struct capture *capture, struct capture_input *input, struct capture_piece *piece)
{
    const struct capture_input *tag = awaited_tag(capture);
    const size_t missing = tag->length - capture->matched;
    const size_t length = input->length < missing ? input->length : missing;

    if (memcmp(input->bytes, tag->bytes + capture->matched, length) != 0) {
        *piece = text_piece(capture, tag->bytes, capture->matched);
        capture->matched = 0;
        return true;
    }
    advance(input, length);
    capture->matched += length;
    if (capture->matched < tag->length)
        return false;
    capture->matched = 0;
    capture->in_message = !capture->in_message;
    *piece = (struct capture_piece){.what = capture->in_message ? CAPTURE_BEGIN : CAPTURE_END};
    return true;
}

bool capture_next(struct capture *capture, struct capture_input *input, struct capture_piece *piece)
{
    if (input->length == 0)
        return false;
    if (capture->matched > 0)
        return match_tag(capture, input, piece);
    const size_t length = text_before_tag(awaited_tag(capture), input);
    if (length == 0)
        return match_tag(capture, input, piece);
    *piece = text_piece(capture, input->bytes, length);
    advance(input, length);
    return true;
}

bool capture_finish(struct capture *capture, struct capture_piece *piece)
{
    const bool held = capture->matched > 0;

    if (held)
        *piece = text_piece(capture, awaited_tag(capture)->bytes, capture->matched);
    capture->matched = 0;
    capture->in_message = false;
    return held;
}

/* --- the message -------------------------------------------------------------------------------------------------- */

static struct evbuffer *buffer_of(struct capture *capture)
{
    if (capture->kept == NULL && (capture->kept = evbuffer_new()) == NULL)
        memory_exhausted();
    return capture->kept;
}

void capture_keep(struct capture *capture, const char *bytes, size_t length)
{
    struct evbuffer *buffer = buffer_of(capture);

    if (length > capture->maximum) {
        bytes += length - capture->maximum;
        length = capture->maximum;
    }
    const size_t kept = evbuffer_get_length(buffer);
    if (kept > capture->maximum - length)
        evbuffer_drain(buffer, kept - (capture->maximum - length));
    if (evbuffer_add(buffer, bytes, length) < 0)
        memory_exhausted();
}

struct capture_input capture_kept(struct capture *capture)
{
    const size_t length = capture->kept != NULL ? evbuffer_get_length(capture->kept) : 0;

    if (length == 0)
        return (struct capture_input){"", 0};
    const char *bytes = (const char *)evbuffer_pullup(capture->kept, -1);
    if (bytes == NULL)
        memory_exhausted();
    return (struct capture_input){bytes, length};
}

void capture_forget(struct capture *capture)
{
    if (capture->kept != NULL)
        evbuffer_drain(capture->kept, evbuffer_get_length(capture->kept));
}

void capture_hand_over(struct capture *capture, struct handover *handover)
{
    capture->in_message = handover_flag(handover, "in_message", capture->in_message);
    capture->matched = (size_t)handover_integer(handover, "matched", (int64_t)capture->matched);
    if (capture->matched >= awaited_tag(capture)->length)
        capture->matched = 0;
    handover_buffer(handover, "message", buffer_of(capture));
}
