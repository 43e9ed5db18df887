/*
 * Lines to the system log, as datagrams of our own to /dev/log: unlike syslog(3) it never blocks. A message that
 * cannot be delivered is dropped. The socket is the program's; it is opened with the first line, and again when the
 * system log was restarted.
 */
#ifndef OUTPUT_SYSLOG_SINK_H
#define OUTPUT_SYSLOG_SINK_H

#include <stddef.h>

/* One message "prefix line" of facility user, priority info, tagged with the program's name. The prefix may be "". */
void syslog_sink_write(const char *prefix, const char *line, size_t length);

void syslog_sink_close(void);

/* Where the system log listens; /dev/log unless a test says otherwise. Borrowed. */
void syslog_sink_set_path(const char *path);

#endif
