#include "base/error.h"

#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static int fill(struct error *err, enum fault fault, int os, const char *format,
                                                      va_list arguments)
{
    err->fault = fault;
    err->os = os;
    (void)vsnprintf(err->text, sizeof err->text, format, arguments);
    return -1;
}

int error_set(struct error *err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, FAULT_NONE, 0, format, arguments);
    va_end(arguments);
    return -1;
}

int error_set_fault(struct error *err, enum fault fault, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, fault, 0, format, arguments);
    va_end(arguments);
    return -1;
}

int error_from_errno(struct error *err, int os, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(err, FAULT_NONE, os, format, arguments);
    va_end(arguments);
    const size_t used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(os));
    return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char text[ERROR_TEXT_SIZE];
    va_list arguments;

    memcpy(text, err->text, sizeof text);
    va_start(arguments, format);
    (void)vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    const size_t used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof err->text - used, ": %s", text);
    return -1;
}

const char *error_errno_name(int os)
{
    static char unknown[32];
    const char *name = strerrorname_np(os);

    if (name != NULL)
        return name;
    (void)snprintf(unknown, sizeof unknown, "errno %d", os);
    return unknown;
}

const char *fault_name(int fault)
{
    switch (fault) {
#define FAULT_AS_CASE(name, code) \
    case code:                    \
        return #name;
        FAULTS(FAULT_AS_CASE)
#undef FAULT_AS_CASE
    default:
        return "UNKNOWN";
    }
}
