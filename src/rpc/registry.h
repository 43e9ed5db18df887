/*
 * The methods that clients can call: one row each, found by full name and by nothing else, so that no path through
 * objects can be spelled in a method name (CVE-2017-11610). system.* is built from the rows.
 */
#ifndef RPC_REGISTRY_H
#define RPC_REGISTRY_H

#include <stdbool.h>

#include "base/error.h"
#include "rpc/value.h"

struct rpc_registry;
struct rpc_call;

/*
 * How a handler ends. RPC_DONE: *result is set. RPC_FAILED: *err is set, with a fault
 * and the whole fault string ("BAD_NAME: x"). RPC_LATER: the handler has
 * called rpc_call_defer() and will call rpc_call_complete() or rpc_call_fail() once, after it has returned.
 */
enum rpc_outcome { RPC_DONE, RPC_FAILED, RPC_LATER };

/* `params` is an array that fits the row's signature, defaults filled in; borrowed, good until the call ends. */
typedef enum rpc_outcome rpc_handler(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                     struct error *err);

enum rpc_flags {
    RPC_ALSO_IN_SHUTDOWN = 1, /* answers while the daemon is stopping or restarting; others fault SHUTDOWN_STATE */
    RPC_READS = 2, /* changes nothing: open to accounts that may only look; others fault READ_ONLY for them */
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

/* `is_stopping` is asked before each call (NULL: never). `context` is what rpc_call_context() gives handlers. */
struct rpc_registry *rpc_registry_new(bool (*is_stopping)(void *context), void *context);
void rpc_registry_free(struct rpc_registry *registry);

/* Adds rows; they are borrowed and outlive the registry. A name that is there already is replaced. */
void rpc_registry_add(struct rpc_registry *registry, const struct rpc_method *methods, size_t count);

/* Adds system.listMethods, methodHelp, methodSignature, multicall. */
void rpc_registry_add_system(struct rpc_registry *registry);

/* NULL when there is no such method. */
const struct rpc_method *rpc_registry_find(const struct rpc_registry *registry, const char *name);

/* All methods sorted by name: a malloc'd array, *count says how many. */
const struct rpc_method **rpc_registry_list(const struct rpc_registry *registry, size_t *count);

/* For handlers. */
void *rpc_call_context(const struct rpc_call *call);
struct rpc_registry *rpc_call_registry(const struct rpc_call *call);
enum rpc_caller rpc_call_caller(const struct rpc_call *call);

/*
 * Announces a later answer. `cancel` is called instead of it when the client goes away (the handler then forgets the
 * call, and must neither complete nor fail it).
 */
void rpc_call_defer(struct rpc_call *call, void (*cancel)(void *waiting), void *waiting);
void rpc_call_complete(struct rpc_call *call, struct rpc_value *result); /* takes the result; ends the call */
void rpc_call_fail(struct rpc_call *call, const struct error *err);

/* For the transport: exactly one of the two is told the end of a call, unless it is cancelled. `err` when it failed. */
typedef void rpc_answer(void *context, struct rpc_value *result, const struct error *err);

/*
 * Calls a method. The answer may come before this returns or later; NULL is returned when it has come, else the call,
 * which the transport may cancel as long as no answer has come. The result handed to `answer` is the receiver's.
 * Takes `params`.
 */
struct rpc_call *rpc_registry_call(struct rpc_registry *registry, enum rpc_caller caller, const char *method,
                                   struct rpc_value *params, rpc_answer *answer, void *context);
void rpc_call_cancel(struct rpc_call *call);

#endif
