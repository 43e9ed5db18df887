/* fg: what a process writes is shown, what is typed goes to its stdin, until Ctrl-C, end of input or its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/interrupt.h"
#include "supervisorctl/commands.h"

#define LOOK_AGAIN_MS 1000

struct foreground {
    struct ctl *ctl;
    const char *name;
};

static void show_bytes(void *context, const char *bytes, size_t length)
{
    (void)context;
    fwrite(bytes, 1, length, stdout);
    fflush(stdout);
}

static bool process_is_running(struct ctl *ctl, const char *name, bool *is_known)
{
    struct transport_answer answer;
    bool is_running = false;

    *is_known = false;
    if (ctl_call(ctl, "supervisor.getProcessInfo", params_string(name), &answer)) {
        *is_known = true;
        is_running = strcmp(member_text(answer.result, "statename"), "RUNNING") == 0;
    } else if (answer.outcome == TRANSPORT_FAULT && answer.err.fault == FAULT_BAD_NAME) {
        printf("ERROR: bad process name supplied\n");
        ctl->exit_status = CTL_FAILURE;
    } else if (answer.outcome != TRANSPORT_INTERRUPTED) {
        ctl_say_failure(ctl, &answer);
    }
    transport_answer_release(&answer);
    return is_running;
}

static bool still_running(void *context)
{
    const struct foreground *foreground = context;
    bool is_known;

    if (process_is_running(foreground->ctl, foreground->name, &is_known))
        return true;
    if (is_known)
        printf("Process got killed\n");
    return false;
}

static bool send_typed(void *context)
{
    const struct foreground *foreground = context;
    char typed[4096];
    const ssize_t length = read(STDIN_FILENO, typed, sizeof typed);
    struct rpc_value *params;
    struct transport_answer answer;
    bool is_sent;

    if (length <= 0)
        return false;
    params = params_string(foreground->name);
    rpc_array_append(params, rpc_string_bytes(typed, (size_t)length));
    is_sent = ctl_call(foreground->ctl, "supervisor.sendProcessStdin", params, &answer);
    if (!is_sent && answer.outcome == TRANSPORT_FAULT && answer.err.fault == FAULT_NOT_RUNNING)
        printf("Process got killed\n");
    else if (!is_sent && answer.outcome != TRANSPORT_INTERRUPTED)
        ctl_say_failure(foreground->ctl, &answer);
    transport_answer_release(&answer);
    return is_sent;
}

static void foreground_run(struct ctl *ctl, const char *name)
{
    struct foreground foreground = {ctl, name};
    CLEANUP_FREE char *out = transport_logtail_path(name, "stdout");
    CLEANUP_FREE char *err = transport_logtail_path(name, "stderr");
    struct transport_stream streams[] = {{.path = out, .data = show_bytes}, {.path = err, .data = show_bytes}};
    const struct transport_watch watch = {.fd = STDIN_FILENO,
                                          .readable = send_typed,
                                          .tick_ms = LOOK_AGAIN_MS,
                                          .tick = still_running,
                                          .context = &foreground};

    printf("==> Press Ctrl-C to exit <==\n");
    fflush(stdout);
    interrupt_begin();
    transport_run_streams(ctl->transport, streams, 2, &watch);
    interrupt_end();
    printf("Exiting foreground\n");
}

void command_fg(struct ctl *ctl, const struct words *words)
{
    bool is_known;

    if (!ctl_check_server(ctl))
        return;
    if (words->count == 0) {
        printf("ERROR: no process name supplied\n%s\n", command_find("fg")->help);
        ctl->exit_status = CTL_FAILURE;
    } else if (words->count > 1) {
        printf("ERROR: too many process names supplied\n");
        ctl->exit_status = CTL_FAILURE;
    } else if (process_is_running(ctl, words->items[0], &is_known)) {
        foreground_run(ctl, words->items[0]);
    } else if (is_known) {
        printf("ERROR: process not running\n");
        ctl->exit_status = CTL_FAILURE;
    }
}
