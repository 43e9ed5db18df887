#include "config/options.h"

#include <string.h>

#include "config/option_types.h"

/*
 * A row: record, key, kind of value, field, default, help, and more fields of struct option by name. A field that is
 * not of the type of the kind does not compile.
 */
#define OPTION(record, key, kind, field, preset_, help_, ...)                         \
    {                                                                                 \
        .name = (key), .type = &option_type_##kind,                                   \
        .offset = _Generic(&((record *)0)->field, option_field_##kind *               \
                           : offsetof(record, field)),                                \
        .second = OPTION_NO_SECOND, .preset = (preset_), .help = (help_), __VA_ARGS__ \
    }

/* A row whose value fills two fields. */
#define OPTION_PAIR(record, key, kind, field, second_, preset_, help_, ...) \
    {                                                                       \
        .name = (key), .type = &option_type_##kind,                         \
        .offset = _Generic(&((record *)0)->field, option_field_##kind *     \
                           : offsetof(record, field)),                      \
        .second = _Generic(&((record *)0)->second_, option_second_##kind *  \
                           : offsetof(record, second_)),                    \
        .preset = (preset_), .help = (help_), __VA_ARGS__                   \
    }

#define PER_PROCESS .scope = OPTION_SCOPE_PROCESS
#define REQUIRED .is_required = true
#define NOTE(text) .preset_note = (text)

#define TABLE(name, rows) const struct option_table name = {rows, sizeof(rows) / sizeof((rows)[0])}

#define HELP_PLUGIN_PATH \
    "Where plugins are looked for by name, before the directory where this program's own are installed."
#define DAEMON(key, kind, field, ...) OPTION(struct config_daemon, key, kind, field, __VA_ARGS__)

static const struct option daemon_rows[] = {
    DAEMON("logfile", activity_log, logfile, "supervisord.log",
           "The activity log: a file, `syslog`, or `NONE`. A relative path starts at the current directory."),
    DAEMON("logfile_maxbytes", size, logfile_maxbytes, "50MB",
           "The activity log is rotated when it reaches this size; 0: never."),
    DAEMON("logfile_backups", natural, logfile_backups, "10",
           "How many rotated activity logs are kept. With 0 the log is emptied instead."),
    DAEMON("loglevel", log_level, loglevel, "info",
           "The least urgent messages to log: `critical`, `error`, `warn`, `info`, `debug` (with the output of all "
           "processes), `trace` or `blather`."),
    DAEMON("pidfile", file, pidfile, "supervisord.pid", "Where the daemon writes its process id."),
    DAEMON("umask", mode, umask, "022", "The umask of the daemon. It takes effect when the daemon detaches."),
    DAEMON("nodaemon", boolean, nodaemon, "false", "Stay in the foreground instead of detaching."),
    DAEMON("silent", boolean, silent, "false", "Do not echo the activity log to stdout in the foreground."),
    DAEMON("minfds", limit, minfds, "1024",
           "How many file descriptors must be available. The limit is raised if it is lower; the start fails if it "
           "cannot be."),
    DAEMON("minprocs", limit, minprocs, "200", "How many processes the user must be allowed, in the same way."),
    DAEMON("nocleanup", boolean, nocleanup, "false", "Keep the AUTO logs that an earlier daemon left behind."),
    DAEMON("childlogdir", existing_directory, childlogdir, NULL, "The directory of the AUTO logs of processes.",
           NOTE("the system's directory for temporary files")),
    DAEMON("user", account, user, NULL, "The account to switch to when started as root.", NOTE("no switch")),
    DAEMON("directory", existing_directory, directory, NULL, "The directory to change to when the daemon detaches.",
           NOTE("no change")),
    DAEMON("strip_ansi", boolean, strip_ansi, "false", "Remove ANSI escape sequences from the logs of processes."),
    DAEMON("plugin_path", directories, plugin_path, NULL, HELP_PLUGIN_PATH, NOTE("only there")),
    DAEMON("identifier", text, identifier, "supervisor", "The name of this daemon for clients."),
    DAEMON("environment", environment, environment, NULL,
           "Variables for the daemon's environment, and so for all processes. Other sections can use them as "
           "`%(ENV_x)s`.",
           NOTE("none")),
};
TABLE(options_daemon, daemon_rows);

