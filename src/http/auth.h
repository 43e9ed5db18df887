/* Basic authentication (manual 1.4.2, 1.4.3). */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <stdbool.h>

#include "config/model.h"

/*
 * True when the server asks for no authentication, or the header (value of Authorization; NULL: none was sent) has
 * its username and password. Comparison takes a time that tells nothing of what is right.
 */
bool http_auth_allows(const struct config_server *config, const char *header);

#endif
