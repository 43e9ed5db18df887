#include "supervisord/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/signals.h"
#include "base/version.h"
#include "config/handover.h"
#include "event/ticks.h"
#include "http/logtail.h"
#include "http/rpc_endpoint.h"
#include "http/server.h"
#include "listener/listeners.h"
#include "output/activity.h"
#include "output/automatic.h"
#include "plugin/plugins.h"
#include "process/handover.h"
#include "process/supervisor.h"
#include "supervisord/detach.h"
#include "supervisord/footprint.h"
#include "supervisord/pidfile.h"
#include "supervisord/privileges.h"
#include "supervisord/upgrade.h"
#include "web/web.h"

/* How long clients may take to fetch their last answers. */
enum { DRAIN_MS = 1000 };

/* How long calls that wait may hold up an upgrade: what they asked for goes on without them then. */
enum { UPGRADE_PATIENCE_S = 60 };

/* What each signal means to us (manual 1.3.4), and SIGUSR1: an upgrade. */
static const int watched_signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
enum { WATCHED_COUNT = sizeof watched_signals / sizeof watched_signals[0] };

/* A configured server and its sockets. */
struct endpoint {
    const struct config_server *config;
    int fds[2];
};

/* An upgrade that was asked for: it begins as soon as no client waits for an answer. */
struct upgrade {
    struct event *turn;    /* owned */
    struct rpc_call *call; /* who asked for it; NULL: a signal, or a client that is gone */
    int64_t until_us;      /* monotonic: when it begins whoever waits; 0: none was asked for */
    bool is_due;
};

struct daemon {
    const struct command_line *line;
    const char *path;
    enum daemon_start start;
    struct config *config; /* owned; kept for the servers, which borrow from it, beyond a reloadConfig */
    struct api_context api;
    struct event_base *loop;
    struct event *signals[WATCHED_COUNT];
    struct supervisor *supervisor;
    struct listeners *listeners;
    struct ticks *ticks;
    struct rpc_registry *registry;
    struct http_server *server;
    struct web *web;
    struct plugins *plugins; /* owned */
    struct endpoint *endpoints;
    size_t endpoint_count;
    struct upgrade upgrade;
    bool has_pidfile;
    bool has_ended; /* all processes are down */
};

/* --- the configuration -------------------------------------------------------------------------------------------- */

static bool is_event(const char *name)
{
    return event_type_by_name(name) >= 0;
}

struct config *daemon_load_config(const struct command_line *line, const char *path, bool want_remarks,
                                  struct error *err)
{
    const struct config_load_options options = {
        .overrides = line->overrides,
        .override_count = line->override_count,
        .want_remarks = want_remarks,
        .is_event = is_event,
    };
    struct config *config = config_load(path, &options, err);

    if (config != NULL && plugins_check(config, err) < 0) {
        config_unref(config);
        return NULL;
    }
    return config;
}

static struct config *load_again(void *context, struct error *err)
{
    const struct daemon *daemon = context;

    return daemon_load_config(daemon->line, daemon->path, false, err);
}

/* With the overrides of the command line, and one more. */
static struct config *load_with(void *context, const struct config_override *override, struct error *err)
{
    const struct daemon *daemon = context;
    struct command_line line = *daemon->line;

    line.overrides[line.override_count++] = *override;
    return daemon_load_config(&line, daemon->path, false, err);
}

/* --- signals ------------------------------------------------------------------------------------------------------ */

static void reopen_logs(struct daemon *daemon)
{
    struct error err;

    log_info("received SIGUSR2 indicating log reopen request");
    if (activity_log_reopen(&err) < 0)
        log_error("cannot reopen the activity log: %s", err.text);
    supervisor_reopen_logs(daemon->supervisor);
    log_info("supervisord logreopen");
}

static void ask_restart(struct daemon *daemon)
{
    if (daemon->supervisor->state == SUPERVISOR_SHUTDOWN) {
        log_warn("ignored SIGHUP indicating restart request (shutdown in progress)");
        return;
    }
    log_warn("received SIGHUP indicating restart request");
    supervisor_stop(daemon->supervisor, SUPERVISOR_RESTARTING);
}

