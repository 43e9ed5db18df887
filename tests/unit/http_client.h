/* A client for tests of the HTTP server: it lives in the same loop as the server. */
#ifndef TESTS_HTTP_CLIENT_H
#define TESTS_HTTP_CLIENT_H

#include "cmocka_all.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/containers.h"
#include "config/model.h"

enum { PATIENCE_SECONDS = 10 };

static inline void give_up(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    *(bool *)context = true;
}

/* Runs the loop until the condition holds; ends the test when it does not. */
#define WAIT_UNTIL(loop, condition)                                   \
    do {                                                              \
        const struct timeval patience = {.tv_sec = PATIENCE_SECONDS}; \
        bool is_late = false;                                         \
        bool holds;                                                   \
        struct event *late = evtimer_new((loop), give_up, &is_late);  \
        event_add(late, &patience);                                   \
        while (!(holds = (condition)) && !is_late)                    \
            event_base_loop((loop), EVLOOP_ONCE);                     \
        event_free(late);                                             \
        if (!holds)                                                   \
            fail_msg("waited in vain for %s", #condition);            \
    } while (0)

/* [unix_http_server] file=path */
static inline struct config_server server_config(char *path)
{
    return (struct config_server){
        .kind = CONFIG_SERVER_UNIX,
        .path = path,
        .chmod = 0700,
        .uid = (uid_t)-1,
        .gid = (gid_t)-1,
        .max_connections = 1000,
        .max_connections_per_address = -1,
        .max_header_bytes = 32 * 1024,
        .max_body_bytes = 8 * 1024 * 1024,
        .request_timeout = 10,
        .idle_timeout = 120,
    };
}

struct client {
    struct event_base *loop;
    int fd;
    struct event *readable;
    UT_string got;
    bool is_closed;
};

static inline void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct client *c = context;
    char buffer[65536];
    const ssize_t got = read(fd, buffer, sizeof buffer);

    (void)what;
    if (got > 0) {
        utstring_bincpy(&c->got, buffer, (size_t)got);
    } else {
        c->is_closed = true;
        event_del(c->readable);
    }
}

static inline int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline void client_adopt(struct client *c, struct event_base *loop, int fd)
{
    assert_true(fd >= 0);
    c->loop = loop;
    c->fd = fd;
    c->is_closed = false;
    c->readable = event_new(loop, fd, EV_READ | EV_PERSIST, on_readable, c);
    utstring_init(&c->got);
    event_add(c->readable, NULL);
}

static inline void client_connect(struct client *c, struct event_base *loop, const char *path)
{
    client_adopt(c, loop, connect_unix(path));
}

static inline void client_leave(struct client *c)
{
    event_free(c->readable);
    close(c->fd);
    utstring_done(&c->got);
}

static inline void client_send(struct client *c, const char *text)
{
    assert_int_equal(send(c->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static inline bool client_has(const struct client *c, const char *text)
{
    return strstr(utstring_body(&c->got), text) != NULL;
}

#endif
