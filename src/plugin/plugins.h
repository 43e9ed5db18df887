/*
 * The plugins of one daemon: loaded from the configuration, opened once everything is there, closed with it. What they
 * can do is in include/supervisor/plugin.h.
 */
#ifndef PLUGIN_PLUGINS_H
#define PLUGIN_PLUGINS_H

#include "api/api.h"
#include "base/handover.h"
#include "config/load.h"
#include "http/server.h"

#define PLUGIN_MAIN_NAMESPACE "supervisor"
#define PLUGIN_MAIN_FACTORY "supervisor.rpcinterface:make_main_rpcinterface"

/* Whether a section asks for our own methods. */
bool plugins_have_main(const struct config *config);

/* What plugins work on. Borrowed, and there as long as they are. */
struct plugin_host {
    struct supervisor *supervisor;
    struct rpc_registry *registry;
    struct http_server *server;
    const struct api_context *api;
    /* Reads the configuration file again, with one more override; NULL with *err. For api->daemon. */
    struct config *(*load_config)(void *daemon, const struct config_override *override, struct error *err);
};

struct plugins;

/*
 * Refuses sections that cannot be: a namespace that is ours or comes twice, our own factory elsewhere. Touches no
 * file. -1 with *err, which names the section.
 */
int plugins_check(const struct config *config, struct error *err);

/*
 * Loads the shared objects of all sections but that of our own methods. Nothing of them has run yet. NULL with *err,
 * which names the section. `config` is borrowed and outlives the plugins.
 */
struct plugins *plugins_load(const struct config *config, struct error *err);

/* Opens them in the order of their sections. -1 with *err, which names the section: the ones before stay open. */
int plugins_open(struct plugins *plugins, const struct plugin_host *host, struct error *err);

/* The same after an upgrade, when there is no way back: those that fail are logged and left out. */
void plugins_open_after_upgrade(struct plugins *plugins, const struct plugin_host *host);

/* What they want to find again after an upgrade. To take is done before they are opened. */
void plugins_hand_over(struct plugins *plugins, struct handover *handover);

/* Closes and unloads them, the last one first. All requests are over. NULL is fine. */
void plugins_free(struct plugins *plugins);

#endif
