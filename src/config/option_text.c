/* From the typed value of an option back to text. */
#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "base/signals.h"
#include "config/option_types.h"

static char *print_boolean(const void *field, const void *second)
{
    (void)second;
    return xstrdup(*(const bool *)field ? "true" : "false");
}

static char *print_int(const void *field, const void *second)
{
    (void)second;
    return xasprintf("%d", *(const int *)field);
}

static char *print_int64(const void *field, const void *second)
{
    (void)second;
    return xasprintf("%lld", (long long)*(const int64_t *)field);
}

static char *print_mode(const void *field, const void *second)
{
    const int mode = *(const int *)field;

    (void)second;
    return mode >= 0 ? xasprintf("%03o", (unsigned)mode) : NULL;
}

static char *print_signal(const void *field, const void *second)
{
    (void)second;
    return xstrdup(signal_name(*(const int *)field));
}

static char *print_autorestart(const void *field, const void *second)
{
    static const char *const words[] = {
        [AUTORESTART_NEVER] = "false", [AUTORESTART_UNEXPECTED] = "unexpected", [AUTORESTART_ALWAYS] = "true"};

    (void)second;
    return xstrdup(words[*(const enum config_autorestart *)field]);
}

static char *print_text(const void *field, const void *second)
{
    const char *text = *(char *const *)field;

    (void)second;
    return text != NULL ? xstrdup(text) : NULL;
}

static char *print_log(const void *field, const void *second)
{
    const struct config_log *log = field;

    (void)second;
    if (log->file != NULL)
        return xstrdup(log->file);
    return xstrdup(log->is_automatic ? "AUTO" : "NONE"); /* syslog has an option of its own */
}

static char *print_account(const void *field, const void *second)
{
    const struct config_account *account = field;

    (void)second;
    return account->is_set ? xstrdup(account->name) : NULL;
}

/* The string's body becomes the caller's. */
static char *print_environment(const void *field, const void *second)
{
    const struct config_environment *environment = field;
    UT_string text;

    (void)second;
    utstring_init(&text);
    for (size_t i = 0; i < environment->count; i++)
        utstring_printf(&text, "%s%s=\"%s\"", i > 0 ? "," : "", environment->variables[i].name,
                        environment->variables[i].value);
    return utstring_body(&text);
}

static char *print_exitcodes(const void *field, const void *second)
{
    const int *codes = *(int *const *)field;
    UT_string text;

    utstring_init(&text);
    for (size_t i = 0; i < *(const size_t *)second; i++)
        utstring_printf(&text, "%s%d", i > 0 ? "," : "", codes[i]);
    return utstring_body(&text);
}

/* What describes a program; other sections have been read by the time anybody asks. */
static const struct {
    const struct option_type *type;
    char *(*print)(const void *field, const void *second);
} printers[] = {
    {&option_type_boolean, print_boolean},
    {&option_type_integer, print_int},
    {&option_type_natural, print_int},
    {&option_type_size, print_int64},
    {&option_type_mode, print_mode},
    {&option_type_signal, print_signal},
    {&option_type_autorestart, print_autorestart},
    {&option_type_text, print_text},
    {&option_type_name, print_text},
    {&option_type_path, print_text},
    {&option_type_server_url, print_text},
    {&option_type_log, print_log},
    {&option_type_account, print_account},
    {&option_type_environment, print_environment},
    {&option_type_exitcodes, print_exitcodes},
};

static const void *find_second(const struct option *option, const void *record)
{
    return option->second != OPTION_NO_SECOND ? (const char *)record + option->second : NULL;
}

char *option_print(const struct option *option, const void *record)
{
    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++)
        if (printers[i].type == option->type)
            return printers[i].print((const char *)record + option->offset, find_second(option, record));
    return NULL;
}
