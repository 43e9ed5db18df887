/*
 * GET /live: what changes, as server-sent events (WHATWG HTML, 9.2), for pages that are open. All clients share one
 * list of processes in the order of their last change; each client remembers up to where it has been told, at first
 * nothing. So a slow one is told the newest state of each process, however much has happened, and costs no memory
 * meanwhile. Without clients there is no list, no subscription and no timer.
 */
#include <event2/buffer.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/containers.h"
#include "base/loop.h"
#include "process/usage.h"
#include "web/internal.h"

#define GATHER_US (INT64_C(100) * 1000)       /* changes are told together: an eye does not see more */
#define SAMPLE_US (INT64_C(5) * 1000000)      /* how often CPU and memory are looked at */
#define KEEP_ALIVE_US (INT64_C(30) * 1000000) /* proxies give up on a connection that says nothing */

enum {
    SAMPLE_SLICE = 200,
    DESCRIPTION_SIZE = 512,
    OUT_ENOUGH = 8 * 1024, /* bytes of events that are made in advance of the client's reading */
};

/* What pages are told of a process. Versions are those of `live` at the last change; 0: never. */
struct row {
    struct process *process; /* borrowed; the key */
    uint64_t state_version;
    uint64_t usage_version;
    int cpu_tenths; /* of a percent of one CPU */
    int64_t memory; /* bytes */
    pid_t pid;      /* of which the last sample was */
    int64_t cpu_us;
    int64_t sampled_us;      /* monotonic */
    struct row *prev, *next; /* by state_version */
    UT_hash_handle by_process;
};

struct client {
    struct live *live;
    struct http_stream *stream; /* borrowed; NULL until the answer has begun */
    struct evbuffer *out;       /* owned: an event that was not taken whole */
    uint64_t states_told;       /* the version up to which it has been told the states of processes */
    uint64_t others_told;       /* and all else; 0: nothing yet */
    int64_t told_us;            /* when it was last told something */
    struct client *prev, *next;
};

struct live {
    struct supervisor *supervisor;           /* borrowed */
    struct event_subscription *subscription; /* owned; NULL without clients */
    struct event *gather;                    /* owned: changes have happened */
    struct event *sample;                    /* owned: look at CPU and memory */
    struct client *clients;                  /* owned by their streams */
    struct row *rows;                        /* owned: hash */
    struct row *changed;                     /* the same: those with a state_version, oldest first */
    uint64_t version;                        /* counts changes */
    uint64_t groups_version;                 /* of the last group that came or went */
    uint64_t supervisor_version;             /* of the daemon's last change of state */
    size_t next_sample;                      /* place in the list of processes where the next slice begins */
};

/* --- rows --------------------------------------------------------------------------------------------------------- */

static struct row *row_of(struct live *live, struct process *process)
{
    struct row *row;

    HASH_FIND(by_process, live->rows, &process, sizeof(void *), row);
    if (row == NULL) {
        row = xcalloc(1, sizeof *row);
        row->process = process;
        HASH_ADD(by_process, live->rows, process, sizeof(void *), row);
    }
    return row;
}

static bool is_gone(const struct row *row, const struct event_occurrence *removal)
{
    if (removal->type == EVENT_TYPE_PROCESS_REMOVED)
        return row->process == removal->state.process;
    return strcmp(row->process->group->config->name, removal->group.group) == 0;
}

static void free_rows(struct live *live, const struct event_occurrence *removal)
{
    struct row *row;
    struct row *next;

    HASH_ITER (by_process, live->rows, row, next) {
        if (!is_gone(row, removal))
            continue;
        if (row->state_version != 0)
            DL_DELETE(live->changed, row);
        /* The analyser takes the table, which goes with its last row, for gone before. */
        HASH_DELETE(by_process, live->rows, row); /* NOLINT(clang-analyzer-unix.Malloc) */
        free(row);
    }
}

static void free_all_rows(struct live *live)
{
    struct row *row = live->rows;

    HASH_CLEAR(by_process, live->rows); /* the rows themselves stay, and know their next */
    while (row != NULL) {
        struct row *next = row->by_process.next;
        free(row);
        row = next;
    }
    live->changed = NULL;
}

static void note_state(struct live *live, struct process *process)
{
    struct row *row = row_of(live, process);

    if (row->state_version != 0)
        DL_DELETE(live->changed, row);
    row->state_version = ++live->version;
    DL_APPEND(live->changed, row);
}

/* What pages have may be older than the first client: they are told all there is. */
static void note_all_states(struct live *live)
{
    size_t count;
    CLEANUP_FREE struct process **processes = supervisor_sorted_processes(live->supervisor, &count);

    for (size_t i = 0; i < count; i++)
        note_state(live, processes[i]);
}

