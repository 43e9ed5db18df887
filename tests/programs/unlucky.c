/*
 * Preloaded into a daemon (LD_PRELOAD), it makes an unlucky machine of the one there is: a clock that is set, a system
 * without descriptors, without processes, one that lets nobody signal anybody. What happens stands in the file that
 * UNLUCKY_FILE names, and may change at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* As the tests write it: little-endian, in this order. */
struct luck {
    int64_t wall_offset_s; /* the wall clock shows so much more */
    int64_t fd_errno;      /* no new descriptor: this is why; 0: all is well */
    int64_t clone_errno;   /* no new process */
    int64_t kill_errno;    /* no signal is sent, to whomever */
};

static const struct luck good_luck;
static const volatile struct luck *luck = &good_luck;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("UNLUCKY_FILE");
    const int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = MAP_FAILED;

    if (fd >= 0)
        mapped = mmap(NULL, sizeof *luck, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (mapped != MAP_FAILED)
        luck = mapped;
}

static int refuse(int64_t os)
{
    errno = (int)os;
    return -1;
}

/* --- the clock ---------------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += luck->wall_offset_s;
    return result;
}

time_t time(time_t *now)
{
    struct timespec exact;

    clock_gettime(CLOCK_REALTIME, &exact);
    if (now != NULL)
        *now = exact.tv_sec;
    return exact.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before)
{
    struct itimerspec real = *wanted;

    if ((flags & TFD_TIMER_ABSTIME) != 0 && real.it_value.tv_sec != 0)
        real.it_value.tv_sec -= luck->wall_offset_s;
    return (int)syscall(SYS_timerfd_settime, fd, flags, &real, before);
}

/* --- descriptors -------------------------------------------------------------------------------------------------- */

int open(const char *path, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (luck->fd_errno != 0)
        return refuse(luck->fd_errno);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int pipe2(int ends[2], int flags)
{
    return luck->fd_errno != 0 ? refuse(luck->fd_errno) : (int)syscall(SYS_pipe2, ends, flags);
}

int accept4(int fd, void *address, void *size, int flags);

int accept4(int fd, void *address, void *size, int flags)
{
    if (luck->fd_errno != 0)
        return refuse(luck->fd_errno);
    return (int)syscall(SYS_accept4, fd, address, size, flags);
}

int memfd_create(const char *name, unsigned flags)
{
    return luck->fd_errno != 0 ? refuse(luck->fd_errno) : (int)syscall(SYS_memfd_create, name, flags);
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

extern int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
extern pid_t __libc_fork(void);

int clone(int (*run)(void *), void *stack, int flags, void *argument, ...)
{
    return luck->clone_errno != 0 ? refuse(luck->clone_errno) : __clone(run, stack, flags, argument);
}

pid_t fork(void)
{
    return luck->clone_errno != 0 ? refuse(luck->clone_errno) : __libc_fork();
}

int kill(pid_t pid, int number)
{
    return luck->kill_errno != 0 ? refuse(luck->kill_errno) : (int)syscall(SYS_kill, pid, number);
}
