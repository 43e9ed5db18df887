/*
 * Calls an XML-RPC server as fast as it answers over a number of keep-alive connections, one call in flight on
 * each, and prints one JSON line: calls, errors, reconnects, rate, and latencies in microseconds. Where the body says
 * "sent:00000000000000000000" the zeros are replaced with the time (CLOCK_MONOTONIC, ns) of each call.
 */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STAMP_NAME "sent:"
#define STAMP_DIGITS "00000000000000000000"

struct connection {
    int fd;
    int64_t asked; /* when the call in flight was sent */
    char *answer;  /* what has arrived of its answer */
    size_t received, capacity;
};

struct load {
    union {
        struct sockaddr any;
        struct sockaddr_in tcp;
        struct sockaddr_un local;
    } address;
    socklen_t address_length;
    char *request;
    size_t request_length;
    char *stamp;              /* the digits within `request` that tell the time, or NULL */
    size_t most_calls, asked; /* most_calls 0: no limit */
    struct timespec pause;    /* before each call */
    int epoll;
    int64_t errors, reconnects;
    struct samples latencies;
};

static void parse_address(struct load *load, const char *text)
{
    if (text[0] == '/') {
        load->address.local.sun_family = AF_UNIX;
        snprintf(load->address.local.sun_path, sizeof load->address.local.sun_path, "%s", text);
        load->address_length = sizeof load->address.local;
    } else {
        load->address.tcp.sin_family = AF_INET;
        load->address.tcp.sin_port = htons((uint16_t)number_argument(text));
        load->address.tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        load->address_length = sizeof load->address.tcp;
    }
}

static void build_request(struct load *load, const char *path)
{
    size_t length;
    char *body = file_content(path, &length);
    const int size = asprintf(&load->request,
                              "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
                              "Connection: keep-alive\r\nContent-Length: %zu\r\n\r\n%s",
                              length, body);

    if (size < 0)
        die("request");
    load->request_length = (size_t)size;
    load->stamp =
        memmem(load->request, load->request_length, STAMP_NAME STAMP_DIGITS, sizeof STAMP_NAME STAMP_DIGITS - 1);
    if (load->stamp != NULL)
        load->stamp += sizeof STAMP_NAME - 1;
    free(body);
}

static void put_stamp(char *stamp, int64_t nanoseconds)
{
    char digits[sizeof STAMP_DIGITS];

    snprintf(digits, sizeof digits, "%020lld", (long long)nanoseconds);
    memcpy(stamp, digits, sizeof digits - 1);
}

