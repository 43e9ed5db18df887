/*
 * The namespace of supervisor_cache: values by key, kept in the daemon's memory until they are deleted or the daemon
 * ends. An upgrade keeps them. Its option:
 *
 *     max_bytes   how much it may hold, such as 500KB, 10MB or 1GB; 10MB when not given
 */
#include <errno.h>
#include <stdint.h>
#include <strings.h>

#include "plugins/common/memory.h"
#include "plugins/common/methods.h"

#define uthash_fatal(message) abort()
#define HASH_FUNCTION(key, length, hash) HASH_FNV(key, length, hash)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <uthash.h>
#pragma GCC diagnostic pop

/* What a value takes besides its bytes, so that many small ones are bounded too. */
#define VALUE_OVERHEAD 64
/* More than half of what the daemon reads in one piece of XML-RPC would not come through an upgrade. */
#define VALUES_MAX 50000
#define DEPTH_MAX 32
#define DEFAULT_MAX_BYTES "10MB"

/* How large a value is, or all of them. */
struct extent {
    size_t bytes;
    size_t values;
    size_t depth; /* of the deepest */
};

struct item {
    char *key;              /* owned */
    struct rpc_value *data; /* owned */
    struct extent extent;   /* key included */
    UT_hash_handle hh;      /* by key, in order of storing */
};

struct cache {
    struct item *items; /* owned */
    struct extent sum;  /* of the items; without depth */
    size_t max_bytes;
};

/* --- items -------------------------------------------------------------------------------------------------------- */

static void measure(struct extent *extent, const struct rpc_value *value, size_t depth)
{
    const enum rpc_type type = rpc_value_type(value);

    extent->bytes += VALUE_OVERHEAD;
    extent->values++;
    extent->depth = depth > extent->depth ? depth : extent->depth;
    if (type == RPC_STRING || type == RPC_DATETIME || type == RPC_BASE64)
        extent->bytes += rpc_string_length(value);
    for (size_t i = 0; type == RPC_ARRAY && i < rpc_count(value); i++)
        measure(extent, rpc_array_get(value, i), depth + 1);
    for (size_t i = 0; type == RPC_STRUCT && i < rpc_count(value); i++) {
        extent->bytes += strlen(rpc_struct_key(value, i));
        measure(extent, rpc_struct_item(value, i), depth + 1);
    }
}

static struct extent measure_item(const char *key, const struct rpc_value *data)
{
    struct extent extent = {.bytes = strlen(key)};

    measure(&extent, data, 1);
    return extent;
}

static struct item *find_item(const struct cache *cache, const char *key)
{
    struct item *item;

    HASH_FIND_STR(cache->items, key, item);
    return item;
}

static void free_item(struct item *item)
{
    rpc_value_free(item->data);
    free(item->key);
    free(item);
}

static void remove_item(struct cache *cache, struct item *item)
{
    HASH_DEL(cache->items, item);
    cache->sum.bytes -= item->extent.bytes;
    cache->sum.values -= item->extent.values;
    free_item(item);
}

static void put_item(struct cache *cache, const char *key, const struct rpc_value *data, struct extent extent)
{
    struct item *item = find_item(cache, key);

    if (item == NULL) {
        item = memory_checked(calloc(1, sizeof *item));
        item->key = memory_checked(strdup(key));
        HASH_ADD_KEYPTR(hh, cache->items, item->key, strlen(item->key), item);
    }
    cache->sum.bytes += extent.bytes - item->extent.bytes;
    cache->sum.values += extent.values - item->extent.values;
    item->extent = extent;
    rpc_value_free(item->data);
    item->data = rpc_value_copy(data);
}

static void clear_items(struct cache *cache)
{
    struct item *item = cache->items;

    HASH_CLEAR(hh, cache->items);
    while (item != NULL) {
        struct item *next = item->hh.next;
        free_item(item);
        item = next;
    }
    cache->sum = (struct extent){0};
}

/* --- methods; their context is the cache -------------------------------------------------------------------------- */

static enum rpc_outcome get_keys(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                 struct error *err)
{
    const struct cache *cache = rpc_call_context(call);

    (void)params;
    (void)err;
    *result = rpc_array(HASH_COUNT(cache->items));
    for (const struct item *item = cache->items; item != NULL; item = item->hh.next)
        rpc_array_append(*result, rpc_string(item->key));
    return RPC_DONE;
}

static enum rpc_outcome get_count(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                  struct error *err)
{
    const struct cache *cache = rpc_call_context(call);

    (void)params;
    (void)err;
    *result = rpc_int(HASH_COUNT(cache->items));
    return RPC_DONE;
}

/* Whether an item may come in, in the place of the one that has its key. */
static int check_room(const struct cache *cache, const char *key, struct extent extent, struct error *err)
{
    const struct item *before = find_item(cache, key);
    const size_t bytes = cache->sum.bytes - (before != NULL ? before->extent.bytes : 0);
    const size_t values = cache->sum.values - (before != NULL ? before->extent.values : 0);
    const size_t left = bytes < cache->max_bytes ? cache->max_bytes - bytes : 0;

    if (key[0] == '\0')
        return error_set_fault(err, FAULT_BAD_NAME, "BAD_NAME: a key must not be empty");
    if (extent.bytes > left)
        return error_set_fault(err, FAULT_FAILED, "FAILED: it would take %zu bytes, and max_bytes=%zu leaves %zu",
                               extent.bytes, cache->max_bytes, left);
    if (values + extent.values > VALUES_MAX)
        return error_set_fault(err, FAULT_FAILED, "FAILED: there would be more than %d values", VALUES_MAX);
    if (extent.depth > DEPTH_MAX)
        return error_set_fault(err, FAULT_FAILED, "FAILED: it is nested more than %d deep", DEPTH_MAX);
    return 0;
}

