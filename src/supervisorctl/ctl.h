/* What one run of supervisorctl knows, and the calls that all actions make. */
#ifndef SUPERVISORCTL_CTL_H
#define SUPERVISORCTL_CTL_H

#include <stdbool.h>

#include "client/transport.h"
#include "rpc/value.h"
#include "supervisorctl/names.h"

/* Exit statuses, in the words of the LSB for init scripts and for their action "status". */
enum ctl_exit {
    CTL_SUCCESS = 0,
    CTL_FAILURE = 1,
    CTL_INVALID_ARGUMENTS = 2,
    CTL_UNIMPLEMENTED = 3,
    CTL_STATUS_NOT_RUNNING = 3,
    CTL_NO_CONNECTION = 4, /* also: status unknown */
    CTL_NOT_INSTALLED = 5,
    CTL_NOT_RUNNING = 7,
};

struct ctl {
    struct transport *transport; /* owned */
    const char *username;        /* from command line or file; for `open`; may be NULL */
    const char *password;
    struct transport_tls tls;    /* from the file */
    struct ctl_plugins *plugins; /* borrowed; NULL: there are none */
    bool is_interactive;         /* a shell: may ask questions */
    bool is_leaving;             /* `exit` was given */
    int exit_status;             /* of the last action that failed */
};

/* Connects to another URL. -1 with *err and everything as it was when the URL makes no sense. */
int ctl_open(struct ctl *ctl, const char *url, struct error *err);

/*
 * Calls `method` and takes `params` (NULL: none). In a shell, asks for user name and password when the server wants
 * them. True when there is a result; else *answer says why. Release *answer in both cases.
 */
bool ctl_call(struct ctl *ctl, const char *method, struct rpc_value *params, struct transport_answer *answer);

/* As ctl_call(), but failures are told to the user. */
bool ctl_call_or_say(struct ctl *ctl, const char *method, struct rpc_value *params, struct transport_answer *answer);

/* "error: ..." and exit status 1. */
void ctl_say_failure(struct ctl *ctl, const struct transport_answer *answer);

/* Is there a supervisord that we can talk to? If not, says so. */
bool ctl_check_server(struct ctl *ctl);

/* Prints "Error: ..." and the action's help; exit status `status`. */
void ctl_say_usage(struct ctl *ctl, const char *action, const char *text, int status);

/* Asks a question and reads one line from stdin. Free it; NULL at the end of input. `is_secret`: without echo. */
char *ctl_ask(const char *question, bool is_secret);

/* An array with one string, for params. */
struct rpc_value *params_string(const char *text);

/* Members of a struct that the server should have sent; "" and 0 when it has not. */
const char *member_text(const struct rpc_value *record, const char *key);
int64_t member_int(const struct rpc_value *record, const char *key);
bool member_true(const struct rpc_value *record, const char *key);
/* How many items an array that the server should have sent has: 0 when it is none. */
size_t list_count(const struct rpc_value *list);

#endif
