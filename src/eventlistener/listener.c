#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "eventlistener/input.h"
#include "eventlistener/parse.h"

#define PAYLOAD_MAX ((size_t)64 << 20)

enum { LOG_LINE_MAX = 4096 };

struct listener {
    const char *name; /* borrowed */
    size_t payload_max;
    int output;
    struct input input;
    struct parsed parsed; /* the event under way */
};

int listener_api_version(void)
{
    return LISTENER_API_VERSION;
}

struct listener *listener_new(const struct listener_options *options)
{
    static const struct listener_options usual;
    struct listener *listener = xcalloc(1, sizeof *listener);

    if (options == NULL)
        options = &usual;
    signal(SIGPIPE, SIG_IGN);
    const bool is_usual = options->input == 0 && options->output == 0;
    listener->name = options->name != NULL ? options->name : program_invocation_short_name;
    listener->payload_max = options->payload_max != 0 ? options->payload_max : PAYLOAD_MAX;
    listener->input.fd = options->input;
    listener->output = is_usual ? STDOUT_FILENO : options->output;
    return listener;
}

void listener_free(struct listener *listener)
{
    if (listener == NULL)
        return;
    parsed_release(&listener->parsed);
    free(listener);
}

void listener_log(const struct listener *listener, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;
    const int prefix = snprintf(line, sizeof line / 2, "%s: ", listener->name);
    size_t length = (size_t)prefix < sizeof line / 2 ? (size_t)prefix : sizeof line / 2 - 1;

    va_start(arguments, format);
    const int text = vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    if (text > 0)
        length += strlen(line + length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' && line[i] != '\t')
            line[i] = '?';
    line[length++] = '\n';
    (void)fd_write_all(STDERR_FILENO, line, length); /* there is nowhere left to complain */
}

static int say(const struct listener *listener, const char *bytes, size_t length, struct error *err)
{
    if (fd_write_all(listener->output, bytes, length) == 0)
        return 0;
    return error_from_errno(err, errno, "cannot write to supervisord");
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0U) != 0x80U;
}

/*
 * supervisord 4 and older count characters in `len`, not bytes. It sends nothing more before the next READY, so what
 * has come behind the bytes that were counted belongs to the payload: as many characters as those bytes were too few
 * for. Only events that somebody has put into a file to try a listener with come all at once.
 */
static int take_uncounted(struct listener *listener, char **payload, size_t *length, struct error *err)
{
    struct input *input = &listener->input;
    size_t lacking = 0;
    char byte;

    for (size_t i = 0; i < *length; i++)
        lacking += !begins_character((*payload)[i]);
    if (lacking == 0 || !input_peek(input, &byte) || input_begins_with(input, "ver:"))
        return 0;
    size_t room = 4 * lacking + 3; /* the longest characters, and the rest of one that was cut */
    *payload = xrealloc(*payload, *length + room + 1);
    while (room-- > 0 && input_peek(input, &byte) && (lacking > 0 || !begins_character(byte))) {
        lacking -= begins_character(byte);
        if (input_take(input, *payload + (*length)++, 1, err) < 0)
            return -1;
    }
    (*payload)[*length] = '\0';
    return 0;
}

static int take_payload(struct listener *listener, struct error *err)
{
    struct parsed *parsed = &listener->parsed;
    size_t length = (size_t)parsed->length;
    char *payload = xmalloc(length + 1);

    payload[length] = '\0';
    if (input_take(&listener->input, payload, length, err) < 0 ||
        take_uncounted(listener, &payload, &length, err) < 0) {
        free(payload);
        return -1;
    }
    parse_payload(parsed, payload, length);
    return 0;
}

/* One event from its header to its payload. 1: it is there; 0: end of file; -1 with *err. */
static int take_event(struct listener *listener, struct error *err)
{
    struct parsed *parsed = &listener->parsed;
    char *line;
    const int outcome = input_take_line(&listener->input, &line, err);

    if (outcome <= 0)
        return outcome;
    if (parse_header(parsed, line, err) < 0)
        return -1;
    if (parsed->length <= listener->payload_max)
        return take_payload(listener, err) < 0 ? -1 : 1;
    listener_log(listener, "left out %s: its payload of %" PRIu64 " bytes is too long", parsed->event.name,
                 parsed->length);
    return input_take(&listener->input, NULL, parsed->length, err) < 0 ? -1 : 1;
}

static int say_ready(struct listener *listener, struct error *err)
{
    static const char ready[] = "READY\n";

    parsed_release(&listener->parsed);
    return say(listener, ready, strlen(ready), err);
}

int listener_next(struct listener *listener, const struct listener_event **event, struct error *err)
{
    for (;;) {
        if (say_ready(listener, err) < 0)
            return -1;
        const int outcome = take_event(listener, err);
        if (outcome <= 0)
            return outcome;
        if (listener->parsed.event.payload != NULL)
            break;
        if (listener_answer(listener, LISTENER_OK, err) < 0)
            return -1;
    }
    *event = &listener->parsed.event;
    return 1;
}

int listener_answer_bytes(struct listener *listener, const char *bytes, size_t length, struct error *err)
{
    CLEANUP_FREE char *answer = NULL;
    const int head = asprintf(&answer, "RESULT %zu\n", length);

    if (head < 0)
        memory_exhausted();
    answer = xrealloc(answer, (size_t)head + length + 1); /* in one write: one read of supervisord's */
    memcpy(answer + head, bytes, length);
    return say(listener, answer, (size_t)head + length, err);
}

int listener_answer(struct listener *listener, enum listener_verdict verdict, struct error *err)
{
    const char *text = verdict == LISTENER_OK ? "OK" : "FAIL";

    return listener_answer_bytes(listener, text, strlen(text), err);
}

int listener_run(struct listener *listener, listener_handler *handle, void *context)
{
    const struct listener_event *event;
    struct error err;
    int outcome;

    while ((outcome = listener_next(listener, &event, &err)) > 0) {
        const enum listener_verdict verdict = handle(listener, event, context);

        outcome = listener_answer(listener, verdict, &err);
        if (outcome < 0)
            break;
    }
    if (outcome == 0)
        return EXIT_SUCCESS;
    listener_log(listener, "%s", err.text);
    return EXIT_FAILURE;
}

int listener_main(const struct listener_options *options, listener_handler *handle, void *context)
{
    struct listener *listener = listener_new(options);
    const int status = listener_run(listener, handle, context);

    listener_free(listener);
    return status;
}
