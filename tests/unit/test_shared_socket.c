#include "process/shared_socket.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

struct world {
    char directory[32];
    char path[64];
    char url[80];
    struct config_fcgi_socket config;
};

static int make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    (void)snprintf(w->directory, sizeof w->directory, "/tmp/shared-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    (void)snprintf(w->path, sizeof w->path, "%s/s", w->directory);
    (void)snprintf(w->url, sizeof w->url, "unix://%s", w->path);
    w->config =
        (struct config_fcgi_socket){.url = w->url, .path = w->path, .owner_gid = (gid_t)-1, .mode = -1, .backlog = -1};
    *state = w;
    return 0;
}

static int unmake_world(void **state)
{
    struct world *w = *state;

    unlink(w->path);
    rmdir(w->directory);
    free(w);
    return 0;
}

static bool file_is_there(const struct world *w)
{
    struct stat status;

    return lstat(w->path, &status) == 0;
}

static bool is_listening(int fd)
{
    int value = 0;
    socklen_t length = sizeof value;

    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
    return value != 0;
}

/* Bound to the world's path; listening if asked to. */
static int other_socket(const struct world *w, bool listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", w->path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    if (listens)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static void refuse(const struct config_fcgi_socket *config, const char *why)
{
    struct error err = {0};

    assert_null(shared_socket_new(config, false, &err));
    if (strstr(err.text, why) == NULL || strstr(err.text, config->url) == NULL)
        fail_msg("\"%s\" does not say: %s %s", err.text, config->url, why);
}

static void lives_from_the_first_holder_to_the_last(void **state)
{
    struct world *w = *state;
    struct error err;
    struct shared_socket *shared = shared_socket_new(&w->config, false, &err);

    assert_non_null(shared);
    assert_false(file_is_there(w));
    const int fd = shared_socket_hold(shared, &err);
    assert_true(fd >= 0);
    assert_int_equal(shared_socket_hold(shared, &err), fd);
    assert_true(is_listening(fd));
    shared_socket_drop(shared);
    assert_true(is_listening(fd));
    assert_true(file_is_there(w));
    shared_socket_drop(shared);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_false(file_is_there(w));
    assert_true(shared_socket_hold(shared, &err) >= 0);
    shared_socket_free(shared);
    assert_false(file_is_there(w));
}

static void children_block_and_inherit_it_on_purpose_only(void **state)
{
    struct world *w = *state;
    struct error err;
    struct shared_socket *shared = shared_socket_new(&w->config, false, &err);
    const int fd = shared_socket_hold(shared, &err);

    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    shared_socket_free(shared);
}

static void mode_is_as_configured_whatever_the_umask(void **state)
{
    struct world *w = *state;
    struct error err;
    struct stat status;
    const mode_t old = umask(0777);

    for (int mode = -1; mode <= 0666; mode += 0667) {
        w->config.mode = mode;
        struct shared_socket *shared = shared_socket_new(&w->config, false, &err);
        assert_true(shared_socket_hold(shared, &err) >= 0);
        assert_int_equal(lstat(w->path, &status), 0);
        assert_int_equal(status.st_mode & 07777, mode < 0 ? 0700 : mode);
        shared_socket_free(shared);
    }
    umask(old);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct world *w = *state;
    struct error err;

    close(other_socket(w, true));
    assert_true(file_is_there(w));
    struct shared_socket *shared = shared_socket_new(&w->config, false, &err);
    assert_non_null(shared);
    assert_true(shared_socket_hold(shared, &err) >= 0);
    shared_socket_free(shared);
}

static void a_live_socket_is_refused_and_left_alone(void **state)
{
    struct world *w = *state;
    const int fd = other_socket(w, true);

    refuse(&w->config, "another program is listening there");
    assert_true(file_is_there(w));
    close(fd);
}

static void what_is_no_socket_is_refused_and_left_alone(void **state)
{
    struct world *w = *state;
    FILE *file = fopen(w->path, "w");

    assert_non_null(file);
    fclose(file);
    refuse(&w->config, "what is there is no socket");
    assert_true(file_is_there(w));
}

static void a_file_that_others_put_there_meanwhile_is_left_alone(void **state)
{
    struct world *w = *state;
    struct error err;
    struct shared_socket *shared = shared_socket_new(&w->config, false, &err);

    assert_true(shared_socket_hold(shared, &err) >= 0);
    CLEANUP_FREE char *aside = xasprintf("%s.aside", w->path);
    assert_int_equal(rename(w->path, aside), 0);
    const int fd = other_socket(w, true);
    shared_socket_drop(shared);
    assert_true(file_is_there(w));
    close(fd);
    unlink(aside);
    shared_socket_free(shared);
}

static void a_directory_that_is_missing_is_named(void **state)
{
    struct world *w = *state;
    CLEANUP_FREE char *path = xasprintf("%s/none/s", w->directory);

    w->config.path = path;
    refuse(&w->config, "No such file or directory");
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    struct world *w = *state;
    char path[200];

    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    w->config.path = path;
    refuse(&w->config, "File name too long");
}

static void an_owner_that_we_may_not_give_it_leaves_no_file(void **state)
{
    struct world *w = *state;

    if (geteuid() != 0)
        skip();
    w->config.owner = (struct config_account){.is_set = true, .uid = 1};
    assert_int_equal(chmod(w->directory, 0777), 0);
    assert_int_equal(seteuid(65534), 0);
    refuse(&w->config, "Operation not permitted");
    assert_int_equal(seteuid(0), 0);
    assert_false(file_is_there(w));
}

/* The configuration of a TCP socket on a free port, or on one in use when `fd` is not closed. */
static struct config_fcgi_socket inet_config(char *url, size_t size, char *host, int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(url, size, "tcp://%s:%d", host, ntohs(address.sin_port));
    return (struct config_fcgi_socket){
        .url = url, .host = host, .port = ntohs(address.sin_port), .owner_gid = (gid_t)-1, .mode = -1, .backlog = -1};
}

static bool machine_has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    CLEANUP_FD int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static void tcp_addresses(void **state)
{
    static struct {
        char host[16];
        int family;
    } cases[] = {{"127.0.0.1", AF_INET}, {"localhost", AF_INET}, {"[::1]", AF_INET6}, {"*", AF_INET6}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].family == AF_INET6 && !machine_has_ipv6())
            continue;
        char url[64];
        int probe;
        const struct config_fcgi_socket config = inet_config(url, sizeof url, cases[i].host, &probe);
        close(probe);
        struct error err;
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof address;
        struct shared_socket *shared = shared_socket_new(&config, false, &err);
        if (shared == NULL)
            fail_msg("%s", err.text);
        const int fd = shared_socket_hold(shared, &err);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
        assert_int_equal(address.ss_family, cases[i].family);
        shared_socket_free(shared);
    }
}

