/*
 * A system without processes and without waiting, for the tests of whatever lives on process/: fork, kill, the clocks
 * and the timers are the fields of one struct.
 */
#ifndef TESTS_FAKE_SYSTEM_H
#define TESTS_FAKE_SYSTEM_H

#include "process/supervisor.h"

enum { FAKE_SENT_MAX = 64 };

struct fake_system {
    int64_t now_us;       /* of the monotonic clock */
    int64_t wall_step_us; /* how far the wall clock has been set away from the other */
    pid_t last_pid;       /* of the last spawn; they count up from 101 */
    int64_t spawn_us;     /* how long a spawn takes */
    int spawn_refusals;   /* how many spawns to refuse */
    bool odd_pipes;       /* spawn gives descriptors that cannot be waited for */
    int kill_errno;       /* why kill() fails; 0: it does not */
    struct fake_signal {
        pid_t pid;
        int number;
    } sent[FAKE_SENT_MAX];
    size_t sent_count;
    int64_t last_timer_us; /* of the timer that was armed last */
    struct event *armed;   /* that timer; NULL once it was disarmed */
};

extern struct fake_system fake;
extern const struct process_system fake_process_system;

void fake_reset(void);

/* Lets a timer come to its end, the clock first moved by `us`. The loop is the caller's to turn. */
void fake_fire(struct event *timer, int64_t us);

/* A program as its defaults are, without logs. */
struct config_process fake_program(const char *name);

#endif
