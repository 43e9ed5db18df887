#include "supervisorctl/names.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "supervisorctl/ctl.h"

void words_append(struct words *words, const char *word)
{
    words->items = xreallocarray(words->items, words->count + 1, sizeof *words->items);
    words->items[words->count++] = xstrdup(word);
}

void words_split(struct words *words, const char *line)
{
    *words = (struct words){NULL, 0};
    for (line += strspn(line, NAMES_BLANKS); *line != '\0'; line += strspn(line, NAMES_BLANKS)) {
        const size_t length = strcspn(line, NAMES_BLANKS);
        CLEANUP_FREE char *word = xstrndup(line, length);

        words_append(words, word);
        line += length;
    }
}

void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){NULL, 0};
}

void names_copy(struct words *names, const struct words *words, size_t first)
{
    *names = (struct words){NULL, 0};
    for (size_t i = first; i < words->count; i++)
        words_append(names, words->items[i]);
}

bool words_have(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i], word) == 0)
            return true;
    }
    return false;
}

void process_name_parse(struct process_name *name, const char *text)
{
    const char *colon = strchr(text, ':');

    if (colon == NULL) {
        *name = (struct process_name){xstrdup(text), xstrdup(text)};
        return;
    }
    name->group = xstrndup(text, (size_t)(colon - text));
    name->process = colon[1] == '\0' || strcmp(colon, ":*") == 0 ? NULL : xstrdup(colon + 1);
}

void process_name_release(struct process_name *name)
{
    free(name->group);
    free(name->process);
}

char *process_name_show(const char *group, const char *process)
{
    return strcmp(group, process) == 0 ? xstrdup(process) : xasprintf("%s:%s", group, process);
}

static bool has_pattern_characters(const char *text, size_t length)
{
    return strcspn(text, "*?[") < length;
}

bool process_name_is_pattern(const char *text)
{
    const size_t length = strlen(text);

    return has_pattern_characters(text, text_ends_with(text, ":*") ? length - 2 : length);
}

bool process_name_matches(const char *pattern, const char *group, const char *process)
{
    CLEANUP_FREE char *whole = xasprintf("%s:%s", group, process);

    return fnmatch(pattern, strchr(pattern, ':') != NULL ? whole : process, 0) == 0;
}

static bool should_expand(const char *word, bool also_groups)
{
    return process_name_is_pattern(word) || (also_groups && (text_ends_with(word, ":*") || text_ends_with(word, ":")));
}

static void expand_one(struct words *names, const char *word, const struct rpc_value *processes)
{
    CLEANUP_FREE char *pattern = text_ends_with(word, ":") ? xasprintf("%s*", word) : xstrdup(word);
    const size_t before = names->count;

    for (size_t i = 0; i < list_count(processes); i++) {
        const struct rpc_value *process = rpc_array_get(processes, i);
        const char *group = member_text(process, "group");
        const char *name = member_text(process, "name");
        CLEANUP_FREE char *shown = process_name_show(group, name);

        if (strcmp(shown, word) == 0) {
            while (names->count > before) /* what it matched as a pattern */
                free(names->items[--names->count]);
            words_append(names, word);
            return;
        }
        if (process_name_matches(pattern, group, name))
            words_append(names, shown);
    }
    if (names->count == before)
        words_append(names, word);
}

void names_expand(struct words *names, const struct words *words, size_t first, const struct rpc_value *processes,
                  bool also_groups)
{
    *names = (struct words){NULL, 0};
    for (size_t i = first; i < words->count; i++) {
        if (should_expand(words->items[i], also_groups))
            expand_one(names, words->items[i], processes);
        else
            words_append(names, words->items[i]);
    }
}

bool names_have_pattern(const struct words *words, size_t first, bool also_groups)
{
    for (size_t i = first; i < words->count; i++) {
        if (should_expand(words->items[i], also_groups))
            return true;
    }
    return false;
}
