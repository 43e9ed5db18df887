#include "listeners/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listeners/text.h"

struct parent {
    pid_t pid;
    pid_t parent;
};

struct memory_families {
    UT_array *parents;
};

static const UT_icd parent_icd = {.sz = sizeof(struct parent)};

/* A file of a process as text, of which the beginning is enough. 0, or -1 with errno: ESRCH when it ends meanwhile. */
static int read_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const ssize_t length = read(fd, text, size - 1);
    const int os = length == 0 ? ESRCH : errno;
    close(fd);
    errno = os;
    if (length <= 0)
        return -1;
    text[length] = '\0';
    return 0;
}

/* The number at the start of `text`, blanks before it left out; 0 when it is NULL. */
static uint64_t number_at(const char *text)
{
    return text != NULL ? strtoull(text, NULL, 10) : 0;
}

/* "TOTAL RESIDENT ...", in pages. */
static uint64_t resident_bytes(const char *statm)
{
    return number_at(strchr(statm, ' ')) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A line "Pss:   123 kB" among others. */
static uint64_t proportional_bytes(const char *rollup)
{
    static const char key[] = "\nPss:";
    const char *line = strstr(rollup, key);

    return line != NULL ? number_at(line + strlen(key)) << 10 : 0;
}

int memory_of_process(pid_t pid, enum memory_measure measure, uint64_t *bytes)
{
    static const struct {
        const char *file;
        uint64_t (*bytes)(const char *text);
    } sources[] = {[MEMORY_RSS] = {"statm", resident_bytes}, [MEMORY_PSS] = {"smaps_rollup", proportional_bytes}};
    char text[2048];

    if (read_file(pid, sources[measure].file, text, sizeof text) < 0)
        return -1;
    *bytes = sources[measure].bytes(text);
    return 0;
}

/* "PID (name) state PPID ...": the name may have anything in it, parentheses too. */
static bool read_parent(pid_t pid, pid_t *parent)
{
    char text[512];

    if (read_file(pid, "stat", text, sizeof text) < 0)
        return false;
    const char *after = strrchr(text, ')');
    if (after == NULL || strlen(after) < strlen(") S 1"))
        return false;
    *parent = (pid_t)number_at(after + strlen(") S"));
    return true;
}

struct memory_families *memory_families_new(void)
{
    struct memory_families *families = memory_new(1, sizeof *families);
    DIR *directory = opendir("/proc");
    const struct dirent *entry;

    utarray_new(families->parents, &parent_icd);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        struct parent one = {.pid = (pid_t)strtol(entry->d_name, NULL, 10)};

        if (one.pid > 0 && read_parent(one.pid, &one.parent))
            utarray_push_back(families->parents, &one);
    }
    if (directory != NULL)
        closedir(directory);
    return families;
}

void memory_families_free(struct memory_families *families)
{
    if (families == NULL)
        return;
    utarray_free(families->parents);
    free(families);
}

static void add_children(const struct memory_families *families, pid_t pid, UT_array *members)
{
    struct parent *one = NULL;

    while ((one = utarray_next(families->parents, one)) != NULL)
        if (one->parent == pid)
            utarray_push_back(members, &one->pid);
}

int memory_of_family(const struct memory_families *families, pid_t pid, enum memory_measure measure, uint64_t *bytes)
{
    static const UT_icd pid_icd = {.sz = sizeof(pid_t)};
    UT_array *members; /* grows while it is walked */
    int outcome = memory_of_process(pid, measure, bytes);

    utarray_new(members, &pid_icd);
    add_children(families, pid, members);
    for (size_t i = 0; outcome == 0 && i < utarray_len(members); i++) {
        const pid_t member = *(pid_t *)utarray_eltptr(members, i);
        uint64_t more = 0;

        outcome = memory_of_process(member, measure, &more);
        if (outcome < 0 && (errno == ENOENT || errno == ESRCH))
            outcome = 0;
        *bytes += more;
        add_children(families, member, members);
    }
    utarray_free(members);
    return outcome;
}
