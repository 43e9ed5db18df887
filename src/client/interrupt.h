/* Ctrl-C while something is under way: it ends that, not the program. */
#ifndef CLIENT_INTERRUPT_H
#define CLIENT_INTERRUPT_H

#include <stdbool.h>

/* From here to interrupt_end(), SIGINT makes interrupt_fd() readable. Nested pairs count as the outermost. */
void interrupt_begin(void);
void interrupt_end(void);

bool interrupt_seen(void); /* since the last outermost interrupt_begin(); false before the first */
int interrupt_fd(void);    /* to poll for reading; -1 outside of begin and end */

#endif
