#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"

struct supervisor *api_supervisor(const struct rpc_call *call)
{
    const struct api_context *context = rpc_call_context(call);

    return context->supervisor;
}

/* Faults that are about something the client said, which may be the empty string. */
static bool always_has_detail(enum fault fault)
{
    return fault == FAULT_BAD_NAME || fault == FAULT_BAD_SIGNAL;
}

enum rpc_outcome api_fail(struct error *err)
{
    if (err->fault == FAULT_NONE)
        err->fault = FAULT_FAILED;
    if (err->text[0] != '\0' || always_has_detail(err->fault))
        error_prefix(err, "%s", fault_name(err->fault));
    else
        error_set_fault(err, err->fault, "%s", fault_name(err->fault));
    return RPC_FAILED;
}

char *api_text_of(const struct rpc_value *value)
{
    switch (rpc_value_type(value)) {
    case RPC_STRING:
        return xstrdup(rpc_as_string(value));
    case RPC_INT:
        return xasprintf("%" PRId64, rpc_as_int(value));
    case RPC_DOUBLE:
        return xasprintf("%.17g", rpc_as_double(value));
    case RPC_BOOLEAN:
        return xstrdup(rpc_as_boolean(value) ? "True" : "False");
    default:
        return xstrdup(rpc_type_name(rpc_value_type(value)));
    }
}

static int refuse_name(const char *name, struct error *err)
{
    return error_set_fault(err, FAULT_BAD_NAME, "%s", name);
}

int api_find_target(struct supervisor *supervisor, const char *name, struct api_target *target, struct error *err)
{
    const char *colon = strchr(name, ':');
    CLEANUP_FREE char *group_name = colon != NULL ? xstrndup(name, (size_t)(colon - name)) : xstrdup(name);
    const char *process_name = colon != NULL ? colon + 1 : name;

    target->group = supervisor_find_group(supervisor, group_name);
    target->process = NULL;
    if (target->group == NULL)
        return refuse_name(name, err);
    if (process_name[0] == '\0' || strcmp(process_name, "*") == 0)
        return 0;
    target->process = group_find_process(target->group, process_name);
    return target->process != NULL ? 0 : refuse_name(name, err);
}

struct process *api_find_process(struct supervisor *supervisor, const char *name, struct error *err)
{
    struct api_target target;

    if (api_find_target(supervisor, name, &target, err) < 0)
        return NULL;
    if (target.process == NULL)
        refuse_name(name, err);
    return target.process;
}

struct process_group *api_find_group(struct supervisor *supervisor, const char *name, struct error *err)
{
    struct process_group *group = supervisor_find_group(supervisor, name);

    if (group == NULL)
        refuse_name(name, err);
    return group;
}

char *api_make_namespec(const struct process *process)
{
    const char *group = process->group->config->name;
    const char *name = process->config->name;

    return strcmp(group, name) == 0 ? xstrdup(name) : xasprintf("%s:%s", group, name);
}
