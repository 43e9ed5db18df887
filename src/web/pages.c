/* The pages: the table of all processes, and one log. Complete without scripts; web/live.js makes them live. */
#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "base/version.h"
#include "process/usage.h"
#include "web/html.h"
#include "web/internal.h"

enum { TAIL_LEAST = 1024, TAIL_MOST = 1024 * 1024, CELL_SIZE = 512 };

/*
 * Nothing but what comes from here is loaded or run, no other site can frame a page or be sent a form, and none is told
 * where the user was.
 */
static const struct http_header page_headers[] = {
    {"Content-Type", "text/html;charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                                "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "same-origin"},
};

static void respond_page(struct http_request *request, struct html *html)
{
    size_t length;
    char *text = html_finish(html, &length);

    http_respond_with(request, 200, page_headers, sizeof page_headers / sizeof page_headers[0], text, length);
}

/* --- what the pages share ----------------------------------------------------------------------------------------- */

static void add_asset_url(struct html *html, const char *name)
{
    HTML(html, "static/");
    html_text(html, name);
    for (size_t i = 0; i < web_asset_count; i++)
        if (strcmp(web_assets[i].name, name) == 0) {
            HTML(html, "?");
            html_text(html, web_assets[i].version);
        }
}

static struct html *begin_page(const char *title, const char *identifier)
{
    struct html *html = html_new();

