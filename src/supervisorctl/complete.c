#include "supervisorctl/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/signals.h"
#include "base/text.h"
#include "supervisorctl/commands.h"
#include "supervisorctl/plugins.h"

#define SCREEN_WIDTH 79
#define SIGNAL_MAX 31

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t common_length(const struct words *words)
{
    size_t length = words->count > 0 ? strlen(words->items[0]) : 0;

    for (size_t i = 1; i < words->count; i++) {
        size_t same = 0;

        while (same < length && words->items[i][same] == words->items[0][same])
            same++;
        length = same;
    }
    return length;
}

void complete_narrow(struct completion *completion, struct words *candidates, const char *word)
{
    struct words *kept = &completion->candidates;
    const size_t typed = strlen(word);
    size_t common;

    *kept = (struct words){NULL, 0};
    if (candidates->count > 0)
        qsort(candidates->items, candidates->count, sizeof *candidates->items, compare_words);
    for (size_t i = 0; i < candidates->count; i++) {
        const char *candidate = candidates->items[i];

        if (text_starts_with(candidate, word) &&
            (kept->count == 0 || strcmp(kept->items[kept->count - 1], candidate) != 0))
            words_append(kept, candidate);
    }
    words_release(candidates);
    common = common_length(kept);
    if (common < typed)
        completion->addition = xstrdup("");
    else
        completion->addition = xasprintf("%.*s%s", (int)(common - typed), kept->count > 0 ? kept->items[0] + typed : "",
                                         kept->count == 1 ? " " : "");
}

static void add_actions(struct words *candidates, const struct ctl_plugins *plugins)
{
    for (size_t i = 0; i < command_count; i++)
        words_append(candidates, commands[i].name);
    words_append(candidates, "help");
    for (size_t i = 0; i < ctl_plugins_count(plugins); i++)
        (void)ctl_plugins_list(plugins, i, candidates);
}

static void add_signals(struct words *candidates)
{
    for (int number = 1; number <= SIGNAL_MAX; number++)
        words_append(candidates, signal_name(number) + strlen("SIG"));
}

static void add_process(struct words *candidates, const struct rpc_value *process, enum command_arguments kind)
{
    const char *group = member_text(process, "group");
    const char *name = member_text(process, "name");
    CLEANUP_FREE char *shown = process_name_show(group, name);
    CLEANUP_FREE char *whole = xasprintf("%s:*", group);

    if (kind == ARGUMENTS_GROUP) {
        words_append(candidates, group);
        return;
    }
    words_append(candidates, shown);
    if (strcmp(group, name) != 0)
        words_append(candidates, whole);
}

/* Groups may be ones that are only configured: `add` is for those. */
static void add_names(struct words *candidates, struct ctl *ctl, enum command_arguments kind)
{
    const char *method = kind == ARGUMENTS_GROUP ? "supervisor.getAllConfigInfo" : "supervisor.getAllProcessInfo";
    struct rpc_value *nothing = rpc_array(0);
    struct transport_call call = {.method = method, .params = nothing};

    transport_call_all(ctl->transport, &call, 1);
    if (call.answer.outcome == TRANSPORT_OK && rpc_value_type(call.answer.result) == RPC_ARRAY) {
        for (size_t i = 0; i < rpc_count(call.answer.result); i++)
            add_process(candidates, rpc_array_get(call.answer.result, i), kind);
        if (kind != ARGUMENTS_GROUP)
            words_append(candidates, "all");
    }
    transport_answer_release(&call.answer);
    rpc_value_free(nothing);
}

static void add_arguments(struct words *candidates, struct ctl *ctl, enum command_arguments kind, bool is_first)
{
    switch (kind) {
    case ARGUMENTS_NONE:
        break;
    case ARGUMENTS_ACTION:
        add_actions(candidates, ctl->plugins);
        break;
    case ARGUMENTS_SIGNAL:
        if (is_first)
            add_signals(candidates);
        else
            add_names(candidates, ctl, ARGUMENTS_PROCESS);
        break;
    case ARGUMENTS_PROCESS:
    case ARGUMENTS_GROUP:
        add_names(candidates, ctl, kind);
        break;
    }
}

void complete(struct completion *completion, struct ctl *ctl, const char *line)
{
    const size_t length = strlen(line);
    const bool at_new_word = length == 0 || strchr(NAMES_BLANKS, line[length - 1]) != NULL;
    struct words candidates = {NULL, 0};
    struct words words;
    size_t position; /* of the word to complete */

    words_split(&words, line);
    position = at_new_word ? words.count : words.count - 1;
    if (position == 0) {
        add_actions(&candidates, ctl->plugins);
    } else {
        const struct command *command = command_find(words.items[0]);

        if (command != NULL)
            add_arguments(&candidates, ctl, command->arguments, position == 1);
    }
    complete_narrow(completion, &candidates, at_new_word ? "" : words.items[position]);
    words_release(&words);
}

void complete_print(const struct completion *completion)
{
    const struct words *candidates = &completion->candidates;
    size_t width = 0;
    size_t columns;

    for (size_t i = 0; i < candidates->count; i++) {
        if (strlen(candidates->items[i]) > width)
            width = strlen(candidates->items[i]);
    }
    columns = SCREEN_WIDTH / (width + 2);
    if (columns == 0)
        columns = 1;
    for (size_t i = 0; i < candidates->count; i++)
        printf("%-*s%s", (int)width, candidates->items[i],
               (i + 1) % columns == 0 || i + 1 == candidates->count ? "\n" : "  ");
}

void complete_release(struct completion *completion)
{
    words_release(&completion->candidates);
    free(completion->addition);
}
