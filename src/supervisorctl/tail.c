/* tail and maintail: the last bytes of a log, or all that follows. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "client/interrupt.h"
#include "supervisorctl/commands.h"

#define DEFAULT_BYTES 1600

/* What -f, -100 or nothing asks for. */
struct extent {
    bool follow;
    int64_t bytes;
};

static bool extent_parse(struct ctl *ctl, struct extent *extent, const char *option)
{
    char *end;

    *extent = (struct extent){.bytes = DEFAULT_BYTES};
    if (option == NULL)
        return true;
    if (strcmp(option, "-f") == 0) {
        extent->follow = true;
        return true;
    }
    errno = 0;
    if (option[0] == '-')
        extent->bytes = strtoll(option + 1, &end, 10);
    if (option[0] == '-' && option[1] != '\0' && *end == '\0' && errno == 0 && extent->bytes != INT64_MIN)
        return true;
    printf("Error: bad argument %s\n", option);
    ctl->exit_status = CTL_FAILURE;
    return false;
}

static void print_bytes(void *context, const char *bytes, size_t length)
{
    (void)context;
    fwrite(bytes, 1, length, stdout);
    fflush(stdout);
}

/* `shown_path` is for the message when there is no such stream. */
static void follow(struct ctl *ctl, const char *path, const char *shown_path)
{
    struct transport_stream stream = {.path = path, .data = print_bytes};

    printf("==> Press Ctrl-C to exit <==\n");
    fflush(stdout);
    interrupt_begin();
    transport_run_streams(ctl->transport, &stream, 1, NULL);
    interrupt_end();
    if (!stream.has_ended) {
        printf("\n"); /* the terminal stands behind "^C" */
    } else if (stream.status == 0) {
        printf("error: %s\n", stream.err.text);
        ctl->exit_status = CTL_FAILURE;
    } else if (stream.status != 200) {
        fprintf(stderr, "%s%s Cannot read, status code %ld\n", transport_url(ctl->transport), shown_path,
                stream.status);
    }
}

static struct rpc_value *params_tail(const char *name, int64_t bytes)
{
    struct rpc_value *params = rpc_array(3);

    if (name != NULL)
        rpc_array_append(params, rpc_string(name));
    rpc_array_append(params, rpc_int(-bytes));
    rpc_array_append(params, rpc_int(0));
    return params;
}

static const char *log_fault_text(const struct transport_answer *answer)
{
    if (answer->outcome != TRANSPORT_FAULT)
        return NULL;
    switch (answer->err.fault) {
    case FAULT_NO_FILE:
        return "no log file";
    case FAULT_FAILED:
        return "unknown error reading log";
    case FAULT_BAD_NAME:
        return "no such process name";
    default:
        return NULL;
    }
}

static void print_last(struct ctl *ctl, const char *shown, const char *method, struct rpc_value *params)
{
    struct transport_answer answer;

    if (ctl_call(ctl, method, params, &answer)) {
        if (rpc_value_type(answer.result) == RPC_STRING)
            fwrite(rpc_as_string(answer.result), 1, rpc_string_length(answer.result), stdout);
        printf("\n");
    } else if (log_fault_text(&answer) != NULL) {
        printf("%s: ERROR (%s)\n", shown, log_fault_text(&answer));
        ctl->exit_status = CTL_FAILURE;
    } else {
        ctl_say_failure(ctl, &answer);
    }
    transport_answer_release(&answer);
}

static void tail_process(struct ctl *ctl, const char *name, const char *channel, const struct extent *extent)
{
    const bool is_stdout = strcmp(channel, "stdout") == 0;

    if (!is_stdout && strcmp(channel, "stderr") != 0) {
        printf("Error: bad channel '%s'\n", channel);
        ctl->exit_status = CTL_FAILURE;
    } else if (extent->follow) {
        CLEANUP_FREE char *path = transport_logtail_path(name, channel);
        CLEANUP_FREE char *shown = xasprintf("/logtail/%s/%s", name, channel);

        follow(ctl, path, shown);
    } else {
        print_last(ctl, name, is_stdout ? "supervisor.readProcessStdoutLog" : "supervisor.readProcessStderrLog",
                   params_tail(name, extent->bytes));
    }
}

void command_tail(struct ctl *ctl, const struct words *words)
{
    const bool has_option = words->count > 0 && words->items[0][0] == '-';
    const size_t first = has_option ? 1 : 0;
    struct extent extent;

    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0) {
        ctl_say_usage(ctl, "tail", "too few arguments", CTL_FAILURE);
    } else if (words->count > 3) {
        ctl_say_usage(ctl, "tail", "too many arguments", CTL_FAILURE);
    } else if (words->count == first) {
        printf("Error: tail requires process name\n");
        ctl->exit_status = CTL_FAILURE;
    } else if (extent_parse(ctl, &extent, has_option ? words->items[0] : NULL)) {
        const bool has_channel = words->count > first + 1;

        tail_process(ctl, words->items[first], has_channel ? words->items[words->count - 1] : "stdout", &extent);
    }
}

void command_maintail(struct ctl *ctl, const struct words *words)
{
    struct extent extent;

    if (!ctl_check_server(ctl))
        return;
    if (words->count > 1)
        ctl_say_usage(ctl, "maintail", "too many arguments", CTL_FAILURE);
    else if (!extent_parse(ctl, &extent, words->count == 1 ? words->items[0] : NULL))
        return;
    else if (extent.follow)
        follow(ctl, "/mainlogtail", "/mainlogtail");
    else
        print_last(ctl, "supervisord", "supervisor.readLog", params_tail(NULL, extent.bytes));
}