/* A connected socket, or -1 with errno. */
static int open_socket(const struct load *load)
{
    const int fd = socket(load->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;

    if (fd < 0)
        die("socket");
    if (connect(fd, &load->address.any, load->address_length) < 0) {
        close(fd);
        return -1;
    }
    if (load->address.any.sa_family == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void ask(struct load *load, struct connection *connection)
{
    if (load->most_calls > 0 && load->asked == load->most_calls)
        return;
    load->asked++;
    if (load->pause.tv_nsec > 0)
        nanosleep(&load->pause, NULL);
    connection->received = 0;
    connection->asked = clock_nanoseconds();
    if (load->stamp != NULL)
        put_stamp(load->stamp, connection->asked);
    if (send_all(connection->fd, load->request, load->request_length) < 0)
        die("send");
}

static void connection_open(struct load *load, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    connection->fd = open_socket(load);
    if (connection->fd < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        die("connect");
    ask(load, connection);
}

static bool answer_is_good(const struct connection *connection)
{
    const size_t looked_at = connection->received < 1024 ? connection->received : 1024;

    return memcmp(connection->answer, "HTTP/1.1 200", 12) == 0 &&
           memmem(connection->answer, looked_at, "<fault>", 7) == NULL;
}

static void answer_done(struct load *load, struct connection *connection)
{
    samples_add(&load->latencies, clock_nanoseconds() - connection->asked);
    if (!answer_is_good(connection))
        load->errors++;
    ask(load, connection);
}

static void make_room(struct connection *connection)
{
    if (connection->capacity - connection->received >= 65536)
        return;
    connection->capacity = connection->capacity * 2 + 131072;
    connection->answer = realloc(connection->answer, connection->capacity);
    if (connection->answer == NULL)
        die("answer");
}

/* Spares a server that sends an answer in pieces the 40 ms for which Nagle's algorithm would wait for our delayed ACK.
 */
static void acknowledge(const struct connection *connection)
{
    const int on = 1;

    setsockopt(connection->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on); /* refused on UNIX sockets: no matter */
}

static void connection_ready(struct load *load, struct connection *connection)
{
    make_room(connection);
    const ssize_t got = recv(connection->fd, connection->answer + connection->received,
                             connection->capacity - connection->received, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close(connection->fd);
        load->reconnects++;
        connection_open(load, connection);
        return;
    }
    connection->received += (size_t)got;
    const size_t whole = http_message_length(connection->answer, connection->received);
    if (whole > 0 && connection->received >= whole)
        answer_done(load, connection);
    else
        acknowledge(connection);
}

static bool is_done(const struct load *load)
{
    return load->most_calls > 0 && load->latencies.count >= load->most_calls;
}

static void run_load(struct load *load, size_t count, double seconds)
{
    struct connection *connections = calloc(count, sizeof *connections);
    struct epoll_event ready[64];
    const int64_t begin = clock_nanoseconds(), end = begin + (int64_t)(seconds * 1e9);

    if (connections == NULL)
        die("connections");
    for (size_t i = 0; i < count; i++)
        connection_open(load, &connections[i]);
    while (load->latencies.count == 0 || (clock_nanoseconds() < end && !is_done(load))) {
        const int events = epoll_wait(load->epoll, ready, 64, 100);

        for (int i = 0; i < events; i++)
            connection_ready(load, ready[i].data.ptr);
    }
    const double took = (double)(clock_nanoseconds() - begin) / 1e9;
    for (size_t i = 0; i < count; i++) {
        close(connections[i].fd);
        free(connections[i].answer);
    }
    free(connections);
    samples_sort(&load->latencies);
    printf("{\"calls\": %zu, \"errors\": %lld, \"reconnects\": %lld, \"rate\": %.1f, \"p50\": %.1f, \"p99\": %.1f, "
           "\"max\": %.1f}\n",
           load->latencies.count, (long long)load->errors, (long long)load->reconnects,
           (double)load->latencies.count / took, samples_percentile_us(&load->latencies, 50),
           samples_percentile_us(&load->latencies, 99), samples_percentile_us(&load->latencies, 100));
}

/* Tries to connect every half millisecond, calls once, prints when the answer was there (CLOCK_MONOTONIC, ns). */
static void wait_first_answer(struct load *load)
{
    const struct timespec pause_time = {.tv_nsec = 500000};
    struct connection connection = {0};

    while ((connection.fd = open_socket(load)) < 0)
        nanosleep(&pause_time, NULL);
    ask(load, &connection);
    while (http_message_length(connection.answer, connection.received) == 0) {
        make_room(&connection);
        const ssize_t got = recv(connection.fd, connection.answer + connection.received, 65536, 0);

        if (got <= 0)
            die("first answer");
        connection.received += (size_t)got;
    }
    printf("{\"at\": %lld}\n", (long long)clock_nanoseconds());
}

int main(int argc, char **argv)
{
    struct load load = {.epoll = epoll_create1(EPOLL_CLOEXEC)};

    if (argc != 4 && argc != 6 && argc != 7) {
        fprintf(stderr,
                "usage: http_load PORT-OR-SOCKET BODY-FILE CONNECTIONS SECONDS CALLS-OR-0 [PAUSE-MICROSECONDS]\n"
                "       http_load PORT-OR-SOCKET BODY-FILE first\n");
        return 2;
    }
    parse_address(&load, argv[1]);
    build_request(&load, argv[2]);
    if (argc == 4)
        wait_first_answer(&load);
    else {
        load.most_calls = (size_t)number_argument(argv[5]);
        if (argc == 7)
            load.pause.tv_nsec = (long)number_argument(argv[6]) * 1000;
        run_load(&load, (size_t)number_argument(argv[3]), strtod(argv[4], NULL));
    }
    return 0;
}
