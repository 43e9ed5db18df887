#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/containers.h"
#include "base/signals.h"
#include "base/text.h"

#define PORT_MAX 65535
#define EXITCODE_MAX 255

int value_parse_boolean(const char *text, bool *result, struct error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i].word, text) == 0) {
            *result = words[i].value;
            return 0;
        }
    return error_set(err, "not a valid boolean value (true or false)");
}

/* A number that becomes too large stays the largest there is. */
static void append_digit(int64_t *number, int base, int digit)
{
    if (__builtin_mul_overflow(*number, base, number) || __builtin_add_overflow(*number, digit, number))
        *number = INT64_MAX;
}

/* Digits of the base, with single underscores between them. -1 unless all of the text was taken. */
static int read_digits(const char *text, size_t length, int base, int64_t *result)
{
    int64_t number = 0;
    bool was_digit = false;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '_' && was_digit) {
            was_digit = false;
            continue;
        }
        if (text[i] < '0' || text[i] >= '0' + base)
            return -1;
        append_digit(&number, base, text[i] - '0');
        was_digit = true;
    }
    *result = number;
    return was_digit ? 0 : -1;
}

static int read_integer(const char *text, size_t length, int64_t *result)
{
    const bool is_signed = length > 0 && (text[0] == '-' || text[0] == '+');

    if (read_digits(text + is_signed, length - is_signed, 10, result) < 0)
        return -1;
    if (text[0] == '-')
        *result = -*result;
    return 0;
}

int value_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *result, struct error *err)
{
    int64_t number;

    if (read_integer(text, strlen(text), &number) < 0)
        return error_set(err, "not an integer");
    if (number < minimum)
        return error_set(err, "below the lower bound (%lld)", (long long)minimum);
    if (number > maximum)
        return error_set(err, "above the upper bound (%lld)", (long long)maximum);
    *result = number;
    return 0;
}

int value_parse_size(const char *text, int64_t *result, struct error *err)
{
    static const struct {
        const char *suffix;
        int shift;
    } units[] = {{"kb", 10}, {"mb", 20}, {"gb", 30}};
    size_t length = strlen(text);
    int64_t number;
    int shift = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (length >= 2 && strcasecmp(text + length - 2, units[i].suffix) == 0) {
            shift = units[i].shift;
            length -= 2;
            break;
        }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    if (read_integer(text, length, &number) < 0)
        return error_set(err, "not a size: an integer, with KB, MB or GB behind it or nothing");
    if (number < 0)
        number = 0; /* the original takes a negative limit for none */
    if (number > INT64_MAX >> shift)
        return error_set(err, "too large");
    *result = number << shift;
    return 0;
}

int value_parse_octal(const char *text, int maximum, int *result, struct error *err)
{
    const char *digits = text_starts_with(text, "0o") || text_starts_with(text, "0O") ? text + 2 : text;
    int64_t number;

    if (read_digits(digits, strlen(digits), 8, &number) < 0)
        return error_set(err, "not an octal number");
    if (number > maximum)
        return error_set(err, "above the upper bound (%#o)", (unsigned)maximum);
    *result = (int)number;
    return 0;
}

int value_parse_signal(const char *text, int *result, struct error *err)
{
    const int number = signal_by_name(text);

    if (number < 0)
        return error_set(err, "not a valid signal name or number");
    *result = number;
    return 0;
}

int value_parse_log_level(const char *text, enum log_level *result, struct error *err)
{
    const int level = log_level_by_name(text);

    if (level < 0)
        return error_set(err, "bad logging level name");
    *result = (enum log_level)level;
    return 0;
}

int value_parse_autorestart(const char *text, enum config_autorestart *result, struct error *err)
{
    bool restarts = false;

    if (strcasecmp(text, "unexpected") == 0)
        *result = AUTORESTART_UNEXPECTED;
    else if (value_parse_boolean(text, &restarts, err) == 0)
        *result = restarts ? AUTORESTART_ALWAYS : AUTORESTART_NEVER;
    else
        return error_set(err, "not a valid autorestart value (true, false or unexpected)");
    return 0;
}

void value_split_list(const char *text, char ***words, size_t *count)
{
    *words = NULL;
    *count = 0;
    if (text[strspn(text, " \t\n\v\f\r")] == '\0')
        return;
    for (;; text++) {
        const char *end = strchrnul(text, ',');
        const char *start = text;
        const char *stop = end;
        while (start < stop && isspace((unsigned char)*start))
            start++;
        while (start < stop && isspace((unsigned char)stop[-1]))
            stop--;
        *words = xreallocarray(*words, *count + 1, sizeof **words);
        (*words)[(*count)++] = xstrndup(start, (size_t)(stop - start));
        if (*end == '\0')
            return;
        text = end;
    }
}

void value_free_list(char **words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
}

