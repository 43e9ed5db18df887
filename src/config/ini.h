/*
 * The reader of configuration files (manual 1.4.1): sections, keys and raw values, each with the place where it was
 * found. The dialect is that of Python's ConfigParser as the original uses it:
 *
 * - `key = value` or `key: value`; keys lose their case, section names keep it;
 * - a line that is indented deeper than its key goes on with that key's value, after a newline;
 * - `;` and `#` begin a comment at the start of a line or after white space, quotes or not;
 * - sections that come again are merged, a key that comes again replaces the one before;
 * - keys of [DEFAULT] stand in for keys that a section lacks.
 *
 * Text must be UTF-8 without NUL bytes; a byte order mark and any kind of line end are fine.
 */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/containers.h"
#include "base/error.h"

/* A file may have this many bytes. */
#define INI_FILE_MAX ((size_t)64 << 20)

struct ini_entry {
    UT_hash_handle by_key;
    char *key;        /* owned; lower case */
    char *text;       /* owned; without comments, trimmed, not expanded */
    const char *file; /* borrowed from the struct ini */
    int line;         /* 0: of no file (ini_set()) */
};

struct ini_section {
    UT_hash_handle by_name;
    char *name;                /* owned */
    struct ini_entry *entries; /* owned; in the order of first appearance */
    const char *file;          /* of the first header of that name */
    int line;
};

struct ini {
    struct ini_section *sections; /* owned; in the order of first appearance; [DEFAULT] is not among them */
    struct ini_section *fallback; /* owned; [DEFAULT], or NULL */
    char **files;                 /* owned; the names of what was read */
    size_t file_count;
};

struct ini *ini_new(void);
void ini_free(struct ini *ini); /* NULL is fine */

/* Adds what a text says to what is there. `file` is how messages call it. -1 with "file:line: reason". */
int ini_read_text(struct ini *ini, const char *file, const char *text, size_t length, struct error *err);

/* The same for the contents of a file. */
int ini_read_file(struct ini *ini, const char *path, struct error *err);

/*
 * Adds an empty section that no file has, of a name that is not there, and sets a key of it. Their line is 0; `file` is
 * what they are taken to stand in.
 */
struct ini_section *ini_add_section(struct ini *ini, const char *file, const char *name);
void ini_set(struct ini_section *section, const char *key, const char *text);

struct ini_section *ini_find_section(const struct ini *ini, const char *name);

/* An entry of the section itself or, in its absence, of [DEFAULT]; or NULL. `section` may be NULL. */
const struct ini_entry *ini_find_entry(const struct ini *ini, const struct ini_section *section, const char *key);

#endif
