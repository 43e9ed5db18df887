/* Listening sockets: opened before daemonizing, so that a refused address ends the start. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
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

/* The file that each UNIX socket has made: its descriptor does not tell. */
struct socket_file {
    int fd;
    dev_t device;
    ino_t inode;
    struct socket_file *next;
};
static struct socket_file *socket_files;

static void remember_file(int fd, const char *path)
{
    struct socket_file *file = xcalloc(1, sizeof *file);
    struct stat status;

    file->fd = fd;
    if (lstat(path, &status) == 0) {
        file->device = status.st_dev;
        file->inode = status.st_ino;
    }
    LL_PREPEND(socket_files, file);
}

static void unlink_own_file(int fd, const char *path)
{
    struct socket_file *file;
    struct stat status;

    LL_SEARCH_SCALAR(socket_files, file, fd, fd);
    if (file == NULL)
        return;
    if (lstat(path, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode)
        unlink(path);
    LL_DELETE(socket_files, file);
    free(file);
}

static int unix_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

/* 0: the socket file was left behind and is gone now. -1 with errno EADDRINUSE: somebody listens; EEXIST: no socket. */
static int remove_stale(const struct sockaddr_un *address)
{
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat status;

    if (probe < 0)
        return -1;

    const bool is_refused =
        connect(probe, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;

    close(probe);
    if (!is_refused) {
        errno = EADDRINUSE;
        return -1;
    }
    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    return unlink(address->sun_path);
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
    const mode_t old = umask(0);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);

    if (result < 0 && errno == EADDRINUSE && remove_stale(address) == 0)
        result = bind(fd, (const struct sockaddr *)address, sizeof *address);

    const int os = errno;

    umask(old);
    errno = os;
    return result;
}

/*
 * The mode set on the socket before bind() is the file's from its first moment; the owner is set before listen(),
 * until which nobody can connect.
 */
static int open_unix(const struct config_server *config, int fds[2], struct error *err)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;

    if (fd < 0 || unix_address(config->path, &address) < 0 || fchmod(fd, (mode_t)config->chmod) < 0 ||
        bind_unix(fd, &address) < 0)
        return refuse(err, errno, config->path);
    remember_file(fd, config->path);
    if (lchown(config->path, config->uid, config->gid) < 0 || listen(fd, HTTP_BACKLOG) < 0) {
        refuse(err, errno, config->path);
        unlink_own_file(fd, config->path);
        return -1;
    }
    fds[0] = fd;
    fd = -1;
    return 0;
}

/* --- TCP sockets -------------------------------------------------------------------------------------------------- */

static int set_option(int fd, int level, int option)
{
    const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on);
}

/* A listening socket, or -1 with errno. Keep-alive is inherited by connections: it finds waiting clients dead. */
static int listen_on(const struct addrinfo *address)
{
    CLEANUP_FD int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || set_option(fd, SOL_SOCKET, SO_REUSEADDR) < 0 || set_option(fd, SOL_SOCKET, SO_KEEPALIVE) < 0)
        return -1;
    if (address->ai_family == AF_INET6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0)
        return -1;
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, HTTP_BACKLOG) < 0)
        return -1;

    const int listening = fd;

    fd = -1;
    return listening;
}

static const struct addrinfo *first_of(const struct addrinfo *addresses, int family)
{
    while (addresses != NULL && addresses->ai_family != family)
        addresses = addresses->ai_next;
    return addresses;
}

/* A name's IPv4 address is preferred, as the original knows no other; all interfaces are those of IPv6 as well. */
static int listen_on_first(const struct addrinfo *addresses, bool is_everywhere, int fds[2])
{
    const struct addrinfo *ipv4 = first_of(addresses, AF_INET);
    const struct addrinfo *ipv6 = first_of(addresses, AF_INET6);

    fds[0] = listen_on(ipv4 != NULL ? ipv4 : addresses);
    if (fds[0] < 0)
        return -1;
    if (is_everywhere && ipv4 != NULL && ipv6 != NULL)
        fds[1] = listen_on(ipv6); /* a machine without IPv6 does without */
    return 0;
}

static bool is_all_interfaces(const char *host)
{
    return host == NULL || host[0] == '\0' || strcmp(host, "*") == 0;
}

/* "[::1]" without its brackets; the caller frees it. NULL for all interfaces. */
static char *plain_host(const char *host)
{
    if (is_all_interfaces(host))
        return NULL;

    const size_t length = strlen(host);

    return host[0] == '[' && host[length - 1] == ']' ? xstrndup(host + 1, length - 2) : xstrdup(host);
}

static int open_inet(const struct config_server *config, int fds[2], struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    CLEANUP_FREE char *host = plain_host(config->host);
    CLEANUP_FREE char *port = xasprintf("%d", config->port);
    CLEANUP_FREE char *where = xasprintf("%s:%s", host == NULL ? "*" : config->host, port);
    struct addrinfo *addresses;
    const int failure = getaddrinfo(host, port, &hints, &addresses);

    if (failure == EAI_SYSTEM)
        return refuse(err, errno, where);
    if (failure != 0)
        return error_set(err, "Cannot open an HTTP server: %s: %s", where, gai_strerror(failure));

    const int result = listen_on_first(addresses, host == NULL, fds);
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

void http_socket_close(const struct config_server *config, int fds[2])
{
    if (config->kind == CONFIG_SERVER_UNIX && fds[0] >= 0)
        unlink_own_file(fds[0], config->path);
    fd_close(&fds[0]);
    fd_close(&fds[1]);
}
