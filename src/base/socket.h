/* Listening sockets, made so that nobody can use them before they are as they shall be. */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/handover.h"

/* Which file a UNIX socket has made: its descriptor does not tell. */
struct socket_file {
    dev_t device;
    ino_t inode;
};

/*
 * A UNIX stream socket bound to `path`, close-on-exec and blocking, whose file has its mode and owner ((uid_t)-1,
 * (gid_t)-1: leave) before the caller calls listen(), until which nobody can connect. A socket file that nobody
 * listens on any more is replaced. Returns the descriptor, or -1 with errno and no file left behind: EADDRINUSE when
 * somebody listens there, EEXIST when the path holds something else than a socket.
 */
int socket_bind_unix(const char *path, mode_t mode, uid_t uid, gid_t gid, struct socket_file *file);

/* Removes the file of a UNIX socket, if it is still the same. */
void socket_remove_file(const char *path, const struct socket_file *file);

void socket_file_hand_over(struct socket_file *file, struct handover *handover);

/* True for a host that stands for all interfaces: NULL, "" and "*". */
bool socket_is_all_interfaces(const char *host);

/*
 * The stream addresses of a host ("localhost", "127.0.0.1", "::1", "[::1]", all interfaces) and port, to listen on.
 * May wait for a name server when the host is a name. 0 with *addresses, to free with freeaddrinfo(), or what
 * getaddrinfo() says.
 */
int socket_resolve(const char *host, int port, struct addrinfo **addresses);

/* The first address of a family, or NULL. */
const struct addrinfo *socket_first_of(const struct addrinfo *addresses, int family);

/*
 * A TCP socket bound to an address, close-on-exec and blocking, to listen() on. An IPv6 socket on all interfaces takes
 * IPv4 connections too unless `ipv6_only`. The descriptor, or -1 with errno.
 */
int socket_bind_inet(const struct addrinfo *address, bool ipv6_only);

#endif
