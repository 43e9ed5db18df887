/* Processes that could not be started, several in one mail. */
#include "listeners/batch.h"

static const struct batch_kind kind = {
    .name = "fatalmailbatch",
    .summary = "mails processes that could not be started, several in one mail",
    .subject = "Fatal start alert from supervisord",
    .crash = CRASH_FATAL,
};

int main(int count, char **arguments)
{
    return batch_main(&kind, count, arguments);
}
