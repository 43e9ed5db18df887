/* What the files of plugin/ share. */
#ifndef PLUGIN_INTERNAL_H
#define PLUGIN_INTERNAL_H

#include <supervisor/plugin.h>

#include "base/containers.h"
#include "base/shared_object.h"
#include "plugin/plugins.h"

/* What a plugin has made, in lists, so that it can be taken away from it. */
struct plugin {
    const struct config_plugin *config; /* borrowed */
    const struct plugin_host *host;     /* borrowed; NULL: it is not open */
    struct shared_object object;
    void *context;                 /* what open() returned; NULL: it is not open */
    struct rpc_value *taken;       /* owned; what the program before has handed over; NULL: nothing */
    struct plugin_method *methods; /* owned */
    struct plugin_pending *pending;
    struct plugin_subscription *subscriptions;
    struct plugin_timer *timers;
    struct plugin_watch *watches;
    struct plugin_route *routes; /* owned; there as long as the server */
};

/* Each takes away what its file has made for the plugin. */
void plugin_release_methods(struct plugin *plugin);
void plugin_release_calls(struct plugin *plugin);
void plugin_release_subscriptions(struct plugin *plugin);
void plugin_release_loop(struct plugin *plugin);
void plugin_release_routes(struct plugin *plugin);

/* -1 with *err, SHUTDOWN_STATE, unless the daemon runs. */
int plugin_check_running(const struct plugin *plugin, struct error *err);

/* Makes *err the whole fault string, "BAD_NAME: detail", and gives -1. */
int plugin_refuse(struct error *err);

#endif
