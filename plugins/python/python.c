/*
 * Extensions written in Python. Each section has a process of its own, the host, in which the extension lives; this is
 * the daemon's end: it starts the host, passes calls, answers and events to and fro, and starts it again when it dies.
 * The messages are described in python/supervisor/plugin_host/__init__.py. What the host sends is not trusted.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "value.h"

enum {
    SECOND_US = 1000000,
    BEGIN_SECONDS = 10, /* for the factory */
    PAUSE_MAX_SECONDS = 60,
    STEADY_SECONDS = 60, /* a host that has lived for so long is started again without a long pause */
    END_PATIENCE_MS = 1000,
    PIECE = 16 * 1024, /* of output, read at a time */
    DRAIN_ROUNDS = 64, /* pieces that are still read at its end */
};

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static void update_watches(struct host *host);

void host_doom(struct host *host, const struct error *why)
{
    if (host->state == HOST_DOOMED || host->state == HOST_DOWN)
        return;
    host->state = HOST_DOOMED;
    host->cause = *why;
    child_kill(&host->child);
    update_watches(host);
}

void host_send(struct host *host, json_t *message)
{
    struct error err;

    if (host->state == HOST_DOWN || host->state == HOST_DOOMED) {
        json_decref(message);
        return;
    }
    if (channel_send(&host->channel, message, &err) < 0)
        host_doom(host, &err);
    update_watches(host);
}

/* Keys that begin with "supervisor." are ours; what is left are the factory's keyword arguments. */
static json_t *describe_options(const struct plugin *plugin)
{
    json_t *options = json_object();

    for (size_t i = 0; i < plugin_option_count(plugin); i++) {
        const char *key = plugin_option_key(plugin, i);
        if (strncmp(key, "supervisor.", strlen("supervisor.")) != 0)
            json_object_set_new(options, key, json_string(plugin_option_value(plugin, i)));
    }
    return options;
}

static json_t *describe_start(const struct plugin *plugin)
{
    const char *path = plugin_option(plugin, "supervisor.python_path");

    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s?, s:s, s:s}", "op", "start", "namespace", plugin_namespace(plugin),
                     "factory", plugin_factory(plugin), "options", describe_options(plugin), "identifier",
                     plugin_identifier(plugin), "server_url", plugin_server_url(plugin), "version",
                     plugin_version(plugin), "python_path", path != NULL ? path : "");
}

/* --- what comes --------------------------------------------------------------------------------------------------- */

static int take_register(struct host *host, const json_t *message, struct error *err)
{
    if (host->state != HOST_BEGINS || calls_register(host, message, err) < 0)
        return -1;
    host->state = HOST_SERVES;
    plugin_timer_disarm(host->deadline);
    return 0;
}

static int take_failed(struct host *host, const json_t *message, struct error *err)
{
    const char *text = json_string_value(json_object_get(message, "text"));

    (void)host;
    return error_set(err, "%s", text != NULL ? text : "it does not say why");
}

/* Who logs too much is not read for a moment, and has to wait. */
static void use_budget(struct host *host, unsigned lines)
{
    const int64_t pause = lines_budget_use(&host->budget, lines);

    if (pause == 0 || host->is_throttled)
        return;
    host->is_throttled = true;
    plugin_timer_arm(host->throttle, pause);
}

static void on_throttle(void *context)
{
    struct host *host = context;

    host->is_throttled = false;
    update_watches(host);
}

static enum log_level level_by_name(const char *name)
{
#define LEVEL_VALUE(name, value, code) value,
    static const char *const names[] = {LOG_LEVELS(LEVEL_VALUE)};
#undef LEVEL_VALUE

    for (int level = 0; name != NULL && level < LOG_LEVEL_COUNT; level++)
        if (strcmp(names[level], name) == 0)
            return (enum log_level)level;
    return LOG_LEVEL_INFO;
}

static int take_log(struct host *host, const json_t *message, struct error *err)
{
    const json_t *text = json_object_get(message, "text");
    const enum log_level level = level_by_name(json_string_value(json_object_get(message, "level")));
    struct lines lines = {.name = plugin_namespace(host->plugin)};

    if (!json_is_string(text))
        return error_set(err, "it logs what is no text");
    const unsigned count = lines_add(&lines, level, json_string_value(text), json_string_length(text));
    lines_end(&lines, level);
    use_budget(host, count + 1);
    return 0;
}

