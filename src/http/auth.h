/*
 * Basic authentication (manual 1.4.2, 1.4.3), with the account that may do everything and the one that may only look.
 *
 * A password that is configured as a hash of crypt(3) costs tens of milliseconds to verify, on purpose. The credentials
 * that were good last are therefore remembered, as a digest under a key that nobody else has, and wrong ones are slowed
 * down: their address has to wait ten times as long as they have cost, everybody else who is not known yet as long as
 * they have cost. So one address can take a tenth of our time, and all together half of it.
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <sys/socket.h>

#include "config/model.h"

enum http_access {
    HTTP_ACCESS_REFUSED,
    HTTP_ACCESS_TOO_OFTEN, /* was not looked at: too many wrong passwords just now */
    HTTP_ACCESS_LOOK,
    HTTP_ACCESS_CHANGE,
};

struct http_auth;

struct http_auth *http_auth_new(const struct config_server *config); /* borrowed, outlives it */
void http_auth_free(struct http_auth *auth);                         /* NULL is fine */

/*
 * What a client may do that sends this value of Authorization (NULL: none). Everything, when the server has no
 * accounts. Comparison takes a time that tells nothing of what is right. `client` may be NULL.
 */
enum http_access http_auth_check(struct http_auth *auth, const char *header, const struct sockaddr *client);

#endif
