#include "config/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "config/options.h"

static bool processes_equal(const struct config_process *a, const struct config_process *b)
{
    return strcmp(a->program, b->program) == 0 && options_equal(&options_process, a, b);
}

/* The place of the first process from `place` on that a file has, or the number of processes. */
static size_t skip_dynamic(const struct config_group *group, size_t place)
{
    while (place < group->process_count && group->processes[place]->is_dynamic)
        place++;
    return place;
}

static bool all_processes_equal(const struct config_group *a, const struct config_group *b)
{
    size_t i = skip_dynamic(a, 0);
    size_t j = skip_dynamic(b, 0);

    while (i < a->process_count && j < b->process_count && processes_equal(a->processes[i], b->processes[j])) {
        i = skip_dynamic(a, i + 1);
        j = skip_dynamic(b, j + 1);
    }
    return i == a->process_count && j == b->process_count;
}

/* True when a running group of configuration `a` need not be touched to become `b`. */
static bool groups_equal(const struct config_group *a, const struct config_group *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || a->priority != b->priority)
        return false;
    if (a->kind == CONFIG_GROUP_FCGI && !options_equal(&options_fcgi, a->socket, b->socket))
        return false;
    if (a->kind == CONFIG_GROUP_LISTENER && !options_equal(&options_listener, a, b))
        return false;
    return all_processes_equal(a, b);
}

/* The running groups by name; an entry leaves the table when the new model has its group too. */
struct entry {
    UT_hash_handle by_name;
    const struct config_group *group;
};

static struct entry *index_groups(struct config_group *const *groups, size_t count, struct entry *entries)
{
    struct entry *table = NULL;

    for (size_t i = 0; i < count; i++) {
        entries[i].group = groups[i];
        HASH_ADD_KEYPTR(by_name, table, groups[i]->name, strlen(groups[i]->name), &entries[i]);
    }
    return table;
}

/* Sorts a group of the new model into the diff. */
static void compare_group(struct config_diff *diff, struct entry **running, const struct config_group *fresh)
{
    struct entry *entry;

    HASH_FIND(by_name, *running, fresh->name, strlen(fresh->name), entry);
    if (entry == NULL) {
        diff->added[diff->added_count++] = fresh->name;
        return;
    }
    if (!groups_equal(entry->group, fresh))
        diff->changed[diff->changed_count++] = fresh->name;
    HASH_DELETE(by_name, *running, entry);
}

void config_diff_compute(struct config_diff *diff, struct config_group *const *running, size_t running_count,
                         const struct config *fresh)
{
    CLEANUP_FREE struct entry *entries = xcalloc(running_count + 1, sizeof *entries);
    struct entry *table = index_groups(running, running_count, entries);
    struct entry *entry;
    struct entry *next;

    *diff = (struct config_diff){
        .added = xcalloc(fresh->group_count + 1, sizeof *diff->added),
        .changed = xcalloc(fresh->group_count + 1, sizeof *diff->changed),
        .removed = xcalloc(running_count + 1, sizeof *diff->removed),
    };
    for (size_t i = 0; i < fresh->group_count; i++)
        compare_group(diff, &table, fresh->groups[i]);
    HASH_ITER (by_name, table, entry, next) {
        diff->removed[diff->removed_count++] = entry->group->name;
        HASH_DELETE(by_name, table, entry);
    }
}

void config_diff_release(struct config_diff *diff)
{
    free(diff->added);
    free(diff->changed);
    free(diff->removed);
    *diff = (struct config_diff){0};
}
