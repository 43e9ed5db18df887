#include "process/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "process/supervisor.h"

/* What may wait for a child that does not read its stdin. */
#define STDIN_PENDING_MAX (16U << 20)

void input_close(struct process *process)
{
    if (process->stdin_event != NULL)
        event_free(process->stdin_event);
    if (process->stdin_pending != NULL)
        evbuffer_free(process->stdin_pending);
    process->stdin_event = NULL;
    process->stdin_pending = NULL;
    fd_close(&process->stdin_fd);
}

static void on_stdin_writable(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;

    (void)what;
    if (evbuffer_write(process->stdin_pending, fd) < 0 && errno != EAGAIN && errno != EINTR) {
        log_debug("'%s' closed its stdin: %s", process->config->name, strerror(errno));
        input_close(process);
        return;
    }
    if (evbuffer_get_length(process->stdin_pending) > 0)
        return;
    event_free(process->stdin_event);
    evbuffer_free(process->stdin_pending);
    process->stdin_event = NULL;
    process->stdin_pending = NULL;
}

static void wait_for_room(struct process *process)
{
    process->stdin_pending = evbuffer_new();
    if (process->stdin_pending == NULL)
        memory_exhausted();
    process->stdin_event =
        loop_event_new(process->supervisor->loop, process->stdin_fd, EV_WRITE | EV_PERSIST, on_stdin_writable, process);
    event_add(process->stdin_event, NULL);
}

/* Keeps all but the first `taken` bytes. What was begun is never cut off, however long it is. */
static int keep_for_stdin(struct process *process, const struct iovec *parts, int count, size_t taken,
                          struct error *err)
{
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += parts[i].iov_len;
    if (taken == length)
        return 0;
    if (process->stdin_pending == NULL)
        wait_for_room(process);
    else if (evbuffer_get_length(process->stdin_pending) + length > STDIN_PENDING_MAX)
        return error_set_fault(err, FAULT_FAILED, "%s does not read its stdin", process->config->name);
    for (int i = 0; i < count; i++) {
        const size_t skipped = taken < parts[i].iov_len ? taken : parts[i].iov_len;
        if (evbuffer_add(process->stdin_pending, (const char *)parts[i].iov_base + skipped,
                         parts[i].iov_len - skipped) < 0)
            memory_exhausted();
        taken -= skipped;
    }
    return 0;
}

int input_write(struct process *process, const struct iovec *parts, int count, struct error *err)
{
    ssize_t written = 0;

    if (process->pid == 0)
        return error_set_fault(err, FAULT_NOT_RUNNING, "%s", process->config->name);
    if (process->stdin_fd < 0)
        return error_set_fault(err, FAULT_NO_FILE, "%s", process->config->name);
    if (process->stdin_pending == NULL)
        written = writev(process->stdin_fd, parts, count);
    if (written < 0 && errno != EAGAIN && errno != EINTR) {
        input_close(process);
        return error_set_fault(err, FAULT_NO_FILE, "%s", process->config->name);
    }
    return keep_for_stdin(process, parts, count, written > 0 ? (size_t)written : 0, err);
}

int process_write_stdin(struct process *process, const char *bytes, size_t length, struct error *err)
{
    const struct iovec part = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = length};

    return input_write(process, &part, 1, err);
}

static void hand_over_pending(struct process *process, struct handover *handover)
{
    if (!handover_flag(handover, "has_stdin_pending", process->stdin_pending != NULL) || process->stdin_fd < 0)
        return;
    if (process->stdin_pending == NULL)
        wait_for_room(process);
    handover_buffer(handover, "stdin_pending", process->stdin_pending);
}

void input_hand_over(struct process *process, struct handover *handover)
{
    handover_fd(handover, "stdin", &process->stdin_fd);
    hand_over_pending(process, handover);
}
