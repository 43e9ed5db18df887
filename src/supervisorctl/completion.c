/* Prints the completion of supervisorctl and supervisord for a shell, from the table of actions. */
#include <stdio.h>
#include <string.h>

#include "supervisorctl/commands.h"

/* What shells call the kinds of arguments. */
static const char *const kinds[] = {
    [ARGUMENTS_NONE] = "none",     [ARGUMENTS_ACTION] = "action", [ARGUMENTS_PROCESS] = "process",
    [ARGUMENTS_GROUP] = "process", [ARGUMENTS_SIGNAL] = "signal",
};

/* What `help` says behind the usage in its first line, and nothing that a shell would look into. */
static void print_summary(const struct command *command)
{
    const size_t length = strcspn(command->help, "\n");
    size_t begin = length;

    while (begin > 0 && command->help[begin - 1] != '\t')
        begin--;
    for (size_t i = begin; i < length; i++)
        putchar(strchr("'\"`$\\:[]", command->help[i]) == NULL ? command->help[i] : ' ');
}

/* "name:kind:summary", which the scripts take apart. */
static void print_row(const struct command *command, const char *line_end)
{
    printf("    '%s:%s:", command->name, kinds[command->arguments]);
    print_summary(command);
    printf("'%s", line_end);
}

/* A list as the shell writes it. */
struct list_syntax {
    const char *shell;
    const char *begin;
    const char *line_end;
    const char *end;
};

static const struct list_syntax syntaxes[] = {
    {"bash", "_supervisorctl_actions=(\n", "\n", ")\n"},
    {"zsh", "_supervisorctl_actions=(\n", "\n", ")\n"},
    {"fish", "set -g __supervisorctl_actions \\\n", " \\\n", "\n"},
};

static const struct list_syntax *find_syntax(const char *shell)
{
    for (size_t i = 0; i < sizeof syntaxes / sizeof *syntaxes; i++)
        if (strcmp(syntaxes[i].shell, shell) == 0)
            return &syntaxes[i];
    return NULL;
}

static void print_actions(const struct list_syntax *syntax)
{
    fputs(syntax->begin, stdout);
    for (size_t i = 0; i < command_count; i++)
        print_row(&commands[i], syntax->line_end);
    print_row(command_find("help"), syntax->line_end);
    fputs(syntax->end, stdout);
}

/* Copies the script and puts the actions where it has the line @ACTIONS@. */
static int print_script(FILE *script, const struct list_syntax *syntax)
{
    char line[1024];

    while (fgets(line, sizeof line, script) != NULL) {
        if (strcmp(line, "@ACTIONS@\n") == 0)
            print_actions(syntax);
        else
            fputs(line, stdout);
    }
    return ferror(script) || fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}

int main(int count, char **arguments)
{
    const struct list_syntax *syntax = count == 3 ? find_syntax(arguments[1]) : NULL;

    if (syntax == NULL) {
        fprintf(stderr, "usage: %s bash|zsh|fish SCRIPT\n", arguments[0]);
        return 2;
    }
    FILE *script = fopen(arguments[2], "re");
    if (script == NULL) {
        perror(arguments[2]);
        return 1;
    }
    const int outcome = print_script(script, syntax);
    (void)fclose(script);
    return outcome;
}
