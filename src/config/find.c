/* The search for the configuration file (manual 1.4). */
#include <string.h>
#include <unistd.h>

#include "base/containers.h"
#include "config/load.h"
#include "config/value.h"

/* In this order; "@" stands for the directory of the executable. */
static const char *const candidates[] = {
    "@/../etc/supervisord.conf", "@/../supervisord.conf", "supervisord.conf",
    "etc/supervisord.conf",      "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf",
};

static char *directory_of_executable(const char *executable)
{
    const char *slash = strrchr(executable, '/');

    return slash == NULL ? xstrdup(".") : xstrndup(executable, (size_t)(slash - executable));
}

char *config_find_file(const char *executable, struct error *err)
{
    CLEANUP_FREE char *directory = directory_of_executable(executable);
    UT_string tried;

    utstring_init(&tried);
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        CLEANUP_FREE char *path =
            candidates[i][0] == '@' ? xasprintf("%s%s", directory, candidates[i] + 1) : xstrdup(candidates[i]);
        if (access(path, F_OK) == 0) {
            utstring_done(&tried);
            return value_make_absolute(path);
        }
        utstring_printf(&tried, "%s%s", i > 0 ? ", " : "", path);
    }
    error_set(
        err,
        "No config file found at default paths (%s); use the -c option to specify a config file at a different path",
        utstring_body(&tried));
    utstring_done(&tried);
    return NULL;
}
