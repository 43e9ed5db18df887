/*
 * Memory that is always there: allocation failure ends the program with a message, so that no caller has to
 * pretend it could go on without memory. Everything returned is owned by the caller and released with free().
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *memory, size_t size) __attribute__((returns_nonnull));

/* As xrealloc() for `count` elements of `size` bytes, refusing products that overflow. */
void *xreallocarray(void *memory, size_t count, size_t size) __attribute__((returns_nonnull));

char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull, nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull, nonnull));

/* A copy of `text`, or NULL when it is NULL. */
char *xstrdup_or_null(const char *text);

char *xasprintf(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* Ends the program: writes "out of memory" to stderr and aborts. Also the hook for uthash and friends. */
void memory_exhausted(void) __attribute__((noreturn));

/* Frees what a local `CLEANUP_FREE char *x` points to when the variable goes out of scope. */
void memory_free_pointer(void *pointer_to_pointer);
#define CLEANUP_FREE __attribute__((cleanup(memory_free_pointer)))

#endif
