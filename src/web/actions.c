/*
 * What the buttons of the pages do, and the original's links with ?action=. An action is one or two calls of the
 * XML-RPC interface, so that pages can do nothing else than its clients; the answer comes when the last is complete.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/containers.h"
#include "web/html.h"
#include "web/internal.h"

enum target { TARGET_NONE, TARGET_PROCESS, TARGET_GROUP };
enum { STEPS_MAX = 2 };

static const struct action {
    const char *name;
    enum target target;
    struct {
        const char *method; /* NULL: no more */
        int may_fault;      /* a fault that does not stop the next step; 0: none */
    } steps[STEPS_MAX];
    const char *done; /* before and after the name of the target, or before the time */
    const char *done_end;
} actions[] = {
    {"refresh", TARGET_NONE, {{NULL, 0}}, "Page refreshed at ", ""},
    {"startall", TARGET_NONE, {{"supervisor.startAllProcesses", 0}}, "All started at ", ""},
    {"stopall", TARGET_NONE, {{"supervisor.stopAllProcesses", 0}}, "All stopped at ", ""},
    {"restartall",
     TARGET_NONE,
     {{"supervisor.stopAllProcesses", 0}, {"supervisor.startAllProcesses", 0}},
     "All restarted at ",
     ""},
    {"start", TARGET_PROCESS, {{"supervisor.startProcess", 0}}, "Process ", " started"},
    {"stop", TARGET_PROCESS, {{"supervisor.stopProcess", 0}}, "Process ", " stopped"},
    {"restart",
     TARGET_PROCESS,
     {{"supervisor.stopProcess", FAULT_NOT_RUNNING}, {"supervisor.startProcess", 0}},
     "Process ",
     " restarted"},
    {"clearlog", TARGET_PROCESS, {{"supervisor.clearProcessLogs", 0}}, "Log for ", " cleared"},
    {"startgroup", TARGET_GROUP, {{"supervisor.startProcessGroup", 0}}, "Group ", " started"},
    {"stopgroup", TARGET_GROUP, {{"supervisor.stopProcessGroup", 0}}, "Group ", " stopped"},
    {"restartgroup",
     TARGET_GROUP,
     {{"supervisor.stopProcessGroup", 0}, {"supervisor.startProcessGroup", 0}},
     "Group ",
     " restarted"},
};

/* An action under way. It goes on when its client does not wait for it: half of a restart is a stop. */
struct act {
    struct web *web;
    struct http_request *request; /* NULL: the client has gone */
    const struct action *action;
    char *name; /* owned; of the target, or NULL */
    size_t step;
    size_t failures;       /* of members of a group, or of all processes */
    struct rpc_call *call; /* NULL while none is waited for */
    struct act *prev, *next;
};

static void act_free(struct act *act)
{
    DL_DELETE(act->web->acts, act);
    free(act->name);
    free(act);
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

/* The script of the page wants the message alone; everybody else gets a page that shows it. */
static void respond(struct http_request *request, bool is_done, const char *message)
{
    const char *accept = http_request_header(request, "Accept");
    const bool is_post = strcmp(http_request_method(request), "POST") == 0;
    CLEANUP_FREE char *encoded = html_encode_parameter(message);
    CLEANUP_FREE char *location = xasprintf("./?message=%s", encoded);
    const struct http_header headers[] = {{"Cache-Control", "no-store"}, {"Location", location}};

    if (accept != NULL && strcmp(accept, "text/plain") == 0)
        http_respond(request, is_done ? 200 : 409, "text/plain;charset=utf-8", xstrdup(message), strlen(message));
    else
        http_respond_with(request, is_post ? 303 : 301, headers, sizeof headers / sizeof headers[0], NULL, 0);
}

/* As ctime() writes it. */
static void append_time(UT_string *message)
{
    const time_t now = time(NULL);
    struct tm local;
    char text[64];

    localtime_r(&now, &local);
    (void)strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local);
    utstring_printf(message, "%s", text);
}

static void act_succeed(struct act *act)
{
    UT_string message;

    utstring_init(&message);
    utstring_printf(&message, "%s", act->action->done);
    if (act->name != NULL)
        utstring_printf(&message, "%s", act->name);
    else
        append_time(&message);
    utstring_printf(&message, "%s", act->action->done_end);
    if (act->failures > 0)
        utstring_printf(&message, " (%zu failed)", act->failures);
    if (act->request != NULL)
        respond(act->request, act->failures == 0, utstring_body(&message));
    utstring_done(&message);
    act_free(act);
}

