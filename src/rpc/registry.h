/*
 * The methods that clients can call: one row each, found by full name and by nothing else, so that no path through
 * objects can be spelled in a method name (CVE-2017-11610). system.* is built from the rows.
 */
#ifndef RPC_REGISTRY_H
#define RPC_REGISTRY_H

#include <stdbool.h>
#include <supervisor/rpc.h>

#include "base/error.h"
#include "rpc/value.h"

struct rpc_registry;

/* `is_stopping` is asked before each call (NULL: never). */
struct rpc_registry *rpc_registry_new(bool (*is_stopping)(void *context), void *context);
void rpc_registry_free(struct rpc_registry *registry);

/*
 * Adds rows; they are borrowed and outlive the registry. A name that is there already is replaced. `context` is what
 * rpc_call_context() gives their handlers.
 */
void rpc_registry_add(struct rpc_registry *registry, const struct rpc_method *methods, size_t count, void *context);

/* Adds system.listMethods, methodHelp, methodSignature, multicall. */
void rpc_registry_add_system(struct rpc_registry *registry);

/* Takes a row away; there must be one of that name. Calls under way go on. */
void rpc_registry_remove(struct rpc_registry *registry, const char *name);

/* NULL when there is no such method. */
const struct rpc_method *rpc_registry_find(const struct rpc_registry *registry, const char *name);

/* All methods sorted by name: a malloc'd array, *count says how many. */
const struct rpc_method **rpc_registry_list(const struct rpc_registry *registry, size_t *count);

/* For handlers. */
struct rpc_registry *rpc_call_registry(const struct rpc_call *call);
const struct rpc_method *rpc_call_method(const struct rpc_call *call);

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
