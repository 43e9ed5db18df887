/* What a process takes of the machine, from /proc (proc(5)). */
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
    int64_t cpu_us; /* user and system time since its start, its threads included */
    int64_t memory; /* resident, in bytes; what it shares with others is counted in full */
};

/* 0, or -1 when there is no such process (any more). */
int usage_read(pid_t pid, struct usage *usage);

#endif
