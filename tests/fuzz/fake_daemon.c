#include "fake_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define LOG_TEXT "first line\nsecond \033[1mline\033[0m with <markup>\n\xff not UTF-8\n"
#define LOG_LENGTH (sizeof LOG_TEXT - 1)
#define START_US INT64_C(1000000000)
#define MEMBER_COUNT 2

struct fake_daemon fake_daemon;

static char directory[] = "/tmp/fuzz-daemon-XXXXXX";
static pid_t last_pid;

/* --- the system --------------------------------------------------------------------------------------------------- */

static int ended_pipe(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        abort();
    close(ends[1]);
    return ends[0];
}

/* What is written to stdin fills a pipe that nobody reads. */
static int full_pipe(void)
{
    static int unread = -1;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        abort();
    fd_close(&unread);
    unread = ends[0];
    return ends[1];
}

static int spawn(const struct spawn_request *request, struct spawn_result *result, struct error *err)
{
    (void)request;
    (void)err;
    fake_daemon.spawned++;
    *result =
        (struct spawn_result){.pid = ++last_pid, .stdin_fd = full_pipe(), .output_fds = {ended_pipe(), ended_pipe()}};
    return 0;
}

static int send_signal(pid_t pid, int number)
{
    (void)pid;
    (void)number;
    fake_daemon.killed++;
    return 0;
}

static int64_t standing_clock(void)
{
    return START_US;
}

static void arm(struct event *timer, int64_t after_us)
{
    const struct timeval far = {1000000, 0};

    (void)after_us;
    evtimer_add(timer, &far);
}

static void disarm(struct event *timer)
{
    evtimer_del(timer);
}

static const struct process_system fake_system = {
    .spawn = spawn,
    .kill = send_signal,
    .wall_us = standing_clock,
    .monotonic_us = standing_clock,
    .timer_arm = arm,
    .timer_disarm = disarm,
};

/* --- the configuration -------------------------------------------------------------------------------------------- */

static void remove_directory(void)
{
    char path[64];

    for (int i = 0; i < CONFIG_STREAM_COUNT; i++) {
        snprintf(path, sizeof path, "%s/%d", directory, i);
        unlink(path);
    }
    rmdir(directory);
}

static char *log_path(int stream)
{
    static bool is_made;

    if (!is_made && mkdtemp(directory) == NULL)
        abort();
    if (!is_made)
        atexit(remove_directory);
    is_made = true;
    return xasprintf("%s/%d", directory, stream);
}

static void write_log(const char *path)
{
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || fd_write_all(fd, LOG_TEXT, LOG_LENGTH) < 0)
        abort();
}

static struct config_process *make_program(const char *name, bool has_logs)
{
    struct config_process *process = config_process_new();

    *process = (struct config_process){
        .references = 1,
        .name = xstrdup(name),
        .program = xstrdup(name),
        .command = xstrdup("/bin/true -x 'a b'"),
        .priority = 999,
        .autostart = has_logs,
        .autorestart = AUTORESTART_UNEXPECTED,
        .startretries = 3,
        .stopsignal = SIGTERM,
        .stopwaitsecs = 10,
        .umask = -1,
    };

    for (int i = 0; has_logs && i < CONFIG_STREAM_COUNT; i++) {
        process->logs[i].file = log_path(i);
        write_log(process->logs[i].file);
    }
    return process;
}

static struct config_group *make_group(const char *name, size_t count)
{
    struct config_group *group = xcalloc(1, sizeof *group);

    *group = (struct config_group){.references = 1, .name = xstrdup(name), .priority = 999, .process_count = count};
    group->processes = xcalloc(count, sizeof(struct config_process *));
    return group;
}

static struct config *make_config(void)
{
    struct config *config = xcalloc(1, sizeof *config);

    config->references = 1;
    config->daemon.identifier = xstrdup("supervisor");
    config->daemon.childlogdir = xstrdup("/tmp");
    config->group_count = 2;
    config->groups = xcalloc(config->group_count, sizeof(struct config_group *));
    config->groups[0] = make_group("solo", 1);
    config->groups[0]->processes[0] = make_program("solo", true);
    config->groups[1] = make_group("many", MEMBER_COUNT);
    for (int i = 0; i < MEMBER_COUNT; i++) {
        const char name[] = {'m', (char)('0' + i), '\0'};
        config->groups[1]->processes[i] = make_program(name, false);
    }
    return config;
}

static struct config *load_config(void *daemon, struct error *err)
{
    (void)daemon;
    error_set(err, "no good");
    return NULL;
}

/* --- its life ----------------------------------------------------------------------------------------------------- */

void fake_daemon_begin(void)
{
    struct error err;

    last_pid = 100;
    fake_daemon = (struct fake_daemon){.loop = event_base_new()};
    fake_daemon.api = (struct api_context){.supervisor = supervisor_new(fake_daemon.loop, &fake_system),
                                           .config = make_config(),
                                           .load_config = load_config};
    supervisor_configure(fake_daemon.api.supervisor, fake_daemon.api.config);
    for (size_t i = 0; i < fake_daemon.api.config->group_count; i++)
        if (supervisor_add_group(fake_daemon.api.supervisor, fake_daemon.api.config->groups[i], &err) < 0)
            abort();
    fake_daemon.registry = rpc_registry_new(api_is_stopping, &fake_daemon.api);
    api_add_methods(fake_daemon.registry, &fake_daemon.api);
    rpc_registry_add_system(fake_daemon.registry);
    fake_daemon_turn();
    if (fake_daemon.spawned != 1)
        abort();
    fake_daemon.spawned = 0;
}

static void end_children(struct supervisor *supervisor)
{
    supervisor->state = SUPERVISOR_SHUTDOWN; /* nothing comes back */
    for (struct process *process = supervisor->by_pid, *next; process != NULL; process = next) {
        next = process->by_pid.next;
        process_child_ended(process, 0);
    }
}

void fake_daemon_end(void)
{
    end_children(fake_daemon.api.supervisor);
    rpc_registry_free(fake_daemon.registry);
    supervisor_free(fake_daemon.api.supervisor);
    config_unref(fake_daemon.api.config);
    event_base_free(fake_daemon.loop);
}

void fake_daemon_turn(void)
{
    for (int i = 0; i < 4; i++)
        event_base_loop(fake_daemon.loop, EVLOOP_NONBLOCK);
}

void fake_daemon_fire_timers(void)
{
    size_t count;
    struct process **processes = supervisor_sorted_processes(fake_daemon.api.supervisor, &count);

    for (size_t i = 0; i < count; i++) {
        if (!evtimer_pending(processes[i]->timer, NULL))
            continue;
        evtimer_del(processes[i]->timer);
        event_active(processes[i]->timer, EV_TIMEOUT, 1);
    }
    free(processes);
    fake_daemon_turn();
}

static bool log_has_changed(const char *path)
{
    struct stat status;

    return stat(path, &status) < 0 || status.st_size != (off_t)LOG_LENGTH;
}

bool fake_daemon_has_changed(void)
{
    const struct supervisor *supervisor = fake_daemon.api.supervisor;
    const struct process *solo = supervisor_find_process(supervisor, "solo", "solo");

    return fake_daemon.spawned > 0 || fake_daemon.killed > 0 || supervisor->state != SUPERVISOR_RUNNING ||
           supervisor_find_group(supervisor, "many") == NULL || solo == NULL || solo->stdin_pending != NULL ||
           log_has_changed(solo->config->logs[0].file) || log_has_changed(solo->config->logs[1].file);
}
