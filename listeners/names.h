/* The names that command lines give to processes. */
#ifndef LISTENERS_NAMES_H
#define LISTENERS_NAMES_H

#include "listeners/text.h"

/* Whether "name", "group:name" or "group:*" means a process. */
bool name_means_process(const char *group, const char *name, const char *wanted);

/* Whether one of several such names means it: a list of const char *, or NULL for none. */
bool names_mean_process(const char *group, const char *name, const UT_array *wanted);

#endif
