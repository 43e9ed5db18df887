#include "api/operation.h"

#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/containers.h"
#include "base/loop.h"

/* How long an operation may keep the loop from its other work at a stretch. */
#define SLICE_US (5 * INT64_C(1000))

/* A process whose outcome is awaited. It cannot be removed before: what can be removed is down, which is an outcome. */
struct awaited {
    struct process *process;
    UT_hash_handle hh;
};

struct operation {
    struct rpc_call *call;
    struct supervisor *supervisor;
    const struct operation_kind *kind;
    const struct rpc_value *argument; /* borrowed from the call */
    bool wait;
    char *name; /* of the only process, as the client called it; NULL: an operation on many */

    struct process **processes; /* owned; still to be acted on from `next`; NULL where one was removed meanwhile */
    size_t count;
    size_t next;
    struct awaited *awaited;                 /* acted on, outcome unknown */
    struct event_subscription *subscription; /* NULL until the call is deferred */
    struct event *turn;                      /* goes on, or answers, from the loop */

    struct rpc_value *results; /* of an operation on many */
    struct error failure;      /* of an operation on one; fault FAULT_NONE: it succeeded */
};

/* The detail of other faults is the name of the process. */
static bool has_cause(enum fault fault)
{
    return fault == FAULT_NO_FILE || fault == FAULT_NOT_EXECUTABLE || fault == FAULT_FAILED ||
           fault == FAULT_BAD_SIGNAL;
}

static void forget(struct operation *operation, struct awaited *awaited)
{
    HASH_DEL(operation->awaited, awaited);
    free(awaited);
}

static void operation_free(struct operation *operation)
{
    struct awaited *awaited = operation->awaited;

    HASH_CLEAR(hh, operation->awaited);
    while (awaited != NULL) {
        struct awaited *next = awaited->hh.next;
        free(awaited);
        awaited = next;
    }
    event_unsubscribe(operation->subscription);
    event_free(operation->turn);
    rpc_value_free(operation->results);
    free(operation->processes);
    free(operation->name);
    free(operation);
}

static void schedule(struct operation *operation)
{
    loop_timer_arm_next_turn(operation->turn);
}

static struct rpc_value *make_entry(const struct process *process, enum fault status, const char *description)
{
    struct rpc_value *entry = rpc_struct(4);

    rpc_struct_set_static(entry, "name", rpc_string(process->config->name));
    rpc_struct_set_static(entry, "group", rpc_string(process->group->config->name));
    rpc_struct_set_static(entry, "status", rpc_int(status));
    rpc_struct_set_static(entry, "description", rpc_string(description));
    return entry;
}

static void note_success(struct operation *operation, const struct process *process)
{
    if (operation->results != NULL)
        rpc_array_append(operation->results, make_entry(process, FAULT_SUCCESS, "OK"));
}

/* `detail` NULL: the name. */
static void note_failure(struct operation *operation, const struct process *process, enum fault fault,
                         const char *detail)
{
    CLEANUP_FREE char *namespec = operation->name != NULL ? xstrdup(operation->name) : api_make_namespec(process);
    CLEANUP_FREE char *text = xasprintf("%s: %s", fault_name(fault), detail != NULL ? detail : namespec);

    if (operation->results != NULL)
        rpc_array_append(operation->results, make_entry(process, fault, text));
    else
        error_set_fault(&operation->failure, fault, "%s", text);
}

/* Notes the outcome when it is known. True when it is. */
static bool judge(struct operation *operation, const struct process *process)
{
    enum fault fault = FAULT_FAILED;

    switch (operation->kind->progress(process, &fault)) {
    case OPERATION_UNDER_WAY:
        return false;
    case OPERATION_SUCCEEDED:
        note_success(operation, process);
        return true;
    case OPERATION_FAILED:
        note_failure(operation, process, fault, NULL);
        return true;
    }
    return true;
}

static bool is_over(const struct operation *operation)
{
    return operation->next == operation->count && operation->awaited == NULL;
}

static void on_process_state(struct operation *operation, struct process *process)
{
    struct awaited *awaited;

    HASH_FIND_PTR(operation->awaited, &process, awaited);
    if (awaited == NULL || !judge(operation, process))
        return;
    forget(operation, awaited);
    if (is_over(operation))
        schedule(operation); /* the client's next call must not come from within an event */
}

static event_mask_t removal_types(void)
{
    return event_mask(EVENT_TYPE_PROCESS_GROUP_REMOVED) | event_mask(EVENT_TYPE_PROCESS_REMOVED);
}

static bool is_about(const struct process *process, const struct event_occurrence *removal)
{
    if (removal->type == EVENT_TYPE_PROCESS_REMOVED)
        return process == removal->state.process;
    return strcmp(process->group->config->name, removal->group.group) == 0;
}

