/*
 * The interface for extensions of supervisord: shared objects that a configuration names in
 *
 *     [rpcinterface:NAMESPACE]
 *     supervisor.rpcinterface_factory = NAME
 *
 * where NAME is that of NAME.so in `plugin_path`, or an absolute path. docs/extending.md takes a newcomer to a first
 * one; examples/plugins/ has one that works. Needed besides: value.h, error.h, rpc.h, event.h, state.h, http.h, log.h
 * of this folder, all of which this header includes.
 *
 * A plugin runs in the one thread of the daemon, and within its functions nothing else happens there: what takes time
 * belongs on timers, descriptors, a thread or process of its own. None of the functions here may be called from another
 * thread. All but opening and closing happens from within the daemon's loop.
 *
 * What a plugin has made (methods, subscriptions, timers, watches, routes, pending calls) is taken away from it when
 * it is closed; it need not clean up itself.
 */
#ifndef SUPERVISOR_PLUGIN_H
#define SUPERVISOR_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor/error.h>
#include <supervisor/event.h>
#include <supervisor/http.h>
#include <supervisor/log.h>
#include <supervisor/rpc.h>
#include <supervisor/state.h>
#include <supervisor/value.h>
#include <sys/types.h>

/* Grows with every change that a plugin built before could trip over. Other versions are refused. */
#define SUPERVISOR_PLUGIN_VERSION 1

/* One plugin at work: one section. A shared object that several sections name is opened once for each. */
struct plugin;

/* What a shared object must define, as `const struct supervisor_plugin supervisor_plugin`. */
struct supervisor_plugin {
    unsigned version; /* SUPERVISOR_PLUGIN_VERSION */
    /*
     * Begins. All configured groups are there, no process has been started, no request has come. What is returned is
     * handed to the functions below, and must not be NULL; NULL with *err: the daemon refuses to start, with a message
     * of the section's name and err->text. (After an upgrade there is no way back: then it goes on without the plugin.)
     */
    void *(*open)(struct plugin *plugin, struct error *err);
    /*
     * Ends, when a shutdown or restart has stopped all processes. Frees what open() made. In an upgrade it is not
     * called: the program that takes over finds only what hand_over() gives, and descriptors that are close-on-exec are
     * gone.
     */
    void (*close)(void *context);
    /*
     * What the plugin of the program that takes over in an upgrade finds in plugin_handed_over(); it is freed by the
     * daemon. NULL: nothing; the function may be NULL likewise. It is called more than once, and an upgrade may fail:
     * then the plugin goes on. Text must be what XML can carry; other bytes go as RPC_BASE64.
     */
    struct rpc_value *(*hand_over)(void *context);
};

#pragma GCC visibility push(default)

extern const struct supervisor_plugin supervisor_plugin;

/* --- the section, and the daemon ---------------------------------------------------------------------------------- */

const char *plugin_namespace(const struct plugin *plugin); /* the x of [rpcinterface:x] */
const char *plugin_factory(const struct plugin *plugin);   /* the value of supervisor.rpcinterface_factory */

/* The other keys of the section, in lower case, with their expanded values. Borrowed, good until close(). */
const char *plugin_option(const struct plugin *plugin, const char *key); /* NULL: not given */
size_t plugin_option_count(const struct plugin *plugin);
const char *plugin_option_key(const struct plugin *plugin, size_t index);
const char *plugin_option_value(const struct plugin *plugin, size_t index);

/* -1 with *err when the section has a key that is none of `known`, which ends with NULL. */
int plugin_check_options(const struct plugin *plugin, const char *const *known, struct error *err);

/*
 * NULL at a usual start. After an upgrade what hand_over() gave, or a nil if that was nothing: groups and processes
 * that the plugin has added are there already then. Borrowed, good until open() returns.
 */
const struct rpc_value *plugin_handed_over(const struct plugin *plugin);

const char *plugin_identifier(const struct plugin *plugin);             /* `identifier` of [supervisord] */
const char *plugin_server_url(const struct plugin *plugin);             /* NULL: there is no server */
const char *plugin_version(const struct plugin *plugin);                /* of the daemon: "5.0.0" */
enum supervisor_state plugin_daemon_state(const struct plugin *plugin); /* state.h */

/* --- methods ------------------------------------------------------------------------------------------------------ */

/*
 * Adds methods (rpc.h). Their names are given without the namespace: "fetch" becomes "cache.fetch". Names, signatures
 * and texts are copied. A name that is there already is replaced. `context` is what rpc_call_context() gives handlers.
 * -1 with *err when a name or a signature makes no sense.
 */
int plugin_add_methods(struct plugin *plugin, const struct rpc_method *methods, size_t count, void *context,
                       struct error *err);

