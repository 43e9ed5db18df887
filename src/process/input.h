/* The way to a child's stdin: a pipe, and what waits until the pipe takes it. */
#ifndef PROCESS_INPUT_H
#define PROCESS_INPUT_H

#include "process/process.h"

/* Closes the pipe and forgets what waits. Fine when there is none. */
void input_close(struct process *process);

#endif
