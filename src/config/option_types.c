#include "config/option_types.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/value.h"

#define NUMPROCS_MAX 100000
#define MODE_MAX 07777

/* What parse(), equal(), hand_over(), release() and unset() of every type look like. */
#define PARSE(name)                                                                      \
    static int name(const char *text, void *field, __attribute__((unused)) void *second, \
                    __attribute__((unused)) struct option_context *context, __attribute__((unused)) struct error *err)
#define EQUAL(name)                                                                                          \
    static bool name(const void *field, __attribute__((unused)) const void *second, const void *other_field, \
                     __attribute__((unused)) const void *other_second)
#define HAND_OVER(function) \
    static void function(struct handover *handover, const char *name, void *field, __attribute__((unused)) void *second)
#define RELEASE(name) static void name(void *field, __attribute__((unused)) void *second)

void option_context_release(struct option_context *context)
{
    free(context->account.name);
    free(context->account_text);
    *context = (struct option_context){0};
}

/* --- numbers and words of a fixed set ----------------------------------------------------------------------------- */

static int parse_int(const char *text, int64_t minimum, int64_t maximum, int *result, struct error *err)
{
    int64_t number;

    if (value_parse_integer(text, minimum, maximum, &number, err) < 0)
        return -1;
    *result = (int)number;
    return 0;
}

PARSE(parse_boolean)
{
    return value_parse_boolean(text, field, err);
}

PARSE(parse_integer)
{
    return parse_int(text, INT_MIN, INT_MAX, field, err);
}

PARSE(parse_natural)
{
    int *result = field;

    if (parse_int(text, INT_MIN, INT_MAX, result, err) < 0)
        return -1;
    *result = *result < 0 ? 0 : *result;
    return 0;
}

PARSE(parse_positive)
{
    return parse_int(text, 1, INT_MAX, field, err);
}

PARSE(parse_numprocs)
{
    return parse_int(text, INT_MIN, NUMPROCS_MAX, field, err);
}

PARSE(parse_limit)
{
    int64_t *result = field;

    if (value_parse_integer(text, INT64_MIN, INT64_MAX, result, err) < 0)
        return -1;
    *result = *result < 0 ? 0 : *result;
    return 0;
}

PARSE(parse_size)
{
    return value_parse_size(text, field, err);
}

PARSE(parse_mode)
{
    return value_parse_octal(text, MODE_MAX, field, err);
}

PARSE(parse_signal)
{
    return value_parse_signal(text, field, err);
}

PARSE(parse_log_level)
{
    return value_parse_log_level(text, field, err);
}

PARSE(parse_autorestart)
{
    return value_parse_autorestart(text, field, err);
}

EQUAL(equal_boolean)
{
    return *(const bool *)field == *(const bool *)other_field;
}

EQUAL(equal_int)
{
    return *(const int *)field == *(const int *)other_field;
}

EQUAL(equal_int64)
{
    return *(const int64_t *)field == *(const int64_t *)other_field;
}

EQUAL(equal_log_level)
{
    return *(const enum log_level *)field == *(const enum log_level *)other_field;
}

EQUAL(equal_autorestart)
{
    return *(const enum config_autorestart *)field == *(const enum config_autorestart *)other_field;
}

HAND_OVER(hand_over_boolean)
{
    *(bool *)field = handover_flag(handover, name, *(bool *)field);
}

HAND_OVER(hand_over_int)
{
    *(int *)field = (int)handover_integer(handover, name, *(int *)field);
}

HAND_OVER(hand_over_int64)
{
    *(int64_t *)field = handover_integer(handover, name, *(int64_t *)field);
}

HAND_OVER(hand_over_log_level)
{
    *(enum log_level *)field = (enum log_level)handover_integer(handover, name, *(enum log_level *)field);
}

HAND_OVER(hand_over_autorestart)
{
    *(enum config_autorestart *)field =
        (enum config_autorestart)handover_integer(handover, name, *(enum config_autorestart *)field);
}

static void unset_int(void *field, __attribute__((unused)) void *second)
{
    *(int *)field = -1;
}

