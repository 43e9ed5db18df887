/*
 * An event listener that answers as fast as it can and notes when each event arrived, in a file that is mapped into
 * memory so that the noting costs no system call. The file's size says how many events there is room for.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

/* What run.py reads, as three little int64s. Where there is no time yet, there was no event. */
struct arrival {
    int64_t serial;
    int64_t nanoseconds; /* CLOCK_MONOTONIC */
    int64_t sent;        /* what the event says after "sent:", or 0 */
};

struct notes {
    struct arrival *next, *end;
};

static struct notes notes_open(const char *path)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        die(path);
    const size_t size = (size_t)status.st_size;
    struct arrival *first = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (first == MAP_FAILED)
        die(path);
    close(fd);
    return (struct notes){first, first + size / sizeof *first};
}

/* The number after `name` in the first `length` bytes, or 0. */
static int64_t number_after(const char *bytes, size_t length, const char *name)
{
    const char *at = memmem(bytes, length, name, strlen(name));

    return at == NULL ? 0 : strtoll(at + strlen(name), NULL, 10);
}

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        exit(1);
}

/* The length of the whole event (header and payload) that begins at `bytes`, or 0 while that is not known yet. */
static size_t event_length(const char *bytes, size_t available)
{
    const char *end = memchr(bytes, '\n', available);

    if (end == NULL)
        return 0;
    const size_t header = (size_t)(end - bytes) + 1;
    return header + (size_t)number_after(bytes, header, " len:");
}

static void note(struct notes *notes, const char *bytes, size_t length)
{
    if (notes->next == notes->end)
        exit(1);
    const int64_t now = clock_nanoseconds();
    notes->next->serial = number_after(bytes, length, " serial:");
    notes->next->sent = number_after(bytes, length, "sent:");
    __atomic_store_n(&notes->next->nanoseconds, now, __ATOMIC_RELEASE);
    notes->next++;
}

int main(int argc, char **argv)
{
    static char buffer[BUFFER_SIZE + 1];
    size_t filled = 0;

    if (argc != 2)
        die("usage: listener FILE");
    struct notes notes = notes_open(argv[1]);
    say("READY\n");
    for (;;) {
        const ssize_t got = read(STDIN_FILENO, buffer + filled, BUFFER_SIZE - filled);

        if (got <= 0)
            return 0;
        filled += (size_t)got;
        buffer[filled] = '\0';
        const size_t whole = event_length(buffer, filled);
        if (whole == 0 || filled < whole)
            continue;
        note(&notes, buffer, whole);
        filled = 0; /* the next event comes after our answer */
        say("RESULT 2\nOKREADY\n");
    }
}
