#include "rpc/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Strings up to this size, NUL included, live in the value itself: most of an answer's are that short. */
enum { INLINE_SIZE = 32 };

enum storage { STORED_INLINE, STORED_OWNED, STORED_ELSEWHERE };

struct member;

/* A container holds its items themselves, side by side: an answer of a thousand structs is a thousand blocks. */
struct rpc_value {
    enum rpc_type type;
    enum storage storage; /* of texts */
    size_t count;         /* of a container's elements, of a text's bytes */
    union {
        int64_t integer;
        bool truth;
        double number;
        char inline_text[INLINE_SIZE];
        char *owned_text;
        const char *borrowed_text;
        struct {
            struct rpc_value *items;
            size_t capacity;
        } array;
        struct {
            struct member *members;
            size_t capacity;
        } record;
    };
};

struct member {
    const char *key;
    bool key_is_owned;
    struct rpc_value item;
};

static struct rpc_value *make(enum rpc_type type)
{
    struct rpc_value *value = xmalloc(sizeof *value);

    value->type = type;
    value->storage = STORED_INLINE;
    value->count = 0;
    return value;
}

struct rpc_value *rpc_nil(void)
{
    return make(RPC_NIL);
}

struct rpc_value *rpc_int(int64_t number)
{
    struct rpc_value *value = make(RPC_INT);

    value->integer = number;
    return value;
}

struct rpc_value *rpc_boolean(bool truth)
{
    struct rpc_value *value = make(RPC_BOOLEAN);

    value->truth = truth;
    return value;
}

struct rpc_value *rpc_double(double number)
{
    struct rpc_value *value = make(RPC_DOUBLE);

    value->number = number;
    return value;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

struct rpc_value *rpc_bytes(enum rpc_type type, const char *bytes, size_t length)
{
    struct rpc_value *value = make(type);
    char *target = value->inline_text;

    if (length >= INLINE_SIZE) {
        value->storage = STORED_OWNED;
        value->owned_text = target = xmalloc(length + 1);
    }
    memcpy(target, bytes, length);
    target[length] = '\0';
    value->count = length;
    return value;
}

struct rpc_value *rpc_string_bytes(const char *bytes, size_t length)
{
    return rpc_bytes(RPC_STRING, bytes, length);
}

struct rpc_value *rpc_string(const char *text)
{
    return rpc_bytes(RPC_STRING, text, strlen(text));
}

struct rpc_value *rpc_string_take(char *bytes, size_t length)
{
    struct rpc_value *value = make(RPC_STRING);

    value->storage = STORED_OWNED;
    value->owned_text = xrealloc(bytes, length + 1);
    value->owned_text[length] = '\0';
    value->count = length;
    return value;
}

struct rpc_value *rpc_string_static(const char *text)
{
    struct rpc_value *value = make(RPC_STRING);

    value->storage = STORED_ELSEWHERE;
    value->borrowed_text = text;
    value->count = strlen(text);
    return value;
}

static bool is_text(const struct rpc_value *value)
{
    return value->type == RPC_STRING || value->type == RPC_DATETIME || value->type == RPC_BASE64;
}

/* --- containers --------------------------------------------------------------------------------------------------- */

struct rpc_value *rpc_array(size_t expected)
{
    struct rpc_value *value = make(RPC_ARRAY);

    value->array.capacity = expected;
    value->array.items = expected > 0 ? xreallocarray(NULL, expected, sizeof *value->array.items) : NULL;
    return value;
}

struct rpc_value *rpc_struct(size_t expected)
{
    struct rpc_value *value = make(RPC_STRUCT);

    value->record.capacity = expected;
    value->record.members = expected > 0 ? xreallocarray(NULL, expected, sizeof *value->record.members) : NULL;
    return value;
}

static size_t grown(size_t capacity)
{
    return capacity > 0 ? 2 * capacity : 4;
}

static void release(struct rpc_value *value);

static void release_items(struct rpc_value *array)
{
    for (size_t i = 0; i < array->count; i++)
        release(&array->array.items[i]);
    free(array->array.items);
}

static void release_members(struct rpc_value *record)
{
    for (size_t i = 0; i < record->count; i++) {
        struct member *member = &record->record.members[i];
        if (member->key_is_owned)
            free((char *)(uintptr_t)member->key);
        release(&member->item);
    }
    free(record->record.members);
}

/* Frees what the value holds, but not its own place. */
static void release(struct rpc_value *value)
{
    if (value->type == RPC_ARRAY)
        release_items(value);
    else if (value->type == RPC_STRUCT)
        release_members(value);
    else if (value->storage == STORED_OWNED)
        free(value->owned_text);
}

void rpc_value_free(struct rpc_value *value)
{
    if (value == NULL)
        return;
    release(value);
    free(value);
}

/* What the value holds moves into its place in a container. */
static void move_into(struct rpc_value *place, struct rpc_value *value)
{
    *place = *value;
    free(value);
}

void rpc_array_append(struct rpc_value *array, struct rpc_value *item)
{
    assert(array->type == RPC_ARRAY);
    if (array->count == array->array.capacity) {
        array->array.capacity = grown(array->array.capacity);
        array->array.items = xreallocarray(array->array.items, array->array.capacity, sizeof *array->array.items);
    }
    move_into(&array->array.items[array->count++], item);
}

void rpc_array_replace(struct rpc_value *array, size_t index, struct rpc_value *item)
{
    assert(array->type == RPC_ARRAY && index < array->count);
    release(&array->array.items[index]);
    move_into(&array->array.items[index], item);
}

struct rpc_value *rpc_array_pop(struct rpc_value *array)
{
    assert(array->type == RPC_ARRAY && array->count > 0);
    struct rpc_value *item = make(RPC_NIL);

