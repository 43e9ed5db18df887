/* How a daemon comes to rest: group priority by group priority, the highest first (manual 1.4.6, priority). */
#ifndef PROCESS_STOPPING_H
#define PROCESS_STOPPING_H

struct stopping;

void stopping_free(struct stopping *stopping); /* NULL is fine */

#endif
