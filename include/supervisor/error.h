/*
 * What went wrong, carried from where it was noticed to the edge that answers or logs it.
 * Low code fills it in and stays silent; the edge (a log line, an RPC fault, a message on stderr) speaks.
 */
#ifndef SUPERVISOR_ERROR_H
#define SUPERVISOR_ERROR_H

#include <stdarg.h>

#include <supervisor/fault.h>

#define ERROR_TEXT_SIZE 1024

struct error {
    enum fault fault;           /* what to answer a client with, or FAULT_NONE */
    int os;                     /* errno behind it, or 0 */
    char text[ERROR_TEXT_SIZE]; /* what, on what, why; one line, no full stop; cut when it is too long */
};

#pragma GCC visibility push(default)

/* Each fills *err and returns -1, so that `return error_set(err, ...)` is the way out of a failing function. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_set_fault(struct error *err, enum fault fault, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As error_set(), with `os` remembered and ": " and its text (strerror) added. */
int error_from_errno(struct error *err, int os, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a context in front of the text that is there: "context: text". */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The symbolic name of an errno value, such as "ENOENT", or "errno N" for an unknown one: good until the next call. */
const char *error_errno_name(int os);

#pragma GCC visibility pop

#endif
