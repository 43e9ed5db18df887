/*
 * The kinds of values, and the C type of the field that each fills. options.c lets no row compile whose field is of
 * another type.
 */
#ifndef CONFIG_OPTION_TYPES_H
#define CONFIG_OPTION_TYPES_H

#include "config/options.h"

typedef char *option_text;
typedef char **option_words;
typedef int *option_integers;

/* kind, type of the field */
#define OPTION_KINDS(X)                                                   \
    X(boolean, bool)                                                      \
    X(integer, int)                                                       \
    X(natural, int)  /* negative numbers count as 0 */                    \
    X(positive, int) /* from 1; -1 when unset */                          \
    X(numprocs, int)                                                      \
    X(limit, int64_t) /* as natural, for what may be large */             \
    X(size, int64_t)                                                      \
    X(mode, int) /* octal; -1 when unset */                               \
    X(signal, int)                                                        \
    X(log_level, enum log_level)                                          \
    X(autorestart, enum config_autorestart)                               \
    X(text, option_text)                                                  \
    X(name, option_text)                                                  \
    X(file, option_text) /* made absolute; its directory must be there */ \
    X(activity_log, option_text)                                          \
    X(existing_directory, option_text)                                    \
    X(path, option_text)          /* made absolute */                     \
    X(optional_path, option_text) /* made absolute; may be empty */       \
    X(directories, option_text)   /* absolute, with colons between */     \
    X(server_url, option_text)                                            \
    X(client_url, option_text)                                            \
    X(socket_url, option_text)                                            \
    X(factory, option_text)                                               \
    X(log, struct config_log) /* its file, is_automatic and syslog */     \
    X(account, struct config_account)                                     \
    X(environment, struct config_environment)

/* kind, type of the field, type of the second field */
#define OPTION_PAIR_KINDS(X)              \
    X(exitcodes, option_integers, size_t) \
    X(list, option_words, size_t)         \
    X(events, option_words, size_t)       \
    X(address, option_text, int)          \
    X(owner, uid_t, gid_t)                \
    X(account_owner, struct config_account, gid_t)

#define OPTION_DECLARE(kind, type)    \
    typedef type option_field_##kind; \
    extern const struct option_type option_type_##kind;
#define OPTION_DECLARE_PAIR(kind, type, second_type) \
    OPTION_DECLARE(kind, type)                       \
    typedef second_type option_second_##kind;

OPTION_KINDS(OPTION_DECLARE)
OPTION_PAIR_KINDS(OPTION_DECLARE_PAIR)

#endif
