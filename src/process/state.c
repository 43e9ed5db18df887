#include "process/state.h"

#include <stddef.h>

static const struct {
    const char *name;
    int code;
} states[] = {
#define PROCESS_STATE_AS_ROW(state_name, state_code) [PROCESS_##state_name] = {#state_name, state_code},
    PROCESS_STATES(PROCESS_STATE_AS_ROW)
#undef PROCESS_STATE_AS_ROW
};

const char *process_state_name(enum process_state state)
{
    return states[state].name;
}

int process_state_code(enum process_state state)
{
    return states[state].code;
}

bool process_state_is_running(enum process_state state)
{
    return state == PROCESS_STARTING || state == PROCESS_RUNNING || state == PROCESS_BACKOFF;
}

bool process_state_is_alive(enum process_state state)
{
    return process_state_is_running(state) || state == PROCESS_STOPPING;
}

const char *supervisor_state_name(enum supervisor_state state)
{
    switch (state) {
#define SUPERVISOR_STATE_AS_CASE(state_name, state_code) \
    case SUPERVISOR_##state_name:                        \
        return #state_name;
        SUPERVISOR_STATES(SUPERVISOR_STATE_AS_CASE)
#undef SUPERVISOR_STATE_AS_CASE
    }
    return "UNKNOWN";
}
