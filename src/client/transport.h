/*
 * The way to supervisord: XML-RPC calls, several at a time, and streamed log tails, over TCP or a UNIX socket.
 * Connections are kept for the next call. A SIGINT between interrupt_begin() and interrupt_end() ends what runs.
 */
#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "rpc/value.h"

struct transport;

enum transport_outcome {
    TRANSPORT_OK,
    TRANSPORT_FAULT,        /* the daemon refused: err has the fault's code and string */
    TRANSPORT_NO_SOCKET,    /* there is no such UNIX socket */
    TRANSPORT_REFUSED,      /* nobody listens */
    TRANSPORT_UNAUTHORIZED, /* user name or password missing or wrong */
    TRANSPORT_INTERRUPTED,
    TRANSPORT_FAILED, /* anything else: err->text says what */
};

struct transport_answer {
    enum transport_outcome outcome;
    struct rpc_value *result; /* TRANSPORT_OK; to free with transport_answer_release() */
    struct error err;         /* not TRANSPORT_OK */
};
void transport_answer_release(struct transport_answer *answer);

struct transport_call {
    const char *method;             /* borrowed */
    const struct rpc_value *params; /* an array, borrowed */
    struct transport_answer answer;
};

/* What the user calls the three files of transport_tls, for messages. */
struct transport_tls_names {
    const char *ca;
    const char *ca_with_place; /* "tls_ca in [supervisorctl]" */
    const char *certificate;
    const char *key;
};

/* Files with certificates and keys, for https. Borrowed; each may be NULL. */
struct transport_tls {
    const char *ca;          /* whose servers are trusted; NULL: those that the system trusts */
    const char *certificate; /* our own, for servers that want one */
    const char *key;         /* NULL: in the same file */
    const struct transport_tls_names *names;
};

/*
 * For http://host[:port], https://host[:port] and unix:///path. NULL with *err when the URL is none of them. User name
 * and password may be NULL. `tls` outlives the transport.
 */
struct transport *transport_new(const char *url, const char *username, const char *password,
                                const struct transport_tls *tls, struct error *err);
void transport_free(struct transport *transport); /* NULL is fine */

void transport_set_credentials(struct transport *transport, const char *username, const char *password);
const char *transport_url(const struct transport *transport);

/* Sends all calls at once and returns when each has its answer. Calls beyond a hundred wait for a free connection. */
void transport_call_all(struct transport *transport, struct transport_call *calls, size_t count);

/* A log tail that goes on until the server ends it, `stop` is set or SIGINT comes. */
struct transport_stream {
    const char *path;                                              /* "/mainlogtail" */
    void (*data)(void *context, const char *bytes, size_t length); /* what arrives */
    void *context;                                                 /* for data */
    long status;                                                   /* out: the HTTP status, 0 when none came */
    bool has_ended;                                                /* out */
    struct error err;                                              /* out: why, when no status came */
};

/* What else to look at while streams run. A callback that returns false ends all of them. */
struct transport_watch {
    int fd;                          /* -1: none */
    bool (*readable)(void *context); /* fd has something to read or was closed */
    int tick_ms;
    bool (*tick)(void *context); /* about every tick_ms; NULL: none */
    void *context;
};

/* Runs until all streams have ended. `watch` may be NULL; its callbacks may call transport_call_all(). */
void transport_run_streams(struct transport *transport, struct transport_stream *streams, size_t count,
                           const struct transport_watch *watch);

/* The path of a process's log stream; free it. `channel` is "stdout" or "stderr". */
char *transport_logtail_path(const char *process, const char *channel);

#endif
