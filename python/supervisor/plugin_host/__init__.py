"""The process in which an extension written in Python lives.

supervisord starts one for each [rpcinterface:x] whose factory is a Python callable, and talks to it over a socket,
descriptor 3. Messages are JSON objects, each behind its length (four bytes, the highest first) and with an "op":

    daemon to host  start      the section and the daemon: namespace, factory, options, identifier, server_url ...
    host to daemon  register   methods: name, help, signature; once, when the factory has returned
    host to daemon  failed     text: why there is no interface; then the host ends
    both ways       call       id, method, params
    both ways       answer     id, value
    both ways       fault      id, code, text
    daemon to host  cancel     id: nobody waits for the answer any more
    host to daemon  subscribe  types: all that are wanted from now on
    daemon to host  event      type, and what the type has
    host to daemon  log        level, text

values.py says how values are written. The socket's end is the host's.
"""
