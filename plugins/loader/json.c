#include "plugins/loader/json.h"

#include <jansson.h>
#include <stdio.h>

#include "plugins/common/memory.h"

static json_t *encode(const struct rpc_value *value);

static json_t *encode_array(const struct rpc_value *value)
{
    json_t *array = memory_checked(json_array());

    for (size_t i = 0; i < rpc_count(value); i++) {
        if (json_array_append_new(array, encode(rpc_array_get(value, i))) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *encode_struct(const struct rpc_value *value)
{
    json_t *object = memory_checked(json_object());

    for (size_t i = 0; i < rpc_count(value); i++) {
        if (json_object_set_new(object, rpc_struct_key(value, i), encode(rpc_struct_item(value, i))) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* NULL for what JSON does not have; the containers above then fail too. */
static json_t *encode(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_NIL:
        return json_null();
    case RPC_INT:
        return json_integer(rpc_as_int(value));
    case RPC_BOOLEAN:
        return json_boolean(rpc_as_boolean(value));
    case RPC_DOUBLE:
        return json_real(rpc_as_double(value));
    case RPC_STRING:
        return json_stringn(rpc_as_string(value), rpc_string_length(value));
    case RPC_ARRAY:
        return encode_array(value);
    case RPC_STRUCT:
        return encode_struct(value);
    default:
        return NULL;
    }
}

char *json_from_value(const struct rpc_value *value)
{
    json_t *json = encode(value);
    char *text = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
    char *line = NULL;

    if (text != NULL && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    json_decref(json);
    return line;
}

static struct rpc_value *decode(json_t *json);

static struct rpc_value *decode_array(const json_t *json)
{
    struct rpc_value *array = rpc_array(json_array_size(json));

    for (size_t i = 0; i < json_array_size(json); i++)
        rpc_array_append(array, decode(json_array_get(json, i)));
    return array;
}

static struct rpc_value *decode_object(json_t *json)
{
    struct rpc_value *record = rpc_struct(json_object_size(json));

    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at))
        rpc_struct_set(record, json_object_iter_key(at), decode(json_object_iter_value(at)));
    return record;
}

static struct rpc_value *decode(json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return decode_object(json);
    case JSON_ARRAY:
        return decode_array(json);
    case JSON_STRING:
        return rpc_string_bytes(json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return rpc_int(json_integer_value(json));
    case JSON_REAL:
        return rpc_double(json_real_value(json));
    case JSON_NULL:
        return rpc_nil();
    default:
        return rpc_boolean(json_is_true(json));
    }
}

struct rpc_value *json_to_value(const char *text, size_t length, struct error *err)
{
    json_error_t problem;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    struct rpc_value *value;

    if (json == NULL) {
        error_set(err, "line %d, column %d: %s", problem.line, problem.column, problem.text);
        return NULL;
    }
    value = decode(json);
    json_decref(json);
    return value;
}
