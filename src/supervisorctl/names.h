/*
 * The forms in which processes are named: name, group:name, group:* (also "group:"), all, and patterns such as
 * web:*_0? (ours): with a colon they match group:name, without one the bare names.
 */
#ifndef SUPERVISORCTL_NAMES_H
#define SUPERVISORCTL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "rpc/value.h"

#define NAMES_BLANKS " \t\r\n\v\f" /* what stands between words */

/* Words of a command line, or names. Owned. */
struct words {
    char **items;
    size_t count;
};
void words_split(struct words *words, const char *line); /* at white space; fills *words */
void words_append(struct words *words, const char *word);
void words_release(struct words *words);
void names_copy(struct words *names, const struct words *words, size_t first); /* from `first` on; fills *names */
bool words_have(const struct words *words, const char *word);

struct process_name {
    char *group;
    char *process; /* NULL: the whole group */
};
void process_name_parse(struct process_name *name, const char *text); /* fills *name */
void process_name_release(struct process_name *name);

/* As shown to users: the name alone when it is also that of its group. Free it. */
char *process_name_show(const char *group, const char *process);

/* Has it pattern characters, and is it not just group:* ? */
bool process_name_is_pattern(const char *text);
bool process_name_matches(const char *pattern, const char *group, const char *process);

/*
 * `words` from `first` on with each pattern replaced by the shown names of the processes (as getAllProcessInfo and
 * getAllConfigInfo describe them) that match it; a pattern without a match, or that is a process's name, stays.
 * With `also_groups` group:* is treated as a pattern too. Fills *names.
 */
void names_expand(struct words *names, const struct words *words, size_t first, const struct rpc_value *processes,
                  bool also_groups);
bool names_have_pattern(const struct words *words, size_t first, bool also_groups);

#endif
