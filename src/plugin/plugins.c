#include "plugin/plugins.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "plugin/internal.h"
#include "rpc/codec.h"

struct plugins {
    struct plugin *plugins; /* owned; a list in the order of the sections */
    size_t count;
    struct plugin_host host;
};

/* --- sections ----------------------------------------------------------------------------------------------------- */

static int refuse_section(const struct config *config, const struct config_plugin *section, struct error *err)
{
    return error_prefix(err, "%s: [rpcinterface:%s] supervisor.rpcinterface_factory=%s", config->path, section->name,
                        section->factory);
}

static bool is_main(const struct config_plugin *section)
{
    return strcmp(section->name, PLUGIN_MAIN_NAMESPACE) == 0 && strcmp(section->factory, PLUGIN_MAIN_FACTORY) == 0;
}

bool plugins_have_main(const struct config *config)
{
    for (size_t i = 0; i < config->rpcinterface_count; i++)
        if (is_main(&config->rpcinterfaces[i]))
            return true;
    return false;
}

static int check_section(const struct config_plugin *section, struct error *err)
{
    if (is_main(section))
        return 0;
    if (strcmp(section->factory, PLUGIN_MAIN_FACTORY) == 0)
        return error_set(err, "its methods are in the namespace " PLUGIN_MAIN_NAMESPACE " and in no other");
    if (strcmp(section->name, PLUGIN_MAIN_NAMESPACE) == 0 || strcmp(section->name, "system") == 0)
        return error_set(err, "the namespace %s is the daemon's own", section->name);
    if (section->name[0] == '\0' || section->name[strcspn(section->name, ". \t")] != '\0')
        return error_set(err, "%s cannot be a namespace", section->name);
    return 0;
}

