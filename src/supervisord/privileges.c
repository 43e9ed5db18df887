#include "supervisord/privileges.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

static int raise_limit(__rlimit_resource_t resource, int64_t least, const char *option, const char *what,
                       struct error *err)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0)
        return error_from_errno(err, errno, "cannot read the limit of %s", what);
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (rlim_t)least)
        return 0;
    const struct rlimit before = limit;
    limit.rlim_cur = (rlim_t)least;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    if (setrlimit(resource, &limit) == 0)
        return 0;
    return error_set(err, "%s=%lld: the environment allows only %llu %s and does not let the limit be raised", option,
                     (long long)least, (unsigned long long)before.rlim_max, what);
}

int privileges_raise_limits(const struct config_daemon *daemon, struct error *err)
{
    if (raise_limit(RLIMIT_NOFILE, daemon->minfds, "minfds", "file descriptors", err) < 0)
        return -1;
    return raise_limit(RLIMIT_NPROC, daemon->minprocs, "minprocs", "processes", err);
}

static int set_groups(const struct config_account *user)
{
    return user->name != NULL ? initgroups(user->name, user->gid) : setgroups(1, &user->gid);
}

int privileges_drop(const struct config_daemon *daemon, struct error *err)
{
    const struct config_account *user = &daemon->user;
    const char *name = user->name != NULL ? user->name : "the user";

    if (!user->is_set || geteuid() == user->uid)
        return 0;
    if (geteuid() != 0)
        return error_set(err, "Can't drop privilege as nonroot user");
    if (set_groups(user) < 0)
        return error_from_errno(err, errno, "cannot set the groups of %s", name);
    if (setgid(user->gid) < 0)
        return error_from_errno(err, errno, "cannot change to the group of %s", name);
    if (setuid(user->uid) < 0)
        return error_from_errno(err, errno, "cannot change to %s", name);
    return 0;
}
