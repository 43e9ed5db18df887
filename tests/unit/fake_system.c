#include "fake_system.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_system fake;

void fake_reset(void)
{
    fake = (struct fake_system){.now_us = 1000000000, .last_pid = 100};
}

/* The end of a pipe that nobody writes to. */
static int ended_pipe(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    close(ends[1]);
    return ends[0];
}

/* epoll refuses what is a file. */
static int output_end(void)
{
    return fake.odd_pipes ? memfd_create("output", MFD_CLOEXEC) : ended_pipe();
}

static int spawn(const struct spawn_request *request, struct spawn_result *result, struct error *err)
{
    fake.now_us += fake.spawn_us;
    if (fake.spawn_refusals > 0) {
        fake.spawn_refusals--;
        return error_set(err, "Too many processes in process table to spawn '%s'", request->name);
    }
    *result = (struct spawn_result){.pid = ++fake.last_pid, .stdin_fd = -1, .output_fds = {output_end(), output_end()}};
    return 0;
}

static int send_signal(pid_t pid, int number)
{
    assert_true(fake.sent_count < FAKE_SENT_MAX);
    fake.sent[fake.sent_count++] = (struct fake_signal){pid, number};
    errno = fake.kill_errno;
    return fake.kill_errno != 0 ? -1 : 0;
}

static int64_t wall_us(void)
{
    return INT64_C(1700000000000000) + fake.now_us + fake.wall_step_us;
}

static int64_t monotonic_us(void)
{
    return fake.now_us;
}

static void arm(struct event *timer, int64_t after_us)
{
    const struct timeval far = {1000000, 0};

    fake.armed = timer;
    fake.last_timer_us = after_us;
    evtimer_add(timer, &far); /* pending for whoever asks; fake_fire() makes it fire */
}

static void disarm(struct event *timer)
{
    if (fake.armed == timer)
        fake.armed = NULL;
    evtimer_del(timer);
}

const struct process_system fake_process_system = {
    .spawn = spawn,
    .kill = send_signal,
    .wall_us = wall_us,
    .monotonic_us = monotonic_us,
    .timer_arm = arm,
    .timer_disarm = disarm,
};

void fake_fire(struct event *timer, int64_t us)
{
    fake.now_us += us;
    if (fake.armed == timer)
        fake.armed = NULL;
    evtimer_del(timer);
    event_active(timer, EV_TIMEOUT, 1);
}

struct config_process fake_program(const char *name)
{
    static const int expected[] = {0};

    return (struct config_process){
        .name = strdup(name),
        .program = strdup(name),
        .command = strdup("/bin/true -x 'a b'"),
        .priority = 999,
        .autorestart = AUTORESTART_UNEXPECTED,
        .startsecs = 1,
        .startretries = 3,
        .stopsignal = SIGTERM,
        .stopwaitsecs = 10,
        .exitcodes = memcpy(malloc(sizeof expected), expected, sizeof expected),
        .exitcode_count = 1,
        .umask = -1,
    };
}
