#include "cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/load.h"
#include "config/options.h"

#define BASE "[supervisord]\n"
#define PROGRAM "[program:p]\ncommand=/bin/cat\n"
#define FCGI "[fcgi-program:f]\ncommand=/bin/cat\nsocket=unix:///tmp/f.sock\n"
#define SERVER "[unix_http_server]\nfile=/tmp/x\n"
#define LISTENER "[eventlistener:l]\ncommand=/bin/cat\nevents=EVENT\n"

static char directory[] = "/tmp/test-config-load-XXXXXX";
static struct config_load_options options;
static struct error err;

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

static void write_file(const char *name, const char *text)
{
    CLEANUP_FREE char *path = path_of(name);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct config *try_load(const char *text)
{
    CLEANUP_FREE char *path = path_of("c.conf");

    write_file("c.conf", text);
    return config_load(path, &options, &err);
}

static struct config *load(const char *text)
{
    struct config *config = try_load(text);

    if (config == NULL)
        fail_msg("%s\n%s", text, err.text);
    return config;
}

/* The message must hold `part`, in which @ stands for the test's directory, and be one line. */
static void refuse(const char *text, const char *part)
{
    struct config *config = try_load(text);
    const char *at = strchr(part, '@');
    CLEANUP_FREE char *expected =
        at == NULL ? xstrdup(part) : xasprintf("%.*s%s%s", (int)(at - part), part, directory, at + 1);

    if (config != NULL)
        fail_msg("accepted: %s", text);
    if (strstr(err.text, expected) == NULL)
        fail_msg("%s\n%s", text, err.text);
    assert_null(strchr(err.text, '\n'));
}

/* --- every option --------------------------------------------------------------------------------------------------
 */

/* For each option: a usual value, one at the border of what is allowed, and one that is refused with that message. */
struct option_case {
    const char *section; /* the kind */
    const char *key;
    const char *usual;
    const char *border;
    const char *bad;
    const char *message;
};

#define TEXT_CASE(section, key)                                                          \
    {                                                                                    \
        section, key, "word", "%(ENV_HOME)s%%", "%(nope)s", "%(nope) cannot be expanded" \
    }
#define BOOLEAN_CASE(section, key)                                          \
    {                                                                       \
        section, key, "true", "OFF", "perhaps", "not a valid boolean value" \
    }
#define INTEGER_CASE(section, key)                               \
    {                                                            \
        section, key, "5", "-2147483648", "5x", "not an integer" \
    }
#define POSITIVE_CASE(section, key)                          \
    {                                                        \
        section, key, "5", "1", "0", "below the lower bound" \
    }
#define PATH_CASE(section, key)              \
    {                                        \
        section, key, "/x", "x", "", "empty" \
    }
#define SIZE_CASE(section, key)                       \
    {                                                 \
        section, key, "5MB", "0", "5TB", "not a size" \
    }
#define MODE_CASE(section, key)                                 \
    {                                                           \
        section, key, "022", "7777", "9", "not an octal number" \
    }
#define USER_CASE(section, key)                                                         \
    {                                                                                   \
        section, key, "root", "0", "no-such-user-x", "invalid user name no-such-user-x" \
    }
#define FILE_CASE(section, key)                                     \
    {                                                               \
        section, key, "/tmp/x", "x", "/nowhere/x", "does not exist" \
    }
#define LOG_CASES(stream)                                                                                     \
    FILE_CASE("program", stream "_logfile"), SIZE_CASE("program", stream "_logfile_maxbytes"),                \
        INTEGER_CASE("program", stream "_logfile_backups"), SIZE_CASE("program", stream "_capture_maxbytes"), \
        BOOLEAN_CASE("program", stream "_events_enabled"), BOOLEAN_CASE("program", stream "_syslog"),         \
        TEXT_CASE("program", stream "_prefix")

static const struct option_case option_cases[] = {
    FILE_CASE("supervisord", "logfile"),
    SIZE_CASE("supervisord", "logfile_maxbytes"),
    INTEGER_CASE("supervisord", "logfile_backups"),
    {"supervisord", "loglevel", "info", "BLATHER", "loud", "bad logging level name"},
    FILE_CASE("supervisord", "pidfile"),
    MODE_CASE("supervisord", "umask"),
    BOOLEAN_CASE("supervisord", "nodaemon"),
    BOOLEAN_CASE("supervisord", "silent"),
    INTEGER_CASE("supervisord", "minfds"),
    INTEGER_CASE("supervisord", "minprocs"),
    BOOLEAN_CASE("supervisord", "nocleanup"),
    {"supervisord", "childlogdir", "/tmp", ".", "/etc/passwd", "is not an existing directory"},
    USER_CASE("supervisord", "user"),
    {"supervisord", "directory", "/tmp", "/", "", "is not an existing directory"},
    BOOLEAN_CASE("supervisord", "strip_ansi"),
    {"supervisord", "environment", "A=\"1\",B=2", "", "A", "unexpected end of key/value pairs"},
    TEXT_CASE("supervisord", "identifier"),
    {"supervisord", "plugin_path", "/a:/b", "/", "a", "absolute"},

    {"unix_http_server", "file", "/tmp/s", "s", "", "empty"},
    MODE_CASE("unix_http_server", "chmod"),
    {"unix_http_server", "chown", "root", "0:0", "root:no-such-x", "invalid group name no-such-x"},
    TEXT_CASE("unix_http_server", "username"),
    TEXT_CASE("unix_http_server", "password"),
    TEXT_CASE("unix_http_server", "readonly_username"),
    TEXT_CASE("unix_http_server", "readonly_password"),
    POSITIVE_CASE("unix_http_server", "max_connections"),
    {"unix_http_server", "max_header_bytes", "64KB", "4096", "5TB", "not a size"},
    SIZE_CASE("unix_http_server", "max_body_bytes"),
    POSITIVE_CASE("unix_http_server", "request_timeout"),
    INTEGER_CASE("unix_http_server", "idle_timeout"),

    {"inet_http_server", "port", "127.0.0.1:9001", "*:65535", "h:65536", "not a valid port number"},
    TEXT_CASE("inet_http_server", "username"),
    TEXT_CASE("inet_http_server", "password"),
    TEXT_CASE("inet_http_server", "readonly_username"),
    TEXT_CASE("inet_http_server", "readonly_password"),
    POSITIVE_CASE("inet_http_server", "max_connections"),
    {"inet_http_server", "max_header_bytes", "64KB", "4096", "5TB", "not a size"},
    SIZE_CASE("inet_http_server", "max_body_bytes"),
    POSITIVE_CASE("inet_http_server", "request_timeout"),
    INTEGER_CASE("inet_http_server", "idle_timeout"),
    POSITIVE_CASE("inet_http_server", "max_connections_per_address"),
    PATH_CASE("inet_http_server", "tls_certificate"),
    PATH_CASE("inet_http_server", "tls_key"),
    PATH_CASE("inet_http_server", "tls_client_ca"),

    {"supervisorctl", "serverurl", "http://h:1", "unix://s", "foo", "not a URL"},
    TEXT_CASE("supervisorctl", "username"),
    TEXT_CASE("supervisorctl", "password"),
    TEXT_CASE("supervisorctl", "prompt"),
    {"supervisorctl", "plugin_path", "/a:/b", "/", "/a:", "absolute"},
    PATH_CASE("supervisorctl", "tls_ca"),
    PATH_CASE("supervisorctl", "tls_certificate"),
    PATH_CASE("supervisorctl", "tls_key"),
    {"supervisorctl", "history_file", "~/.h", "", "%(nope)s", "cannot be expanded"},

    TEXT_CASE("program", "command"),
    {"program", "process_name", "a-b", "%(program_name)s_%(process_num)02d", "a:b", "invalid name: 'a:b'"},
    INTEGER_CASE("program", "priority"),
    BOOLEAN_CASE("program", "autostart"),
    {"program", "autorestart", "true", "unexpected", "perhaps", "not a valid autorestart value"},
    INTEGER_CASE("program", "startsecs"),
    INTEGER_CASE("program", "startretries"),
    {"program", "exitcodes", "0,2", "", "0,256", "not a valid list of exit codes"},
    {"program", "stopsignal", "INT", "1", "NOPE", "not a valid signal"},
    INTEGER_CASE("program", "stopwaitsecs"),
    BOOLEAN_CASE("program", "stopasgroup"),
    BOOLEAN_CASE("program", "killasgroup"),
    BOOLEAN_CASE("program", "killonparentdeath"),
    USER_CASE("program", "user"),
    BOOLEAN_CASE("program", "redirect_stderr"),
    LOG_CASES("stdout"),
    LOG_CASES("stderr"),
    {"program", "environment", "A=\"%(process_num)d\"", "A='%(here)s',", "A=1,,B=2",
     "unexpected end of key/value pairs"},
    TEXT_CASE("program", "directory"),
    MODE_CASE("program", "umask"),
    TEXT_CASE("program", "serverurl"),
    {"program", "numprocs", "1", "0", "100001", "above the upper bound (100000)"},
    INTEGER_CASE("program", "numprocs_start"),

    {"group", "programs", "p", "", "p,ghost", "names unknown program ghost"},
    INTEGER_CASE("group", "priority"),

    {"fcgi-program", "socket", "tcp://h:1", "unix:///%(program_name)s", "tcp://h", "bad socket format"},
    {"fcgi-program", "socket_owner", "root", "0:0", "no-such-user-x", "invalid user name no-such-user-x"},
    MODE_CASE("fcgi-program", "socket_mode"),
    {"fcgi-program", "socket_backlog", "128", "1", "0", "below the lower bound (1)"},

    {"eventlistener", "events", "TICK_5", "tick_5 , EVENT", "TICK_5,", "an empty event type"},
    {"eventlistener", "buffer_size", "10", "1", "0", "below the lower bound (1)"},
    BOOLEAN_CASE("eventlistener", "len_in_characters"),
    {"eventlistener", "result_handler", "supervisor.dispatchers:default_handler",
     " supervisor.dispatchers:default_handler ", "a:b", "the only result handler is"},

    {"include", "files", "x.inc", "", "%(nope)s", "cannot be expanded"},
    {"rpcinterface", "supervisor.rpcinterface_factory", "a:b", "a", "", "empty"},
    {"ctlplugin", "supervisor.ctl_factory", "a:b", "a", "", "empty"},
};

/* What must stand around an option of each kind of section. */
static const struct {
    const char *section;
    const char *before;
    bool for_ctl;
} surroundings[] = {
    {"supervisord", BASE, false},
    {"unix_http_server", BASE "[unix_http_server]\nfile=/tmp/s\n", false},
    {"inet_http_server", BASE "[inet_http_server]\nport=1\n", false},
    {"supervisorctl", "[supervisorctl]\n", true},
    {"program", BASE PROGRAM, false},
    {"group", BASE PROGRAM "[group:g]\n", false},
    {"fcgi-program", BASE FCGI, false},
    {"eventlistener", BASE LISTENER, false},
    {"include", BASE "[include]\n", false},
    {"rpcinterface", BASE "[rpcinterface:r]\n", false},
    {"ctlplugin", "[supervisorctl]\n[ctlplugin:c]\n", true},
};

/* Options that do not come alone, of one section or (NULL) of all that have them. */
static const struct {
    const char *section;
    const char *key;
    const char *with;
} partners[] = {
    {NULL, "username", "password=x\n"},
    {NULL, "password", "username=x\n"},
    {NULL, "readonly_username", "username=x\npassword=x\nreadonly_password=x\n"},
    {NULL, "readonly_password", "username=x\npassword=x\nreadonly_username=y\n"},
    {"inet_http_server", "tls_certificate", "tls_key=x\n"},
    {"inet_http_server", "tls_key", "tls_certificate=x\n"},
    {"inet_http_server", "tls_client_ca", "tls_certificate=x\ntls_key=x\n"},
};

static char *surround(const struct option_case *test, const char *value)
{
    const char *partner = "";

    for (size_t i = 0; i < sizeof partners / sizeof partners[0]; i++)
        if (strcmp(test->key, partners[i].key) == 0 &&
            (partners[i].section == NULL || strcmp(test->section, partners[i].section) == 0))
            partner = partners[i].with;
    for (size_t i = 0; i < sizeof surroundings / sizeof surroundings[0]; i++)
        if (strcmp(surroundings[i].section, test->section) == 0) {
            options.for_ctl = surroundings[i].for_ctl;
            return xasprintf("%s%s%s=%s\n", surroundings[i].before, partner, test->key, value);
        }
    fail_msg("no surroundings for %s", test->section);
    return NULL;
}

static void each_option_takes_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof option_cases / sizeof option_cases[0]; i++) {
        const struct option_case *test = &option_cases[i];
        CLEANUP_FREE char *usual = surround(test, test->usual);
        CLEANUP_FREE char *border = surround(test, test->border);
        CLEANUP_FREE char *bad = surround(test, test->bad);
        CLEANUP_FREE char *place = xasprintf("] %s=%s: ", test->key, test->bad);
        config_unref(load(usual));
        config_unref(load(border));
        refuse(bad, test->message);
        if (strstr(err.text, place) == NULL || strstr(err.text, "c.conf:") == NULL)
            fail_msg("%s", err.text);
    }
    options.for_ctl = false;
}

