/* Shuts supervisord down when a process has come to its end: for a container that is to end with its program. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>

#include "listeners/command_line.h"
#include "listeners/names.h"
#include "listeners/text.h"

enum {
    STATUS_MAX = 255,
    STATUS_SAME = -1, /* that of the process */
    STATUS_FAILURE = 1,
};

struct exitwatch {
    UT_array *programs; /* of const char *; NULL: none */
    bool is_any;
    bool is_unexpected_only;
    int status;
    struct listener_rpc *rpc;
};

static bool take_status(void *field, const char *value)
{
    char *end;
    const long status = strtol(value, &end, 10);

    if (strcmp(value, "same") == 0) {
        *(int *)field = STATUS_SAME;
        return true;
    }
    if (*value < '0' || *value > '9' || *end != '\0' || status > STATUS_MAX)
        return false;
    *(int *)field = (int)status;
    return true;
}

static const struct option_row rows[] = {
    OPTION('p', "program", "NAME", take_texts, struct exitwatch, programs,
           "Watch this process; NAME, GROUP:NAME or GROUP:*."),
    OPTION('a', "any", NULL, take_flag, struct exitwatch, is_any, "Watch every process."),
    OPTION('u', "unexpected", NULL, take_flag, struct exitwatch, is_unexpected_only,
           "Let exits pass that exitcodes= expects."),
    OPTION('x', "status", "0-255|same", take_status, struct exitwatch, status,
           "Exit status of supervisord: a number, or that of the process; same."),
};

static const struct command command = {
    .name = "exitwatch",
    .summary = "shuts supervisord down when a process exits or becomes FATAL",
    .events = "PROCESS_STATE_EXITED,PROCESS_STATE_FATAL",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static bool is_watched(const struct exitwatch *exitwatch, const char *group, const char *name)
{
    return exitwatch->is_any || names_mean_process(group, name, exitwatch->programs);
}

/* Whether the event is an end that counts. */
static bool is_end(const struct exitwatch *exitwatch, const struct listener_event *event)
{
    const char *expected = listener_event_field(event, "expected");

    if (strcmp(event->name, "PROCESS_STATE_FATAL") == 0)
        return true;
    if (strcmp(event->name, "PROCESS_STATE_EXITED") != 0)
        return false;
    return !exitwatch->is_unexpected_only || expected == NULL || strcmp(expected, "1") != 0;
}

/* A process that was killed by a signal, or is FATAL without ever having exited with a status, is a failure. */
static int status_of(const struct listener *listener, struct listener_rpc *rpc, const char *namespec, bool is_fatal)
{
    struct rpc_value *info;
    struct error err;

    if (listener_rpc_call(rpc, &info, &err, "supervisor.getProcessInfo", "s", namespec) < 0) {
        listener_log(listener, "%s", err.text);
        return STATUS_FAILURE;
    }
    const int64_t status = listener_number_of(info, "exitstatus");
    rpc_value_free(info);
    if (status < 0 || status > STATUS_MAX || (is_fatal && status == 0))
        return STATUS_FAILURE;
    return (int)status;
}

/* The original knows no exit status but its own. That a shutdown is under way already is as good. */
static int shut_down(const struct listener *listener, struct listener_rpc *rpc, int status, struct error *err)
{
    int outcome = listener_rpc_call(rpc, NULL, err, "supervisor.shutdownWithStatus", "i", status);

    if (outcome < 0 && err->fault == FAULT_UNKNOWN_METHOD) {
        listener_log(listener, "this supervisord cannot end with a status of our choice");
        outcome = listener_rpc_call(rpc, NULL, err, "supervisor.shutdown", "");
    }
    return outcome < 0 && err->fault == FAULT_SHUTDOWN_STATE ? 0 : outcome;
}

/* An event whose shutdown was refused is not rejected: it would come back at once, and for ever. */
static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    const struct exitwatch *exitwatch = context;
    const char *group = listener_event_field(event, "groupname");
    const char *name = listener_event_field(event, "processname");
    const bool is_fatal = strcmp(event->name, "PROCESS_STATE_FATAL") == 0;
    struct error err;

    if (group == NULL || name == NULL || !is_end(exitwatch, event) || !is_watched(exitwatch, group, name))
        return LISTENER_OK;
    char *namespec = text_format("%s:%s", group, name);
    const int status =
        exitwatch->status == STATUS_SAME ? status_of(listener, exitwatch->rpc, namespec, is_fatal) : exitwatch->status;
    listener_log(listener, "%s %s: shutting supervisord down with status %d", namespec,
                 is_fatal ? "is FATAL" : "has exited", status);
    if (shut_down(listener, exitwatch->rpc, status, &err) < 0)
        listener_log(listener, "%s", err.text);
    free(namespec);
    return LISTENER_OK;
}

int main(int count, char **arguments)
{
    static struct exitwatch exitwatch = {.status = STATUS_SAME}; /* for as long as the program */
    struct error err;

    command_line_read(&command, &exitwatch, count, arguments);
    if (!exitwatch.is_any && exitwatch.programs == NULL)
        command_line_refuse(&command, "nothing to watch: neither -p nor -a is given");
    exitwatch.rpc = listener_rpc_new(&err);
    if (exitwatch.rpc == NULL)
        command_line_refuse(&command, "%s", err.text);
    return listener_main(NULL, handle, &exitwatch);
}
