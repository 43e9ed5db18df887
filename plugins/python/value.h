/* XML-RPC values as JSON; python/supervisor/plugin_host/values.py says how. */
#ifndef PYTHON_VALUE_H
#define PYTHON_VALUE_H

#include <jansson.h>
#include <supervisor/value.h>

/* What is deeper than this has itself in it, or means harm. */
enum { VALUE_DEPTH_MAX = 256 };

/* The caller's. NULL: it is nested too deeply. */
json_t *value_to_json(const struct rpc_value *value);

/* The caller's. NULL: it is no value. */
struct rpc_value *value_from_json(const json_t *json);

/* Bytes as {"$base64": ...}. */
json_t *value_bytes_to_json(const char *bytes, size_t length);

#endif
