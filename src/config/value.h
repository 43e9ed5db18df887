/*
 * From the text of an option to its typed value. Each parser returns 0 and fills its result, or -1 with *err saying
 * what is wrong with the text (not where it stands: the caller knows) and the result as it was.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/error.h"
#include "base/handover.h"
#include "config/model.h"

/* The words for true and false, in any case. */
int value_parse_boolean(const char *text, bool *result, struct error *err);

/* Decimal, with an optional sign; digits may be grouped with single underscores. */
int value_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *result, struct error *err);

/* An integer with KB, MB or GB (1024 each, any case) behind it, or none. */
int value_parse_size(const char *text, int64_t *result, struct error *err);

/* Octal digits, with an optional "0o", up to `maximum`. */
int value_parse_octal(const char *text, int maximum, int *result, struct error *err);

int value_parse_signal(const char *text, int *result, struct error *err);
int value_parse_log_level(const char *text, enum log_level *result, struct error *err);
int value_parse_autorestart(const char *text, enum config_autorestart *result, struct error *err);

/* Numbers from 0 to 255 with commas between them, or nothing. `*codes` is to free. */
int value_parse_exitcodes(const char *text, int **codes, size_t *count, struct error *err);

/* Words with commas between them, white space around each removed. Nothing gives none. Free with value_free_list(). */
void value_split_list(const char *text, char ***words, size_t *count);
void value_free_list(char **words, size_t count);

/* An account by name or numeric id. */
int value_parse_account(const char *text, struct config_account *result, struct error *err);

/* "user" or "user:group", each by name or id. Without a group, the user's own and (gid_t)-1 in *explicit_group. */
int value_parse_owner(const char *text, struct config_account *user, gid_t *explicit_group, struct error *err);

/* `environment=` (manual 1.4.6): KEY="value",KEY2=value. Clear with value_release_environment(). */
int value_parse_environment(const char *text, struct config_environment *result, struct error *err);
void value_inherit_environment(struct config_environment *environment, const struct config_environment *from);
void value_hand_over_environment(struct handover *handover, const char *name, struct config_environment *environment);
void value_release_environment(struct config_environment *environment);

/* "host:port", ":port" or "port". The host as given, empty without one. */
int value_parse_address(const char *text, char **host, int *port, struct error *err);

/* A path with "~" and "~user" at its start resolved. The original leaves an unknown user alone, and so does this. */
char *value_resolve_home(const char *text);

/* The path from the root, relative to the current directory; not normalised further. */
char *value_make_absolute(const char *path);

/* Whether the directory that is to hold `path` is there. */
int value_check_parent(const char *path, struct error *err);

/* A name of a process or group: not empty, no blank, colon, slash or control character. */
int value_check_name(const char *name, struct error *err);

#endif
