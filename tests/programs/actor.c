/*
 * A child that does as it is told: every argument is an action, done in order. At the end it exits with status 0.
 *
 *   print=TEXT  error=TEXT        a line on stdout, on stderr
 *   raw=TEXT                      TEXT on stdout, no newline added
 *   lines=N[,WIDTH]               N numbered lines of WIDTH bytes (newline included) on stdout, at full speed
 *   errlines=N[,WIDTH]            the same on stderr
 *   ticker=SECONDS                numbered lines on stdout with a pause between, until SIGTERM: then "end" and exit
 *   count=FILE,FD,PAUSE,BURST     for ever: BURST lines "NUMBER PID xxx..." on descriptor FD, then a pause of so many
 *                                 seconds. FILE keeps the last number written, over runs and violent deaths: the next
 *                                 run goes on behind it, and repeats one at most
 *   noise=N                       N bytes without a newline on stdout
 *   grow=MEGABYTES                takes so much more memory, and uses it
 *   sleep=SECONDS                 a fraction is fine; not cut short by signals
 *   ignore=SIGNAL                 from now on
 *   say_on=SIGNAL                 prints "got SIGNAL" when it comes, and goes on
 *   exit_on=SIGNAL,STATUS         exits when it comes
 *   mark=FILE,TEXT                appends the line TEXT to FILE
 *   mark_on=SIGNAL,FILE,TEXT      appends it when the signal comes, and goes on
 *   fail_first=FILE,N             counts its runs in FILE; exits with status 1 in the first N of them
 *   echo                          copies stdin to stdout until its end
 *   close=FD                      closes a descriptor
 *   fork ... end                  a new process does what stands between, then exits; this one goes on after `end`
 *   setsid                        leaves the session
 *   die=SIGNAL                    kills itself
 *   hang                          waits for ever
 *   exit=STATUS
 *
 * Signals are named as in TERM. Several say_on and mark_on may be given for different signals.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_MAX = 65 };

/* What to do when a signal comes. */
static struct {
    const char *name;
    const char *file; /* mark_on */
    const char *text;
    int status; /* exit_on */
} reactions[SIGNAL_MAX];

static void fail(const char *what)
{
    fprintf(stderr, "actor: %s: %s\n", what, strerror(errno));
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

static void write_line(int fd, const char *text)
{
    char line[4096];
    const int length = snprintf(line, sizeof(line), "%s\n", text);

    write_all(fd, line, (size_t)length);
}

static void append_line(const char *file, const char *text)
{
    const int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0)
        fail(file);
    write_line(fd, text);
    close(fd);
}

static int parse_number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static int signal_number(const char *name)
{
    for (int number = 1; number < SIGNAL_MAX; number++) {
        const char *known = sigabbrev_np(number);

        if (known != NULL && strcmp(known, name) == 0)
            return number;
    }
    errno = EINVAL;
    fail(name);
    return 0;
}

static void say(int number)
{
    char line[64] = "got ";

    strncat(line, reactions[number].name, sizeof(line) - strlen(line) - 1);
    write_line(STDOUT_FILENO, line);
}

static void mark(int number)
{
    append_line(reactions[number].file, reactions[number].text);
}

static void leave(int number)
{
    _exit(reactions[number].status);
}

static int react(const char *name, void (*handler)(int))
{
    const int number = signal_number(name);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    reactions[number].name = name;
    if (sigaction(number, &action, NULL) < 0)
        fail(name);
    return number;
}

/* "a,b,c": cuts the first part off and gives the rest, "" when there is none. */
static char *cut(char *text)
{
    char *comma = strchr(text, ',');

    if (comma == NULL)
        return text + strlen(text);
    *comma = '\0';
    return comma + 1;
}

/* A line is "00000042 xxxx...": its number in eight digits, then filling. Written in blocks as stdio would. */
static void write_numbered_lines(int fd, char *arguments)
{
    static char block[65536];
    const char *rest = cut(arguments);
    const size_t width = *rest != '\0' ? strtoul(rest, NULL, 10) : 64;
    const unsigned long count = strtoul(arguments, NULL, 10);
    size_t used = 0;

    for (unsigned long number = 1; number <= count; number++) {
        char digits[24];

        if (used + width > sizeof(block)) {
            write_all(fd, block, used);
            used = 0;
        }
        snprintf(digits, sizeof(digits), "%08lu ", number);
        memset(block + used, 'x', width);
        memcpy(block + used, digits, 9);
        block[used + width - 1] = '\n';
        used += width;
    }
    write_all(fd, block, used);
}

static void do_sleep(char *seconds);

static void do_print(char *text)
{
    write_line(STDOUT_FILENO, text);
}
static void do_error(char *text)
{
    write_line(STDERR_FILENO, text);
}
static void do_raw(char *text)
{
    write_all(STDOUT_FILENO, text, strlen(text));
}
static volatile sig_atomic_t end_was_asked;

static void note_end(int number)
{
    (void)number;
    end_was_asked = 1;
}

