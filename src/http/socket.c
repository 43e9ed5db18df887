/* Listening sockets: opened before daemonizing, so that a refused address ends the start. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/socket.h"
#include "http/internal.h"

static const char IN_USE[] = "Another program is already listening on a port that one of our HTTP servers is "
                             "configured to use.  Shut this program down first before starting supervisord.";

static int refuse(struct error *err, int os, const char *where)
{
    if (os == EADDRINUSE)
        return error_set(err, "%s", IN_USE);
    return error_from_errno(err, os, "Cannot open an HTTP server: %s", where);
}

/* --- UNIX sockets ------------------------------------------------------------------------------------------------- */

/* The file that each UNIX socket has made. */
struct made_file {
    int fd;
    struct socket_file file;
    struct made_file *next;
};
static struct made_file *made_files;

static void remember_file(int fd, const struct socket_file *file)
{
    struct made_file *made = xcalloc(1, sizeof *made);

    made->fd = fd;
    made->file = *file;
    LL_PREPEND(made_files, made);
}

static void remove_own_file(int fd, const char *path)
{
    struct made_file *made;

    LL_SEARCH_SCALAR(made_files, made, fd, fd);
    if (made == NULL)
        return;
    socket_remove_file(path, &made->file);
    LL_DELETE(made_files, made);
    free(made);
}

static int listen_without_waiting(int fd)
{
    return fd_set_nonblocking(fd) < 0 ? -1 : listen(fd, HTTP_BACKLOG);
}

static int open_unix(const struct config_server *config, int fds[2], struct error *err)
{
    struct socket_file file;

    fds[0] = socket_bind_unix(config->path, (mode_t)config->chmod, config->uid, config->gid, &file);
    if (fds[0] < 0)
        return refuse(err, errno, config->path);
    remember_file(fds[0], &file);
    if (listen_without_waiting(fds[0]) == 0)
        return 0;
    refuse(err, errno, config->path);
    remove_own_file(fds[0], config->path);
    fd_close(&fds[0]);
    return -1;
}

/* --- TCP sockets -------------------------------------------------------------------------------------------------- */

/* A listening socket, or -1 with errno. Keep-alive is inherited by connections: it finds waiting clients dead. */
static int listen_on(const struct addrinfo *address)
{
    const int on = 1;
    int fd = socket_bind_inet(address, true);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0 || listen_without_waiting(fd) < 0)
        fd_close(&fd);
    return fd;
}

/* A name's IPv4 address is preferred, as the original knows no other; all interfaces are those of IPv6 as well. */
static int listen_on_first(const struct addrinfo *addresses, bool is_everywhere, int fds[2])
{
    const struct addrinfo *ipv4 = socket_first_of(addresses, AF_INET);
    const struct addrinfo *ipv6 = socket_first_of(addresses, AF_INET6);

    fds[0] = listen_on(ipv4 != NULL ? ipv4 : addresses);
    if (fds[0] < 0)
        return -1;
    if (is_everywhere && ipv4 != NULL && ipv6 != NULL)
        fds[1] = listen_on(ipv6); /* a machine without IPv6 does without */
    return 0;
}

static int open_inet(const struct config_server *config, int fds[2], struct error *err)
{
    const bool is_everywhere = socket_is_all_interfaces(config->host);
    CLEANUP_FREE char *where = xasprintf("%s:%d", is_everywhere ? "*" : config->host, config->port);
    struct addrinfo *addresses;
    const int failure = socket_resolve(config->host, config->port, &addresses);

    if (failure == EAI_SYSTEM)
        return refuse(err, errno, where);
    if (failure != 0)
        return error_set(err, "Cannot open an HTTP server: %s: %s", where, gai_strerror(failure));

    const int result = listen_on_first(addresses, is_everywhere, fds);
    const int os = errno;

    freeaddrinfo(addresses);
    return result < 0 ? refuse(err, os, where) : 0;
}

int http_socket_open(const struct config_server *config, int fds[2], struct error *err)
{
    fds[0] = -1;
    fds[1] = -1;
    return config->kind == CONFIG_SERVER_UNIX ? open_unix(config, fds, err) : open_inet(config, fds, err);
}

void http_socket_hand_over(const struct config_server *config, int fds[2], struct handover *handover)
{
    struct socket_file file = {0};
    struct made_file *made;

    handover_fd(handover, "fd", &fds[0]);
    handover_fd(handover, "second_fd", &fds[1]);
    if (config->kind != CONFIG_SERVER_UNIX)
        return;
    LL_SEARCH_SCALAR(made_files, made, fd, fds[0]);
    if (made != NULL)
        file = made->file;
    socket_file_hand_over(&file, handover);
    if (handover_is_taking(handover))
        remember_file(fds[0], &file);
}

void http_socket_close(const struct config_server *config, int fds[2])
{
    if (config->kind == CONFIG_SERVER_UNIX && fds[0] >= 0)
        remove_own_file(fds[0], config->path);
    fd_close(&fds[0]);
    fd_close(&fds[1]);
}
