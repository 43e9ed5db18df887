/*
 * Event listeners for supervisord, in C.
 *
 * supervisord starts a listener as it starts any program, from an [eventlistener:x] section, and talks to it over the
 * listener's stdin and stdout. A whole listener:
 *
 *     #include <supervisor/listener.h>
 *
 *     static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
 *     {
 *         if (listener_event_is(event, "PROCESS_STATE"))
 *             listener_log(listener, "%s: %s", event->name, listener_event_field(event, "processname"));
 *         return LISTENER_OK;
 *     }
 *
 *     int main(void)
 *     {
 *         return listener_main(NULL, handle, NULL);
 *     }
 *
 *     cc watcher.c $(pkg-config --cflags --libs supervisor-listener) -o watcher
 *
 * stdout belongs to the protocol: whatever else is written there ends the conversation. What a listener has to say goes
 * to stderr, which supervisord keeps in the listener's log.
 *
 * Strings end in NUL and are UTF-8 where supervisord's are. Nothing here is for use by several threads at a time.
 * Running out of memory ends the program with a message.
 */
#ifndef SUPERVISOR_LISTENER_H
#define SUPERVISOR_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <supervisor/error.h>
#include <supervisor/value.h>

/* Grows by one when something is added here. What is here stays as it is. */
#define LISTENER_API_VERSION 1
int listener_api_version(void); /* of the library that is linked */

/* --- events ------------------------------------------------------------------------------------------------------- */

/* "processname:cat" */
struct listener_token {
    const char *key;
    const char *value;
};

/* One event. All of it belongs to the listener and is good until the event is answered. */
struct listener_event {
    const char *name; /* "PROCESS_STATE_EXITED"; never NULL */

    /* The header: ver, server, serial, pool, poolserial, eventname, len. */
    const struct listener_token *headers;
    size_t header_count;

    /* The first line of the payload, as far as it has tokens. A word without a colon belongs to the value before it. */
    const struct listener_token *fields;
    size_t field_count;

    /* The payload as it came; a NUL follows. May have any bytes in it. */
    const char *payload;
    size_t payload_length;

    /* What comes after the first line: the text of PROCESS_LOG, PROCESS_COMMUNICATION and REMOTE_COMMUNICATION. Points
     * into the payload; empty when there is but one line. */
    const char *data;
    size_t data_length;
};

/* The value of a token of the header or of the payload's first line; NULL when there is no such key. */
const char *listener_event_header(const struct listener_event *event, const char *key);
const char *listener_event_field(const struct listener_event *event, const char *key);

/* Whether the event is of this type or of one below it: PROCESS_STATE is true of PROCESS_STATE_EXITED, EVENT of all. */
bool listener_event_is(const struct listener_event *event, const char *type);

/* --- the conversation --------------------------------------------------------------------------------------------- */

struct listener;

/* Each may be left at zero. */
struct listener_options {
    /* What the listener's lines on stderr begin with; NULL: the name of the program. Borrowed. */
    const char *name;
    /* In bytes. A payload that is longer is read and thrown away, with a line on stderr, and its event counts as
     * processed: to send it again would not make it shorter. 0: 64 MiB. */
    size_t payload_max;
    /* What to talk over. Both 0: stdin and stdout. */
    int input;
    int output;
};

/* `options` may be NULL. SIGPIPE is ignored from here on: a supervisord that is gone is an end of file. */
struct listener *listener_new(const struct listener_options *options);
void listener_free(struct listener *listener); /* NULL is fine */

/*
 * Says READY and waits for an event. 1: *event is there, and has to be answered. 0: supervisord has closed the
 * conversation; there will be no more. -1 with *err: what came is no event, or could not be read; nothing can be made
 * of what follows either, so a listener should end, and supervisord will start it anew.
 */
int listener_next(struct listener *listener, const struct listener_event **event, struct error *err);

/* LISTENER_FAIL: supervisord is to send the event again, to this listener or another one of the pool. At once: a
 * listener that rejects an event for ever gets nothing else. */
enum listener_verdict { LISTENER_OK, LISTENER_FAIL };

/* Answers the event. 0, or -1 with *err: supervisord is gone. */
int listener_answer(struct listener *listener, enum listener_verdict verdict, struct error *err);

/* Answers with a text of one's own, for pools whose result_handler= understands more than OK and FAIL. */
int listener_answer_bytes(struct listener *listener, const char *bytes, size_t length, struct error *err);

typedef enum listener_verdict listener_handler(struct listener *listener, const struct listener_event *event,
                                               void *context);

/* Hands every event to `handle` until the conversation ends. What main() may return: 0, or 1 after a line on stderr. */
int listener_run(struct listener *listener, listener_handler *handle, void *context);

/* The whole life of a listener: listener_new(), listener_run(), listener_free(). */
int listener_main(const struct listener_options *options, listener_handler *handle, void *context);

/* A line on stderr, in one piece: "name: text". Control characters but tabs become "?". */
void listener_log(const struct listener *listener, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- calls of supervisord ----------------------------------------------------------------------------------------- */

struct listener_rpc;

/*
 * For the supervisord that has started this program, by variables of the environment. supervisord itself sets
 * SUPERVISOR_SERVER_URL (http://, https:// or unix://). environment= of the listener's section has what else it takes:
 * SUPERVISOR_USERNAME and SUPERVISOR_PASSWORD, and for https SUPERVISOR_TLS_CA (else the system's authorities are
 * trusted), SUPERVISOR_TLS_CERTIFICATE and SUPERVISOR_TLS_KEY, paths of files in PEM. NULL with *err: there is no URL,
 * or one of an unknown kind, or a file that cannot be read. Nothing is sent yet.
 */
struct listener_rpc *listener_rpc_new(struct error *err);
void listener_rpc_free(struct listener_rpc *rpc); /* NULL is fine */

/*
 * Calls a method and waits for the answer. `types` has a letter for each argument that follows it: s const char *,
 * i int, b int (true or false), d double. 0, or -1 with *err: a fault, a wrong password, nobody there. *result may be
 * NULL when only the outcome matters; else it is to be freed with rpc_value_free(). err->fault is the fault's code when
 * supervisord has refused, else FAULT_NONE.
 *
 *     listener_rpc_call(rpc, &result, &err, "supervisor.startProcess", "sb", "group:name", true)
 */
int listener_rpc_call(struct listener_rpc *rpc, struct rpc_value **result, struct error *err, const char *method,
                      const char *types, ...);

/*
 * Members of a struct that supervisord has answered with. What is not there, or of another type, or no struct at all,
 * is
 * "" or 0: one that is older or newer than the listener may leave a member out. A boolean is 0 or 1.
 */
const char *listener_text_of(const struct rpc_value *record, const char *key);
int64_t listener_number_of(const struct rpc_value *record, const char *key);

#endif