static void find_case(const struct option_section *section, const struct option *option, void *context)
{
    (void)context;
    if (section != option_find_section("program:") &&
        option_find(option_find_section("program:"), option->name) == option)
        return;
    for (size_t i = 0; i < sizeof option_cases / sizeof option_cases[0]; i++)
        if (strcmp(option_cases[i].section, section->name) == 0 && strcmp(option_cases[i].key, option->name) == 0)
            return;
    fail_msg("[%s] %s has no case", section->name, option->name);
}

static void each_option_has_a_case(void **state)
{
    (void)state;
    option_visit_all(find_case, NULL);
}

/* --- defaults and values -------------------------------------------------------------------------------------------
 */

static void defaults_of_the_daemon(void **state)
{
    struct config *config = load(BASE);
    const struct config_daemon *daemon = &config->daemon;

    (void)state;
    assert_true(text_ends_with(daemon->logfile, "/supervisord.log"));
    assert_int_equal(daemon->logfile[0], '/');
    assert_int_equal(daemon->logfile_maxbytes, 50 << 20);
    assert_int_equal(daemon->logfile_backups, 10);
    assert_int_equal(daemon->loglevel, LOG_LEVEL_INFO);
    assert_true(text_ends_with(daemon->pidfile, "/supervisord.pid"));
    assert_int_equal(daemon->umask, 022);
    assert_false(daemon->nodaemon);
    assert_false(daemon->silent);
    assert_int_equal(daemon->minfds, 1024);
    assert_int_equal(daemon->minprocs, 200);
    assert_false(daemon->nocleanup);
    assert_non_null(daemon->childlogdir);
    assert_false(daemon->user.is_set);
    assert_null(daemon->directory);
    assert_false(daemon->strip_ansi);
    assert_int_equal(daemon->environment.count, 0);
    assert_string_equal(daemon->identifier, "supervisor");
    assert_int_equal(config->server_count, 0);
    assert_int_equal(config->group_count, 0);
    assert_string_equal(config->here, directory);
    config_unref(config);
}

