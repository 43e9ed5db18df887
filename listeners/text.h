/* Text and lists that grow, and memory that is always there: running out of it ends the program. */
#ifndef LISTENERS_TEXT_H
#define LISTENERS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

void text_out_of_memory(void) __attribute__((noreturn));

#define utarray_oom() text_out_of_memory()
#define utstring_oom() text_out_of_memory()

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <utarray.h>
#include <utstring.h>
#pragma GCC diagnostic pop

void *memory_new(size_t count, size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
char *text_copy(const char *text) __attribute__((malloc, returns_nonnull));
char *text_format(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* The local time as in "2026-01-31 17:05:00"; free it. */
char *text_time_now(void) __attribute__((malloc, returns_nonnull));

#endif
