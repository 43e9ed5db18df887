#include "listeners/mail.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "listeners/run.h"

enum { PATIENCE_S = 60 };

static const char usual_program[] = "/usr/sbin/sendmail -t -i";

/* --- the message -------------------------------------------------------------------------------------------------- */

static void add_header(UT_string *message, const char *name, const char *value)
{
    utstring_printf(message, "%s: ", name);
    for (; *value != '\0'; value++) {
        const unsigned char byte = (unsigned char)*value;
        const char shown = byte >= 0x80 ? '?' : (byte < ' ' || byte == 0x7f) ? ' ' : *value;

        utstring_bincpy(message, &shown, 1);
    }
    utstring_bincpy(message, "\n", 1);
}

static void add_date(UT_string *message)
{
    const time_t now = time(NULL);
    struct tm parts;
    char text[64];

    localtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S %z", &parts);
    add_header(message, "Date", text);
}

void mail_host_name(char *name, size_t size)
{
    if (gethostname(name, size) < 0 || name[0] == '\0')
        memcpy(name, "localhost", sizeof "localhost");
    name[size - 1] = '\0';
}

static void add_id(UT_string *message)
{
    static unsigned serial;
    char host[256];

    mail_host_name(host, sizeof host);
    char *id = text_format("<%lld.%d.%u@%s>", (long long)time(NULL), (int)getpid(), serial++, host);
    add_header(message, "Message-ID", id);
    free(id);
}

char *mail_compose(const struct mail *mail)
{
    UT_string message;

    utstring_init(&message);
    add_header(&message, "To", mail->to);
    if (mail->from != NULL)
        add_header(&message, "From", mail->from);
    add_header(&message, "Subject", mail->subject);
    add_date(&message);
    add_id(&message);
    utstring_printf(&message,
                    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                    "Content-Transfer-Encoding: 8bit\n\n%s",
                    mail->body);
    return utstring_body(&message);
}

void mail_each_address(const char *list, void (*each)(void *context, const char *address), void *context)
{
    while (*list != '\0') {
        const size_t length = strcspn(list, ",");
        char *item = strndup(list, length);

        if (item == NULL)
            text_out_of_memory();
        char *start = strrchr(item, '<');
        char *end = strrchr(item, '>');
        if (start == NULL || end == NULL || end < start) {
            start = item + strspn(item, " \t");
            end = item + strlen(item);
            while (end > start && isspace((unsigned char)end[-1]))
                end--;
        } else {
            start++;
        }
        *end = '\0';
        if (*start != '\0')
            each(context, start);
        free(item);
        list += length + (list[length] == ',');
    }
}

/* --- by a program ------------------------------------------------------------------------------------------------- */

void mail_by_program(const struct mail_program *program, const struct listener *listener, const char *subject,
                     const char *body)
{
    const struct mail mail = {.to = program->to, .subject = subject, .body = body};
    char *problem = NULL;

    if (program->to == NULL)
        return;
    UT_array *command = program->command != NULL ? program->command : command_split(usual_program);
    char *message = mail_compose(&mail);
    if (command_run((char *const *)utarray_front(command), message, NULL, PATIENCE_S, &problem) < 0)
        listener_log(listener, "cannot send mail to %s: %s", program->to, problem);
    else
        listener_log(listener, "sent mail to %s: %s", program->to, subject);
    free(problem);
    free(message);
    if (program->command == NULL)
        command_free(command);
}
