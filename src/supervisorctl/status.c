#include "supervisorctl/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "supervisorctl/commands.h"

#define NAME_WIDTH_MIN 30

static char *shown_name(const struct rpc_value *process)
{
    return process_name_show(member_text(process, "group"), member_text(process, "name"));
}

/* In characters: of a sequence in UTF-8 only the first byte counts. */
static size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static size_t name_width(const struct rpc_value *const *processes, size_t count)
{
    size_t width = NAME_WIDTH_MIN;

    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *name = shown_name(processes[i]);

        if (text_width(name) > width)
            width = text_width(name);
    }
    return width;
}

void status_print(FILE *out, const struct rpc_value *const *processes, size_t count)
{
    const size_t width = name_width(processes, count);

    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *name = shown_name(processes[i]);

        fprintf(out, "%s%*s   %-10s%s\n", name, (int)(width - text_width(name)), "",
                member_text(processes[i], "statename"), member_text(processes[i], "description"));
    }
}

static json_t *container_as_json(const struct rpc_value *value)
{
    json_t *json = rpc_value_type(value) == RPC_STRUCT ? json_object() : json_array();

    for (size_t i = 0; i < rpc_count(value); i++) {
        if (rpc_value_type(value) == RPC_STRUCT)
            json_object_set_new(json, rpc_struct_key(value, i), status_as_json(rpc_struct_item(value, i)));
        else
            json_array_append_new(json, status_as_json(rpc_array_get(value, i)));
    }
    return json;
}

json_t *status_as_json(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_NIL:
        return json_null();
    case RPC_INT:
        return json_integer(rpc_as_int(value));
    case RPC_BOOLEAN:
        return json_boolean(rpc_as_boolean(value));
    case RPC_DOUBLE:
        return json_real(rpc_as_double(value));
    case RPC_ARRAY:
    case RPC_STRUCT:
        return container_as_json(value);
    case RPC_STRING:
    case RPC_DATETIME:
    case RPC_BASE64:
        break;
    }
    return json_stringn(rpc_as_string(value), rpc_string_length(value));
}

/* The processes that were asked for, in that order; borrowed from the answer. */
struct selection {
    const struct rpc_value **items;
    size_t count;
};

static void selection_add(struct selection *selection, const struct rpc_value *process)
{
    selection->items = xreallocarray(selection->items, selection->count + 1, sizeof(const struct rpc_value *));
    selection->items[selection->count++] = process;
}

static bool is_selected(const struct rpc_value *process, const char *word, const struct process_name *name)
{
    const char *group = member_text(process, "group");
    const char *own = member_text(process, "name");

    if (strcmp(group, name->group) == 0 && (name->process == NULL || strcmp(own, name->process) == 0))
        return true;
    return process_name_is_pattern(word) && process_name_matches(word, group, own);
}

static void select_word(struct ctl *ctl, struct selection *selection, const struct rpc_value *all, const char *word,
                        FILE *complaints)
{
    const size_t before = selection->count;
    struct process_name name;

    process_name_parse(&name, word);
    for (size_t i = 0; i < list_count(all); i++) {
        if (is_selected(rpc_array_get(all, i), word, &name))
            selection_add(selection, rpc_array_get(all, i));
    }
    if (selection->count == before) {
        fprintf(complaints, "%s: ERROR (no such %s)\n", name.process != NULL ? word : name.group,
                name.process != NULL ? "process" : "group");
        ctl->exit_status = CTL_NO_CONNECTION;
    }
    process_name_release(&name);
}

static void print_json(const struct selection *selection)
{
    json_t *list = json_array();

    for (size_t i = 0; i < selection->count; i++)
        json_array_append_new(list, status_as_json(selection->items[i]));
    json_dumpf(list, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(list);
}

static void judge(struct ctl *ctl, const struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++) {
        const char *state = member_text(selection->items[i], "statename");

        if (strcmp(state, "RUNNING") != 0 && strcmp(state, "STARTING") != 0 && strcmp(state, "BACKOFF") != 0)
            ctl->exit_status = CTL_STATUS_NOT_RUNNING;
    }
}

static void show(struct ctl *ctl, const struct rpc_value *all, const struct words *words, bool json)
{
    struct selection selection = {NULL, 0};
    const size_t first = json ? 1 : 0;

    if (words->count == first || words_have(words, "all")) {
        for (size_t i = 0; i < list_count(all); i++)
            selection_add(&selection, rpc_array_get(all, i));
    } else {
        for (size_t i = first; i < words->count; i++)
            select_word(ctl, &selection, all, words->items[i], json ? stderr : stdout);
    }
    if (json)
        print_json(&selection);
    else
        status_print(stdout, selection.items, selection.count);
    judge(ctl, &selection);
    free(selection.items);
}

void command_status(struct ctl *ctl, const struct words *words)
{
    const bool json = words->count > 0 && strcmp(words->items[0], "--json") == 0;
    struct transport_answer answer;

    if (!ctl_check_server(ctl)) {
        if (ctl->exit_status != CTL_FAILURE)
            ctl->exit_status = CTL_NO_CONNECTION;
        return;
    }
    if (ctl_call_or_say(ctl, "supervisor.getAllProcessInfo", NULL, &answer))
        show(ctl, answer.result, words, json);
    transport_answer_release(&answer);
}