    HTML(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    html_text(html, title);
    HTML(html, "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<link rel=\"icon\" type=\"image/svg+xml\" href=\"");
    add_asset_url(html, "icon.svg");
    HTML(html, "\">\n<link rel=\"stylesheet\" href=\"");
    add_asset_url(html, "style.css");
    HTML(html, "\">\n<script src=\"");
    add_asset_url(html, "live.js");
    HTML(html, "\" defer></script>\n</head>\n<body>\n<header>\n<h1><a href=\"./\">");
    html_text(html, identifier);
    HTML(html, "</a></h1>\n");
    return html;
}

static void add_message(struct html *html, const char *message)
{
    HTML(html, "<p id=\"message\" role=\"status\">");
    if (message != NULL)
        html_text(html, message);
    HTML(html, "</p>\n");
}

static void end_page(struct html *html)
{
    HTML(html, "<footer>supervisor-ng " SUPERVISOR_VERSION "</footer>\n</body>\n</html>\n");
}

/* "name" when the group has the same name, else "group:name": what links and messages call a process. To free. */
static char *namespec_of(const struct process *process)
{
    const char *group = process->group->config->name;
    const char *name = process->config->name;

    return strcmp(group, name) == 0 ? xstrdup(name) : xasprintf("%s:%s", group, name);
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

#define BUTTON(html, action, label) HTML(html, "<button name=\"action\" value=\"" action "\">" label "</button>")

static void add_lower_case(struct html *html, const char *capitals)
{
    for (; *capitals != '\0'; capitals++) {
        const char letter = (char)(*capitals | 0x20);
        html_text_bytes(html, &letter, 1);
    }
}

/* How many processes are in which state: "27 running, 1 fatal". */
static void add_counts(struct html *html, struct process *const *processes, size_t count)
{
    size_t counts[PROCESS_STATE_COUNT] = {0};
    bool is_first = true;

    for (size_t i = 0; i < count; i++)
        counts[processes[i]->state]++;
    HTML(html, "<p id=\"states\" class=\"summary\">");
    for (enum process_state state = 0; state < PROCESS_STATE_COUNT; state++) {
        if (counts[state] == 0)
            continue;
        if (!is_first)
            HTML(html, ", ");
        is_first = false;
        html_number(html, (long)counts[state]);
        HTML(html, " ");
        add_lower_case(html, process_state_name(state));
    }
    HTML(html, "</p>\n");
}

static void add_index_header(struct html *html, const struct supervisor *supervisor, struct process *const *processes,
                             size_t count, bool may_change)
{
    HTML(html, "<p>Supervisor " SUPERVISOR_VERSION " <span id=\"supervisor-state\">");
    html_text(html, supervisor_state_name(supervisor->state));
    HTML(html, "</span></p>\n");
    add_counts(html, processes, count);
    HTML(html, "<div class=\"actions\"><a href=\"tail.html?log=main\">Activity log</a> "
               "<a href=\"./\">Refresh</a>");
    if (may_change) {
        HTML(html, "<form method=\"post\" action=\"index.html\">");
        BUTTON(html, "startall", "Start all");
        BUTTON(html, "restartall", "Restart all");
        BUTTON(html, "stopall", "Stop all");
        HTML(html, "</form>");
    }
    HTML(html, "</div>\n</header>\n");
}

static void add_filters(struct html *html)
{
    HTML(html, "<div class=\"filters\"><label for=\"filter\">Filter</label> <input id=\"filter\" type=\"search\"> "
               "<label for=\"state-filter\">State</label> <select id=\"state-filter\"><option value=\"\">any</option>");
    for (enum process_state state = 0; state < PROCESS_STATE_COUNT; state++) {
        HTML(html, "<option>");
        html_text(html, process_state_name(state));
        HTML(html, "</option>");
    }
    HTML(html, "</select></div>\n");
}

static void add_memory(struct html *html, const struct process *process)
{
    char text[CELL_SIZE] = "";
    struct usage usage;

    if (process->pid != 0 && usage_read(process->pid, &usage) == 0) {
        const double mebibytes = (double)usage.memory / (1024 * 1024);
        (void)snprintf(text, sizeof text, mebibytes < 10 ? "%.1f MiB" : "%.0f MiB", mebibytes);
    }
    html_text(html, text);
}

static void add_log_link(struct html *html, const char *namespec, const char *label)
{
    HTML(html, "<a href=\"tail.html?processname=");
    html_parameter(html, namespec);
    HTML(html, "\">");
    html_text(html, label);
    HTML(html, "</a>");
}

static void add_process_actions(struct html *html, const char *namespec, bool may_change)
{
    HTML(html, "<td class=\"actions\">");
    add_log_link(html, namespec, "Log");
    if (may_change) {
        HTML(html, "<form method=\"post\" action=\"index.html?processname=");
        html_parameter(html, namespec);
        HTML(html, "\">");
        BUTTON(html, "start", "Start");
        BUTTON(html, "restart", "Restart");
        BUTTON(html, "stop", "Stop");
        BUTTON(html, "clearlog", "Clear log");
        HTML(html, "</form>");
    }
    HTML(html, "</td></tr>\n");
}

static void add_row_head(struct html *html, const struct process *process)
{
    const char *state = process_state_name(process->state);

    HTML(html, "<tr class=\"process state-");
    add_lower_case(html, state);
    HTML(html, "\" data-name=\"");
    html_text(html, process->group->config->name);
    HTML(html, ":");
    html_text(html, process->config->name);
    HTML(html, "\" data-group=\"");
    html_text(html, process->group->config->name);
    HTML(html, "\" data-state=\"");
    html_text(html, state);
    HTML(html, "\"><td class=\"state\"><span>");
    html_text(html, state);
    HTML(html, "</span></td>");
}

static void add_process(struct html *html, const struct process *process, bool may_change)
{
    CLEANUP_FREE char *namespec = namespec_of(process);
    char description[CELL_SIZE];

    add_row_head(html, process);
    HTML(html, "<td class=\"name\">");
    add_log_link(html, namespec, process->config->name);
    HTML(html, "</td><td class=\"description\">");
    html_text(html, process_describe(process, description, sizeof description));
    HTML(html, "</td><td class=\"cpu\"></td><td class=\"memory\">");
    add_memory(html, process);
    HTML(html, "</td>");
    add_process_actions(html, namespec, may_change);
}

/* A program of one process needs no heading. */
static bool has_heading(const struct process_group *group)
{
    return group->config->process_count != 1 || strcmp(group->config->name, group->config->processes[0]->name) != 0;
}

static void add_group_heading(struct html *html, const struct process_group *group, bool may_change)
{
    const char *name = group->config->name;

    HTML(html, "<tr class=\"group\" data-group=\"");
    html_text(html, name);
    HTML(html, "\"><th colspan=\"5\" scope=\"rowgroup\">");
    html_text(html, name);
    HTML(html, "</th><td class=\"actions\">");
    if (may_change) {
        HTML(html, "<form method=\"post\" action=\"index.html?groupname=");
        html_parameter(html, name);
        HTML(html, "\">");
        BUTTON(html, "startgroup", "Start");
        BUTTON(html, "restartgroup", "Restart");
        BUTTON(html, "stopgroup", "Stop");
        HTML(html, "</form>");
    }
    HTML(html, "</td></tr>\n");
}

static void add_table(struct html *html, struct process *const *processes, size_t count, bool may_change)
{
    HTML(html, "<main id=\"processes\" data-live=\"live\">\n<table>\n<thead><tr><th class=\"state\">State</th>"
               "<th class=\"name\">Name</th><th class=\"description\">Description</th><th class=\"cpu\">CPU</th>"
               "<th class=\"memory\">Memory</th><th class=\"actions\">Actions</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++) {
        const bool is_first = i == 0 || processes[i]->group != processes[i - 1]->group;
        if (is_first && has_heading(processes[i]->group))
            add_group_heading(html, processes[i]->group, may_change);
        add_process(html, processes[i], may_change);
    }
    HTML(html, "</tbody>\n</table>\n</main>\n");
}

void web_respond_index(struct web *web, struct http_request *request, const char *message)
{
    const bool may_change = http_request_may_change(request);
    struct html *html = begin_page(web->supervisor->identifier, web->supervisor->identifier);
    size_t count;
    CLEANUP_FREE struct process **processes = supervisor_sorted_processes(web->supervisor, &count);

    add_index_header(html, web->supervisor, processes, count, may_change);
    add_message(html, message);
    add_filters(html);
    add_table(html, processes, count, may_change);
    end_page(html);
    respond_page(request, html);
}

/* --- one log ------------------------------------------------------------------------------------------------------ */

/* The logs that a page can show: how a URL calls it, the call that reads it, and its stream. */
static const struct log_kind {
    const char *name;
    const char *method;
    const char *stream; /* before the name of the process, if it has one */
    const char *stream_end;
    bool is_of_process;
} log_kinds[] = {
    {"stdout", "supervisor.readProcessStdoutLog", "logtail/", "/stdout", true},
    {"stderr", "supervisor.readProcessStderrLog", "logtail/", "/stderr", true},
    {"main", "supervisor.readLog", "mainlogtail", "", false},
};
enum { LOG_KIND_COUNT = sizeof log_kinds / sizeof log_kinds[0] };

/* What is to be shown. */
struct tail {
    struct web *web;
    struct http_request *request;
    const struct log_kind *kind;
    const char *process; /* NULL: none was named */
    long limit;          /* bytes */
    struct html *html;
};

static void add_stream_url(struct html *html, const struct tail *tail)
{
    html_text(html, tail->kind->stream);
    if (tail->kind->is_of_process)
        html_parameter(html, tail->process);
    html_text(html, tail->kind->stream_end);
}

static void add_tail_link(const struct tail *tail, const char *log, long limit, const char *label)
{
    HTML(tail->html, "<a href=\"tail.html?");
    if (tail->process != NULL) {
        HTML(tail->html, "processname=");
        html_parameter(tail->html, tail->process);
        HTML(tail->html, "&amp;");
    }
    HTML(tail->html, "log=");
    html_parameter(tail->html, log);
    HTML(tail->html, "&amp;limit=");
    html_number(tail->html, limit);
    HTML(tail->html, "\">");
    html_text(tail->html, label);
    HTML(tail->html, "</a> ");
}

static void add_tail_links(const struct tail *tail)
{
    struct html *html = tail->html;

    HTML(html, "<div class=\"actions\">");
    if (tail->process != NULL) {
        add_tail_link(tail, "stdout", tail->limit, "stdout");
        add_tail_link(tail, "stderr", tail->limit, "stderr");
    }
    add_tail_link(tail, tail->kind->name, tail->limit, "Refresh");
    if (tail->limit < TAIL_MOST)
        add_tail_link(tail, tail->kind->name, tail->limit * 16 < TAIL_MOST ? tail->limit * 16 : TAIL_MOST, "More");
    HTML(html, "<a href=\"");
    add_stream_url(html, tail);
    HTML(html, "\">Stream</a>");
    if (tail->kind->is_of_process && http_request_may_change(tail->request)) {
        HTML(html, "<form method=\"post\" action=\"index.html?processname=");
        html_parameter(html, tail->process);
        HTML(html, "\">");
        BUTTON(html, "clearlog", "Clear log");
        HTML(html, "</form>");
    }
    HTML(html, "</div>\n");
}

/* Fills in the log, or why there is none. Reading a log never waits, so this is called before the call returns. */
static void on_log(void *context, struct rpc_value *result, const struct error *err)
{
    const struct tail *tail = context;
    struct html *html = tail->html;

    HTML(html, "<main><pre id=\"log\" tabindex=\"0\"");
    if (err == NULL) {
        HTML(html, " data-stream=\"");
        add_stream_url(html, tail);
        HTML(html, "\"");
    }
    HTML(html, ">\n");
    if (err == NULL) {
        html_text_bytes(html, rpc_as_string(result), rpc_string_length(result));
    } else {
        CLEANUP_FREE char *text = xasprintf("ERROR: unexpected rpc fault [%d] %s", (int)err->fault, err->text);
        html_text(html, text);
    }
    HTML(html, "</pre></main>\n");
    rpc_value_free(result);
}

static void add_log(struct tail *tail)
{
    struct rpc_value *params = rpc_array(3);

    if (tail->kind->is_of_process)
        rpc_array_append(params, rpc_string(tail->process));
    rpc_array_append(params, rpc_int(-tail->limit));
    rpc_array_append(params, rpc_int(0));
    (void)rpc_registry_call(tail->web->registry, RPC_CALLER_READS, tail->kind->method, params, on_log, tail);
}

static void respond_tail(struct tail *tail)
{
    const char *name = tail->kind->is_of_process ? tail->process : "Activity log";
    CLEANUP_FREE char *title = xasprintf("%s %s", name, tail->kind->is_of_process ? tail->kind->name : "");

    tail->html = begin_page(title, tail->web->supervisor->identifier);
    HTML(tail->html, "<p>");
    html_text(tail->html, title);
    HTML(tail->html, "</p>\n");
    add_tail_links(tail);
    HTML(tail->html, "</header>\n");
    add_message(tail->html, NULL);
    HTML(tail->html,
         "<div class=\"filters\"><label for=\"filter\">Filter</label> <input id=\"filter\" type=\"search\"> "
         "<label><input id=\"wrap\" type=\"checkbox\" checked> Wrap</label> "
         "<label><input id=\"follow\" type=\"checkbox\" checked> Follow</label></div>\n");
    add_log(tail);
    end_page(tail->html);
    respond_page(tail->request, tail->html);
}

/* Without a choice the stdout of the process; NULL: no log has that name. */
static const struct log_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < LOG_KIND_COUNT; i++)
        if (name == NULL || strcmp(log_kinds[i].name, name) == 0)
            return &log_kinds[i];
    return NULL;
}

static long read_limit(const char *text)
{
    const long limit = text != NULL ? strtol(text, NULL, 10) : TAIL_LEAST;

    if (limit < TAIL_LEAST)
        return TAIL_LEAST;
    return limit < TAIL_MOST ? limit : TAIL_MOST;
}

void web_handle_tail(struct http_request *request, void *context)
{
    struct tail tail = {
        .web = context,
        .request = request,
        .kind = find_kind(http_request_query(request, "log")),
        .process = http_request_query(request, "processname"),
        .limit = read_limit(http_request_query(request, "limit")),
    };

    if (tail.kind == NULL)
        http_respond_error(request, 404, "no such log");
    else if (tail.kind->is_of_process && (tail.process == NULL || tail.process[0] == '\0'))
        http_respond_error(request, 400, "No process name found");
    else
        respond_tail(&tail);
}
