/* What the programs of bench/ share: a clock, samples with percentiles, the framing of HTTP messages. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a child appends to the file of stamps when it begins to run. run.py reads it as two little int64s. */
struct stamp {
    int64_t pid;
    int64_t nanoseconds; /* CLOCK_MONOTONIC */
};

struct samples {
    int64_t *values;
    size_t count, capacity;
};

int64_t clock_nanoseconds(void);

/* Prints "WHAT: strerror" and ends the program with status 1. */
void die(const char *what) __attribute__((noreturn));

/* A decimal number from the command line; ends the program when it is none. */
int64_t number_argument(const char *text);

void samples_add(struct samples *samples, int64_t value);
void samples_sort(struct samples *samples);
double samples_percentile_us(const struct samples *sorted, double percent); /* nanoseconds in, microseconds out */

/* The length of the whole HTTP message (head and body) that begins at `bytes`, or 0 while that is not known yet. */
size_t http_message_length(const char *bytes, size_t available);

/* Sends everything on a blocking socket. -1 with errno when the peer is gone. */
int send_all(int fd, const char *bytes, size_t length);

/* The content of a file, to be freed by the caller; ends the program when it cannot be read. */
char *file_content(const char *path, size_t *length);

/* Starts a program without copying this one's memory; its stdin and stdout are these unless they are -1. */
pid_t spawn(char *const argv[], int input, int output);

#endif
