/* What the files that make a model from sections share. Not for other rooms. */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/expand.h"
#include "config/ini.h"
#include "config/load.h"
#include "config/options.h"

struct loader {
    const struct config_load_options *options;
    struct ini *ini;
    struct config *config;
    struct option_context values;
    const char *host_node_name;
};

enum { LOADER_VARIABLES_MAX = 8 };

/* What the values of one section may name: what all sections know, and what is added for this one. */
struct loader_scope {
    const struct expand_variable *section; /* %(program_name)s and the like */
    size_t section_count;
    const struct expand_variable *process; /* for rows of OPTION_SCOPE_PROCESS besides */
    size_t process_count;
    const struct config_environment *environment; /* the process's own; NULL: none */
};

/*
 * Fills a record, which must be zero, from a section: each row's value comes from the command line, the section or
 * the default, is expanded and parsed. What was filled before an error stays for the caller to release.
 */
int loader_fill(struct loader *loader, const struct ini_section *section, const struct option_table *table,
                const struct loader_scope *scope, void *record, struct error *err);

/* The same for one row. */
int loader_fill_option(struct loader *loader, const struct ini_section *section, const struct option *option,
                       const struct loader_scope *scope, void *record, struct error *err);

/* Expands the raw text of an entry. A string to free, or NULL with *err, which names the place. */
char *loader_expand_entry(const struct loader *loader, const struct ini_section *section, const struct ini_entry *entry,
                          const struct loader_scope *scope, struct error *err);

/* Whether the section, or [DEFAULT], has a key. */
bool loader_has(const struct loader *loader, const struct ini_section *section, const char *key);

/* Puts "file:line: [section]" in front of the message: of the key, or of the header when `key` is not there. */
int loader_locate(const struct loader *loader, const struct ini_section *section, const char *key, struct error *err);

/* Reads [program:x], [fcgi-program:x], [eventlistener:x] and [group:x] into config.groups. */
int loader_make_groups(struct loader *loader, struct error *err);

/*
 * The processes of a program that no file knows, as a group of their own, with a reference for the caller. NULL with
 * *err.
 */
struct config_group *loader_make_program(struct loader *loader, const char *group, const char *program,
                                         const struct config_environment *options, struct error *err);

/* Notes unknown sections and keys, and what has no effect, in config.remarks. */
void loader_make_remarks(struct loader *loader);

#endif