static void defaults_of_a_program(void **state)
{
    struct config *config = load(BASE PROGRAM);
    const struct config_process *process = config->groups[0]->processes[0];

    (void)state;
    assert_int_equal(config->group_count, 1);
    assert_int_equal(config->groups[0]->kind, CONFIG_GROUP_PROGRAM);
    assert_int_equal(config->groups[0]->priority, 999);
    assert_int_equal(config->groups[0]->process_count, 1);
    assert_string_equal(process->name, "p");
    assert_string_equal(process->program, "p");
    assert_string_equal(process->command, "/bin/cat");
    assert_int_equal(process->priority, 999);
    assert_true(process->autostart);
    assert_int_equal(process->autorestart, AUTORESTART_UNEXPECTED);
    assert_int_equal(process->startsecs, 1);
    assert_int_equal(process->startretries, 3);
    assert_int_equal(process->stopsignal, SIGTERM);
    assert_int_equal(process->stopwaitsecs, 10);
    assert_false(process->stopasgroup);
    assert_false(process->killasgroup);
    assert_int_equal(process->exitcode_count, 1);
    assert_int_equal(process->exitcodes[0], 0);
    assert_false(process->user.is_set);
    assert_false(process->redirect_stderr);
    for (int i = 0; i < CONFIG_STREAM_COUNT; i++) {
        assert_null(process->logs[i].file);
        assert_true(process->logs[i].is_automatic);
        assert_false(process->logs[i].syslog);
        assert_int_equal(process->logs[i].maxbytes, 50 << 20);
        assert_int_equal(process->logs[i].backups, 10);
        assert_int_equal(process->logs[i].capture_maxbytes, 0);
        assert_false(process->logs[i].events_enabled);
    }
    assert_null(process->directory);
    assert_int_equal(process->umask, -1);
    assert_null(process->server_url);
    config_unref(config);
}

