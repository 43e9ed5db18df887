/*
 * What is typed into supervisorctl, and what a server answers that means it no good. The input is lines up to a NUL,
 * then the answers, with NULs between them: an XML-RPC answer, or the number of another outcome.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rpc/codec.h"
#include "supervisorctl/commands.h"
#include "supervisorctl/complete.h"

#define LINES_MAX 16
#define CALLS_MAX 2000 /* of one input; more is a loop without end */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct transport {
    const char *answers; /* those not given yet */
    const char *end;
    int calls;
};

static struct transport server;

/* --- the transport ------------------------------------------------------------------------------------------------ */

struct transport *transport_new(const char *url, const char *username, const char *password,
                                const struct transport_tls *tls, struct error *err)
{
    (void)username;
    (void)password;
    (void)tls;
    if (strncmp(url, "http", 4) == 0)
        return &server;
    error_set(err, "Unknown protocol for serverurl %s", url);
    return NULL;
}

void transport_free(struct transport *transport)
{
    (void)transport;
}

void transport_set_credentials(struct transport *transport, const char *username, const char *password)
{
    (void)transport;
    (void)username;
    (void)password;
}

const char *transport_url(const struct transport *transport)
{
    (void)transport;
    return "http://localhost:9001";
}

char *transport_logtail_path(const char *process, const char *channel)
{
    return xasprintf("/logtail/%s/%s", process, channel);
}

void transport_answer_release(struct transport_answer *answer)
{
    rpc_value_free(answer->result);
    answer->result = NULL;
}

/* The next of the answers; "" when there are no more. */
static const char *next_answer(struct transport *transport, size_t *length)
{
    const char *answer = transport->answers;
    const char *nul = memchr(answer, '\0', (size_t)(transport->end - answer));

    if (++transport->calls > CALLS_MAX)
        abort();
    *length = (size_t)((nul != NULL ? nul : transport->end) - answer);
    transport->answers = nul != NULL ? nul + 1 : transport->end;
    return answer;
}

/* As transport.c does with the body of an answer. */
static enum transport_outcome read_answer(const char *text, size_t length, struct transport_answer *answer)
{
    if (length > 0 && text[0] >= '0' && text[0] <= '6') {
        error_set(&answer->err, "%.*s", (int)length, text);
        return text[0] == '0' + TRANSPORT_OK ? TRANSPORT_FAILED : (enum transport_outcome)(text[0] - '0');
    }
    if (rpc_decode_answer(text, length, &answer->result, &answer->err) == 0)
        return TRANSPORT_OK;
    return answer->err.fault != FAULT_NONE ? TRANSPORT_FAULT : TRANSPORT_FAILED;
}

void transport_call_all(struct transport *transport, struct transport_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct transport_answer *answer = &calls[i].answer;
        size_t length;
        const char *text = next_answer(transport, &length);
        UT_string sent;

        utstring_init(&sent);
        rpc_encode_call(&sent, calls[i].method, calls[i].params);
        utstring_done(&sent);
        *answer = (struct transport_answer){.outcome = TRANSPORT_OK};
        if (length == 0 && strcmp(calls[i].method, "supervisor.getVersion") == 0)
            answer->result = rpc_string("3.0"); /* so that short inputs get somewhere */
        else
            answer->outcome = read_answer(text, length, answer);
    }
}

void transport_run_streams(struct transport *transport, struct transport_stream *streams, size_t count,
                           const struct transport_watch *watch)
{
    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *text = next_answer(transport, &length);

        streams[i].status = length > 0 ? 200 : 404;
        streams[i].has_ended = true;
        streams[i].data(streams[i].context, text, length);
    }
    if (watch != NULL && watch->readable(watch->context))
        (void)watch->tick(watch->context);
}

/* --- the user ----------------------------------------------------------------------------------------------------- */

static void try_completion(struct ctl *ctl, const char *line)
{
    struct completion completion;

    complete(&completion, ctl, line);
    complete_release(&completion);
}

static void run_lines(char *text)
{
    struct ctl ctl = {.transport = &server};
    char *rest = text;
    int count = 0;

    for (const char *line; count < LINES_MAX && !ctl.is_leaving && (line = strsep(&rest, "\n")) != NULL; count++) {
        if (line[0] == '\t')
            try_completion(&ctl, line + 1);
        else
            command_run_line(&ctl, line);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "r", stdin) == NULL)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *lines = xstrndup((const char *)data, size);
    const size_t length = strlen(lines);

    server = (struct transport){.end = (const char *)data + size};
    server.answers = length < size ? (const char *)data + length + 1 : server.end;
    run_lines(lines);
    return 0;
}
