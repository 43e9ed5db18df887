#include "eventlistener/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const UT_icd token_icd = {.sz = sizeof(struct listener_token)};

static const struct listener_token *tokens_of(const UT_array *tokens, size_t *count)
{
    const struct listener_token *first = (const struct listener_token *)utarray_front(tokens);

    *count = first != NULL ? utarray_len(tokens) : 0;
    return first;
}

/*
 * Cuts `text` at its blanks into "key:value" tokens that point into it. A word without a colon stays with the value
 * before it, blank included; before the first token it is nothing.
 */
static UT_array *cut_tokens(char *text)
{
    struct listener_token token;
    UT_array *tokens;
    char *end_of_last = NULL;

    utarray_new(tokens, &token_icd);
    while (*text != '\0') {
        const size_t length = strcspn(text, " ");
        char *const end = text + length;
        char *const colon = memchr(text, ':', length);
        const bool is_last = *end == '\0';

        if (colon != NULL) {
            if (end_of_last != NULL)
                *end_of_last = '\0';
            *colon = '\0';
            token = (struct listener_token){text, colon + 1};
            utarray_push_back(tokens, &token);
        }
        if (colon != NULL || end_of_last != NULL)
            end_of_last = end;
        text = is_last ? end : end + 1;
    }
    return tokens;
}

static const char *find(const struct listener_token *tokens, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tokens[i].key, key) == 0)
            return tokens[i].value;
    return NULL;
}

static int read_length(const char *text, uint64_t *length, struct error *err)
{
    char *end;

    errno = 0;
    const uintmax_t number = strtoumax(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > UINT64_MAX)
        return error_set(err, "the header of an event has a bad len: %.64s", text);
    *length = number;
    return 0;
}

int parse_header(struct parsed *parsed, char *line, struct error *err)
{
    struct listener_event *event = &parsed->event;

    parsed->header = line;
    parsed->headers = cut_tokens(line);
    event->headers = tokens_of(parsed->headers, &event->header_count);
    event->name = listener_event_header(event, "eventname");
    const char *length = listener_event_header(event, "len");
    if (event->name == NULL || length == NULL)
        return error_set(err, "what came is not the header of an event: %.64s", line);
    return read_length(length, &parsed->length, err);
}

void parse_payload(struct parsed *parsed, char *payload, size_t length)
{
    struct listener_event *event = &parsed->event;
    const char *newline = memchr(payload, '\n', length);

    parsed->payload = payload;
    parsed->line = xstrndup(payload, newline != NULL ? (size_t)(newline - payload) : length);
    parsed->fields = cut_tokens(parsed->line);
    event->fields = tokens_of(parsed->fields, &event->field_count);
    event->payload = payload;
    event->payload_length = length;
    event->data = newline != NULL ? newline + 1 : payload + length;
    event->data_length = length - (size_t)(event->data - payload);
}

void parsed_release(struct parsed *parsed)
{
    free(parsed->header);
    free(parsed->line);
    free(parsed->payload);
    if (parsed->headers != NULL)
        utarray_free(parsed->headers);
    if (parsed->fields != NULL)
        utarray_free(parsed->fields);
    memset(parsed, 0, sizeof *parsed);
}

const char *listener_event_header(const struct listener_event *event, const char *key)
{
    return find(event->headers, event->header_count, key);
}

const char *listener_event_field(const struct listener_event *event, const char *key)
{
    return find(event->fields, event->field_count, key);
}

bool listener_event_is(const struct listener_event *event, const char *type)
{
    const size_t length = strlen(type);

    if (strcmp(type, "EVENT") == 0)
        return true;
    return strncmp(event->name, type, length) == 0 && (event->name[length] == '\0' || event->name[length] == '_');
}
