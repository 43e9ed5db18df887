/* What the original would silently ignore, for `supervisord --check`. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/loader.h"

/* The best of the names that were offered. */
struct guess {
    const char *given;
    const char *best;
    size_t distance;
};

static void guess_offer(struct guess *guess, const char *name)
{
    const size_t distance = text_distance(guess->given, name);

    /* a third of the letters may differ, and two always */
    if (distance < guess->distance && (distance <= 2 || distance * 3 <= strlen(name))) {
        guess->best = name;
        guess->distance = distance;
    }
}

/* Takes over `text`. */
static void add_remark(struct config *config, char *text)
{
    config->remarks = xreallocarray(config->remarks, config->remark_count + 1, sizeof *config->remarks);
    config->remarks[config->remark_count++].text = text;
}

static void remark_unknown_key(struct config *config, const struct option_section *known,
                               const struct ini_section *section, const struct ini_entry *entry)
{
    struct guess guess = {.given = entry->key, .distance = (size_t)-1};

    for (size_t i = 0; i < OPTION_SECTION_TABLES_MAX && known->tables[i] != NULL; i++)
        for (size_t k = 0; k < known->tables[i]->count; k++)
            guess_offer(&guess, known->tables[i]->options[k].name);
    CLEANUP_FREE char *hint = guess.best != NULL ? xasprintf(" (did you mean \"%s\"?)", guess.best) : xstrdup("");
    add_remark(config, xasprintf("%s:%d: [%s] unknown key \"%s\"%s", entry->file, entry->line, section->name,
                                 entry->key, hint));
}

static void remark_keys(struct config *config, const struct option_section *known, const struct ini_section *section)
{
    for (const struct ini_entry *entry = section->entries; entry != NULL; entry = entry->by_key.next)
        if (option_find(known, entry->key) == NULL)
            remark_unknown_key(config, known, section, entry);
}

static const struct option_section *find_section_by_name(const char *name)
{
    for (size_t i = 0; i < option_section_count; i++)
        if (name != NULL && strcmp(option_sections[i].name, name) == 0)
            return &option_sections[i];
    return NULL;
}

static void remark_unknown_section(struct config *config, const struct ini_section *section)
{
    CLEANUP_FREE char *word = xstrndup(section->name, strcspn(section->name, ":"));
    struct guess guess = {.given = word, .distance = (size_t)-1};

    for (size_t i = 0; i < option_section_count; i++)
        guess_offer(&guess, option_sections[i].name);
    const struct option_section *best = find_section_by_name(guess.best);
    CLEANUP_FREE char *hint = best != NULL ? xasprintf(" (did you mean \"%s%s\"?)", best->name,
                                                       best->header == OPTION_HEADER_COMPOSITE ? ":x" : "")
                                           : xstrdup("");
    add_remark(config, xasprintf("%s:%d: unknown section [%s]%s", section->file, section->line, section->name, hint));
}

/* A file for stderr that stderr never reaches. */
static void remark_redirected_log(const struct loader *loader, const struct ini_section *section)
{
    const struct ini_entry *entry = ini_find_entry(loader->ini, section, "stderr_logfile");
    const struct ini_entry *redirect = ini_find_entry(loader->ini, section, "redirect_stderr");

    if (entry == NULL || redirect == NULL || strcasecmp(redirect->text, "true") != 0 ||
        strcasecmp(entry->text, "auto") == 0 || strcasecmp(entry->text, "none") == 0)
        return;
    add_remark(loader->config, xasprintf("%s:%d: [%s] stderr_logfile has no effect, as redirect_stderr is true",
                                         entry->file, entry->line, section->name));
}

void loader_make_remarks(struct loader *loader)
{
    for (struct ini_section *section = loader->ini->sections; section != NULL; section = section->by_name.next) {
        const struct option_section *known = option_find_section(section->name);
        if (known == NULL) {
            remark_unknown_section(loader->config, section);
            continue;
        }
        if (!known->takes_any_key)
            remark_keys(loader->config, known, section);
        remark_redirected_log(loader, section);
    }
}
