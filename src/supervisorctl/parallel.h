/*
 * One request for each of several names: those of one priority at once, the next priority when they are done. Results
 * are handed out in the order in which the names were given.
 */
#ifndef SUPERVISORCTL_PARALLEL_H
#define SUPERVISORCTL_PARALLEL_H

#include "supervisorctl/ctl.h"

enum parallel_order {
    PARALLEL_AS_GIVEN, /* one after the other */
    PARALLEL_LOW_PRIORITY_FIRST,
    PARALLEL_HIGH_PRIORITY_FIRST,
};

struct parallel_unit {
    const char *name; /* as given; borrowed */
    char *group;
    bool is_group; /* the call is for all members of `group` */
    const char *method;
    struct rpc_value *params;
    int64_t group_priority;
    int64_t priority; /* of the process; of a group, the lowest of its members */
    bool is_done;
    struct transport_answer answer; /* when it is done */
};

struct parallel {
    struct parallel_unit *units;
    size_t count;
    size_t handed_out;
    enum parallel_order order;
};

/* How a name becomes a call. */
struct parallel_methods {
    const char *process;
    const char *group;  /* NULL: group:* is a name like any other */
    const char *signal; /* second parameter, or NULL */
};

/* A unit for each name; `names` outlives it. Asks the server for the priorities if `order` needs them. */
void parallel_begin(struct ctl *ctl, struct parallel *parallel, const struct words *names,
                    const struct parallel_methods *methods, enum parallel_order order);

/* Makes the next calls and waits for them. False when all had been made before. */
bool parallel_run_wave(struct ctl *ctl, struct parallel *parallel);

/* The next result in order, or NULL when it is not there yet. */
const struct parallel_unit *parallel_next_finished(struct parallel *parallel);

void parallel_end(struct parallel *parallel);

#endif