static void ask_upgrade(struct daemon *daemon);

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct daemon *daemon = context;

    (void)what;
    switch (number) {
    case SIGUSR2:
        reopen_logs(daemon);
        break;
    case SIGHUP:
        ask_restart(daemon);
        break;
    case SIGUSR1:
        ask_upgrade(daemon);
        break;
    default:
        log_warn("received %s indicating exit request", signal_name(number));
        supervisor_stop(daemon->supervisor, SUPERVISOR_SHUTDOWN);
        break;
    }
}

/*
 * While there is nobody to hear them, coming up and between two lives, signals wait: one that comes then must not end
 * us with a socket left behind, nor be lost.
 */
static void hold_signals(int how)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGCHLD);
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        sigaddset(&held, watched_signals[i]);
    sigprocmask(how, &held, NULL);
}

static int watch_signals(struct daemon *daemon, struct error *err)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log that hits RLIMIT_FSIZE is a failing log, not our end */
    for (size_t i = 0; i < WATCHED_COUNT; i++) {
        daemon->signals[i] = evsignal_new(daemon->loop, watched_signals[i], on_signal, daemon);
        if (daemon->signals[i] == NULL || event_add(daemon->signals[i], NULL) < 0)
            return error_set(err, "cannot watch for %s", signal_name(watched_signals[i]));
    }
    if (supervisor_watch_children(daemon->supervisor, err) < 0)
        return -1;
    hold_signals(SIG_UNBLOCK);
    return 0;
}

static void on_stopped(void *context)
{
    struct daemon *daemon = context;

    daemon->has_ended = true;
    event_base_loopexit(daemon->loop, NULL); /* no break: calls that waited for the last process answer in this turn */
}

/* --- an upgrade: what is handed over ------------------------------------------------------------------------------ */

static void hand_over_endpoints(struct daemon *daemon, struct handover *handover)
{
    (void)handover_open_list(handover, "endpoints", daemon->endpoint_count);
    for (size_t i = 0; i < daemon->endpoint_count; i++) {
        handover_open_next(handover);
        http_socket_hand_over(daemon->endpoints[i].config, daemon->endpoints[i].fds, handover);
        handover_close(handover);
    }
    handover_close(handover);
}

/* The model that was read last, when it is not that of the start. */
static void hand_over_newest(struct daemon *daemon, struct handover *handover)
{
    if (!handover_flag(handover, "was_reread", daemon->api.config != daemon->config))
        return;
    if (handover_is_taking(handover))
        config_unref(daemon->api.config);
    config_hand_over(handover, "newest", &daemon->api.config);
    supervisor_configure(daemon->supervisor, daemon->api.config);
}

/* All but the model of the start, from which what takes is made. */
static void hand_over_state(struct daemon *daemon, struct handover *handover)
{
    daemon->has_pidfile = handover_flag(handover, "has_pidfile", daemon->has_pidfile);
    hand_over_endpoints(daemon, handover);
    hand_over_newest(daemon, handover);
    supervisor_hand_over(daemon->supervisor, daemon->api.config, handover);
    listeners_hand_over(daemon->listeners, handover);
    plugins_hand_over(daemon->plugins, handover);
    ticks_hand_over(daemon->ticks, handover);
}

static struct handover *give(struct daemon *daemon)
{
    struct handover *handover = handover_new();
    CLEANUP_FREE char *path = xstrdup(daemon->path);

    handover_text(handover, "path", &path);
    config_hand_over(handover, "config", &daemon->config);
    hand_over_state(daemon, handover);
    return handover;
}

/* --- an upgrade: when --------------------------------------------------------------------------------------------- */

/* Clients that wait, beside the one that waits for the upgrade. */
static bool has_waiting_clients(const struct daemon *daemon)
{
    return http_server_count_waiting(daemon->server) > (daemon->upgrade.call != NULL);
}

