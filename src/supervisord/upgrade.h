/*
 * Becoming another program without stopping anything: the daemon writes down what it knows (base/handover.h) and
 * executes the installed program in its own place, with its pid, its children and all descriptors that matter.
 *
 * Before that a trial: a child of the daemon executes the same program, which takes everything just as if, says whether
 * it could, and ends. So a program that is missing, broken or too old is found out while the daemon can still go on.
 */
#ifndef SUPERVISORD_UPGRADE_H
#define SUPERVISORD_UPGRADE_H

#include <stdbool.h>

#include "base/handover.h"

/*
 * Notes what the program was started with, and where it is: for main(), before a directory is changed. Borrows the
 * arguments. Returns what another program has handed over, or NULL for an ordinary start; NULL with *is_refused and
 * *err when something was handed over that makes no sense.
 */
struct handover *upgrade_prepare(char **arguments, bool *is_refused, struct error *err);

/* The path of the program that an upgrade executes. Borrowed. */
const char *upgrade_program(void);

/* Whether this program is on trial. It must not write or log anything, nor run its loop. */
bool upgrade_is_trial(void);

/* The end of a trial: tells who started it that all was taken, or why not (*err; NULL: it was). */
void upgrade_end_trial(const struct error *err) __attribute__((noreturn));

/* Tries the installed program on what would be handed over. -1 with *err when it could not take it. */
int upgrade_try(const struct handover *handover, struct error *err);

/* Becomes the installed program. Comes back only to say, with *err, why not. */
void upgrade_execute(const struct handover *handover, struct error *err);

#endif