const struct option_type option_type_boolean = {"boolean", parse_boolean, equal_boolean, hand_over_boolean};
const struct option_type option_type_integer = {"integer", parse_integer, equal_int, hand_over_int};
const struct option_type option_type_natural = {"integer", parse_natural, equal_int, hand_over_int};
const struct option_type option_type_positive = {"integer from 1", parse_positive, equal_int, hand_over_int,
                                                 .unset = unset_int};
const struct option_type option_type_numprocs = {"integer up to 100000", parse_numprocs, equal_int, hand_over_int};
const struct option_type option_type_limit = {"integer", parse_limit, equal_int64, hand_over_int64};
const struct option_type option_type_size = {"size (bytes, or with KB, MB or GB)", parse_size, equal_int64,
                                             hand_over_int64};
const struct option_type option_type_mode = {"octal number", parse_mode, equal_int, hand_over_int, .unset = unset_int};
const struct option_type option_type_signal = {"signal (name or number)", parse_signal, equal_int, hand_over_int};
const struct option_type option_type_log_level = {"log level", parse_log_level, equal_log_level, hand_over_log_level};
const struct option_type option_type_autorestart = {"true, false or unexpected", parse_autorestart, equal_autorestart,
                                                    hand_over_autorestart};

/* --- text and paths ----------------------------------------------------------------------------------------------- */

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

EQUAL(equal_text)
{
    return texts_equal(*(char *const *)field, *(char *const *)other_field);
}

HAND_OVER(hand_over_text)
{
    handover_text(handover, name, field);
}

RELEASE(release_text)
{
    free(*(char **)field);
}

PARSE(parse_text)
{
    *(char **)field = xstrdup(text);
    return 0;
}

PARSE(parse_name)
{
    if (value_check_name(text, err) < 0)
        return -1;
    *(char **)field = xstrdup(text);
    return 0;
}

static int parse_nonempty(const char *text, char **result, struct error *err)
{
    if (text[0] == '\0')
        return error_set(err, "empty");
    *result = xstrdup(text);
    return 0;
}

PARSE(parse_path)
{
    if (text[0] == '\0')
        return error_set(err, "empty");
    CLEANUP_FREE char *path = value_resolve_home(text);
    *(char **)field = value_make_absolute(path);
    return 0;
}

PARSE(parse_optional_path)
{
    return text[0] != '\0' ? parse_path(text, field, second, context, err) : 0;
}

PARSE(parse_file)
{
    if (text[0] == '\0')
        return error_set(err, "empty");
    CLEANUP_FREE char *path = value_resolve_home(text);
    if (value_check_parent(path, err) < 0)
        return -1;
    *(char **)field = value_make_absolute(path);
    return 0;
}

PARSE(parse_activity_log)
{
    if (strcasecmp(text, "none") == 0 || strcasecmp(text, "auto") == 0)
        return 0; /* no file */
    if (strcasecmp(text, "syslog") == 0) {
        *(char **)field = xstrdup("syslog");
        return 0;
    }
    return parse_file(text, field, second, context, err);
}

PARSE(parse_existing_directory)
{
    CLEANUP_FREE char *path = value_resolve_home(text);
    struct stat status;

    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        return error_set(err, "%s is not an existing directory", path);
    *(char **)field = value_make_absolute(path);
    return 0;
}

PARSE(parse_directories)
{
    const char *directory = text;

    while (directory[0] == '/' && directory[strcspn(directory, ":")] == ':')
        directory += strcspn(directory, ":") + 1;
    if (directory[0] != '/')
        return error_set(err, "each directory must be an absolute path");
    *(char **)field = xstrdup(text);
    return 0;
}

PARSE(parse_server_url)
{
    if (strcasecmp(text, "auto") != 0)
        *(char **)field = xstrdup(text);
    return 0;
}

PARSE(parse_client_url)
{
    static const char local[] = "unix://";

    if (text_starts_with(text, local)) {
        CLEANUP_FREE char *path = value_resolve_home(text + sizeof local - 1);
        CLEANUP_FREE char *absolute = value_make_absolute(path);
        *(char **)field = xasprintf("%s%s", local, absolute);
        return 0;
    }
    if (!text_starts_with(text, "http://") && !text_starts_with(text, "https://"))
        return error_set(err, "not a URL that begins with http://, https:// or unix://");
    *(char **)field = xstrdup(text);
    return 0;
}