static void on_upgrade_turn(evutil_socket_t fd, short what, void *context)
{
    struct daemon *daemon = context;
    const int64_t left_us = daemon->upgrade.until_us - clock_monotonic_us();

    (void)fd;
    (void)what;
    if (has_waiting_clients(daemon) && left_us > 0) {
        loop_timer_arm(daemon->upgrade.turn, left_us);
        return;
    }
    daemon->upgrade.is_due = true;
    event_base_loopbreak(daemon->loop);
}

/* One client fewer waits. */
static void on_request_completed(void *context)
{
    struct daemon *daemon = context;

    if (daemon->upgrade.until_us != 0)
        loop_timer_arm_next_turn(daemon->upgrade.turn);
}

static void begin_upgrade(struct daemon *daemon, struct rpc_call *call)
{
    daemon->upgrade.call = call;
    daemon->upgrade.until_us = clock_monotonic_us() + UPGRADE_PATIENCE_S * INT64_C(1000000);
    loop_timer_arm_next_turn(daemon->upgrade.turn);
}

static int refuse_upgrade(const struct daemon *daemon, struct error *err)
{
    if (daemon->supervisor->state != SUPERVISOR_RUNNING)
        return error_set_fault(err, FAULT_SHUTDOWN_STATE, "shutdown in progress");
    if (daemon->upgrade.until_us != 0)
        return error_set_fault(err, FAULT_FAILED, "an upgrade is under way");
    return 0;
}

static void ask_upgrade(struct daemon *daemon)
{
    struct error err;

    if (refuse_upgrade(daemon, &err) < 0) {
        log_warn("ignored SIGUSR1 indicating upgrade request (%s)", err.text);
        return;
    }
    log_info("received SIGUSR1 indicating upgrade request");
    begin_upgrade(daemon, NULL);
}

static void forget_caller(void *context)
{
    struct daemon *daemon = context;

    daemon->upgrade.call = NULL;
}

static int ask_upgrade_by_call(void *context, struct rpc_call *call, struct error *err)
{
    struct daemon *daemon = context;

    if (refuse_upgrade(daemon, err) < 0)
        return -1;
    rpc_call_defer(call, forget_caller, daemon);
    begin_upgrade(daemon, call);
    return 0;
}

/* --- an upgrade: the deed, outside of the loop -------------------------------------------------------------------- */

static void fail_upgrade(struct daemon *daemon, struct error *err)
{
    struct rpc_call *call = daemon->upgrade.call;

    log_error("cannot upgrade, supervisord goes on as it is: %s", err->text);
    daemon->upgrade.call = NULL;
    if (call == NULL)
        return;
    error_prefix(err, "FAILED");
    err->fault = FAULT_FAILED;
    rpc_call_fail(call, err);
}

static int try_upgrade(struct daemon *daemon, struct error *err)
{
    struct handover *handover = give(daemon);
    const int outcome = upgrade_try(handover, err);

    handover_free(handover);
    return outcome;
}

/* The client that asked is answered by this program, as the next one will not know of it. */
static void answer_upgrade(struct daemon *daemon)
{
    struct rpc_call *call = daemon->upgrade.call;

    daemon->upgrade.call = NULL;
    if (call != NULL)
        rpc_call_complete(call, rpc_boolean(true));
    http_server_drain(daemon->server, DRAIN_MS);
}

static void execute_upgrade(struct daemon *daemon, struct error *err)
{
    log_info("supervisord hands over to %s", upgrade_program());
    struct handover *handover = give(daemon);
    upgrade_execute(handover, err);
    handover_free(handover);
    http_server_go_on(daemon->server);
}

/* Comes back when there was no upgrade, or not yet. Signals that come meanwhile are for the program that goes on. */
static void upgrade(struct daemon *daemon)
{
    struct error err;

    hold_signals(SIG_BLOCK);
    daemon->upgrade.is_due = false;
    event_base_loop(daemon->loop, EVLOOP_NONBLOCK); /* those that were heard of before */
    if (has_waiting_clients(daemon) && clock_monotonic_us() < daemon->upgrade.until_us) {
        loop_timer_arm_next_turn(daemon->upgrade.turn);
        hold_signals(SIG_UNBLOCK);
        return;
    }
    if (daemon->supervisor->state != SUPERVISOR_RUNNING) {
        error_set(&err, "shutdown in progress");
    } else if (try_upgrade(daemon, &err) == 0) {
        answer_upgrade(daemon);
        execute_upgrade(daemon, &err);
    }
    fail_upgrade(daemon, &err);
    daemon->upgrade.until_us = 0;
    hold_signals(SIG_UNBLOCK);
}

