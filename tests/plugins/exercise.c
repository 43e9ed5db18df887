/* A plugin that does as it is told: each part of include/supervisor/plugin.h has a method that uses it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/plugin.h>
#include <unistd.h>

#include "websocket.h"

enum { EVENTS_MAX = 1000, EVENT_SIZE = 256, FILE_MAX_SIZE = 4096 };

struct exercise {
    struct plugin *plugin;
    int64_t count;            /* survives an upgrade */
    char *events[EVENTS_MAX]; /* what was heard, in words; owned */
    size_t event_count;
    struct plugin_subscription *subscription;
    struct plugin_watch *watch; /* of what read_from() opened */
    int fd;
    char received[FILE_MAX_SIZE];
    size_t received_count;
    int cancelled; /* calls whose clients went away */
};

static struct exercise *exercise_of(const struct rpc_call *call)
{
    return rpc_call_context(call);
}

static const char *text_at(const struct rpc_value *params, size_t index)
{
    return rpc_as_string(rpc_array_get(params, index));
}

static enum rpc_outcome done(struct rpc_value **result, struct rpc_value *value)
{
    *result = value;
    return RPC_DONE;
}

/* For functions that give 0 or -1. */
static enum rpc_outcome report(struct rpc_value **result, int outcome)
{
    return outcome < 0 ? RPC_FAILED : done(result, rpc_boolean(true));
}

#define METHOD(name)                                                                     \
    static enum rpc_outcome name(__attribute__((unused)) struct rpc_call *call,          \
                                 __attribute__((unused)) const struct rpc_value *params, \
                                 __attribute__((unused)) struct rpc_value **result, struct error *err)

/* --- answers ------------------------------------------------------------------------------------------------------ */

METHOD(echo)
{
    (void)err;
    return done(result, rpc_value_copy(params));
}

METHOD(name_of_call)
{
    (void)err;
    return done(result, rpc_string(plugin_call_name(call)));
}

METHOD(fail)
{
    error_set(err, "%s", text_at(params, 1));
    err->fault = (enum fault)rpc_as_int(rpc_array_get(params, 0));
    return RPC_FAILED;
}

METHOD(fail_silently)
{
    (void)err;
    return RPC_FAILED;
}

METHOD(answer_nothing)
{
    (void)err;
    return RPC_DONE;
}

METHOD(count)
{
    (void)err;
    return done(result, rpc_int(++exercise_of(call)->count));
}

METHOD(count_cancelled)
{
    (void)err;
    return done(result, rpc_int(exercise_of(call)->cancelled));
}

/* A call that waits for a timer. */
struct waiting {
    struct exercise *exercise;
    struct rpc_call *call;
    struct plugin_timer *timer;
};

static void on_timer(void *context)
{
    struct waiting *waiting = context;

    rpc_call_complete(waiting->call, rpc_string("later"));
    plugin_timer_free(waiting->timer);
    free(waiting);
}

static void on_cancel(void *context)
{
    struct waiting *waiting = context;

    waiting->exercise->cancelled++;
    plugin_timer_free(waiting->timer);
    free(waiting);
}

METHOD(answer_later)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);

    (void)err;
    *waiting = (struct waiting){.exercise = exercise_of(call), .call = call};
    waiting->timer = plugin_timer_new(waiting->exercise->plugin, on_timer, waiting);
    plugin_timer_arm(waiting->timer, 3600 * INT64_C(1000000));
    plugin_timer_disarm(waiting->timer);
    plugin_timer_arm(waiting->timer, rpc_as_int(rpc_array_get(params, 0)) * 1000);
    rpc_call_defer(call, on_cancel, waiting);
    return RPC_LATER;
}

/* --- calls of other methods --------------------------------------------------------------------------------------- */

struct forwarded {
    struct rpc_call *call;
    struct plugin_pending *pending;
};

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    struct forwarded *forwarded = context;

    if (result != NULL)
        rpc_call_complete(forwarded->call, result);
    else
        rpc_call_fail(forwarded->call, err);
    free(forwarded);
}

static void on_forwarded_cancel(void *context)
{
    struct forwarded *forwarded = context;

    plugin_call_cancel(forwarded->pending);
    free(forwarded);
}

