/* Events that tell of a process that has come to a bad end. */
#ifndef LISTENERS_CRASH_H
#define LISTENERS_CRASH_H

#include <stdbool.h>
#include <supervisor/listener.h>

enum crash_kind {
    CRASH_EXITED, /* unexpectedly */
    CRASH_FATAL,  /* could not be started however often it was tried */
};

struct crash {
    const char *process; /* part of the event */
    const char *group;
    char *text; /* to free: "Process g:p exited unexpectedly (pid 7, was RUNNING)" */
};

/* False when the event is nothing of that kind; *crash is not filled then. */
bool crash_read(struct crash *crash, const struct listener_event *event, enum crash_kind kind);

#endif