/* --- coming up ---------------------------------------------------------------------------------------------------- */

static void log_warnings(const struct config *config)
{
    for (size_t i = 0; i < config->warning_count; i++)
        log_warn("%s", config->warnings[i]);
}

static void log_included_files(const struct config *config)
{
    for (size_t i = 0; i < config->included_file_count; i++)
        log_info("Included extra file \"%s\" during parsing", config->included_files[i]);
}

static void log_user(const struct config_daemon *settings)
{
    if (geteuid() == 0 && !settings->user.is_set)
        log_critical("Supervisor is running as root.  Privileges were not dropped because no user is specified in the "
                     "config file.  If you intend to run as root, you can set user=root in the config file to avoid "
                     "this message.");
    else if (settings->user.is_set)
        log_info("Set uid to user %ld succeeded", (long)settings->user.uid);
}

/* User, limits and session: once, before the first descriptor or file is the daemon's. */
static int settle(const struct daemon *daemon, struct error *err)
{
    const struct config_daemon *settings = &daemon->config->daemon;

    if (privileges_raise_limits(settings, err) < 0)
        return -1;
    if (!settings->nodaemon && detach_begin(err) < 0)
        return -1;
    if (privileges_drop(settings, err) < 0)
        return -1;
    return settings->nodaemon ? 0 : detach_move(settings, err);
}

static void set_environment(const struct config_environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        setenv(environment->variables[i].name, environment->variables[i].value, 1);
}

static int open_activity_log(const struct daemon *daemon, struct error *err)
{
    const struct config_daemon *settings = &daemon->config->daemon;

    return activity_log_open(settings, settings->nodaemon && !settings->silent, err);
}

static int open_log(const struct daemon *daemon, struct error *err)
{
    if (open_activity_log(daemon, err) < 0)
        return -1;
    log_user(&daemon->config->daemon);
    log_warnings(daemon->config);
    log_included_files(daemon->config);
    return 0;
}

static void allocate_endpoints(struct daemon *daemon)
{
    const struct config *config = daemon->config;

    daemon->endpoints = xcalloc(config->server_count, sizeof *daemon->endpoints);
    for (size_t i = 0; i < config->server_count; i++)
        daemon->endpoints[i].config = &config->servers[i];
}

static int open_endpoints(struct daemon *daemon, struct error *err)
{
    allocate_endpoints(daemon);
    for (size_t i = 0; i < daemon->config->server_count; i++) {
        struct endpoint *endpoint = &daemon->endpoints[i];
        if (http_socket_open(endpoint->config, endpoint->fds, err) < 0)
            return -1;
        daemon->endpoint_count++;
    }
    return 0;
}

static void log_endpoint(const struct config_server *config)
{
    const char *name = config->kind == CONFIG_SERVER_UNIX ? "unix_http_server" : "inet_http_server";

    if (config->username == NULL && config->tls_client_ca == NULL)
        log_critical("Server '%s' running without any HTTP authentication checking", name);
}

static int serve(struct daemon *daemon, struct error *err)
{
    daemon->registry = rpc_registry_new(api_is_stopping, &daemon->api);
    if (plugins_have_main(daemon->config)) {
        api_add_methods(daemon->registry, &daemon->api);
        log_info("RPC interface '" PLUGIN_MAIN_NAMESPACE "' initialized");
    }
    rpc_registry_add_system(daemon->registry);
    daemon->server = http_server_new(daemon->loop);
    rpc_endpoint_add(daemon->server, daemon->registry);
    logtail_add(daemon->server, daemon->supervisor);
    http_server_on_completed(daemon->server, on_request_completed, daemon);
    daemon->web = web_new(daemon->server, daemon->supervisor, daemon->registry);
    for (size_t i = 0; i < daemon->endpoint_count; i++) {
        log_endpoint(daemon->endpoints[i].config);
        if (http_server_serve(daemon->server, daemon->endpoints[i].config, daemon->endpoints[i].fds, err) < 0)
            return -1;
    }
    return 0;
}

