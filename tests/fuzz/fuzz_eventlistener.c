/* What a listener is sent: every header and payload gives an event whose parts can all be read, or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eventlistener/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_tokens(const struct listener_token *tokens, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += strlen(tokens[i].key) + strlen(tokens[i].value);
    return length;
}

/* The first line is the header, all else the payload, however long the header says that it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *newline = memchr(text, '\n', size);
    const size_t header_length = newline != NULL ? (size_t)(newline - text) : size;
    const size_t payload_length = newline != NULL ? size - header_length - 1 : 0;
    struct parsed parsed = {.length = 0};
    const struct listener_event *event = &parsed.event;
    struct error err;

    if (parse_header(&parsed, xstrndup(text, header_length), &err) == 0) {
        char *payload = xmalloc(payload_length + 1);

        memcpy(payload, text + size - payload_length, payload_length);
        payload[payload_length] = '\0';
        parse_payload(&parsed, payload, payload_length);
        if (event->data + event->data_length != event->payload + event->payload_length ||
            read_tokens(event->headers, event->header_count) > header_length ||
            read_tokens(event->fields, event->field_count) > payload_length || !listener_event_is(event, event->name))
            abort();
    }
    parsed_release(&parsed);
    return 0;
}
