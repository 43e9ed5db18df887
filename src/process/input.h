/* The way to a child's stdin: a pipe, and what waits until the pipe takes it. */
#ifndef PROCESS_INPUT_H
#define PROCESS_INPUT_H

#include <sys/uio.h>

#include "process/process.h"

/* Closes the pipe and forgets what waits. Fine when there is none. */
void input_close(struct process *process);

/* process_write_stdin() for bytes in several pieces. All of them are taken or, with -1, none. */
int input_write(struct process *process, const struct iovec *parts, int count, struct error *err);

/* The pipe and what waits. */
void input_hand_over(struct process *process, struct handover *handover);

#endif