static int add_groups(struct daemon *daemon, struct error *err)
{
    static const char *const sections[] = {
        [CONFIG_GROUP_PROGRAM] = "program",
        [CONFIG_GROUP_MIXED] = "group",
        [CONFIG_GROUP_FCGI] = "fcgi-program",
        [CONFIG_GROUP_LISTENER] = "eventlistener",
    };
    const struct config *config = daemon->config;

    for (size_t i = 0; i < config->group_count; i++)
        if (supervisor_add_group(daemon->supervisor, config->groups[i], err) < 0)
            return error_prefix(err, "[%s:%s]", sections[config->groups[i]->kind], config->groups[i]->name);
    return 0;
}

static int make_supervisor(struct daemon *daemon, struct error *err)
{
    daemon->loop = event_base_new();
    if (daemon->loop == NULL)
        return error_from_errno(err, errno, "cannot make an event loop");
    daemon->supervisor = supervisor_new(daemon->loop, &process_system_real);
    daemon->supervisor->on_stopped = on_stopped;
    daemon->supervisor->on_stopped_context = daemon;
    supervisor_configure(daemon->supervisor, daemon->config);
    daemon->listeners = listeners_new(daemon->supervisor);
    daemon->upgrade.turn = loop_timer_new(daemon->loop, on_upgrade_turn, daemon);
    daemon->ticks = ticks_new(daemon->loop, daemon->supervisor->bus, err);
    if (daemon->ticks == NULL)
        return -1;
    daemon->api = (struct api_context){
        .supervisor = daemon->supervisor,
        .config = config_ref(daemon->config),
        .load_config = load_again,
        .upgrade = ask_upgrade_by_call,
        .daemon = daemon,
    };
    return 0;
}

static struct plugin_host describe_host(struct daemon *daemon)
{
    return (struct plugin_host){
        .supervisor = daemon->supervisor,
        .registry = daemon->registry,
        .server = daemon->server,
        .api = &daemon->api,
        .load_config = load_with,
    };
}

static int load_plugins(struct daemon *daemon, struct error *err)
{
    daemon->plugins = plugins_load(daemon->config, err);
    return daemon->plugins != NULL ? 0 : -1;
}

static int open_plugins(struct daemon *daemon, struct error *err)
{
    const struct plugin_host host = describe_host(daemon);

    return plugins_open(daemon->plugins, &host, err);
}

/* A daemon without its file still does its work, so a failure is logged and no more. */
static void write_pidfile(struct daemon *daemon)
{
    struct error err;

    daemon->has_pidfile = pidfile_write(daemon->config->daemon.pidfile, &err) == 0;
    if (!daemon->has_pidfile)
        log_critical("%s", err.text);
}

static void publish_running(struct daemon *daemon)
{
    struct event_occurrence occurrence = {.type = EVENT_TYPE_SUPERVISOR_STATE_CHANGE_RUNNING};

    event_publish(daemon->supervisor->bus, &occurrence);
}

/*
 * Goes on where the program before was. For its processes, listeners and clients nothing has happened, so nothing is
 * published.
 */
static int take_over(struct daemon *daemon, struct handover *handover, struct error *err)
{
    config_hand_over(handover, "config", &daemon->config);
    if (!upgrade_is_trial() && open_activity_log(daemon, err) < 0)
        return -1;
    allocate_endpoints(daemon);
    daemon->endpoint_count = daemon->config->server_count;
    if (load_plugins(daemon, err) < 0 || make_supervisor(daemon, err) < 0)
        return -1;
    hand_over_state(daemon, handover);
    if (handover_check(handover, err) < 0 || watch_signals(daemon, err) < 0 || serve(daemon, err) < 0)
        return -1;
    if (upgrade_is_trial())
        upgrade_end_trial(NULL);
    const struct plugin_host host = describe_host(daemon);
    plugins_open_after_upgrade(daemon->plugins, &host);
    log_info("supervisord %s has taken over, with pid %d", SUPERVISOR_VERSION, (int)getpid());
    return 0;
}

