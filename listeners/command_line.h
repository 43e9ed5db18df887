/*
 * The command line of a listener: one row an option, from which parsing, messages and the text of -h come.
 * A bad command line ends the program with status 2 and a message that names the culprit.
 */
#ifndef LISTENERS_COMMAND_LINE_H
#define LISTENERS_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listeners/text.h"

/* Of every usage error, and of a listener that cannot begin. */
enum { EXIT_BAD = 2 };

/* Puts the value of an option into its field. False when it cannot be one. */
typedef bool option_taker(void *field, const char *value);

struct option_row {
    char letter;          /* 0: it has a name alone */
    const char *name;     /* "program" for --program */
    const char *argument; /* what -h and messages call it: "NAME=SIZE"; NULL: it takes none */
    option_taker *take;
    size_t field;     /* offset in the settings */
    const char *help; /* one line */
};

#define OPTION(letter, name, argument, take, type, field, help)   \
    {                                                             \
        letter, name, argument, take, offsetof(type, field), help \
    }

struct command {
    const char *name;
    const char *summary; /* one line: what it does */
    const char *events;  /* what to subscribe it to */
    const char *operand; /* what stands after the options: "URL", exactly once; NULL: nothing does */
    const struct option_row *rows;
    size_t count;
};

/* Fills `settings` row by row; gives the operand or NULL. Values are borrowed from `arguments`. */
const char *command_line_read(const struct command *command, void *settings, int count, char **arguments);

/* Ends the program as for a bad command line: "memmon: text". */
void command_line_refuse(const struct command *command, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* Takers, with the type of the field that each fills. */
option_taker take_text;    /* const char * */
option_taker take_texts;   /* UT_array * of const char *, made at the first */
option_taker take_flag;    /* bool: true */
option_taker take_no_flag; /* bool: false */
option_taker take_seconds; /* int64_t: 90, 90s, 5m, 2h, 1d */
option_taker take_size;    /* uint64_t: 1000, 100KB, 200MB, 1GB, of 1024 each */
option_taker take_minutes; /* double, not negative */
option_taker take_command; /* UT_array * of char *: its words, and a NULL at the end (listeners/run.h) */

extern const UT_icd text_icd; /* for lists of const char * */

#endif
