#include "base/signals.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int by_number(const char *text)
{
    char *end;

    errno = 0;
    const long number = strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < 1 || number > SIGRTMAX)
        return -1;
    return (int)number;
}

int signal_by_name(const char *name)
{
    if (isdigit((unsigned char)name[0]))
        return by_number(name);
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int number = 1; number < SIGRTMIN; number++) {
        const char *known = sigabbrev_np(number);
        if (known != NULL && strcasecmp(known, name) == 0)
            return number;
    }
    return -1;
}

const char *signal_name(int number)
{
    static char text[32];
    const char *known = sigabbrev_np(number);

    if (known != NULL)
        (void)snprintf(text, sizeof text, "SIG%s", known);
    else
        (void)snprintf(text, sizeof text, "signal %d", number);
    return text;
}
