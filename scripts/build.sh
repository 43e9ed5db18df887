#!/bin/sh
# Configures a build directory the first time (or again, when options are given) and builds it.
#
#   scripts/build.sh DIR [MESON OPTION...]
#
# Quiet unless something fails. The unit tests are left out unless -Dtests=true is given, so that building needs
# nothing that only tests need.
set -eu

dir=$1
shift

if [ ! -f "$dir/build.ninja" ]; then
    set -- setup "$dir" -Dbuildtype=release -Dtests=false "$@"
elif [ $# -gt 0 ]; then
    set -- configure "$dir" "$@"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ $# -gt 0 ] && ! meson "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    exit 1
fi
if ! ninja -C "$dir" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    exit 1
fi