#define CTL(key, kind, field, ...) OPTION(struct config_ctl, key, kind, field, __VA_ARGS__)

static const struct option ctl_rows[] = {
    CTL("serverurl", client_url, serverurl, "http://localhost:9001",
        "Where the daemon listens: `http://host:port`, `https://host:port` or `unix:///path`."),
    CTL("username", text, username, NULL, "The user name to authenticate with.", NOTE("none")),
    CTL("password", text, password, NULL, "The password, in clear.", NOTE("none")),
    CTL("prompt", text, prompt, "supervisor", "The prompt of the shell."),
    CTL("plugin_path", directories, plugin_path, NULL, HELP_PLUGIN_PATH, NOTE("only there")),
    CTL("history_file", optional_path, history_file, NULL,
        "Where the shell keeps its history from one session to the next.", NOTE("no history is kept")),
    CTL("tls_ca", path, tls_ca, NULL,
        "The certificates (PEM) by which a server of `https://` is known. A server whose certificate was made by "
        "itself is known by that one.",
        NOTE("those that the system trusts")),
    CTL("tls_certificate", path, tls_certificate, NULL, "A certificate (PEM) of one's own, for servers that want one.",
        NOTE("none")),
    CTL("tls_key", path, tls_key, NULL, "The key of `tls_certificate` (PEM).", NOTE("in the same file")),
};
TABLE(options_ctl, ctl_rows);

#define SERVER(key, kind, field, ...) OPTION(struct config_server, key, kind, field, __VA_ARGS__)
#define HELP_USERNAME "The user name that clients must give. It comes together with `password`."
#define HELP_PASSWORD                                                                                              \
    "The password that clients must give: in clear, as `{SHA}` and the SHA-1 sum in hexadecimal, or as a hash of " \
    "crypt(3) such as `mkpasswd` makes (`$y$...`, `$6$...`)."
#define HELP_READONLY_USERNAME "A second account, for clients that may look and not touch. It needs `username` as well."
#define HELP_READONLY_PASSWORD "Its password, in the forms of `password`."
#define NO_AUTHENTICATION NOTE("no authentication")
#define NO_ACCOUNT NOTE("no such account")
/* What servers of both kinds have. */
#define SERVER_ACCOUNTS                                                                                 \
    SERVER("username", text, username, NULL, HELP_USERNAME, NO_AUTHENTICATION),                         \
        SERVER("password", text, password, NULL, HELP_PASSWORD, NO_AUTHENTICATION),                     \
        SERVER("readonly_username", text, readonly_username, NULL, HELP_READONLY_USERNAME, NO_ACCOUNT), \
        SERVER("readonly_password", text, readonly_password, NULL, HELP_READONLY_PASSWORD, NO_ACCOUNT)
#define SERVER_LIMITS                                                                                                \
    SERVER("max_connections", positive, max_connections, "1000",                                                     \
           "How many clients may be connected at a time; others wait. One in four of the descriptors that `minfds` " \
           "speaks of is the most that clients get."),                                                               \
        SERVER("max_header_bytes", size, max_header_bytes, "32KB",                                                   \
               "The most that the headers of a request may have."),                                                  \
        SERVER("max_body_bytes", size, max_body_bytes, "8MB", "The most that the body of a request may have."),      \
        SERVER("request_timeout", positive, request_timeout, "10",                                                   \
               "Within how many seconds a client must have sent the headers of its first request, and the right "    \
               "password if there is one."),                                                                         \
        SERVER("idle_timeout", natural, idle_timeout, "120",                                                         \
               "After how many seconds without progress a connection is closed; 0: never. Log streams and calls "    \
               "that wait may be quiet for as long as they like.")

