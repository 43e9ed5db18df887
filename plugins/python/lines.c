#include "lines.h"

#include <time.h>

enum { LINES_PER_SECOND = 1000, SECOND_US = 1000000 };

void lines_end(struct lines *lines, enum log_level level)
{
    if (lines->length > 0)
        log_write(level, "[rpcinterface:%s] %.*s", lines->name, (int)lines->length, lines->line);
    lines->length = 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

unsigned lines_add(struct lines *lines, enum log_level level, const char *bytes, size_t length)
{
    unsigned count = 0;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n')
            lines->line[lines->length++] = is_control(bytes[i]) ? '?' : bytes[i];
        if (bytes[i] == '\n' || lines->length == LINE_SIZE) {
            lines_end(lines, level);
            count++;
        }
    }
    return count;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t lines_budget_use(struct lines_budget *budget, unsigned count)
{
    const int64_t now = now_us();

    if (now >= budget->until_us)
        *budget = (struct lines_budget){.until_us = now + SECOND_US};
    budget->count += count;
    return budget->count > LINES_PER_SECOND ? budget->until_us - now : 0;
}
