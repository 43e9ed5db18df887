#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/handover.h"
#include "base/memory.h"
#include "config/diff.h"
#include "config/handover.h"
#include "config/load.h"
#include "config/options.h"

/* What the next program finds. */
static struct handover *cross(struct handover *given)
{
    struct error err;
    CLEANUP_FD int fd = handover_write(given, &err);

    assert_true(fd >= 0);
    handover_free(given);
    struct handover *taken = handover_read(fd, &err);
    assert_non_null(taken);
    return taken;
}

static struct handover *take_text(const char *json)
{
    struct error err;
    CLEANUP_FD int fd = memfd_create("test", MFD_CLOEXEC);

    assert_int_equal(fd_write_all(fd, json, strlen(json)), 0);
    return handover_read(fd, &err);
}

static void numbers_and_texts_cross(void **state)
{
    struct handover *handover = handover_new();
    char *text = xstrdup("a\x01\x7f\x80\xff \"\\ \xc3\xa4\n");
    char *none = NULL;

    (void)state;
    assert_int_equal(handover_integer(handover, "number", INT64_MIN), INT64_MIN);
    assert_true(handover_flag(handover, "flag", true));
    handover_text(handover, "text", &text);
    handover_text(handover, "none", &none);
    handover = cross(handover);
    char *taken = xstrdup("before");
    char *taken_none = xstrdup("before");
    handover_text(handover, "text", &taken);
    handover_text(handover, "none", &taken_none);
    assert_true(handover_integer(handover, "number", 1) == INT64_MIN);
    assert_true(handover_flag(handover, "flag", false));
    assert_string_equal(taken, text);
    assert_null(taken_none);
    handover_free(handover);
    free(text);
    free(taken);
}

static void bytes_of_any_kind_cross(void **state)
{
    struct evbuffer *given = evbuffer_new();
    struct evbuffer *taken = evbuffer_new();
    struct handover *handover = handover_new();
    char bytes[256];
    char few[16];
    size_t length = sizeof bytes;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    evbuffer_add(given, bytes, 100);
    evbuffer_add(given, bytes + 100, sizeof bytes - 100);
    handover_buffer(handover, "buffer", given);
    handover_bytes(handover, "bytes", bytes, sizeof bytes, &length);
    handover = cross(handover);
    evbuffer_add(taken, "x", 1);
    handover_buffer(handover, "buffer", taken);
    assert_int_equal(evbuffer_get_length(taken), 1 + sizeof bytes);
    assert_memory_equal(evbuffer_pullup(taken, -1) + 1, bytes, sizeof bytes);
    length = 0;
    handover_bytes(handover, "bytes", few, sizeof few, &length); /* a smaller array than it was */
    assert_int_equal(length, sizeof few);
    assert_memory_equal(few, bytes, sizeof few);
    handover_free(handover);
    evbuffer_free(given);
    evbuffer_free(taken);
}

static void records_and_lists_cross(void **state)
{
    struct handover *handover = handover_new();

    (void)state;
    assert_true(handover_open(handover, "record"));
    handover_integer(handover, "inner", 1);
    assert_int_equal(handover_open_list(handover, "list", 3), 3);
    for (int i = 0; i < 3; i++) {
        handover_open_next(handover);
        handover_integer(handover, "item", i);
        handover_close(handover);
    }
    handover_close(handover);
    handover_close(handover);
    handover_integer(handover, "outer", 2);
    handover = cross(handover);
    assert_int_equal(handover_integer(handover, "outer", 0), 2);
    assert_true(handover_open(handover, "record"));
    assert_int_equal(handover_open_list(handover, "list", 0), 3);
    for (int i = 0; i < 3; i++) {
        handover_open_next(handover);
        assert_int_equal(handover_integer(handover, "item", -1), i);
        handover_close(handover);
    }
    handover_close(handover);
    assert_int_equal(handover_integer(handover, "inner", 0), 1);
    handover_close(handover);
    handover_free(handover);
}

/* As from a program that knew less, or other things of the same name. */
static void what_was_not_given_stays(void **state)
{
    struct handover *handover = take_text("{\"text\":5,\"number\":\"five\",\"list\":{},\"record\":[]}");
    char *text = xstrdup("before");
    char *unknown = xstrdup("before");
    int fd = 7;

    (void)state;
    assert_non_null(handover);
    assert_int_equal(handover_integer(handover, "number", 4), 4);
    assert_int_equal(handover_integer(handover, "nothing", 4), 4);
    assert_true(handover_flag(handover, "nothing", true));
    handover_text(handover, "nothing", &unknown);
    assert_string_equal(unknown, "before");
    handover_text(handover, "text", &text);
    assert_null(text);
    assert_false(handover_open(handover, "nothing"));
    assert_int_equal(handover_integer(handover, "number", 6), 6);
    assert_int_equal(handover_open_list(handover, "deeper", 9), 0);
    handover_close(handover);
    handover_close(handover);
    assert_int_equal(handover_open_list(handover, "list", 9), 0);
    handover_close(handover);
    handover_open(handover, "record");
    assert_int_equal(handover_integer(handover, "number", 6), 6);
    handover_close(handover);
    handover_fd(handover, "nothing", &fd);
    assert_int_equal(fd, -1);
    handover_free(handover);
    free(unknown);
}

