#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t clock_nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void die(const char *what)
{
    perror(what);
    exit(1);
}

int64_t number_argument(const char *text)
{
    char *end;
    const long long value = strtoll(text, &end, 10);

    if (end == text || *end != '\0') {
        errno = EINVAL;
        die(text);
    }
    return value;
}

void samples_add(struct samples *samples, int64_t value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 4096 : samples->capacity * 2;
        samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
        if (samples->values == NULL)
            die("samples");
    }
    samples->values[samples->count++] = value;
}

static int compare_values(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

void samples_sort(struct samples *samples)
{
    if (samples->count > 0)
        qsort(samples->values, samples->count, sizeof *samples->values, compare_values);
}

double samples_percentile_us(const struct samples *sorted, double percent)
{
    if (sorted->count == 0)
        return 0;
    return (double)sorted->values[(size_t)((double)(sorted->count - 1) * percent / 100)] / 1000;
}

size_t http_message_length(const char *bytes, size_t available)
{
    static const char field[] = "\ncontent-length:";
    const char *end = memmem(bytes, available, "\r\n\r\n", 4);

    if (end == NULL)
        return 0;
    for (const char *at = bytes; at < end; at++)
        if (*at == '\n' && strncasecmp(at, field, sizeof field - 1) == 0)
            return (size_t)(end - bytes) + 4 + strtoul(at + sizeof field - 1, NULL, 10);
    return (size_t)(end - bytes) + 4;
}

int send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            return -1;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
    }
    return 0;
}

char *file_content(const char *path, size_t *length)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        die(path);
    char *content = malloc((size_t)status.st_size + 1);
    if (content == NULL || read(fd, content, (size_t)status.st_size) != status.st_size)
        die(path);
    close(fd);
    *length = (size_t)status.st_size;
    content[*length] = '\0';
    return content;
}

pid_t spawn(char *const argv[], int input, int output)
{
    const pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): its cost is what we measure */

    if (pid < 0)
        die("vfork");
    if (pid == 0) {
        if (input >= 0)
            dup2(input, STDIN_FILENO); /* NOLINT(clang-analyzer-unix.Vfork): a system call that touches no memory */
        if (output >= 0)
            dup2(output, STDOUT_FILENO); /* NOLINT(clang-analyzer-unix.Vfork): the same */
        execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}
