/*
 * Calls of methods: the first byte says who calls, the rest is the body. Every call has one answer, which clients can
 * read, and an account that may only look changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "fake_daemon.h"
#include "rpc/codec.h"

#define ROUNDS 8 /* of timers, for what is answered later */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int answers;

static void check_is_readable(const UT_string *body)
{
    struct rpc_value *back = NULL;
    struct error err = {0};

    if (rpc_decode_answer(utstring_body(body), utstring_len(body), &back, &err) < 0 && err.fault == FAULT_NONE)
        abort();
    rpc_value_free(back);
}

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    UT_string body;

    (void)context;
    answers++;
    utstring_init(&body);
    if (err != NULL)
        rpc_encode_fault(&body, err->fault, err->text);
    else
        rpc_encode_result(&body, result);
    check_is_readable(&body);
    utstring_done(&body);
    rpc_value_free(result);
}

static void call(enum rpc_caller caller, const char *method, struct rpc_value *params, bool leave)
{
    answers = 0;
    struct rpc_call *pending = rpc_registry_call(fake_daemon.registry, caller, method, params, on_answer, NULL);

    if ((pending == NULL) != (answers == 1))
        abort();
    fake_daemon_turn();
    if (leave && answers == 0)
        rpc_call_cancel(pending);
    for (int i = 0; i < ROUNDS; i++)
        fake_daemon_fire_timers();
    if (!leave && answers == 0) {
        rpc_call_cancel(pending);
        fake_daemon_turn();
    }
    if (answers > 1 || (caller == RPC_CALLER_READS && fake_daemon_has_changed()))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_value *params;
    struct error err;
    char *method;

    if (size == 0 || rpc_decode_call((const char *)data + 1, size - 1, &method, &params, &err) < 0)
        return 0;
    fake_daemon_begin();
    call(data[0] == 'R' ? RPC_CALLER_READS : RPC_CALLER_CHANGES, method, params, data[0] == 'L');
    fake_daemon_end();
    free(method);
    return 0;
}
