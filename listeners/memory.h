/* How much memory processes take, from /proc. */
#ifndef LISTENERS_MEMORY_H
#define LISTENERS_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

enum memory_measure {
    MEMORY_RSS, /* resident: what several processes share counts for each of them */
    MEMORY_PSS, /* proportional: what n processes share counts a n-th for each of them */
};

/* Of one process. 0, or -1 with errno: ENOENT or ESRCH when it is gone. */
int memory_of_process(pid_t pid, enum memory_measure measure, uint64_t *bytes);

/* Who is whose child, at one moment. */
struct memory_families;

struct memory_families *memory_families_new(void);
void memory_families_free(struct memory_families *families); /* NULL is fine */

/* Of a process and all below it; those that end meanwhile take none. 0, or -1 with errno. */
int memory_of_family(const struct memory_families *families, pid_t pid, enum memory_measure measure, uint64_t *bytes);

#endif
