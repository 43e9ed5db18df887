/* The actions that plugins add (include/supervisor/ctl_plugin.h). */
#ifndef SUPERVISORCTL_PLUGINS_H
#define SUPERVISORCTL_PLUGINS_H

#include "config/model.h"
#include "supervisorctl/ctl.h"

struct ctl_plugins;

/*
 * Loads what the [ctlplugin:x] sections name. NULL with *err, which names the section. `config` is borrowed and
 * outlives the plugins.
 */
struct ctl_plugins *ctl_plugins_load(const struct config *config, struct ctl *ctl, struct error *err);
void ctl_plugins_free(struct ctl_plugins *plugins); /* NULL is fine */

/* Runs an action with arguments that are split already. False when no plugin has it; plugins may be NULL. */
bool ctl_plugins_run(struct ctl_plugins *plugins, const char *action, char *const *words, size_t count);

/* The same with a line, which is split as a shell does; one that cannot be is told to the user. */
bool ctl_plugins_run_line(struct ctl_plugins *plugins, const char *action, const char *line);

/* The help of an action; NULL: no plugin has it. */
const char *ctl_plugins_help(const struct ctl_plugins *plugins, const char *action);

size_t ctl_plugins_count(const struct ctl_plugins *plugins); /* 0 for NULL */

/* Adds the names of a plugin's actions; gives the x of its section. */
const char *ctl_plugins_list(const struct ctl_plugins *plugins, size_t index, struct words *names);

#endif
