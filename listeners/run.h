/* Other programs, run without a shell: nothing that an event says can become a command. */
#ifndef LISTENERS_RUN_H
#define LISTENERS_RUN_H

#include "listeners/text.h"

/*
 * Cuts a command into words, at blanks that are neither quoted ('...' or "...") nor behind a backslash; nothing is
 * expanded. An array of char * with a NULL at the end, to free with command_free(); NULL when a quote is not closed or
 * there is no word.
 */
UT_array *command_split(const char *command);
void command_free(UT_array *words); /* NULL is fine */

/*
 * Runs a program, found in PATH, with `input` on its stdin; waits for its end, but kills it after `seconds`. What it
 * says on stdout is added to `output`, up to a megabyte, or goes to our stderr when that is NULL. 0 when it has ended
 * with status 0, or -1 with *problem to free: "/usr/sbin/sendmail: exit status 75".
 */
int command_run(char *const *words, const char *input, UT_string *output, unsigned seconds, char **problem);

#endif