static void defaults_of_servers(void **state)
{
    struct config *config = load(BASE "[unix_http_server]\nfile=/tmp/s\n[inet_http_server]\nport=:9001\n"
                                      "[unix_http_server:b]\nfile=/tmp/b\nchown=root:root\nusername=u\npassword=p\n");
    const struct config_server *servers = config->servers;

    (void)state;
    assert_int_equal(config->server_count, 3);
    assert_int_equal(servers[0].kind, CONFIG_SERVER_INET);
    assert_string_equal(servers[0].host, "");
    assert_int_equal(servers[0].port, 9001);
    assert_int_equal(servers[1].kind, CONFIG_SERVER_UNIX);
    assert_string_equal(servers[1].path, "/tmp/s");
    assert_int_equal(servers[1].chmod, 0700);
    assert_true(servers[1].uid == (uid_t)-1);
    assert_true(servers[1].gid == (gid_t)-1);
    assert_null(servers[1].username);
    assert_int_equal(servers[2].uid, 0);
    assert_string_equal(servers[2].password, "p");
    config_unref(config);
    refuse(BASE "[unix_http_server]\n", "[unix_http_server]: does not specify its file");
    refuse(BASE "[inet_http_server]\n", "[inet_http_server]: does not specify its port");
    refuse(BASE "[inet_http_server]\nport=1\nusername=x\n", "incomplete authentication");
    refuse(BASE "[unix_http_server]\nfile=/tmp/x\npassword=x\n", "incomplete authentication");
    refuse(BASE "[inet_http_server]\nport=1\ntls_key=x\n", "tls_certificate and tls_key must be given together");
    refuse(BASE "[inet_http_server]\nport=1\ntls_client_ca=x\n", "tls_client_ca without tls_certificate");
    refuse(BASE SERVER "max_header_bytes=1KB\n", "max_header_bytes must be from 4KB to 16MB");
    refuse(BASE SERVER "readonly_username=x\n", "readonly_username and readonly_password must be given together");
    refuse(BASE SERVER "readonly_username=x\nreadonly_password=x\n", "readonly_username without username");
    refuse(BASE SERVER "username=x\npassword=y\nreadonly_username=x\nreadonly_password=x\n", "must differ");
}

static void logs_have_destinations(void **state)
{
    struct config *config = load(BASE PROGRAM "stdout_logfile=syslog\nstderr_logfile=None\n"
                                              "[program:q]\ncommand=x\nstdout_logfile=rel.log\nstdout_syslog=true\n"
                                              "stderr_logfile=/dev/stderr\nstderr_logfile_backups=-1\n"
                                              "[program:r]\ncommand=x\nredirect_stderr=true\nstderr_logfile=/tmp/x\n");
    const struct config_log *p = config->groups[0]->processes[0]->logs;
    const struct config_log *q = config->groups[1]->processes[0]->logs;
    const struct config_log *r = config->groups[2]->processes[0]->logs;

    (void)state;
    assert_true(p[CONFIG_STDOUT].syslog && !p[CONFIG_STDOUT].is_automatic && p[CONFIG_STDOUT].file == NULL);
    assert_true(!p[CONFIG_STDERR].syslog && !p[CONFIG_STDERR].is_automatic && p[CONFIG_STDERR].file == NULL);
    assert_true(q[CONFIG_STDOUT].syslog);
    assert_string_equal(q[CONFIG_STDOUT].file, "rel.log");
    assert_string_equal(q[CONFIG_STDERR].file, "/dev/stderr");
    assert_int_equal(q[CONFIG_STDERR].backups, 0);
    assert_true(r[CONFIG_STDOUT].is_automatic);
    assert_true(!r[CONFIG_STDERR].is_automatic && r[CONFIG_STDERR].file == NULL);
    config_unref(config);
}

static void stopasgroup_implies_killasgroup(void **state)
{
    struct config *config = load(BASE PROGRAM "stopasgroup=true\n");

    (void)state;
    assert_true(config->groups[0]->processes[0]->killasgroup);
    config_unref(config);
    refuse(BASE PROGRAM "stopasgroup=true\nkillasgroup=false\n",
           "c.conf:5: [program:p] killasgroup=false: cannot set stopasgroup=true and killasgroup=false");
}

/* --- programs and groups -------------------------------------------------------------------------------------------
 */

