/* Values as JSON: those that have a counterpart there, which options and names have. */
#ifndef PLUGINS_LOADER_JSON_H
#define PLUGINS_LOADER_JSON_H

#include <stddef.h>
#include <supervisor/error.h>
#include <supervisor/value.h>

/* Indented, with a newline at the end; to free. NULL: it holds what JSON cannot. */
char *json_from_value(const struct rpc_value *value);

/* NULL with *err: it is not JSON. */
struct rpc_value *json_to_value(const char *text, size_t length, struct error *err);

#endif
