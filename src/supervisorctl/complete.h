/* Completion of actions, processes, groups and signals in the shell. */
#ifndef SUPERVISORCTL_COMPLETE_H
#define SUPERVISORCTL_COMPLETE_H

#include "supervisorctl/ctl.h"

struct completion {
    struct words candidates; /* what the word at the cursor could become, sorted */
    char *addition;          /* what can be added to it without a choice; "" when nothing can */
};

/* For what stands before the cursor. Asks the server for names; when it does not answer there are none. */
void complete(struct completion *completion, struct ctl *ctl, const char *line);
void complete_print(const struct completion *completion); /* the candidates, in columns */
void complete_release(struct completion *completion);

/* The candidates that begin with `word`, sorted and each once, and the addition. Takes the candidates. Pure. */
void complete_narrow(struct completion *completion, struct words *candidates, const char *word);

#endif