/* Processes are about to be freed. */
static void on_removal(struct operation *operation, const struct event_occurrence *removal)
{
    for (size_t i = operation->next; i < operation->count; i++)
        if (operation->processes[i] != NULL && is_about(operation->processes[i], removal))
            operation->processes[i] = NULL;
}

static void on_event(void *context, const struct event_occurrence *occurrence)
{
    if ((event_mask(occurrence->type) & removal_types()) != 0)
        on_removal(context, occurrence);
    else
        on_process_state(context, occurrence->state.process);
}

static void hear_events(struct operation *operation)
{
    const event_mask_t types = event_mask(EVENT_TYPE_PROCESS_STATE) | removal_types();

    operation->subscription = event_subscribe(operation->supervisor->bus, types, on_event, operation);
}

static void await_outcome(struct operation *operation, struct process *process)
{
    struct awaited *awaited = xcalloc(1, sizeof *awaited);

    awaited->process = process;
    HASH_ADD_PTR(operation->awaited, process, awaited);
}

static void act_on(struct operation *operation, struct process *process)
{
    struct error err;

    if (operation->kind->act(process, operation->argument, &err) < 0) {
        note_failure(operation, process, err.fault, has_cause(err.fault) ? err.text : NULL);
        return;
    }
    if (!operation->wait || operation->kind->progress == NULL)
        note_success(operation, process);
    else if (!judge(operation, process))
        await_outcome(operation, process);
}

static void work(struct operation *operation)
{
    const int64_t until = operation->supervisor->system->monotonic_us() + SLICE_US;

    while (operation->next < operation->count) {
        struct process *process = operation->processes[operation->next++];
        if (process != NULL)
            act_on(operation, process);
        if (operation->supervisor->system->monotonic_us() >= until)
            break;
    }
}

static enum rpc_outcome take_outcome(struct operation *operation, struct rpc_value **result, struct error *err)
{
    if (operation->failure.fault != FAULT_NONE) {
        *err = operation->failure;
        return RPC_FAILED;
    }
    *result = operation->results != NULL ? operation->results : rpc_boolean(true);
    operation->results = NULL;
    return RPC_DONE;
}

static void answer(struct operation *operation)
{
    struct rpc_call *call = operation->call;
    struct rpc_value *result = NULL;
    struct error err;
    const enum rpc_outcome outcome = take_outcome(operation, &result, &err);

    operation_free(operation);
    if (outcome == RPC_DONE)
        rpc_call_complete(call, result);
    else
        rpc_call_fail(call, &err);
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
    struct operation *operation = context;

    (void)fd;
    (void)what;
    work(operation);
    if (is_over(operation))
        answer(operation);
    else if (operation->next < operation->count)
        schedule(operation);
}

static void on_cancel(void *context)
{
    operation_free(context);
}

static struct operation *operation_new(struct rpc_call *call, const struct operation_kind *kind,
                                       const struct rpc_value *argument, bool wait)
{
    struct operation *operation = xcalloc(1, sizeof *operation);

    operation->call = call;
    operation->supervisor = api_supervisor(call);
    operation->kind = kind;
    operation->argument = argument;
    operation->wait = wait;
    operation->turn = loop_timer_new(operation->supervisor->loop, on_turn, operation);
    return operation;
}

/* Begins, and answers at once if that was all. */
static enum rpc_outcome begin(struct operation *operation, struct rpc_value **result, struct error *err)
{
    work(operation);
    if (is_over(operation)) {
        const enum rpc_outcome outcome = take_outcome(operation, result, err);
        operation_free(operation);
        return outcome;
    }
    hear_events(operation);
    if (operation->next < operation->count)
        schedule(operation);
    rpc_call_defer(operation->call, on_cancel, operation);
    return RPC_LATER;
}

enum rpc_outcome operation_run_one(struct rpc_call *call, const struct operation_kind *kind,
                                   const struct rpc_value *argument, struct process *process, const char *name,
                                   bool wait, struct rpc_value **result, struct error *err)
{
    struct operation *operation = operation_new(call, kind, argument, wait);

    operation->name = xstrdup(name);
    operation->processes = xmalloc(sizeof(struct process *));
    operation->processes[0] = process;
    operation->count = 1;
    return begin(operation, result, err);
}

enum rpc_outcome operation_run_many(struct rpc_call *call, const struct operation_kind *kind,
                                    const struct rpc_value *argument, struct process **processes, size_t count,
                                    bool wait, struct rpc_value **result)
{
    struct operation *operation = operation_new(call, kind, argument, wait);
    struct error never; /* one among many that fails is an entry of the result */

    operation->processes = processes;
    for (size_t i = 0; i < count; i++)
        if (kind->concerns == NULL || kind->concerns(processes[i]))
            processes[operation->count++] = processes[i];
    operation->results = rpc_array(operation->count);
    return begin(operation, result, &never);
}
