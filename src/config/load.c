#include "config/load.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/loader.h"
#include "config/value.h"

#define WHITE_SPACE " \t\n\v\f\r"

static const struct loader_scope no_scope = {0};

/* --- files -------------------------------------------------------------------------------------------------------- */

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_fifo(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* A pattern may match directories: the original passes over them, too. */
static int include_file(struct loader *loader, const char *path, struct error *err)
{
    struct config *config = loader->config;

    if (is_directory(path))
        return 0;
    if (is_fifo(path)) /* nobody may ever write to it */
        return error_set(err, "cannot read the configuration file %s: it is a FIFO", path);
    if (ini_read_file(loader->ini, path, err) < 0)
        return -1;
    config->included_files =
        xreallocarray(config->included_files, config->included_file_count + 1, sizeof *config->included_files);
    config->included_files[config->included_file_count++] = xstrdup(path);
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads what a pattern matches, in the order of the bytes of the names. */
static int include_pattern(struct loader *loader, const char *pattern, struct error *err)
{
    CLEANUP_FREE char *absolute =
        pattern[0] == '/' ? xstrdup(pattern) : xasprintf("%s/%s", loader->config->here, pattern);
    glob_t found = {0};
    int result = 0;

    const int failure = glob(absolute, GLOB_NOSORT | GLOB_NOESCAPE, NULL, &found);
    if (failure == GLOB_NOSPACE)
        memory_exhausted();
    if (failure == 0) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare_paths);
        for (size_t i = 0; i < found.gl_pathc && result == 0; i++)
            result = include_file(loader, found.gl_pathv[i], err);
    }
    globfree(&found);
    return result;
}

static int include_files(struct loader *loader, struct error *err)
{
    const struct ini_section *section = ini_find_section(loader->ini, "include");
    struct option_include include = {0};
    char *rest = NULL;
    int result = 0;

    if (section == NULL)
        return 0;
    if (!loader_has(loader, section, "files")) {
        error_set(err, ".ini file has [include] section, but no files setting");
        return loader_locate(loader, section, NULL, err);
    }
    if (loader_fill(loader, section, &options_include, &no_scope, &include, err) < 0)
        return -1;
    for (char *pattern = strtok_r(include.files, WHITE_SPACE, &rest); pattern != NULL && result == 0;
         pattern = strtok_r(NULL, WHITE_SPACE, &rest))
        result = include_pattern(loader, pattern, err);
    options_release(&options_include, &include);
    return result;
}

/* --- sections ----------------------------------------------------------------------------------------------------- */

static const struct ini_section *require_section(const struct loader *loader, const char *name, struct error *err)
{
    const struct ini_section *section = ini_find_section(loader->ini, name);

    if (section == NULL)
        error_set(err, "%s: .ini file does not include %s section", loader->config->path, name);
    return section;
}

/* Where temporary files go, in Python's order. */
static char *find_temporary_directory(void)
{
    static const char *const variables[] = {"TMPDIR", "TEMP", "TMP"};
    static const char *const usual[] = {"/tmp", "/var/tmp", "/usr/tmp"};

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *path = getenv(variables[i]);
        if (path != NULL && text_utf8_valid(path, strlen(path)) && is_directory(path) && access(path, W_OK) == 0)
            return value_make_absolute(path);
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (is_directory(usual[i]) && access(usual[i], W_OK) == 0)
            return xstrdup(usual[i]);
    return value_make_absolute(".");
}

static int make_daemon(struct loader *loader, struct error *err)
{
    const struct ini_section *section = require_section(loader, "supervisord", err);
    struct config_daemon *daemon = &loader->config->daemon;

    if (section == NULL || loader_fill(loader, section, &options_daemon, &no_scope, daemon, err) < 0)
        return -1;
    if (daemon->childlogdir == NULL)
        daemon->childlogdir = find_temporary_directory();
    return 0;
}

static int make_ctl(struct loader *loader, struct error *err)
{
    const struct ini_section *section = require_section(loader, "supervisorctl", err);

    if (section == NULL)
        return -1;
    return loader_fill(loader, section, &options_ctl, &no_scope, &loader->config->ctl, err);
}

