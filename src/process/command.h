/* From the configuration of a process to what execve() wants. Manual 1.4.6 (command, environment) and 1.5.3. */
#ifndef PROCESS_COMMAND_H
#define PROCESS_COMMAND_H

#include "process/process.h"

/*
 * The environment of the process's child: supervisord's own, then the SUPERVISOR_* variables, then the program's
 * environment=, each overriding what came before. One block to release with free().
 */
char **command_environment(const struct process *process);

/*
 * Splits the command and finds the program: as it stands when its name has a slash, else in PATH of the program's own
 * environment= or of supervisord. *arguments is for config_free_words(), *executable for free().
 * -1 with *err: fault NO_FILE or NOT_EXECUTABLE, and the text that becomes spawnerr.
 */
int command_prepare(const struct process *process, char **executable, char ***arguments, struct error *err);

#endif
