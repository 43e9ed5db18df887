/* What a plugin is told of its section and of the daemon. */
#include <string.h>

#include "base/version.h"
#include "plugin/internal.h"

const char *plugin_namespace(const struct plugin *plugin)
{
    return plugin->config->name;
}

const char *plugin_factory(const struct plugin *plugin)
{
    return plugin->config->factory;
}

const char *plugin_option(const struct plugin *plugin, const char *key)
{
    const struct config_environment *options = &plugin->config->options;

    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->variables[i].name, key) == 0)
            return options->variables[i].value;
    return NULL;
}

size_t plugin_option_count(const struct plugin *plugin)
{
    return plugin->config->options.count;
}

const char *plugin_option_key(const struct plugin *plugin, size_t index)
{
    return plugin->config->options.variables[index].name;
}

const char *plugin_option_value(const struct plugin *plugin, size_t index)
{
    return plugin->config->options.variables[index].value;
}

static bool is_known(const char *key, const char *const *known)
{
    while (*known != NULL && strcmp(key, *known) != 0)
        known++;
    return *known != NULL;
}

int plugin_check_options(const struct plugin *plugin, const char *const *known, struct error *err)
{
    for (size_t i = 0; i < plugin_option_count(plugin); i++)
        if (!is_known(plugin_option_key(plugin, i), known))
            return error_set(err, "there is no option %s", plugin_option_key(plugin, i));
    return 0;
}

const struct rpc_value *plugin_handed_over(const struct plugin *plugin)
{
    return plugin->taken;
}

const char *plugin_identifier(const struct plugin *plugin)
{
    return plugin->host->supervisor->identifier;
}

const char *plugin_server_url(const struct plugin *plugin)
{
    return plugin->host->supervisor->server_url;
}

const char *plugin_version(const struct plugin *plugin)
{
    (void)plugin;
    return SUPERVISOR_VERSION;
}

enum supervisor_state plugin_daemon_state(const struct plugin *plugin)
{
    return plugin->host->supervisor->state;
}
