/* A Python host and the daemon's dealings with it. */
#ifndef PYTHON_HOST_H
#define PYTHON_HOST_H

#include <jansson.h>
#include <supervisor/plugin.h>

#include "channel.h"
#include "child.h"
#include "lines.h"

/* A call of one of the host's methods that it has not answered yet. */
struct waiting_call {
    struct host *host;
    int64_t id;
    struct rpc_call *call;
    struct waiting_call *prev, *next;
};

/* A call of one of the daemon's methods by the host. */
struct host_call {
    struct host *host;
    int64_t id;
    struct plugin_pending *pending; /* NULL while plugin_call() is at work */
    struct host_call *prev, *next;
};

enum host_state {
    HOST_DOWN,   /* there is none; a timer starts the next */
    HOST_BEGINS, /* the factory is at work; a timer limits it */
    HOST_SERVES, /* its methods are known */
    HOST_DOOMED, /* it has been killed and has not ended yet */
};

struct host {
    struct plugin *plugin;
    enum host_state state;
    char *program; /* owned */
    struct child child;
    struct channel channel;
    struct lines printed; /* what has come of its output */
    struct lines_budget budget;
    struct plugin_watch *socket_watch;
    struct plugin_watch *output_watch;
    struct plugin_watch *end_watch;
    unsigned socket_wanted; /* what the watches wait for */
    unsigned output_wanted;
    bool has_no_output;            /* it has closed its stdout and stderr */
    bool is_throttled;             /* it logs too much, and is not read for a moment */
    struct plugin_timer *deadline; /* of a factory, or of a pause */
    struct plugin_timer *throttle; /* until it is read again */
    struct plugin_subscription *subscription;
    struct waiting_call *waiting; /* owned */
    struct host_call *calls;      /* owned */
    unsigned waiting_count;
    unsigned call_count;
    int64_t last_id;
    int64_t begun_us;   /* when it was started */
    unsigned pause;     /* seconds before the next start */
    struct error cause; /* why it ends */
};

/* Kills it, with the reason for the log. */
void host_doom(struct host *host, const struct error *why);

/* Sends a message, which it takes; what fails ends the host. */
void host_send(struct host *host, json_t *message);

/* calls.c: methods both ways. */
int calls_register(struct host *host, const json_t *message, struct error *err);
int calls_take_call(struct host *host, const json_t *message, struct error *err);
int calls_take_answer(struct host *host, const json_t *message, struct error *err);
int calls_take_fault(struct host *host, const json_t *message, struct error *err);
/* Answers all that wait with a fault, and forgets what the host has asked for. */
void calls_forget(struct host *host, const char *why);

/* events.c */
int events_subscribe(struct host *host, const json_t *message, struct error *err);

#endif
