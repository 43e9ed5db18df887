"""Names of processes, and the daemon's version."""

VERSION = "5.0.0"


def split_namespec(namespec):
    """The names of group and process; the process's is None for a whole group ("group:*" or "group:")."""
    group, colon, process = namespec.partition(":")
    if not colon:
        return group, group
    return group, None if process in ("", "*") else process


def make_namespec(group_name, process_name):
    """The short form of a process's full name."""
    return process_name if group_name == process_name else "%s:%s" % (group_name, process_name)
