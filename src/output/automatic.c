#include "output/automatic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define RANDOM_LENGTH 8
#define ATTEMPTS 100
/* What ".4294967295" or "---" and the random part may need below the longest file name. */
#define NAME_RESERVE 32
#define SUFFIX ".log"

/* A name must stay one component of a path. */
static void replace_slashes(char *name)
{
    for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash, '/'))
        *slash = '_';
}

static int fill_random(char *text)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    unsigned char bytes[RANDOM_LENGTH];

    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes)
        return -1;
    for (size_t i = 0; i < RANDOM_LENGTH; i++)
        text[i] = alphabet[bytes[i] % (sizeof alphabet - 1)];
    text[RANDOM_LENGTH] = '\0';
    return 0;
}

/* NAME-CHANNEL---IDENTIFIER-, the name cut so that the whole fits into a directory entry. */
static char *name_prefix(const char *identifier, const char *process_name, enum config_stream channel)
{
    CLEANUP_FREE char *rest = xasprintf("-%s---%s-", config_stream_name(channel), identifier);
    const size_t taken = strlen(rest) + NAME_RESERVE;
    const size_t room = taken < NAME_MAX ? NAME_MAX - taken : 0;
    char *prefix = xasprintf("%.*s%s", (int)room, process_name, rest);

    replace_slashes(prefix);
    return prefix;
}

char *automatic_log_create(const char *directory, const char *identifier, const char *process_name,
                           enum config_stream channel, struct error *err)
{
    CLEANUP_FREE char *prefix = name_prefix(identifier, process_name, channel);
    char random[RANDOM_LENGTH + 1];

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (fill_random(random) < 0)
            break;
        char *path = xasprintf("%s/%s%s" SUFFIX, directory, prefix, random);
        const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) {
            close(fd);
            return path;
        }
        const int os = errno;
        free(path);
        errno = os;
        if (os != EEXIST)
            break;
    }
    (void)error_from_errno(err, errno, "cannot create a log file for %s in %s", process_name, directory);
    return NULL;
}

/* True when there was such a file. */
static bool remove_file(const char *path)
{
    if (unlink(path) == 0)
        return true;
    if (errno != ENOENT)
        log_warn("cannot remove %s: %s", path, strerror(errno));
    return false;
}

void automatic_log_remove(const char *path)
{
    bool was_there = remove_file(path);

    for (int number = 1; was_there; number++) {
        CLEANUP_FREE char *rotated = xasprintf("%s.%d", path, number);
        was_there = remove_file(rotated);
    }
}

/* Whether what follows the random part is ".log" or ".log.N". */
static bool ends_as_log(const char *name)
{
    const char *suffix = strstr(name, SUFFIX);

    for (const char *next = suffix; next != NULL; next = strstr(next + 1, SUFFIX))
        suffix = next;
    if (suffix == NULL)
        return false;
    suffix += strlen(SUFFIX);
    if (*suffix == '\0')
        return true;
    return *suffix == '.' && suffix[1] != '\0' && suffix[1 + strspn(suffix + 1, "0123456789")] == '\0';
}

static bool is_automatic_name(const char *name, const char *marker)
{
    const char *found = strstr(name, marker);

    return found != NULL && ends_as_log(found + strlen(marker));
}

void automatic_log_clean(const char *directory, const char *identifier)
{
    CLEANUP_FREE char *marker = xasprintf("---%s-", identifier);
    DIR *listing = opendir(directory);

    if (listing == NULL) {
        log_warn("cannot clean up the AUTO logs in %s: %s", directory, strerror(errno));
        return;
    }
    replace_slashes(marker);
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing))
        if (is_automatic_name(entry->d_name, marker) && unlinkat(dirfd(listing), entry->d_name, 0) < 0)
            log_warn("cannot remove %s/%s: %s", directory, entry->d_name, strerror(errno));
    closedir(listing);
}
