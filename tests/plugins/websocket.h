/* A WebSocket that sends back what it receives. */
#ifndef TESTS_PLUGINS_WEBSOCKET_H
#define TESTS_PLUGINS_WEBSOCKET_H

#include <supervisor/plugin.h>

void websocket_echo(struct plugin *plugin, struct http_request *request);

#endif
