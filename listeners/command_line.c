#include "listeners/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "listeners/run.h"

/* What getopt_long() gives for the row at place i: beyond all letters. */
enum { FIRST_ROW = 256, HELP = 'h' };

const UT_icd text_icd = {.sz = sizeof(const char *)};

/* --- values ------------------------------------------------------------------------------------------------------- */

struct suffix {
    const char *text;
    uint64_t factor;
};

/* A whole number with one of the suffixes, of which the last must be "". False for anything else, or too much. */
static bool read_number(const char *text, const struct suffix *suffixes, uint64_t *number)
{
    char *end;

    errno = 0;
    const uintmax_t digits = strtoumax(text, &end, 10);
    if (*text < '0' || *text > '9' || errno != 0)
        return false;
    for (;; suffixes++) {
        if (strcasecmp(end, suffixes->text) == 0)
            return !__builtin_mul_overflow(digits, suffixes->factor, number) && *number <= INT64_MAX;
        if (*suffixes->text == '\0')
            return false;
    }
}

bool take_text(void *field, const char *value)
{
    *(const char **)field = value;
    return true;
}

bool take_texts(void *field, const char *value)
{
    UT_array **texts = field;

    if (*texts == NULL)
        utarray_new(*texts, &text_icd);
    utarray_push_back(*texts, &value);
    return true;
}

bool take_flag(void *field, const char *value)
{
    (void)value;
    *(bool *)field = true;
    return true;
}

bool take_no_flag(void *field, const char *value)
{
    (void)value;
    *(bool *)field = false;
    return true;
}

bool take_seconds(void *field, const char *value)
{
    static const struct suffix suffixes[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"", 1}};
    uint64_t number;

    if (!read_number(value, suffixes, &number))
        return false;
    *(int64_t *)field = (int64_t)number;
    return true;
}

bool take_size(void *field, const char *value)
{
    static const struct suffix suffixes[] = {
        {"KB", UINT64_C(1) << 10}, {"MB", UINT64_C(1) << 20}, {"GB", UINT64_C(1) << 30}, {"", 1}};

    return read_number(value, suffixes, field);
}

bool take_minutes(void *field, const char *value)
{
    char *end;
    const double number = strtod(value, &end);

    if (end == value || *end != '\0' || !isfinite(number) || number < 0)
        return false;
    *(double *)field = number;
    return true;
}

bool take_command(void *field, const char *value)
{
    UT_array *words = command_split(value);

    if (words == NULL)
        return false;
    *(UT_array **)field = words;
    return true;
}

/* --- the line ----------------------------------------------------------------------------------------------------- */

static void print_help(const struct command *command)
{
    printf("%s: %s\n\nusage: %s [options]%s%s\n\n", command->name, command->summary, command->name,
           command->operand != NULL ? " " : "", command->operand != NULL ? command->operand : "");
    for (size_t i = 0; i < command->count; i++) {
        const struct option_row *row = &command->rows[i];
        char left[64];

        snprintf(left, sizeof left, "%c%c%s--%s%s%s", row->letter != 0 ? '-' : ' ',
                 row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "  ", row->name,
                 row->argument != NULL ? "=" : "", row->argument != NULL ? row->argument : "");
        printf("  %-34s %s\n", left, row->help);
    }
    printf("  %-34s %s\n\nAn event listener: supervisord starts it, from a section with events=%s.\n", "-h, --help",
           "Print this and exit.", command->events);
}

void command_line_refuse(const struct command *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nFor help, use %s -h\n", command->name);
    exit(EXIT_BAD);
}

/* As getopt_long() wants them: ":p:ah" and a table that ends with zeros. */
static struct option *describe(const struct command *command, char *letters)
{
    struct option *names = memory_new(command->count + 2, sizeof *names);

    *letters++ = ':';
    for (size_t i = 0; i < command->count; i++) {
        const struct option_row *row = &command->rows[i];

        names[i] = (struct option){row->name, row->argument != NULL ? required_argument : no_argument, NULL,
                                   FIRST_ROW + (int)i};
        if (row->letter == 0)
            continue;
        *letters++ = row->letter;
        if (row->argument != NULL)
            *letters++ = ':';
    }
    names[command->count] = (struct option){"help", no_argument, NULL, HELP};
    *letters++ = HELP;
    *letters = '\0';
    return names;
}

static const struct option_row *find_row(const struct command *command, int found)
{
    if (found >= FIRST_ROW)
        return &command->rows[found - FIRST_ROW];
    for (size_t i = 0; i < command->count; i++)
        if (command->rows[i].letter == found)
            return &command->rows[i];
    return NULL;
}

/* `word` is what getopt_long() stumbled over; a letter has no word of its own. */
static void refuse_option(const struct command *command, const char *what, const char *word)
{
    if (optopt > 0 && optopt < FIRST_ROW && optopt != HELP)
        command_line_refuse(command, "%s: -%c", what, optopt);
    command_line_refuse(command, "%s: %s", what, word);
}

static void take(const struct command *command, const struct option_row *row, char *settings, const char *value)
{
    if (!row->take(settings + row->field, value))
        command_line_refuse(command, "--%s: not %s: \"%s\"", row->name, row->argument, value);
}

static const char *read_operand(const struct command *command, int count, char **arguments)
{
    const int wanted = command->operand != NULL;

    if (count - optind > wanted)
        command_line_refuse(command, "unexpected argument: %s", arguments[optind + wanted]);
    if (count - optind < wanted)
        command_line_refuse(command, "no %s is given", command->operand);
    return wanted ? arguments[optind] : NULL;
}

const char *command_line_read(const struct command *command, void *settings, int count, char **arguments)
{
    char letters[128];
    struct option *names = describe(command, letters);
    int found;

    while ((found = getopt_long(count, arguments, letters, names, NULL)) != -1) {
        if (found == HELP) {
            print_help(command);
            exit(EXIT_SUCCESS);
        }
        if (found == '?')
            refuse_option(command, "unknown option", arguments[optind - 1]);
        if (found == ':')
            refuse_option(command, "an option lacks its value", arguments[optind - 1]);
        const struct option_row *row = find_row(command, found);
        if (row != NULL)
            take(command, row, settings, optarg);
    }
    free(names);
    return read_operand(command, count, arguments);
}