/* tcp://host:port */
static int check_tcp_url(const char *address, struct error *err)
{
    CLEANUP_FREE char *host = NULL;
    struct error cause;
    int port;

    if (address[strcspn(address, "/ ")] != '\0' || value_parse_address(address, &host, &port, &cause) < 0 ||
        host[0] == '\0')
        return error_set(err, "bad socket format: must be tcp://host:port, with a port from 1 to 65535");
    return 0;
}

PARSE(parse_socket_url)
{
    if (text_starts_with(text, "tcp://")) {
        if (check_tcp_url(text + strlen("tcp://"), err) < 0)
            return -1;
    } else if (!text_starts_with(text, "unix://")) {
        return error_set(err, "bad socket format: must be tcp://host:port or unix:///path");
    } else if (text[strlen("unix://")] != '/') {
        return error_set(err, "%s is not an absolute path", text + strlen("unix://"));
    }
    *(char **)field = xstrdup(text);
    return 0;
}

PARSE(parse_factory)
{
    return parse_nonempty(text, field, err);
}

#define TEXT_TYPE(syntax, parse)                                \
    {                                                           \
        syntax, parse, equal_text, hand_over_text, release_text \
    }
const struct option_type option_type_text = TEXT_TYPE("text", parse_text);
const struct option_type option_type_name = TEXT_TYPE("name", parse_name);
const struct option_type option_type_path = TEXT_TYPE("path", parse_path);
const struct option_type option_type_optional_path = TEXT_TYPE("path", parse_optional_path);
const struct option_type option_type_file = TEXT_TYPE("path in an existing directory", parse_file);
const struct option_type option_type_activity_log = TEXT_TYPE("path, syslog or NONE", parse_activity_log);
const struct option_type option_type_directories =
    TEXT_TYPE("absolute paths with colons between them", parse_directories);
const struct option_type option_type_existing_directory = TEXT_TYPE("existing directory", parse_existing_directory);
const struct option_type option_type_server_url = TEXT_TYPE("URL or AUTO", parse_server_url);
const struct option_type option_type_client_url = TEXT_TYPE("http://, https:// or unix:// URL", parse_client_url);
const struct option_type option_type_socket_url = TEXT_TYPE("tcp://host:port or unix:///path", parse_socket_url);
const struct option_type option_type_factory = TEXT_TYPE("module:function or path", parse_factory);

/* --- logs --------------------------------------------------------------------------------------------------------- */

PARSE(parse_log)
{
    struct config_log *log = field;

    if (text[0] == '\0' || strcasecmp(text, "none") == 0)
        return 0;
    if (strcasecmp(text, "auto") == 0) {
        log->is_automatic = true;
        return 0;
    }
    if (strcasecmp(text, "syslog") == 0) {
        log->syslog = true;
        return 0;
    }
    char *path = value_resolve_home(text);
    if (value_check_parent(path, err) < 0) {
        free(path);
        return -1;
    }
    log->file = path;
    return 0;
}

EQUAL(equal_log)
{
    const struct config_log *a = field;
    const struct config_log *b = other_field;

    return a->is_automatic == b->is_automatic && a->syslog == b->syslog && texts_equal(a->file, b->file);
}

HAND_OVER(hand_over_log)
{
    struct config_log *log = field;

    (void)handover_open(handover, name);
    handover_text(handover, "file", &log->file);
    log->is_automatic = handover_flag(handover, "is_automatic", log->is_automatic);
    log->syslog = handover_flag(handover, "syslog", log->syslog);
    handover_close(handover);
}

RELEASE(release_log)
{
    free(((struct config_log *)field)->file);
}

const struct option_type option_type_log = {"path, AUTO, NONE or syslog", parse_log, equal_log, hand_over_log,
                                            release_log};

/* --- accounts ----------------------------------------------------------------------------------------------------- */

/* Looks an account up unless it is the one that was looked up last. */
static int find_account(const char *text, struct config_account *result, struct option_context *context,
                        struct error *err)
{
    if (!texts_equal(context->account_text, text)) {
        option_context_release(context);
        if (value_parse_account(text, &context->account, err) < 0)
            return -1;
        context->account_text = xstrdup(text);
    }
    *result = context->account;
    result->name = xstrdup(context->account.name);
    return 0;
}