/* The name of a call's method, with the namespace. Borrowed, good until the call ends. */
const char *plugin_call_name(const struct rpc_call *call);

/*
 * Calls any method, such as supervisor.startProcess, with all rights. Takes `params`, an array. `answer` is told the
 * end once, now or later, unless the call is cancelled: with the result, which is then the receiver's, or NULL and why.
 * NULL when it has been told already.
 */
struct plugin_pending;
typedef void plugin_answer(void *context, struct rpc_value *result, const struct error *err);
struct plugin_pending *plugin_call(struct plugin *plugin, const char *method, struct rpc_value *params,
                                   plugin_answer *answer, void *context);
void plugin_call_cancel(struct plugin_pending *pending); /* what was asked for may happen even so */

/* --- events ------------------------------------------------------------------------------------------------------- */

/* Members that a type does not have are NULL, 0 or false. Everything is borrowed, good for the time of the call. */
struct plugin_event {
    enum event_type type;
    int64_t wall_us;      /* when: microseconds since 1970 */
    int64_t monotonic_us; /* the same on the clock that nobody sets */
    const char *group;    /* PROCESS_*: of the process, or the group itself */
    const char *process;
    pid_t pid;               /* PROCESS_STATE_*, PROCESS_LOG_*, PROCESS_COMMUNICATION_* */
    enum process_state from; /* PROCESS_STATE_*: the state before */
    int tries;               /* STARTING, BACKOFF: starts so far without success */
    bool is_expected;        /* EXITED: the exit status is among `exitcodes` */
    const char *bytes;       /* PROCESS_LOG_*, PROCESS_COMMUNICATION_*, REMOTE_COMMUNICATION: what was said */
    size_t length;
    const char *remote_type;                   /* REMOTE_COMMUNICATION */
    int64_t tick;                              /* TICK_*: seconds since 1970, a multiple of the period */
    const struct event_occurrence *occurrence; /* for plugin_event_payload() */
};
typedef void plugin_event_handler(void *context, const struct plugin_event *event);

struct plugin_subscription;

/*
 * From now on `handler` hears of events of these types at once, from within what causes them. EVENT_TYPE_EVENT stands
 * for all types, EVENT_TYPE_PROCESS_STATE for all of its kind (event_mask()); masks are joined with |.
 */
struct plugin_subscription *plugin_subscribe(struct plugin *plugin, event_mask_t types, plugin_event_handler *handler,
                                             void *context);
void plugin_unsubscribe(struct plugin_subscription *subscription); /* NULL is fine; also from within the handler */

/* What event listeners are sent of it (manual 1.7.2). To free. */
char *plugin_event_payload(const struct plugin_event *event, size_t *length);

/*
 * Errors of the functions below have a fault, and a text that is a whole fault string: "BAD_NAME: x". A handler of a
 * method may pass them on as they are.
 */

/* --- processes and groups ----------------------------------------------------------------------------------------- */

/* Borrowed, good until something changes: copy what is to be kept. */
struct plugin_process {
    const char *group;
    const char *name;
    const char *program; /* the x of the section that it comes from */
    enum process_state state;
    pid_t pid;                   /* 0: none */
    int64_t start_us;            /* when it was last started: microseconds since 1970; 0: never */
    int64_t stop_us;             /* when its child last ended; 0: never */
    int exitstatus;              /* of the last child; -1 after a signal */
    const char *spawn_error;     /* "" when there is none */
    const char *extra_arguments; /* of plugin_start_process(); NULL: none */
};

struct plugin_group {
    const char *name;
    int priority;
    size_t process_count;
    bool is_alive; /* a process of it has a child, or is about to */
};

/* False when there is none. */
bool plugin_find_process(const struct plugin *plugin, const char *group, const char *name,
                         struct plugin_process *found);
bool plugin_find_group(const struct plugin *plugin, const char *name, struct plugin_group *found);

/* In the order of the groups, and within them of the configuration. `visit` must not add or remove any. */
void plugin_visit_groups(const struct plugin *plugin, void (*visit)(void *context, const struct plugin_group *group),
                         void *context);
void plugin_visit_processes(const struct plugin *plugin, const char *group, /* NULL: of all groups */
                            void (*visit)(void *context, const struct plugin_process *process), void *context);

/*
 * Starts a process as supervisor.startProcess does, without waiting. `extra_arguments` are put behind its command, and
 * split as the command is; NULL: none. They stay until a plugin starts it again, for whoever restarts it. -1 with *err:
 * BAD_NAME, ALREADY_STARTED, NO_FILE, NOT_EXECUTABLE, SPAWN_ERROR ...
 */
