#include "base/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/containers.h"
#include "base/fd.h"
#include "base/memory.h"

/* Far more than any state is nested. */
enum { DEPTH_MAX = 16 };

struct handover {
    json_t *root;
    bool is_taking;
    bool is_refused;
    struct error refusal;
    UT_array fds; /* of int */
    struct level {
        json_t *value; /* an object or an array; NULL while taking: it was not given */
        size_t next;   /* of an array: the next item to take */
    } levels[DEPTH_MAX];
    size_t depth; /* the innermost level */
};

static const UT_icd fd_icd = {sizeof(int), NULL, NULL, NULL};

static struct handover *wrap(json_t *root, bool is_taking)
{
    struct handover *handover = xcalloc(1, sizeof *handover);

    if (root == NULL)
        memory_exhausted();
    handover->root = root;
    handover->is_taking = is_taking;
    handover->levels[0].value = root;
    utarray_init(&handover->fds, &fd_icd);
    return handover;
}

struct handover *handover_new(void)
{
    return wrap(json_object(), false);
}

/* The library would read byte by byte. */
static json_t *load(int fd)
{
    struct stat status;
    json_error_t cause;

    if (fstat(fd, &status) < 0 || lseek(fd, 0, SEEK_SET) != 0)
        return NULL;
    CLEANUP_FREE char *text = xmalloc((size_t)status.st_size + 1);
    const ssize_t length = fd_read_all(fd, text, (size_t)status.st_size);
    return length >= 0 ? json_loadb(text, (size_t)length, JSON_ALLOW_NUL, &cause) : NULL;
}

struct handover *handover_read(int fd, struct error *err)
{
    json_t *root = load(fd);

    if (json_is_object(root))
        return wrap(root, true);
    json_decref(root);
    error_set(err, "what the program before handed over cannot be read");
    return NULL;
}

void handover_free(struct handover *handover)
{
    if (handover == NULL)
        return;
    json_decref(handover->root);
    utarray_done(&handover->fds);
    free(handover);
}

bool handover_is_taking(const struct handover *handover)
{
    return handover->is_taking;
}

int handover_write(const struct handover *handover, struct error *err)
{
    const int fd = memfd_create("handover", MFD_CLOEXEC);

    if (fd < 0)
        return error_from_errno(err, errno, "cannot make a file for what is handed over");
    CLEANUP_FREE char *text = json_dumps(handover->root, JSON_COMPACT); /* to the file it would write in tiny pieces */
    if (text == NULL)
        memory_exhausted();
    if (fd_write_all(fd, text, strlen(text)) == 0)
        return fd;
    error_from_errno(err, errno, "cannot write what is handed over");
    close(fd);
    return -1;
}

const int *handover_fds(const struct handover *handover, size_t *count)
{
    *count = utarray_len(&handover->fds);
    return (const int *)utarray_front(&handover->fds);
}

int handover_check(const struct handover *handover, struct error *err)
{
    if (!handover->is_refused)
        return 0;
    *err = handover->refusal;
    return -1;
}

