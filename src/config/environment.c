/* The value of `environment=` (manual 1.4.4, 1.4.6). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/value.h"

/* A word, a quoted string with its quotes, or one other character. Empty at the end of the text. */
struct token {
    const char *start;
    size_t length;
};

/* Bytes above ASCII belong to words: values are UTF-8. */
static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c != '\0' && strchr("_/.+-():", c) != NULL);
}

static const char *skip_blanks(const char *at)
{
    for (;;) {
        while (isspace((unsigned char)*at))
            at++;
        if (*at != '#')
            return at;
        at += strcspn(at, "\n"); /* a comment */
    }
}

/* -1 when a quote is not closed. Inside a word, quotes are characters like others. */
static int take_token(const char **at, struct token *token, struct error *err)
{
    const char *start = skip_blanks(*at);
    const char *end = start;

    if (*start == '"' || *start == '\'') {
        end = strchr(start + 1, *start);
        if (end == NULL)
            return error_set(err, "no closing quotation");
        end++;
    } else if (is_word_byte(*start)) {
        while (is_word_byte(*end) || *end == '"' || *end == '\'')
            end++;
    } else if (*start != '\0') {
        end++;
    }
    *token = (struct token){start, (size_t)(end - start)};
    *at = end;
    return 0;
}

static bool is_character(struct token token, char c)
{
    return token.length == 1 && token.start[0] == c;
}

static bool is_word(struct token token)
{
    return token.length > 0 && is_word_byte(token.start[0]);
}

/* The last of equal names counts. */
static void set_variable(struct config_environment *environment, char *name, char *value)
{
    for (size_t i = 0; i < environment->count; i++)
        if (strcmp(environment->variables[i].name, name) == 0) {
            free(name);
            free(environment->variables[i].value);
            environment->variables[i].value = value;
            return;
        }
    environment->variables =
        xreallocarray(environment->variables, environment->count + 1, sizeof *environment->variables);
    environment->variables[environment->count++] = (struct config_variable){name, value};
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* As the original does it: all quotes at both ends go, so that "'x'" is x too. */
static char *unquote(struct token token)
{
    while (token.length > 0 && is_quote(token.start[0])) {
        token.start++;
        token.length--;
    }
    while (token.length > 0 && is_quote(token.start[token.length - 1]))
        token.length--;
    return xstrndup(token.start, token.length);
}

/* KEY = VALUE, and one token behind it: a comma, or what the original does not look at either. */
static int take_variable(const char **at, struct config_environment *environment, struct error *err)
{
    struct token name = {0};
    struct token equals = {0};
    struct token value = {0};
    struct token behind = {0};

    if (take_token(at, &name, err) < 0 || take_token(at, &equals, err) < 0 || take_token(at, &value, err) < 0 ||
        take_token(at, &behind, err) < 0)
        return -1;
    if (!is_word(name) || !is_character(equals, '=') || value.length == 0)
        return error_set(err, "unexpected end of key/value pairs: they must be KEY=\"value\" with commas between them");
    set_variable(environment, xstrndup(name.start, name.length), unquote(value));
    return 0;
}

int value_parse_environment(const char *text, struct config_environment *result, struct error *err)
{
    struct config_environment environment = {0};

    for (text = skip_blanks(text); *text != '\0'; text = skip_blanks(text))
        if (take_variable(&text, &environment, err) < 0) {
            value_release_environment(&environment);
            return -1;
        }
    *result = environment;
    return 0;
}

static bool is_set(const struct config_environment *environment, const char *name)
{
    for (size_t i = 0; i < environment->count; i++)
        if (strcmp(environment->variables[i].name, name) == 0)
            return true;
    return false;
}

/* Adds copies of those that it does not have itself. */
void value_inherit_environment(struct config_environment *environment, const struct config_environment *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!is_set(environment, from->variables[i].name))
            set_variable(environment, xstrdup(from->variables[i].name), xstrdup(from->variables[i].value));
}

void value_hand_over_environment(struct handover *handover, const char *name, struct config_environment *environment)
{
    const size_t count = handover_open_list(handover, name, environment->count);

    if (handover_is_taking(handover)) {
        environment->variables = xcalloc(count + 1, sizeof *environment->variables);
        environment->count = count;
    }
    for (size_t i = 0; i < count; i++) {
        handover_open_next(handover);
        handover_text(handover, "name", &environment->variables[i].name);
        handover_text(handover, "value", &environment->variables[i].value);
        handover_close(handover);
    }
    handover_close(handover);
}

void value_release_environment(struct config_environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        free(environment->variables[i].name);
        free(environment->variables[i].value);
    }
    free(environment->variables);
    *environment = (struct config_environment){0};
}
