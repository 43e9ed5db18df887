#include "process/shared_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/socket.h"

#define DEFAULT_MODE 0700

struct shared_socket {
    const struct config_fcgi_socket *config; /* borrowed */
    struct addrinfo *addresses;              /* TCP: what the host stands for; else NULL */
    int fd;                                  /* -1: closed */
    struct socket_file file;                 /* UNIX: what was made for it */
    size_t holders;                          /* children that have it */
};

static int refuse(const struct shared_socket *socket, int os, struct error *err)
{
    if (os == EADDRINUSE && socket->config->path != NULL)
        error_set(err, "cannot create socket %s: another program is listening there", socket->config->url);
    else if (os == EEXIST && socket->config->path != NULL)
        error_set(err, "cannot create socket %s: what is there is no socket", socket->config->url);
    else
        return error_from_errno(err, os, "cannot create socket %s", socket->config->url);
    err->os = os;
    return -1;
}

static int bind_unix(struct shared_socket *socket)
{
    const struct config_fcgi_socket *config = socket->config;
    const mode_t mode = config->mode >= 0 ? (mode_t)config->mode : DEFAULT_MODE;
    const uid_t uid = config->owner.is_set ? config->owner.uid : (uid_t)-1;

    return socket_bind_unix(config->path, mode, uid, config->owner_gid, &socket->file);
}

/* All interfaces are one socket, which takes IPv4 and IPv6; a machine without IPv6 does without. */
static int bind_everywhere(const struct addrinfo *addresses)
{
    const struct addrinfo *ipv6 = socket_first_of(addresses, AF_INET6);
    const struct addrinfo *ipv4 = socket_first_of(addresses, AF_INET);
    int fd = -1;

    if (ipv6 != NULL)
        fd = socket_bind_inet(ipv6, false);
    if (fd < 0 && ipv4 != NULL && (ipv6 == NULL || errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = socket_bind_inet(ipv4, false);
    return fd;
}

/* A name's IPv4 address is preferred, as the original knows no other. */
static int bind_inet(const struct shared_socket *socket)
{
    const struct addrinfo *ipv4 = socket_first_of(socket->addresses, AF_INET);

    if (socket_is_all_interfaces(socket->config->host))
        return bind_everywhere(socket->addresses);
    return socket_bind_inet(ipv4 != NULL ? ipv4 : socket->addresses, true);
}

static void close_it(struct shared_socket *socket)
{
    if (socket->fd < 0)
        return;
    log_info("Closing socket %s", socket->config->url);
    if (socket->config->path != NULL)
        socket_remove_file(socket->config->path, &socket->file);
    fd_close(&socket->fd);
}

static int open_it(struct shared_socket *socket, struct error *err)
{
    const int backlog = socket->config->backlog >= 0 ? socket->config->backlog : SOMAXCONN;

    log_info("Creating socket %s", socket->config->url);
    socket->fd = socket->config->path != NULL ? bind_unix(socket) : bind_inet(socket);
    if (socket->fd < 0)
        return refuse(socket, errno, err);
    if (listen(socket->fd, backlog) == 0)
        return 0;
    refuse(socket, errno, err);
    close_it(socket);
    return -1;
}

static int resolve(struct shared_socket *socket, struct error *err)
{
    if (socket->config->path != NULL)
        return 0;

    const int failure = socket_resolve(socket->config->host, socket->config->port, &socket->addresses);

    if (failure == EAI_SYSTEM)
        return refuse(socket, errno, err);
    if (failure != 0)
        return error_set(err, "cannot create socket %s: %s", socket->config->url, gai_strerror(failure));
    return 0;
}

struct shared_socket *shared_socket_new(const struct config_fcgi_socket *config, bool is_taken, struct error *err)
{
    struct shared_socket *socket = xcalloc(1, sizeof *socket);

    socket->config = config;
    socket->fd = -1;
    if (resolve(socket, err) < 0 || (!is_taken && open_it(socket, err) < 0)) {
        shared_socket_free(socket);
        return NULL;
    }
    close_it(socket); /* until a child needs it */
    return socket;
}

void shared_socket_free(struct shared_socket *socket)
{
    if (socket == NULL)
        return;
    close_it(socket);
    if (socket->addresses != NULL)
        freeaddrinfo(socket->addresses);
    free(socket);
}

int shared_socket_hold(struct shared_socket *socket, struct error *err)
{
    if (socket->fd < 0 && open_it(socket, err) < 0)
        return -1;
    socket->holders++;
    return socket->fd;
}

void shared_socket_drop(struct shared_socket *socket)
{
    if (--socket->holders == 0)
        close_it(socket);
}

void shared_socket_hand_over(struct shared_socket *socket, struct handover *handover)
{
    handover_fd(handover, "fd", &socket->fd);
    socket_file_hand_over(&socket->file, handover);
    socket->holders = (size_t)handover_integer(handover, "holders", (int64_t)socket->holders);
}
