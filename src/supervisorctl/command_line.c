#include "supervisorctl/command_line.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option long_options[] = {
    {"configuration", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
    {"interactive", no_argument, NULL, 'i'},         {"serverurl", required_argument, NULL, 's'},
    {"username", required_argument, NULL, 'u'},      {"password", required_argument, NULL, 'p'},
    {"history-file", optional_argument, NULL, 'r'},  {NULL, 0, NULL, 0},
};

static const char *long_name(int letter)
{
    for (const struct option *option = long_options; option->name != NULL; option++) {
        if (option->val == letter)
            return option->name;
    }
    return "";
}

/* As typed: "-c" or "--configuration". */
static void name_option(char *name, size_t size, int letter, const char *argument)
{
    if (argument[0] == '-' && argument[1] == '-')
        snprintf(name, size, "--%s", long_name(letter));
    else
        snprintf(name, size, "-%c", letter);
}

static int set_once(const char **field, const char *value, const char *option, struct error *err)
{
    if (*field != NULL)
        return error_set(err, "conflicting command line option '%s'", option);
    *field = value;
    return 0;
}

/* A scheme, a colon and something behind it. */
static bool is_url(const char *text)
{
    size_t length = 0;

    if (!isalpha((unsigned char)text[0]))
        return false;
    while (isalnum((unsigned char)text[length]) || strchr("+-.", text[length]) != NULL) {
        if (text[length] == '\0')
            return false;
        length++;
    }
    return text[length] == ':' && text[length + 1] != '\0';
}

static int set_url(struct command_line *line, const char *value, const char *option, struct error *err)
{
    if (!is_url(value))
        return error_set(err, "invalid value for %s '%s': value '%s' is not a URL", option, value, value);
    return set_once(&line->serverurl, value, option, err);
}

static int set_flag(struct command_line *line, int letter, const char *value)
{
    switch (letter) {
    case 'h':
        line->help = true;
        break;
    case 'i':
        line->interactive = true;
        break;
    default:
        line->keep_history = true;
        line->history_file = value;
    }
    return 0;
}

static int set_option(struct command_line *line, int letter, const char *value, const char *option, struct error *err)
{
    switch (letter) {
    case 'c':
        return set_once(&line->configuration, value, option, err);
    case 's':
        return set_url(line, value, option, err);
    case 'u':
        return set_once(&line->username, value, option, err);
    case 'p':
        return set_once(&line->password, value, option, err);
    default:
        return set_flag(line, letter, value);
    }
}

static int explain_unknown(const char *argument, int letter, struct error *err)
{
    const size_t length = strcspn(argument, "=");
    size_t matches = 0;

    if (strncmp(argument, "--", 2) != 0)
        return error_set(err, "option -%c not recognized", letter);
    for (const struct option *option = long_options; option->name != NULL; option++)
        matches += strncmp(option->name, argument + 2, length - 2) == 0;
    if (letter != 0)
        return error_set(err, "option --%s must not have an argument", long_name(letter));
    return error_set(err, "option %.*s %s", (int)length, argument,
                     matches > 1 ? "not a unique prefix" : "not recognized");
}

int command_line_parse(struct command_line *line, int argc, char **argv, struct error *err)
{
    char name[32];
    int letter;

    *line = (struct command_line){0};
    optind = 0; /* begin afresh, whatever was parsed before */
    opterr = 0;
    for (;;) {
        const char *argument = argv[optind > 0 ? optind : 1];

        letter = getopt_long(argc, argv, "+:c:hir::s:u:p:", long_options, NULL);
        if (letter < 0)
            break;
        if (letter == '?')
            return explain_unknown(argument, optopt, err);
        name_option(name, sizeof name, letter == ':' ? optopt : letter, argument);
        if (letter == ':')
            return error_set(err, "option %s requires argument", name);
        if (set_option(line, letter, optarg, name, err) < 0)
            return -1;
    }
    line->action = argv + optind;
    line->action_count = argc - optind;
    return 0;
}

void command_line_print_help(const char *program)
{
    printf("supervisorctl -- controls what supervisord runs, from the command line.\n"
           "\n"
           "Usage: %s [options] [action [arguments]]\n"
           "\n"
           "Options:\n"
           "-c/--configuration FILENAME -- configuration file (searched for if not given)\n"
           "-h/--help -- print this text and exit\n"
           "-i/--interactive -- open a shell after the action\n"
           "-s/--serverurl URL -- where supervisord listens\n"
           "     (default \"http://localhost:9001\").\n"
           "-u/--username USERNAME -- user name to log in with\n"
           "-p/--password PASSWORD -- password to log in with\n"
           "-r/--history-file[=FILENAME] -- keep the shell's history\n"
           "     (default ~/.supervisorctl_history)\n"
           "\n"
           "action [arguments] -- see below\n"
           "\n"
           "An action is a command such as \"tail\" or \"stop\".  With -i, or without an\n"
           "action, a shell is opened that reads actions line by line.  The action \"help\"\n"
           "lists all of them.\n"
           "\n",
           program);
}
