/* What the daemon may do: resource limits and the user it runs as (manual 1.4.4: minfds, minprocs, user). */
#ifndef SUPERVISORD_PRIVILEGES_H
#define SUPERVISORD_PRIVILEGES_H

#include "base/containers.h"
#include "base/error.h"
#include "config/model.h"

/* Raises RLIMIT_NOFILE and RLIMIT_NPROC to at least minfds and minprocs. -1 with *err when they cannot be had. */
int privileges_raise_limits(const struct config_daemon *daemon, struct error *err);

/*
 * Becomes the configured user: setgroups, setgid, setuid. Does nothing when none is configured or it is the present
 * one. -1 with *err when the user cannot be had.
 */
int privileges_drop(const struct config_daemon *daemon, struct error *err);

#endif
