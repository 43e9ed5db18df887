/*
 * An event listener that does as it is told: every argument is an action, done in order. At the end it exits with
 * status 0.
 *
 *   record=FILE   from now on each event taken is appended to FILE as two lines: the header, and the payload with
 *                 newlines as \n, backslashes as \\ and other control characters as \xNN
 *   ready         says that it is ready
 *   take          reads an event; exits when stdin is at its end
 *   ok  fail      the result of the event
 *   serve[=N]     ready, take and ok, N times or for ever, with one write for a result and the next READY
 *   say=TEXT      TEXT on stdout; \n in it is a newline
 *   once=FILE     the next action is done only if FILE does not exist yet; it is made
 *   error=TEXT    a line on stderr
 *   flood=N       N bytes on stderr
 *   await=FILE    waits until FILE exists
 *   ignore=SIGNAL TERM, HUP or INT, from now on
 *   close=FD      closes a descriptor
 *   hang          waits for ever
 *   exit=STATUS
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int record_fd = -1;

static void fail(const char *what)
{
    fprintf(stderr, "listener: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            _exit(98);
        bytes += written;
        length -= (size_t)written;
    }
}

static void say(const char *text)
{
    write_all(STDOUT_FILENO, text, strlen(text));
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static char input[1 << 20]; /* what was read and not taken yet */
static size_t input_start, input_end;

/* Reads more; exits at the end of stdin. */
static void read_more(void)
{
    if (input_start > 0) {
        memmove(input, input + input_start, input_end - input_start);
        input_end -= input_start;
        input_start = 0;
    }
    if (input_end == sizeof input)
        _exit(97);
    const ssize_t got = read(STDIN_FILENO, input + input_end, sizeof input - input_end);

    if (got < 0 && errno == EINTR)
        return;
    if (got < 0)
        fail("stdin");
    if (got == 0)
        _exit(0);
    input_end += (size_t)got;
}

static size_t payload_length(const char *header, size_t length)
{
    const char *found = memmem(header, length, " len:", 5);

    return found != NULL ? strtoul(found + 5, NULL, 10) : 0;
}

static void record(const char *header, size_t header_length, const char *payload, size_t length)
{
    char *text = malloc(header_length + 4 * length + 2);
    size_t end = header_length;

    memcpy(text, header, header_length);
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)payload[i];
        if (byte == '\n' || byte == '\\')
            end += (size_t)sprintf(text + end, "\\%c", byte == '\n' ? 'n' : '\\');
        else if (byte < ' ')
            end += (size_t)sprintf(text + end, "\\x%02x", byte);
        else
            text[end++] = (char)byte;
    }
    text[end++] = '\n';
    write_all(record_fd, text, end);
    free(text);
}

static void take(void)
{
    char *newline;

    while ((newline = memchr(input + input_start, '\n', input_end - input_start)) == NULL)
        read_more();
    const size_t header_length = (size_t)(newline + 1 - (input + input_start));
    const size_t length = payload_length(input + input_start, header_length);

    while (input_end - input_start < header_length + length)
        read_more();
    if (record_fd >= 0)
        record(input + input_start, header_length, input + input_start + header_length, length);
    input_start += header_length + length;
}

static void serve(const char *count)
{
    long left = count != NULL ? strtol(count, NULL, 10) : -1;

    say("READY\n");
    while (left != 0) {
        take();
        if (left > 0)
            left--;
        say(left == 0 ? "RESULT 2\nOK" : "RESULT 2\nOKREADY\n");
    }
}

/* --- actions ------------------------------------------------------------------------------------------------------ */

static void do_ready(const char *value)
{
    (void)value;
    say("READY\n");
}

static void do_take(const char *value)
{
    (void)value;
    take();
}

static void do_ok(const char *value)
{
    (void)value;
    say("RESULT 2\nOK");
}

static void do_fail(const char *value)
{
    (void)value;
    say("RESULT 4\nFAIL");
}

static void do_record(const char *value)
{
    record_fd = open(value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (record_fd < 0)
        fail(value);
}

static void do_say(const char *value)
{
    char *text = strdup(value);
    size_t end = 0;

    for (const char *at = value; *at != '\0'; at++) {
        const int is_newline = at[0] == '\\' && at[1] == 'n';
        text[end++] = is_newline ? '\n' : *at;
        at += is_newline;
    }
    write_all(STDOUT_FILENO, text, end);
    free(text);
}

static void do_error(const char *value)
{
    dprintf(STDERR_FILENO, "%s\n", value);
}

static void do_flood(const char *value)
{
    static char block[65536];
    size_t left = strtoul(value, NULL, 10);

    memset(block, 'x', sizeof block);
    while (left > 0) {
        const size_t piece = left < sizeof block ? left : sizeof block;
        write_all(STDERR_FILENO, block, piece);
        left -= piece;
    }
}

static void do_await(const char *value)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    struct stat found;

    while (stat(value, &found) < 0)
        nanosleep(&pause, NULL);
}

static void do_ignore(const char *value)
{
    signal(strcmp(value, "HUP") == 0 ? SIGHUP : strcmp(value, "INT") == 0 ? SIGINT : SIGTERM, SIG_IGN);
}

static void do_close(const char *value)
{
    close((int)strtol(value, NULL, 10));
}

static void do_hang(const char *value)
{
    (void)value;
    for (;;)
        pause();
}

static void do_exit(const char *value)
{
    exit((int)strtol(value, NULL, 10));
}

static const struct {
    const char *name;
    void (*act)(const char *value); /* what stands behind the =, or NULL */
} actions[] = {
    {"ready", do_ready}, {"take", do_take},   {"ok", do_ok},       {"fail", do_fail},     {"record", do_record},
    {"serve", serve},    {"say", do_say},     {"error", do_error}, {"flood", do_flood},   {"await", do_await},
    {"hang", do_hang},   {"close", do_close}, {"exit", do_exit},   {"ignore", do_ignore},
};

/* True when the file was there. */
static int exists_or_make(const char *file)
{
    const int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        return 1;
    close(fd);
    return 0;
}

static void act(const char *argument)
{
    const size_t length = strcspn(argument, "=");
    const char *value = argument[length] == '=' ? argument + length + 1 : NULL;

    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strlen(actions[i].name) == length && strncmp(actions[i].name, argument, length) == 0) {
            actions[i].act(value);
            return;
        }
    fprintf(stderr, "listener: unknown action %s\n", argument);
    exit(96);
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++)
        if (strncmp(arguments[i], "once=", 5) != 0)
            act(arguments[i]);
        else if (exists_or_make(arguments[i] + 5))
            i++;
    return 0;
}
