/*
 * What a configuration file says, as plain structs: typed, expanded and checked. Made by config_load()
 * (config/load.h), compared by config/diff.h, read by everybody, changed by nobody.
 *
 * Strings are owned by the struct that holds them. "NULL when unset" is said where it can be.
 */
#ifndef CONFIG_MODEL_H
#define CONFIG_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* KEY="value" pairs in the order of the file, each name once. */
struct config_environment {
    struct config_variable {
        char *name;
        char *value;
    } * variables;
    size_t count;
};

/* A UNIX account named by a `user=` option: switch with setgroups, setgid, setuid. */
struct config_account {
    bool is_set;
    char *name; /* as in /etc/passwd */
    uid_t uid;
    gid_t gid;
};

/* Where one of a process's two output streams goes. The two destinations do not exclude each other. */
struct config_log {
    char *file;               /* as configured, ~ resolved; may be relative; NULL for NONE, syslog and AUTO */
    bool is_automatic;        /* AUTO: the daemon chooses the name below childlogdir */
    bool syslog;              /* logfile=syslog, or the *_syslog option */
    int64_t maxbytes;         /* rotate at this size; 0: never */
    int backups;              /* how many rotated files to keep */
    int64_t capture_maxbytes; /* 0: no capture mode */
    bool events_enabled;
    char *prefix; /* before every line of the log; NULL: none */
};

enum config_stream { CONFIG_STDOUT, CONFIG_STDERR, CONFIG_STREAM_COUNT };

const char *config_stream_name(enum config_stream stream); /* "stdout", "stderr" */

enum config_autorestart { AUTORESTART_NEVER, AUTORESTART_UNEXPECTED, AUTORESTART_ALWAYS };

/*
 * One process: an instance of a [program:x], [fcgi-program:x] or [eventlistener:x] section, expansions done. Counted by
 * references, since a running process goes on with its configuration after its group got another.
 */
struct config_process {
    unsigned references;
    char *name;      /* process_name, expanded: unique in its group */
    char *program;   /* the x of the section */
    bool is_dynamic; /* made at run time: no file has it, and reading one again does not concern it */
    char *command;   /* the line as configured; split into words with config_split_command() */
    int priority;
    bool autostart;
    enum config_autorestart autorestart;
    int startsecs;
    int startretries;
    int stopsignal;
    int stopwaitsecs;
    bool stopasgroup;
    bool killasgroup;
    bool killonparentdeath; /* SIGKILL when supervisord dies without having stopped it */
    int *exitcodes;         /* the expected ones */
    size_t exitcode_count;
    struct config_account user;
    bool redirect_stderr;
    struct config_log logs[CONFIG_STREAM_COUNT];
    struct config_environment environment; /* with that of [supervisord], as it may name what names the process */
    char *directory;                       /* NULL: stay where supervisord is */
    int umask;                             /* -1: supervisord's */
    char *server_url;                      /* for SUPERVISOR_SERVER_URL; NULL: AUTO */
};

enum config_group_kind {
    CONFIG_GROUP_PROGRAM, /* of one [program:x] */
    CONFIG_GROUP_MIXED,   /* of a [group:x] */
    CONFIG_GROUP_FCGI,
    CONFIG_GROUP_LISTENER,
};

/* The shared socket of a [fcgi-program:x]. */
struct config_fcgi_socket {
    char *url;  /* tcp://host:port or unix:///path, as configured after expansion */
    char *path; /* UNIX: absolute path; else NULL */
    char *host; /* TCP: as given; else NULL */
    int port;
    struct config_account owner;
    gid_t owner_gid; /* of "user:group"; (gid_t)-1 when not given */
    int mode;        /* -1: default */
    int backlog;     /* -1: the system's */
};

/*
 * A process group. Counted by references, since a running group goes on with its configuration after the daemon
 * has read a newer one.
 */
struct config_group {
    unsigned references;
    enum config_group_kind kind;
    char *name;
    int priority;
    bool is_dynamic;                   /* as for processes */
    struct config_process **processes; /* one reference each; in the order in which the file lists them */
    size_t process_count;
    struct config_fcgi_socket *socket; /* CONFIG_GROUP_FCGI, else NULL */
    struct {                           /* CONFIG_GROUP_LISTENER, else zero */
        int buffer_size;
        char **events; /* type names, in capitals; config/load.h says who knows which there are */
        size_t event_count;
        char *result_handler;
        bool len_in_characters; /* what `len` in the header of an event counts; else bytes */
    } listener;
};

