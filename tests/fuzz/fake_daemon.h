/*
 * All of a daemon but its processes: groups, methods, routes and pages over a system whose children do nothing, whose
 * clock stands still and whose timers fire when told to. What becomes of an input depends on that input alone.
 */
#ifndef FUZZ_FAKE_DAEMON_H
#define FUZZ_FAKE_DAEMON_H

#include "api/api.h"
#include "http/server.h"

struct fake_daemon {
    struct event_base *loop;
    struct api_context api;
    struct rpc_registry *registry;
    int spawned; /* since fake_daemon_begin() */
    int killed;
};

extern struct fake_daemon fake_daemon;

/*
 * Fills fake_daemon: the running program "solo", with logs, and the stopped group "many" of "m0" and "m1". Its logs
 * are below a directory that lasts as long as the program, and have the same text each time.
 */
void fake_daemon_begin(void);
void fake_daemon_end(void);

void fake_daemon_turn(void);        /* lets everything happen that is ready */
void fake_daemon_fire_timers(void); /* the time of every timer is up */

/* True when a client has changed something: a process, a group, a log, the daemon's state. */
bool fake_daemon_has_changed(void);

#endif
