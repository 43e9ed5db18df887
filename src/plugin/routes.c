/* Routes and pages of plugins. */
#include <stdlib.h>
#include <string.h>

#include "plugin/internal.h"

/* Known to the server as long as that is there; while its plugin is not open, it is nobody's. */
struct plugin_route {
    const struct plugin *plugin;
    struct http_route route; /* for the server; path and methods are owned */
    http_handler *handler;   /* NULL: a page */
    void *context;
    char *type; /* of a page; owned, as its bytes are */
    char *bytes;
    size_t length;
    struct plugin_route *next;
};

static void respond_page(struct http_request *request, const struct plugin_route *page)
{
    char *copy = xmalloc(page->length + 1);

    memcpy(copy, page->bytes, page->length);
    http_respond(request, 200, page->type, copy, page->length);
}

static void handle(struct http_request *request, void *context)
{
    const struct plugin_route *route = context;

    if (route->plugin->context == NULL)
        http_respond_error(request, 404, "Not Found");
    else if (route->handler == NULL)
        respond_page(request, route);
    else
        route->handler(request, route->context);
}

static struct plugin_route *add_route(struct plugin *plugin, const struct http_route *given)
{
    struct plugin_route *route = xcalloc(1, sizeof *route);

    route->plugin = plugin;
    route->route = *given;
    route->route.path = xstrdup(given->path);
    route->route.methods = xstrdup(given->methods);
    route->route.handler = handle;
    LL_PREPEND(plugin->routes, route);
    return route;
}

void plugin_add_route(struct plugin *plugin, const struct http_route *route, void *context)
{
    struct plugin_route *added = add_route(plugin, route);

    added->handler = route->handler;
    added->context = context;
    http_server_route(plugin->host->server, &added->route, added);
}

void plugin_add_page(struct plugin *plugin, const char *path, const char *type, const char *bytes, size_t length)
{
    struct plugin_route *route =
        add_route(plugin, &(struct http_route){.match = HTTP_EXACT, .path = path, .methods = "GET HEAD"});

    route->type = xstrdup(type);
    route->bytes = xmalloc(length + 1);
    memcpy(route->bytes, bytes, length);
    route->length = length;
    http_server_route(plugin->host->server, &route->route, route);
}

void plugin_release_routes(struct plugin *plugin)
{
    struct plugin_route *route;
    struct plugin_route *next;

    LL_FOREACH_SAFE (plugin->routes, route, next) {
        free((void *)(uintptr_t)route->route.path);
        free((void *)(uintptr_t)route->route.methods);
        free(route->type);
        free(route->bytes);
        free(route);
    }
}
