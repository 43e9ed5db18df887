/* Splitting a command line, as a shell would without expanding anything. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "config/load.h"

/* Reads a word up to white space; quotes and backslashes are taken away as in sh. */
static int read_word(const char **at, UT_string *word, struct error *err)
{
    char quote = '\0';
    const char *c = *at;

    for (; *c != '\0' && (quote != '\0' || !isspace((unsigned char)*c)); c++) {
        const bool escapes = *c == '\\' && (quote == '\0' || (quote == '"' && c[1] != '\0' && strchr("\"\\", c[1])));
        if (escapes) {
            if (*++c == '\0')
                return error_set(err, "No escaped character");
            utstring_bincpy(word, c, 1);
        } else if (quote == '\0' && (*c == '"' || *c == '\'')) {
            quote = *c;
        } else if (quote != '\0' && *c == quote) {
            quote = '\0';
        } else {
            utstring_bincpy(word, c, 1);
        }
    }
    *at = c;
    return quote == '\0' ? 0 : error_set(err, "No closing quotation");
}

static char **append_word(char **words, size_t count, UT_string *word)
{
    words = xreallocarray(words, count + 2, sizeof *words);
    words[count] = xstrndup(utstring_body(word), utstring_len(word));
    words[count + 1] = NULL;
    return words;
}

char **config_split_command(const char *command, struct error *err)
{
    char **words = NULL;
    size_t count = 0;
    UT_string word;
    int result = 0;

    utstring_init(&word);
    while (result == 0) {
        while (isspace((unsigned char)*command))
            command++;
        if (*command == '\0')
            break;
        utstring_clear(&word);
        result = read_word(&command, &word, err);
        if (result == 0)
            words = append_word(words, count++, &word);
    }
    utstring_done(&word);
    if (result == 0 && count == 0)
        result = error_set(err, "command is empty");
    if (result == 0)
        return words;
    config_free_words(words);
    return NULL;
}

void config_free_words(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}
