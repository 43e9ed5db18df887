#include "websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

struct echo {
    struct plugin *plugin;
    struct http_upgrade *upgrade; /* NULL until it is open */
    struct plugin_watch *watch;
    wslay_event_context_ptr frames;
    int fd;
    const char *early; /* what came with the request and is still to be read */
    size_t early_length;
};

static void echo_free(struct echo *echo)
{
    plugin_watch_free(echo->watch);
    if (echo->frames != NULL)
        wslay_event_context_free(echo->frames);
    free(echo);
}

static ssize_t fail(wslay_event_context_ptr frames, int os)
{
    wslay_event_set_error(frames,
                          os == EAGAIN || os == EWOULDBLOCK ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_receive(wslay_event_context_ptr frames, uint8_t *buffer, size_t length, int flags, void *context)
{
    struct echo *echo = context;
    ssize_t count;

    (void)flags;
    if (echo->early_length > 0) {
        const size_t taken = echo->early_length < length ? echo->early_length : length;
        memcpy(buffer, echo->early, taken);
        echo->early += taken;
        echo->early_length -= taken;
        return (ssize_t)taken;
    }
    count = recv(echo->fd, buffer, length, 0);
    if (count > 0)
        return count;
    return fail(frames, count == 0 ? EPIPE : errno);
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *bytes, size_t length, int flags, void *context)
{
    const struct echo *echo = context;
    const ssize_t count = send(echo->fd, bytes, length, MSG_NOSIGNAL);

    (void)flags;
    return count >= 0 ? count : fail(frames, errno);
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *message, void *context)
{
    const struct wslay_event_msg answer = {message->opcode, message->msg, message->msg_length};

    (void)context;
    if (!wslay_is_ctrl_frame(message->opcode))
        wslay_event_queue_msg(frames, &answer);
}

static void on_ready(void *context, unsigned ready)
{
    struct echo *echo = context;

    (void)ready;
    if (wslay_event_recv(echo->frames) != 0 || wslay_event_send(echo->frames) != 0 ||
        (!wslay_event_want_read(echo->frames) && !wslay_event_want_write(echo->frames))) {
        http_upgrade_close(echo->upgrade);
        echo_free(echo);
        return;
    }
    plugin_watch_change(echo->watch, PLUGIN_READABLE | (wslay_event_want_write(echo->frames) ? PLUGIN_WRITABLE : 0U));
}

static void on_opened(void *context, struct http_upgrade *upgrade, int fd, const char *early, size_t length)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_receive, .send_callback = on_send, .on_msg_recv_callback = on_message};
    struct echo *echo = context;

    echo->upgrade = upgrade;
    echo->fd = fd;
    echo->early = early;
    echo->early_length = length;
    wslay_event_context_server_init(&echo->frames, &callbacks, echo);
    echo->watch = plugin_watch_new(echo->plugin, fd, PLUGIN_READABLE, on_ready, echo);
    on_ready(echo, PLUGIN_READABLE);
}

static void on_closed(void *context)
{
    echo_free(context);
}

void websocket_echo(struct plugin *plugin, struct http_request *request)
{
    struct echo *echo = calloc(1, sizeof *echo);
    const struct http_upgrade_handler handler = {.opened = on_opened, .closed = on_closed, .context = echo};

    echo->plugin = plugin;
    if (!http_respond_websocket(request, &handler))
        free(echo);
}
