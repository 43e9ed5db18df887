/* Starts processes anew that take too much memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>

#include "listeners/command_line.h"
#include "listeners/mail.h"
#include "listeners/memory.h"
#include "listeners/names.h"
#include "listeners/processes.h"
#include "listeners/text.h"

/* So much is too much for whoever has this name. */
struct limit {
    char *name;
    uint64_t bytes;
};

struct memmon {
    UT_array *programs; /* of struct limit, as the groups; NULL: none */
    UT_array *groups;
    uint64_t any; /* 0: no limit for all */
    bool is_cumulative;
    bool wants_pss;
    int64_t uptime_max; /* a process that was up for longer is restarted without mail */
    const char *name;
    struct mail_program mail;
    struct listener_rpc *rpc;
};

static bool take_limit(void *field, const char *value)
{
    static const UT_icd icd = {.sz = sizeof(struct limit)};
    UT_array **limits = field;
    const char *equals = strrchr(value, '=');
    struct limit limit;

    if (equals == NULL || equals == value || !take_size(&limit.bytes, equals + 1) || limit.bytes == 0)
        return false;
    limit.name = text_format("%.*s", (int)(equals - value), value);
    if (*limits == NULL)
        utarray_new(*limits, &icd);
    utarray_push_back(*limits, &limit);
    return true;
}

static bool take_any(void *field, const char *value)
{
    return take_size(field, value) && *(uint64_t *)field > 0;
}

static const struct option_row rows[] = {
    OPTION('p', "program", "NAME=SIZE", take_limit, struct memmon, programs,
           "Restart a process above SIZE (100000, 300KB, 200MB, 1GB); NAME or GROUP:NAME."),
    OPTION('g', "groupname", "NAME=SIZE", take_limit, struct memmon, groups, "The same for each process of a group."),
    OPTION('a', "any", "SIZE", take_any, struct memmon, any, "The same for every process."),
    OPTION('c', "cumulative", NULL, take_flag, struct memmon, is_cumulative,
           "Count the children of a process, and theirs."),
    OPTION(0, "pss", NULL, take_flag, struct memmon, wants_pss,
           "Count memory that processes share in parts (PSS instead of RSS)."),
    OPTION('u', "uptime", "TIME", take_seconds, struct memmon, uptime_max,
           "No mail when it was up for longer (90, 90s, 5m, 2h, 1d)."),
    OPTION('n', "name", "NAME", take_text, struct memmon, name, "Of this memmon, for the subject of mails."),
    MAIL_PROGRAM_OPTIONS(struct memmon, mail),
};

static const struct command command = {
    .name = "memmon",
    .summary = "restarts processes that take too much memory",
    .events = "TICK_60",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static void keep_smaller(uint64_t *limit, uint64_t other)
{
    if (other > 0 && (*limit == 0 || other < *limit))
        *limit = other;
}

/* The smallest of all that hold for it; 0: none does. */
static uint64_t limit_of(const struct memmon *memmon, const struct process *process)
{
    struct limit *one = NULL;
    uint64_t limit = memmon->any;

    while (memmon->programs != NULL && (one = utarray_next(memmon->programs, one)) != NULL)
        if (name_means_process(process->group, process->name, one->name))
            keep_smaller(&limit, one->bytes);
    while (memmon->groups != NULL && (one = utarray_next(memmon->groups, one)) != NULL)
        if (strcmp(process->group, one->name) == 0)
            keep_smaller(&limit, one->bytes);
    return limit;
}

static void restart(const struct memmon *memmon, const struct listener *listener, const struct process *process,
                    const char *finding)
{
    struct error err;
    const bool is_done = process_restart(process, memmon->rpc, &err) == 0;
    char *now = text_time_now();
    char *outcome = is_done ? text_format("It was restarted.") : text_format("It could not be restarted: %s", err.text);
    char *subject = text_format("memmon%s%s%s: process %s %s", memmon->name != NULL ? " [" : "",
                                memmon->name != NULL ? memmon->name : "", memmon->name != NULL ? "]" : "",
                                process->namespec, is_done ? "restarted" : "could not be restarted");
    char *body =
        text_format("%s: %s\n%s\nIt had been up for %" PRId64 " seconds.\n", now, finding, outcome, process->uptime_s);

    listener_log(listener, "%s; %s", finding, outcome);
    if (process->uptime_s <= memmon->uptime_max)
        mail_by_program(&memmon->mail, listener, subject, body);
    free(now);
    free(outcome);
    free(subject);
    free(body);
}

/* 0, or -1 with errno. */
static int measure(const struct memmon *memmon, const struct memory_families *families, pid_t pid, uint64_t *bytes)
{
    const enum memory_measure what = memmon->wants_pss ? MEMORY_PSS : MEMORY_RSS;

    return families != NULL ? memory_of_family(families, pid, what, bytes) : memory_of_process(pid, what, bytes);
}

static void check(const struct memmon *memmon, const struct listener *listener, const struct memory_families *families,
                  const struct process *process)
{
    const char *kind = memmon->wants_pss ? "PSS" : "RSS";
    const uint64_t limit = process->is_wanted ? limit_of(memmon, process) : 0;
    uint64_t bytes;

    if (limit == 0)
        return;
    if (measure(memmon, families, process->pid, &bytes) < 0) {
        if (errno != ENOENT && errno != ESRCH) /* gone by now: that is supervisord's business */
            listener_log(listener, "cannot read the memory of %s (pid %d): %s", process->namespec, (int)process->pid,
                         strerror(errno));
        return;
    }
    char *finding = text_format("%s%s of %s is %" PRIu64 " bytes", memmon->is_cumulative ? "cumulative " : "", kind,
                                process->namespec, bytes);
    if (bytes <= limit) {
        listener_log(listener, "%s", finding);
    } else {
        char *excess = text_format("%s, more than %" PRIu64, finding, limit);

        restart(memmon, listener, process, excess);
        free(excess);
    }
    free(finding);
}

static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    const struct memmon *memmon = context;
    struct processes processes;
    struct error err;

    if (!listener_event_is(event, "TICK"))
        return LISTENER_OK;
    if (processes_get(&processes, memmon->rpc, &err) < 0) {
        listener_log(listener, "%s", err.text);
        return LISTENER_OK;
    }
    struct memory_families *families = memmon->is_cumulative ? memory_families_new() : NULL;
    for (size_t i = 0; i < processes.count; i++)
        check(memmon, listener, families, &processes.list[i]);
    memory_families_free(families);
    processes_release(&processes);
    return LISTENER_OK;
}

int main(int count, char **arguments)
{
    static struct memmon memmon = {.uptime_max = INT64_MAX}; /* for as long as the program */
    struct error err;

    command_line_read(&command, &memmon, count, arguments);
    if (memmon.programs == NULL && memmon.groups == NULL && memmon.any == 0)
        command_line_refuse(&command, "nothing to watch: none of -p, -g and -a is given");
    memmon.rpc = listener_rpc_new(&err);
    if (memmon.rpc == NULL)
        command_line_refuse(&command, "%s", err.text);
    return listener_main(NULL, handle, &memmon);
}
