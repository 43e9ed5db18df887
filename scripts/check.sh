#!/usr/bin/env bash
# Every test, check and lint, each reported with its time; what `make check` runs.
#
#   scripts/check.sh [STEP...]     only these (names as in the report), the builds they need not included
#
# Goes on after a failure. The output of each step is kept in test-output/. The last line is "N passed, M failed":
# unit test cases, system and conformance tests, fuzz harnesses, and every other step counted as one. The exit status is 0 only
# when something passed and nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."

build=${BUILD:-build}
build_clang=$build-clang
build_sanitize=$build-sanitize
out=test-output
jobs=$(nproc)
passed=0
failed=0
only=("$@")

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}

# --- what the steps run; each is silent about success and ends with a status ---

format() {
    git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
}

build_gcc() {
    CC=gcc scripts/build.sh "$build" -Dtests=true
}

build_clang() {
    CC=clang scripts/build.sh "$build_clang" -Dtests=true
}

build_sanitize() {
    CC=gcc scripts/build.sh "$build_sanitize" -Dtests=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined
}

unit() { # unit DIR
    rm -f "$1/meson-logs/testlog.json"
    meson test -C "$1" --suite unit --no-rebuild --print-errorlogs --timeout-multiplier 4
    local status=$?
    python3 scripts/count-unit-tests.py "$1/meson-logs/testlog.json" && return $status
}

system() { # system DIR, then as tests/run.py
    timeout 1800 python3 tests/run.py --build "$@" </dev/null
}

# The original shares the machine with seven others of its kind, and each takes its time to start. What fails has a
# second try on an idle machine: its races are not ours to mend.
conformance_of_original() {
    system "$build" --patience 3 --again --supervisord /usr/bin/supervisord --supervisorctl /usr/bin/supervisorctl tests/conformance
}

clients() { # each test keeps several programs busy, so fewer at a time
    scripts/install-clients.sh && system "$build" -j 4 tests/clients
}

# A part that touches every room. Of the builds the one that `make run` never makes: what is compiled before Valgrind
# is installed does not know how to behave below it.
valgrind_part() {
    system "$build_clang" --wrapper "valgrind -q --error-exitcode=99 --child-silent-after-fork=yes --leak-check=full \
        --errors-for-leak-kinds=definite" -k lifecycle/Autorestart -k lifecycle/Stop -k Numprocs -k signals/ -k http/ \
        -k Multicall -k rpc_logs/ -k rpc_control/Reload
}

tidy() {
    git ls-files 'src/*.c' 'plugins/*.c' 'listeners/*.c' 'examples/*.c' 'bench/*.c' |
        xargs -r python3 scripts/in-database.py "$build_clang/compile_commands.json" |
        xargs -r -P "$jobs" -n 2 clang-tidy -p "$build_clang" --quiet 2>&1 |
        sed '/ warnings\{0,1\} generated\.$/d' # in headers that are not ours; not shown either
}

# gcc 12 takes for lost what only a container keeps (-Wanalyzer-malloc-leak: uthash points into the middle of an element,
# and curl keeps ours behind a void pointer); LeakSanitizer looks for leaks in every test and harness instead.
analyze_gcc() {
    CC=gcc scripts/build.sh "$build-analyze" -Dtests=false -Dbuildtype=debug -Doptimization=1 \
        "-Dc_args=-fanalyzer -Wno-analyzer-malloc-leak"
}

# The headers of uthash by name: without their macros it does not see what a list's loop does to its variable.
analyze_cppcheck() {
    mkdir -p "$out/cppcheck"
    cppcheck --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --quiet --std=c11 -j "$jobs" \
        --cppcheck-build-dir="$out/cppcheck" -I src -I include -I . -D_GNU_SOURCE --include=/usr/include/uthash.h \
        --include=/usr/include/utlist.h --include=/usr/include/utarray.h --include=/usr/include/utstring.h src listeners plugins
}

analyze() {
    analyze_gcc && analyze_cppcheck
}

layers() {
    scripts/check-layers --self-test && scripts/check-layers
}

docs() {
    scripts/check-docs "$build" && scripts/check-compatibility --self-test && scripts/check-compatibility &&
        tests/conformance/differences.py --self-test && tests/conformance/differences.py
}

manuals() {
    local status=0 page
    for page in man/*.[1-8] "$build"/man/*.[1-8]; do
        mandoc -Tlint -W warning "$page" || status=1
    done
    return $status
}

shell_syntax() {
    local status=0 file
    for file in $(git ls-files 'scripts/*' 'examples/*.sh' .ci/run); do
        case "$(head -n 1 "$file")" in
        *bash) bash -n "$file" || status=1 ;;
        *'/sh') sh -n "$file" || status=1 ;;
        esac
    done
    return $status
}

hardening() {
    scripts/check-hardening --self-test && scripts/check-hardening "$build"
}

plugins() {
    scripts/check-plugins --self-test && scripts/check-plugins "$build"
}

fuzz() { # a crash that was found before is in the corpus and comes back here
    FUZZ_SECONDS=${FUZZ_SECONDS:-60} scripts/fuzz.sh
}

soak() { # short; `make soak` takes its time
    SOAK_SECONDS=${SOAK_SECONDS:-30} timeout 300 python3 tests/soak/soak.py --build "$build"
}

# --- running and counting them ---

# The sum of "N passed, M failed" that the step printed last, or the step itself as one.
count() { # count STATUS LOG
    local status=$1 line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -n 1)
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
        local good=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]}
        # A run that failed although all its tests passed, or that had none, is a failure too.
        [ $((good + bad)) -gt 0 ] && { [ "$status" = 0 ] || [ "$bad" -gt 0 ]; } || bad=$((bad + 1))
        passed=$((passed + good))
        failed=$((failed + bad))
        [ "$bad" = 0 ]
    elif [ "$status" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        return 1
    fi
}

# Each test that failed with its assertion, which tests/run.py repeats at the end; else the end of the output.
show_reason() { # show_reason LOG
    if grep -q '^failed: ' "$1"; then
        sed -n '/^failed: /,$p' "$1" | head -n 200
    else
        tail -n 40 "$1"
    fi
}

step() { # step NAME COMMAND...
    local name=$1 log=$out/$1.log started=$EPOCHREALTIME status seconds counts
    shift
    if [ ${#only[@]} -gt 0 ] && [[ " ${only[*]} " != *" $name "* ]]; then
        return
    fi
    "$@" >"$log" 2>&1
    status=$?
    seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $started }")
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if count "$status" "$log"; then
        printf '  ok     %7s s  %s%s\n' "$seconds" "$name" "${counts:+: $counts}"
    else
        printf '  FAILED %7s s  %s%s\n' "$seconds" "$name" "${counts:+: $counts}"
        show_reason "$log" | sed 's/^/      | /'
        printf '      the whole output is in %s\n' "$log"
    fi
}

mkdir -p "$out"
step format format
step shell-syntax shell_syntax
step layers layers
step build-gcc build_gcc
step build-clang build_clang
step build-sanitize build_sanitize
step hardening hardening
step plugins plugins
step docs docs
step manuals manuals
step unit unit "$build"
step unit-clang unit "$build_clang"
step unit-sanitize unit "$build_sanitize"
step system system "$build"
step system-sanitize system "$build_sanitize"
step soak soak
step browser system "$build" tests/browser
step clients clients
step conformance-original conformance_of_original
step valgrind valgrind_part
step clang-tidy tidy
step analyze analyze
step fuzz fuzz

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