/* --- from the bus ------------------------------------------------------------------------------------------------- */

static void on_event(void *context, const struct event_occurrence *occurrence)
{
    struct live *live = context;

    switch (occurrence->type) {
    case EVENT_TYPE_PROCESS_GROUP_REMOVED:
    case EVENT_TYPE_PROCESS_REMOVED:
        free_rows(live, occurrence);
        live->groups_version = ++live->version;
        break;
    case EVENT_TYPE_PROCESS_GROUP_ADDED:
    case EVENT_TYPE_PROCESS_ADDED:
        live->groups_version = ++live->version;
        break;
    case EVENT_TYPE_SUPERVISOR_STATE_CHANGE_RUNNING:
    case EVENT_TYPE_SUPERVISOR_STATE_CHANGE_STOPPING:
        live->supervisor_version = ++live->version;
        break;
    default:
        note_state(live, occurrence->state.process);
        break;
    }
    if (!evtimer_pending(live->gather, NULL))
        loop_timer_arm(live->gather, GATHER_US);
}

static void on_gather(evutil_socket_t fd, short what, void *context)
{
    const struct live *live = context;
    const struct client *client;

    (void)fd;
    (void)what;
    DL_FOREACH (live->clients, client)
        if (client->stream != NULL)
            http_stream_wake(client->stream);
}

/* --- CPU and memory ----------------------------------------------------------------------------------------------- */

static void sample(struct live *live, struct process *process)
{
    const int64_t now_us = clock_monotonic_us();
    struct usage usage;

    if (process->pid == 0 || usage_read(process->pid, &usage) < 0)
        return;
    struct row *row = row_of(live, process);
    const int64_t passed_us = now_us - row->sampled_us;
    const bool has_before = row->pid == process->pid && passed_us > 0;
    const int cpu_tenths = has_before ? (int)((usage.cpu_us - row->cpu_us) * 1000 / passed_us) : 0;
    if (row->pid != process->pid || row->cpu_tenths != cpu_tenths || row->memory != usage.memory)
        row->usage_version = ++live->version;
    row->pid = process->pid;
    row->cpu_us = usage.cpu_us;
    row->sampled_us = now_us;
    row->cpu_tenths = cpu_tenths;
    row->memory = usage.memory;
}

/* A slice of all processes; the next follows after others have had their turn. */
static void on_sample(evutil_socket_t fd, short what, void *context)
{
    struct live *live = context;
    size_t count;
    CLEANUP_FREE struct process **processes = supervisor_sorted_processes(live->supervisor, &count);
    size_t end = live->next_sample + SAMPLE_SLICE;

    (void)fd;
    (void)what;
    if (end > count)
        end = count;
    for (size_t i = live->next_sample; i < end; i++)
        sample(live, processes[i]);
    live->next_sample = end < count ? end : 0;
    if (live->next_sample != 0) {
        loop_timer_arm_next_turn(live->sample);
        return;
    }
    loop_timer_arm(live->sample, SAMPLE_US);
    on_gather(-1, 0, live);
}

/* --- what a client is told ---------------------------------------------------------------------------------------- */

/* Takes the data. */
static void add_frame(struct evbuffer *out, const char *event, json_t *data)
{
    CLEANUP_FREE char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;

    if (text == NULL || evbuffer_add_printf(out, "event: %s\ndata: %s\n\n", event, text) < 0)
        memory_exhausted();
    json_decref(data);
}

/* A text that may not be UTF-8, which JSON must be. */
static json_t *json_text(const char *text)
{
    json_t *string = json_string(text);

    return string != NULL ? string : json_string("(no UTF-8)");
}

static json_t *describe_process(const struct process *process)
{
    char description[DESCRIPTION_SIZE];

    process_describe(process, description, sizeof description);
    return json_pack("{s:o, s:o, s:i, s:s, s:o, s:i}", "name", json_text(process->config->name), "group",
                     json_text(process->group->config->name), "state", process_state_code(process->state), "statename",
                     process_state_name(process->state), "description", json_text(description), "pid",
                     (int)process->pid);
}

static void tell_supervisor(struct client *client)
{
    const enum supervisor_state state = client->live->supervisor->state;

    add_frame(client->out, "supervisor",
              json_pack("{s:i, s:s}", "state", (int)state, "statename", supervisor_state_name(state)));
}

/* How many rows a page must have: with another number it has missed that groups came or went. */
static void tell_count(struct client *client)
{
    const struct process_group *group = client->live->supervisor->groups;
    size_t count = 0;

    for (; group != NULL; group = group->by_name.next)
        count += HASH_CNT(by_name, group->processes);
    add_frame(client->out, "snapshot", json_pack("{s:I}", "count", (json_int_t)count));
}

