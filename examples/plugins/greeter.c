/*
 * A small extension of supervisord: methods, options, events, a timer, and what survives an upgrade. Built anywhere:
 *
 *     cc -std=gnu17 -shared -fPIC -o greeter.so greeter.c
 *
 * (with -I DIRECTORY when the headers are not installed where the compiler looks), and loaded by
 *
 *     [supervisord]
 *     plugin_path = /where/greeter.so/is
 *
 *     [rpcinterface:greeter]
 *     supervisor.rpcinterface_factory = greeter
 *     greeting = Good morning
 *     report_every = 60
 *
 * Then http://localhost:9001/RPC2 has greeter.hello and greeter.countStarts, `system.methodHelp` explains them, and the
 * activity log says once a minute how many processes have been started, if there were any.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/plugin.h>

/* One section of the configuration at work. Several sections may name the same plugin: there are no globals. */
struct greeter {
    const char *greeting; /* the daemon keeps the section's values until close() */
    long report_every;    /* seconds; 0: never */
    int64_t starts;       /* processes started since the daemon began */
    int64_t reported;     /* how many of them the last report knew of */
    struct plugin_timer *timer;
};

/* --- methods ------------------------------------------------------------------------------------------------------ */

/*
 * The daemon has compared the parameters with the signature and has filled in what was left out, so there is nothing to
 * check. The result becomes the daemon's.
 */
static enum rpc_outcome hello(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                              struct error *err)
{
    const struct greeter *greeter = rpc_call_context(call);
    const char *name = rpc_as_string(rpc_array_get(params, 0));
    char text[200];

    if (name[0] == '\0') {
        error_set_fault(err, FAULT_BAD_NAME, "BAD_NAME: nobody has an empty name");
        return RPC_FAILED; /* the client gets a fault: its number and this text */
    }
    snprintf(text, sizeof text, "%s, %s!", greeter->greeting, name);
    *result = rpc_string(text);
    return RPC_DONE;
}

static enum rpc_outcome count_starts(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                     struct error *err)
{
    const struct greeter *greeter = rpc_call_context(call);

    (void)params;
    (void)err;
    *result = rpc_int(greeter->starts);
    return RPC_DONE;
}

/* What system.listMethods, methodSignature and methodHelp say of them. RPC_READS: also for accounts that only look. */
static const struct rpc_method methods[] = {
    {.name = "hello",
     .signature = "string string", /* the result first, then the parameters */
     .params = "name=world",
     .help = "Greets somebody.",
     .flags = RPC_READS,
     .call = hello},
    {.name = "countStarts",
     .signature = "int",
     .help = "How many processes have been started so far.",
     .flags = RPC_READS,
     .call = count_starts},
};

/* --- events and timers -------------------------------------------------------------------------------------------- */

static void on_starting(void *context, const struct plugin_event *event)
{
    struct greeter *greeter = context;

    log_debug("greeter: %s:%s is being started", event->group, event->process);
    /* The timer runs while there is something to report: a daemon with nothing to do shall not wake up. */
    if (greeter->starts++ == greeter->reported && greeter->report_every > 0)
        plugin_timer_arm(greeter->timer, greeter->report_every * INT64_C(1000000));
}

static void report(void *context)
{
    struct greeter *greeter = context;

    log_info("greeter: %lld processes started", (long long)(greeter->starts - greeter->reported));
    greeter->reported = greeter->starts;
}

/* --- from open to close ------------------------------------------------------------------------------------------- */

static int read_options(struct greeter *greeter, const struct plugin *plugin, struct error *err)
{
    static const char *const known[] = {"greeting", "report_every", NULL};
    const char *greeting = plugin_option(plugin, "greeting");
    const char *report_every = plugin_option(plugin, "report_every");
    char *end = NULL;

    greeter->greeting = greeting != NULL ? greeting : "Hello";
    if (report_every != NULL) {
        errno = 0;
        greeter->report_every = strtol(report_every, &end, 10);
        if (errno != 0 || end == report_every || *end != '\0' || greeter->report_every < 0 ||
            greeter->report_every > 86400)
            return error_set(err, "report_every=%s: seconds are wanted, at most 86400", report_every);
    }
    return plugin_check_options(plugin, known, err); /* a misspelt option is an error, not a riddle */
}

/* What this returns is the `context` of everything else. NULL with *err: the daemon says why, and does not start. */
static void *open_greeter(struct plugin *plugin, struct error *err)
{
    const struct rpc_value *handed_over = plugin_handed_over(plugin);
    struct greeter *greeter = calloc(1, sizeof *greeter);

    if (greeter == NULL) {
        error_from_errno(err, errno, "cannot begin");
        return NULL;
    }
    if (read_options(greeter, plugin, err) < 0 ||
        plugin_add_methods(plugin, methods, sizeof methods / sizeof methods[0], greeter, err) < 0) {
        free(greeter);
        return NULL;
    }
    if (handed_over != NULL && rpc_value_type(handed_over) == RPC_INT) /* we take over in an upgrade */
        greeter->starts = greeter->reported = rpc_as_int(handed_over);
    greeter->timer = plugin_timer_new(plugin, report, greeter);
    plugin_subscribe(plugin, event_mask(EVENT_TYPE_PROCESS_STATE_STARTING), on_starting, greeter);
    return greeter;
}

/* Methods, subscriptions and timers go by themselves. */
static void close_greeter(void *context)
{
    free(context);
}

static struct rpc_value *hand_over_greeter(void *context)
{
    const struct greeter *greeter = context;

    return rpc_int(greeter->starts);
}

const struct supervisor_plugin supervisor_plugin = {
    .version = SUPERVISOR_PLUGIN_VERSION,
    .open = open_greeter,
    .close = close_greeter,
    .hand_over = hand_over_greeter,
};