/* [unix_http_server] or [inet_http_server]. */
struct config_server {
    enum config_server_kind { CONFIG_SERVER_UNIX, CONFIG_SERVER_INET } kind;
    char *path;              /* UNIX: where the socket is made */
    int chmod;               /* UNIX: mode, default 0700 */
    uid_t uid;               /* UNIX: chown; (uid_t)-1: leave */
    gid_t gid;               /* UNIX: chown; (gid_t)-1: leave */
    char *host;              /* INET: as configured; empty for all interfaces */
    int port;                /* INET */
    char *username;          /* NULL: no authentication */
    char *password;          /* clear, {SHA} and 40 hexadecimal digits, or a hash of crypt(3); NULL when unset */
    char *readonly_username; /* the account that may look and not touch; NULL: there is none */
    char *readonly_password;
    char *tls_certificate;           /* INET: PEM; NULL: no TLS */
    char *tls_key;                   /* INET: not NULL when tls_certificate is not */
    char *tls_client_ca;             /* INET: clients need a certificate of these; NULL: they need none */
    int max_connections;             /* at a time */
    int max_connections_per_address; /* INET: -1: half of max_connections */
    int64_t max_header_bytes;        /* request line and headers */
    int64_t max_body_bytes;
    int request_timeout; /* seconds from the connection to an authenticated request's headers */
    int idle_timeout;    /* seconds without progress; 0: for ever */
};

/* [rpcinterface:x] and [ctlplugin:x]: a factory and everything else in the section, handed on as it stands. */
struct config_plugin {
    char *name; /* the x */
    char *factory;
    struct config_environment options; /* names and expanded values */
};

/* [supervisord] */
struct config_daemon {
    char *logfile; /* absolute; "syslog", "/dev/stdout"... as they stand; NULL for NONE */
    int64_t logfile_maxbytes;
    int logfile_backups;
    enum log_level loglevel;
    char *pidfile; /* absolute */
    int umask;
    bool nodaemon;
    bool silent;
    int64_t minfds;
    int64_t minprocs;
    bool nocleanup;
    char *childlogdir; /* absolute */
    struct config_account user;
    char *directory; /* NULL: stay */
    bool strip_ansi;
    struct config_environment environment;
    char *plugin_path; /* directories with colons between them; NULL: none but our own */
    char *identifier;
};

/* [supervisorctl] */
struct config_ctl {
    char *serverurl; /* http://host:port, https://host:port or unix:///path */
    char *username;  /* NULL: none */
    char *password;  /* NULL: none */
    char *prompt;
    char *plugin_path;     /* as that of [supervisord] */
    char *history_file;    /* NULL: none */
    char *tls_ca;          /* PEM: whose servers are trusted; NULL: those that the system trusts */
    char *tls_certificate; /* PEM: our own, for servers that want one; NULL: none */
    char *tls_key;         /* PEM: its key; NULL: it is in the same file */
};

/* A remark of --check: something that the original would silently ignore. */
struct config_remark {
    char *text; /* "file:line: ..." in one line */
};

struct config {
    unsigned references; /* see config_ref(); 1 when it comes from config_load() */
    char *path;          /* the file that was read, absolute */
    char *here;          /* its directory */
    struct config_daemon daemon;
    struct config_ctl ctl;
    struct config_server *servers;
    size_t server_count;
    struct config_group **groups; /* one reference each; by priority, then by name */
    size_t group_count;
    struct config_plugin *rpcinterfaces;
    size_t rpcinterface_count;
    struct config_plugin *ctlplugins;
    size_t ctlplugin_count;
    char **included_files; /* as read, in order; the daemon logs them */
    size_t included_file_count;
    char **warnings; /* what the daemon logs when it starts, in order */
    size_t warning_count;
    struct config_remark *remarks;
    size_t remark_count;
};

/* Counted by references, since servers go on with the model they were opened from after a newer one was read. */
struct config *config_ref(struct config *config);
void config_unref(struct config *config); /* drops a reference; frees with the last; NULL is fine */

struct config_group *config_group_ref(struct config_group *group);
void config_group_unref(struct config_group *group); /* NULL is fine; frees with the last reference */

struct config_process *config_process_new(void); /* all zero, with one reference, the caller's */
void config_process_unref(struct config_process *process);

/*
 * A group like another, of a kind without a socket or listeners, with other processes: those of `kept` that
 * `stays` says of, and then those of `more`. With one reference, the caller's.
 */
struct config_group *config_group_combine(const struct config_group *kept,
                                          bool (*stays)(const void *context, const struct config_process *process),
                                          const void *context, const struct config_group *more);

/* The group of that name, or NULL. */
struct config_group *config_find_group(const struct config *config, const char *name);

#endif
