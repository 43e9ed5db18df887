#include "process/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Places of fields in /proc/PID/stat, counted from 1. */
enum { FIELD_NAME = 2, FIELD_USER_TIME = 14, FIELD_SYSTEM_TIME = 15, FIELD_RESIDENT = 24 };

/* A field behind the name. */
static int64_t read_field(const char *name_end, int field)
{
    const char *at = name_end;

    for (int place = FIELD_NAME; place < field; place++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return strtoll(at, NULL, 10);
}

/* The name may have anything in it, also blanks and parentheses: the last one ends it. */
static int parse_stat(const char *text, struct usage *usage)
{
    const char *name_end = strrchr(text, ')');

    if (name_end == NULL)
        return -1;
    const int64_t ticks = read_field(name_end, FIELD_USER_TIME) + read_field(name_end, FIELD_SYSTEM_TIME);
    usage->cpu_us = ticks * 1000000 / sysconf(_SC_CLK_TCK);
    usage->memory = read_field(name_end, FIELD_RESIDENT) * sysconf(_SC_PAGESIZE);
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
