/*
 * An event listener: tells every change of a process's state, and what supervisord knows of a process that came down.
 *
 *     cc state_watcher.c $(pkg-config --cflags --libs supervisor-listener) -o state_watcher
 *
 *     [eventlistener:state_watcher]
 *     command=/path/to/state_watcher
 *     events=PROCESS_STATE
 */
#include <inttypes.h>
#include <stdio.h>
#include <supervisor/listener.h>

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "?";
}

static void tell_end(const struct listener *listener, struct listener_rpc *rpc, const char *namespec)
{
    struct rpc_value *info;
    struct error err;

    if (listener_rpc_call(rpc, &info, &err, "supervisor.getProcessInfo", "s", namespec) < 0) {
        listener_log(listener, "%s", err.text);
        return;
    }
    listener_log(listener, "%s has ended with status %" PRId64 " (%s)", namespec,
                 listener_number_of(info, "exitstatus"), listener_text_of(info, "description"));
    rpc_value_free(info);
}

static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    struct listener_rpc *rpc = context;
    char namespec[512];

    if (!listener_event_is(event, "PROCESS_STATE"))
        return LISTENER_OK; /* the section subscribes to more than we care for */
    snprintf(namespec, sizeof namespec, "%s:%s", or_unknown(listener_event_field(event, "groupname")),
             or_unknown(listener_event_field(event, "processname")));
    listener_log(listener, "%s was %s: %s", namespec, or_unknown(listener_event_field(event, "from_state")),
                 event->name);
    if (listener_event_is(event, "PROCESS_STATE_EXITED"))
        tell_end(listener, rpc, namespec);
    return LISTENER_OK;
}

int main(void)
{
    struct error err;
    struct listener_rpc *rpc = listener_rpc_new(&err);

    if (rpc == NULL) {
        fprintf(stderr, "state_watcher: %s\n", err.text);
        return 1;
    }
    const int status = listener_main(NULL, handle, rpc);
    listener_rpc_free(rpc);
    return status;
}
