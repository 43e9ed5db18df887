#include "client/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"

static volatile sig_atomic_t seen;
static int ends[2] = {-1, -1};
static struct sigaction before;
static unsigned depth;

static void on_sigint(int number)
{
    const int kept = errno;

    (void)number;
    seen = 1;
    (void)!write(ends[1], "", 1);
    errno = kept;
}

void interrupt_begin(void)
{
    struct sigaction action = {.sa_handler = on_sigint};

    if (depth++ > 0)
        return;
    seen = 0;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        ends[0] = ends[1] = -1; /* no descriptor left: Ctrl-C keeps its usual meaning */
        return;
    }
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before);
}

void interrupt_end(void)
{
    if (--depth > 0 || ends[0] < 0)
        return;
    sigaction(SIGINT, &before, NULL);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

bool interrupt_seen(void)
{
    return seen != 0;
}

int interrupt_fd(void)
{
    return ends[0];
}
