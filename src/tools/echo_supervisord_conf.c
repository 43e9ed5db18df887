/*
 * Prints a configuration file to begin with (manual 1.2): every option with what it means, made from the table of
 * options. What a first daemon needs is there to be used, all else is a comment with an example.
 */
#include <stdio.h>
#include <string.h>

#include "config/options.h"

enum { WIDTH = 100 };

/* What is written instead of the default, or because there is none. */
static const struct sample {
    const char *section; /* NULL: of any */
    const char *key;
    const char *value;
    enum { COMMENTED, IN_USE } use;
} samples[] = {
    {"unix_http_server", "file", "/tmp/supervisor.sock", IN_USE},
    {"unix_http_server", "chown", "nobody:nogroup", COMMENTED},
    {"inet_http_server", "port", "127.0.0.1:9001", COMMENTED},
    {"inet_http_server", "max_connections_per_address", "500", COMMENTED},
    {"inet_http_server", "tls_certificate", "/etc/ssl/certs/supervisor.pem", COMMENTED},
    {"inet_http_server", "tls_key", "/etc/ssl/private/supervisor.pem", COMMENTED},
    {"inet_http_server", "tls_client_ca", "/etc/ssl/certs/clients.pem", COMMENTED},
    {"supervisord", "logfile", "/tmp/supervisord.log", IN_USE},
    {"supervisord", "pidfile", "/tmp/supervisord.pid", IN_USE},
    {"supervisord", "logfile_maxbytes", NULL, IN_USE},
    {"supervisord", "logfile_backups", NULL, IN_USE},
    {"supervisord", "loglevel", NULL, IN_USE},
    {"supervisord", "nodaemon", NULL, IN_USE},
    {"supervisord", "silent", NULL, IN_USE},
    {"supervisord", "minfds", NULL, IN_USE},
    {"supervisord", "minprocs", NULL, IN_USE},
    {"supervisord", "childlogdir", "/tmp", COMMENTED},
    {"supervisord", "directory", "/tmp", COMMENTED},
    {"supervisorctl", "serverurl", "unix:///tmp/supervisor.sock", IN_USE},
    {"supervisorctl", "history_file", "~/.supervisorctl_history", COMMENTED},
    {"supervisorctl", "tls_ca", "/etc/ssl/certs/supervisor.pem", COMMENTED},
    {"supervisorctl", "tls_certificate", "/etc/ssl/certs/client.pem", COMMENTED},
    {"supervisorctl", "tls_key", "/etc/ssl/private/client.pem", COMMENTED},
    {"program", "command", "/bin/cat", COMMENTED},
    {"program", "directory", "/tmp", COMMENTED},
    {"program", "killasgroup", "false", COMMENTED},
    {"program", "stdout_prefix", "%(program_name)s:", COMMENTED},
    {"program", "stderr_prefix", "%(program_name)s!", COMMENTED},
    {"group", "programs", "example", COMMENTED},
    {"fcgi-program", "command", "/usr/bin/php-cgi", COMMENTED},
    {"fcgi-program", "socket", "unix:///tmp/%(program_name)s.sock", COMMENTED},
    {"fcgi-program", "socket_owner", "nobody:nogroup", COMMENTED},
    {"fcgi-program", "socket_mode", "0700", COMMENTED},
    {"fcgi-program", "socket_backlog", "128", COMMENTED},
    {"eventlistener", "command", "/usr/local/bin/listener", COMMENTED},
    {"eventlistener", "events", "PROCESS_STATE,TICK_60", COMMENTED},
    {"include", "files", "conf.d/*.conf", COMMENTED},
    {"rpcinterface", "supervisor.rpcinterface_factory", "supervisor.rpcinterface:make_main_rpcinterface", IN_USE},
    {"ctlplugin", "supervisor.ctl_factory", "example", COMMENTED},
    {NULL, "environment", "KEY=\"value\",OTHER=\"100%%\"", COMMENTED},
    {NULL, "plugin_path", "/usr/local/lib/supervisor", COMMENTED},
    {NULL, "user", "nobody", COMMENTED},
    {NULL, "username", "admin", COMMENTED},
    {NULL, "password", "secret", COMMENTED},
    {NULL, "readonly_username", "guest", COMMENTED},
    {NULL, "readonly_password", "guest", COMMENTED},
    {NULL, "umask", "022", COMMENTED},
};

/* What is in use is not commented out; a section with nothing in use is a comment itself. */
static const struct {
    const char *section;
    const char *header;
} headers[] = {
    {"unix_http_server", "[unix_http_server]"},
    {"supervisord", "[supervisord]"},
    {"supervisorctl", "[supervisorctl]"},
    {"rpcinterface", "[rpcinterface:supervisor]"},
    {"inet_http_server", ";[inet_http_server]"},
    {"program", ";[program:example]"},
    {"group", ";[group:examples]"},
    {"fcgi-program", ";[fcgi-program:fcgi]"},
    {"eventlistener", ";[eventlistener:listener]"},
    {"include", ";[include]"},
    {"ctlplugin", ";[ctlplugin:example]"},
};

static const char introduction[] =
    "; An example of a configuration for supervisord and supervisorctl. Every option is here with what it means and\n"
    "; its default or an example; take away the semicolon to use one. The paths in /tmp are for trying things out:\n"
    "; choose places that nobody else can write to.\n"
    ";\n"
    "; A semicolon after white space begins a comment, inside quotes too. Values may use %(here)s (the directory of\n"
    "; this file), %(host_node_name)s and %(ENV_X)s (the environment variable X); a percent sign is written %%.\n"
    "; `supervisord --check -c FILE` says what is wrong with a file. See also supervisord.conf(5).\n";

static const struct sample *find_sample(const struct option_section *section, const struct option *option)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        if ((samples[i].section == NULL || strcmp(samples[i].section, section->name) == 0) &&
            strcmp(samples[i].key, option->name) == 0)
            return &samples[i];
    return NULL;
}

/* A comment in lines of limited width, without the marks that the reference is written with. */
static void print_comment(const char *text)
{
    size_t column = 0;

    for (const char *word = text; *word != '\0';) {
        const size_t length = strcspn(word, " ");
        if (column == 0 || column + 1 + length > WIDTH)
            column = (size_t)printf("%s; ", column == 0 ? "" : "\n") - (column != 0);
        else
            column += (size_t)printf(" ");
        for (size_t i = 0; i < length; i++)
            if (word[i] != '`')
                column += (size_t)printf("%c", word[i]);
        word += length;
        word += strspn(word, " ");
    }
    printf("\n");
}

static void print_header(const struct option_section *section)
{
    printf("\n\n");
    print_comment(section->help);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (strcmp(headers[i].section, section->name) == 0)
            printf("%s\n", headers[i].header);
}

static void print_option(const struct option_section *section, const struct option *option, void *context)
{
    const struct option_section **last = context;
    const struct sample *sample = find_sample(section, option);
    const char *value = sample != NULL && sample->value != NULL ? sample->value : option->preset;

    if (option_is_shared(section, option) && !option->is_required)
        return;
    if (section != *last)
        print_header(section);
    *last = section;
    printf("\n");
    print_comment(option->help);
    printf("%s%s=%s\n", sample != NULL && sample->use == IN_USE ? "" : ";", option->name, value != NULL ? value : "");
}

int main(void)
{
    const struct option_section *last = NULL;

    fputs(introduction, stdout);
    option_visit_all(print_option, &last);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