static void descriptors_are_close_on_exec_again(void **state)
{
    struct handover *handover = handover_new();
    struct error err;
    size_t count;
    int fd = dup(0);
    int closed = dup(0);
    int none = -1;
    int taken;

    (void)state;
    handover_fd(handover, "fd", &fd);
    handover_fd(handover, "closed", &closed);
    handover_fd(handover, "none", &none);
    const int *fds = handover_fds(handover, &count);
    assert_int_equal(count, 2);
    assert_int_equal(fds[0], fd);
    handover = cross(handover);
    close(closed);
    handover_fd(handover, "fd", &taken);
    assert_int_equal(taken, fd);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    handover_fd(handover, "none", &taken);
    assert_int_equal(taken, -1);
    assert_int_equal(handover_check(handover, &err), 0);
    handover_fd(handover, "closed", &taken);
    assert_int_equal(taken, -1);
    assert_int_equal(handover_check(handover, &err), -1);
    assert_non_null(strstr(err.text, "closed"));
    handover_free(handover);
    close(fd);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_null(take_text(""));
    assert_null(take_text("[]"));
    assert_null(take_text("{\"a\":"));
    assert_null(take_text("\xff\xfe"));
}

/* --- models ------------------------------------------------------------------------------------------------------- */

static const char everything[] =
    "[supervisord]\nlogfile=/tmp/x.log\nminfds=10\numask=027\nidentifier=me\nenvironment=E=\"1\",F=\"%%\"\n"
    "[unix_http_server]\nfile=/tmp/x.sock\nchmod=0770\nchown=root:root\nusername=u\npassword=p\nmax_body_bytes=1KB\n"
    "[inet_http_server]\nport=127.0.0.1:9001\nmax_connections_per_address=3\nidle_timeout=0\n"
    "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=a:b\nother=value\n"
    "[program:a]\ncommand=/bin/cat\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)s\nexitcodes=1,2\n"
    "environment=A=\"1\"\nstopsignal=USR1\nautorestart=true\nuser=root\nstdout_prefix=p\nstderr_logfile=NONE\n"
    "[program:b]\ncommand=/bin/cat\nstdout_syslog=true\nstdout_logfile=/tmp/b.log\numask=022\ndirectory=/\n"
    "[program:empty]\ncommand=/bin/cat\nexitcodes=\nredirect_stderr=true\nnumprocs=0\n"
    "[group:g]\nprograms=b\npriority=5\n"
    "[fcgi-program:f]\ncommand=/bin/cat\nsocket=unix:///tmp/f\nsocket_owner=root\nsocket_mode=0700\n"
    "[fcgi-program:t]\ncommand=/bin/cat\nsocket=tcp://localhost:9002\nsocket_backlog=5\n"
    "[eventlistener:l]\ncommand=/bin/cat\nevents=TICK_5,PROCESS_STATE\nbuffer_size=3\n";

static struct config *load(const char *text)
{
    const struct config_load_options options = {0};
    struct error err;
    char path[] = "/tmp/test-handover-XXXXXX";
    CLEANUP_FD int fd = mkstemp(path);

    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    struct config *config = config_load(path, &options, &err);
    unlink(path);
    if (config == NULL)
        fail_msg("%s", err.text);
    return config;
}

static struct config *cross_config(struct config *given)
{
    struct handover *handover = handover_new();
    struct config *taken = NULL;
    struct error err;

    config_hand_over(handover, "config", &given);
    handover = cross(handover);
    config_hand_over(handover, "config", &taken);
    assert_int_equal(handover_check(handover, &err), 0);
    handover_free(handover);
    return taken;
}

static void a_model_crosses(void **state)
{
    struct config *given = load(everything);
    struct config *taken = cross_config(given);
    struct config_diff diff;

    (void)state;
    config_diff_compute(&diff, given->groups, given->group_count, taken);
    assert_int_equal(diff.added_count + diff.changed_count + diff.removed_count, 0);
    config_diff_release(&diff);
    assert_true(options_equal(&options_daemon, &given->daemon, &taken->daemon));
    assert_int_equal(taken->server_count, 2);
    assert_true(options_equal(&options_unix_server, &given->servers[0], &taken->servers[0]));
    assert_true(options_equal(&options_inet_server, &given->servers[1], &taken->servers[1]));
    assert_string_equal(taken->path, given->path);
    assert_string_equal(taken->rpcinterfaces[0].options.variables[0].value, "value");
    assert_string_equal(config_find_group(taken, "f")->socket->path, "/tmp/f");
    assert_string_equal(config_find_group(taken, "t")->socket->host, "localhost");
    assert_int_equal(config_find_group(taken, "t")->socket->port, 9002);
    config_unref(given);
    config_unref(taken);
}

/* As from a program that had no such options. */
static void an_option_that_was_not_given_has_its_default(void **state)
{
    struct handover *handover = take_text("{\"groups\":[{\"name\":\"a\",\"processes\":[{\"program\":\"a\"}]}]}");
    struct config *config = NULL;
    struct error err;

    (void)state;
    config_hand_over(handover, "nothing", &config);
    config_unref(config);
    handover_free(handover);
    handover = take_text("{\"c\":{\"groups\":[{\"name\":\"a\",\"processes\":[{\"program\":\"a\"}]}]}}");
    config_hand_over(handover, "c", &config);
    assert_int_equal(handover_check(handover, &err), 0);
    assert_int_equal(config->groups[0]->process_count, 1);
    const struct config_process *process = config->groups[0]->processes[0];
    assert_int_equal(process->startretries, 3);
    assert_int_equal(process->umask, -1);
    assert_int_equal(process->exitcode_count, 1);
    assert_true(process->logs[CONFIG_STDOUT].is_automatic);
    config_unref(config);
    handover_free(handover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_texts_cross),
        cmocka_unit_test(bytes_of_any_kind_cross),
        cmocka_unit_test(records_and_lists_cross),
        cmocka_unit_test(what_was_not_given_stays),
        cmocka_unit_test(descriptors_are_close_on_exec_again),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_model_crosses),
        cmocka_unit_test(an_option_that_was_not_given_has_its_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
