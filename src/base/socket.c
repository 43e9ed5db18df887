#include "base/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

static int take_fd(int *fd)
{
    const int taken = *fd;

    *fd = -1;
    return taken;
}

/* --- UNIX sockets ------------------------------------------------------------------------------------------------- */

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

static int bind_path(int fd, const struct sockaddr_un *address)
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

static void learn_file(const char *path, struct socket_file *file)
{
    struct stat status = {0};

    if (lstat(path, &status) < 0)
        status = (struct stat){0};
    *file = (struct socket_file){.device = status.st_dev, .inode = status.st_ino};
}

/* The mode that is set on the socket before bind() is the file's from its first moment. */
int socket_bind_unix(const char *path, mode_t mode, uid_t uid, gid_t gid, struct socket_file *file)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;

    if (fd < 0 || unix_address(path, &address) < 0 || fchmod(fd, mode) < 0 || bind_path(fd, &address) < 0)
        return -1;
    learn_file(path, file);
    if (lchown(path, uid, gid) < 0) {
        const int os = errno;
        socket_remove_file(path, file);
        errno = os;
        return -1;
    }
    return take_fd(&fd);
}

void socket_remove_file(const char *path, const struct socket_file *file)
{
    struct stat status;

    if (lstat(path, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode)
        unlink(path);
}

void socket_file_hand_over(struct socket_file *file, struct handover *handover)
{
    file->device = (dev_t)handover_integer(handover, "device", (int64_t)file->device);
    file->inode = (ino_t)handover_integer(handover, "inode", (int64_t)file->inode);
}

/* --- TCP sockets -------------------------------------------------------------------------------------------------- */

bool socket_is_all_interfaces(const char *host)
{
    return host == NULL || host[0] == '\0' || strcmp(host, "*") == 0;
}

/* "[::1]" without its brackets; the caller frees it. NULL for all interfaces. */
static char *plain_host(const char *host)
{
    if (socket_is_all_interfaces(host))
        return NULL;

    const size_t length = strlen(host);

    return host[0] == '[' && host[length - 1] == ']' ? xstrndup(host + 1, length - 2) : xstrdup(host);
}

int socket_resolve(const char *host, int port, struct addrinfo **addresses)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    CLEANUP_FREE char *plain = plain_host(host);
    CLEANUP_FREE char *service = xasprintf("%d", port);

    return getaddrinfo(plain, service, &hints, addresses);
}

const struct addrinfo *socket_first_of(const struct addrinfo *addresses, int family)
{
    while (addresses != NULL && addresses->ai_family != family)
        addresses = addresses->ai_next;
    return addresses;
}

int socket_bind_inet(const struct addrinfo *address, bool ipv6_only)
{
    CLEANUP_FD int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    const int only = ipv6_only;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        return -1;
    if (address->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0)
        return -1;
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0)
        return -1;
    return take_fd(&fd);
}