static const struct option unix_server_rows[] = {
    SERVER("file", path, path, NULL, "The path of the socket.", REQUIRED),
    SERVER("chmod", mode, chmod, "0700", "The permissions of the socket."),
    OPTION_PAIR(struct config_server, "chown", owner, uid, gid, NULL, "The owner of the socket, and its group.",
                NOTE("who starts the daemon")),
    SERVER_ACCOUNTS,
    SERVER_LIMITS,
};
TABLE(options_unix_server, unix_server_rows);

static const struct option inet_server_rows[] = {
    OPTION_PAIR(struct config_server, "port", address, host, port, NULL,
                "The address to listen on. Without a host, or with `*`, all interfaces.", REQUIRED),
    SERVER_ACCOUNTS,
    SERVER_LIMITS,
    SERVER("tls_certificate", path, tls_certificate, NULL,
           "The server's certificate (PEM), with those between it and the one that clients trust behind it. With it "
           "the server speaks HTTPS (TLS 1.2 and later) and nothing else.",
           NOTE("no TLS")),
    SERVER("tls_key", path, tls_key, NULL, "The key of `tls_certificate` (PEM). The file is read as `user`.",
           NOTE("none")),
    SERVER("tls_client_ca", path, tls_client_ca, NULL,
           "Certificates (PEM). Clients need a certificate that one of them vouches for, besides the password if there "
           "is one.",
           NOTE("clients need none")),
    SERVER("max_connections_per_address", positive, max_connections_per_address, NULL,
           "How many of them may come from one address: a client that takes all it can get leaves some to others.",
           NOTE("half of all")),
};
TABLE(options_inet_server, inet_server_rows);

#define PROCESS(key, kind, field, ...) OPTION(struct config_process, key, kind, field, __VA_ARGS__)

/* The *_syslog options come before *_logfile, whose value "syslog" means the same. */
#define PROCESS_LOG(stream, index)                                                                                   \
    PROCESS(stream "_syslog", boolean, logs[index].syslog, "false",                                                  \
            "Send " stream " to syslog too, each line behind the name of the process."),                             \
        PROCESS(stream "_logfile", log, logs[index], "AUTO",                                                         \
                "The log of " stream ": a file, `AUTO` (a file in `childlogdir` that lives as long as the daemon), " \
                "`NONE`, or `syslog`.",                                                                              \
                PER_PROCESS),                                                                                        \
        PROCESS(stream "_logfile_maxbytes", size, logs[index].maxbytes, "50MB",                                      \
                "The log is rotated when it reaches this size; 0: never.", PER_PROCESS),                             \
        PROCESS(stream "_logfile_backups", natural, logs[index].backups, "10",                                       \
                "How many rotated logs are kept. With 0 the log is emptied instead.", PER_PROCESS),                  \
        PROCESS(stream "_capture_maxbytes", size, logs[index].capture_maxbytes, "0",                                 \
                "Most bytes of one PROCESS_COMMUNICATION event; 0: no capture mode.", PER_PROCESS),                  \
        PROCESS(stream "_events_enabled", boolean, logs[index].events_enabled, "false",                              \
                "Publish what the process writes to " stream " as PROCESS_LOG events."),                             \
        PROCESS(stream "_prefix", text, logs[index].prefix, NULL,                                                    \
                "A text to put before every line of the log, with a blank between, such as `%(program_name)s |`: "   \
                "what several processes write to `/dev/stdout` can then be told apart. An unfinished last line is "  \
                "ended. Neither syslog nor events get it.",                                                          \
                PER_PROCESS, NOTE("none"))