static void do_lines(char *arguments)
{
    write_numbered_lines(STDOUT_FILENO, arguments);
}
static void do_ticker(char *seconds)
{
    const double pause = strtod(seconds, NULL);
    char line[32];

    signal(SIGTERM, note_end);
    for (int number = 1; !end_was_asked; number++) {
        (void)snprintf(line, sizeof line, "%d", number);
        write_line(STDOUT_FILENO, line);
        nanosleep(&(struct timespec){.tv_sec = (time_t)pause, .tv_nsec = (long)((pause - (double)(time_t)pause) * 1e9)},
                  NULL);
    }
    write_line(STDOUT_FILENO, "end");
    _exit(0);
}
/* The number in FILE, which outlives this process. */
static volatile unsigned long *map_number(const char *file)
{
    const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    void *number;

    if (fd < 0 || ftruncate(fd, sizeof(unsigned long)) < 0)
        fail(file);
    number = mmap(NULL, sizeof(unsigned long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (number == MAP_FAILED)
        fail(file);
    close(fd);
    return number;
}

/* A line is short enough for a pipe to take it whole or not at all. */
static void do_count(char *arguments)
{
    char *fd = cut(arguments);
    char *pause_text = cut(fd);
    const char *burst = cut(pause_text);
    volatile unsigned long *number = map_number(arguments);

    for (;;) {
        for (int left = parse_number(burst); left > 0; left--) {
            char line[80];
            const int length = snprintf(line, sizeof(line), "%010lu %07d %.*s\n", *number + 1, (int)getpid(),
                                        (int)(*number % 40), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

            write_all(parse_number(fd), line, (size_t)length);
            ++*number;
        }
        do_sleep(pause_text);
    }
}
static void do_errlines(char *arguments)
{
    write_numbered_lines(STDERR_FILENO, arguments);
}
static void do_ignore(char *name)
{
    signal(signal_number(name), SIG_IGN);
}
static void do_say_on(char *name)
{
    react(name, say);
}
static void do_close(char *fd)
{
    close(parse_number(fd));
}
static void do_exit(char *status)
{
    _exit(parse_number(status));
}

static void do_grow(char *megabytes)
{
    const size_t size = strtoul(megabytes, NULL, 10) << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        fail("mmap");
    memset(memory, 'x', size);
}

static void do_noise(char *count)
{
    for (unsigned long left = strtoul(count, NULL, 10); left > 0; left--)
        write_all(STDOUT_FILENO, "n", 1);
}

static void do_sleep(char *seconds)
{
    const double wanted = strtod(seconds, NULL);
    struct timespec left = {.tv_sec = (time_t)wanted};

    left.tv_nsec = (long)((wanted - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static void do_exit_on(char *arguments)
{
    const char *status = cut(arguments);

    reactions[signal_number(arguments)].status = parse_number(status);
    react(arguments, leave);
}

static void do_mark(char *arguments)
{
    const char *text = cut(arguments);

    append_line(arguments, text);
}

static void do_mark_on(char *arguments)
{
    char *file = cut(arguments);
    const char *text = cut(file);
    const int number = signal_number(arguments);

    reactions[number].file = file;
    reactions[number].text = text;
    react(arguments, mark);
}

static void do_fail_first(char *arguments)
{
    const char *count = cut(arguments);
    struct stat file;

    append_line(arguments, "");
    if (stat(arguments, &file) < 0)
        fail(arguments);
    if (file.st_size <= parse_number(count))
        _exit(1);
}

static void do_echo(void)
{
    char buffer[4096];
    ssize_t got;

    while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0) {
        if (got > 0)
            write_all(STDOUT_FILENO, buffer, (size_t)got);
        else if (errno != EINTR)
            fail("stdin");
    }
}

static void do_setsid(void)
{
    if (setsid() < 0)
        fail("setsid");
}

static void do_die(char *name)
{
    const int number = signal_number(name);

    signal(number, SIG_DFL);
    raise(number);
    do_sleep((char[]){"60"});
}

static void do_hang(void)
{
    for (;;)
        pause();
}

static const struct action {
    const char *name;
    void (*perform)(char *arguments);
    void (*perform_bare)(void); /* instead, when there are no arguments */
} actions[] = {
    {"print", do_print},
    {"error", do_error},
    {"raw", do_raw},
    {"lines", do_lines},
    {"ticker", do_ticker},
    {"count", do_count},
    {"noise", do_noise},
    {"grow", do_grow},
    {"errlines", do_errlines},
    {"sleep", do_sleep},
    {"ignore", do_ignore},
    {"say_on", do_say_on},
    {"exit_on", do_exit_on},
    {"mark", do_mark},
    {"mark_on", do_mark_on},
    {"fail_first", do_fail_first},
    {"echo", .perform_bare = do_echo},
    {"close", do_close},
    {"setsid", .perform_bare = do_setsid},
    {"die", do_die},
    {"hang", .perform_bare = do_hang},
    {"exit", do_exit},
};

static void perform(char *argument)
{
    char *arguments = strchr(argument, '=');

    if (arguments != NULL)
        *arguments++ = '\0';
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, argument) == 0) {
            if (actions[i].perform_bare != NULL)
                actions[i].perform_bare();
            else
                actions[i].perform(arguments != NULL ? arguments : argument + strlen(argument));
            return;
        }
    }
    errno = EINVAL;
    fail(argument);
}

/* Where the `end` of the `fork` before `at` stands. */
static int find_end(char **arguments, int at)
{
    for (int depth = 1; arguments[at] != NULL; at++) {
        if (strcmp(arguments[at], "fork") == 0)
            depth++;
        else if (strcmp(arguments[at], "end") == 0 && --depth == 0)
            return at;
    }
    errno = EINVAL;
    fail("fork without end");
    return at;
}

int main(int argc, char **arguments)
{
    (void)argc;
    for (int i = 1; arguments[i] != NULL; i++) {
        if (strcmp(arguments[i], "end") == 0)
            return 0;
        if (strcmp(arguments[i], "fork") != 0) {
            perform(arguments[i]);
            continue;
        }
        const pid_t pid = fork();

        if (pid < 0)
            fail("fork");
        if (pid > 0)
            i = find_end(arguments, i + 1);
    }
    return 0;
}
