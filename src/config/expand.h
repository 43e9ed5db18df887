/*
 * Expansion of `%(name)s` and the other formats of Python's % operator (manual 1.4.1): flags, width, precision and
 * all conversions, `%%` for a percent sign. Names that are not known are errors.
 */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include "base/error.h"
#include "config/model.h"

struct expand_variable {
    const char *name;
    const char *text; /* NULL: a number */
    long number;
};

/* All that may be named. Everything is borrowed. */
struct expand_scope {
    const struct expand_variable *variables;
    size_t variable_count;
    /* Where %(ENV_x)s looks first, in this order and before the process's environment; each may be NULL. */
    const struct config_environment *environments[2];
};

/* A string to free, or NULL with *err. */
char *expand_text(const char *format, const struct expand_scope *scope, struct error *err);

#endif
