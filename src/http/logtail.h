/* /logtail/NAME[/stdout|/stderr] and /mainlogtail: logs as endless streams. */
#ifndef HTTP_LOGTAIL_H
#define HTTP_LOGTAIL_H

#include "http/server.h"
#include "process/supervisor.h"

/* The supervisor is borrowed and outlives the server. */
void logtail_add(struct http_server *server, struct supervisor *supervisor);

#endif
