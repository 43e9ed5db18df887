#include "value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* --- base64 ------------------------------------------------------------------------------------------------------- */

/* NULL: no memory. To free. */
static char *encode_base64(const char *bytes, size_t length, size_t *text_length)
{
    char *text = malloc((length + 2) / 3 * 4 + 1);
    size_t end = 0;

    for (size_t i = 0; text != NULL && i < length; i += 3) {
        const size_t count = length - i < 3 ? length - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < count ? (unsigned char)bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            text[end++] = k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    *text_length = end;
    return text;
}

/* False when the text is none, or there is no memory. *bytes is to free. */
static bool decode_base64(const char *text, size_t text_length, char **bytes, size_t *length)
{
    uint32_t group = 0;
    unsigned bits = 0;

    *length = 0;
    *bytes = malloc(text_length + 1);
    for (size_t i = 0; *bytes != NULL && i < text_length && text[i] != '='; i++) {
        const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;
        if (digit == NULL) {
            free(*bytes);
            return false;
        }
        group = group << 6 | (uint32_t)(digit - digits);
        bits += 6;
        if (bits >= 8)
            (*bytes)[(*length)++] = (char)(group >> (bits -= 8));
    }
    return *bytes != NULL;
}

/* --- to JSON ------------------------------------------------------------------------------------------------------ */

static json_t *tag(const char *key, json_t *content)
{
    return content != NULL ? json_pack("{s:o}", key, content) : NULL;
}

static json_t *bytes_as_text(const char *key, const char *bytes, size_t length)
{
    size_t text_length;
    char *text = encode_base64(bytes, length, &text_length);
    json_t *json = text != NULL ? tag(key, json_stringn_nocheck(text, text_length)) : NULL;

    free(text);
    return json;
}

json_t *value_bytes_to_json(const char *bytes, size_t length)
{
    return bytes_as_text("$base64", bytes, length);
}

/* Logs may hold anything; what is not UTF-8 goes as bytes, and is made text on the other side. */
static json_t *text_to_json(const struct rpc_value *value)
{
    json_t *json = json_stringn(rpc_as_string(value), rpc_string_length(value));

    return json != NULL ? json : bytes_as_text("$text", rpc_as_string(value), rpc_string_length(value));
}

static json_t *to_json(const struct rpc_value *value, int depth);

static json_t *array_to_json(const struct rpc_value *array, int depth)
{
    json_t *json = json_array();

    for (size_t i = 0; i < rpc_count(array); i++)
        if (json_array_append_new(json, to_json(rpc_array_get(array, i), depth)) < 0) {
            json_decref(json);
            return NULL;
        }
    return json;
}

static json_t *struct_to_json(const struct rpc_value *record, int depth)
{
    json_t *json = json_object();
    bool is_ambiguous = false;

    for (size_t i = 0; i < rpc_count(record); i++) {
        const char *key = rpc_struct_key(record, i);
        is_ambiguous |= key[0] == '$';
        if (json_object_set_new(json, key, to_json(rpc_struct_item(record, i), depth)) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return is_ambiguous ? tag("$struct", json) : json;
}

static json_t *to_json(const struct rpc_value *value, int depth)
{
    if (depth > VALUE_DEPTH_MAX)
        return NULL;
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
        return text_to_json(value);
    case RPC_DATETIME:
        return tag("$datetime", text_to_json(value));
    case RPC_BASE64:
        return value_bytes_to_json(rpc_as_string(value), rpc_string_length(value));
    case RPC_ARRAY:
        return array_to_json(value, depth + 1);
    case RPC_STRUCT:
        return struct_to_json(value, depth + 1);
    }
    return NULL;
}

json_t *value_to_json(const struct rpc_value *value)
{
    return to_json(value, 0);
}

/* --- from JSON ---------------------------------------------------------------------------------------------------- */

static struct rpc_value *from_json(const json_t *json, int depth);

static struct rpc_value *array_from_json(const json_t *json, int depth)
{
    struct rpc_value *array = rpc_array(json_array_size(json));

    for (size_t i = 0; i < json_array_size(json); i++) {
        struct rpc_value *item = from_json(json_array_get(json, i), depth);
        if (item == NULL) {
            rpc_value_free(array);
            return NULL;
        }
        rpc_array_append(array, item);
    }
    return array;
}

static struct rpc_value *struct_from_json(const json_t *json, int depth)
{
    struct rpc_value *record = rpc_struct(json_object_size(json));
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)json, key, item)
    {
        struct rpc_value *value = from_json(item, depth);
        if (value == NULL) {
            rpc_value_free(record);
            return NULL;
        }
        rpc_struct_set(record, key, value);
    }
    return record;
}

static struct rpc_value *bytes_from_json(const json_t *json)
{
    char *bytes;
    size_t length;

    if (!json_is_string(json) || !decode_base64(json_string_value(json), json_string_length(json), &bytes, &length))
        return NULL;
    struct rpc_value *value = rpc_bytes(RPC_BASE64, bytes, length);
    free(bytes);
    return value;
}

static struct rpc_value *datetime_from_json(const json_t *json)
{
    return json_is_string(json) ? rpc_bytes(RPC_DATETIME, json_string_value(json), json_string_length(json)) : NULL;
}

/* An object: one of the tags, or a struct. */
static struct rpc_value *object_from_json(const json_t *json, int depth)
{
    const json_t *content;

    if (json_object_size(json) != 1)
        return struct_from_json(json, depth);
    if ((content = json_object_get(json, "$base64")) != NULL)
        return bytes_from_json(content);
    if ((content = json_object_get(json, "$datetime")) != NULL)
        return datetime_from_json(content);
    if ((content = json_object_get(json, "$struct")) != NULL)
        return json_is_object(content) ? struct_from_json(content, depth) : NULL;
    return struct_from_json(json, depth);
}

static struct rpc_value *from_json(const json_t *json, int depth)
{
    if (json == NULL || depth > VALUE_DEPTH_MAX)
        return NULL;
    switch (json_typeof(json)) {
    case JSON_NULL:
        return rpc_nil();
    case JSON_INTEGER:
        return rpc_int(json_integer_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return rpc_boolean(json_is_true(json));
    case JSON_REAL:
        return rpc_double(json_real_value(json));
    case JSON_STRING:
        return rpc_string_bytes(json_string_value(json), json_string_length(json));
    case JSON_ARRAY:
        return array_from_json(json, depth + 1);
    case JSON_OBJECT:
        return object_from_json(json, depth + 1);
    }
    return NULL;
}

struct rpc_value *value_from_json(const json_t *json)
{
    return from_json(json, 0);
}
