/*
 * The web pages, at the original's URLs: the processes and what can be done with them, their logs, and a stream of
 * server-sent events that keeps open pages up to date. Assets are built in (the folder web/).
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "http/server.h"
#include "process/supervisor.h"
#include "rpc/registry.h"

struct web;

/* Adds the routes. All three are borrowed and outlive what this makes. */
struct web *web_new(struct http_server *server, struct supervisor *supervisor, struct rpc_registry *registry);
void web_free(struct web *web); /* after the server, before the registry and the supervisor; NULL is fine */

#endif