/* `environment` comes first, as the other options of a process may use what it sets. */
static const struct option process_rows[] = {
    PROCESS("environment", environment, environment, NULL,
            "Variables for the process's environment. Other options of the section can use them as `%(ENV_x)s`.",
            PER_PROCESS, NOTE("none")),
    PROCESS("command", text, command, NULL,
            "The program and its arguments. Quotes keep words together; no shell is involved. A path without a slash "
            "is searched in PATH.",
            REQUIRED, PER_PROCESS),
    PROCESS("process_name", name, name, "%(program_name)s",
            "The name of each process. With `numprocs` above 1 it must use `%(process_num)`.", PER_PROCESS),
    PROCESS("priority", integer, priority, "999",
            "Lower numbers start first and stop last. A program outside of a group gives it to its group too.",
            NOTE("999, and -1 for an event listener pool")),
    PROCESS("autostart", boolean, autostart, "true", "Start when the daemon starts."),
    PROCESS("autorestart", autorestart, autorestart, "unexpected",
            "Start again after an exit: always, never, or when the exit status is not among `exitcodes`."),
    PROCESS("startsecs", integer, startsecs, "1", "How many seconds a process must live to count as started."),
    PROCESS("startretries", integer, startretries, "3", "How many more attempts follow a start that failed."),
    OPTION_PAIR(struct config_process, "exitcodes", exitcodes, exitcodes, exitcode_count, "0",
                "The exit statuses that are expected."),
    PROCESS("stopsignal", signal, stopsignal, "TERM", "The signal that asks the process to stop."),
    PROCESS("stopwaitsecs", integer, stopwaitsecs, "10", "How many seconds to wait before SIGKILL."),
    PROCESS("stopasgroup", boolean, stopasgroup, "false",
            "Send the stop signal to the whole process group. Implies `killasgroup`."),
    PROCESS("killasgroup", boolean, killasgroup, NULL, "Send SIGKILL to the whole process group.",
            NOTE("the value of `stopasgroup`")),
    PROCESS("killonparentdeath", boolean, killonparentdeath, "false",
            "Let the kernel send SIGKILL to the process when the daemon dies without having stopped it. (Linux; what "
            "the process has started itself is not included.)"),
    PROCESS("user", account, user, NULL, "The account that runs the process. Needs a daemon that runs as root.",
            NOTE("the daemon's")),
    PROCESS("redirect_stderr", boolean, redirect_stderr, "false", "Let stderr go where stdout goes."),
    PROCESS_LOG("stdout", CONFIG_STDOUT),
    PROCESS_LOG("stderr", CONFIG_STDERR),
    PROCESS("directory", text, directory, NULL, "The directory to change to before the program is run.", PER_PROCESS,
            NOTE("the daemon's")),
    PROCESS("umask", mode, umask, NULL, "The umask of the process.", NOTE("the daemon's")),
    PROCESS("serverurl", server_url, server_url, "AUTO",
            "What SUPERVISOR_SERVER_URL says. `AUTO`: the daemon's UNIX socket or, without one, its TCP address."),
};
TABLE(options_process, process_rows);

static const struct option counts_rows[] = {
    OPTION(struct option_counts, "numprocs", numprocs, numprocs, "1", "How many processes to make of the section."),
    OPTION(struct option_counts, "numprocs_start", integer, numprocs_start, "0", "The `%(process_num)` of the first."),
};
TABLE(options_counts, counts_rows);

#define FCGI(key, kind, field, ...) OPTION(struct config_fcgi_socket, key, kind, field, __VA_ARGS__)

static const struct option fcgi_rows[] = {
    FCGI("socket", socket_url, url, NULL, "The socket that all processes of the section find as descriptor 0.",
         REQUIRED),
    OPTION_PAIR(struct config_fcgi_socket, "socket_owner", account_owner, owner, owner_gid, NULL,
                "The owner of a UNIX socket, and its group.", NOTE("the `user` of the section")),
    FCGI("socket_mode", mode, mode, NULL, "The permissions of a UNIX socket.", NOTE("0700")),
    FCGI("socket_backlog", positive, backlog, NULL, "How many connections may wait to be accepted.",
         NOTE("the system's maximum")),
};
TABLE(options_fcgi, fcgi_rows);

