/*
 * The text of an option: expanded, and what comes of it read as every kind of value. What a parser takes is within its
 * bounds, and what it refuses leaves its result alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/expand.h"
#include "config/load.h"
#include "config/value.h"

#define UNTOUCHED 12345

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_numbers(const char *text)
{
    static const int64_t bounds[][2] = {{0, 9}, {-100, 100}, {INT64_MIN, INT64_MAX}};
    struct error err;
    int64_t number;
    int octal = UNTOUCHED;

    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        number = UNTOUCHED;
        if (value_parse_integer(text, bounds[i][0], bounds[i][1], &number, &err) < 0) {
            if (number != UNTOUCHED)
                abort();
        } else if (number < bounds[i][0] || number > bounds[i][1]) {
            abort();
        }
    }
    (void)value_parse_size(text, &number, &err);
    if (value_parse_octal(text, 0777, &octal, &err) == 0 ? octal < 0 || octal > 0777 : octal != UNTOUCHED)
        abort();
}

static void read_words(const char *text)
{
    struct error err;
    bool truth;
    int number;
    enum log_level level;
    enum config_autorestart autorestart;

    (void)value_parse_boolean(text, &truth, &err);
    (void)value_parse_signal(text, &number, &err);
    (void)value_parse_log_level(text, &level, &err);
    (void)value_parse_autorestart(text, &autorestart, &err);
}

static void read_lists(const char *text)
{
    struct config_environment environment = {0};
    struct error err;
    char **words;
    size_t count;
    int *codes;

    value_split_list(text, &words, &count);
    value_free_list(words, count);
    if (value_parse_exitcodes(text, &codes, &count, &err) == 0) {
        for (size_t i = 0; i < count; i++)
            if (codes[i] < 0 || codes[i] > 255)
                abort();
        free(codes);
    }
    if (value_parse_environment(text, &environment, &err) == 0) {
        for (size_t i = 0; i < environment.count; i++)
            if (environment.variables[i].name[0] == '\0')
                abort();
    }
    value_release_environment(&environment);
    config_free_words(config_split_command(text, &err));
}

static void read_values(const char *text)
{
    read_numbers(text);
    read_words(text);
    read_lists(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char home_name[] = "HOME";
    static char home[] = "/root";
    static struct config_variable environment_variables[] = {{home_name, home}};
    static const struct config_environment environment = {environment_variables, 1};
    static const struct expand_variable variables[] = {{.name = "program_name", .text = "p\xc3\xa9"},
                                                       {.name = "process_num", .number = -7},
                                                       {.name = "numprocs", .number = 120}};
    static const struct expand_scope scope = {variables, 3, {&environment, NULL}};
    CLEANUP_FREE char *text = xstrndup((const char *)data, size);
    struct error err;
    char *expanded;

    read_values(text);
    expanded = expand_text(text, &scope, &err);
    if (expanded != NULL)
        read_values(expanded);
    free(expanded);
    return 0;
}
