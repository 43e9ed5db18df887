/*
 * The arithmetic of reading logs: a file of some size, an offset and a length, compared with the table of the manual
 * in its plainest form, byte for byte.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "output/logread.h"

#define SIZE_MAXIMUM 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/fuzz-logread-XXXXXX";
static char text[SIZE_MAXIMUM];

static void remove_file(void)
{
    unlink(path);
}

/* A file of this size whose bytes differ from their neighbours. */
static void write_file(size_t size)
{
    static int fd = -1;

    if (fd < 0) {
        for (size_t i = 0; i < SIZE_MAXIMUM; i++)
            text[i] = (char)(i * 7 + i / 256);
        fd = mkostemp(path, O_CLOEXEC);
        atexit(remove_file);
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, size, 0) != (ssize_t)size)
        abort();
}

/* A number near one where something happens: the ends of the file, nothing, and what 32 and 64 bits hold. */
static int64_t make_number(const uint8_t *data, int64_t size)
{
    const int64_t bases[] = {0, size, -size, INT32_MAX, INT32_MIN, INT64_MAX - 127, INT64_MIN + 128, size / 2};

    return bases[data[0] % (sizeof bases / sizeof bases[0])] + (int8_t)data[1];
}

/* The half-open range that is meant; false: BAD_ARGUMENTS. __int128 has room for every sum. */
static bool model_slice(int64_t size, int64_t offset, int64_t length, int64_t *start, int64_t *end)
{
    __int128 first = offset;
    __int128 last;

    if (length < 0 || (offset < 0 && length != 0))
        return false;
    if (offset < 0)
        first = first + size; /* so many bytes from the end */
    if (first < 0)
        first = 0;
    if (first > size)
        first = size;
    last = length == 0 ? size : first + length;
    if (last > size)
        last = size;
    *start = (int64_t)first;
    *end = (int64_t)last;
    return true;
}

static void check_slice(int64_t size, int64_t offset, int64_t length)
{
    struct error err;
    char *bytes = NULL;
    size_t got = 0;
    int64_t start;
    int64_t end;
    const bool is_good = model_slice(size, offset, length, &start, &end);
    const int result = logread_slice(path, offset, length, &bytes, &got, &err);

    if ((result == 0) != is_good || (!is_good && err.fault != FAULT_BAD_ARGUMENTS))
        abort();
    if (is_good && ((int64_t)got != end - start || memcmp(bytes, text + start, got) != 0))
        abort();
    free(bytes);
}

/* The last `length` bytes, none when the file ends at `offset` or before. */
static void check_tail(int64_t size, int64_t offset, int64_t length)
{
    const bool is_empty = length <= 0 || offset >= size;
    const int64_t wanted = is_empty ? 0 : length < size ? length : size;
    struct logread_tail tail;

    logread_tail(path, offset, length, &tail);
    if ((int64_t)tail.size != wanted || memcmp(tail.bytes, text + size - wanted, tail.size) != 0)
        abort();
    if (tail.offset != size || tail.overflow != ((__int128)size > (__int128)offset + length))
        abort();
    free(tail.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 6)
        return 0;

    const int64_t file_size = (data[0] * 256 + data[1]) % SIZE_MAXIMUM;
    const int64_t offset = make_number(data + 2, file_size);
    const int64_t length = make_number(data + 4, file_size);

    write_file((size_t)file_size);
    check_slice(file_size, offset, length);
    check_tail(file_size, offset, length);
    return 0;
}
