#include "http/logtail.h"

#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "output/activity.h"

#define LOGTAIL_PREFIX "/logtail/"

enum { FIRST_BYTES = 1024 }; /* what a stream begins with */

struct tail {
    struct follower *follower;  /* owned */
    struct http_stream *stream; /* borrowed; NULL until the answer has begun */
};

static void on_ready(void *context)
{
    const struct tail *tail = context;

    if (tail->stream != NULL)
        http_stream_wake(tail->stream);
}

static ssize_t read_tail(void *context, char *buffer, size_t size)
{
    const struct tail *tail = context;

    return follower_read(tail->follower, buffer, size);
}

static void close_tail(void *context)
{
    struct tail *tail = context;

    follower_free(tail->follower);
    free(tail);
}

/* A log without a file yet is answered as in the original: there is nothing to tail. */
static void respond_log(struct http_request *request, struct logfile *log)
{
    if (log == NULL || access(logfile_path(log), F_OK) < 0) {
        http_respond_error(request, 404, NULL);
        return;
    }

    struct tail *tail = xcalloc(1, sizeof *tail);
    const struct http_stream_source source = {.read = read_tail, .close = close_tail, .context = tail};

    tail->follower = logfile_follow(log, FIRST_BYTES, on_ready, tail);
    tail->stream = http_respond_stream(request, 200, "text/plain;charset=utf-8", &source);
}

static void handle_main_log(struct http_request *request, void *context)
{
    (void)context;
    respond_log(request, activity_log_file());
}

/* "group:name", or "name" for the only process of a group of that name. Cuts the text. */
static struct process *find_process(const struct supervisor *supervisor, char *namespec)
{
    char *colon = strchr(namespec, ':');

    if (colon == NULL)
        return supervisor_find_process(supervisor, namespec, namespec);
    *colon = '\0';
    return supervisor_find_process(supervisor, namespec, colon + 1);
}

/* -1: no channel has that name. NULL is stdout. */
static int find_channel(const char *name)
{
    if (name == NULL)
        return CONFIG_STDOUT;
    for (int channel = 0; channel < CONFIG_STREAM_COUNT; channel++)
        if (strcmp(name, config_stream_name((enum config_stream)channel)) == 0)
            return channel;
    return -1;
}

static struct logfile *find_log(const struct supervisor *supervisor, const char *target)
{
    CLEANUP_FREE char *namespec = xstrdup(target);
    char *slash = strrchr(namespec, '/');
    const int channel = find_channel(slash == NULL ? NULL : slash + 1);

    if (slash != NULL)
        *slash = '\0';

    const struct process *process = find_process(supervisor, namespec);

    if (process == NULL || channel < 0 || process->streams[channel] == NULL)
        return NULL;
    return stream_logfile(process->streams[channel]);
}

static void handle_process_log(struct http_request *request, void *context)
{
    respond_log(request, find_log(context, http_request_path(request) + strlen(LOGTAIL_PREFIX)));
}

void logtail_add(struct http_server *server, struct supervisor *supervisor)
{
    static const struct http_route process_log = {
        .match = HTTP_PREFIX, .path = LOGTAIL_PREFIX, .methods = "GET HEAD", .handler = handle_process_log};
    static const struct http_route main_log = {
        .match = HTTP_PREFIX, .path = "/mainlogtail", .methods = "GET HEAD", .handler = handle_main_log};

    http_server_route(server, &process_log, supervisor);
    http_server_route(server, &main_log, NULL);
}
