#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define FALLBACK_NAME "DEFAULT"
#define QUOTED_MAX 60 /* how much of a bad line a message shows */

/* A piece of the text that is being read. */
struct span {
    const char *start;
    size_t length;
};

struct reader {
    struct ini *ini;
    const char *file;
    int line;
    struct ini_section *section; /* NULL before the first header */
    struct ini_entry *entry;     /* whose value goes on; NULL behind a header */
    size_t indent;               /* of the line that began the entry */
    UT_string value;             /* of the entry, as far as it was read */
};

struct ini *ini_new(void)
{
    return xcalloc(1, sizeof(struct ini));
}

static void free_entry(struct ini_entry *entry)
{
    free(entry->key);
    free(entry->text);
    free(entry);
}

static void free_section(struct ini_section *section)
{
    struct ini_entry *entry = section->entries;

    HASH_CLEAR(by_key, section->entries);
    while (entry != NULL) {
        struct ini_entry *next = entry->by_key.next;
        free_entry(entry);
        entry = next;
    }
    free(section->name);
    free(section);
}

void ini_free(struct ini *ini)
{
    if (ini == NULL)
        return;
    struct ini_section *section = ini->sections;
    HASH_CLEAR(by_name, ini->sections);
    while (section != NULL) {
        struct ini_section *next = section->by_name.next;
        free_section(section);
        section = next;
    }
    if (ini->fallback != NULL)
        free_section(ini->fallback);
    for (size_t i = 0; i < ini->file_count; i++)
        free(ini->files[i]);
    free(ini->files);
    free(ini);
}

struct ini_section *ini_find_section(const struct ini *ini, const char *name)
{
    struct ini_section *section;

    HASH_FIND(by_name, ini->sections, name, strlen(name), section);
    return section;
}

static struct ini_entry *find_own_entry(const struct ini_section *section, const char *key)
{
    struct ini_entry *entry;

    HASH_FIND(by_key, section->entries, key, strlen(key), entry);
    return entry;
}

const struct ini_entry *ini_find_entry(const struct ini *ini, const struct ini_section *section, const char *key)
{
    const struct ini_entry *entry = section != NULL ? find_own_entry(section, key) : NULL;

    if (entry == NULL && ini->fallback != NULL)
        entry = find_own_entry(ini->fallback, key);
    return entry;
}

/* gcc's analyser does not see that what a UT_string holds has been written to it. */
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-use-of-uninitialized-value"
#endif
static bool is_blank(char c)
{
    return isspace((unsigned char)c) != 0;
}

static struct span trim(struct span span)
{
    while (span.length > 0 && is_blank(span.start[0])) {
        span.start++;
        span.length--;
    }
    while (span.length > 0 && is_blank(span.start[span.length - 1]))
        span.length--;
    return span;
}
#pragma GCC diagnostic pop

/* Where a comment begins: at a mark that is first or stands behind white space. The length when there is none. */
static size_t find_comment(struct span line)
{
    for (size_t i = 0; i < line.length; i++)
        if ((line.start[i] == ';' || line.start[i] == '#') && (i == 0 || is_blank(line.start[i - 1])))
            return i;
    return line.length;
}

static int refuse(const struct reader *reader, struct span text, const char *reason, struct error *err)
{
    const size_t shown = text.length < QUOTED_MAX ? text.length : QUOTED_MAX;

    return error_set(err, "%s:%d: %s: %.*s%s", reader->file, reader->line, reason, (int)shown, text.start,
                     shown < text.length ? "..." : "");
}

/* Gives the entry its value, which has ended. */
static void end_entry(struct reader *reader)
{
    if (reader->entry == NULL)
        return;
    const struct span value = trim((struct span){utstring_body(&reader->value), utstring_len(&reader->value)});
    free(reader->entry->text);
    reader->entry->text = xstrndup(value.start, value.length);
    reader->entry = NULL;
}

static struct ini_section *new_section(const struct reader *reader, char *name)
{
    struct ini_section *section = xcalloc(1, sizeof *section);

    section->name = name;
    section->file = reader->file;
    section->line = reader->line;
    return section;
}

static void open_section(struct reader *reader, struct span span)
{
    struct ini *ini = reader->ini;
    char *name = xstrndup(span.start, span.length);
    const bool is_fallback = strcmp(name, FALLBACK_NAME) == 0;
    struct ini_section *section = is_fallback ? ini->fallback : ini_find_section(ini, name);

    end_entry(reader);
    if (section != NULL) {
        free(name);
    } else {
        section = new_section(reader, name);
        if (is_fallback)
            ini->fallback = section;
        else
            HASH_ADD_KEYPTR(by_name, ini->sections, section->name, strlen(section->name), section);
    }
    reader->section = section;
}

/* The name in a header: up to the last bracket, since names may have brackets. */
static bool find_header(struct span line, struct span *name)
{
    const char *end = line.length > 0 && line.start[0] == '[' ? memrchr(line.start, ']', line.length) : NULL;

    if (end == NULL || end == line.start + 1)
        return false;
    *name = (struct span){line.start + 1, (size_t)(end - line.start - 1)};
    return true;
}

static bool split_entry(struct span line, struct span *key, struct span *value)
{
    size_t at = 0;

    while (at < line.length && line.start[at] != '=' && line.start[at] != ':')
        at++;
    if (at == line.length)
        return false;
    *key = trim((struct span){line.start, at});
    *value = trim((struct span){line.start + at + 1, line.length - at - 1});
    return key->length > 0;
}

