/* Memory that is always there, for plugins: as in the daemon, the want of it ends the program. */
#ifndef PLUGINS_COMMON_MEMORY_H
#define PLUGINS_COMMON_MEMORY_H

#include <stdlib.h>
#include <string.h>
#include <supervisor/log.h>

/* Put around whatever allocates. */
static inline void *memory_checked(void *memory)
{
    if (memory == NULL) {
        log_critical("out of memory");
        abort();
    }
    return memory;
}

#endif
