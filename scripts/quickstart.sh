#!/bin/sh
# The example behind `make run` and `make stop`: a supervisord in $BUILD/run with the programs of examples/quickstart.
#
#   scripts/quickstart.sh start | stop | stop-if-running
set -eu

build=${BUILD:-build}
run=$build/run
config=$run/supervisord.conf
daemon=$build/src/supervisord/supervisord
ctl="$build/src/supervisorctl/supervisorctl -c $config"

is_running() { # by its command line too: the pid file of one that was killed may name any process by now
    pid=$(cat "$run/supervisord.pid" 2>/dev/null) && grep -qs supervisord "/proc/$pid/cmdline"
}

starting() {
    # Status 3 with something still on its way is no failure: look until it has settled.
    $ctl status 2>/dev/null | grep -q ' STARTING '
}

wait_until_not() { # wait_until_not CONDITION: for at most ten seconds
    tries=100
    while "$1" && [ $tries -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
}

# Web pages on this machine alone, with a password that nobody else knows; none when the port is somebody else's.
add_web_pages() {
    ! grep -q ':2329 00000000:0000 0A' /proc/net/tcp || return 0 # 9001
    password=$(od -A n -N 8 -t x1 /dev/urandom | tr -d ' \n')
    (
        umask 077
        cat >"$config.new" - "$config" <<END
[inet_http_server]
port=127.0.0.1:9001
username=quickstart
password=$password

END
    )
    mv "$config.new" "$config"
}

web_pages() { # their address, when there are any
    sed -n '/^\[inet_http_server/,/^\[unix/s/^password=\(.*\)/http:\/\/quickstart:\1@127.0.0.1:9001\//p' "$config"
}

start() {
    if is_running; then
        echo "supervisord is already running (pid $pid)."
    else
        mkdir -p "$run"
        cp examples/quickstart/supervisord.conf "$config"
        add_web_pages
        "$daemon" -c "$config"
        echo "supervisord is running with the programs of examples/quickstart."
    fi
    wait_until_not starting
    echo
    $ctl status || true
    address=$(web_pages)
    cat <<END

Type next:
  $ctl status
  $ctl tail -f clock
  $ctl stop counter:counter_00
  $ctl              (a shell; try "help")
  ${address:+a browser at $address
  }make stop         (stops the programs and supervisord)
Configuration and logs are in $run.
END
}

stop() {
    if ! is_running; then
        echo "supervisord is not running."
        return
    fi
    $ctl shutdown
    wait_until_not is_running
    if is_running; then
        echo "supervisord is still stopping its programs; see $run/supervisord.log" >&2
        return 1
    fi
}

case "${1:-}" in
start) start ;;
stop) stop ;;
stop-if-running) ! is_running || stop ;;
*)
    echo "usage: $0 start|stop|stop-if-running" >&2
    exit 2
    ;;
esac