int value_parse_exitcodes(const char *text, int **codes, size_t *count, struct error *err)
{
    char **words;
    size_t word_count;

    value_split_list(text, &words, &word_count);
    int *numbers = word_count > 0 ? xcalloc(word_count, sizeof *numbers) : NULL;
    int result = 0;
    for (size_t i = 0; i < word_count && result == 0; i++) {
        int64_t number = 0;
        result = value_parse_integer(words[i], 0, EXITCODE_MAX, &number, err);
        numbers[i] = (int)number;
    }
    value_free_list(words, word_count);
    if (result < 0) {
        free(numbers);
        return error_set(err, "not a valid list of exit codes (0 to %d, with commas between them)", EXITCODE_MAX);
    }
    *codes = numbers;
    *count = word_count;
    return 0;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* An id that fits; (uid_t)-1 and its like are no ids. */
static bool read_id(const char *text, unsigned *id)
{
    int64_t number;

    if (!is_number(text) || read_digits(text, strlen(text), 10, &number) < 0 || number >= (int64_t)UINT_MAX)
        return false;
    *id = (unsigned)number;
    return true;
}

static const struct passwd *find_account(const char *text)
{
    unsigned id;

    if (is_number(text))
        return read_id(text, &id) ? getpwuid(id) : NULL;
    return getpwnam(text);
}

int value_parse_account(const char *text, struct config_account *result, struct error *err)
{
    const struct passwd *entry = find_account(text);

    if (entry == NULL)
        return error_set(err, is_number(text) ? "invalid user id %s" : "invalid user name %s", text);
    *result = (struct config_account){
        .is_set = true, .name = xstrdup(entry->pw_name), .uid = entry->pw_uid, .gid = entry->pw_gid};
    return 0;
}

static int parse_group(const char *text, gid_t *result, struct error *err)
{
    const struct group *entry = NULL;
    unsigned id;

    if (!is_number(text))
        entry = getgrnam(text);
    else if (read_id(text, &id))
        entry = getgrgid(id);
    if (entry == NULL)
        return error_set(err, is_number(text) ? "invalid group id %s" : "invalid group name %s", text);
    *result = entry->gr_gid;
    return 0;
}

int value_parse_owner(const char *text, struct config_account *user, gid_t *explicit_group, struct error *err)
{
    const char *colon = strchrnul(text, ':');
    CLEANUP_FREE char *name = xstrndup(text, (size_t)(colon - text));
    gid_t group = (gid_t)-1;

    if (*colon == ':' && parse_group(colon + 1, &group, err) < 0)
        return -1;
    if (value_parse_account(name, user, err) < 0)
        return -1;
    *explicit_group = group;
    return 0;
}

int value_parse_address(const char *text, char **host, int *port, struct error *err)
{
    const char *colon = strrchr(text, ':');
    int64_t number = 0;

    if (value_parse_integer(colon != NULL ? colon + 1 : text, 1, PORT_MAX, &number, err) < 0)
        return error_set(err, "not a valid port number (1 to %d)", PORT_MAX);
    *host = colon != NULL ? xstrndup(text, (size_t)(colon - text)) : xstrdup("");
    *port = (int)number;
    return 0;
}

/* The home directory of the user whose name stands at the start of the text, or of ourselves without a name. */
static const char *find_home(const char *name, size_t length)
{
    CLEANUP_FREE char *user = xstrndup(name, length);
    const char *home = length == 0 ? getenv("HOME") : NULL;

    if (home != NULL && home[0] != '\0' && text_utf8_valid(home, strlen(home)))
        return home;
    const struct passwd *entry = length == 0 ? getpwuid(getuid()) : getpwnam(user);
    return entry != NULL ? entry->pw_dir : NULL;
}

char *value_resolve_home(const char *text)
{
    if (text[0] != '~')
        return xstrdup(text);
    const size_t length = strcspn(text + 1, "/");
    const char *home = find_home(text + 1, length);
    return home != NULL ? xasprintf("%s%s", home, text + 1 + length) : xstrdup(text);
}

char *value_make_absolute(const char *path)
{
    CLEANUP_FREE char *here = path[0] != '/' ? getcwd(NULL, 0) : NULL;

    if (here == NULL) /* absolute already, or we stand in a directory that was removed */
        return xstrdup(path);
    return xasprintf("%s%s%s", here, strcmp(here, "/") == 0 ? "" : "/", path);
}

int value_check_parent(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *parent = slash == NULL ? xstrdup(".") : xstrndup(path, (size_t)(slash - path) + 1);
    struct stat status;

    if (stat(parent, &status) < 0 || !S_ISDIR(status.st_mode))
        return error_set(err, "the directory named as part of the path %s does not exist", path);
    return 0;
}

int value_check_name(const char *name, struct error *err)
{
    if (name[0] == '\0')
        return error_set(err, "an empty name");
    for (const char *c = name; *c != '\0'; c++)
        if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c) || *c == ':' || *c == '/')
            return error_set(err, "invalid name: '%s' because of character: '%c'", name,
                             iscntrl((unsigned char)*c) ? '?' : *c);
    return 0;
}