static const struct {
    const char *op;
    int (*take)(struct host *host, const json_t *message, struct error *err);
} messages[] = {
    {"answer", calls_take_answer}, {"fault", calls_take_fault},     {"call", calls_take_call}, {"log", take_log},
    {"register", take_register},   {"subscribe", events_subscribe}, {"failed", take_failed},
};

static int take(struct host *host, const json_t *message, struct error *err)
{
    const char *op = json_string_value(json_object_get(message, "op"));

    error_set(err, "it sends a message that has no place here");
    for (size_t i = 0; op != NULL && i < sizeof messages / sizeof messages[0]; i++)
        if (strcmp(messages[i].op, op) == 0)
            return messages[i].take(host, message, err);
    return -1;
}

static bool is_alive(const struct host *host)
{
    return host->state == HOST_BEGINS || host->state == HOST_SERVES;
}

/* Reads a piece, and deals with all messages that are whole now. */
static int receive(struct host *host, struct error *err)
{
    int status = channel_fill(&host->channel, err);
    json_t *message = NULL;

    while (status == 0 && is_alive(host) && (status = channel_next(&host->channel, &message, err)) == 0 &&
           message != NULL) {
        status = take(host, message, err);
        json_decref(message);
    }
    return status;
}

static void on_socket(void *context, unsigned ready)
{
    struct host *host = context;
    struct error err;

    if (((ready & PLUGIN_WRITABLE) != 0 && channel_flush(&host->channel, &err) < 0) ||
        ((ready & PLUGIN_READABLE) != 0 && receive(host, &err) < 0))
        host_doom(host, &err);
    update_watches(host);
}

/* False when there is nothing to read for now. */
static bool read_output(struct host *host)
{
    char piece[PIECE];
    const ssize_t count = read(host->child.output_fd, piece, sizeof piece);

    if (count > 0)
        use_budget(host, lines_add(&host->printed, LOG_LEVEL_INFO, piece, (size_t)count));
    host->has_no_output = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR); /* it may close it */
    return count > 0;
}

static void on_output(void *context, unsigned ready)
{
    struct host *host = context;

    (void)ready;
    (void)read_output(host);
    update_watches(host);
}

static void want(struct plugin_watch *watch, unsigned *before, unsigned wanted)
{
    if (watch == NULL || *before == wanted)
        return;
    *before = wanted;
    plugin_watch_change(watch, wanted);
}

