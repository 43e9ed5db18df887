/* All groups and processes for the program that takes this one's place (base/handover.h). */
#ifndef PROCESS_HANDOVER_H
#define PROCESS_HANDOVER_H

#include "base/handover.h"
#include "process/supervisor.h"

/*
 * Groups, processes, their children, pipes, logs, timers and what waits to be started. A supervisor that takes has no
 * groups yet, and publishes nothing: for the listeners nothing has happened. `newest` is the model that was read last,
 * of which most groups are; on both sides the same.
 */
void supervisor_hand_over(struct supervisor *supervisor, const struct config *newest, struct handover *handover);

#endif
