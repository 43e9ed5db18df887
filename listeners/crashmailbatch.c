/* Unexpected exits of processes, several in one mail. */
#include "listeners/batch.h"

static const struct batch_kind kind = {
    .name = "crashmailbatch",
    .summary = "mails unexpected exits of processes, several in one mail",
    .subject = "Crash alert from supervisord",
    .crash = CRASH_EXITED,
};

int main(int count, char **arguments)
{
    return batch_main(&kind, count, arguments);
}
