/* What a form sends: the body of a POST of type application/x-www-form-urlencoded (WHATWG URL, section 5). */
#ifndef WEB_FORM_H
#define WEB_FORM_H

#include <stddef.h>

/* The first value of that name, decoded, or NULL. To free. */
char *form_value(const char *body, size_t length, const char *name);

#endif
