/* XML-RPC values: a small tree. Struct members keep the order in which they were added. */
#ifndef SUPERVISOR_VALUE_H
#define SUPERVISOR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rpc_type {
    RPC_NIL, /* the <nil/> extension */
    RPC_INT,
    RPC_BOOLEAN,
    RPC_DOUBLE,
    RPC_STRING,
    RPC_DATETIME, /* kept as its text */
    RPC_BASE64,   /* kept as decoded bytes */
    RPC_ARRAY,
    RPC_STRUCT,
};

struct rpc_value;

#pragma GCC visibility push(default)

/* Each makes a value that the caller owns until it puts it into a container or frees it. */
struct rpc_value *rpc_nil(void);
struct rpc_value *rpc_int(int64_t number);
struct rpc_value *rpc_boolean(bool truth);
struct rpc_value *rpc_double(double number);
struct rpc_value *rpc_string(const char *text);                                    /* copies */
struct rpc_value *rpc_string_bytes(const char *bytes, size_t length);              /* copies */
struct rpc_value *rpc_string_take(char *bytes, size_t length);                     /* takes over malloc'd memory */
struct rpc_value *rpc_string_static(const char *text);                             /* borrows for ever: literals */
struct rpc_value *rpc_bytes(enum rpc_type type, const char *bytes, size_t length); /* DATETIME, BASE64; copies */
struct rpc_value *rpc_array(size_t expected);
struct rpc_value *rpc_struct(size_t expected);
struct rpc_value *rpc_value_copy(const struct rpc_value *value);
void rpc_value_free(struct rpc_value *value); /* NULL is fine; the whole tree */

/*
 * Containers take their items in: after the call `item` is no longer a value. What rpc_array_get(), rpc_struct_item()
 * and rpc_struct_get() give is good until the container changes.
 */
void rpc_array_append(struct rpc_value *array, struct rpc_value *item);
/* Puts the item, which is taken, in the place of another, which is freed. */
void rpc_array_replace(struct rpc_value *array, size_t index, struct rpc_value *item);
struct rpc_value *rpc_array_pop(struct rpc_value *array); /* takes out the last item; there must be one */

/* A key that comes twice is kept twice, and rpc_struct_get() finds the later one. */
void rpc_struct_set(struct rpc_value *record, const char *key, struct rpc_value *item);        /* copies the key */
void rpc_struct_set_static(struct rpc_value *record, const char *key, struct rpc_value *item); /* borrows: literals */

enum rpc_type rpc_value_type(const struct rpc_value *value);
const char *rpc_type_name(enum rpc_type type); /* "int", "boolean", "string", "array", "struct" ... */

/* Each asks only values of the right type; anything else is a programmer's slip and ends the program. */
int64_t rpc_as_int(const struct rpc_value *value);
bool rpc_as_boolean(const struct rpc_value *value);
double rpc_as_double(const struct rpc_value *value);
const char *rpc_as_string(const struct rpc_value *value); /* STRING, DATETIME, BASE64; a NUL follows the bytes */
size_t rpc_string_length(const struct rpc_value *value);

size_t rpc_count(const struct rpc_value *container);
const struct rpc_value *rpc_array_get(const struct rpc_value *array, size_t index); /* index < rpc_count() */
const char *rpc_struct_key(const struct rpc_value *record, size_t index);
const struct rpc_value *rpc_struct_item(const struct rpc_value *record, size_t index);
const struct rpc_value *rpc_struct_get(const struct rpc_value *record, const char *key); /* NULL: no such member */

#pragma GCC visibility pop

#endif