static void several_processes_of_a_program(void **state)
{
    struct config *config = load(BASE "[program:p]\ncommand=c %(process_num)d/%(numprocs)d %(group_name)s\nnumprocs=3\n"
                                      "numprocs_start=-1\nprocess_name=%(program_name)s_%(process_num)02d\n"
                                      "stdout_logfile=/tmp/%(process_num)d.log\n");
    const struct config_group *group = config->groups[0];

    (void)state;
    assert_int_equal(group->process_count, 3);
    assert_string_equal(group->processes[0]->name, "p_-1");
    assert_string_equal(group->processes[2]->name, "p_01");
    assert_string_equal(group->processes[2]->command, "c 1/3 p");
    assert_string_equal(group->processes[2]->logs[CONFIG_STDOUT].file, "/tmp/1.log");
    config_unref(config);
    refuse(BASE PROGRAM "numprocs=2\n", "%(process_num) must be present within process_name when numprocs > 1");
    refuse(BASE PROGRAM "numprocs=2\nprocess_name=x\n", "c.conf:5: [program:p] process_name=x: %(process_num) must");
    refuse(BASE PROGRAM "numprocs=2\nprocess_name=a%(process_num).0s\n",
           "c.conf:2: [program:p]: two processes of the group are named a");
}

static void own_environment_is_known_to_the_process(void **state)
{
    struct config *config = load(
        "[supervisord]\nenvironment=A=\"daemon\",B=\"daemon\"\n"
        "[program:p]\ncommand=c %(ENV_A)s %(ENV_B)s\nenvironment=A=\"own\",C=\"%(ENV_A)s\"\nserverurl=%(ENV_A)s\n");
    const struct config_process *process = config->groups[0]->processes[0];

    (void)state;
    assert_string_equal(process->command, "c own daemon");
    assert_string_equal(process->environment.variables[1].value, "daemon");
    assert_string_equal(process->server_url, "daemon");
    config_unref(config);
    refuse(BASE PROGRAM "startsecs=%(process_num)d\n", "[program:p] startsecs=%(process_num)d: %(process_num) cannot");
    refuse("[supervisord]\nenvironment=A=\"1\"\nidentifier=%(ENV_A_NOPE)s\n", "%(ENV_A_NOPE) cannot be expanded");
}

static void groups_take_programs(void **state)
{
    struct config *config = load(BASE "[program:a]\ncommand=a %(group_name)s\npriority=7\n[program:b]\ncommand=b\n"
                                      "[program:c]\ncommand=c\n[group:g]\nprograms=b, a\npriority=5\n"
                                      "[group:h]\nprograms=a\n[group:empty]\n");
    const struct config_group *group = config_find_group(config, "g");

    (void)state;
    assert_int_equal(config->group_count, 4);
    assert_int_equal(group->kind, CONFIG_GROUP_MIXED);
    assert_int_equal(group->priority, 5);
    assert_int_equal(group->process_count, 2);
    assert_string_equal(group->processes[0]->name, "b");
    assert_string_equal(group->processes[1]->command, "a g");
    assert_int_equal(group->processes[1]->priority, 7);
    assert_string_equal(config_find_group(config, "h")->processes[0]->command, "a h");
    assert_int_equal(config_find_group(config, "empty")->process_count, 0);
    assert_non_null(config_find_group(config, "c"));
    assert_null(config_find_group(config, "a"));
    config_unref(config);
}

static void groups_are_sorted(void **state)
{
    static const char *const names[] = {"l", "m", "a", "aa", "b", "zz"};
    struct config *config =
        load(BASE "[group:zz]\nprograms=k\n[program:k]\ncommand=x\npriority=1\n[program:b]\ncommand=x\n"
                  "[program:m]\ncommand=x\npriority=5\n[program:a]\ncommand=x\n[fcgi-program:aa]\ncommand=x\n"
                  "socket=tcp://h:1\n" LISTENER);

    (void)state;
    assert_int_equal(config->group_count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < config->group_count; i++)
        assert_string_equal(config->groups[i]->name, names[i]);
    assert_int_equal(config->groups[0]->priority, -1);
    assert_int_equal(config->groups[0]->processes[0]->priority, 999);
    config_unref(config);
}

static void bad_programs_and_groups(void **state)
{
    (void)state;
    refuse(BASE "[program:p]\nstartsecs=1\n", "@/c.conf:2: [program:p]: does not specify its command");
    refuse(BASE "[program:p q]\ncommand=x\n", "[program:p q]: invalid name: 'p q' because of character: ' '");
    refuse(BASE "[program:p:q]\ncommand=x\n", "invalid name: 'p:q' because of character: ':'");
    refuse(BASE "[program:p/q]\ncommand=x\n", "invalid name: 'p/q' because of character: '/'");
    refuse(BASE "[program:]\ncommand=x\n", "[program:]: an empty name");
    refuse(BASE "[group:]\n", "[group:]: an empty name");
    refuse(BASE "[group:g h]\n", "invalid name: 'g h'");
    refuse(BASE "[program:p]\ncommand=x\nprocess_name=\n", "an empty name");
    refuse(BASE PROGRAM "[group:g]\nprograms=p,p\n", "two processes of the group are named p");
    refuse(BASE PROGRAM "[program:q]\ncommand=x\nprocess_name=p\n[group:g]\nprograms=p,q\n",
           "two processes of the group are named p");
    refuse(BASE PROGRAM "[fcgi-program:p]\ncommand=x\nsocket=tcp://h:1\n", "two groups or programs are named p");
    refuse(BASE PROGRAM "[program: p]\ncommand=x\n", "two groups or programs are named p");
    refuse(BASE PROGRAM "[program:q]\ncommand=x\n[group:q]\nprograms=p\n", "two groups or programs are named q");
    refuse(BASE FCGI "[group:g]\nprograms=f\n", "[group:g] programs=f: the fcgi-program f cannot be in a group");
    refuse(BASE LISTENER "[group:g]\nprograms=l\n", "[group:g] programs=l: names unknown program l");
    refuse(BASE PROGRAM "[group:g]\nprograms=p,\n", "names unknown program");
}

