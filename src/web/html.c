#include "web/html.h"

#include <event2/buffer.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct html {
    struct evbuffer *text;
};

struct html *html_new(void)
{
    struct html *html = xcalloc(1, sizeof *html);

    html->text = evbuffer_new();
    if (html->text == NULL)
        memory_exhausted();
    return html;
}

char *html_finish(struct html *html, size_t *length)
{
    *length = evbuffer_get_length(html->text);
    char *text = xmalloc(*length + 1);
    (void)evbuffer_copyout(html->text, text, *length);
    text[*length] = '\0';
    evbuffer_free(html->text);
    free(html);
    return text;
}

void html_add_literal(struct html *html, const char *literal, size_t length)
{
    if (evbuffer_add(html->text, literal, length) < 0)
        memory_exhausted();
}

/* How the byte is written when it must not stand for itself, else NULL. */
static const char *escape(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static bool is_refused_control(char byte)
{
    return ((unsigned char)byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7f;
}

/* How many bytes the character has that can be copied as it stands, or 0. */
static size_t plain_length(const char *bytes, size_t available)
{
    if (escape(*bytes) != NULL || is_refused_control(*bytes))
        return 0;
    return text_utf8_length(bytes, available);
}

void html_text_bytes(struct html *html, const char *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        size_t plain = done;
        for (size_t step; plain < length && (step = plain_length(bytes + plain, length - plain)) > 0;)
            plain += step;
        html_add_literal(html, bytes + done, plain - done);
        done = plain;
        if (done < length) {
            const char *instead = escape(bytes[done]) != NULL ? escape(bytes[done]) : "\xef\xbf\xbd";
            html_add_literal(html, instead, strlen(instead));
            done++;
        }
    }
}

void html_text(struct html *html, const char *text)
{
    html_text_bytes(html, text, strlen(text));
}

void html_number(struct html *html, long number)
{
    if (evbuffer_add_printf(html->text, "%ld", number) < 0)
        memory_exhausted();
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("-._~", byte) != NULL);
}

char *html_encode_parameter(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = xmalloc(3 * strlen(text) + 1);
    char *end = encoded;

    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) {
            *end++ = *text;
            continue;
        }
        *end++ = '%';
        *end++ = digits[(unsigned char)*text >> 4];
        *end++ = digits[(unsigned char)*text & 0x0f];
    }
    *end = '\0';
    return encoded;
}

void html_parameter(struct html *html, const char *text)
{
    CLEANUP_FREE char *encoded = html_encode_parameter(text);

    html_add_literal(html, encoded, strlen(encoded));
}
