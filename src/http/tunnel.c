#include "http/tunnel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/memory.h"

enum {
    BLOCK_SIZE = 16 * 1024, /* bytes moved at a time: a record of TLS has no more */
    BLOCKS_PER_TURN = 16,   /* then others get theirs */
};

/* Reads or writes: how many bytes, 0 when it would have to wait, or -1 at the end. */
typedef ssize_t move(struct http_tunnel *tunnel, char *bytes, size_t size);

struct flow {
    struct http_tunnel *tunnel; /* borrowed */
    move *read, *write;
    struct event *readable, *writable; /* owned; one is pending while the flow waits */
    int shut;                          /* what of our end is shut down when this is over */
    bool is_over;
    size_t begin, end; /* of what waits to be written */
    char bytes[BLOCK_SIZE];
};

struct http_tunnel {
    gnutls_session_t session; /* borrowed */
    int ours, owners;         /* owned: the ends of the pair */
    struct flow to_owner, to_client;
};

/* --- the four ends ------------------------------------------------------------------------------------------------ */

static ssize_t judge_tls(ssize_t moved)
{
    if (moved > 0)
        return moved;
    return moved < 0 && gnutls_error_is_fatal((int)moved) == 0 ? 0 : -1;
}

static ssize_t read_client(struct http_tunnel *tunnel, char *bytes, size_t size)
{
    return judge_tls(gnutls_record_recv(tunnel->session, bytes, size));
}

static ssize_t write_client(struct http_tunnel *tunnel, char *bytes, size_t size)
{
    return judge_tls(gnutls_record_send(tunnel->session, bytes, size));
}

static ssize_t judge_socket(ssize_t moved)
{
    if (moved > 0)
        return moved;
    return moved < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ssize_t read_owner(struct http_tunnel *tunnel, char *bytes, size_t size)
{
    return judge_socket(recv(tunnel->ours, bytes, size, 0));
}

static ssize_t write_owner(struct http_tunnel *tunnel, char *bytes, size_t size)
{
    return judge_socket(send(tunnel->ours, bytes, size, MSG_NOSIGNAL));
}

/* --- from one end to the other ------------------------------------------------------------------------------------ */

/* The event to wait for, or NULL. */
static struct event *flow_move(struct flow *flow)
{
    const bool is_empty = flow->begin == flow->end;
    const ssize_t moved = is_empty ? flow->read(flow->tunnel, flow->bytes, sizeof flow->bytes)
                                   : flow->write(flow->tunnel, flow->bytes + flow->begin, flow->end - flow->begin);

    if (moved == 0)
        return is_empty ? flow->readable : flow->writable;
    if (moved < 0) {
        flow->is_over = true;
        shutdown(flow->tunnel->ours, flow->shut);
    } else if (is_empty) {
        flow->begin = 0;
        flow->end = (size_t)moved;
    } else {
        flow->begin += (size_t)moved;
    }
    return NULL;
}

static void flow_run(struct flow *flow)
{
    for (int i = 0; i < 2 * BLOCKS_PER_TURN && !flow->is_over; i++) {
        struct event *awaited = flow_move(flow);
        if (awaited != NULL) {
            (void)event_add(awaited, NULL);
            return;
        }
    }
    if (!flow->is_over)
        event_active(flow->readable, EV_TIMEOUT, 0);
}

static void on_ready(evutil_socket_t fd, short what, void *flow)
{
    (void)fd;
    (void)what;
    flow_run(flow);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void flow_init(struct flow *flow, struct http_tunnel *tunnel, struct event_base *loop, int from, int to)
{
    flow->tunnel = tunnel;
    flow->readable = loop_event_new(loop, from, EV_READ, on_ready, flow);
    flow->writable = loop_event_new(loop, to, EV_WRITE, on_ready, flow);
}

struct http_tunnel *http_tunnel_new(struct event_base *loop, int fd, gnutls_session_t session, const char *first)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return NULL;
    struct http_tunnel *tunnel = xcalloc(1, sizeof *tunnel);
    tunnel->session = session;
    tunnel->ours = ends[0];
    tunnel->owners = ends[1];
    tunnel->to_owner.read = read_client;
    tunnel->to_owner.write = write_owner;
    tunnel->to_owner.shut = SHUT_WR;
    tunnel->to_client.read = read_owner;
    tunnel->to_client.write = write_client;
    tunnel->to_client.shut = SHUT_RDWR;
    tunnel->to_client.end = strlen(first);
    memcpy(tunnel->to_client.bytes, first, tunnel->to_client.end);
    flow_init(&tunnel->to_owner, tunnel, loop, fd, tunnel->ours);
    flow_init(&tunnel->to_client, tunnel, loop, tunnel->ours, fd);
    flow_run(&tunnel->to_client);
    flow_run(&tunnel->to_owner);
    return tunnel;
}

int http_tunnel_fd(const struct http_tunnel *tunnel)
{
    return tunnel->owners;
}

static void flow_release(struct flow *flow)
{
    event_free(flow->readable);
    event_free(flow->writable);
}

void http_tunnel_close(struct http_tunnel *tunnel)
{
    close(tunnel->owners); /* so that what it has written has an end */
    while (!tunnel->to_client.is_over && flow_move(&tunnel->to_client) == NULL)
        continue;
    gnutls_bye(tunnel->session, GNUTLS_SHUT_WR);
    flow_release(&tunnel->to_owner);
    flow_release(&tunnel->to_client);
    close(tunnel->ours);
    free(tunnel);
}
