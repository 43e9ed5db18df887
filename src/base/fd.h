/* File descriptors: flags, whole writes, and closing at the end of a scope. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

int fd_set_nonblocking(int fd); /* 0, or -1 with errno */

/* Closes *fd unless it is negative, and makes it -1. errno is kept. */
void fd_close(int *fd);

/*
 * open(), warily: a symbolic link at the end of the path is followed only when root or we ourselves made it, and not in
 * a directory that everybody may write to (ELOOP); it could lead anywhere. Never waits for the other end of a FIFO.
 */
int fd_open_warily(const char *path, int flags, mode_t mode);

/* Writes everything, going on after short writes and EINTR. 0, or -1 with errno. For blocking descriptors. */
int fd_write_all(int fd, const void *data, size_t length);

/* Reads until end of file or until `size` bytes are there. How many, or -1 with errno. */
ssize_t fd_read_all(int fd, void *data, size_t size);

/* Closes a local `CLEANUP_FD int fd` when the variable goes out of scope. */
#define CLEANUP_FD __attribute__((cleanup(fd_close)))

#endif
