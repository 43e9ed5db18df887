/*
 * XML-RPC on the wire, both ways: the daemon reads calls and writes answers, supervisorctl the reverse.
 * The writer's layout is the one that Python's xmlrpc.client produces. Input is hostile: no entities, no DTD, bounded
 * depth (RPC_DEPTH_MAX) and number of values (RPC_VALUES_MAX); size is bounded by the transport.
 * Text that XML cannot carry (control characters, invalid UTF-8) is written as U+FFFD, byte for byte.
 */
#ifndef RPC_CODEC_H
#define RPC_CODEC_H

#include "base/containers.h"
#include "base/error.h"
#include "rpc/value.h"

#define RPC_DEPTH_MAX 64
#define RPC_VALUES_MAX 100000

/* A call: *method to free, *params an array, both owned by the caller. -1 with *err when it is no XML-RPC call. */
int rpc_decode_call(const char *body, size_t length, char **method, struct rpc_value **params, struct error *err);

/* An answer: *result owned by the caller. -1 with *err: a fault (err->fault is its code, err->text its string) or
 * something that is no XML-RPC (err->fault is FAULT_NONE). */
int rpc_decode_answer(const char *body, size_t length, struct rpc_value **result, struct error *err);

/* Each appends to `out`. */
void rpc_encode_call(UT_string *out, const char *method, const struct rpc_value *params);
void rpc_encode_result(UT_string *out, const struct rpc_value *result);
void rpc_encode_fault(UT_string *out, int code, const char *text);

#endif