static enum rpc_outcome store(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                              struct error *err)
{
    struct cache *cache = rpc_call_context(call);
    const char *key = common_text(params, 0);
    const struct rpc_value *data = rpc_array_get(params, 1);
    const struct extent extent = measure_item(key, data);

    if (check_room(cache, key, extent, err) < 0)
        return RPC_FAILED;
    put_item(cache, key, data, extent);
    return common_succeed(result);
}

static enum rpc_outcome fetch(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                              struct error *err)
{
    const struct item *item = find_item(rpc_call_context(call), common_text(params, 0));

    if (item == NULL) {
        error_set_fault(err, FAULT_BAD_NAME, "BAD_NAME: %s", common_text(params, 0));
        return RPC_FAILED;
    }
    *result = rpc_value_copy(item->data);
    return RPC_DONE;
}

static enum rpc_outcome delete_key(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                   struct error *err)
{
    struct cache *cache = rpc_call_context(call);
    struct item *item = find_item(cache, common_text(params, 0));

    (void)err;
    *result = rpc_boolean(item != NULL);
    if (item != NULL)
        remove_item(cache, item);
    return RPC_DONE;
}

static enum rpc_outcome clear(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                              struct error *err)
{
    (void)params;
    (void)err;
    clear_items(rpc_call_context(call));
    return common_succeed(result);
}

static const struct rpc_method methods[] = {
    {.name = "getAPIVersion",
     .signature = "string",
     .help = "The version of this namespace's methods.",
     .flags = RPC_READS,
     .call = common_get_api_version},
    {.name = "getKeys",
     .signature = "array",
     .help = "The keys of all that is stored, oldest first.",
     .flags = RPC_READS,
     .call = get_keys},
    {.name = "getCount", .signature = "int", .help = "How many keys there are.", .flags = RPC_READS, .call = get_count},
    {.name = "store",
     .signature = "boolean string string*",
     .params = "key, data",
     .help = "Keeps a value of any type under a key, which must not be empty. What was there before is replaced.",
     .call = store},
    {.name = "fetch",
     .signature = "string string",
     .params = "key",
     .help = "What is stored under a key.",
     .flags = RPC_READS,
     .call = fetch},
    {.name = "delete",
     .signature = "boolean string",
     .params = "key",
     .help = "Forgets a key. False when there was none of that name.",
     .call = delete_key},
    {.name = "clear", .signature = "boolean", .help = "Forgets all keys.", .call = clear},
};
static const size_t method_count = sizeof methods / sizeof methods[0];

/* --- the plugin --------------------------------------------------------------------------------------------------- */

/* "10MB", "500KB", "1GB", "4096". 0: it is nothing of the kind. */
static size_t parse_bytes(const char *text)
{
    static const struct {
        const char *name;
        size_t bytes;
    } units[] = {{"", 1}, {"KB", (size_t)1 << 10}, {"MB", (size_t)1 << 20}, {"GB", (size_t)1 << 30}};
    char *unit;
    errno = 0;
    const unsigned long number = strtoul(text, &unit, 10);

    if (errno != 0 || text[0] < '0' || text[0] > '9')
        return 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcasecmp(unit, units[i].name) == 0)
            return number <= SIZE_MAX / units[i].bytes ? number * units[i].bytes : 0;
    return 0;
}

/* What there is stays, even if it is more than there may be by now. */
static void take_over(struct cache *cache, const struct rpc_value *record)
{
    const size_t count = record != NULL && rpc_value_type(record) == RPC_STRUCT ? rpc_count(record) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *key = rpc_struct_key(record, i);
        const struct rpc_value *data = rpc_struct_item(record, i);
        put_item(cache, key, data, measure_item(key, data));
    }
}

static void close_cache(void *context)
{
    struct cache *cache = context;

    clear_items(cache);
    free(cache);
}

static void *open_cache(struct plugin *plugin, struct error *err)
{
    static const char *const known[] = {"max_bytes", NULL};
    const char *max_bytes = plugin_option(plugin, "max_bytes");
    struct cache *cache = memory_checked(calloc(1, sizeof *cache));

    cache->max_bytes = parse_bytes(max_bytes != NULL ? max_bytes : DEFAULT_MAX_BYTES);
    take_over(cache, plugin_handed_over(plugin));
    if (cache->max_bytes == 0)
        error_set(err, "max_bytes=%s: a number of bytes is wanted, such as 500KB, 10MB or 1GB", max_bytes);
    else if (plugin_check_options(plugin, known, err) == 0 &&
             plugin_add_methods(plugin, methods, method_count, cache, err) == 0)
        return cache;
    close_cache(cache);
    return NULL;
}

static struct rpc_value *hand_over_cache(void *context)
{
    const struct cache *cache = context;
    struct rpc_value *record = rpc_struct(HASH_COUNT(cache->items));

    for (const struct item *item = cache->items; item != NULL; item = item->hh.next)
        rpc_struct_set(record, item->key, rpc_value_copy(item->data));
    return record;
}

const struct supervisor_plugin supervisor_plugin = {
    .version = SUPERVISOR_PLUGIN_VERSION,
    .open = open_cache,
    .close = close_cache,
    .hand_over = hand_over_cache,
};