enum { HEADER_BYTES_MIN = 4096, HEADER_BYTES_MAX = 16 * 1024 * 1024 };

/* What the options of a server say together and must not; NULL: nothing. */
static const char *find_server_mistake(const struct config_server *server)
{
    if ((server->username == NULL) != (server->password == NULL))
        return "incomplete authentication: username and password must be given together";
    if ((server->readonly_username == NULL) != (server->readonly_password == NULL))
        return "incomplete authentication: readonly_username and readonly_password must be given together";
    if ((server->tls_certificate == NULL) != (server->tls_key == NULL))
        return "tls_certificate and tls_key must be given together";
    if (server->tls_client_ca != NULL && server->tls_certificate == NULL)
        return "tls_client_ca without tls_certificate: clients would not be asked for one";
    if (server->max_header_bytes < HEADER_BYTES_MIN || server->max_header_bytes > HEADER_BYTES_MAX)
        return "max_header_bytes must be from 4KB to 16MB";
    if (server->readonly_username == NULL)
        return NULL;
    if (server->username == NULL)
        return "readonly_username without username: everybody else could change everything";
    if (strcmp(server->username, server->readonly_username) == 0)
        return "username and readonly_username must differ";
    return NULL;
}

static int make_server(struct loader *loader, const struct ini_section *section, const struct option_table *table,
                       enum config_server_kind kind, struct error *err)
{
    struct config *config = loader->config;

    config->servers = xreallocarray(config->servers, config->server_count + 1, sizeof *config->servers);
    struct config_server *server = &config->servers[config->server_count++];
    *server = (struct config_server){.kind = kind};
    if (loader_fill(loader, section, table, &no_scope, server, err) < 0)
        return -1;

    const char *mistake = find_server_mistake(server);

    if (mistake == NULL)
        return 0;
    error_set(err, "%s", mistake);
    return loader_locate(loader, section, NULL, err);
}

static int make_servers(struct loader *loader, const char *kind_name, const struct option_table *table,
                        enum config_server_kind kind, struct error *err)
{
    for (struct ini_section *section = loader->ini->sections; section != NULL; section = section->by_name.next) {
        const struct option_section *known = option_find_section(section->name);
        if (known != NULL && strcmp(known->name, kind_name) == 0 && make_server(loader, section, table, kind, err) < 0)
            return -1;
    }
    return 0;
}

/* --- plugins ------------------------------------------------------------------------------------------------------ */

struct plugin_list {
    struct config_plugin **plugins;
    size_t *count;
};

/* All keys of the section but the factory. */
static int take_plugin_options(struct loader *loader, const struct ini_section *section, const char *factory_key,
                               struct config_plugin *plugin, struct error *err)
{
    for (const struct ini_entry *entry = section->entries; entry != NULL; entry = entry->by_key.next) {
        if (strcmp(entry->key, factory_key) == 0)
            continue;
        char *value = loader_expand_entry(loader, section, entry, &no_scope, err);
        if (value == NULL)
            return -1;
        plugin->options.variables =
            xreallocarray(plugin->options.variables, plugin->options.count + 1, sizeof *plugin->options.variables);
        plugin->options.variables[plugin->options.count++] = (struct config_variable){xstrdup(entry->key), value};
    }
    return 0;
}

static int make_plugin(struct loader *loader, const struct ini_section *section, const struct option_table *table,
                       struct plugin_list list, struct error *err)
{
    *list.plugins = xreallocarray(*list.plugins, *list.count + 1, sizeof **list.plugins);
    struct config_plugin *plugin = &(*list.plugins)[(*list.count)++];
    *plugin = (struct config_plugin){.name = xstrdup(strchr(section->name, ':') + 1)};
    if (loader_fill(loader, section, table, &no_scope, plugin, err) < 0)
        return -1;
    return take_plugin_options(loader, section, table->options[0].name, plugin, err);
}

