/* Text: UTF-8 checks and the few string questions that the C library leaves open. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* How many bytes the valid UTF-8 sequence at `text` has (1 to 4; RFC 3629), or 0 when there is none. */
size_t text_utf8_length(const char *text, size_t available);
bool text_utf8_valid(const char *text, size_t length);

/* Compares in a time that depends on the lengths only, never on the contents: for secrets. */
bool text_equal_secret(const char *given, size_t given_length, const char *secret, size_t secret_length);

/* Edit distance of two words (insert, delete, replace, swap), for "did you mean". Words over 63 bytes: large. */
size_t text_distance(const char *a, const char *b);

#endif
