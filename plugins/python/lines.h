/* What the host prints, as lines of the activity log. */
#ifndef PYTHON_LINES_H
#define PYTHON_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor/log.h>

enum { LINE_SIZE = 1024 };

struct lines {
    const char *name;     /* of the section; borrowed */
    size_t length;        /* of the line that has begun */
    char line[LINE_SIZE]; /* a longer one becomes several */
};

/* How many lines have come in this second. */
struct lines_budget {
    int64_t until_us; /* the end of the second */
    unsigned count;
};

/* Writes whole lines, and keeps what has begun. Gives how many it has written. */
unsigned lines_add(struct lines *lines, enum log_level level, const char *bytes, size_t length);
/* Writes what has begun, if there is anything. */
void lines_end(struct lines *lines, enum log_level level);

/* Counts lines; 0, or for how many microseconds no more should come. */
int64_t lines_budget_use(struct lines_budget *budget, unsigned count);

#endif
