#include "listeners/names.h"

#include <string.h>

bool name_means_process(const char *group, const char *name, const char *wanted)
{
    const size_t length = strlen(group);

    if (strncmp(wanted, group, length) == 0 && wanted[length] == ':' &&
        (strcmp(wanted + length + 1, name) == 0 || strcmp(wanted + length + 1, "*") == 0))
        return true;
    return strcmp(wanted, name) == 0;
}

bool names_mean_process(const char *group, const char *name, const UT_array *wanted)
{
    const char **one = NULL;

    while (wanted != NULL && (one = utarray_next(wanted, one)) != NULL)
        if (name_means_process(group, name, *one))
            return true;
    return false;
}
