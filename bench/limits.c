/* What this machine can do at best: the least work that yields the result, without any supervision around it. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COPY_BUFFER (256 * 1024)
#define REQUEST_SIZE 65536

static double seconds_since(int64_t begin)
{
    return (double)(clock_nanoseconds() - begin) / 1e9;
}

static void end_children(const pid_t *pids, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR)
        ;
}

/* spawn COUNT PROGRAM...: starts COUNT children that stay. */
static void limit_spawn(char **arguments)
{
    const int64_t count = number_argument(arguments[0]);
    pid_t *pids = calloc((size_t)count, sizeof *pids);

    if (pids == NULL)
        die("pids");
    const int64_t begin = clock_nanoseconds();
    for (int64_t i = 0; i < count; i++)
        pids[i] = spawn(arguments + 1, -1, -1);
    const double took = seconds_since(begin);
    end_children(pids, count);
    free(pids);
    printf("{\"seconds\": %.6f}\n", took);
}

/* The time at which the child of stamp number `index` began to run. */
static int64_t wait_stamp(int fd, int64_t index)
{
    const struct timespec pause_time = {.tv_nsec = 100000};
    struct stamp stamp;

    while (pread(fd, &stamp, sizeof stamp, index * (int64_t)sizeof stamp) != sizeof stamp)
        nanosleep(&pause_time, NULL);
    return stamp.nanoseconds;
}

/* respawn COUNT STAMP-FILE PROGRAM...: from the KILL of a child to the first instruction of the next. */
static void limit_respawn(char **arguments)
{
    const int64_t count = number_argument(arguments[0]);
    const int stamps = open(arguments[1], O_RDONLY | O_CLOEXEC);
    struct samples latencies = {0};
    pid_t pid = spawn(arguments + 2, -1, -1);

    if (stamps < 0)
        die(arguments[1]);
    wait_stamp(stamps, 0);
    for (int64_t i = 1; i <= count; i++) {
        const int64_t begin = clock_nanoseconds();

        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        pid = spawn(arguments + 2, -1, -1);
        samples_add(&latencies, wait_stamp(stamps, i) - begin);
    }
    end_children(&pid, 1);
    samples_sort(&latencies);
    printf("{\"p50\": %.1f, \"p99\": %.1f}\n", samples_percentile_us(&latencies, 50),
           samples_percentile_us(&latencies, 99));
}

/* churn WIDTH SECONDS PROGRAM...: keeps WIDTH children that exit at once running; how many a second. */
static void limit_churn(char **arguments)
{
    const int64_t width = number_argument(arguments[0]), begin = clock_nanoseconds();
    const double seconds = strtod(arguments[1], NULL);
    int64_t respawns = 0;

    for (int64_t i = 0; i < width; i++)
        spawn(arguments + 2, -1, -1);
    for (; seconds_since(begin) < seconds; respawns++) {
        wait(NULL);
        spawn(arguments + 2, -1, -1);
    }
    const double took = seconds_since(begin);
    end_children(NULL, 0);
    printf("{\"rate\": %.1f}\n", (double)respawns / took);
}

/* copy FILE BYTES PROGRAM...: from a pipe that the program fills to a file. CPU of the copying side only. */
static void limit_copy(char **arguments)
{
    static char buffer[COPY_BUFFER];
    const int file = open(arguments[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int64_t left = number_argument(arguments[1]);
    int ends[2];
    struct rusage usage;

    if (file < 0 || pipe2(ends, O_CLOEXEC) < 0)
        die(arguments[0]);
    const int64_t begin = clock_nanoseconds();
    const pid_t pid = spawn(arguments + 2, -1, ends[1]);
    while (left > 0) {
        const ssize_t got = read(ends[0], buffer, sizeof buffer);

        if (got <= 0 || write(file, buffer, (size_t)got) != got)
            die("copy");
        left -= got;
    }
    const double took = seconds_since(begin);
    getrusage(RUSAGE_SELF, &usage);
    end_children(&pid, 1);
    printf("{\"seconds\": %.6f, \"cpu\": %.6f}\n", took,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

struct client {
    int fd;
    size_t received;
    char request[REQUEST_SIZE];
};

static int open_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 128) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        die("listen");
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void client_accept(int epoll, int listener)
{
    struct client *client = calloc(1, sizeof *client);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    const int on = 1;

    if (client == NULL)
        die("client");
    client->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
        die("accept");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void client_ready(struct client *client, const char *answer, size_t answer_length)
{
    const ssize_t got =
        recv(client->fd, client->request + client->received, REQUEST_SIZE - client->received, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close(client->fd);
        free(client);
        return;
    }
    client->received += (size_t)got;
    const size_t whole = http_message_length(client->request, client->received);
    if (whole > 0 && client->received >= whole) {
        client->received = 0;
        send_all(client->fd, answer, answer_length); /* a client that is gone shows at the next recv */
    }
}

/* serve BODY-FILE: answers every HTTP request with the same body; prints the port it listens on. */
static void limit_serve(char **arguments)
{
    size_t length;
    char *body = file_content(arguments[0], &length), *answer;
    const int answer_length =
        asprintf(&answer, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n\r\n%s", length, body);
    const int epoll = epoll_create1(EPOLL_CLOEXEC), listener = open_listener();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[64];

    if (answer_length < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        die("serve");
    for (;;) {
        const int events = epoll_wait(epoll, ready, 64, -1);

        for (int i = 0; i < events; i++)
            if (ready[i].data.ptr == NULL)
                client_accept(epoll, listener);
            else
                client_ready(ready[i].data.ptr, answer, (size_t)answer_length);
    }
}

static const struct limit {
    const char *name;
    int arguments; /* at least */
    void (*run)(char **arguments);
    const char *help;
} limits[] = {
    {"spawn", 2, limit_spawn, "spawn COUNT PROGRAM...               vfork and exec in a tight loop"},
    {"respawn", 3, limit_respawn, "respawn COUNT STAMP-FILE PROGRAM...  from a KILL to the next child's start"},
    {"churn", 3, limit_churn, "churn WIDTH SECONDS PROGRAM...       wait, vfork, exec of programs that exit"},
    {"copy", 3, limit_copy, "copy FILE BYTES PROGRAM...           from a program's pipe to a file"},
    {"serve", 1, limit_serve, "serve BODY-FILE                      one fixed answer over HTTP"},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (argc > 1 && strcmp(argv[1], limits[i].name) == 0 && argc - 2 >= limits[i].arguments) {
            limits[i].run(argv + 2);
            return 0;
        }
    fprintf(stderr, "usage: limits WHAT\n");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        fprintf(stderr, "  %s\n", limits[i].help);
    return 2;
}
