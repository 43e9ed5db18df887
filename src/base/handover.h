/*
 * What a running program hands over to the program that takes its place (execve) without anything being stopped.
 *
 * Fields are named, and each is named once: a function that hands a struct over works both ways. While giving, it notes
 * the values; while taking, it sets them. A field that the giver did not know keeps the value it has, and one that the
 * taker does not know is passed over, so that a newer program can take from an older one, and the other way round.
 *
 * Fields stand in records, and records in each other or in lists. Texts are bytes of any kind.
 */
#ifndef BASE_HANDOVER_H
#define BASE_HANDOVER_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct handover;

struct handover *handover_new(void);                       /* to give */
struct handover *handover_read(int fd, struct error *err); /* to take; NULL with *err when it makes no sense */
void handover_free(struct handover *handover);             /* NULL is fine */
bool handover_is_taking(const struct handover *handover);

/* What was given, as a file without a name: its descriptor, close-on-exec, or -1 with *err. */
int handover_write(const struct handover *handover, struct error *err);

/* The descriptors that were given, to be inherited by the program that takes them. Borrowed. */
const int *handover_fds(const struct handover *handover, size_t *count);

/* -1 with *err when something that was taken could not be so: the first such thing. */
int handover_check(const struct handover *handover, struct error *err);
/* Notes such a thing. */
void handover_refuse(struct handover *handover, const struct error *err);

/* Whether there is such a field, or while giving: such a field so far. */
bool handover_has(const struct handover *handover, const char *name);

/* Each returns the value: the one that it was called with, or the one that was taken. */
int64_t handover_integer(struct handover *handover, const char *name, int64_t value);
bool handover_flag(struct handover *handover, const char *name, bool value);

/* A string that is owned by its struct, or NULL; the one that is there is freed when another is taken. */
void handover_text(struct handover *handover, const char *name, char **text);

/* What is in a buffer. What is taken is added to it. */
void handover_buffer(struct handover *handover, const char *name, struct evbuffer *buffer);

/* The first *length bytes of an array that has `size`; more than fit are cut off. */
void handover_bytes(struct handover *handover, const char *name, char *bytes, size_t size, size_t *length);

/* A descriptor, or -1. One that is taken is close-on-exec again. */
void handover_fd(struct handover *handover, const char *name, int *fd);

/*
 * What follows stands in a record of that name, until handover_close(). False while taking when there is no such
 * record; it is to be closed even so.
 */
bool handover_open(struct handover *handover, const char *name);
/* ... in a list of `count` records, each between handover_open_next() and handover_close(). How many there are. */
size_t handover_open_list(struct handover *handover, const char *name, size_t count);
void handover_open_next(struct handover *handover);
void handover_close(struct handover *handover);

#endif