static void names_are_trimmed_and_may_have_brackets(void **state)
{
    struct config *config = load(BASE "[program: x ]\ncommand=x\n[program:y]z]\ncommand=x\n");

    (void)state;
    assert_string_equal(config->groups[0]->name, "x");
    assert_string_equal(config->groups[1]->name, "y]z");
    config_unref(config);
}

static void fcgi_sockets(void **state)
{
    struct config *config = load(BASE FCGI "user=root\n[fcgi-program:t]\ncommand=x\nsocket=tcp://localhost:9002\n"
                                           "socket_backlog=5\npriority=3\n");
    const struct config_fcgi_socket *tcp = config->groups[0]->socket;
    const struct config_fcgi_socket *local = config->groups[1]->socket;

    (void)state;
    assert_int_equal(config->groups[0]->kind, CONFIG_GROUP_FCGI);
    assert_int_equal(config->groups[0]->priority, 3);
    assert_string_equal(tcp->host, "localhost");
    assert_int_equal(tcp->port, 9002);
    assert_null(tcp->path);
    assert_int_equal(tcp->backlog, 5);
    assert_int_equal(tcp->mode, -1);
    assert_string_equal(local->path, "/tmp/f.sock");
    assert_null(local->host);
    assert_true(local->owner.is_set);
    assert_int_equal(local->owner_gid, 0);
    assert_int_equal(local->backlog, -1);
    config_unref(config);
    refuse(BASE "[fcgi-program:f]\ncommand=x\n", "[fcgi-program:f]: does not specify its socket");
    refuse(BASE "[fcgi-program:f]\ncommand=x\nsocket=unix://rel\n", "rel is not an absolute path");
    refuse(BASE "[fcgi-program:f]\ncommand=x\nsocket=udp://h:1\n", "bad socket format");
    refuse(BASE "[fcgi-program:f]\ncommand=x\nsocket=tcp://:1\n", "bad socket format");
    refuse(BASE "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1/x\n", "bad socket format");
    refuse(BASE "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_mode=0700\n", "are for UNIX sockets only");
    refuse(BASE "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_owner=root\n", "are for UNIX sockets only");
}

static bool is_tick(const char *name)
{
    return strcmp(name, "TICK_5") == 0;
}

static void listener_pools(void **state)
{
    struct config *config = load(BASE "[eventlistener:l]\ncommand=x\nevents=tick_5, PROCESS_STATE\n");
    const struct config_group *group = config->groups[0];

    (void)state;
    assert_int_equal(group->kind, CONFIG_GROUP_LISTENER);
    assert_int_equal(group->listener.buffer_size, 10);
    assert_int_equal(group->listener.event_count, 2);
    assert_string_equal(group->listener.events[0], "TICK_5");
    assert_string_equal(group->listener.events[1], "PROCESS_STATE");
    config_unref(config);
    refuse(BASE "[eventlistener:l]\ncommand=x\n", "[eventlistener:l]: does not specify its events");
    refuse(BASE "[eventlistener:l]\ncommand=x\nevents=\n", "no event type");
    refuse(BASE "[eventlistener:l]\ncommand=x\nevents=A B\n", "unknown event type A B");
    refuse(BASE LISTENER "redirect_stderr=true\n", "must not redirect stderr");
    options.is_event = is_tick;
    refuse(BASE LISTENER, "events=EVENT: unknown event type EVENT");
    config_unref(load(BASE "[eventlistener:l]\ncommand=x\nevents=tick_5\n"));
    options.is_event = NULL;
}

/* --- the whole file ------------------------------------------------------------------------------------------------
 */

static void sections_that_must_be_there(void **state)
{
    (void)state;
    refuse("", "@/c.conf: .ini file does not include supervisord section");
    refuse(PROGRAM, ".ini file does not include supervisord section");
    options.for_ctl = true;
    refuse(BASE, ".ini file does not include supervisorctl section");
    options.for_ctl = false;
    assert_null(config_load("/nowhere/c.conf", &options, &err));
    assert_string_equal(err.text, "cannot read the configuration file /nowhere/c.conf: No such file or directory");
}

static void ctl_reads_its_own_sections_only(void **state)
{
    options.for_ctl = true;
    struct config *config = load("[supervisorctl]\nserverurl=unix:///tmp/s\nusername=\n[include]\nfiles=/nowhere/*\n"
                                 "[program:p]\nstartsecs=x\n[ctlplugin:c]\nsupervisor.ctl_factory=a:b\nk=%(here)s\n");

    (void)state;
    assert_string_equal(config->ctl.serverurl, "unix:///tmp/s");
    assert_string_equal(config->ctl.username, "");
    assert_null(config->ctl.password);
    assert_string_equal(config->ctl.prompt, "supervisor");
    assert_null(config->ctl.history_file);
    assert_int_equal(config->ctlplugin_count, 1);
    assert_string_equal(config->ctlplugins[0].name, "c");
    assert_string_equal(config->ctlplugins[0].factory, "a:b");
    assert_int_equal(config->ctlplugins[0].options.count, 1);
    assert_string_equal(config->ctlplugins[0].options.variables[0].value, directory);
    config_unref(config);
    refuse("[supervisorctl]\n[ctlplugin:c]\n", "[ctlplugin:c]: does not specify its supervisor.ctl_factory");
    options.for_ctl = false;
}

