/*
 * The options: one row each. Reading, defaults, messages, comparison, release and the reference documentation all
 * come from these rows, so that a new option is a new row and a field of config/model.h.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "base/error.h"
#include "base/handover.h"
#include "config/model.h"

/* What parsers of one file share. */
struct option_context {
    struct config_account account; /* the last one that was looked up, as many programs have the same */
    char *account_text;            /* how it was written; NULL before the first */
};

void option_context_release(struct option_context *context);

/*
 * A kind of value. `field` points to the field of the record; `second` to the second field of a value that fills two
 * (a list and its length, a host and a port), else it is NULL. Fields are zero, or what unset() made, before parse().
 */
struct option_type {
    const char *syntax; /* for the reference */
    int (*parse)(const char *text, void *field, void *second, struct option_context *context, struct error *err);
    bool (*equal)(const void *field, const void *second, const void *other_field, const void *other_second);
    void (*hand_over)(struct handover *handover, const char *name, void *field, void *second);
    void (*release)(void *field, void *second); /* NULL: nothing to free */
    void (*unset)(void *field, void *second);   /* the value of an option that is not given; NULL: zero */
};

/* Which names the value of an option may use in %(name)s. */
enum option_scope {
    OPTION_SCOPE_SECTION, /* those of the section: here, host_node_name, ENV_x; of a program: program_name, group_name
                           */
    OPTION_SCOPE_PROCESS, /* those of a process too: process_num, numprocs and its own environment */
};

struct option {
    const char *name;
    const struct option_type *type;
    size_t offset;           /* of the field in its record */
    size_t second;           /* of the second field, or OPTION_NO_SECOND */
    const char *preset;      /* the default as one would write it; NULL: unset */
    const char *preset_note; /* how the reference calls the default when `preset` does not say it; or NULL */
    bool is_required;
    enum option_scope scope;
    const char *help;
};

#define OPTION_NO_SECOND ((size_t)-1)

/* The rows that fill one kind of record. */
struct option_table {
    const struct option *options;
    size_t count;
};

/* What is known of a program section beside the processes that it makes. */
struct option_counts {
    int numprocs;
    int numprocs_start;
};

/* [group:x] */
struct option_group {
    char **programs;
    size_t program_count;
    int priority;
};

/* [include] */
struct option_include {
    char *files;
};

extern const struct option_table options_daemon;       /* struct config_daemon */
extern const struct option_table options_ctl;          /* struct config_ctl */
extern const struct option_table options_unix_server;  /* struct config_server */
extern const struct option_table options_inet_server;  /* struct config_server */
extern const struct option_table options_process;      /* struct config_process */
extern const struct option_table options_counts;       /* struct option_counts */
extern const struct option_table options_fcgi;         /* struct config_fcgi_socket */
extern const struct option_table options_listener;     /* struct config_group */
extern const struct option_table options_group;        /* struct option_group */
extern const struct option_table options_include;      /* struct option_include */
extern const struct option_table options_rpcinterface; /* struct config_plugin */
extern const struct option_table options_ctlplugin;    /* struct config_plugin */

enum { OPTION_SECTION_TABLES_MAX = 3 };

/* Whether a header is "name", "name:x", or may be either. */
enum option_header { OPTION_HEADER_PLAIN, OPTION_HEADER_COMPOSITE, OPTION_HEADER_EITHER };

/* A kind of section: its header, and the tables of the options that may stand in it. */
struct option_section {
    const char *name; /* "program" */
    enum option_header header;
    bool takes_any_key; /* further keys are handed to a plugin */
    const struct option_table *tables[OPTION_SECTION_TABLES_MAX];
    const char *help;
};

extern const struct option_section option_sections[];
extern const size_t option_section_count;

/* The kind of a section by its header ("program:cat"), or NULL. */
const struct option_section *option_find_section(const char *header);

/* The row of a key in a kind of section, or NULL. */
const struct option *option_find(const struct option_section *section, const char *key);

/* Whether the row of a section is one of those that it shares with [program:x]. */
bool option_is_shared(const struct option_section *section, const struct option *option);

/* Calls `visit` for every row of every section, in the order of the reference. */
void option_visit_all(void (*visit)(const struct option_section *section, const struct option *option, void *context),
                      void *context);

/* --- records, by their table -------------------------------------------------------------------------------------- */

int option_parse(const struct option *option, void *record, const char *text, struct option_context *context,
                 struct error *err);
/* The value of an option of a program as text, to free; NULL: it is not set. */
char *option_print(const struct option *option, const void *record);
void options_unset(const struct option_table *table, void *record);
bool options_equal(const struct option_table *table, const void *a, const void *b);
void options_release(const struct option_table *table, void *record);

/* Hands all fields over; what is taken goes into a record of zeros. An option that was not given has its default. */
void options_hand_over(const struct option_table *table, struct handover *handover, void *record);

#endif