static void update_watches(struct host *host)
{
    const bool writes = is_alive(host) && channel_has_output(&host->channel);
    const bool reads = is_alive(host) && !host->is_throttled;
    const bool listens = !host->has_no_output && !host->is_throttled;

    want(host->socket_watch, &host->socket_wanted, (reads ? PLUGIN_READABLE : 0) | (writes ? PLUGIN_WRITABLE : 0));
    want(host->output_watch, &host->output_wanted, listens ? PLUGIN_READABLE : 0);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void on_end(void *context, unsigned ready);

static int watch(struct host *host, struct error *err)
{
    host->socket_wanted = host->output_wanted = PLUGIN_READABLE;
    host->socket_watch = plugin_watch_new(host->plugin, host->child.socket_fd, PLUGIN_READABLE, on_socket, host);
    host->output_watch = plugin_watch_new(host->plugin, host->child.output_fd, PLUGIN_READABLE, on_output, host);
    host->end_watch = plugin_watch_new(host->plugin, host->child.pidfd, PLUGIN_READABLE, on_end, host);
    if (host->socket_watch == NULL || host->output_watch == NULL || host->end_watch == NULL)
        return error_set(err, "cannot watch the Python host");
    return 0;
}

/* Takes all away that belongs to the host process, which has ended or is about to. */
static void release(struct host *host)
{
    for (int rounds = 0; rounds < DRAIN_ROUNDS && read_output(host); rounds++)
        ;
    lines_end(&host->printed, LOG_LEVEL_INFO);
    plugin_watch_free(host->socket_watch);
    plugin_watch_free(host->output_watch);
    plugin_watch_free(host->end_watch);
    host->socket_watch = host->output_watch = host->end_watch = NULL;
    plugin_unsubscribe(host->subscription);
    host->subscription = NULL;
    plugin_timer_disarm(host->deadline);
    child_release(&host->child);
    channel_release(&host->channel);
    host->state = HOST_DOWN; /* before others hear of it, as they may call again */
    calls_forget(host, "has died");
}

static int start(struct host *host, struct error *err)
{
    const char *interpreter = plugin_option(host->plugin, "supervisor.python");

    if (child_start(&host->child, interpreter != NULL ? interpreter : "python3", host->program, err) < 0)
        return -1;
    host->channel = (struct channel){.fd = host->child.socket_fd};
    host->state = HOST_BEGINS;
    host->has_no_output = false;
    host->begun_us = now_us();
    error_set(&host->cause, "it has ended");
    plugin_timer_arm(host->deadline, (int64_t)BEGIN_SECONDS * SECOND_US);
    if (watch(host, err) < 0) {
        release(host);
        return -1;
    }
    host_send(host, describe_start(host->plugin));
    return 0;
}

static void start_again_later(struct host *host, const struct error *why)
{
    const bool was_steady = now_us() - host->begun_us > (int64_t)STEADY_SECONDS * SECOND_US;

    host->pause = was_steady || host->pause == 0 ? 1 : host->pause * 2;
    if (host->pause > PAUSE_MAX_SECONDS)
        host->pause = PAUSE_MAX_SECONDS;
    log_error("[rpcinterface:%s] its Python host has died: %s; starting another in %u s",
              plugin_namespace(host->plugin), why->text, host->pause);
    plugin_timer_arm(host->deadline, (int64_t)host->pause * SECOND_US);
}

/* What it has sent before its end counts. */
static void receive_rest(struct host *host)
{
    struct error err;

    for (int rounds = 0; rounds < DRAIN_ROUNDS && is_alive(host); rounds++)
        if (receive(host, &err) < 0) {
            if (host->channel.has_ended)
                return;
            host_doom(host, &err);
        }
}

static void on_end(void *context, unsigned ready)
{
    struct host *host = context;

    (void)ready;
    receive_rest(host);
    release(host);
    start_again_later(host, &host->cause);
}

static void on_deadline(void *context)
{
    struct host *host = context;
    struct error err;

    if (host->state == HOST_BEGINS) {
        error_set(&err, "its factory has not returned in %d s", BEGIN_SECONDS);
        host_doom(host, &err);
    } else if (host->state == HOST_DOWN && start(host, &err) < 0) {
        start_again_later(host, &err);
    }
}

/* --- the plugin --------------------------------------------------------------------------------------------------- */

/* Until the factory has returned or failed; the loop does not run yet. */
static void wait_for_methods(struct host *host)
{
    const int64_t limit = now_us() + (int64_t)BEGIN_SECONDS * SECOND_US;

    while (host->state == HOST_BEGINS) {
        struct pollfd fds[] = {
            {host->child.socket_fd, (short)(POLLIN | (channel_has_output(&host->channel) ? POLLOUT : 0)), 0},
            {host->has_no_output ? -1 : host->child.output_fd, POLLIN, 0},
            {host->child.pidfd, POLLIN, 0},
        };
        const int64_t left_ms = (limit - now_us()) / 1000;
        if (left_ms <= 0 || poll(fds, sizeof fds / sizeof fds[0], (int)left_ms) == 0)
            on_deadline(host);
        if (fds[1].revents != 0)
            on_output(host, PLUGIN_READABLE);
        if (fds[0].revents != 0)
            on_socket(host, PLUGIN_READABLE | PLUGIN_WRITABLE);
        else if (fds[2].revents != 0)
            host->state = HOST_DOOMED;
    }
}

static void free_host(struct host *host)
{
    if (host->state != HOST_DOWN) {
        child_end(&host->child, END_PATIENCE_MS);
        release(host);
    }
    free(host->program);
    free(host);
}

static int begin(struct host *host, struct error *err)
{
    host->program = child_find_program(err);
    if (host->program == NULL || start(host, err) < 0)
        return -1;
    wait_for_methods(host);
    if (host->state == HOST_SERVES)
        return 0;
    *err = host->cause;
    return -1;
}

static void *open_plugin(struct plugin *plugin, struct error *err)
{
    struct host *host = calloc(1, sizeof *host);

    if (host == NULL)
        abort();
    *host = (struct host){.plugin = plugin, .child = CHILD_NONE, .printed = {.name = plugin_namespace(plugin)}};
    host->deadline = plugin_timer_new(plugin, on_deadline, host);
    host->throttle = plugin_timer_new(plugin, on_throttle, host);
    if (begin(host, err) == 0)
        return host;
    free_host(host);
    return NULL;
}

static void close_plugin(void *context)
{
    free_host(context);
}

const struct supervisor_plugin supervisor_plugin = {
    .version = SUPERVISOR_PLUGIN_VERSION,
    .open = open_plugin,
    .close = close_plugin,
};
