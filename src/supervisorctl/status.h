/* How processes are shown: the lines of `status`, and JSON. Pure. */
#ifndef SUPERVISORCTL_STATUS_H
#define SUPERVISORCTL_STATUS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "rpc/value.h"

/* Writes a line for each of the processes (structs of getAllProcessInfo), in columns wide enough for all of them. */
void status_print(FILE *out, const struct rpc_value *const *processes, size_t count);

/* The same value as JSON; a reference that the caller owns. */
json_t *status_as_json(const struct rpc_value *value);

#endif
