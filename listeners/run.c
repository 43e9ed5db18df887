#include "listeners/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 1 << 20 };

/* --- words -------------------------------------------------------------------------------------------------------- */

static const UT_icd word_icd = {.sz = sizeof(char *)};

void command_free(UT_array *words)
{
    if (words == NULL)
        return;
    for (size_t i = 0; i < utarray_len(words); i++)
        free(*(char **)utarray_eltptr(words, i));
    utarray_free(words);
}

/* Copies one word without its quotes to `to`. What comes behind it; NULL: a quote is not closed. */
static const char *copy_word(const char *from, char *to)
{
    char quote = '\0';

    for (; *from != '\0' && (quote != '\0' || (*from != ' ' && *from != '\t')); from++) {
        if (quote == '\0' && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (*from == quote)
            quote = '\0';
        else if (*from == '\\' && quote != '\'' && from[1] != '\0')
            *to++ = *++from;
        else
            *to++ = *from;
    }
    *to = '\0';
    return quote == '\0' ? from : NULL;
}

UT_array *command_split(const char *command)
{
    UT_array *words;
    char *word = NULL;

    utarray_new(words, &word_icd);
    while (*(command += strspn(command, " \t")) != '\0') {
        word = text_copy(command);
        command = copy_word(command, word);
        utarray_push_back(words, &word);
        if (command == NULL)
            break;
    }
    if (command == NULL || word == NULL) {
        command_free(words);
        return NULL;
    }
    word = NULL;
    utarray_push_back(words, &word);
    return words;
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

/* A file in memory with a text in it, read from its start; -1 with errno. */
static int file_of(const char *text)
{
    const int fd = memfd_create("text", MFD_CLOEXEC);
    size_t left = strlen(text);

    while (fd >= 0 && left > 0) {
        const ssize_t written = write(fd, text, left);

        if (written < 0) {
            close(fd);
            return -1;
        }
        text += written;
        left -= (size_t)written;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static void add_file(UT_string *to, int fd)
{
    char piece[4096];
    ssize_t length;
    off_t at = 0;

    while (at < OUTPUT_MAX && (length = pread(fd, piece, sizeof piece, at)) > 0) {
        utstring_bincpy(to, piece, (size_t)length);
        at += length;
    }
}

/* With the signals as a program expects them: we ignore SIGPIPE. */
static int spawn(char *const *words, int input, int output, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t usual;

    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    const int os = posix_spawnp(pid, words[0], &files, &attributes, words, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return os;
}

/* Waits for the end of a child, and makes it come when it takes too long: false then. */
static bool wait_for(pid_t pid, unsigned seconds, int *status)
{
    struct pollfd ended = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    int found = 1;

    if (ended.fd >= 0) { /* else without a limit */
        do
            found = poll(&ended, 1, (int)seconds * 1000);
        while (found < 0 && errno == EINTR);
        close(ended.fd);
    }
    if (found == 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
    return found != 0;
}

static char *describe_end(const char *name, int status, bool in_time, unsigned seconds)
{
    if (!in_time)
        return text_format("%s: did not end in %u seconds", name, seconds);
    if (WIFSIGNALED(status))
        return text_format("%s: terminated by signal %d", name, WTERMSIG(status));
    return text_format("%s: exit status %d", name, WEXITSTATUS(status));
}

static int run_on(char *const *words, int input, int output, unsigned seconds, char **problem)
{
    pid_t pid;
    int status = 0;
    const int os = spawn(words, input, output, &pid);

    if (os != 0) {
        *problem = text_format("%s: %s", words[0], strerror(os));
        return -1;
    }
    const bool in_time = wait_for(pid, seconds, &status);
    if (in_time && status == 0)
        return 0;
    *problem = describe_end(words[0], status, in_time, seconds);
    return -1;
}

int command_run(char *const *words, const char *input, UT_string *output, unsigned seconds, char **problem)
{
    const int in = file_of(input);
    const int out = output != NULL ? memfd_create("output", MFD_CLOEXEC) : dup(STDERR_FILENO);
    int outcome = -1;

    if (in < 0 || out < 0)
        *problem = text_format("%s: %s", words[0], strerror(errno));
    else
        outcome = run_on(words, in, out, seconds, problem);
    if (output != NULL && out >= 0)
        add_file(output, out);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return outcome;
}
