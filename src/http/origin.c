/* Requests that a browser sends on behalf of another site (cross-site request forgery). */
#include <string.h>
#include <strings.h>

#include "http/server.h"

/* What a browser says of who asks: "none" is the user, by a bookmark or the address line. */
static bool is_own_site(const char *site)
{
    return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

/* "http://host:port/path", or "null" for a site without a name. Browsers leave out the same ports here and in Host. */
static bool is_address_at(const char *address, const char *host)
{
    const char *separator = strstr(address, "://");

    if (separator == NULL || host == NULL)
        return false;
    const char *begin = separator + 3;
    const size_t length = strcspn(begin, "/?#");
    return strlen(host) == length && strncasecmp(begin, host, length) == 0;
}

/*
 * Unless it is over TLS or to the browser's own machine, Sec-Fetch-Site is not sent; nor is Origin with a GET; and the
 * site that makes a browser send it can have Referer left out. So such a request may be anybody's will.
 */
static bool is_silent_browser(const struct http_request *request)
{
    const char *agent = http_request_header(request, "User-Agent");

    return strcmp(http_request_method(request), "GET") == 0 && agent != NULL && strncmp(agent, "Mozilla/", 8) == 0;
}

bool http_request_is_cross_site(const struct http_request *request)
{
    const char *host = http_request_header(request, "Host");
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    const char *origin = http_request_header(request, "Origin");
    const char *referer = http_request_header(request, "Referer");

    if (site != NULL)
        return !is_own_site(site);
    if (origin != NULL)
        return !is_address_at(origin, host);
    if (referer != NULL)
        return !is_address_at(referer, host);
    return is_silent_browser(request);
}
