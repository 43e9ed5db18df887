/* /RPC2: XML-RPC over HTTP. Everything that begins with /RPC2 is the endpoint, as in the original. */
#ifndef HTTP_RPC_ENDPOINT_H
#define HTTP_RPC_ENDPOINT_H

#include "http/server.h"
#include "rpc/registry.h"

/* The registry is borrowed and outlives the server. */
void rpc_endpoint_add(struct http_server *server, struct rpc_registry *registry);

#endif
