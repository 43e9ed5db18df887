#include "supervisorctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"
#include "supervisorctl/commands.h"

#define API_VERSION "3.0"

int ctl_open(struct ctl *ctl, const char *url, struct error *err)
{
    struct transport *fresh = transport_new(url, ctl->username, ctl->password, &ctl->tls, err);

    if (fresh == NULL)
        return -1;
    transport_free(ctl->transport);
    ctl->transport = fresh;
    return 0;
}

/* Switches echo off and remembers how the terminal was. False when stdin is none. */
static bool echo_off(struct termios *before)
{
    struct termios silent;

    if (tcgetattr(STDIN_FILENO, before) < 0)
        return false;
    silent = *before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
}

char *ctl_ask(const char *question, bool is_secret)
{
    struct termios before;
    const bool is_silent = is_secret && echo_off(&before);
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    printf("%s", question);
    fflush(stdout);
    length = getline(&line, &size, stdin);
    if (is_silent)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    if (is_secret)
        printf("\n");
    if (length < 0) {
        clearerr(stdin); /* Ctrl-C is no end */
        free(line);
        return NULL;
    }
    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = '\0';
    return line;
}

static bool ask_for_credentials(struct ctl *ctl)
{
    CLEANUP_FREE char *username = ctl_ask("Username:", false);
    char *password = username != NULL ? ctl_ask("Password:", true) : NULL;

    if (password == NULL)
        return false;
    transport_set_credentials(ctl->transport, username, password);
    explicit_bzero(password, strlen(password));
    free(password);
    return true;
}

bool ctl_call(struct ctl *ctl, const char *method, struct rpc_value *params, struct transport_answer *answer)
{
    struct rpc_value *given = params != NULL ? params : rpc_array(0);
    struct transport_call call = {.method = method, .params = given};

    transport_call_all(ctl->transport, &call, 1);
    if (call.answer.outcome == TRANSPORT_UNAUTHORIZED) {
        printf("Server requires authentication\n");
        if (ctl->is_interactive && ask_for_credentials(ctl))
            transport_call_all(ctl->transport, &call, 1);
    }
    rpc_value_free(given);
    *answer = call.answer;
    return answer->outcome == TRANSPORT_OK;
}

void ctl_say_failure(struct ctl *ctl, const struct transport_answer *answer)
{
    printf("error: %s\n", answer->err.text);
    ctl->exit_status = CTL_FAILURE;
}

bool ctl_call_or_say(struct ctl *ctl, const char *method, struct rpc_value *params, struct transport_answer *answer)
{
    if (ctl_call(ctl, method, params, answer))
        return true;
    ctl_say_failure(ctl, answer);
    return false;
}

static bool is_right_version(struct ctl *ctl, const struct rpc_value *version)
{
    const char *text = rpc_value_type(version) == RPC_STRING ? rpc_as_string(version) : "unknown";

    if (strcmp(text, API_VERSION) == 0)
        return true;
    printf("Sorry, this version of supervisorctl expects to talk to a server with API version %s, but the remote "
           "version is %s.\n",
           API_VERSION, text);
    ctl->exit_status = CTL_NOT_INSTALLED;
    return false;
}

static void say_no_server(struct ctl *ctl, const struct transport_answer *answer)
{
    const char *url = transport_url(ctl->transport);

    if (answer->outcome == TRANSPORT_NO_SOCKET) {
        printf("%s no such file\n", url);
        ctl->exit_status = CTL_NOT_RUNNING;
    } else if (answer->outcome == TRANSPORT_REFUSED) {
        printf("%s refused connection\n", url);
        ctl->exit_status = CTL_NO_CONNECTION;
    } else if (answer->outcome == TRANSPORT_FAULT && answer->err.fault == FAULT_UNKNOWN_METHOD) {
        printf("Sorry, supervisord answered but does not know the methods that supervisorctl controls it with. Is "
               "there an [rpcinterface:supervisor] section in its configuration file?\n");
        ctl->exit_status = CTL_UNIMPLEMENTED;
    } else {
        ctl_say_failure(ctl, answer);
    }
}

bool ctl_check_server(struct ctl *ctl)
{
    struct transport_answer answer;
    bool is_good = false;

    if (ctl_call(ctl, "supervisor.getVersion", NULL, &answer))
        is_good = is_right_version(ctl, answer.result);
    else
        say_no_server(ctl, &answer);
    transport_answer_release(&answer);
    return is_good;
}

void ctl_say_usage(struct ctl *ctl, const char *action, const char *text, int status)
{
    printf("Error: %s\n%s\n", text, command_find(action)->help);
    ctl->exit_status = status;
}

struct rpc_value *params_string(const char *text)
{
    struct rpc_value *params = rpc_array(1);

    rpc_array_append(params, rpc_string(text));
    return params;
}

static const struct rpc_value *member(const struct rpc_value *record, const char *key, enum rpc_type type)
{
    const struct rpc_value *item = rpc_value_type(record) == RPC_STRUCT ? rpc_struct_get(record, key) : NULL;

    return item != NULL && rpc_value_type(item) == type ? item : NULL;
}

const char *member_text(const struct rpc_value *record, const char *key)
{
    const struct rpc_value *item = member(record, key, RPC_STRING);

    return item != NULL ? rpc_as_string(item) : "";
}

int64_t member_int(const struct rpc_value *record, const char *key)
{
    const struct rpc_value *item = member(record, key, RPC_INT);

    return item != NULL ? rpc_as_int(item) : 0;
}

bool member_true(const struct rpc_value *record, const char *key)
{
    const struct rpc_value *item = member(record, key, RPC_BOOLEAN);

    return item != NULL && rpc_as_boolean(item);
}

size_t list_count(const struct rpc_value *list)
{
    return rpc_value_type(list) == RPC_ARRAY ? rpc_count(list) : 0;
}
