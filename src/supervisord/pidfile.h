/* The file with the daemon's pid (manual 1.4.4). Only the process that wrote it removes it. */
#ifndef SUPERVISORD_PIDFILE_H
#define SUPERVISORD_PIDFILE_H

#include "base/error.h"

int pidfile_write(const char *path, struct error *err);
void pidfile_remove(const char *path);

#endif