static void a_port_in_use_is_refused(void **state)
{
    char host[] = "127.0.0.1";
    char url[64];
    int fd;
    const struct config_fcgi_socket config = inet_config(url, sizeof url, host, &fd);

    (void)state;
    assert_int_equal(listen(fd, 5), 0);
    refuse(&config, "Address already in use");
    close(fd);
}

static void a_host_that_is_not_ours_is_refused(void **state)
{
    char host[] = "192.0.2.1";
    char url[64];
    int fd;
    const struct config_fcgi_socket config = inet_config(url, sizeof url, host, &fd);

    (void)state;
    close(fd);
    refuse(&config, "Cannot assign requested address");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, unmake_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lives_from_the_first_holder_to_the_last),
        TEST(children_block_and_inherit_it_on_purpose_only),
        TEST(mode_is_as_configured_whatever_the_umask),
        TEST(a_stale_socket_is_replaced),
        TEST(a_live_socket_is_refused_and_left_alone),
        TEST(what_is_no_socket_is_refused_and_left_alone),
        TEST(a_file_that_others_put_there_meanwhile_is_left_alone),
        TEST(a_directory_that_is_missing_is_named),
        TEST(a_path_that_is_too_long_is_refused),
        TEST(an_owner_that_we_may_not_give_it_leaves_no_file),
        TEST(tcp_addresses),
        TEST(a_port_in_use_is_refused),
        TEST(a_host_that_is_not_ours_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
