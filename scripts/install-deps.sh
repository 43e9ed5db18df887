#!/bin/sh
# Installs the Debian or Ubuntu packages that are missing, and nothing when none is.
#
#   scripts/install-deps.sh run     what building and running needs
#   scripts/install-deps.sh check   the same, and what every test needs
#   scripts/install-deps.sh bench   what the measurements need: the original among it, so as much as check, and more
#
# Root is used through sudo when the caller is not root. No service that comes with a package is started or enabled:
# nginx, redis and the original supervisor are only there to be supervised by, or compared with, what is built here.
set -eu

# libc6-dev by name: it is only a recommendation of gcc.
run="gcc libc6-dev meson ninja-build pkg-config libevent-dev libmicrohttpd-dev libxml2-dev libjansson-dev
    libcurl4-gnutls-dev libedit-dev libcrypt-dev libgnutls28-dev uthash-dev"
check="clang libclang-rt-dev clang-tidy clang-format afl++ cppcheck binutils libcmocka-dev libfcgi-dev libwslay-dev python3 git
    procps iproute2 strace valgrind curl
    openssl mandoc zsh fish supervisor nginx redis-server chromium chromium-driver
    ruby ruby-xmlrpc librpc-xml-perl libxmlrpc-lite-perl ansible"
# Node.js often comes from elsewhere, with its own npm, and then not beside Debian's.
if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    check="$check nodejs npm"
fi
bench="runit s6 daemontools"
services="supervisor nginx redis-server"

case "${1:-run}" in
run) wanted="$run" ;;
check) wanted="$run $check" ;;
bench) wanted="$run $check $bench" ;;
*)
    echo "usage: $0 [run|check|bench]" >&2
    exit 2
    ;;
esac

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Elsewhere the user installs what is needed; Meson names what it does not find.
command -v dpkg-query >/dev/null 2>&1 || exit 0

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
    echo "install-deps: neither root nor sudo; install these packages first:$missing" >&2
    exit 1
fi

# Asked by the packages' scripts before they start a service: 101 forbids it. An existing policy is left alone.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    trap 'as_root rm -f "$guard"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
    as_root chmod 755 "$guard"
fi

echo "Installing:$missing"
log=$(mktemp)
if ! { as_root apt-get -q update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    echo "install-deps: installing failed; the whole output is in $log" >&2
    exit 1
fi
rm -f "$log"

for service in $services; do # only those that were not there before are disabled
    case " $missing " in
    *" $service "*) as_root update-rc.d "$service" disable >/dev/null 2>&1 || true ;;
    esac
done
