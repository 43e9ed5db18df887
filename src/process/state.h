/* The states of a process and of the whole daemon. Public: plugins use it too. */
#ifndef PROCESS_STATE_H
#define PROCESS_STATE_H

#include <supervisor/state.h>

#endif