/* An answer that comes at once would end the call from within its handler, so it waits for the loop. */
struct forwarding {
    struct exercise *exercise;
    struct forwarded *forwarded;
    struct rpc_value *params;
    struct plugin_timer *timer;
};

static void on_forward(void *context)
{
    struct forwarding *forwarding = context;
    struct forwarded *forwarded = forwarding->forwarded;
    struct rpc_value *params = rpc_value_copy(rpc_array_get(forwarding->params, 1));
    struct plugin_pending *pending;

    rpc_call_defer(forwarded->call, on_forwarded_cancel, forwarded);
    pending = plugin_call(forwarding->exercise->plugin, text_at(forwarding->params, 0), params, on_answer, forwarded);
    if (pending != NULL)
        forwarded->pending = pending;
    rpc_value_free(forwarding->params);
    plugin_timer_free(forwarding->timer);
    free(forwarding);
}

static void on_forward_cancel(void *context)
{
    struct forwarding *forwarding = context;

    rpc_value_free(forwarding->params);
    plugin_timer_free(forwarding->timer);
    free(forwarding->forwarded);
    free(forwarding);
}

METHOD(call_method)
{
    struct forwarding *forwarding = calloc(1, sizeof *forwarding);
    struct exercise *exercise = exercise_of(call);

    (void)err;
    forwarding->exercise = exercise;
    forwarding->forwarded = calloc(1, sizeof *forwarding->forwarded);
    forwarding->forwarded->call = call;
    forwarding->params = rpc_value_copy(params);
    forwarding->timer = plugin_timer_new(exercise->plugin, on_forward, forwarding);
    rpc_call_defer(call, on_forward_cancel, forwarding);
    plugin_timer_arm(forwarding->timer, 0);
    return RPC_LATER;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void on_event(void *context, const struct plugin_event *event)
{
    struct exercise *exercise = context;
    char text[EVENT_SIZE];
    size_t length;
    char *payload = plugin_event_payload(event, &length);

    free(payload);
    if (exercise->event_count == EVENTS_MAX)
        return;
    snprintf(text, sizeof text, "%s %s:%s pid=%d from=%s tries=%d expected=%d bytes=%.*s type=%s tick=%d payload=%zu",
             event_type_name(event->type), event->group != NULL ? event->group : "",
             event->process != NULL ? event->process : "", event->pid > 0, process_state_name(event->from),
             event->tries, event->is_expected, (int)event->length, event->bytes != NULL ? event->bytes : "",
             event->remote_type != NULL ? event->remote_type : "", event->tick > 0, length);
    exercise->events[exercise->event_count++] = strdup(text);
}

METHOD(subscribe)
{
    struct exercise *exercise = exercise_of(call);
    const int type = event_type_by_name(text_at(params, 0));

    if (type < 0) {
        error_set_fault(err, FAULT_BAD_ARGUMENTS, "BAD_ARGUMENTS: %s", text_at(params, 0));
        return RPC_FAILED;
    }
    plugin_unsubscribe(exercise->subscription);
    exercise->subscription = plugin_subscribe(exercise->plugin, event_mask((enum event_type)type), on_event, exercise);
    return done(result, rpc_boolean(true));
}

METHOD(unsubscribe)
{
    struct exercise *exercise = exercise_of(call);

    (void)err;
    plugin_unsubscribe(exercise->subscription);
    exercise->subscription = NULL;
    return done(result, rpc_boolean(true));
}

METHOD(events)
{
    struct exercise *exercise = exercise_of(call);

    (void)err;
    *result = rpc_array(exercise->event_count);
    for (size_t i = 0; i < exercise->event_count; i++) {
        rpc_array_append(*result, rpc_string(exercise->events[i]));
        free(exercise->events[i]);
    }
    exercise->event_count = 0;
    return RPC_DONE;
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

static void add_group_name(void *context, const struct plugin_group *group)
{
    char text[EVENT_SIZE];

    snprintf(text, sizeof text, "%s priority=%d processes=%zu alive=%d", group->name, group->priority,
             group->process_count, group->is_alive);
    rpc_array_append(context, rpc_string(text));
}

METHOD(groups)
{
    (void)err;
    *result = rpc_array(4);
    plugin_visit_groups(exercise_of(call)->plugin, add_group_name, *result);
    return RPC_DONE;
}

static struct rpc_value *describe(const struct plugin_process *process)
{
    struct rpc_value *described = rpc_struct(8);

    rpc_struct_set_static(described, "group", rpc_string(process->group));
    rpc_struct_set_static(described, "name", rpc_string(process->name));
    rpc_struct_set_static(described, "program", rpc_string(process->program));
    rpc_struct_set_static(described, "state", rpc_string(process_state_name(process->state)));
    rpc_struct_set_static(described, "pid", rpc_int(process->pid));
    rpc_struct_set_static(described, "start", rpc_double((double)process->start_us / 1e6));
    rpc_struct_set_static(described, "stop", rpc_double((double)process->stop_us / 1e6));
    rpc_struct_set_static(described, "exitstatus", rpc_int(process->exitstatus));
    rpc_struct_set_static(described, "spawn_error", rpc_string(process->spawn_error));
    rpc_struct_set_static(described, "extra_arguments",
                          process->extra_arguments != NULL ? rpc_string(process->extra_arguments) : rpc_nil());
    return described;
}

static void add_process(void *context, const struct plugin_process *process)
{
    rpc_array_append(context, describe(process));
}

METHOD(processes)
{
    const char *group = text_at(params, 0);

    (void)err;
    *result = rpc_array(4);
    plugin_visit_processes(exercise_of(call)->plugin, group[0] != '\0' ? group : NULL, add_process, *result);
    return RPC_DONE;
}

METHOD(find)
{
    struct plugin_process process;
    struct plugin_group group;

    (void)err;
    if (!plugin_find_group(exercise_of(call)->plugin, text_at(params, 0), &group) ||
        !plugin_find_process(exercise_of(call)->plugin, text_at(params, 0), text_at(params, 1), &process))
        return done(result, rpc_nil());
    return done(result, describe(&process));
}

METHOD(read_program)
{
    struct rpc_value *program = plugin_read_program(exercise_of(call)->plugin, text_at(params, 0), text_at(params, 1));

    (void)err;
    return done(result, program != NULL ? program : rpc_nil());
}

METHOD(start)
{
    const char *extra = text_at(params, 2);

    return report(result, plugin_start_process(exercise_of(call)->plugin, text_at(params, 0), text_at(params, 1),
                                               extra[0] != '\0' ? extra : NULL, err));
}

METHOD(stop)
{
    return report(result, plugin_stop_process(exercise_of(call)->plugin, text_at(params, 0), text_at(params, 1), err));
}

METHOD(add_group)
{
    return report(result, plugin_add_group(exercise_of(call)->plugin, text_at(params, 0),
                                           (int)rpc_as_int(rpc_array_get(params, 1)), err));
}

METHOD(remove_group)
{
    return report(result, plugin_remove_group(exercise_of(call)->plugin, text_at(params, 0), err));
}

METHOD(add_program)
{
    return plugin_add_program(exercise_of(call)->plugin, text_at(params, 0), text_at(params, 1),
                              rpc_array_get(params, 2), result, err) < 0
               ? RPC_FAILED
               : RPC_DONE;
}

METHOD(remove_process)
{
    return report(result,
                  plugin_remove_process(exercise_of(call)->plugin, text_at(params, 0), text_at(params, 1), err));
}

METHOD(set_numprocs)
{
    return plugin_set_numprocs(exercise_of(call)->plugin, text_at(params, 0), (int)rpc_as_int(rpc_array_get(params, 1)),
                               result, err) < 0
               ? RPC_FAILED
               : RPC_DONE;
}

/* --- descriptors and files ---------------------------------------------------------------------------------------- */

static void on_readable(void *context, unsigned ready)
{
    struct exercise *exercise = context;
    const size_t room = sizeof exercise->received - exercise->received_count;
    ssize_t count;

    if ((ready & PLUGIN_READABLE) == 0)
        return;
    count = read(exercise->fd, exercise->received + exercise->received_count, room);
    if (count > 0)
        exercise->received_count += (size_t)count;
    else
        plugin_watch_change(exercise->watch, 0);
}

METHOD(read_from)
{
    struct exercise *exercise = exercise_of(call);

    exercise->fd = open(text_at(params, 0), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (exercise->fd < 0)
        return report(result, error_from_errno(err, errno, "cannot open %s", text_at(params, 0)));
    exercise->watch = plugin_watch_new(exercise->plugin, exercise->fd, PLUGIN_READABLE, on_readable, exercise);
    if (exercise->watch == NULL)
        return report(result, error_set_fault(err, FAULT_FAILED, "FAILED: cannot be watched"));
    return done(result, rpc_boolean(true));
}

METHOD(received)
{
    const struct exercise *exercise = exercise_of(call);

    (void)err;
    return done(result, rpc_string_bytes(exercise->received, exercise->received_count));
}

METHOD(write_file)
{
    const struct rpc_value *text = rpc_array_get(params, 1);

    err->fault = FAULT_FAILED;
    return report(result, plugin_write_file(text_at(params, 0), rpc_as_string(text), rpc_string_length(text), err));
}

METHOD(read_file)
{
    char *bytes;
    size_t length;

    err->fault = FAULT_NO_FILE;
    if (plugin_read_file(text_at(params, 0), FILE_MAX_SIZE, &bytes, &length, err) < 0)
        return RPC_FAILED;
    return done(result, rpc_string_take(bytes, length));
}

METHOD(section)
{
    const struct plugin *plugin = exercise_of(call)->plugin;
    struct rpc_value *options = rpc_struct(4);

    (void)err;
    for (size_t i = 0; i < plugin_option_count(plugin); i++)
        rpc_struct_set(options, plugin_option_key(plugin, i), rpc_string(plugin_option_value(plugin, i)));
    *result = rpc_struct(8);
    rpc_struct_set_static(*result, "namespace", rpc_string(plugin_namespace(plugin)));
    rpc_struct_set_static(*result, "factory", rpc_string(plugin_factory(plugin)));
    rpc_struct_set_static(*result, "options", options);
    rpc_struct_set_static(*result, "identifier", rpc_string(plugin_identifier(plugin)));
    rpc_struct_set_static(*result, "server_url", rpc_string(plugin_server_url(plugin)));
    rpc_struct_set_static(*result, "version", rpc_string(plugin_version(plugin)));
    rpc_struct_set_static(*result, "state", rpc_string(supervisor_state_name(plugin_daemon_state(plugin))));
    return RPC_DONE;
}

/* --- HTTP --------------------------------------------------------------------------------------------------------- */

static void handle_request(struct http_request *request, void *context)
{
    const char *query = http_request_query(request, "q");
    size_t length;
    const char *body = http_request_body(request, &length);
    char *text;
    const int size = asprintf(&text, "%s %s q=%s may_change=%d body=%.*s\n", http_request_method(request),
                              http_request_path(request), query != NULL ? query : "", http_request_may_change(request),
                              (int)length, body != NULL ? body : "");

    (void)context;
    if (size < 0)
        abort();
    http_respond(request, 200, "text/plain", text, (size_t)size);
}

static void handle_socket(struct http_request *request, void *context)
{
    websocket_echo(((struct exercise *)context)->plugin, request);
}

static const struct http_route routes[] = {
    {HTTP_PREFIX, "/exercise/echo", "GET POST", 1000, handle_request},
    {HTTP_EXACT, "/exercise/socket", "GET", 0, handle_socket},
};

/* --- the plugin --------------------------------------------------------------------------------------------------- */

#define STRINGS2 "string string"
#define STRINGS3 "string string string"

static const struct rpc_method methods[] = {
    {"echo", "array", "", "Answers what it is given.", RPC_TAKES_ANY | RPC_READS, echo},
    {"nameOfCall", "string", "", "Its own name.", RPC_READS, name_of_call},
    {"fail", "boolean int string", "code, text", "Fails as it is told.", RPC_READS, fail},
    {"failSilently", "boolean", "", "Fails without a word.", RPC_READS, fail_silently},
    {"answerNothing", "nil", "", "Succeeds without an answer.", RPC_READS, answer_nothing},
    {"count", "int", "", "How often it was called.", 0, count},
    {"countCancelled", "int", "", "How many clients went away.", RPC_ALSO_IN_SHUTDOWN, count_cancelled},
    {"answerLater", "string int", "milliseconds=10", "Answers after a while.", 0, answer_later},
    {"callMethod", "string* string array", "method, params", "Calls another method.", 0, call_method},
    {"subscribe", "boolean string", "type", "Hears of events.", 0, subscribe},
    {"unsubscribe", "boolean", "", "Hears no more.", 0, unsubscribe},
    {"events", "array", "", "What was heard since the last time.", 0, events},
    {"groups", "array", "", "The groups.", 0, groups},
    {"processes", "array string", "group=", "The processes of a group, or all.", 0, processes},
    {"find", "struct " STRINGS2, "group, name", "One process.", 0, find},
    {"readProgram", "struct " STRINGS2, "group, name", "Its options.", 0, read_program},
    {"start", "boolean " STRINGS3, "group, name, extra=", "Starts a process.", 0, start},
    {"stop", "boolean " STRINGS2, "group, name", "Stops it.", 0, stop},
    {"addGroup", "boolean string int", "name, priority=999", "Adds a group.", 0, add_group},
    {"removeGroup", "boolean string", "name", "Removes it.", 0, remove_group},
    {"addProgram", "array " STRINGS2 " struct*", "group, program, options", "Adds processes.", 0, add_program},
    {"removeProcess", "boolean " STRINGS2, "group, name", "Removes one.", 0, remove_process},
    {"setNumprocs", "struct string int", "program, numprocs", "Changes numprocs.", 0, set_numprocs},
    {"readFrom", "boolean string", "path", "Reads from a FIFO.", 0, read_from},
    {"received", "string", "", "What was read.", 0, received},
    {"writeFile", "boolean " STRINGS2, "path, text", "Writes a file.", 0, write_file},
    {"readFile", "string string", "path", "Reads a file.", 0, read_file},
    {"section", "struct", "", "What it knows of its section.", 0, section},
};

static void take_over(struct exercise *exercise)
{
    const struct rpc_value *taken = plugin_handed_over(exercise->plugin);

    if (taken != NULL && rpc_value_type(taken) == RPC_INT)
        exercise->count = rpc_as_int(taken);
}

static int refuse_on_demand(struct plugin *plugin, struct error *err)
{
    static const char *const known[] = {"text", "refuse", "silently", "strict", NULL};

    if (plugin_option(plugin, "silently") != NULL)
        return -1;
    if (plugin_option(plugin, "refuse") != NULL)
        return error_set(err, "%s", plugin_option(plugin, "refuse"));
    return plugin_option(plugin, "strict") != NULL ? plugin_check_options(plugin, known, err) : 0;
}

static void *exercise_open(struct plugin *plugin, struct error *err)
{
    static const char page[] = "a page of a plugin\n";
    struct exercise *exercise;

    if (refuse_on_demand(plugin, err) < 0)
        return NULL;
    exercise = calloc(1, sizeof *exercise);
    exercise->plugin = plugin;
    exercise->fd = -1;
    take_over(exercise);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        plugin_add_route(plugin, &routes[i], exercise);
    plugin_add_page(plugin, "/exercise/page", "text/plain", page, sizeof page - 1);
    if (plugin_add_methods(plugin, methods, sizeof methods / sizeof methods[0], exercise, err) == 0)
        return exercise;
    free(exercise);
    return NULL;
}

static void exercise_close(void *context)
{
    struct exercise *exercise = context;

    for (size_t i = 0; i < exercise->event_count; i++)
        free(exercise->events[i]);
    if (exercise->fd >= 0)
        close(exercise->fd);
    log_info("%s says good-bye", plugin_namespace(exercise->plugin));
    free(exercise);
}

static struct rpc_value *exercise_hand_over(void *context)
{
    return rpc_int(((struct exercise *)context)->count);
}

const struct supervisor_plugin supervisor_plugin = {
    .version = SUPERVISOR_PLUGIN_VERSION,
    .open = exercise_open,
    .close = exercise_close,
    .hand_over = exercise_hand_over,
};
