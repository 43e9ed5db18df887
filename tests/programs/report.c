/*
 * Prints what a program finds when it starts, as one line of JSON, on stdout or into the file named by its first
 * argument. Then exits, or with a second argument "hang" waits for ever.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void print_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else
            putc(byte, out);
    }
    putc('"', out);
}

static void print_environment(FILE *out)
{
    fputs("\"environment\": {", out);
    for (char **entry = environ; *entry != NULL; entry++) {
        char *equals = strchr(*entry, '=');

        if (equals == NULL)
            continue;
        *equals = '\0';
        if (entry != environ)
            fputs(", ", out);
        print_string(out, *entry);
        fputs(": ", out);
        print_string(out, equals + 1);
        *equals = '=';
    }
    fputs("}, ", out);
}

/* Which of the descriptors are open, and what they are. `highest` is looked at before any file is opened by us. */
static void print_descriptors(FILE *out, const int *open_fds, int count)
{
    fputs("\"descriptors\": {", out);
    for (int i = 0; i < count; i++) {
        struct stat status;
        const char *kind = "other";

        if (fstat(open_fds[i], &status) == 0) {
            if (S_ISFIFO(status.st_mode))
                kind = "pipe";
            else if (S_ISSOCK(status.st_mode))
                kind = "socket";
            else if (S_ISREG(status.st_mode))
                kind = "file";
        }
        fprintf(out, "%s\"%d\": \"%s\"", i > 0 ? ", " : "", open_fds[i], kind);
    }
    fputs("}, ", out);
}

static int list_descriptors(int *open_fds, int max)
{
    struct stat status;
    int count = 0;

    for (int fd = 0; fd < 65536 && count < max; fd++)
        if (fstat(fd, &status) == 0)
            open_fds[count++] = fd;
    return count;
}

/* Where descriptor 0 listens: "127.0.0.1:80", "::1:80" or a path; "" when it does not. */
static void print_listening(FILE *out)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    char text[INET6_ADDRSTRLEN + 16] = "";
    int listens = 0;
    socklen_t size = sizeof listens;

    fputs("\"listens_on\": ", out);
    if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0)
        getsockname(STDIN_FILENO, (struct sockaddr *)&address, &length);
    if (address.ss_family == AF_UNIX) {
        print_string(out, ((const struct sockaddr_un *)&address)->sun_path);
    } else {
        if (address.ss_family == AF_INET) {
            const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
            snprintf(text, sizeof text, "%s:%d", inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof host),
                     ntohs(ipv4->sin_port));
        } else if (address.ss_family == AF_INET6) {
            const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address;
            snprintf(text, sizeof text, "%s:%d", inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof host),
                     ntohs(ipv6->sin6_port));
        }
        print_string(out, text);
    }
    fputs(", ", out);
}

static void print_signals(FILE *out)
{
    sigset_t mask;
    const char *separator = "";

    sigprocmask(SIG_BLOCK, NULL, &mask);
    fputs("\"blocked\": [", out);
    for (int number = 1; number < 65; number++)
        if (sigismember(&mask, number) == 1) {
            fprintf(out, "%s%d", separator, number);
            separator = ", ";
        }
    separator = "";
    fputs("], \"ignored\": [", out);
    for (int number = 1; number < 65; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            fprintf(out, "%s%d", separator, number);
            separator = ", ";
        }
    }
    fputs("], ", out);
}

static void print_identity(FILE *out)
{
    gid_t groups[256];
    const int count = getgroups(256, groups);
    char directory[PATH_MAX] = "";
    const mode_t mask = umask(0);

    if (getcwd(directory, sizeof(directory)) == NULL)
        snprintf(directory, sizeof(directory), "?");
    fprintf(out, "\"uid\": %d, \"euid\": %d, \"gid\": %d, \"egid\": %d, \"groups\": [", (int)getuid(), (int)geteuid(),
            (int)getgid(), (int)getegid());
    for (int i = 0; i < count; i++)
        fprintf(out, "%s%d", i > 0 ? ", " : "", (int)groups[i]);
    fprintf(out,
            "], \"pid\": %d, \"ppid\": %d, \"pgid\": %d, \"sid\": %d, \"umask\": %d, \"directory\": ", (int)getpid(),
            (int)getppid(), (int)getpgrp(), (int)getsid(0), (int)mask);
    print_string(out, directory);
}

int main(int argc, char **argv)
{
    int open_fds[1024];
    const int count = list_descriptors(open_fds, 1024);
    FILE *out = argc > 1 && strcmp(argv[1], "-") != 0 ? fopen(argv[1], "w") : stdout;

    if (out == NULL) {
        fprintf(stderr, "report: %s: %s\n", argv[1], strerror(errno));
        return 99;
    }
    fputs("{\"arguments\": [", out);
    for (int i = 0; i < argc; i++) {
        fputs(i > 0 ? ", " : "", out);
        print_string(out, argv[i]);
    }
    fputs("], ", out);
    print_environment(out);
    print_descriptors(out, open_fds, count);
    print_listening(out);
    print_signals(out);
    print_identity(out);
    fputs("}\n", out);
    fflush(out);
    if (argc > 2 && strcmp(argv[2], "hang") == 0)
        for (;;)
            pause();
    return 0;
}
