/* Real children: what they inherit, and how their failures come back. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "process/spawn.h"

static char *const bare_environment[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL};

static struct spawn_request request_for(char *const arguments[])
{
    return (struct spawn_request){
        .name = "child",
        .executable = arguments[0],
        .arguments = arguments,
        .environment = bare_environment,
        .umask = -1,
        .stdin_fd = -1,
    };
}

static void read_to_end(int fd, char *text, size_t size)
{
    size_t have = 0;

    while (have < size - 1) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wanted, 1, 10000), 1);
        const ssize_t got = read(fd, text + have, size - 1 - have);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    text[have] = '\0';
}

static void close_result(struct spawn_result *result)
{
    fd_close(&result->stdin_fd);
    fd_close(&result->output_fds[CONFIG_STDOUT]);
    fd_close(&result->output_fds[CONFIG_STDERR]);
}

/* Runs a shell script in a child; its exit status, with stdout and stderr in `text`. */
static int run_script(struct spawn_request *request, const char *script, char *text, size_t size)
{
    char *const arguments[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)script,
                               NULL};
    struct spawn_result result;
    struct error err;
    int status;

    request->executable = arguments[0];
    request->arguments = arguments;
    assert_int_equal(spawn_child(request, &result, &err), 0);
    read_to_end(result.output_fds[CONFIG_STDOUT], text, size);
    if (result.output_fds[CONFIG_STDERR] >= 0)
        read_to_end(result.output_fds[CONFIG_STDERR], text + strlen(text), size - strlen(text));
    assert_int_equal(waitpid(result.pid, &status, 0), result.pid);
    close_result(&result);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run(const char *script, char *text, size_t size)
{
    struct spawn_request request = request_for((char *const[]){(char *)(uintptr_t) "/bin/sh", NULL});

    return run_script(&request, script, text, size);
}

static void a_child_has_three_descriptors(void **state)
{
    char text[4096];
    CLEANUP_FD int kept = open("/dev/null", O_RDONLY); /* not close-on-exec: must not reach the child all the same */
    CLEANUP_FD int far = fcntl(kept, F_DUPFD, 200);

    (void)state;
    assert_true(far >= 200);
    assert_int_equal(run("ls /proc/$$/fd; :", text, sizeof text), 0);
    assert_string_equal(text, "0\n1\n2\n");
}

static void a_child_leads_a_process_group(void **state)
{
    char text[4096];

    (void)state;
    assert_int_equal(run("set -- $(cat /proc/$$/stat); [ $1 = $5 ] && echo leader", text, sizeof text), 0);
    assert_string_equal(text, "leader\n");
}

static void a_child_has_no_blocked_or_ignored_signals(void **state)
{
    /* Two signals belong to the C library, which lets nobody change them; make(1) starts its commands with them
     * ignored. */
    const unsigned long long unreachable = 3ULL << 31;
    char text[4096];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    run("grep -E '^Sig(Blk|Ign)' /proc/self/status", text, sizeof text);
    assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
    const char *ignored = strstr(text, "SigIgn:\t");
    assert_non_null(ignored);
    assert_int_equal(strtoull(ignored + strlen("SigIgn:\t"), NULL, 16) & ~unreachable, 0);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
}

static void streams_are_apart_unless_redirected(void **state)
{
    char text[4096];
    struct spawn_request request = request_for((char *const[]){(char *)(uintptr_t) "/bin/sh", NULL});

    (void)state;
    assert_int_equal(run("echo two >&2; echo one", text, sizeof text), 0);
    assert_string_equal(text, "one\ntwo\n");
    request.redirect_stderr = true;
    assert_int_equal(run_script(&request, "echo two >&2; echo one", text, sizeof text), 0);
    assert_string_equal(text, "two\none\n");
}

static void directory_and_umask_are_the_childs_alone(void **state)
{
    char text[4096];
    char before[4096];
    char after[4096];
    struct spawn_request request = request_for((char *const[]){(char *)(uintptr_t) "/bin/sh", NULL});

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    request.directory = "/usr";
    request.umask = 027;
    assert_int_equal(run_script(&request, "pwd; umask", text, sizeof text), 0);
    assert_string_equal(text, "/usr\n0027\n");
    assert_non_null(getcwd(after, sizeof after));
    assert_string_equal(before, after);
}