static const struct option listener_rows[] = {
    OPTION_PAIR(struct config_group, "events", events, listener.events, listener.event_count, NULL,
                "The event types to be told of.", REQUIRED),
    OPTION(struct config_group, "buffer_size", positive, listener.buffer_size, "10",
           "How many events wait for a listener that is ready before the oldest is dropped."),
    OPTION(struct config_group, "result_handler", factory, listener.result_handler,
           "supervisor.dispatchers:default_handler", "What judges the results of the listeners."),
    OPTION(struct config_group, "len_in_characters", boolean, listener.len_in_characters, "false",
           "Let `len` in the header of an event count the characters of its payload (UTF-8) instead of the bytes: for "
           "listeners that read text, as Python's do."),
};
TABLE(options_listener, listener_rows);

static const struct option group_rows[] = {
    OPTION_PAIR(struct option_group, "programs", list, programs, program_count, NULL,
                "The programs whose processes form the group.", NOTE("an empty group")),
    OPTION(struct option_group, "priority", integer, priority, "999", "Lower numbers start first and stop last."),
};
TABLE(options_group, group_rows);

static const struct option include_rows[] = {
    OPTION(struct option_include, "files", text, files, NULL,
           "Files to read too: patterns with `*`, `?` and `[]`, with white space between them, relative to the file "
           "with this section. Each pattern's files are read in the order of their names. An `[include]` in an "
           "included file is ignored, and supervisorctl reads no included files.",
           REQUIRED),
};
TABLE(options_include, include_rows);

static const struct option rpcinterface_rows[] = {
    OPTION(struct config_plugin, "supervisor.rpcinterface_factory", factory, factory, NULL,
           "What makes the XML-RPC namespace x.", REQUIRED),
};
TABLE(options_rpcinterface, rpcinterface_rows);

static const struct option ctlplugin_rows[] = {
    OPTION(struct config_plugin, "supervisor.ctl_factory", factory, factory, NULL, "What makes the actions.", REQUIRED),
};
TABLE(options_ctlplugin, ctlplugin_rows);

const struct option_section option_sections[] = {
    {.name = "supervisord", .tables = {&options_daemon}, .help = "The daemon itself. This section must be there."},
    {.name = "unix_http_server",
     .header = OPTION_HEADER_EITHER,
     .tables = {&options_unix_server},
     .help = "A UNIX socket for clients. Without the section there is none."},
    {.name = "inet_http_server",
     .header = OPTION_HEADER_EITHER,
     .tables = {&options_inet_server},
     .help = "A TCP socket for clients. Without the section there is none."},
    {.name = "supervisorctl", .tables = {&options_ctl}, .help = "How supervisorctl reaches the daemon."},
    {.name = "program",
     .header = OPTION_HEADER_COMPOSITE,
     .tables = {&options_process, &options_counts},
     .help = "A program to run, as one process or several."},
    {.name = "group",
     .header = OPTION_HEADER_COMPOSITE,
     .tables = {&options_group},
     .help = "Programs that are controlled together. They have no groups of their own then."},
    {.name = "fcgi-program",
     .header = OPTION_HEADER_COMPOSITE,
     .tables = {&options_process, &options_counts, &options_fcgi},
     .help = "A program whose processes share a listening socket. It takes all options of a program too."},
    {.name = "eventlistener",
     .header = OPTION_HEADER_COMPOSITE,
     .tables = {&options_process, &options_counts, &options_listener},
     .help = "A pool of processes that are told of events. It takes all options of a program too, but "
             "`redirect_stderr` must be false, since the protocol runs over stdout."},
    {.name = "include", .tables = {&options_include}, .help = "More files to read."},
    {.name = "rpcinterface",
     .header = OPTION_HEADER_COMPOSITE,
     .takes_any_key = true,
     .tables = {&options_rpcinterface},
     .help = "A namespace of XML-RPC methods. All other keys are handed to what makes it."},
    {.name = "ctlplugin",
     .header = OPTION_HEADER_COMPOSITE,
     .takes_any_key = true,
     .tables = {&options_ctlplugin},
     .help = "More actions for supervisorctl. All other keys are handed to what makes them."},
};
const size_t option_section_count = sizeof option_sections / sizeof option_sections[0];