PARSE(parse_account)
{
    return find_account(text, field, context, err);
}

static bool accounts_equal(const struct config_account *a, const struct config_account *b)
{
    return a->is_set == b->is_set && a->uid == b->uid && a->gid == b->gid;
}

EQUAL(equal_account)
{
    return accounts_equal(field, other_field);
}

static void hand_over_account_fields(struct handover *handover, struct config_account *account)
{
    account->is_set = handover_flag(handover, "is_set", account->is_set);
    handover_text(handover, "name", &account->name);
    account->uid = (uid_t)handover_integer(handover, "uid", account->uid);
    account->gid = (gid_t)handover_integer(handover, "gid", account->gid);
}

HAND_OVER(hand_over_account)
{
    (void)handover_open(handover, name);
    hand_over_account_fields(handover, field);
    handover_close(handover);
}

RELEASE(release_account)
{
    free(((struct config_account *)field)->name);
}

PARSE(parse_owner)
{
    struct config_account user;

    if (value_parse_owner(text, &user, second, err) < 0)
        return -1;
    free(user.name);
    *(uid_t *)field = user.uid;
    return 0;
}

EQUAL(equal_owner)
{
    return *(const uid_t *)field == *(const uid_t *)other_field &&
           *(const gid_t *)second == *(const gid_t *)other_second;
}

HAND_OVER(hand_over_owner)
{
    (void)handover_open(handover, name);
    *(uid_t *)field = (uid_t)handover_integer(handover, "uid", *(uid_t *)field);
    *(gid_t *)second = (gid_t)handover_integer(handover, "gid", *(gid_t *)second);
    handover_close(handover);
}

static void unset_owner(void *field, void *second)
{
    *(uid_t *)field = (uid_t)-1;
    *(gid_t *)second = (gid_t)-1;
}

PARSE(parse_account_owner)
{
    return value_parse_owner(text, field, second, err);
}

EQUAL(equal_account_owner)
{
    return accounts_equal(field, other_field) && *(const gid_t *)second == *(const gid_t *)other_second;
}

HAND_OVER(hand_over_account_owner)
{
    (void)handover_open(handover, name);
    hand_over_account_fields(handover, field);
    *(gid_t *)second = (gid_t)handover_integer(handover, "explicit_gid", *(gid_t *)second);
    handover_close(handover);
}

static void unset_account_owner(__attribute__((unused)) void *field, void *second)
{
    *(gid_t *)second = (gid_t)-1;
}

const struct option_type option_type_account = {"user (name or id)", parse_account, equal_account, hand_over_account,
                                                release_account};
const struct option_type option_type_owner = {"user or user:group", parse_owner, equal_owner, hand_over_owner,
                                              .unset = unset_owner};
const struct option_type option_type_account_owner = {"user or user:group", parse_account_owner,
                                                      equal_account_owner,  hand_over_account_owner,
                                                      release_account,      unset_account_owner};

/* --- lists -------------------------------------------------------------------------------------------------------- */

PARSE(parse_environment)
{
    return value_parse_environment(text, field, err);
}

/* In the order of the file. */
static bool has_variable(const struct config_environment *environment, const struct config_variable *wanted)
{
    for (size_t i = 0; i < environment->count; i++)
        if (strcmp(environment->variables[i].name, wanted->name) == 0)
            return strcmp(environment->variables[i].value, wanted->value) == 0;
    return false;
}

/* The order says nothing, and no name is there twice. */
EQUAL(equal_environment)
{
    const struct config_environment *a = field;
    const struct config_environment *b = other_field;

    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!has_variable(b, &a->variables[i]))
            return false;
    return true;
}

HAND_OVER(hand_over_environment)
{
    value_hand_over_environment(handover, name, field);
}

RELEASE(release_environment)
{
    value_release_environment(field);
}

PARSE(parse_exitcodes)
{
    return value_parse_exitcodes(text, field, second, err);
}

EQUAL(equal_exitcodes)
{
    const size_t count = *(const size_t *)second;

    return count == *(const size_t *)other_second &&
           (count == 0 || memcmp(*(int *const *)field, *(int *const *)other_field, count * sizeof(int)) == 0);
}