static void rpcinterfaces_keep_their_options(void **state)
{
    struct config *config = load(BASE "[rpcinterface:r]\nsupervisor.rpcinterface_factory=a:b\nRetries = 1\n");

    (void)state;
    assert_int_equal(config->rpcinterface_count, 1);
    assert_string_equal(config->rpcinterfaces[0].name, "r");
    assert_string_equal(config->rpcinterfaces[0].options.variables[0].name, "retries");
    assert_string_equal(config->rpcinterfaces[0].options.variables[0].value, "1");
    config_unref(config);
    refuse(BASE "[rpcinterface:r]\nk=v\n", "[rpcinterface:r]: does not specify its supervisor.rpcinterface_factory");
    refuse(BASE "[rpcinterface:r]\nsupervisor.rpcinterface_factory=a:b\nk=%(nope)s\n", "[rpcinterface:r] k=%(nope)s: ");
}

static void overrides_take_the_place_of_the_file(void **state)
{
    const struct config_override overrides[] = {{"supervisord", "identifier", "%(here)s", "-i"},
                                                {"supervisord", "loglevel", "debug", "-e"}};
    const struct config_override bad = {"supervisord", "loglevel", "loud", "-e"};

    (void)state;
    options.overrides = overrides;
    options.override_count = 2;
    struct config *config = load("[supervisord]\nloglevel=nonsense\nidentifier=x\n");
    assert_string_equal(config->daemon.identifier, "%(here)s");
    assert_int_equal(config->daemon.loglevel, LOG_LEVEL_DEBUG);
    config_unref(config);
    options.overrides = &bad;
    options.override_count = 1;
    refuse(BASE, "invalid value for -e 'loud': bad logging level name");
    options.overrides = NULL;
    options.override_count = 0;
}

static void includes_are_read(void **state)
{
    CLEANUP_FREE char *sub = path_of("conf.d");
    CLEANUP_FREE char *nested = path_of("conf.d/dir.conf");

    (void)state;
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(mkdir(nested, 0700), 0);
    write_file("conf.d/b.conf", "[program:x]\ncommand=%(here)s\n[include]\nfiles=../c.inc\n");
    write_file("conf.d/a.conf", "[program:x]\ncommand=a\nstartsecs=5\n");
    write_file("z.inc", "[program:z]\ncommand=z\n");
    struct config *config = load(BASE "[program:x]\ncommand=main\ndirectory=%(here)s\n"
                                      "[include]\nfiles = conf.d/[!c].conf conf.d/dir.conf\n  %(here)s/?.inc none*\n");
    const struct config_process *process = config->groups[0]->processes[0];
    assert_int_equal(config->group_count, 2);
    assert_string_equal(process->command, sub);
    assert_string_equal(process->directory, directory);
    assert_int_equal(process->startsecs, 5);
    assert_int_equal(config->included_file_count, 3);
    assert_true(text_ends_with(config->included_files[0], "/conf.d/a.conf"));
    assert_true(text_ends_with(config->included_files[1], "/conf.d/b.conf"));
    assert_true(text_ends_with(config->included_files[2], "/z.inc"));
    config_unref(config);
    refuse(BASE "[include]\n", "@/c.conf:2: [include]: .ini file has [include] section, but no files setting");
    write_file("bad.inc", "[program:x]\ncommand=x\nstartsecs=y\n");
    refuse(BASE "[include]\nfiles=bad.inc\n", "@/bad.inc:3: [program:x] startsecs=y: not an integer");
    write_file("bad.inc", "[program:x\ncommand\n");
    refuse(BASE "[include]\nfiles=bad.inc\n", "@/bad.inc:1: a line before the first section header");
}

static void unreadable_includes_are_errors(void **state)
{
    CLEANUP_FREE char *path = path_of("dangling.inc");

    (void)state;
    assert_int_equal(symlink("/nowhere/x", path), 0);
    refuse(BASE "[include]\nfiles=dangling.*\n", "cannot read the configuration file @/dangling.inc: No such file");
    assert_int_equal(unlink(path), 0);
}

static void default_section(void **state)
{
    struct config *config = load("[DEFAULT]\nstartsecs=7\n" BASE PROGRAM);

    (void)state;
    assert_int_equal(config->groups[0]->processes[0]->startsecs, 7);
    config_unref(config);
}

static void assert_remark(const char *text, const char *expected)
{
    options.want_remarks = true;
    struct config *config = load(text);
    options.want_remarks = false;
    CLEANUP_FREE char *whole = xasprintf("%s/%s", directory, expected);
    assert_int_equal(config->remark_count, 1);
    assert_string_equal(config->remarks[0].text, whole);
    config_unref(config);
}

static void remarks_name_what_is_ignored(void **state)
{
    (void)state;
    assert_remark(BASE PROGRAM "autosart=true\n",
                  "c.conf:4: [program:p] unknown key \"autosart\" (did you mean \"autostart\"?)");
    assert_remark(BASE PROGRAM "zzzzzzzz=true\n", "c.conf:4: [program:p] unknown key \"zzzzzzzz\"");
    assert_remark(BASE "[progam:x]\ncommand=x\n", "c.conf:2: unknown section [progam:x] (did you mean \"program:x\"?)");
    assert_remark(BASE "[program]\ncommand=x\n", "c.conf:2: unknown section [program] (did you mean \"program:x\"?)");
    assert_remark(BASE "[inet_http_sever]\n",
                  "c.conf:2: unknown section [inet_http_sever] (did you mean \"inet_http_server\"?)");
    assert_remark(BASE "[something else]\n", "c.conf:2: unknown section [something else]");
    assert_remark(BASE PROGRAM "redirect_stderr=true\nstderr_logfile=/tmp/x\n",
                  "c.conf:5: [program:p] stderr_logfile has no effect, as redirect_stderr is true");
    struct config *config = load(BASE PROGRAM "autosart=true\n");
    assert_int_equal(config->remark_count, 0);
    config_unref(config);
    options.want_remarks = true;
    config = load(BASE PROGRAM "[rpcinterface:r]\nsupervisor.rpcinterface_factory=a:b\nany=thing\n");
    assert_int_equal(config->remark_count, 0);
    config_unref(config);
    options.want_remarks = false;
}

