/* Calls and answers off the wire: the first byte says which, the rest is the body. What was read is written again. */
#include <stdint.h>
#include <stdlib.h>

#include "rpc/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct rpc_value *value)
{
    UT_string out;
    struct rpc_value *back;
    struct error err;

    utstring_init(&out);
    rpc_encode_result(&out, value);
    if (rpc_decode_answer(utstring_body(&out), utstring_len(&out), &back, &err) < 0)
        abort(); /* we wrote what we cannot read */
    rpc_value_free(back);
    utstring_done(&out);
}

static void read_call(const char *body, size_t length)
{
    struct rpc_value *params;
    struct error err;
    char *method;

    if (rpc_decode_call(body, length, &method, &params, &err) < 0)
        return;
    for (size_t i = 0; i < rpc_count(params); i++)
        write_again(rpc_array_get(params, i));
    free(method);
    rpc_value_free(params);
}

static void read_answer(const char *body, size_t length)
{
    struct rpc_value *result;
    struct error err;

    if (rpc_decode_answer(body, length, &result, &err) < 0)
        return;
    write_again(result);
    rpc_value_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'C')
        read_call((const char *)data + 1, size - 1);
    else
        read_answer((const char *)data + 1, size - 1);
    return 0;
}
