#include "output/syslog_sink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define MESSAGE_MAXIMUM 8192 /* what rsyslog takes by default; a longer line is cut */

static int sink_fd = -1;
static const char *sink_path = "/dev/log";

void syslog_sink_close(void)
{
    fd_close(&sink_fd);
}

void syslog_sink_set_path(const char *path)
{
    syslog_sink_close();
    sink_path = path;
}

static bool connect_sink(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (sink_fd >= 0)
        return true;
    if (strlen(sink_path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, sink_path, strlen(sink_path) + 1);
    sink_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sink_fd >= 0 && connect(sink_fd, (const struct sockaddr *)&address, sizeof address) < 0)
        syslog_sink_close();
    return sink_fd >= 0;
}

/* "<14>Nov 21 02:42:45 supervisord: prefix " (RFC 3164). */
static size_t write_head(char *head, size_t size, const char *prefix)
{
    const time_t now = time(NULL);
    struct tm local;
    char stamp[32];
    int length;

    localtime_r(&now, &local);
    (void)strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &local);
    length = snprintf(head, size, "<%d>%s %s: %s%s", LOG_USER | LOG_INFO, stamp, program_invocation_short_name, prefix,
                      *prefix != '\0' ? " " : "");
    return length < (int)size ? (size_t)length : size - 1;
}

static bool send_message(const char *message, size_t length)
{
    return connect_sink() && send(sink_fd, message, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

void syslog_sink_write(const char *prefix, const char *line, size_t length)
{
    char message[MESSAGE_MAXIMUM];
    const size_t head = write_head(message, sizeof message, prefix);
    const size_t room = sizeof message - head;
    const size_t body = length < room ? length : room;

    memcpy(message + head, line, body);
    if (send_message(message, head + body) || errno == EAGAIN || errno == ENOBUFS)
        return;
    syslog_sink_close(); /* the system log may have been restarted: a second try on a fresh socket */
    (void)send_message(message, head + body);
}