static void nothing_outside_of_the_model_changes(void **state)
{
    char before[4096];
    char after[4096];

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    config_unref(
        load("[supervisord]\nenvironment=LOAD_TEST=\"1\"\ndirectory=/\numask=077\nlogfile=/tmp/load-test-log\n"));
    assert_null(getenv("LOAD_TEST"));
    assert_non_null(getcwd(after, sizeof after));
    assert_string_equal(before, after);
    assert_int_equal(access("/tmp/load-test-log", F_OK), -1);
}

static void models_are_counted(void **state)
{
    struct config *config = load(BASE PROGRAM);
    struct config_group *group = config_group_ref(config->groups[0]);

    (void)state;
    assert_ptr_equal(config_ref(config), config);
    config_unref(config);
    assert_string_equal(config->groups[0]->name, "p");
    config_unref(config);
    assert_string_equal(group->name, "p");
    config_group_unref(group);
    config_unref(NULL);
    config_group_unref(NULL);
}

static void a_link_to_the_file_is_where_the_file_is(void **state)
{
    const struct config_load_options plain = {0};
    CLEANUP_FREE char *links = path_of("links");
    CLEANUP_FREE char *link = path_of("links/x.conf");
    CLEANUP_FREE char *crooked = path_of("links/../links/./x.conf");

    (void)state;
    assert_int_equal(mkdir(links, 0700), 0);
    write_file("target.conf", BASE);
    assert_int_equal(symlink("../target.conf", link), 0);
    struct config *config = config_load(crooked, &plain, &err);
    assert_non_null(config);
    assert_string_equal(config->path, link);
    assert_string_equal(config->here, links);
    config_unref(config);
}

static void the_file_is_searched(void **state)
{
    CLEANUP_FREE char *bin = path_of("bin");
    CLEANUP_FREE char *etc = path_of("etc");
    CLEANUP_FREE char *executable = path_of("bin/supervisord");

    (void)state;
    assert_int_equal(mkdir(bin, 0700), 0);
    assert_int_equal(mkdir(etc, 0700), 0);
    assert_int_equal(chdir(etc), 0);
    write_file("supervisord.conf", BASE);
    CLEANUP_FREE char *beside = config_find_file(executable, &err);
    assert_true(text_ends_with(beside, "/bin/../supervisord.conf"));
    write_file("etc/supervisord.conf", BASE);
    assert_int_equal(chdir(bin), 0);
    CLEANUP_FREE char *in_etc = config_find_file(executable, &err);
    assert_true(text_ends_with(in_etc, "/bin/../etc/supervisord.conf"));
    if (access("/etc/supervisord.conf", F_OK) != 0 && access("/etc/supervisor/supervisord.conf", F_OK) != 0) {
        assert_null(config_find_file("/nowhere/at/all/supervisord", &err));
        assert_non_null(strstr(err.text, "-c"));
    }
    assert_int_equal(chdir(directory), 0);
    CLEANUP_FREE char *here = config_find_file("/nowhere/at/all/supervisord", &err);
    assert_true(text_ends_with(here, "/supervisord.conf"));
    assert_null(strstr(here, ".."));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL || setenv("HOME", directory, 1) < 0 || chdir(directory) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    CLEANUP_FREE char *command = xasprintf("rm -rf %s", directory);

    (void)state;
    return system(command); // NOLINT(cert-env33-c): the directory is our own
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_takes_and_refuses),
        cmocka_unit_test(each_option_has_a_case),
        cmocka_unit_test(defaults_of_the_daemon),
        cmocka_unit_test(defaults_of_a_program),
        cmocka_unit_test(defaults_of_servers),
        cmocka_unit_test(logs_have_destinations),
        cmocka_unit_test(stopasgroup_implies_killasgroup),
        cmocka_unit_test(several_processes_of_a_program),
        cmocka_unit_test(own_environment_is_known_to_the_process),
        cmocka_unit_test(groups_take_programs),
        cmocka_unit_test(groups_are_sorted),
        cmocka_unit_test(bad_programs_and_groups),
        cmocka_unit_test(names_are_trimmed_and_may_have_brackets),
        cmocka_unit_test(fcgi_sockets),
        cmocka_unit_test(listener_pools),
        cmocka_unit_test(sections_that_must_be_there),
        cmocka_unit_test(ctl_reads_its_own_sections_only),
        cmocka_unit_test(rpcinterfaces_keep_their_options),
        cmocka_unit_test(overrides_take_the_place_of_the_file),
        cmocka_unit_test(includes_are_read),
        cmocka_unit_test(unreadable_includes_are_errors),
        cmocka_unit_test(default_section),
        cmocka_unit_test(remarks_name_what_is_ignored),
        cmocka_unit_test(nothing_outside_of_the_model_changes),
        cmocka_unit_test(models_are_counted),
        cmocka_unit_test(a_link_to_the_file_is_where_the_file_is),
        cmocka_unit_test(the_file_is_searched),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
