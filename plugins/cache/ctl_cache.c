/*
 * The actions of supervisor_cache for supervisorctl: cache_clear, cache_count, cache_delete, cache_fetch, cache_keys,
 * cache_store. Each calls a method of the namespace `cache` and prints its result, if there is one to see, in the way
 * of Python.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/ctl_plugin.h>

/* --- values as Python shows them ---------------------------------------------------------------------------------- */

static void print_character(char c, char quote)
{
    static const struct {
        char character;
        const char *shown;
    } escapes[] = {{'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}};

    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].character == c) {
            fputs(escapes[i].shown, stdout);
            return;
        }
    }
    if (iscntrl((unsigned char)c))
        printf("\\x%02x", (unsigned char)c);
    else
        printf("%s%c", c == quote ? "\\" : "", c);
}

static void print_text(const struct rpc_value *value)
{
    const char *text = rpc_as_string(value);
    const size_t length = rpc_string_length(value);
    const char quote = memchr(text, '\'', length) != NULL && memchr(text, '"', length) == NULL ? '"' : '\'';

    putchar(quote);
    for (size_t i = 0; i < length; i++)
        print_character(text[i], quote);
    putchar(quote);
}

/* With as many digits as are needed to read the same number again. */
static void print_double(double number)
{
    char text[40];

    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    printf("%s%s", text, isfinite(number) && strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void print_value(const struct rpc_value *value);

static void print_array(const struct rpc_value *array)
{
    putchar('[');
    for (size_t i = 0; i < rpc_count(array); i++) {
        fputs(i > 0 ? ", " : "", stdout);
        print_value(rpc_array_get(array, i));
    }
    putchar(']');
}

static void print_struct(const struct rpc_value *record)
{
    putchar('{');
    for (size_t i = 0; i < rpc_count(record); i++) {
        struct rpc_value *key = rpc_string(rpc_struct_key(record, i));
        fputs(i > 0 ? ", " : "", stdout);
        print_text(key);
        fputs(": ", stdout);
        print_value(rpc_struct_item(record, i));
        rpc_value_free(key);
    }
    putchar('}');
}

static void print_value(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_NIL:
        fputs("None", stdout);
        break;
    case RPC_INT:
        printf("%lld", (long long)rpc_as_int(value));
        break;
    case RPC_BOOLEAN:
        fputs(rpc_as_boolean(value) ? "True" : "False", stdout);
        break;
    case RPC_DOUBLE:
        print_double(rpc_as_double(value));
        break;
    case RPC_ARRAY:
        print_array(value);
        break;
    case RPC_STRUCT:
        print_struct(value);
        break;
    default:
        print_text(value);
    }
}

/* --- actions ------------------------------------------------------------------------------------------------------ */

/* Calls the method of an action with its words as parameters; NULL when something was wrong, which has been said. */
static struct rpc_value *call(struct ctl_session *session, const char *action, const char *method, size_t wanted,
                              char *const *words, size_t count)
{
    struct rpc_value *params;
    char text[80];

    if (count != wanted) {
        snprintf(text, sizeof text, "%s takes %zu argument%s, not %zu", action, wanted, wanted == 1 ? "" : "s", count);
        ctl_session_say_usage(session, action, text);
        return NULL;
    }
    if (!ctl_session_check_server(session))
        return NULL;
    params = rpc_array(count);
    for (size_t i = 0; i < count; i++)
        rpc_array_append(params, rpc_string(words[i]));
    return ctl_session_call(session, method, params, NULL);
}

static void print_result(struct rpc_value *result)
{
    if (result == NULL)
        return;
    print_value(result);
    putchar('\n');
    rpc_value_free(result);
}

static void cache_clear(struct ctl_session *session, char *const *words, size_t count)
{
    rpc_value_free(call(session, "cache_clear", "cache.clear", 0, words, count));
}

static void cache_count(struct ctl_session *session, char *const *words, size_t count)
{
    print_result(call(session, "cache_count", "cache.getCount", 0, words, count));
}

static void cache_delete(struct ctl_session *session, char *const *words, size_t count)
{
    struct rpc_value *result = call(session, "cache_delete", "cache.delete", 1, words, count);

    if (result != NULL && rpc_value_type(result) == RPC_BOOLEAN && !rpc_as_boolean(result)) {
        printf("%s: ERROR (no such key)\n", words[0]);
        ctl_session_set_exit_status(session, 1);
    }
    rpc_value_free(result);
}

static void cache_fetch(struct ctl_session *session, char *const *words, size_t count)
{
    print_result(call(session, "cache_fetch", "cache.fetch", 1, words, count));
}

static void cache_keys(struct ctl_session *session, char *const *words, size_t count)
{
    print_result(call(session, "cache_keys", "cache.getKeys", 0, words, count));
}

static void cache_store(struct ctl_session *session, char *const *words, size_t count)
{
    rpc_value_free(call(session, "cache_store", "cache.store", 2, words, count));
}

static const struct ctl_action actions[] = {
    {"cache_clear", "cache_clear\t\t\tForget all that is in the cache.", cache_clear},
    {"cache_count", "cache_count\t\t\tHow many keys the cache has.", cache_count},
    {"cache_delete", "cache_delete <key>\t\tForget a key.", cache_delete},
    {"cache_fetch", "cache_fetch <key>\t\tShow what is stored under a key.", cache_fetch},
    {"cache_keys", "cache_keys\t\t\tShow all keys.", cache_keys},
    {"cache_store", "cache_store <key> <data>\tKeep a text under a key. Quotes hold words together.", cache_store},
};

const struct supervisor_ctl_plugin supervisor_ctl_plugin = {
    .version = SUPERVISOR_CTL_PLUGIN_VERSION,
    .actions = actions,
    .action_count = sizeof actions / sizeof actions[0],
};
