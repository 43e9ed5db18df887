#!/bin/sh
# Fills in the configuration and becomes nginx: `exec`, so that supervisord's signals reach nginx and no shell.
set -eu

conf=$WEB_STACK_DIR/nginx.conf
sed -e "s|@DIR@|$WEB_STACK_DIR|g" -e "s|@PORT@|$WEB_STACK_HTTP_PORT|g" "${0%/*}/nginx.conf.in" >"$conf"

# A pid file without its process: the master was killed, and its worker still holds the port. supervisord made the
# master the leader of a process group, so what is left of that group is the worker.
if old=$(cat "$WEB_STACK_DIR/nginx.pid" 2>/dev/null) && [ -n "$old" ] && ! kill -0 "$old" 2>/dev/null; then
    kill -KILL "-$old" 2>/dev/null || true
fi
exec nginx -e stderr -c "$conf"
