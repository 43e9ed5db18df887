/* What the files of web/ share. */
#ifndef WEB_INTERNAL_H
#define WEB_INTERNAL_H

#include "web/web.h"

struct act;
struct live;

struct web {
    struct supervisor *supervisor; /* borrowed */
    struct rpc_registry *registry; /* borrowed */
    struct live *live;             /* owned: the open pages */
    struct act *acts;              /* owned; utlist: actions that are not complete */
};

/* A file that pages ask for, built in. */
struct web_asset {
    const char *name; /* "style.css" */
    const char *type;
    const char *version; /* changes with the content: pages ask for name?version, which may be kept for ever */
    const unsigned char *bytes;
    size_t length;
};
extern const struct web_asset web_assets[];
extern const size_t web_asset_count;

/* pages.c: answers with a page. `message` is what an action has said, or NULL. */
void web_respond_index(struct web *web, struct http_request *request, const char *message);
http_handler web_handle_tail;

/* actions.c: does the action of that name and answers when it is done. The names of its targets are NULL when they were
 * not given. */
void web_act(struct web *web, struct http_request *request, const char *name, const char *process, const char *group);
void web_forget_acts(struct web *web); /* nobody hears of them any more */

/* live.c: GET /live. */
struct live *live_new(struct supervisor *supervisor);
void live_free(struct live *live);
http_handler live_handle;

#endif