int plugin_start_process(struct plugin *plugin, const char *group, const char *name, const char *extra_arguments,
                         struct error *err);
/* -1 with *err: BAD_NAME, NOT_RUNNING, FAILED. Its end is heard of as an event. */
int plugin_stop_process(struct plugin *plugin, const char *group, const char *name, struct error *err);

/*
 * What the configuration says of a process: a struct with all options of its section by their names, as text that the
 * configuration file may hold. Options that are not set are left out. NULL: there is no such process.
 */
struct rpc_value *plugin_read_program(const struct plugin *plugin, const char *group, const char *name);

/*
 * Groups and processes that no configuration file knows. An upgrade keeps them, and reloadConfig passes over them;
 * after a restart they are gone. They cannot change while others are told of a change: not from within a handler of
 * PROCESS_ADDED, PROCESS_REMOVED and PROCESS_GROUP_*. Each gives -1 with *err: BAD_NAME for a name that is not there
 * or cannot be one, ALREADY_ADDED, STILL_RUNNING, INCORRECT_PARAMETERS with what is wrong in the options, FAILED.
 */
int plugin_add_group(struct plugin *plugin, const char *name, int priority, struct error *err);
int plugin_remove_group(struct plugin *plugin, const char *name, struct error *err);
/*
 * Adds the processes of a program to a group that is there. `options` is a struct of what a [program:x] section may
 * hold: names and text, numbers or booleans. They are parsed and expanded as in a file. Processes with autostart are
 * started soon. *names, if `names` is not NULL, becomes an array of the processes' names; it is the caller's.
 */
int plugin_add_program(struct plugin *plugin, const char *group, const char *program, const struct rpc_value *options,
                       struct rpc_value **names, struct error *err);
int plugin_remove_process(struct plugin *plugin, const char *group, const char *name, struct error *err);

/*
 * Makes a configured program have `numprocs` processes, in its group. New ones are as the configuration file describes
 * them now; processes that stay are not touched; STILL_RUNNING when one that is to go is alive. *changed, if it is not
 * NULL, becomes a struct of two arrays of names, "added" and "removed"; it is the caller's. Reading the configuration
 * again and updating the group undoes it.
 */
int plugin_set_numprocs(struct plugin *plugin, const char *program, int numprocs, struct rpc_value **changed,
                        struct error *err);

/* --- the loop ----------------------------------------------------------------------------------------------------- */

struct plugin_timer;
struct plugin_timer *plugin_timer_new(struct plugin *plugin, void (*handler)(void *context), void *context);
void plugin_timer_arm(struct plugin_timer *timer,
                      int64_t microseconds); /* once, from now; what was armed is forgotten */
void plugin_timer_disarm(struct plugin_timer *timer);
void plugin_timer_free(struct plugin_timer *timer); /* NULL is fine; also from within its handler */

enum { PLUGIN_READABLE = 1, PLUGIN_WRITABLE = 2 };

/* Calls `handler` as long as the descriptor is ready for what is wanted. It stays the plugin's, and open meanwhile. */
struct plugin_watch;
/* NULL when the system cannot wait for it, as for regular files. */
struct plugin_watch *plugin_watch_new(struct plugin *plugin, int fd, unsigned wanted,
                                      void (*handler)(void *context, unsigned ready), void *context);
void plugin_watch_change(struct plugin_watch *watch, unsigned wanted); /* 0: nothing for now */
void plugin_watch_free(struct plugin_watch *watch);                    /* NULL is fine; also from within its handler */

/* --- HTTP --------------------------------------------------------------------------------------------------------- */

/*
 * Adds a route (http.h), behind those of the daemon itself. What the path holds is copied. What changes anything must
 * look at http_request_may_change() and http_request_is_cross_site(). http_respond_websocket() ends HTTP on a
 * connection.
 */
void plugin_add_route(struct plugin *plugin, const struct http_route *route, void *context);

/* A page that never changes, for GET and HEAD. `type` is its Content-Type. All is copied. */
void plugin_add_page(struct plugin *plugin, const char *path, const char *type, const char *bytes, size_t length);

/* --- small files -------------------------------------------------------------------------------------------------- */

/* Reads a whole file, of at most `most` bytes. *bytes is to free, a NUL follows. -1 with *err; err->os is ENOENT when
 * there is none. */
int plugin_read_file(const char *path, size_t most, char **bytes, size_t *length, struct error *err);

/* Writes a file in one step: who reads it finds the old or the new one, whatever happens. Its mode is 0600. */
int plugin_write_file(const char *path, const char *bytes, size_t length, struct error *err);

#pragma GCC visibility pop

#endif
