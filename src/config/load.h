/* From a file to a model: reading, including, expanding, checking. Manual 1.4. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/error.h"
#include "config/model.h"

/* A value from the command line. It takes the place of the same key of [supervisord] or [supervisorctl]. */
struct config_override {
    const char *section; /* "supervisord" or "supervisorctl" */
    const char *key;
    const char *value;
    const char *origin; /* for messages: "-l" or "--logfile" */
};

struct config_load_options {
    const struct config_override *overrides;
    size_t override_count;
    bool for_ctl;                       /* only [supervisorctl] and [ctlplugin:x], and no [include] */
    bool want_remarks;                  /* fill config.remarks (supervisord --check) */
    bool (*is_event)(const char *name); /* whether there is an event type of that name; NULL: not checked */
};

/*
 * Reads the file at `path`. The model, owned by the caller, or NULL with *err naming file, section, key and value in
 * one line. Reads the process's environment for %(ENV_x)s; changes nothing outside of the model: no directory is
 * changed, no file made, no environment variable set.
 */
struct config *config_load(const char *path, const struct config_load_options *options, struct error *err);

/*
 * The processes of a program that no file knows: `options` is what its [program:x] section would hold. They are what
 * the group made has, in the order of their numbers; it has the given name and one reference, the caller's. NULL with
 * *err. What is common to all programs comes from `config`.
 */
struct config_group *config_make_program(const struct config *config, const char *group, const char *program,
                                         const struct config_environment *options, struct error *err);

/*
 * The configuration file to use when none is named: the first of the manual's list (1.4) that exists, relative to the
 * directory of `executable` where the list says so. A string to free, or NULL with *err when there is none.
 */
char *config_find_file(const char *executable, struct error *err);

/*
 * Splits a command line into words with shell-like quoting and no other shell syntax. A NULL-terminated array to
 * free with config_free_words(), or NULL with *err (unclosed quote, no word).
 */
char **config_split_command(const char *command, struct error *err);
void config_free_words(char **words);

#endif
