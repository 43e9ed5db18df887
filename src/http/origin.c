/* Requests that a browser sends on behalf of another site (cross-site request forgery). */
#include <string.h>
#include <strings.h>

#include "http/server.h"

/* What a browser says of who asks: "none" is the user, by a bookmark or the address line. */
static bool is_own_site(const char *site)
{
    return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

/* "http://host:port", or "null" for a site that has no name. Browsers leave out the same ports here and in Host. */
static bool is_origin_of(const char *origin, const char *host)
{
    const char *separator = strstr(origin, "://");

    return separator != NULL && host != NULL && strcasecmp(separator + 3, host) == 0;
}

bool http_request_is_cross_site(const struct http_request *request)
{
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    const char *origin = http_request_header(request, "Origin");

    if (site != NULL)
        return !is_own_site(site);
    return origin != NULL && !is_origin_of(origin, http_request_header(request, "Host"));
}