static void the_environment_is_what_was_asked_for(void **state)
{
    char text[4096];

    (void)state;
    assert_int_equal(run("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=", text, sizeof text), 0);
    assert_string_equal(text, "PATH=/usr/bin:/bin\n");
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* The cause must reach the parent, and nothing may be left: no descriptor, no zombie. */
static void expect_failure(const struct spawn_request *request, const char *cause)
{
    const int before = open_descriptors();
    struct spawn_result result;
    struct error err;

    assert_int_equal(spawn_child(request, &result, &err), -1);
    assert_string_equal(err.text, cause);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void failures_name_their_cause(void **state)
{
    char *const missing[] = {(char *)(uintptr_t) "/nonexistent/program", NULL};
    char *const no_program[] = {(char *)(uintptr_t) "/etc/passwd", NULL};
    char *const fine[] = {(char *)(uintptr_t) "/bin/true", NULL};
    struct spawn_request request = request_for(missing);

    (void)state;
    expect_failure(&request, "couldn't exec /nonexistent/program: ENOENT");
    request = request_for(no_program);
    expect_failure(&request, "couldn't exec /etc/passwd: EACCES");
    request = request_for(fine);
    request.directory = "/nonexistent";
    expect_failure(&request, "couldn't chdir to /nonexistent: ENOENT");
}

static void a_script_without_interpreter_is_not_run_by_a_shell(void **state)
{
    char path[] = "/tmp/test_spawn_XXXXXX";
    CLEANUP_FD int fd = mkstemp(path);
    char *const arguments[] = {path, NULL};
    char wanted[128];

    (void)state;
    assert_int_equal(fd_write_all(fd, "echo hello\n", 11), 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    fd_close(&fd); /* a file that is open for writing cannot be run */
    struct spawn_request request = request_for(arguments);
    (void)snprintf(wanted, sizeof wanted, "couldn't exec %s: ENOEXEC", path);
    expect_failure(&request, wanted);
    unlink(path);
}

static void without_descriptors_it_fails_cleanly(void **state)
{
    struct rlimit before;
    char *const fine[] = {(char *)(uintptr_t) "/bin/true", NULL};
    const struct spawn_request request = request_for(fine);
    CLEANUP_FD int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t allowed = (rlim_t)highest + 1; allowed < (rlim_t)highest + 8; allowed++) {
        const struct rlimit limit = {.rlim_cur = allowed, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        expect_failure(&request, "too many open files to spawn 'child'");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void the_user_is_switched_with_all_groups(void **state)
{
    char text[4096];
    const struct passwd *nobody = getpwnam("nobody");
    struct spawn_request request = request_for((char *const[]){(char *)(uintptr_t) "/bin/sh", NULL});

    (void)state;
    if (geteuid() != 0 || nobody == NULL)
        skip();
    struct config_account user = {
        .is_set = true, .name = nobody->pw_name, .uid = nobody->pw_uid, .gid = nobody->pw_gid};
    request.user = &user;
    assert_int_equal(run_script(&request, "id -u; id -g; id -G", text, sizeof text), 0);
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "%u\n%u\n%u\n", nobody->pw_uid, nobody->pw_gid, nobody->pw_gid);
    assert_string_equal(text, wanted);
}

static int prepare(void **state)
{
    struct error err;

    (void)state;
    closefrom(STDERR_FILENO + 1);
    return spawn_prepare(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_three_descriptors),
        cmocka_unit_test(a_child_leads_a_process_group),
        cmocka_unit_test(a_child_has_no_blocked_or_ignored_signals),
        cmocka_unit_test(streams_are_apart_unless_redirected),
        cmocka_unit_test(directory_and_umask_are_the_childs_alone),
        cmocka_unit_test(the_environment_is_what_was_asked_for),
        cmocka_unit_test(failures_name_their_cause),
        cmocka_unit_test(a_script_without_interpreter_is_not_run_by_a_shell),
        cmocka_unit_test(without_descriptors_it_fails_cleanly),
        cmocka_unit_test(the_user_is_switched_with_all_groups),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
