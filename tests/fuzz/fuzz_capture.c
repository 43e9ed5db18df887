/* Capture mode: however the stream is cut, the same must come out, and no byte be lost that is not part of a tag. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "output/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pieces behind one another: what they are, without regard to how many make up a text, and their bytes. */
struct record {
    char *text;
    size_t length;
    enum capture_what last;
};

static void note(struct record *record, const struct capture_piece *piece)
{
    const bool goes_on = record->length > 0 && piece->what == record->last &&
                         (piece->what == CAPTURE_OUTPUT || piece->what == CAPTURE_MESSAGE);

    if (!goes_on)
        record->text[record->length++] = (char)('0' + (int)piece->what);
    if (piece->text.length > 0)
        memcpy(record->text + record->length, piece->text.bytes, piece->text.length);
    record->length += piece->text.length;
    record->last = piece->what;
}

static struct record take_apart(const char *bytes, size_t length, size_t step)
{
    struct record record = {.text = xmalloc(length * 3 + 3)};
    struct capture *capture = capture_new(1);
    struct capture_piece piece;

    for (size_t at = 0; at < length; at += step) {
        struct capture_input input = {bytes + at, length - at < step ? length - at : step};
        while (capture_next(capture, &input, &piece))
            note(&record, &piece);
    }
    if (capture_finish(capture, &piece))
        note(&record, &piece);
    capture_free(capture);
    return record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *bytes = (const char *)data + 1;
    const struct record whole = take_apart(bytes, size - 1, size);
    const struct record pieces = take_apart(bytes, size - 1, (size_t)data[0] + 1);

    if (whole.length != pieces.length || memcmp(whole.text, pieces.text, whole.length) != 0)
        abort(); /* where a read ends shows in the log */
    free(whole.text);
    free(pieces.text);
    return 0;
}