/* The first change that the client does not know, or NULL. They are sought from the newest, where most clients are. */
static struct row *first_untold(const struct client *client)
{
    struct row *row = client->live->changed != NULL ? client->live->changed->prev : NULL;

    if (row == NULL || row->state_version <= client->states_told)
        return NULL;
    while (row != client->live->changed && row->prev->state_version > client->states_told)
        row = row->prev;
    return row;
}

static void tell_states(struct client *client)
{
    for (const struct row *row = first_untold(client); row != NULL; row = row->next) {
        if (evbuffer_get_length(client->out) >= OUT_ENOUGH)
            return;
        add_frame(client->out, "process", describe_process(row->process));
        client->states_told = row->state_version;
    }
}

static void tell_usage(struct client *client)
{
    const struct row *row;
    json_t *list = json_array();

    for (row = client->live->rows; row != NULL; row = row->by_process.next)
        if (row->usage_version > client->others_told && row->pid == row->process->pid)
            json_array_append_new(list, json_pack("{s:o, s:o, s:f, s:I}", "name", json_text(row->process->config->name),
                                                  "group", json_text(row->process->group->config->name), "cpu",
                                                  row->cpu_tenths / 10.0, "memory", (json_int_t)row->memory));
    if (json_array_size(list) > 0)
        add_frame(client->out, "usage", json_pack("{s:O}", "processes", list));
    json_decref(list);
}

static void tell_others(struct client *client)
{
    const struct live *live = client->live;

    if (client->others_told == live->version)
        return;
    if (client->others_told == 0)
        tell_count(client);
    else if (live->groups_version > client->others_told)
        add_frame(client->out, "group", json_object());
    if (client->others_told == 0 || live->supervisor_version > client->others_told)
        tell_supervisor(client);
    tell_usage(client);
    client->others_told = live->version;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void keep_alive(struct client *client, int64_t now_us)
{
    if (evbuffer_get_length(client->out) == 0 && now_us - client->told_us >= KEEP_ALIVE_US)
        evbuffer_add(client->out, ":\n\n", 3);
    if (evbuffer_get_length(client->out) > 0)
        client->told_us = now_us;
}

static ssize_t client_read(void *context, char *buffer, size_t size)
{
    struct client *client = context;

    if (evbuffer_get_length(client->out) == 0) {
        tell_others(client);
        tell_states(client);
        keep_alive(client, clock_monotonic_us());
    }
    return evbuffer_remove(client->out, buffer, size);
}

static void live_rest(struct live *live)
{
    event_unsubscribe(live->subscription);
    live->subscription = NULL;
    event_del(live->gather);
    event_del(live->sample);
    free_all_rows(live);
    live->next_sample = 0;
}

static void client_close(void *context)
{
    struct client *client = context;
    struct live *live = client->live;

    DL_DELETE(live->clients, client);
    evbuffer_free(client->out);
    free(client);
    if (live->clients == NULL)
        live_rest(live);
}

static void live_wake_up(struct live *live)
{
    live->subscription =
        event_subscribe(live->supervisor->bus,
                        event_mask(EVENT_TYPE_PROCESS_STATE) | event_mask(EVENT_TYPE_PROCESS_GROUP) |
                            event_mask(EVENT_TYPE_PROCESS_ADDED) | event_mask(EVENT_TYPE_PROCESS_REMOVED) |
                            event_mask(EVENT_TYPE_SUPERVISOR_STATE_CHANGE),
                        on_event, live);
    note_all_states(live);
    loop_timer_arm_next_turn(live->sample);
}

void live_handle(struct http_request *request, void *context)
{
    struct live *live = context;
    struct client *client = xcalloc(1, sizeof *client);
    const struct http_stream_source source = {.read = client_read, .close = client_close, .context = client};

    client->live = live;
    client->told_us = clock_monotonic_us();
    client->out = evbuffer_new();
    if (client->out == NULL)
        memory_exhausted();
    if (live->clients == NULL)
        live_wake_up(live);
    DL_APPEND(live->clients, client);
    client->stream = http_respond_stream(request, 200, "text/event-stream", &source);
}

struct live *live_new(struct supervisor *supervisor)
{
    struct live *live = xcalloc(1, sizeof *live);

    live->supervisor = supervisor;
    live->version = 1; /* a client's 0 is "nothing yet" */
    live->gather = loop_timer_new(supervisor->loop, on_gather, live);
    live->sample = loop_timer_new(supervisor->loop, on_sample, live);
    return live;
}

void live_free(struct live *live)
{
    if (live == NULL)
        return;
    live_rest(live);
    event_free(live->gather);
    event_free(live->sample);
    free(live);
}
