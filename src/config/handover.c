#include "config/handover.h"

#include <stdlib.h>

#include "base/memory.h"
#include "config/options.h"
#include "config/value.h"

/* Hands over how many records there are; while taking, makes an array of so many, zeroed. */
static void *open_records(struct handover *handover, const char *name, void *records, size_t *count, size_t size)
{
    const size_t taken = handover_open_list(handover, name, *count);

    if (!handover_is_taking(handover))
        return records;
    free(records);
    *count = taken;
    return xcalloc(taken + 1, size);
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static void hand_over_process(struct handover *handover, struct config_process *process)
{
    handover_text(handover, "program", &process->program);
    process->is_dynamic = handover_flag(handover, "is_dynamic", process->is_dynamic);
    options_hand_over(&options_process, handover, process);
}

static void hand_over_processes(struct handover *handover, struct config_group *group)
{
    group->processes =
        open_records(handover, "processes", group->processes, &group->process_count, sizeof(struct config_process *));
    for (size_t i = 0; i < group->process_count; i++) {
        handover_open_next(handover);
        if (handover_is_taking(handover))
            group->processes[i] = config_process_new();
        hand_over_process(handover, group->processes[i]);
        handover_close(handover);
    }
    handover_close(handover);
}

static void hand_over_socket(struct handover *handover, struct config_group *group)
{
    (void)handover_open(handover, "socket");
    if (group->socket == NULL)
        group->socket = xcalloc(1, sizeof *group->socket);
    options_hand_over(&options_fcgi, handover, group->socket);
    handover_text(handover, "path", &group->socket->path);
    handover_text(handover, "host", &group->socket->host);
    group->socket->port = (int)handover_integer(handover, "port", group->socket->port);
    handover_close(handover);
}

static void hand_over_group(struct handover *handover, struct config_group *group)
{
    group->kind = (enum config_group_kind)handover_integer(handover, "kind", group->kind);
    handover_text(handover, "name", &group->name);
    group->priority = (int)handover_integer(handover, "priority", group->priority);
    group->is_dynamic = handover_flag(handover, "is_dynamic", group->is_dynamic);
    hand_over_processes(handover, group);
    if (group->kind == CONFIG_GROUP_FCGI)
        hand_over_socket(handover, group);
    if (group->kind == CONFIG_GROUP_LISTENER)
        options_hand_over(&options_listener, handover, group);
}

static struct config_group *new_group(void)
{
    struct config_group *group = xcalloc(1, sizeof *group);

    group->references = 1;
    return group;
}

void config_group_hand_over(struct handover *handover, const char *name, struct config_group **group)
{
    (void)handover_open(handover, name);
    if (handover_is_taking(handover))
        *group = new_group();
    hand_over_group(handover, *group);
    handover_close(handover);
}

static void hand_over_groups(struct handover *handover, struct config *config)
{
    config->groups = open_records(handover, "groups", config->groups, &config->group_count, sizeof(void *));
    for (size_t i = 0; i < config->group_count; i++) {
        handover_open_next(handover);
        if (handover_is_taking(handover))
            config->groups[i] = new_group();
        hand_over_group(handover, config->groups[i]);
        handover_close(handover);
    }
    handover_close(handover);
}

/* --- the model ---------------------------------------------------------------------------------------------------- */

static void hand_over_server(struct handover *handover, struct config_server *server)
{
    server->kind = (enum config_server_kind)handover_integer(handover, "kind", server->kind);
    options_hand_over(server->kind == CONFIG_SERVER_UNIX ? &options_unix_server : &options_inet_server, handover,
                      server);
}

static void hand_over_servers(struct handover *handover, struct config *config)
{
    config->servers =
        open_records(handover, "servers", config->servers, &config->server_count, sizeof *config->servers);
    for (size_t i = 0; i < config->server_count; i++) {
        handover_open_next(handover);
        hand_over_server(handover, &config->servers[i]);
        handover_close(handover);
    }
    handover_close(handover);
}

static void hand_over_rpcinterfaces(struct handover *handover, struct config *config)
{
    config->rpcinterfaces = open_records(handover, "rpcinterfaces", config->rpcinterfaces, &config->rpcinterface_count,
                                         sizeof *config->rpcinterfaces);
    for (size_t i = 0; i < config->rpcinterface_count; i++) {
        struct config_plugin *plugin = &config->rpcinterfaces[i];
        handover_open_next(handover);
        handover_text(handover, "name", &plugin->name);
        handover_text(handover, "factory", &plugin->factory);
        value_hand_over_environment(handover, "options", &plugin->options);
        handover_close(handover);
    }
    handover_close(handover);
}

void config_hand_over(struct handover *handover, const char *name, struct config **config)
{
    (void)handover_open(handover, name);
    if (handover_is_taking(handover)) {
        *config = xcalloc(1, sizeof **config);
        (*config)->references = 1;
    }
    handover_text(handover, "path", &(*config)->path);
    handover_text(handover, "here", &(*config)->here);
    (void)handover_open(handover, "supervisord");
    options_hand_over(&options_daemon, handover, &(*config)->daemon);
    handover_close(handover);
    hand_over_servers(handover, *config);
    hand_over_rpcinterfaces(handover, *config);
    hand_over_groups(handover, *config);
    handover_close(handover);
}