static bool is_header_of(const struct option_section *section, const char *header)
{
    const size_t length = strlen(section->name);

    if (strncmp(header, section->name, length) != 0)
        return false;
    return (header[length] == ':' && section->header != OPTION_HEADER_PLAIN) ||
           (header[length] == '\0' && section->header != OPTION_HEADER_COMPOSITE);
}

const struct option_section *option_find_section(const char *header)
{
    for (size_t i = 0; i < option_section_count; i++)
        if (is_header_of(&option_sections[i], header))
            return &option_sections[i];
    return NULL;
}

static const struct option *find_in_table(const struct option_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->options[i].name, key) == 0)
            return &table->options[i];
    return NULL;
}

const struct option *option_find(const struct option_section *section, const char *key)
{
    const struct option *option = NULL;

    for (size_t i = 0; i < OPTION_SECTION_TABLES_MAX && section->tables[i] != NULL && option == NULL; i++)
        option = find_in_table(section->tables[i], key);
    return option;
}

bool option_is_shared(const struct option_section *section, const struct option *option)
{
    const struct option_section *program = option_find_section("program:");

    return section != program && option_find(program, option->name) == option;
}

void option_visit_all(void (*visit)(const struct option_section *section, const struct option *option, void *context),
                      void *context)
{
    for (size_t i = 0; i < option_section_count; i++)
        for (size_t k = 0; k < OPTION_SECTION_TABLES_MAX && option_sections[i].tables[k] != NULL; k++)
            for (size_t m = 0; m < option_sections[i].tables[k]->count; m++)
                visit(&option_sections[i], &option_sections[i].tables[k]->options[m], context);
}

static void *field_of(const struct option *option, void *record)
{
    return (char *)record + option->offset;
}

static void *second_of(const struct option *option, void *record)
{
    return option->second == OPTION_NO_SECOND ? NULL : (char *)record + option->second;
}

int option_parse(const struct option *option, void *record, const char *text, struct option_context *context,
                 struct error *err)
{
    return option->type->parse(text, field_of(option, record), second_of(option, record), context, err);
}

void options_unset(const struct option_table *table, void *record)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->options[i].type->unset != NULL)
            table->options[i].type->unset(field_of(&table->options[i], record), second_of(&table->options[i], record));
}

static const void *constant_second_of(const struct option *option, const void *record)
{
    return option->second == OPTION_NO_SECOND ? NULL : (const char *)record + option->second;
}

bool options_equal(const struct option_table *table, const void *a, const void *b)
{
    for (const struct option *option = table->options; option < table->options + table->count; option++)
        if (!option->type->equal((const char *)a + option->offset, constant_second_of(option, a),
                                 (const char *)b + option->offset, constant_second_of(option, b)))
            return false;
    return true;
}

void options_release(const struct option_table *table, void *record)
{
    for (const struct option *option = table->options; option < table->options + table->count; option++)
        if (option->type->release != NULL)
            option->type->release(field_of(option, record), second_of(option, record));
}

static void take_default(const struct option *option, struct handover *handover, void *record)
{
    struct option_context context = {.account_text = NULL};
    struct error err;

    if (option->preset != NULL && option_parse(option, record, option->preset, &context, &err) < 0)
        handover_refuse(handover, &err);
    option_context_release(&context);
}

void options_hand_over(const struct option_table *table, struct handover *handover, void *record)
{
    const bool is_taking = handover_is_taking(handover);

    if (is_taking)
        options_unset(table, record);
    for (const struct option *option = table->options; option < table->options + table->count; option++) {
        if (is_taking && !handover_has(handover, option->name))
            take_default(option, handover, record);
        else
            option->type->hand_over(handover, option->name, field_of(option, record), second_of(option, record));
    }
}