static int make_plugins(struct loader *loader, const char *prefix, const struct option_table *table,
                        struct plugin_list list, struct error *err)
{
    for (struct ini_section *section = loader->ini->sections; section != NULL; section = section->by_name.next)
        if (text_starts_with(section->name, prefix) && make_plugin(loader, section, table, list, err) < 0)
            return -1;
    return 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static int load_for_ctl(struct loader *loader, struct error *err)
{
    struct config *config = loader->config;

    if (make_ctl(loader, err) < 0)
        return -1;
    return make_plugins(loader, "ctlplugin:", &options_ctlplugin,
                        (struct plugin_list){&config->ctlplugins, &config->ctlplugin_count}, err);
}

static int load_for_daemon(struct loader *loader, struct error *err)
{
    struct config *config = loader->config;
    const struct plugin_list rpcinterfaces = {&config->rpcinterfaces, &config->rpcinterface_count};

    if (include_files(loader, err) < 0 || make_daemon(loader, err) < 0 || loader_make_groups(loader, err) < 0 ||
        make_servers(loader, "inet_http_server", &options_inet_server, CONFIG_SERVER_INET, err) < 0 ||
        make_servers(loader, "unix_http_server", &options_unix_server, CONFIG_SERVER_UNIX, err) < 0 ||
        make_plugins(loader, "rpcinterface:", &options_rpcinterface, rpcinterfaces, err) < 0)
        return -1;
    if (loader->options->want_remarks)
        loader_make_remarks(loader);
    return 0;
}

/* Takes "." and ".." out of an absolute path, by its text alone. */
static void normalise_path(char *path)
{
    CLEANUP_FREE char *copy = xstrdup(path);
    char *end = path;
    char *rest = NULL;

    for (const char *part = strtok_r(copy, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest)) {
        if (strcmp(part, "..") == 0) {
            while (end > path && *--end != '/')
                continue;
        } else if (strcmp(part, ".") != 0) {
            *end++ = '/';
            end = stpcpy(end, part);
        }
    }
    *end = '\0';
}

/* The model's own facts: where its file is. A symbolic link to it is where the user put it. */
static void set_path(struct config *config, const char *path)
{
    config->path = value_make_absolute(path);
    if (config->path[0] == '/')
        normalise_path(config->path);
    char *slash = strrchr(config->path, '/');
    config->here =
        slash == config->path || slash == NULL ? xstrdup("/") : xstrndup(config->path, (size_t)(slash - config->path));
}

struct config *config_load(const char *path, const struct config_load_options *options, struct error *err)
{
    char host_node_name[HOST_NAME_MAX + 1] = "";
    struct loader loader = {.options = options, .ini = ini_new(), .host_node_name = host_node_name};

    (void)gethostname(host_node_name, sizeof host_node_name - 1);
    loader.config = xcalloc(1, sizeof *loader.config);
    loader.config->references = 1;
    set_path(loader.config, path);
    int result = ini_read_file(loader.ini, loader.config->path, err);
    if (result == 0)
        result = options->for_ctl ? load_for_ctl(&loader, err) : load_for_daemon(&loader, err);
    ini_free(loader.ini);
    option_context_release(&loader.values);
    if (result == 0)
        return loader.config;
    config_unref(loader.config);
    return NULL;
}

/* A model of its own for what the program adds to it: the one that is there is not changed. */
static struct config *borrow_settings(const struct config *config)
{
    struct config *borrowed = xcalloc(1, sizeof *borrowed);

    borrowed->references = 1;
    borrowed->path = xstrdup(config->path);
    borrowed->here = xstrdup(config->here);
    value_inherit_environment(&borrowed->daemon.environment, &config->daemon.environment);
    return borrowed;
}

struct config_group *config_make_program(const struct config *config, const char *group, const char *program,
                                         const struct config_environment *options, struct error *err)
{
    static const struct config_load_options no_options = {0};
    char host_node_name[HOST_NAME_MAX + 1] = "";
    struct loader loader = {
        .options = &no_options, .ini = ini_new(), .config = borrow_settings(config), .host_node_name = host_node_name};

    (void)gethostname(host_node_name, sizeof host_node_name - 1);
    struct config_group *made = loader_make_program(&loader, group, program, options, err);
    config_unref(loader.config);
    ini_free(loader.ini);
    option_context_release(&loader.values);
    return made;
}
