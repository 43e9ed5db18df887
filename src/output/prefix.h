/* A text before every line of a stream that comes in pieces (stdout_prefix, stderr_prefix). */
#ifndef OUTPUT_PREFIX_H
#define OUTPUT_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The bytes with the prefix and a blank at the beginning of each line: a string of *made bytes to free.
 * `within_line` is the state of the stream between two calls, false to begin: a line has its prefix already.
 */
char *prefix_lines(const char *prefix, bool *within_line, const char *bytes, size_t length, size_t *made);

#endif