int plugins_check(const struct config *config, struct error *err)
{
    for (size_t i = 0; i < config->rpcinterface_count; i++)
        if (check_section(&config->rpcinterfaces[i], err) < 0)
            return refuse_section(config, &config->rpcinterfaces[i], err);
    return 0;
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

/* What the factories of the original's plugins are to us. */
static const struct {
    const char *factory;
    const char *name;
} known_factories[] = {
    {"supervisor_loader.rpcinterface:make_loader_rpcinterface", "loader"},
    {"supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface", "twiddler"},
    {"supervisor_cache.rpcinterface:make_cache_rpcinterface", "cache"},
};

/* The plugin that runs those in Python. */
static const char python_host[] = "python";

static const char *find_object(const char *factory)
{
    for (size_t i = 0; i < sizeof known_factories / sizeof known_factories[0]; i++)
        if (strcmp(factory, known_factories[i].factory) == 0)
            return known_factories[i].name;
    return strchr(factory, ':') != NULL && strchr(factory, '/') == NULL ? python_host : factory;
}

static int load(struct plugin *plugin, const struct config *config, struct error *err)
{
    return shared_object_load(&plugin->object, find_object(plugin->config->factory), config->daemon.plugin_path,
                              "supervisor_plugin", SUPERVISOR_PLUGIN_VERSION, err);
}

static const struct supervisor_plugin *functions_of(const struct plugin *plugin)
{
    return plugin->object.symbol;
}

struct plugins *plugins_load(const struct config *config, struct error *err)
{
    struct plugins *plugins = xcalloc(1, sizeof *plugins);

    plugins->plugins = xcalloc(config->rpcinterface_count + 1, sizeof *plugins->plugins);
    for (size_t i = 0; i < config->rpcinterface_count; i++) {
        if (is_main(&config->rpcinterfaces[i]))
            continue;
        struct plugin *plugin = &plugins->plugins[plugins->count++];
        plugin->config = &config->rpcinterfaces[i];
        if (load(plugin, config, err) < 0) {
            refuse_section(config, plugin->config, err);
            plugins_free(plugins);
            return NULL;
        }
    }
    return plugins;
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static void release(struct plugin *plugin)
{
    plugin_release_calls(plugin);
    plugin_release_methods(plugin);
    plugin_release_subscriptions(plugin);
    plugin_release_loop(plugin);
    plugin->context = NULL;
}

static int open_one(struct plugin *plugin, const struct plugin_host *host, struct error *err)
{
    error_set(err, "it does not say why it cannot begin");
    plugin->host = host;
    plugin->context = functions_of(plugin)->open(plugin, err);
    rpc_value_free(plugin->taken);
    plugin->taken = NULL;
    if (plugin->context == NULL) {
        release(plugin);
        return -1;
    }
    log_info("RPC interface '%s' initialized", plugin->config->name);
    return 0;
}

int plugins_open(struct plugins *plugins, const struct plugin_host *host, struct error *err)
{
    plugins->host = *host;
    for (size_t i = 0; i < plugins->count; i++)
        if (open_one(&plugins->plugins[i], &plugins->host, err) < 0)
            return refuse_section(host->api->config, plugins->plugins[i].config, err);
    return 0;
}

void plugins_open_after_upgrade(struct plugins *plugins, const struct plugin_host *host)
{
    struct error err;

    plugins->host = *host;
    for (size_t i = 0; i < plugins->count; i++) {
        if (plugins->plugins[i].taken == NULL)
            plugins->plugins[i].taken = rpc_nil();
        if (open_one(&plugins->plugins[i], &plugins->host, &err) < 0)
            log_critical("[rpcinterface:%s]: %s; going on without it", plugins->plugins[i].config->name, err.text);
    }
}

static void close_one(struct plugin *plugin)
{
    if (plugin->context != NULL) {
        functions_of(plugin)->close(plugin->context);
        release(plugin);
    }
    plugin_release_routes(plugin);
    rpc_value_free(plugin->taken);
    shared_object_unload(&plugin->object);
}

void plugins_free(struct plugins *plugins)
{
    if (plugins == NULL)
        return;
    while (plugins->count > 0)
        close_one(&plugins->plugins[--plugins->count]);
    free(plugins->plugins);
    free(plugins);
}

/* --- an upgrade --------------------------------------------------------------------------------------------------- */

/* As the answer to a call would be, which keeps every type. */
static void give_state(struct plugin *plugin, struct handover *handover)
{
    const struct supervisor_plugin *functions = functions_of(plugin);
    struct rpc_value *state =
        plugin->context != NULL && functions->hand_over != NULL ? functions->hand_over(plugin->context) : NULL;
    CLEANUP_FREE char *name = xstrdup(plugin->config->name);
    UT_string text;

    handover_text(handover, "namespace", &name);
    if (state == NULL)
        return;
    utstring_init(&text);
    rpc_encode_result(&text, state);
    char *body = utstring_body(&text);
    handover_text(handover, "state", &body);
    utstring_done(&text);
    rpc_value_free(state);
}

static void take_state(struct plugins *plugins, struct handover *handover)
{
    CLEANUP_FREE char *name = NULL;
    CLEANUP_FREE char *text = NULL;
    struct error err;

    handover_text(handover, "namespace", &name);
    handover_text(handover, "state", &text);
    for (size_t i = 0; name != NULL && text != NULL && i < plugins->count; i++)
        if (strcmp(plugins->plugins[i].config->name, name) == 0 && plugins->plugins[i].taken == NULL)
            (void)rpc_decode_answer(text, strlen(text), &plugins->plugins[i].taken, &err);
}

void plugins_hand_over(struct plugins *plugins, struct handover *handover)
{
    const size_t count = handover_open_list(handover, "plugins", plugins->count);

    for (size_t i = 0; i < count; i++) {
        handover_open_next(handover);
        if (handover_is_taking(handover))
            take_state(plugins, handover);
        else
            give_state(&plugins->plugins[i], handover);
        handover_close(handover);
    }
    handover_close(handover);
}
