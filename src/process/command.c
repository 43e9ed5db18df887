#include "process/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"
#include "process/supervisor.h"

struct variable {
    const char *name;
    const char *value;
};

/* What is laid over supervisord's own environment, in order; later ones win. */
struct overlay {
    struct variable fixed[4];
    size_t fixed_count;
    const struct config_environment *own;
};

static struct overlay make_overlay(const struct process *process)
{
    struct overlay overlay = {
        .fixed = {{"SUPERVISOR_ENABLED", "1"},
                  {"SUPERVISOR_PROCESS_NAME", process->config->name},
                  {"SUPERVISOR_GROUP_NAME", process->group->config->name}},
        .fixed_count = 3,
        .own = &process->config->environment,
    };
    const char *url =
        process->config->server_url != NULL ? process->config->server_url : process->supervisor->server_url;

    if (url != NULL)
        overlay.fixed[overlay.fixed_count++] = (struct variable){"SUPERVISOR_SERVER_URL", url};
    return overlay;
}

static bool has_name(const char *entry, const char *name)
{
    const size_t length = strlen(name);

    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool is_own(const struct overlay *overlay, const char *name)
{
    for (size_t i = 0; i < overlay->own->count; i++)
        if (strcmp(overlay->own->variables[i].name, name) == 0)
            return true;
    return false;
}

static bool is_overlaid(const struct overlay *overlay, const char *entry)
{
    for (size_t i = 0; i < overlay->fixed_count; i++)
        if (has_name(entry, overlay->fixed[i].name))
            return true;
    for (size_t i = 0; i < overlay->own->count; i++)
        if (has_name(entry, overlay->own->variables[i].name))
            return true;
    return false;
}

static size_t text_size(const char *name, const char *value)
{
    return strlen(name) + strlen(value) + 2;
}

static char *append(char **entry, char *text, const char *name, const char *value)
{
    *entry = text;
    return text + sprintf(text, "%s=%s", name, value) + 1;
}

char **command_environment(const struct process *process)
{
    const struct overlay overlay = make_overlay(process);
    size_t inherited = 0;
    size_t text_bytes = 0;

    while (environ[inherited] != NULL)
        inherited++;
    for (size_t i = 0; i < overlay.fixed_count; i++)
        text_bytes += text_size(overlay.fixed[i].name, overlay.fixed[i].value);
    for (size_t i = 0; i < overlay.own->count; i++)
        text_bytes += text_size(overlay.own->variables[i].name, overlay.own->variables[i].value);
    const size_t most = inherited + overlay.fixed_count + overlay.own->count + 1;
    char **entries = xmalloc(most * sizeof *entries + text_bytes);
    char *text = (char *)(entries + most);
    size_t count = 0;
    for (size_t i = 0; i < inherited; i++)
        if (!is_overlaid(&overlay, environ[i]))
            entries[count++] = environ[i];
    for (size_t i = 0; i < overlay.fixed_count; i++)
        if (!is_own(&overlay, overlay.fixed[i].name))
            text = append(&entries[count++], text, overlay.fixed[i].name, overlay.fixed[i].value);
    for (size_t i = 0; i < overlay.own->count; i++)
        text = append(&entries[count++], text, overlay.own->variables[i].name, overlay.own->variables[i].value);
    entries[count] = NULL;
    return entries;
}

/* Checks a file that is there; says what keeps it from being run. */
static int check_executable(const char *path, const struct stat *found, struct error *err)
{
    if (S_ISDIR(found->st_mode))
        return error_set_fault(err, FAULT_NOT_EXECUTABLE, "command at '%s' is a directory", path);
    if ((found->st_mode & 0111) == 0)
        return error_set_fault(err, FAULT_NOT_EXECUTABLE, "command at '%s' is not executable", path);
    if (access(path, X_OK) < 0)
        return error_set_fault(err, FAULT_NOT_EXECUTABLE, "no permission to run command at '%s'", path);
    return 0;
}

static const char *search_path(const struct process *process)
{
    const struct config_environment *own = &process->config->environment;

    for (size_t i = 0; i < own->count; i++)
        if (strcmp(own->variables[i].name, "PATH") == 0)
            return own->variables[i].value;
    const char *inherited = getenv("PATH");
    return inherited != NULL ? inherited : "/bin:/usr/bin:/usr/local/bin";
}

/* The first entry of `path` that has the program, malloc'd, or NULL. An empty entry is the current directory. */
static char *search(const char *path, const char *program, struct stat *found)
{
    while (true) {
        const size_t length = strcspn(path, ":");
        char *candidate = length > 0 ? xasprintf("%.*s/%s", (int)length, path, program) : xasprintf("./%s", program);
        if (stat(candidate, found) == 0)
            return candidate;
        free(candidate);
        if (path[length] == '\0')
            return NULL;
        path += length + 1;
    }
}

static int find_executable(const struct process *process, const char *program, char **executable, struct error *err)
{
    struct stat found;

    if (strchr(program, '/') == NULL)
        *executable = search(search_path(process), program, &found);
    else
        *executable = stat(program, &found) == 0 ? xstrdup(program) : NULL;
    if (*executable == NULL)
        return error_set_fault(err, FAULT_NO_FILE, "can't find command '%s'", program);
    if (check_executable(*executable, &found, err) == 0)
        return 0;
    free(*executable);
    return -1;
}

int command_prepare(const struct process *process, char **executable, char ***arguments, struct error *err)
{
    CLEANUP_FREE char *extended = process->extra_arguments != NULL
                                      ? xasprintf("%s %s", process->config->command, process->extra_arguments)
                                      : NULL;
    const char *command = extended != NULL ? extended : process->config->command;
    struct error cause;
    char **words = config_split_command(command, &cause);

    if (words == NULL)
        return error_set_fault(err, FAULT_NOT_EXECUTABLE, "can't parse command '%s': %s", command, cause.text);
    if (find_executable(process, words[0], executable, err) < 0) {
        config_free_words(words);
        return -1;
    }
    *arguments = words;
    return 0;
}
