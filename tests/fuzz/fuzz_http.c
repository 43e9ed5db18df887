/*
 * Bytes as what a client sends to the running daemon: the first says which accounts the server has, the second in
 * pieces of how many bytes the rest comes. Whatever it is: what is answered is HTTP, nobody gets in without a password,
 * and who may only look changes nothing.
 */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "fake_daemon.h"
#include "http/logtail.h"
#include "http/rpc_endpoint.h"
#include "web/web.h"

#define ROUNDS 3                  /* of timers, for what is answered later */
#define CHANGER_BASE64 "Y2hhbmdl" /* the beginning of "changer:secret", however it goes on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum accounts { NO_ACCOUNTS, ONE_ACCOUNT, TWO_ACCOUNTS, ACCOUNTS_KINDS };

static struct {
    struct http_server *server;
    struct web *web;
    struct config_server config;
    int fds[2];
    int client;
    char answers[65536]; /* the first of them */
    size_t length;
} world;

static char socket_path[64];

static void configure(enum accounts accounts)
{
    static char changer[] = "changer";
    static char secret[] = "secret";
    static char looker[] = "looker";
    static char open_word[] = "open";

    world.config = (struct config_server){
        .kind = CONFIG_SERVER_UNIX,
        .path = socket_path,
        .chmod = 0700,
        .uid = (uid_t)-1,
        .gid = (gid_t)-1,
        .max_connections = 10,
        .max_connections_per_address = -1,
        .max_header_bytes = 32 * 1024,
        .max_body_bytes = 64 * 1024,
        .request_timeout = 3600,
        .idle_timeout = 3600,
    };
    if (accounts != NO_ACCOUNTS) {
        world.config.username = changer;
        world.config.password = secret;
    }
    if (accounts == TWO_ACCOUNTS) {
        world.config.readonly_username = looker;
        world.config.readonly_password = open_word;
    }
}

static void serve(enum accounts accounts)
{
    struct error err;

    snprintf(socket_path, sizeof socket_path, "/tmp/fuzz-http-%d.sock", (int)getpid());
    configure(accounts);
    world.server = http_server_new(fake_daemon.loop);
    rpc_endpoint_add(world.server, fake_daemon.registry);
    logtail_add(world.server, fake_daemon.api.supervisor);
    world.web = web_new(world.server, fake_daemon.api.supervisor, fake_daemon.registry);
    if (http_socket_open(&world.config, world.fds, &err) < 0 ||
        http_server_serve(world.server, &world.config, world.fds, &err) < 0)
        abort();
}

static void stop_serving(void)
{
    http_server_free(world.server);
    web_free(world.web);
    http_socket_close(&world.config, world.fds);
}

static void connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    world.client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(world.client, (struct sockaddr *)&address, sizeof address) < 0)
        abort();
    world.length = 0;
}

static void take_answers(void)
{
    char dropped[4096];

    fake_daemon_turn();
    for (;;) {
        const size_t room = sizeof world.answers - 1 - world.length;
        const ssize_t got = room > 0 ? recv(world.client, world.answers + world.length, room, 0)
                                     : recv(world.client, dropped, sizeof dropped, 0);
        if (got <= 0)
            break;
        world.length += room > 0 ? (size_t)got : 0;
        fake_daemon_turn();
    }
    world.answers[world.length] = '\0';
}

static void talk(const char *bytes, size_t length, size_t piece)
{
    for (size_t at = 0; at < length;) {
        const size_t step = length - at < piece ? length - at : piece;
        const ssize_t sent = send(world.client, bytes + at, step, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* the server has heard enough */
        at += (size_t)sent;
        take_answers();
    }
    take_answers();
    for (int i = 0; i < ROUNDS; i++) {
        fake_daemon_fire_timers();
        take_answers();
    }
    shutdown(world.client, SHUT_WR);
    take_answers();
    fd_close(&world.client);
    fake_daemon_turn();
}

static bool has(const char *bytes, size_t length, const char *text)
{
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

static void check(enum accounts accounts, const char *sent, size_t length)
{
    const bool has_no_password = !has(sent, length, "asic ") && !has(sent, length, "ASIC ");

    if (world.length > 0 && strncmp(world.answers, "HTTP/1.", 7) != 0)
        abort();
    if (accounts == NO_ACCOUNTS)
        return;
    if (has_no_password && has(world.answers, world.length, "HTTP/1.1 200"))
        abort();
    if (!has(sent, length, CHANGER_BASE64) && fake_daemon_has_changed())
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;

    const enum accounts accounts = data[0] % ACCOUNTS_KINDS;
    const char *bytes = (const char *)data + 2;

    fake_daemon_begin();
    serve(accounts);
    connect_client();
    talk(bytes, size - 2, data[1] != 0 ? data[1] : size);
    check(accounts, bytes, size - 2);
    stop_serving();
    fake_daemon_end();
    return 0;
}
