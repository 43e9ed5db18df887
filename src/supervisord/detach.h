/*
 * Becoming a daemon. The process that the user started stays until the daemon is up or has failed, so that the exit
 * status and the messages of a failed start reach the user, and a client that runs next finds the sockets there.
 */
#ifndef SUPERVISORD_DETACH_H
#define SUPERVISORD_DETACH_H

#include "base/error.h"
#include "config/model.h"

/*
 * Goes on in a child that leads a session of its own; the parent waits, and exits with what detach_finish() reports, or
 * with status 2 when the child ends without. -1 with *err when there can be no child.
 */
int detach_begin(struct error *err);

/* Changes directory and umask as configured. -1 with *err when the directory cannot be entered. */
int detach_move(const struct config_daemon *daemon, struct error *err);

/* The daemon is up: lets the parent go and turns stdin, stdout and stderr to /dev/null. */
void detach_finish(void);

#endif
