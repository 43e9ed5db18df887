#include "process/usage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* The fields of /proc/PID/stat behind the name, which may have anything in it: counted from the state, field 3. */
static int parse_stat(const char *text, struct usage *usage)
{
    const char *name_end = strrchr(text, ')');
    unsigned long user;
    unsigned long system;
    long pages;

    /* state ... utime(14) stime(15) ... rss(24) */
    if (name_end == NULL || sscanf(name_end + 1,
                                   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d "
                                   "%*u %*u %ld",
                                   &user, &system, &pages) != 3)
        return -1;
    usage->cpu_us = (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
    usage->memory = (int64_t)pages * sysconf(_SC_PAGESIZE);
    return 0;
}

int usage_read(pid_t pid, struct usage *usage)
{
    char path[64];
    char text[1024] = "";

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fd_read_all(fd, text, sizeof text - 1) <= 0)
        return -1;
    return parse_stat(text, usage);
}
