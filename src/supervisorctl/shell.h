/* The interactive shell: prompt, line editing, history, completion. Also reads actions from a pipe. */
#ifndef SUPERVISORCTL_SHELL_H
#define SUPERVISORCTL_SHELL_H

#include "supervisorctl/ctl.h"

/* Shows the status, then runs lines until the end of input or `exit`. `history_file` may be NULL. */
void shell_run(struct ctl *ctl, const char *prompt, const char *history_file);

#endif