static char *lower(struct span span)
{
    char *text = xstrndup(span.start, span.length);

    for (char *c = text; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

/* The entry of that key, in whatever case; made if need be. */
static struct ini_entry *make_entry(struct ini_section *section, struct span key_span)
{
    char *key = lower(key_span);
    struct ini_entry *entry = find_own_entry(section, key);
    if (entry != NULL) {
        free(key);
    } else {
        entry = xcalloc(1, sizeof *entry);
        entry->key = key;
        HASH_ADD_KEYPTR(by_key, section->entries, entry->key, strlen(entry->key), entry);
    }
    return entry;
}

static void begin_entry(struct reader *reader, struct span key_span, struct span value)
{
    end_entry(reader);
    struct ini_entry *entry = make_entry(reader->section, key_span);
    entry->file = reader->file;
    entry->line = reader->line;
    reader->entry = entry;
    utstring_clear(&reader->value);
    utstring_bincpy(&reader->value, value.start, value.length);
}

static void continue_entry(struct reader *reader, struct span text)
{
    utstring_bincpy(&reader->value, "\n", 1);
    utstring_bincpy(&reader->value, text.start, text.length);
}

static int read_line(struct reader *reader, struct span line, struct error *err)
{
    const size_t comment = find_comment(line);
    const struct span text = trim((struct span){line.start, comment});
    struct span name;
    struct span value;

    if (text.length == 0) {
        if (comment == line.length && reader->entry != NULL)
            continue_entry(reader, text); /* an empty line belongs to a value that goes on behind it */
        return 0;
    }
    const size_t indent = (size_t)(text.start - line.start);
    if (reader->entry != NULL && indent > reader->indent) {
        continue_entry(reader, text);
        return 0;
    }
    reader->indent = indent;
    if (find_header(text, &name)) {
        open_section(reader, name);
        return 0;
    }
    if (reader->section == NULL)
        return refuse(reader, text, "a line before the first section header", err);
    if (!split_entry(text, &name, &value))
        return refuse(reader, text, "not a section header, a key with a value, or an indented line", err);
    begin_entry(reader, name, value);
    return 0;
}

/* Takes the next line off the text. Lines end with LF, CR LF or CR. */
static struct span take_line(struct span *rest)
{
    size_t length = 0;

    while (length < rest->length && rest->start[length] != '\n' && rest->start[length] != '\r')
        length++;
    const struct span line = {rest->start, length};
    if (length < rest->length)
        length += rest->start[length] == '\r' && length + 1 < rest->length && rest->start[length + 1] == '\n' ? 2 : 1;
    rest->start += length;
    rest->length -= length;
    return line;
}

static int check_line(const struct reader *reader, struct span line, struct error *err)
{
    if (memchr(line.start, '\0', line.length) != NULL)
        return error_set(err, "%s:%d: a NUL byte", reader->file, reader->line);
    if (!text_utf8_valid(line.start, line.length))
        return error_set(err, "%s:%d: not UTF-8", reader->file, reader->line);
    return 0;
}

static int read_lines(struct reader *reader, struct span rest, struct error *err)
{
    while (rest.length > 0) {
        const struct span line = take_line(&rest);
        reader->line++;
        if (check_line(reader, line, err) < 0 || read_line(reader, line, err) < 0)
            return -1;
    }
    return 0;
}

static const char *remember_file(struct ini *ini, const char *file)
{
    ini->files = xreallocarray(ini->files, ini->file_count + 1, sizeof *ini->files);
    ini->files[ini->file_count] = xstrdup(file);
    return ini->files[ini->file_count++];
}

struct ini_section *ini_add_section(struct ini *ini, const char *file, const char *name)
{
    const struct reader reader = {.file = remember_file(ini, file)};
    struct ini_section *section = new_section(&reader, xstrdup(name));

    HASH_ADD_KEYPTR(by_name, ini->sections, section->name, strlen(section->name), section);
    return section;
}

void ini_set(struct ini_section *section, const char *key, const char *text)
{
    struct ini_entry *entry = make_entry(section, (struct span){key, strlen(key)});

    entry->file = section->file;
    entry->line = section->line;
    free(entry->text);
    entry->text = xstrdup(text);
}

int ini_read_text(struct ini *ini, const char *file, const char *text, size_t length, struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t mark_length = sizeof mark - 1;
    struct reader reader = {.ini = ini, .file = remember_file(ini, file)};
    struct span rest = {text, length};

    if (length >= mark_length && memcmp(text, mark, mark_length) == 0)
        rest = (struct span){text + mark_length, length - mark_length};
    utstring_init(&reader.value);
    const int result = read_lines(&reader, rest, err);
    end_entry(&reader);
    utstring_done(&reader.value);
    return result;
}

/* Reads a descriptor to its end, which may be a pipe. */
static int read_contents(int fd, char **text, size_t *length)
{
    size_t room = 0;

    *text = NULL;
    *length = 0;
    while (*length == room) {
        room = room == 0 ? 65536 : room * 2;
        *text = xrealloc(*text, room);
        const ssize_t got = fd_read_all(fd, *text + *length, room - *length);
        if (got < 0)
            return -1;
        *length += (size_t)got;
        if (*length > INI_FILE_MAX) {
            errno = EFBIG;
            return -1;
        }
    }
    return 0;
}

int ini_read_file(struct ini *ini, const char *path, struct error *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP_FREE char *text = NULL;
    size_t length;

    if (fd < 0 || read_contents(fd, &text, &length) < 0)
        return error_from_errno(err, errno, "cannot read the configuration file %s", path);
    return ini_read_text(ini, path, text, length, err);
}
