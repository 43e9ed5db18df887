/* Methods of the XML-RPC interface: rows that say what they are, and handlers that answer at once or later. */
#ifndef SUPERVISOR_RPC_H
#define SUPERVISOR_RPC_H

#include <stddef.h>
#include <supervisor/error.h>
#include <supervisor/value.h>

struct rpc_call;

/*
 * How a handler ends. RPC_DONE: *result is set. RPC_FAILED: *err is set, with a fault and the whole fault string
 * ("BAD_NAME: x"). RPC_LATER: the handler has called rpc_call_defer() and will call rpc_call_complete() or
 * rpc_call_fail() once, after it has returned.
 */
enum rpc_outcome { RPC_DONE, RPC_FAILED, RPC_LATER };

/* `params` is an array that fits the row's signature, defaults filled in; borrowed, good until the call ends. */
typedef enum rpc_outcome rpc_handler(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                     struct error *err);

enum rpc_flags {
    RPC_ALSO_IN_SHUTDOWN = 1, /* answers while the daemon is stopping or restarting; others fault SHUTDOWN_STATE */
    RPC_READS = 2,     /* changes nothing: open to accounts that may only look; others fault READ_ONLY for them */
    RPC_TAKES_ANY = 4, /* any number of parameters of any type; the signature is for methodSignature alone, or "" */
};

/* Who asks: RPC_CALLER_READS may call methods with RPC_READS alone. */
enum rpc_caller { RPC_CALLER_CHANGES, RPC_CALLER_READS };

struct rpc_method {
    const char *name; /* "supervisor.startProcess" */
    /* Types of the result and of the parameters, in the words of methodSignature, blanks between:
     * "boolean string boolean". A `*` at the end of a parameter type lets any value through. */
    const char *signature;
    /* Names of the parameters with defaults, for messages and for filling in: "name, wait=true". */
    const char *params;
    const char *help;
    unsigned flags; /* of enum rpc_flags */
    rpc_handler *call;
};

#pragma GCC visibility push(default)

/* What was given when the method was added. */
void *rpc_call_context(const struct rpc_call *call);
enum rpc_caller rpc_call_caller(const struct rpc_call *call);

/*
 * Announces a later answer. `cancel` is called instead of it when the client goes away (the handler then forgets the
 * call, and must neither complete nor fail it).
 */
void rpc_call_defer(struct rpc_call *call, void (*cancel)(void *waiting), void *waiting);
void rpc_call_complete(struct rpc_call *call, struct rpc_value *result); /* takes the result; ends the call */
void rpc_call_fail(struct rpc_call *call, const struct error *err);

#pragma GCC visibility pop

#endif
