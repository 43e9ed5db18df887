#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "web/form.h"
#include "web/internal.h"

enum { FORM_MAX = 16 * 1024 };

static const char YEAR[] = "public, max-age=31536000, immutable";

#define ASSETS "/static/"

static const struct web_asset *find_asset(const char *name)
{
    for (size_t i = 0; i < web_asset_count; i++)
        if (strcmp(web_assets[i].name, name) == 0)
            return &web_assets[i];
    return NULL;
}

static void handle_asset(struct http_request *request, void *context)
{
    const struct web_asset *asset = find_asset(http_request_path(request) + strlen(ASSETS));

    (void)context;
    if (asset == NULL) {
        http_respond_error(request, 404, NULL);
        return;
    }
    char *body = xmalloc(asset->length);
    const struct http_header headers[] = {{"Content-Type", asset->type}, {"Cache-Control", YEAR}};
    memcpy(body, asset->bytes, asset->length);
    http_respond_with(request, 200, headers, sizeof headers / sizeof headers[0], body, asset->length);
}

/* From the query or from the form. To free; NULL when it was not given, or empty. */
static char *parameter(const struct http_request *request, const char *name)
{
    const char *queried = http_request_query(request, name);
    size_t length;
    const char *body = http_request_body(request, &length);
    char *value = queried != NULL ? xstrdup(queried) : form_value(body, length, name);

    if (value != NULL && value[0] == '\0') {
        free(value);
        return NULL;
    }
    return value;
}

static void handle_index(struct http_request *request, void *context)
{
    CLEANUP_FREE char *action = parameter(request, "action");
    CLEANUP_FREE char *process = parameter(request, "processname");
    CLEANUP_FREE char *group = parameter(request, "groupname");

    if (action != NULL && strcmp(http_request_method(request), "HEAD") != 0)
        web_act(context, request, action, process, group);
    else
        web_respond_index(context, request, http_request_query(request, "message"));
}

static void handle_ok(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, "text/plain", xstrdup("OK"), 2);
}

static void add_pages(struct http_server *server, struct web *web)
{
    static const struct http_route routes[] = {
        {.path = "/", .methods = "GET HEAD POST", .body_max = FORM_MAX, .handler = handle_index},
        {.path = "/index.html", .methods = "GET HEAD POST", .body_max = FORM_MAX, .handler = handle_index},
        {.path = "/tail.html", .methods = "GET HEAD", .handler = web_handle_tail},
        {.path = "/ok.html", .methods = "GET HEAD", .handler = handle_ok},
        {.match = HTTP_PREFIX, .path = ASSETS, .methods = "GET HEAD", .handler = handle_asset},
    };
    static const struct http_route live = {.path = "/live", .methods = "GET", .handler = live_handle};

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        http_server_route(server, &routes[i], web);
    http_server_route(server, &live, web->live);
}

struct web *web_new(struct http_server *server, struct supervisor *supervisor, struct rpc_registry *registry)
{
    struct web *web = xcalloc(1, sizeof *web);

    web->supervisor = supervisor;
    web->registry = registry;
    web->live = live_new(supervisor);
    add_pages(server, web);
    return web;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    web_forget_acts(web);
    live_free(web->live);
    free(web);
}
