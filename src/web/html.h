/*
 * Making HTML. Only literals become markup; everything else is escaped on its way in, so that a name, a message or a
 * line of a log can never be more than text.
 */
#ifndef WEB_HTML_H
#define WEB_HTML_H

#include <stddef.h>

struct html;

struct html *html_new(void);
char *html_finish(struct html *html, size_t *length); /* the text, malloc'd; frees the rest */

/* Markup: a literal, which the concatenation with "" makes sure of. */
#define HTML(html, literal) html_add_literal(html, literal "", sizeof(literal) - 1)
void html_add_literal(struct html *html, const char *literal, size_t length);

/* Text, between tags or within a quoted attribute. What is no UTF-8, and control characters, become U+FFFD. */
void html_text(struct html *html, const char *text);
void html_text_bytes(struct html *html, const char *bytes, size_t length);
void html_number(struct html *html, long number);

/* A value in the query of a URL, or a segment of its path, percent-encoded (RFC 3986), as in a quoted attribute. */
void html_parameter(struct html *html, const char *text);

/* The same as a text of its own. To free. */
char *html_encode_parameter(const char *text);

#endif
