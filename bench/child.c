/* The supervised programs of bench/: small and static, so that what is measured is the daemon that runs them. */
#include "bench.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_LENGTH 100

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void write_or_exit(const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, length);

        if (written <= 0)
            _exit(1);
        bytes += written;
        length -= (size_t)written;
    }
}

static void put_stamp(const char *path)
{
    const struct stamp stamp = {.pid = getpid(), .nanoseconds = clock_nanoseconds()};
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd < 0 || write(fd, &stamp, sizeof stamp) != sizeof stamp)
        die(path);
    close(fd);
}

/* "NAME 000000123 ....\n", LINE_LENGTH bytes: run.py knows what each line of a log must be. */
static void format_line(char line[LINE_LENGTH + 1], const char *name, int64_t number)
{
    const int length = snprintf(line, LINE_LENGTH, "%s %09lld ", name, (long long)number);

    memset(line + length, '.', LINE_LENGTH - (size_t)length);
    line[LINE_LENGTH - 1] = '\n';
}

static void run_idle(char **arguments)
{
    (void)arguments;
    sleep_for_ever();
}

static void run_stamp(char **arguments)
{
    put_stamp(arguments[0]);
    sleep_for_ever();
}

static void run_stamp_exit(char **arguments)
{
    put_stamp(arguments[0]);
}

static void run_lines(char **arguments)
{
    char line[LINE_LENGTH + 1];

    for (int64_t i = 0, count = number_argument(arguments[1]); i < count; i++) {
        format_line(line, arguments[0], i);
        write_or_exit(line, LINE_LENGTH);
    }
    sleep_for_ever();
}

static void run_bytes(char **arguments)
{
    static char block[640 * LINE_LENGTH + 1];
    int64_t left = number_argument(arguments[0]);

    for (size_t at = 0; at + LINE_LENGTH < sizeof block; at += LINE_LENGTH)
        format_line(block + at, "bytes", (int64_t)at);
    while (left > 0) {
        const size_t part = left < (int64_t)sizeof block - 1 ? (size_t)left : sizeof block - 1;

        write_or_exit(block, part);
        left -= (int64_t)part;
    }
    sleep_for_ever();
}

/* Ten blocks of lines a second would be bursts; a hundred are a steady stream. */
static void run_rate(char **arguments)
{
    static char block[640 * LINE_LENGTH + 1];
    const size_t lines = (size_t)number_argument(arguments[0]) / 100 / LINE_LENGTH;
    const struct timespec pause_time = {.tv_nsec = 10000000};

    for (size_t i = 0; i < lines && (i + 1) * LINE_LENGTH < sizeof block; i++)
        format_line(block + i * LINE_LENGTH, "rate", (int64_t)i);
    for (;;) {
        write_or_exit(block, strlen(block));
        nanosleep(&pause_time, NULL);
    }
}

/* One line at a time, so that each is one event; ends after the last. */
static void run_sent(char **arguments)
{
    const struct timespec pause_time = {.tv_nsec = (long)number_argument(arguments[1]) * 1000};
    char line[64];

    for (int64_t i = 0, count = number_argument(arguments[0]); i < count; i++) {
        nanosleep(&pause_time, NULL);
        const int length = snprintf(line, sizeof line, "sent:%lld\n", (long long)clock_nanoseconds());
        write_or_exit(line, (size_t)length);
    }
}

static const struct mode {
    const char *name;
    int arguments;
    void (*run)(char **arguments);
    const char *help;
} modes[] = {
    {"idle", 0, run_idle, "idle                 sleeps"},
    {"stamp", 1, run_stamp, "stamp FILE           appends its pid and start time to FILE, then sleeps"},
    {"stamp-exit", 1, run_stamp_exit, "stamp-exit FILE      the same, but exits at once"},
    {"lines", 2, run_lines, "lines NAME COUNT     writes numbered lines, one write each, then sleeps"},
    {"bytes", 1, run_bytes, "bytes COUNT          writes lines in large blocks, then sleeps"},
    {"rate", 1, run_rate, "rate BYTES           writes so many bytes a second, for ever"},
    {"sent", 2, run_sent, "sent COUNT PAUSE     writes lines with the time, microseconds apart, and ends"},
};

#define WORDS_MAXIMUM 8

/* As ./run of a service of runit and its like, which give it no arguments of ours: they stand in a file, one a line. */
static int words_of_service(char **words)
{
    static char text[4096];
    size_t length;
    char *rest = text;
    int count = 1;
    char *content = file_content("arguments", &length);

    (void)snprintf(text, sizeof text, "%s", content);
    for (char *word = strsep(&rest, "\n"); word != NULL && *word != '\0' && count < WORDS_MAXIMUM;
         word = strsep(&rest, "\n"))
        words[count++] = word;
    return count;
}

static bool is_service(const char *name)
{
    const char *slash = strrchr(name, '/');

    return strcmp(slash != NULL ? slash + 1 : name, "run") == 0;
}

int main(int argc, char **argv)
{
    char *words[WORDS_MAXIMUM + 1] = {argv[0]};

    if (is_service(argv[0])) {
        argc = words_of_service(words);
        argv = words;
    }
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (argc > 1 && strcmp(argv[1], modes[i].name) == 0 && argc - 2 == modes[i].arguments) {
            modes[i].run(argv + 2);
            return 0;
        }
    fprintf(stderr, "usage: child MODE\n");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        fprintf(stderr, "  %s\n", modes[i].help);
    return 2;
}
