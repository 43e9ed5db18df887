#include "listener/protocol.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A longer result is not for the handler there is, which knows OK. */
enum { RESULT_DIGITS_MAX = 9 };

static const char ready[] = "READY\n";
static const char result_word[] = "RESULT";
static const char blanks[] = " \t\r\v\f";

const char *protocol_state_name(enum protocol_state state)
{
    static const char *const names[] = {
        [PROTOCOL_ACKNOWLEDGED] = "ACKNOWLEDGED",
        [PROTOCOL_READY] = "READY",
        [PROTOCOL_BUSY] = "BUSY",
        [PROTOCOL_UNKNOWN] = "UNKNOWN",
    };

    return names[state];
}

static void enter(struct protocol *protocol, enum protocol_state state)
{
    protocol->state = state;
    protocol->length = 0;
    protocol->result_length = 0;
    protocol->result_left = 0;
}

/* Keeps the line, for whoever wants to say what was wrong. */
static enum protocol_outcome violate(struct protocol *protocol)
{
    protocol->line[protocol->length] = '\0';
    enter(protocol, PROTOCOL_UNKNOWN);
    return PROTOCOL_SAYS_GARBAGE;
}

/* Byte by byte, so that the first wrong one is noticed. */
static enum protocol_outcome read_ready(struct protocol *protocol, const char *bytes, size_t length, size_t *used)
{
    while (*used < length) {
        const char byte = bytes[(*used)++];
        if (byte != ready[protocol->length])
            return violate(protocol);
        protocol->line[protocol->length++] = byte;
        if (protocol->length == sizeof ready - 1) {
            enter(protocol, PROTOCOL_READY);
            return PROTOCOL_SAYS_READY;
        }
    }
    return PROTOCOL_SAYS_NOTHING;
}

static enum protocol_outcome judge_result(struct protocol *protocol)
{
    const bool is_ok = protocol->result_length == 2 && memcmp(protocol->result, "OK", 2) == 0;

    enter(protocol, PROTOCOL_ACKNOWLEDGED);
    return is_ok ? PROTOCOL_SAYS_OK : PROTOCOL_SAYS_FAIL;
}

/* "RESULT 2": the word in any case, and blanks where the original allows them. */
static bool parse_result_line(const char *line, size_t *length)
{
    const size_t word = strcspn(line, blanks);

    if (word != sizeof result_word - 1 || strncasecmp(line, result_word, word) != 0)
        return false;
    line += word + strspn(line + word, blanks);
    const size_t digits = strspn(line, "0123456789");
    if (digits == 0 || digits > RESULT_DIGITS_MAX || line[digits + strspn(line + digits, blanks)] != '\0')
        return false;
    *length = 0;
    for (size_t i = 0; i < digits; i++)
        *length = *length * 10 + (size_t)(line[i] - '0');
    return true;
}

static enum protocol_outcome begin_result(struct protocol *protocol)
{
    protocol->line[protocol->length] = '\0';
    if (strlen(protocol->line) != protocol->length || !parse_result_line(protocol->line, &protocol->result_length))
        return violate(protocol);
    protocol->result_left = protocol->result_length;
    return protocol->result_left == 0 ? judge_result(protocol) : PROTOCOL_SAYS_NOTHING;
}

static enum protocol_outcome read_result_line(struct protocol *protocol, const char *bytes, size_t length, size_t *used)
{
    while (*used < length) {
        const char byte = bytes[(*used)++];
        if (byte == '\n')
            return begin_result(protocol);
        protocol->line[protocol->length++] = byte;
        if (protocol->length == PROTOCOL_LINE_SIZE - 1)
            return violate(protocol);
    }
    return PROTOCOL_SAYS_NOTHING;
}

static enum protocol_outcome read_result(struct protocol *protocol, const char *bytes, size_t length, size_t *used)
{
    const size_t available = length - *used;
    const size_t taken = available < protocol->result_left ? available : protocol->result_left;
    const size_t at = protocol->result_length - protocol->result_left;

    for (size_t i = 0; i < taken && at + i < sizeof protocol->result; i++)
        protocol->result[at + i] = bytes[*used + i];
    *used += taken;
    protocol->result_left -= taken;
    return protocol->result_left == 0 ? judge_result(protocol) : PROTOCOL_SAYS_NOTHING;
}

static enum protocol_outcome read_answer(struct protocol *protocol, const char *bytes, size_t length, size_t *used)
{
    enum protocol_outcome outcome = PROTOCOL_SAYS_NOTHING;

    if (protocol->result_left == 0)
        outcome = read_result_line(protocol, bytes, length, used);
    if (outcome == PROTOCOL_SAYS_NOTHING && protocol->result_left > 0)
        outcome = read_result(protocol, bytes, length, used);
    return outcome;
}

enum protocol_outcome protocol_read(struct protocol *protocol, const char *bytes, size_t length, size_t *used)
{
    *used = 0;
    switch (protocol->state) {
    case PROTOCOL_ACKNOWLEDGED:
        return read_ready(protocol, bytes, length, used);
    case PROTOCOL_READY: /* nothing was asked */
        if (length == 0)
            return PROTOCOL_SAYS_NOTHING;
        *used = length;
        return violate(protocol);
    case PROTOCOL_BUSY:
        return read_answer(protocol, bytes, length, used);
    case PROTOCOL_UNKNOWN:
        *used = length;
        return PROTOCOL_SAYS_NOTHING;
    }
    return PROTOCOL_SAYS_NOTHING;
}

void protocol_sent(struct protocol *protocol)
{
    enter(protocol, PROTOCOL_BUSY);
}

void protocol_give_up(struct protocol *protocol)
{
    enter(protocol, PROTOCOL_UNKNOWN);
}

void protocol_hand_over(struct protocol *protocol, struct handover *handover)
{
    const int64_t state = handover_integer(handover, "state", protocol->state);

    if (state >= PROTOCOL_ACKNOWLEDGED && state <= PROTOCOL_UNKNOWN)
        protocol->state = (enum protocol_state)state;
    handover_bytes(handover, "line", protocol->line, sizeof protocol->line - 1, &protocol->length);
    protocol->result_left = (size_t)handover_integer(handover, "result_left", (int64_t)protocol->result_left);
    protocol->result_length = (size_t)handover_integer(handover, "result_length", (int64_t)protocol->result_length);
    size_t known = sizeof protocol->result;
    handover_bytes(handover, "result", protocol->result, sizeof protocol->result, &known);
}
