#!/bin/sh
# Takes jobs from the list "jobs" and counts them in "done". Ends when redis is gone; supervisord starts it again.
set -eu

redis() {
    redis-cli -e -p "$WEB_STACK_REDIS_PORT" "$@"
}

redis ping
while :; do
    # Waits for at most five seconds, and answers "jobs" and the job on two lines, or nothing.
    job=$(redis blpop jobs 5 | sed -n 2p)
    redis ping >/dev/null
    [ -n "$job" ] || continue
    redis incr done >/dev/null
    echo "$SUPERVISOR_PROCESS_NAME has done $job"
done
