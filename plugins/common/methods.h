/* What the namespaces share: methods that several of them have, and how methods answer. */
#ifndef PLUGINS_COMMON_METHODS_H
#define PLUGINS_COMMON_METHODS_H

#include <supervisor/plugin.h>

/* getAPIVersion, getGroupNames, log. Their context is the `struct plugin *`. */
extern const struct rpc_method common_methods[];
extern const size_t common_method_count;

/* getAPIVersion, for those who need no other: any context. */
rpc_handler common_get_api_version;

/* The text of a parameter that is a string. */
const char *common_text(const struct rpc_value *params, size_t index);

/* Answers true. */
enum rpc_outcome common_succeed(struct rpc_value **result);

#endif