    *item = array->array.items[--array->count];
    return item;
}

static void add_member(struct rpc_value *record, const char *key, bool key_is_owned, struct rpc_value *item)
{
    assert(record->type == RPC_STRUCT);
    if (record->count == record->record.capacity) {
        record->record.capacity = grown(record->record.capacity);
        record->record.members =
            xreallocarray(record->record.members, record->record.capacity, sizeof *record->record.members);
    }

    struct member *member = &record->record.members[record->count++];

    member->key = key;
    member->key_is_owned = key_is_owned;
    move_into(&member->item, item);
}

void rpc_struct_set(struct rpc_value *record, const char *key, struct rpc_value *item)
{
    add_member(record, xstrdup(key), true, item);
}

void rpc_struct_set_static(struct rpc_value *record, const char *key, struct rpc_value *item)
{
    add_member(record, key, false, item);
}

static struct rpc_value *copy_array(const struct rpc_value *array)
{
    struct rpc_value *copy = rpc_array(array->count);

    for (size_t i = 0; i < array->count; i++)
        rpc_array_append(copy, rpc_value_copy(&array->array.items[i]));
    return copy;
}

static struct rpc_value *copy_struct(const struct rpc_value *record)
{
    struct rpc_value *copy = rpc_struct(record->count);

    for (size_t i = 0; i < record->count; i++)
        rpc_struct_set(copy, record->record.members[i].key, rpc_value_copy(&record->record.members[i].item));
    return copy;
}

struct rpc_value *rpc_value_copy(const struct rpc_value *value)
{
    if (value->type == RPC_ARRAY)
        return copy_array(value);
    if (value->type == RPC_STRUCT)
        return copy_struct(value);
    if (is_text(value))
        return rpc_bytes(value->type, rpc_as_string(value), value->count);

    struct rpc_value *copy = make(value->type);
    *copy = *value;
    return copy;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

enum rpc_type rpc_value_type(const struct rpc_value *value)
{
    return value->type;
}

const char *rpc_type_name(enum rpc_type type)
{
    static const char *const names[] = {
        [RPC_NIL] = "nil",       [RPC_INT] = "int",       [RPC_BOOLEAN] = "boolean",
        [RPC_DOUBLE] = "double", [RPC_STRING] = "string", [RPC_DATETIME] = "dateTime.iso8601",
        [RPC_BASE64] = "base64", [RPC_ARRAY] = "array",   [RPC_STRUCT] = "struct",
    };

    return names[type];
}

int64_t rpc_as_int(const struct rpc_value *value)
{
    assert(value->type == RPC_INT);
    return value->integer;
}

bool rpc_as_boolean(const struct rpc_value *value)
{
    assert(value->type == RPC_BOOLEAN);
    return value->truth;
}

double rpc_as_double(const struct rpc_value *value)
{
    assert(value->type == RPC_DOUBLE);
    return value->number;
}

const char *rpc_as_string(const struct rpc_value *value)
{
    assert(is_text(value));
    switch (value->storage) {
    case STORED_OWNED:
        return value->owned_text;
    case STORED_ELSEWHERE:
        return value->borrowed_text;
    default:
        return value->inline_text;
    }
}

size_t rpc_string_length(const struct rpc_value *value)
{
    assert(is_text(value));
    return value->count;
}

size_t rpc_count(const struct rpc_value *container)
{
    assert(container->type == RPC_ARRAY || container->type == RPC_STRUCT);
    return container->count;
}

const struct rpc_value *rpc_array_get(const struct rpc_value *array, size_t index)
{
    assert(array->type == RPC_ARRAY && index < array->count);
    return &array->array.items[index];
}

const char *rpc_struct_key(const struct rpc_value *record, size_t index)
{
    assert(record->type == RPC_STRUCT && index < record->count);
    return record->record.members[index].key;
}

const struct rpc_value *rpc_struct_item(const struct rpc_value *record, size_t index)
{
    assert(record->type == RPC_STRUCT && index < record->count);
    return &record->record.members[index].item;
}

const struct rpc_value *rpc_struct_get(const struct rpc_value *record, const char *key)
{
    assert(record->type == RPC_STRUCT);
    for (size_t i = record->count; i > 0; i--)
        if (strcmp(record->record.members[i - 1].key, key) == 0)
            return &record->record.members[i - 1].item;
    return NULL;
}
