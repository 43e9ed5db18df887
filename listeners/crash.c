#include "listeners/crash.h"

#include <string.h>

#include "listeners/text.h"

static const char *field_of(const struct listener_event *event, const char *key)
{
    const char *value = listener_event_field(event, key);

    return value != NULL ? value : "?";
}

bool crash_read(struct crash *crash, const struct listener_event *event, enum crash_kind kind)
{
    static const char *const events[] = {
        [CRASH_EXITED] = "PROCESS_STATE_EXITED", [CRASH_FATAL] = "PROCESS_STATE_FATAL"};

    if (strcmp(event->name, events[kind]) != 0)
        return false;
    if (kind == CRASH_EXITED && strcmp(field_of(event, "expected"), "0") != 0)
        return false;
    crash->process = field_of(event, "processname");
    crash->group = field_of(event, "groupname");
    if (kind == CRASH_FATAL)
        crash->text = text_format("Process %s:%s could not be started; it is FATAL now", crash->group, crash->process);
    else
        crash->text = text_format("Process %s:%s exited unexpectedly (pid %s, was %s)", crash->group, crash->process,
                                  field_of(event, "pid"), field_of(event, "from_state"));
    return true;
}
