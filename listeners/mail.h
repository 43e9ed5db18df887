/*
 * Mail, by a program such as sendmail or straight to an SMTP server. Whatever events put into a header stays in that
 * header: control characters become blanks, and what is not ASCII "?".
 */
#ifndef LISTENERS_MAIL_H
#define LISTENERS_MAIL_H

#include <supervisor/listener.h>

#include "listeners/command_line.h"
#include "listeners/text.h"

struct mail {
    const char *to;   /* one address or several, commas between */
    const char *from; /* NULL: who sends it, as the mail program sees that */
    const char *subject;
    const char *body; /* UTF-8, lines that end in "\n" */
};

/* The message as it is sent, lines ended by "\n"; free it. */
char *mail_compose(const struct mail *mail);

/* Of this machine; "localhost" if it has none. */
void mail_host_name(char *name, size_t size);

/* --- by a program ------------------------------------------------------------------------------------------------- */

struct mail_program {
    const char *to;    /* NULL: no mail is wanted */
    UT_array *command; /* its words (listeners/run.h); NULL: /usr/sbin/sendmail -t -i */
};

/* The rows -s and -m of a command line, for a field of this type. */
#define MAIL_PROGRAM_OPTIONS(type, member)                                         \
    OPTION('s', "sendmail_program", "COMMAND", take_command, type, member.command, \
           "Send mail with it; /usr/sbin/sendmail -t -i."),                        \
        OPTION('m', "email", "ADDRESS", take_text, type, member.to, "Tell this address; without, nobody is told.")

/* Sends, if mail is wanted. What goes wrong is a line in the log: nothing better could be done about it. */
void mail_by_program(const struct mail_program *program, const struct listener *listener, const char *subject,
                     const char *body);

/* --- by a server -------------------------------------------------------------------------------------------------- */

struct mail_server {
    const char *host; /* "mail.example.com", with ":port" or not, or a URL: smtp://, smtps:// */
    const char *user; /* NULL: no login */
    const char *password;
    const char *ca; /* whose certificates are trusted, a file; NULL: the system's */
    bool wants_tls; /* STARTTLS, and no mail without it */
};

/* 0, or -1 with *problem to free. */
int mail_by_server(const struct mail_server *server, const struct mail *mail, char **problem);

/* Calls `each` with every address of a list: what is in <>, else the whole of it without the blanks around. */
void mail_each_address(const char *list, void (*each)(void *context, const char *address), void *context);

#endif
