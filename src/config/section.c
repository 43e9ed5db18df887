/* From one section of the file to one record of the model, row by row. */
#include <stdlib.h>
#include <string.h>

#include "config/loader.h"

/* The directory of a file that is named from the root. */
static char *directory_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash == NULL || slash == file ? xstrdup("/") : xstrndup(file, (size_t)(slash - file));
}

static void add_variables(struct expand_variable *variables, size_t *count, const struct expand_variable *more,
                          size_t more_count)
{
    for (size_t i = 0; i < more_count && *count < LOADER_VARIABLES_MAX; i++)
        variables[(*count)++] = more[i];
}

/* Expands a text that stands in `file`. */
static char *expand(const struct loader *loader, const char *file, const char *text, enum option_scope kind,
                    const struct loader_scope *scope, struct error *err)
{
    if (strchr(text, '%') == NULL)
        return xstrdup(text);
    CLEANUP_FREE char *here = directory_of(file);
    struct expand_variable variables[LOADER_VARIABLES_MAX] = {
        {.name = "here", .text = here}, {.name = "host_node_name", .text = loader->host_node_name}};
    struct expand_scope all = {.variables = variables, .variable_count = 2};
    add_variables(variables, &all.variable_count, scope->section, scope->section_count);
    if (kind == OPTION_SCOPE_PROCESS) {
        add_variables(variables, &all.variable_count, scope->process, scope->process_count);
        all.environments[0] = scope->environment;
    }
    all.environments[1] = &loader->config->daemon.environment;
    return expand_text(text, &all, err);
}

bool loader_has(const struct loader *loader, const struct ini_section *section, const char *key)
{
    return ini_find_entry(loader->ini, section, key) != NULL;
}

int loader_locate(const struct loader *loader, const struct ini_section *section, const char *key, struct error *err)
{
    const struct ini_entry *entry = key != NULL ? ini_find_entry(loader->ini, section, key) : NULL;

    if (section->line == 0) /* of no file */
        return entry != NULL ? error_prefix(err, "%s=%s", entry->key, entry->text) : -1;
    if (entry != NULL)
        return error_prefix(err, "%s:%d: [%s] %s=%s", entry->file, entry->line, section->name, key, entry->text);
    return error_prefix(err, "%s:%d: [%s]", section->file, section->line, section->name);
}

char *loader_expand_entry(const struct loader *loader, const struct ini_section *section, const struct ini_entry *entry,
                          const struct loader_scope *scope, struct error *err)
{
    char *text = expand(loader, entry->file, entry->text, OPTION_SCOPE_PROCESS, scope, err);

    if (text == NULL)
        loader_locate(loader, section, entry->key, err);
    return text;
}

static const struct config_override *find_override(const struct loader *loader, const struct ini_section *section,
                                                   const char *key)
{
    const struct config_load_options *options = loader->options;

    for (size_t i = 0; i < options->override_count; i++)
        if (strcmp(options->overrides[i].section, section->name) == 0 && strcmp(options->overrides[i].key, key) == 0)
            return &options->overrides[i];
    return NULL;
}

/* Values of the command line stand for themselves: a % in them means nothing. */
static int fill_from_override(struct loader *loader, const struct config_override *override,
                              const struct option *option, void *record, struct error *err)
{
    if (option_parse(option, record, override->value, &loader->values, err) < 0)
        return error_prefix(err, "invalid value for %s '%s'", override->origin, override->value);
    return 0;
}

static int parse_expanded(struct loader *loader, const char *file, const char *text, const struct option *option,
                          const struct loader_scope *scope, void *record, struct error *err)
{
    CLEANUP_FREE char *value = expand(loader, file, text, option->scope, scope, err);

    return value == NULL ? -1 : option_parse(option, record, value, &loader->values, err);
}

int loader_fill_option(struct loader *loader, const struct ini_section *section, const struct option *option,
                       const struct loader_scope *scope, void *record, struct error *err)
{
    const struct config_override *override = find_override(loader, section, option->name);
    const struct ini_entry *entry = ini_find_entry(loader->ini, section, option->name);
    int result = 0;

    if (override != NULL)
        return fill_from_override(loader, override, option, record, err);
    if (entry != NULL)
        result = parse_expanded(loader, entry->file, entry->text, option, scope, record, err);
    else if (option->preset != NULL)
        result = parse_expanded(loader, section->file, option->preset, option, scope, record, err);
    else if (option->is_required)
        result = error_set(err, "does not specify its %s", option->name);
    return result < 0 ? loader_locate(loader, section, option->name, err) : 0;
}

int loader_fill(struct loader *loader, const struct ini_section *section, const struct option_table *table,
                const struct loader_scope *scope, void *record, struct error *err)
{
    options_unset(table, record);
    for (size_t i = 0; i < table->count; i++)
        if (loader_fill_option(loader, section, &table->options[i], scope, record, err) < 0)
            return -1;
    return 0;
}
