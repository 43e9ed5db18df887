#include "supervisorctl/parallel.h"

#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "base/memory.h"

static void unit_begin(struct parallel_unit *unit, const char *name, const struct parallel_methods *methods)
{
    struct process_name parsed;

    process_name_parse(&parsed, name);
    *unit = (struct parallel_unit){.name = name, .params = rpc_array(2), .method = methods->process};
    unit->is_group = parsed.process == NULL && methods->group != NULL;
    if (unit->is_group)
        unit->method = methods->group;
    rpc_array_append(unit->params, rpc_string(unit->is_group ? parsed.group : name));
    if (methods->signal != NULL)
        rpc_array_append(unit->params, rpc_string(methods->signal));
    unit->group = xstrdup(parsed.group);
    process_name_release(&parsed);
}

/* What getAllConfigInfo says, by both of the names that a unit may have. */
struct known {
    char *name;
    int64_t group_priority;
    int64_t priority;
    UT_hash_handle hh;
};

static void known_add(struct known **all, char *name, const struct rpc_value *process)
{
    struct known *known;
    const int64_t priority = member_int(process, "process_prio");

    HASH_FIND_STR(*all, name, known);
    if (known != NULL) {
        if (priority < known->priority)
            known->priority = priority;
        free(name);
        return;
    }
    known = xmalloc(sizeof *known);
    *known = (struct known){name, member_int(process, "group_prio"), priority};
    HASH_ADD_KEYPTR(hh, *all, known->name, strlen(known->name), known);
}

static struct known *known_learn(const struct rpc_value *processes)
{
    struct known *all = NULL;

    for (size_t i = 0; i < rpc_count(processes); i++) {
        const struct rpc_value *process = rpc_array_get(processes, i);
        const char *group = member_text(process, "group");
        const char *name = member_text(process, "name");

        known_add(&all, xasprintf("%s:%s", group, name), process);
        known_add(&all, xasprintf("%s:*", group), process);
    }
    return all;
}

static void known_free(struct known *all)
{
    struct known *known = all;

    HASH_CLEAR(hh, all);
    while (known != NULL) {
        struct known *next = known->hh.next;

        free(known->name);
        free(known);
        known = next;
    }
}

static void unit_learn(struct parallel_unit *unit, struct known *all)
{
    struct process_name parsed;
    struct known *known;
    CLEANUP_FREE char *key = NULL;

    process_name_parse(&parsed, unit->name);
    key = xasprintf("%s:%s", parsed.group, parsed.process != NULL ? parsed.process : "*");
    HASH_FIND_STR(all, key, known);
    if (known != NULL) {
        unit->group_priority = known->group_priority;
        unit->priority = known->priority;
    }
    process_name_release(&parsed);
}

/* Without an answer the names are worked off one by one. */
static void learn_priorities(struct ctl *ctl, struct parallel *parallel)
{
    struct transport_answer answer;

    if (ctl_call(ctl, "supervisor.getAllConfigInfo", NULL, &answer) && rpc_value_type(answer.result) == RPC_ARRAY) {
        struct known *all = known_learn(answer.result);

        for (size_t i = 0; i < parallel->count; i++)
            unit_learn(&parallel->units[i], all);
        known_free(all);
    } else {
        parallel->order = PARALLEL_AS_GIVEN;
    }
    transport_answer_release(&answer);
}

void parallel_begin(struct ctl *ctl, struct parallel *parallel, const struct words *names,
                    const struct parallel_methods *methods, enum parallel_order order)
{
    *parallel = (struct parallel){
        .units = xcalloc(names->count, sizeof *parallel->units), .count = names->count, .order = order};
    for (size_t i = 0; i < names->count; i++)
        unit_begin(&parallel->units[i], names->items[i], methods);
    if (order != PARALLEL_AS_GIVEN && names->count > 1)
        learn_priorities(ctl, parallel);
}

static int compare_priorities(const struct parallel_unit *a, const struct parallel_unit *b)
{
    if (a->group_priority != b->group_priority)
        return a->group_priority < b->group_priority ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return 0;
}

static bool is_before(const struct parallel_unit *a, const struct parallel_unit *b, enum parallel_order order)
{
    switch (order) {
    case PARALLEL_LOW_PRIORITY_FIRST:
        return compare_priorities(a, b) < 0;
    case PARALLEL_HIGH_PRIORITY_FIRST:
        return compare_priorities(a, b) > 0;
    case PARALLEL_AS_GIVEN:
        break;
    }
    return false;
}

/* The one whose turn it is among those not done, or NULL. */
static struct parallel_unit *next_unit(const struct parallel *parallel)
{
    struct parallel_unit *best = NULL;

    for (size_t i = 0; i < parallel->count; i++) {
        struct parallel_unit *unit = &parallel->units[i];

        if (!unit->is_done && (best == NULL || is_before(unit, best, parallel->order)))
            best = unit;
    }
    return best;
}

/* Those whose turn it is together with `first`. */
static size_t gather_wave(const struct parallel *parallel, struct parallel_unit *first, struct parallel_unit **wave)
{
    size_t count = 0;

    if (parallel->order == PARALLEL_AS_GIVEN) {
        wave[0] = first;
        return 1;
    }
    for (size_t i = 0; i < parallel->count; i++) {
        if (!parallel->units[i].is_done && compare_priorities(&parallel->units[i], first) == 0)
            wave[count++] = &parallel->units[i];
    }
    return count;
}

static void run_units(struct ctl *ctl, struct parallel_unit *const *units, size_t count)
{
    struct transport_call *calls = xcalloc(count, sizeof *calls);

    for (size_t i = 0; i < count; i++)
        calls[i] = (struct transport_call){.method = units[i]->method, .params = units[i]->params};
    transport_call_all(ctl->transport, calls, count);
    for (size_t i = 0; i < count; i++) {
        units[i]->answer = calls[i].answer;
        units[i]->is_done = true;
    }
    free(calls);
}

bool parallel_run_wave(struct ctl *ctl, struct parallel *parallel)
{
    struct parallel_unit *next = next_unit(parallel);
    struct parallel_unit **wave;

    if (next == NULL)
        return false;
    wave = xcalloc(parallel->count, sizeof(struct parallel_unit *));
    run_units(ctl, wave, gather_wave(parallel, next, wave));
    free(wave);
    return true;
}

const struct parallel_unit *parallel_next_finished(struct parallel *parallel)
{
    if (parallel->handed_out == parallel->count || !parallel->units[parallel->handed_out].is_done)
        return NULL;
    return &parallel->units[parallel->handed_out++];
}

void parallel_end(struct parallel *parallel)
{
    for (size_t i = 0; i < parallel->count; i++) {
        struct parallel_unit *unit = &parallel->units[i];

        free(unit->group);
        rpc_value_free(unit->params);
        transport_answer_release(&unit->answer);
    }
    free(parallel->units);
}
