/* What clients have added and nobody has removed: enough to add it again. */
#ifndef PLUGINS_LOADER_RECORD_H
#define PLUGINS_LOADER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <supervisor/error.h>
#include <supervisor/value.h>

struct record_group {
    char *name; /* owned */
    int priority;
};

/* One call of addProgramToGroup. */
struct record_program {
    char *group;               /* owned */
    char *program;             /* owned */
    struct rpc_value *options; /* owned; a struct, with the numprocs_start that was used */
    struct rpc_value *names;   /* owned; an array of the names of its processes that are still there */
};

struct record {
    struct record_group *groups; /* owned */
    size_t group_count;
    struct record_program *programs; /* owned; in the order in which they were added */
    size_t program_count;
};

void record_release(struct record *record);

void record_add_group(struct record *record, const char *name, int priority);
/* Takes `options`. `names` is copied. */
void record_add_program(struct record *record, const char *group, const char *program, struct rpc_value *options,
                        const struct rpc_value *names);
/* True when it was there. */
bool record_remove_process(struct record *record, const char *group, const char *name);
bool record_remove_group(struct record *record, const char *group);

/* The member of `options` that a configuration file would take for this key: the last one, in any case. NULL: none. */
const struct rpc_value *record_option(const struct rpc_value *options, const char *key);

/* The first number, from 1 on, from which on there is room for the processes that `options` describe. */
int record_free_number(const struct record *record, const char *group, const char *program,
                       const struct rpc_value *options);

/* As one value, and back: -1 with *err, and nothing in *record, when the value is no record. */
struct rpc_value *record_to_value(const struct record *record);
int record_from_value(struct record *record, const struct rpc_value *value, struct error *err);

#endif
