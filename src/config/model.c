#include "config/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/options.h"
#include "config/value.h"

const char *config_stream_name(enum config_stream stream)
{
    return stream == CONFIG_STDOUT ? "stdout" : "stderr";
}

struct config_process *config_process_new(void)
{
    struct config_process *process = xcalloc(1, sizeof *process);

    process->references = 1;
    return process;
}

void config_process_unref(struct config_process *process)
{
    if (--process->references > 0)
        return;
    options_release(&options_process, process);
    free(process->program);
    free(process);
}

static void free_socket(struct config_fcgi_socket *socket)
{
    if (socket == NULL)
        return;
    options_release(&options_fcgi, socket);
    free(socket->path);
    free(socket->host);
    free(socket);
}

struct config_group *config_group_ref(struct config_group *group)
{
    group->references++;
    return group;
}

void config_group_unref(struct config_group *group)
{
    if (group == NULL || --group->references > 0)
        return;
    for (size_t i = 0; i < group->process_count; i++)
        config_process_unref(group->processes[i]);
    free(group->processes);
    free_socket(group->socket);
    options_release(&options_listener, group);
    free(group->name);
    free(group);
}

static void share_process(struct config_group *group, struct config_process *process)
{
    process->references++;
    group->processes[group->process_count++] = process;
}

struct config_group *config_group_combine(const struct config_group *kept,
                                          bool (*stays)(const void *context, const struct config_process *process),
                                          const void *context, const struct config_group *more)
{
    struct config_group *group = xcalloc(1, sizeof *group);

    group->references = 1;
    group->kind = kept->kind;
    group->name = xstrdup(kept->name);
    group->priority = kept->priority;
    group->is_dynamic = kept->is_dynamic;
    group->processes = xcalloc(kept->process_count + more->process_count + 1, sizeof(struct config_process *));
    for (size_t i = 0; i < kept->process_count; i++)
        if (stays(context, kept->processes[i]))
            share_process(group, kept->processes[i]);
    for (size_t i = 0; i < more->process_count; i++)
        share_process(group, more->processes[i]);
    return group;
}

static void free_plugins(struct config_plugin *plugins, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(plugins[i].name);
        free(plugins[i].factory);
        value_release_environment(&plugins[i].options);
    }
    free(plugins);
}

static void release_server(struct config_server *server)
{
    options_release(server->kind == CONFIG_SERVER_UNIX ? &options_unix_server : &options_inet_server, server);
}

struct config *config_ref(struct config *config)
{
    config->references++;
    return config;
}

void config_unref(struct config *config)
{
    if (config == NULL || --config->references > 0)
        return;
    options_release(&options_daemon, &config->daemon);
    options_release(&options_ctl, &config->ctl);
    for (size_t i = 0; i < config->server_count; i++)
        release_server(&config->servers[i]);
    for (size_t i = 0; i < config->group_count; i++)
        config_group_unref(config->groups[i]);
    free_plugins(config->rpcinterfaces, config->rpcinterface_count);
    free_plugins(config->ctlplugins, config->ctlplugin_count);
    value_free_list(config->included_files, config->included_file_count);
    value_free_list(config->warnings, config->warning_count);
    for (size_t i = 0; i < config->remark_count; i++)
        free(config->remarks[i].text);
    free(config->servers);
    free(config->groups);
    free(config->remarks);
    free(config->path);
    free(config->here);
    free(config);
}

struct config_group *config_find_group(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->group_count; i++)
        if (strcmp(config->groups[i]->name, name) == 0)
            return config->groups[i];
    return NULL;
}
