/*
 * All pools of event listeners of one daemon: made and freed with their groups, and fed from the bus. Each event gets
 * one serial and one payload, whoever many pools take it. While a shutdown is under way, groups of listeners are left
 * alone until they have dealt with what they were sent (supervisor->is_occupied).
 */
#ifndef LISTENER_LISTENERS_H
#define LISTENER_LISTENERS_H

#include "process/supervisor.h"

struct listeners;

/* To be made before the first group is added: pools hear of it, of all that follows and of themselves. */
struct listeners *listeners_new(struct supervisor *supervisor);
void listeners_free(struct listeners *listeners); /* before the supervisor; NULL is fine */

/* Pools, events that wait and serials; after the groups. Who takes makes the pools of the groups that were taken. */
void listeners_hand_over(struct listeners *listeners, struct handover *handover);

#endif
