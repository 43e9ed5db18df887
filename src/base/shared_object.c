#include "base/shared_object.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/version.h"

/* The path of NAME.so in the first directory that has it, to free; NULL: none has it. */
static char *search(const char *name, const char *path)
{
    while (true) {
        const size_t length = strcspn(path, ":");
        char *candidate = xasprintf("%.*s/%s.so", (int)length, path, name);
        if (path[0] == '/' && access(candidate, F_OK) == 0)
            return candidate;
        free(candidate);
        if (path[length] == '\0')
            return NULL;
        path += length + 1;
    }
}

static char *find(const char *name, const char *path, struct error *err)
{
    CLEANUP_FREE char *all =
        path != NULL ? xasprintf("%s:" SUPERVISOR_PLUGIN_DIRECTORY, path) : xstrdup(SUPERVISOR_PLUGIN_DIRECTORY);

    if (name[0] == '/')
        return xstrdup(name);
    char *found = strchr(name, '/') == NULL ? search(name, all) : NULL;
    if (found == NULL)
        error_set(err, "there is no %s.so in %s", name, all);
    return found;
}

/* A directory like /tmp lets others write, but not replace what is root's. */
static bool can_others_write(const struct stat *status)
{
    const bool is_guarded = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

    return status->st_uid != 0 || ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_guarded);
}

/* `path` is cut off directory by directory. */
static int check_trust(char *path, struct error *err)
{
    struct stat status;
    char *slash;

    do {
        if (stat(path[0] != '\0' ? path : "/", &status) < 0)
            return error_from_errno(err, errno, "cannot load %s", path);
        if (can_others_write(&status))
            return error_set(err, "%s can be written by others than root, so root does not load it",
                             path[0] != '\0' ? path : "/");
        slash = strrchr(path, '/');
        if (slash != NULL)
            *slash = '\0';
    } while (slash != NULL);
    return 0;
}

/* The file itself, whatever links lead to it. To free. */
static char *resolve(const char *file, struct error *err)
{
    char *real = realpath(file, NULL);

    if (real == NULL) {
        error_from_errno(err, errno, "cannot load %s", file);
        return NULL;
    }
    CLEANUP_FREE char *path = xstrdup(real);
    if (geteuid() != 0 || check_trust(path, err) == 0)
        return real;
    free(real);
    return NULL;
}

static int find_symbol(struct shared_object *object, const char *file, const char *symbol, unsigned version,
                       struct error *err)
{
    object->symbol = dlsym(object->handle, symbol);
    if (object->symbol == NULL)
        return error_set(err, "%s is no plugin: it has no %s", file, symbol);
    const unsigned found = *(const unsigned *)object->symbol;
    if (found != version)
        return error_set(err, "%s is for version %u of the interface, this program has version %u", file, found,
                         version);
    return 0;
}

int shared_object_load(struct shared_object *object, const char *name, const char *path, const char *symbol,
                       unsigned version, struct error *err)
{
    CLEANUP_FREE char *found = find(name, path, err);
    CLEANUP_FREE char *file = found != NULL ? resolve(found, err) : NULL;

    *object = (struct shared_object){0};
    if (file == NULL)
        return -1;
    object->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (object->handle == NULL)
        return error_set(err, "cannot load %s: %s", file, dlerror());
    if (find_symbol(object, file, symbol, version, err) == 0)
        return 0;
    shared_object_unload(object);
    return -1;
}

void shared_object_unload(struct shared_object *object)
{
    if (object->handle != NULL)
        dlclose(object->handle);
    *object = (struct shared_object){0};
}
