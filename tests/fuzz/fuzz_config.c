/*
 * Bytes as a configuration file: the reader, the expansion, the parser of every kind of value, the making of groups,
 * and what release and comparison do with the result. Includes are left out: they would read real files.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/diff.h"
#include "config/loader.h"

#define RECORD_SIZE 1024
#define TEXT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each table with a record of its own, as the loader would do it. */
static void fuzz_table(struct loader *loader, const struct ini_section *section, const struct option_table *table)
{
    static const struct expand_variable variables[] = {{.name = "program_name", .text = "p"},
                                                       {.name = "group_name", .text = "g"}};
    static const struct expand_variable numbers[] = {{.name = "process_num", .number = -7},
                                                     {.name = "numprocs", .number = 12}};
    const struct loader_scope scope = {variables, 2, numbers, 2, NULL};
    _Alignas(max_align_t) char record[RECORD_SIZE] = {0};
    struct error err;

    (void)loader_fill(loader, section, table, &scope, record, &err);
    if (!options_equal(table, record, record))
        abort();
    options_release(table, record);
}

static void fuzz_section(struct loader *loader, const struct ini_section *section)
{
    const struct option_section *known = option_find_section(section->name);

    for (size_t i = 0; known != NULL && i < OPTION_SECTION_TABLES_MAX && known->tables[i] != NULL; i++)
        fuzz_table(loader, section, known->tables[i]);
    for (const struct ini_entry *entry = section->entries; entry != NULL; entry = entry->by_key.next) {
        struct error err;
        config_free_words(config_split_command(entry->text, &err));
    }
}

/* Thousands of processes are slow to make and show nothing new. */
static bool is_small(const struct loader *loader)
{
    if (loader->ini->fallback != NULL)
        return false;
    for (const struct ini_section *section = loader->ini->sections; section != NULL; section = section->by_name.next) {
        const struct ini_entry *entry = ini_find_entry(loader->ini, section, "numprocs");
        if (entry != NULL && strlen(entry->text) > 2)
            return false;
    }
    return true;
}

static void fuzz_groups(struct loader *loader)
{
    struct config_diff diff;
    struct error err;

    if (loader_make_groups(loader, &err) == 0) {
        config_diff_compute(&diff, loader->config->groups, loader->config->group_count, loader->config);
        if (diff.added_count + diff.changed_count + diff.removed_count > 0)
            abort();
        config_diff_release(&diff);
    }
    loader_make_remarks(loader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config_load_options options = {.want_remarks = true};
    struct loader loader = {.options = &options, .ini = ini_new(), .host_node_name = "host"};
    struct error err;

    if (size > TEXT_MAX)
        size = TEXT_MAX;
    loader.config = xcalloc(1, sizeof *loader.config);
    loader.config->references = 1;
    loader.config->path = xstrdup("/etc/x.conf");
    if (ini_read_text(loader.ini, "/etc/x.conf", (const char *)data, size, &err) == 0) {
        for (struct ini_section *section = loader.ini->sections; section != NULL; section = section->by_name.next)
            fuzz_section(&loader, section);
        if (is_small(&loader))
            fuzz_groups(&loader);
    }
    ini_free(loader.ini);
    option_context_release(&loader.values);
    config_unref(loader.config);
    return 0;
}
