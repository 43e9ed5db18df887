/* crashmailbatch, fatalmailbatch and crashsms: what happens in some minutes, in one mail. They differ in this. */
#ifndef LISTENERS_BATCH_H
#define LISTENERS_BATCH_H

#include "listeners/crash.h"

struct batch_kind {
    const char *name;
    const char *summary;
    const char *subject; /* unless the command line has another one */
    enum crash_kind crash;
    bool is_short; /* a text message: few characters */
};

int batch_main(const struct batch_kind *kind, int count, char **arguments);

#endif
