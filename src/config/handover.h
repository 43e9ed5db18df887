/* Models for the program that takes this one's place (base/handover.h): as they are, whatever the file says by now. */
#ifndef CONFIG_HANDOVER_H
#define CONFIG_HANDOVER_H

#include "base/handover.h"
#include "config/model.h"

/*
 * What the daemon needs of a model: settings, servers, interfaces and groups, not [supervisorctl] nor remarks. One that
 * is taken has one reference, the caller's.
 */
void config_hand_over(struct handover *handover, const char *name, struct config **config);

/* A group. One that is taken has one reference, the caller's. */
void config_group_hand_over(struct handover *handover, const char *name, struct config_group **group);

#endif
