/* What changed between two models: what reloadConfig reports and `update` applies (manual 2.1.2). */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include "config/model.h"

struct config_diff {
    const char **added; /* names, borrowed from the models */
    const char **changed;
    const char **removed;
    size_t added_count, changed_count, removed_count;
};

/* Compares the running groups (any order) with a new model's. Linear. Free with config_diff_release(). */
void config_diff_compute(struct config_diff *diff, struct config_group *const *running, size_t running_count,
                         const struct config *fresh);
void config_diff_release(struct config_diff *diff);

#endif
