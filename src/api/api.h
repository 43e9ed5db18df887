/* The supervisor.* namespace (manual 2.1): thin handlers over process/, config/ and output/. */
#ifndef API_API_H
#define API_API_H

#include "config/model.h"
#include "process/supervisor.h"
#include "rpc/registry.h"

/* What the handlers work on: the context of the methods (rpc_call_context()). */
struct api_context {
    struct supervisor *supervisor;
    struct config *config; /* the newest model; owned here, replaced by reloadConfig */
    /* Reads the configuration file again with the command line's overrides; NULL with *err. */
    struct config *(*load_config)(void *daemon, struct error *err);
    /*
     * Hands over to the installed program once that is possible, and then completes or fails the call, for whose
     * deferral it cares. -1 with *err when that is out of the question.
     */
    int (*upgrade)(void *daemon, struct rpc_call *call, struct error *err);
    void *daemon; /* handed to load_config and upgrade */
};

bool api_is_stopping(void *context); /* for rpc_registry_new() */
void api_add_methods(struct rpc_registry *registry, struct api_context *context);

#endif