static const char *describe_fault(int fault)
{
    static const struct {
        int fault;
        const char *text;
    } texts[] = {
        {FAULT_NO_FILE, "no such file"},
        {FAULT_NOT_EXECUTABLE, "file not executable"},
        {FAULT_ALREADY_STARTED, "already started"},
        {FAULT_SPAWN_ERROR, "spawn error"},
        {FAULT_ABNORMAL_TERMINATION, "abnormal termination"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].fault == fault)
            return texts[i].text;
    return NULL;
}

static void act_fail(struct act *act, const struct error *err)
{
    const char *name = act->name != NULL ? act->name : "";
    const char *known = describe_fault((int)err->fault);
    CLEANUP_FREE char *message = err->fault == FAULT_BAD_NAME ? xasprintf("No such process named %s", name)
                                 : known != NULL
                                     ? xasprintf("ERROR: Process %s: %s", name, known)
                                     : xasprintf("unexpected rpc fault [%d] %s", (int)err->fault, err->text);

    if (act->request != NULL)
        respond(act->request, false, message);
    act_free(act);
}

/* --- the calls ---------------------------------------------------------------------------------------------------- */

static void act_proceed(struct act *act);

/* Calls about many processes answer with a struct for each. */
static size_t count_failures(const struct rpc_value *result)
{
    size_t failures = 0;

    if (result == NULL || rpc_value_type(result) != RPC_ARRAY)
        return 0;
    for (size_t i = 0; i < rpc_count(result); i++)
        failures += rpc_as_int(rpc_struct_get(rpc_array_get(result, i), "status")) != FAULT_SUCCESS;
    return failures;
}

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    struct act *act = context;
    const int may_fault = act->action->steps[act->step].may_fault;

    act->failures += count_failures(result);
    rpc_value_free(result);
    act->call = NULL;
    act->step++;
    if (err != NULL && (int)err->fault != may_fault)
        act_fail(act, err);
    else
        act_proceed(act);
}

/* The next call, or the answer. It may be the end of `act`. */
static void act_proceed(struct act *act)
{
    const char *method = act->step < STEPS_MAX ? act->action->steps[act->step].method : NULL;

    if (method == NULL) {
        act_succeed(act);
        return;
    }
    struct rpc_value *params = rpc_array(1);
    if (act->name != NULL)
        rpc_array_append(params, rpc_string(act->name));
    struct rpc_call *call = rpc_registry_call(act->web->registry, RPC_CALLER_CHANGES, method, params, on_answer, act);
    if (call != NULL)
        act->call = call;
}

static void on_cancel(void *context)
{
    struct act *act = context;

    act->request = NULL;
}

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

/* Refreshing is no more than looking. */
static bool is_allowed(struct http_request *request, const struct action *action)
{
    if (http_request_is_cross_site(request))
        http_respond_error(request, 403,
                           "actions that come from other sites are refused; the page has buttons for them");
    else if (action->steps[0].method != NULL && !http_request_may_change(request))
        http_respond_error(request, 403, "this account may look, and change nothing");
    else
        return true;
    return false;
}

void web_act(struct web *web, struct http_request *request, const char *name, const char *process, const char *group)
{
    const struct action *action = find_action(name);
    const char *const targets[] = {[TARGET_PROCESS] = process, [TARGET_GROUP] = group};

    if (action == NULL) {
        http_respond_error(request, 400, "no such action");
        return;
    }
    if (action->target != TARGET_NONE && targets[action->target] == NULL) {
        http_respond_error(request, 400, "the action needs a name");
        return;
    }
    if (!is_allowed(request, action))
        return;

    struct act *act = xcalloc(1, sizeof *act);
    act->web = web;
    act->request = request;
    act->action = action;
    act->name = xstrdup_or_null(targets[action->target]);
    DL_APPEND(web->acts, act);
    http_request_on_cancel(request, on_cancel, act);
    act_proceed(act);
}

void web_forget_acts(struct web *web)
{
    struct act *act;
    struct act *next;

    DL_FOREACH_SAFE (web->acts, act, next) {
        if (act->call != NULL)
            rpc_call_cancel(act->call);
        act_free(act);
    }
}
