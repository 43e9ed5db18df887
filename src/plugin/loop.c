/* Timers and descriptors of plugins. */
#include <stdlib.h>

#include "base/loop.h"
#include "plugin/internal.h"

struct plugin_timer {
    struct plugin *plugin;
    struct event *event; /* owned */
    void (*handler)(void *context);
    void *context;
    struct plugin_timer *prev, *next;
};

struct plugin_watch {
    struct plugin *plugin;
    struct event *event; /* owned */
    void (*handler)(void *context, unsigned ready);
    void *context;
    struct plugin_watch *prev, *next;
};

/* --- timers ------------------------------------------------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    const struct plugin_timer *timer = context;

    (void)fd;
    (void)what;
    timer->handler(timer->context);
}

struct plugin_timer *plugin_timer_new(struct plugin *plugin, void (*handler)(void *context), void *context)
{
    struct plugin_timer *timer = xcalloc(1, sizeof *timer);

    *timer = (struct plugin_timer){.plugin = plugin, .handler = handler, .context = context};
    timer->event = loop_timer_new(plugin->host->supervisor->loop, on_timer, timer);
    DL_APPEND(plugin->timers, timer);
    return timer;
}

void plugin_timer_arm(struct plugin_timer *timer, int64_t microseconds)
{
    loop_timer_arm(timer->event, microseconds > 0 ? microseconds : 0);
}

void plugin_timer_disarm(struct plugin_timer *timer)
{
    event_del(timer->event);
}

void plugin_timer_free(struct plugin_timer *timer)
{
    if (timer == NULL)
        return;
    DL_DELETE(timer->plugin->timers, timer);
    event_free(timer->event);
    free(timer);
}

/* --- descriptors -------------------------------------------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    const struct plugin_watch *watch = context;
    const unsigned readable = (what & EV_READ) != 0 ? PLUGIN_READABLE : 0;
    const unsigned writable = (what & EV_WRITE) != 0 ? PLUGIN_WRITABLE : 0;

    (void)fd;
    watch->handler(watch->context, readable | writable);
}

/* False when the system cannot wait for such a descriptor. */
static bool want(struct plugin_watch *watch, int fd, unsigned wanted)
{
    const int readable = (wanted & PLUGIN_READABLE) != 0 ? EV_READ : 0;
    const int writable = (wanted & PLUGIN_WRITABLE) != 0 ? EV_WRITE : 0;

    event_del(watch->event);
    event_assign(watch->event, watch->plugin->host->supervisor->loop, fd, (short)(readable | writable | EV_PERSIST),
                 on_ready, watch);
    return (readable | writable) == 0 || event_add(watch->event, NULL) == 0;
}

struct plugin_watch *plugin_watch_new(struct plugin *plugin, int fd, unsigned wanted,
                                      void (*handler)(void *context, unsigned ready), void *context)
{
    struct plugin_watch *watch = xcalloc(1, sizeof *watch);

    *watch = (struct plugin_watch){.plugin = plugin, .handler = handler, .context = context};
    watch->event = loop_event_new(plugin->host->supervisor->loop, fd, EV_READ | EV_PERSIST, on_ready, watch);
    DL_APPEND(plugin->watches, watch);
    if (want(watch, fd, wanted))
        return watch;
    plugin_watch_free(watch);
    return NULL;
}

void plugin_watch_change(struct plugin_watch *watch, unsigned wanted)
{
    (void)want(watch, event_get_fd(watch->event), wanted);
}

void plugin_watch_free(struct plugin_watch *watch)
{
    if (watch == NULL)
        return;
    DL_DELETE(watch->plugin->watches, watch);
    event_free(watch->event);
    free(watch);
}

void plugin_release_loop(struct plugin *plugin)
{
    struct plugin_timer *timer;
    struct plugin_timer *next_timer;
    struct plugin_watch *watch;
    struct plugin_watch *next_watch;

    DL_FOREACH_SAFE (plugin->timers, timer, next_timer)
        plugin_timer_free(timer);
    DL_FOREACH_SAFE (plugin->watches, watch, next_watch)
        plugin_watch_free(watch);
}