HAND_OVER(hand_over_exitcodes)
{
    int **codes = field;
    size_t *count = second;
    const size_t taken = handover_open_list(handover, name, *count);

    if (handover_is_taking(handover)) {
        *count = taken;
        *codes = xreallocarray(*codes, taken + 1, sizeof **codes);
    }
    for (size_t i = 0; i < *count; i++) {
        handover_open_next(handover);
        (*codes)[i] = (int)handover_integer(handover, "code", (*codes)[i]);
        handover_close(handover);
    }
    handover_close(handover);
}

RELEASE(release_exitcodes)
{
    free(*(int **)field);
}

PARSE(parse_list)
{
    value_split_list(text, field, second);
    return 0;
}

/* Names of event types are in capitals; which there are is not known here. */
static int check_event(char *name, struct error *err)
{
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
        if (!isalnum((unsigned char)*c) && *c != '_')
            return error_set(err, "unknown event type %s", name);
    }
    return name[0] != '\0' ? 0 : error_set(err, "an empty event type");
}

PARSE(parse_events)
{
    char **words;
    size_t count;

    value_split_list(text, &words, &count);
    int result = count > 0 ? 0 : error_set(err, "no event type");
    for (size_t i = 0; i < count && result == 0; i++)
        result = check_event(words[i], err);
    if (result < 0) {
        value_free_list(words, count);
        return -1;
    }
    *(char ***)field = words;
    *(size_t *)second = count;
    return 0;
}

EQUAL(equal_list)
{
    char *const *a = *(char **const *)field;
    char *const *b = *(char **const *)other_field;
    const size_t count = *(const size_t *)second;

    if (count != *(const size_t *)other_second)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

HAND_OVER(hand_over_list)
{
    char ***words = field;
    size_t *count = second;
    const size_t taken = handover_open_list(handover, name, *count);

    if (handover_is_taking(handover)) {
        *count = taken;
        *words = xcalloc(taken + 1, sizeof **words);
    }
    for (size_t i = 0; i < *count; i++) {
        handover_open_next(handover);
        handover_text(handover, "text", &(*words)[i]);
        handover_close(handover);
    }
    handover_close(handover);
}

static bool has_all_words(char *const *words, size_t count, char *const *wanted, size_t wanted_count)
{
    for (size_t i = 0; i < wanted_count; i++) {
        size_t place = 0;
        while (place < count && strcmp(words[place], wanted[i]) != 0)
            place++;
        if (place == count)
            return false;
    }
    return true;
}

/* A set: neither order nor repetition says anything. */
EQUAL(equal_events)
{
    char *const *a = *(char **const *)field;
    char *const *b = *(char **const *)other_field;
    const size_t a_count = *(const size_t *)second;
    const size_t b_count = *(const size_t *)other_second;

    return has_all_words(a, a_count, b, b_count) && has_all_words(b, b_count, a, a_count);
}

RELEASE(release_list)
{
    value_free_list(*(char ***)field, *(size_t *)second);
}

PARSE(parse_address)
{
    return value_parse_address(text, field, second, err);
}

EQUAL(equal_address)
{
    return texts_equal(*(char *const *)field, *(char *const *)other_field) &&
           *(const int *)second == *(const int *)other_second;
}

HAND_OVER(hand_over_address)
{
    (void)handover_open(handover, name);
    handover_text(handover, "host", field);
    *(int *)second = (int)handover_integer(handover, "port", *(int *)second);
    handover_close(handover);
}

const struct option_type option_type_environment = {"KEY=\"value\" pairs with commas between them", parse_environment,
                                                    equal_environment, hand_over_environment, release_environment};
const struct option_type option_type_exitcodes = {"numbers from 0 to 255 with commas between them", parse_exitcodes,
                                                  equal_exitcodes, hand_over_exitcodes, release_exitcodes};
const struct option_type option_type_list = {"names with commas between them", parse_list, equal_list, hand_over_list,
                                             release_list};
const struct option_type option_type_events = {"event types with commas between them", parse_events, equal_events,
                                               hand_over_list, release_list};
const struct option_type option_type_address = {"host:port, :port or port", parse_address, equal_address,
                                                hand_over_address, release_text};