static int come_up(struct daemon *daemon, struct error *err)
{
    daemon->config = load_again(daemon, err);
    if (daemon->config == NULL)
        return -1;
    if (daemon->start == DAEMON_STARTS && settle(daemon, err) < 0)
        return -1;
    set_environment(&daemon->config->daemon.environment);
    hold_signals(SIG_BLOCK);
    if (open_log(daemon, err) < 0 || load_plugins(daemon, err) < 0 || open_endpoints(daemon, err) < 0 ||
        make_supervisor(daemon, err) < 0)
        return -1;
    if (!daemon->config->daemon.nocleanup)
        automatic_log_clean(daemon->config->daemon.childlogdir, daemon->config->daemon.identifier);
    if (watch_signals(daemon, err) < 0 || serve(daemon, err) < 0 || add_groups(daemon, err) < 0 ||
        open_plugins(daemon, err) < 0)
        return -1;
    if (daemon->start == DAEMON_STARTS && !daemon->config->daemon.nodaemon)
        log_info("daemonizing the supervisord process");
    write_pidfile(daemon);
    log_info("supervisord started with pid %d", (int)getpid());
    detach_finish();
    publish_running(daemon);
    return 0;
}

/* --- going down --------------------------------------------------------------------------------------------------- */

static void go_down(struct daemon *daemon)
{
    hold_signals(SIG_BLOCK);
    if (daemon->has_pidfile)
        pidfile_remove(daemon->config->daemon.pidfile);
    if (daemon->server != NULL)
        http_server_on_completed(daemon->server, NULL, NULL);
    http_server_free(daemon->server);
    plugins_free(daemon->plugins);
    web_free(daemon->web);
    for (size_t i = 0; i < daemon->endpoint_count; i++)
        http_socket_close(daemon->endpoints[i].config, daemon->endpoints[i].fds);
    free(daemon->endpoints);
    rpc_registry_free(daemon->registry);
    ticks_free(daemon->ticks);
    listeners_free(daemon->listeners);
    supervisor_free(daemon->supervisor);
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        if (daemon->signals[i] != NULL)
            event_free(daemon->signals[i]);
    if (daemon->upgrade.turn != NULL)
        event_free(daemon->upgrade.turn);
    if (daemon->loop != NULL)
        event_base_free(daemon->loop);
    config_unref(daemon->api.config);
    config_unref(daemon->config);
    activity_log_close();
}

static enum daemon_outcome live(struct daemon *daemon)
{
    footprint_trim();
    while (!daemon->has_ended && event_base_dispatch(daemon->loop) >= 0)
        if (daemon->upgrade.is_due)
            upgrade(daemon);
    if (!daemon->has_ended)
        log_critical("the event loop has failed; processes are left as they are");
    http_server_drain(daemon->server, DRAIN_MS);
    return daemon->supervisor->state == SUPERVISOR_RESTARTING ? DAEMON_RESTARTS : DAEMON_ENDED;
}

static int begin(struct daemon *daemon, struct handover *handover, struct error *err)
{
    const int outcome = handover != NULL ? take_over(daemon, handover, err) : come_up(daemon, err);

    handover_free(handover);
    if (outcome < 0 && upgrade_is_trial())
        upgrade_end_trial(err);
    return outcome;
}

enum daemon_outcome daemon_run(const struct command_line *line, const char *path, enum daemon_start start,
                               struct handover *handover, int *exit_status, struct error *err)
{
    struct daemon daemon = {.line = line, .path = path, .start = start};
    enum daemon_outcome outcome = DAEMON_FAILED;

    if (begin(&daemon, handover, err) == 0)
        outcome = live(&daemon);
    if (outcome == DAEMON_ENDED)
        *exit_status = daemon.supervisor->exit_status;
    go_down(&daemon);
    return outcome;
}
