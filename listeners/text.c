#include "listeners/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    if (memory == NULL)
        text_out_of_memory();
    return memory;
}

char *text_copy(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        text_out_of_memory();
    return copy;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    const int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        text_out_of_memory();
    return text;
}

char *text_time_now(void)
{
    const time_t now = time(NULL);
    struct tm parts;
    char text[32];

    localtime_r(&now, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return text_copy(text);
}
