#include "listeners/batch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <supervisor/listener.h>

#include "listeners/command_line.h"
#include "listeners/mail.h"
#include "listeners/text.h"

/* What cannot be mailed is kept for the next time, but no more of it than so many lines. */
enum { LINES_MAX = 1000 };

struct batch {
    const struct batch_kind *kind;
    const char *to;
    const char *from;
    const char *subject;
    double interval; /* minutes */
    const char *tick;
    double tick_minutes;
    struct mail_server server;
    double waited;   /* minutes, since the last mail or try */
    UT_string lines; /* what is to be told */
    size_t count;    /* of them */
    size_t dropped;  /* since the last mail */
};

static bool take_tick(void *field, const char *value)
{
    return strncmp(value, "TICK_", 5) == 0 && take_text(field, value);
}

static const struct option_row rows[] = {
    OPTION('t', "toEmail", "ADDRESSES", take_text, struct batch, to, "Whom to tell; commas between."),
    OPTION('f', "fromEmail", "ADDRESS", take_text, struct batch, from, "Who tells."),
    OPTION('i', "interval", "MINUTES", take_minutes, struct batch, interval, "One mail in so many minutes; 1.0."),
    OPTION('s', "subject", "TEXT", take_text, struct batch, subject, "Of the mails."),
    OPTION('e', "tickEvent", "EVENT", take_tick, struct batch, tick, "What to measure time by; TICK_60."),
    OPTION('H', "smtpHost", "HOST[:PORT]", take_text, struct batch, server.host,
           "Who takes mail, or smtps://HOST[:PORT]; localhost."),
    OPTION('u', "userName", "NAME", take_text, struct batch, server.user, "To log in with."),
    OPTION('p', "password", "TEXT", take_text, struct batch, server.password,
           "To log in with; others can read it here, and not in $SMTP_PASSWORD."),
    OPTION(0, "tls", NULL, take_flag, struct batch, server.wants_tls, "No mail without TLS (STARTTLS)."),
    OPTION(0, "ca", "FILE", take_text, struct batch, server.ca, "Trust the certificates in FILE, not the system's."),
};

/* --- the mail ----------------------------------------------------------------------------------------------------- */

static void add(struct batch *batch, const struct crash *crash)
{
    char *now = text_time_now();

    if (batch->count >= LINES_MAX)
        batch->dropped++;
    else if (batch->kind->is_short)
        utstring_printf(&batch->lines, "%s:%s %s %.5s\n", crash->group, crash->process,
                        batch->kind->crash == CRASH_FATAL ? "fatal" : "crashed", strchr(now, ' ') + 1);
    else
        utstring_printf(&batch->lines, "%s: %s\n", now, crash->text);
    batch->count++;
    free(now);
}

/* An exit is not told twice: what was mailed is forgotten. */
static void forget(struct batch *batch)
{
    utstring_clear(&batch->lines);
    batch->count = 0;
    batch->dropped = 0;
}

static void send_all(struct batch *batch, const struct listener *listener)
{
    char *problem = NULL;
    char *more = batch->dropped > 0 ? text_format("and %zu more\n", batch->dropped) : text_copy("");
    char *body = text_format("%s%s", utstring_body(&batch->lines), more);
    const struct mail mail = {.to = batch->to, .from = batch->from, .subject = batch->subject, .body = body};

    if (mail_by_server(&batch->server, &mail, &problem) == 0) {
        listener_log(listener, "sent mail to %s: %zu events", batch->to, batch->count);
        forget(batch);
    } else {
        listener_log(listener, "cannot send mail to %s, trying again later: %s", batch->to, problem);
    }
    free(problem);
    free(body);
    free(more);
}

static void pass_time(struct batch *batch, const struct listener *listener)
{
    /* A hundredth of a second: twelve times a twelfth of a minute is not quite one. */
    const double accuracy = 0.01 / 60;

    batch->waited += batch->tick_minutes;
    if (batch->waited + accuracy < batch->interval)
        return;
    batch->waited = 0;
    if (batch->count > 0)
        send_all(batch, listener);
}

static enum listener_verdict handle(struct listener *listener, const struct listener_event *event, void *context)
{
    struct batch *batch = context;
    struct crash crash;

    if (strcmp(event->name, batch->tick) == 0) {
        pass_time(batch, listener);
    } else if (crash_read(&crash, event, batch->kind->crash)) {
        listener_log(listener, "%s", crash.text);
        add(batch, &crash);
        free(crash.text);
    }
    return LISTENER_OK;
}

/* --- the command line --------------------------------------------------------------------------------------------- */

/* TICK_60 comes once a minute. */
static void learn_tick(const struct command *command, struct batch *batch)
{
    static const char *const ticks[] = {"TICK_5", "TICK_60", "TICK_3600"};

    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++)
        if (strcmp(batch->tick, ticks[i]) == 0)
            batch->tick_minutes = strtod(batch->tick + strlen("TICK_"), NULL) / 60;
    if (batch->tick_minutes <= 0)
        command_line_refuse(command, "--tickEvent: %s is none of TICK_5, TICK_60, TICK_3600", batch->tick);
}

int batch_main(const struct batch_kind *kind, int count, char **arguments)
{
    const struct command command = {.name = kind->name,
                                    .summary = kind->summary,
                                    .events = "PROCESS_STATE,TICK_60",
                                    .rows = rows,
                                    .count = sizeof rows / sizeof rows[0]};
    struct batch batch = {.kind = kind,
                          .subject = kind->subject,
                          .interval = 1,
                          .tick = "TICK_60",
                          .server = {.host = "localhost", .password = getenv("SMTP_PASSWORD")}};

    command_line_read(&command, &batch, count, arguments);
    if (batch.to == NULL)
        command_line_refuse(&command, "nobody to tell: no --toEmail is given");
    if (batch.from == NULL)
        command_line_refuse(&command, "nobody who tells: no --fromEmail is given");
    learn_tick(&command, &batch);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    utstring_init(&batch.lines);
    const int status = listener_main(NULL, handle, &batch);
    utstring_done(&batch.lines);
    return status;
}
