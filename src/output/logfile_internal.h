/* What logfile.c and follower.c share. */
#ifndef OUTPUT_LOGFILE_INTERNAL_H
#define OUTPUT_LOGFILE_INTERNAL_H

#include "output/logfile.h"

struct logfile {
    char *path; /* owned */
    int64_t maxbytes;
    int backups;
    mode_t mode;
    int fd;
    bool is_regular;
    int64_t size;          /* what we believe the file has; others may truncate it */
    int64_t limit;         /* rotate when a write would pass it: maxbytes, more after a failed rotation */
    bool rotation_failing; /* reported, and not yet mended */
    bool write_failing;    /* reported, and not yet mended */
    uint64_t lost;         /* bytes lost in this outage */
    struct follower *followers;
};

/* The path of the file that was rotated `generation` times; 0 is the log itself. To free. */
char *logfile_generation_path(const struct logfile *log, int generation);

/* Tell the followers of the log ... */
void followers_notify(struct logfile *log);                      /* ... that there is more to read */
void followers_rotated(struct logfile *log, int64_t tail_start); /* ... that its file is now generation 1, and what
                                                                    stood from tail_start on begins the new one */
void followers_emptied(struct logfile *log, int64_t kept_from);  /* ... that the bytes before kept_from are gone */
void followers_orphan(struct logfile *log);                      /* ... that it will be freed */

#endif
