/* Sends a mail for each process that exits unexpectedly. */
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>

#include "listeners/command_line.h"
#include "listeners/crash.h"
#include "listeners/mail.h"
#include "listeners/names.h"
#include "listeners/text.h"

struct crashmail {
    UT_array *programs; /* of const char *; NULL: none */
    bool is_any;
    const char *prefix;
    struct mail_program mail;
};

static const struct option_row rows[] = {
    OPTION('p', "program", "NAME", take_texts, struct crashmail, programs, "Of this process; NAME or GROUP:NAME."),
    OPTION('a', "any", NULL, take_flag, struct crashmail, is_any, "Of every process."),
    OPTION('o', "optionalheader", "TEXT", take_text, struct crashmail, prefix, "Put [TEXT] before the subject."),
    MAIL_PROGRAM_OPTIONS(struct crashmail, mail),
};

static const struct command command = {
    .name = "crashmail",
    .summary = "sends mail when a process exits unexpectedly",
    .events = "PROCESS_STATE_EXITED",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static bool is_watched(const struct crashmail *crashmail, const struct crash *crash)
{
    return crashmail->is_any || names_mean_process(crash->group, crash->process, crashmail->programs);
}

static void tell(const struct crashmail *crashmail, const struct listener *listener, const struct crash *crash)
{
    const char *prefix = crashmail->prefix;
    char *now = text_time_now();
    char *subject = text_format("%s%s%s%s crashed at %s", prefix != NULL ? "[" : "", prefix != NULL ? prefix : "",
                                prefix != NULL ? "] " : "", crash->process, now);
    char *body = text_format("%s\n", crash->text);

    listener_log(listener, "%s", crash->text);
    mail_by_program(&crashmail->mail, listener, subject, body);
    free(now);
    free(subject);
    free(body);
}

static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    const struct crashmail *crashmail = context;
    struct crash crash;

    if (!crash_read(&crash, event, CRASH_EXITED))
        return LISTENER_OK;
    if (is_watched(crashmail, &crash))
        tell(crashmail, listener, &crash);
    free(crash.text);
    return LISTENER_OK;
}

int main(int count, char **arguments)
{
    static struct crashmail crashmail; /* for as long as the program */

    command_line_read(&command, &crashmail, count, arguments);
    if (!crashmail.is_any && crashmail.programs == NULL)
        command_line_refuse(&command, "nothing to watch: neither -p nor -a is given");
    return listener_main(NULL, handle, &crashmail);
}