void handover_refuse(struct handover *handover, const struct error *err)
{
    if (!handover->is_refused)
        handover->refusal = *err;
    handover->is_refused = true;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

static struct level *innermost(struct handover *handover)
{
    return &handover->levels[handover->depth];
}

/* Takes over `value`. */
static void give(struct handover *handover, const char *name, json_t *value)
{
    if (value == NULL || json_object_set_new(innermost(handover)->value, name, value) < 0)
        memory_exhausted();
}

/* NULL when it was not given. */
static json_t *take(struct handover *handover, const char *name)
{
    return json_object_get(innermost(handover)->value, name);
}

bool handover_has(const struct handover *handover, const char *name)
{
    return json_object_get(handover->levels[handover->depth].value, name) != NULL;
}

static void enter(struct handover *handover, json_t *value)
{
    if (handover->depth + 1 == DEPTH_MAX)
        abort();
    handover->depth++;
    *innermost(handover) = (struct level){.value = value};
}

static json_t *give_level(struct handover *handover, const char *name, json_t *value)
{
    give(handover, name, value);
    return value;
}

bool handover_open(struct handover *handover, const char *name)
{
    enter(handover, handover->is_taking ? take(handover, name) : give_level(handover, name, json_object()));
    return innermost(handover)->value != NULL;
}

size_t handover_open_list(struct handover *handover, const char *name, size_t count)
{
    enter(handover, handover->is_taking ? take(handover, name) : give_level(handover, name, json_array()));
    return handover->is_taking ? json_array_size(innermost(handover)->value) : count;
}

void handover_open_next(struct handover *handover)
{
    struct level *list = innermost(handover);
    json_t *item = handover->is_taking ? json_array_get(list->value, list->next++) : json_object();

    if (!handover->is_taking && json_array_append_new(list->value, item) < 0)
        memory_exhausted();
    enter(handover, item);
}

void handover_close(struct handover *handover)
{
    if (handover->depth == 0)
        abort();
    handover->depth--;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

int64_t handover_integer(struct handover *handover, const char *name, int64_t value)
{
    if (!handover->is_taking) {
        give(handover, name, json_integer(value));
        return value;
    }
    const json_t *given = take(handover, name);
    return json_is_integer(given) ? json_integer_value(given) : value;
}

bool handover_flag(struct handover *handover, const char *name, bool value)
{
    return handover_integer(handover, name, value) != 0;
}

static void take_fd(struct handover *handover, const char *name, int *fd)
{
    struct error err;

    *fd = (int)handover_integer(handover, name, -1);
    if (*fd < 0 || fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0)
        return;
    error_from_errno(&err, errno, "descriptor %d (%s) was not handed over", *fd, name);
    handover_refuse(handover, &err);
    *fd = -1;
}

void handover_fd(struct handover *handover, const char *name, int *fd)
{
    if (handover->is_taking) {
        take_fd(handover, name, fd);
        return;
    }
    handover_integer(handover, name, *fd);
    if (*fd >= 0)
        utarray_push_back(&handover->fds, fd);
}

/* --- text: JSON has characters and no bytes, so each byte is the character of its number (ISO 8859-1) ------------- */

static json_t *encode(const char *bytes, size_t length)
{
    CLEANUP_FREE char *text = xmalloc(2 * length + 1);
    size_t made = 0;

    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x80)
            text[made++] = (char)(0xc0 | byte >> 6);
        text[made++] = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte);
    }
    return json_stringn(text, made);
}

/* A string to free, with a NUL behind. Characters that stand for no byte become some other. */
static char *decode(const json_t *given, size_t *length)
{
    const unsigned char *text = (const unsigned char *)json_string_value(given);
    const size_t size = json_string_length(given);
    char *bytes = xmalloc(size + 1);

    *length = 0;
    for (size_t i = 0; i < size; i++) {
        const bool is_pair = text[i] >= 0x80 && i + 1 < size;
        bytes[(*length)++] = (char)(is_pair ? (text[i] & 0x03) << 6 | (text[i + 1] & 0x3f) : text[i]);
        i += is_pair;
    }
    bytes[*length] = '\0';
    return bytes;
}

void handover_text(struct handover *handover, const char *name, char **text)
{
    size_t length;

    if (!handover->is_taking) {
        give(handover, name, *text != NULL ? encode(*text, strlen(*text)) : json_null());
        return;
    }
    const json_t *given = take(handover, name);
    if (given == NULL)
        return;
    free(*text);
    *text = json_is_string(given) ? decode(given, &length) : NULL;
}

void handover_buffer(struct handover *handover, const char *name, struct evbuffer *buffer)
{
    size_t length = evbuffer_get_length(buffer);

    if (!handover->is_taking) {
        give(handover, name, encode(length > 0 ? (const char *)evbuffer_pullup(buffer, -1) : "", length));
        return;
    }
    const json_t *given = take(handover, name);
    if (!json_is_string(given))
        return;
    CLEANUP_FREE char *bytes = decode(given, &length);
    if (evbuffer_add(buffer, bytes, length) < 0)
        memory_exhausted();
}

void handover_bytes(struct handover *handover, const char *name, char *bytes, size_t size, size_t *length)
{
    size_t given_length;

    if (!handover->is_taking) {
        give(handover, name, encode(bytes, *length));
        return;
    }
    const json_t *given = take(handover, name);
    if (!json_is_string(given))
        return;
    CLEANUP_FREE char *text = decode(given, &given_length);
    *length = given_length < size ? given_length : size;
    memcpy(bytes, text, *length);
}
