/* Unexpected exits of processes, in the few words of a text message. */
#include "listeners/batch.h"

static const struct batch_kind kind = {
    .name = "crashsms",
    .summary = "sends text messages about unexpected exits, through a mail gateway",
    .subject = "",
    .crash = CRASH_EXITED,
    .is_short = true,
};

int main(int count, char **arguments)
{
    return batch_main(&kind, count, arguments);
}
