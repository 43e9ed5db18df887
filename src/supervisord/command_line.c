#include "supervisord/command_line.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/containers.h"

/* Options without a letter of their own get a number beyond the characters. */
enum { OPTION_MINPROCS = 256, OPTION_CHECK, OPTION_PROFILE };

static const struct option_row {
    int letter;
    const char *name;
    const char *argument; /* what help calls it; NULL: the option is a switch */
    const char *key;      /* of [supervisord]; NULL: not a setting */
    const char *help;
} rows[] = {
    {'c', "configuration", "FILENAME", NULL, "read this configuration file (searches for one if not given)"},
    {'n', "nodaemon", NULL, "nodaemon", "stay in the foreground"},
    {'s', "silent", NULL, "silent", "do not echo the activity log on stdout"},
    {'h', "help", NULL, NULL, "print this text and exit"},
    {'v', "version", NULL, NULL, "print the version and exit"},
    {OPTION_CHECK, "check", NULL, NULL, "check the configuration and exit: 0 good, 1 with remarks, 2 bad"},
    {'u', "user", "USER", "user", "run as this user (a name or a numeric id)"},
    {'m', "umask", "UMASK", "umask", "umask of the daemon (022)"},
    {'d', "directory", "DIRECTORY", "directory", "change to this directory when daemonizing"},
    {'l', "logfile", "FILENAME", "logfile", "activity log"},
    {'y', "logfile_maxbytes", "BYTES", "logfile_maxbytes", "rotate the activity log at this size"},
    {'z', "logfile_backups", "NUM", "logfile_backups", "how many rotated activity logs to keep"},
    {'e', "loglevel", "LEVEL", "loglevel", "critical, error, warn, info, debug, trace or blather"},
    {'j', "pidfile", "FILENAME", "pidfile", "write the pid of the daemon to this file"},
    {'i', "identifier", "STR", "identifier", "name of this daemon among others"},
    {'q', "childlogdir", "DIRECTORY", "childlogdir", "directory of the AUTO logs of processes"},
    {'k', "nocleanup", NULL, "nocleanup", "keep the AUTO logs that an earlier daemon left"},
    {'a', "minfds", "NUM", "minfds", "how many file descriptors must be available"},
    {'t', "strip_ansi", NULL, "strip_ansi", "strip ANSI escape sequences from the logs of processes"},
    {OPTION_MINPROCS, "minprocs", "NUM", "minprocs", "how many processes must be available"},
    {OPTION_PROFILE, "profile_options", "LIST", NULL, "accepted for compatibility; does nothing"},
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const struct option_row *find_row(int letter)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* What getopt_long() wants, made from the rows. */
static void describe_options(char *letters, struct option *options)
{
    *letters++ = '+'; /* no reordering: what follows the first positional argument is one too */
    *letters++ = ':';
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const int argument = rows[i].argument != NULL ? required_argument : no_argument;
        options[i] = (struct option){rows[i].name, argument, NULL, rows[i].letter};
        if (rows[i].letter > 255)
            continue;
        *letters++ = (char)rows[i].letter;
        if (argument == required_argument)
            *letters++ = ':';
    }
    *letters = '\0';
    options[ROW_COUNT] = (struct option){0};
}

static bool is_given(const struct command_line *line, const char *key)
{
    for (size_t i = 0; i < line->override_count; i++)
        if (strcmp(line->overrides[i].key, key) == 0)
            return true;
    return false;
}

/* `origin` is the option as it was written, for messages. */
static int add_override(struct command_line *line, const struct option_row *row, const char *value, const char *origin,
                        struct error *err)
{
    if (is_given(line, row->key))
        return error_set(err, "conflicting command line option '%s'", origin);
    line->overrides[line->override_count++] =
        (struct config_override){"supervisord", row->key, value != NULL ? value : "true", origin};
    return 0;
}

static int take_action(struct command_line *line, int letter, const char *value, struct error *err)
{
    switch (letter) {
    case 'c':
        if (line->configuration != NULL)
            return error_set(err, "conflicting command line option '-c'");
        line->configuration = value;
        break;
    case 'h':
        line->action = COMMAND_LINE_HELP;
        break;
    case 'v':
        line->action = COMMAND_LINE_VERSION;
        break;
    case OPTION_CHECK:
        line->action = COMMAND_LINE_CHECK;
        break;
    default: /* a switch without effect */
        break;
    }
    return 0;
}

static int refuse_positional(int count, char **arguments, struct error *err)
{
    UT_string list;

    utstring_init(&list);
    for (int i = 0; i < count; i++)
        utstring_printf(&list, "%s'%s'", i > 0 ? ", " : "", arguments[i]);
    error_set(err, "positional arguments are not supported: [%s]", utstring_body(&list));
    utstring_done(&list);
    return -1;
}

/* The option that getopt_long() has just refused, as the user wrote it. */
static int refuse_option(int refusal, const char *word, struct error *err)
{
    const char *complaint = refusal == ':' ? "requires argument" : "not recognized";

    if (word != NULL && word[0] == '-' && word[1] == '-')
        return error_set(err, "option %.*s %s", (int)strcspn(word, "="), word, complaint);
    return error_set(err, "option -%c %s", optopt, complaint);
}

/* For messages: "-l" or "--logfile", whichever was written. Kept for the life of the program. */
static const char *origin_of(const struct option_row *row, const char *word)
{
    static char origins[ROW_COUNT][2][sizeof "--logfile_maxbytes"];
    const bool is_long = word[0] == '-' && word[1] == '-';
    char *origin = origins[row - rows][is_long];

    if (is_long)
        (void)snprintf(origin, sizeof origins[0][0], "--%s", row->name);
    else
        (void)snprintf(origin, sizeof origins[0][0], "-%c", row->letter);
    return origin;
}

int command_line_parse(struct command_line *line, int count, char **arguments, struct error *err)
{
    char letters[2 * ROW_COUNT + 3];
    struct option options[ROW_COUNT + 1];
    int letter;

    memset(line, 0, sizeof *line);
    describe_options(letters, options);
    optind = 0;
    opterr = 0;
    while (true) {
        const char *word = arguments[optind > 0 ? optind : 1];
        letter = getopt_long(count, arguments, letters, options, NULL);
        if (letter < 0)
            break;
        if (letter == '?' || letter == ':')
            return refuse_option(letter, word, err);
        const struct option_row *row = find_row(letter);
        assert(row != NULL); /* getopt knows letters of rows alone */
        const int outcome = row->key != NULL ? add_override(line, row, optarg, origin_of(row, word), err)
                                             : take_action(line, letter, optarg, err);
        if (outcome < 0)
            return -1;
    }
    return optind < count ? refuse_positional(count - optind, arguments + optind, err) : 0;
}

void command_line_print_help(const char *program)
{
    printf("supervisord -- run a set of applications as daemons.\n\nUsage: %s [options]\n\nOptions:\n", program);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char names[64];
        const char *blank = rows[i].argument != NULL ? " " : "";
        const char *argument = rows[i].argument != NULL ? rows[i].argument : "";
        if (rows[i].letter <= 255)
            (void)snprintf(names, sizeof names, "-%c/--%s%s%s", rows[i].letter, rows[i].name, blank, argument);
        else
            (void)snprintf(names, sizeof names, "--%s%s%s", rows[i].name, blank, argument);
        printf("%-30s -- %s\n", names, rows[i].help);
    }
}
