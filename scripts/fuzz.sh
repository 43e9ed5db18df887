#!/usr/bin/env bash
# Feeds made-up input to whatever reads what strangers send; what `make fuzz` runs.
#
#   FUZZ_SECONDS=60        how long each harness runs
#   FUZZ_ONLY="rpc http"   these harnesses alone; otherwise every tests/fuzz/fuzz_NAME.c
#   FUZZ_ENGINE=libfuzzer  or afl (AFL++), from the same sources
#   FUZZ_JOBS=2            how many run at a time
#
# A run begins with tests/fuzz/corpus/NAME and with what earlier runs have left in test-output/fuzz/NAME, and adds to
# the latter every input that reaches something new. An input that crashes, leaks or takes 10 seconds is kept in
# test-output/fuzz/crashes; build-fuzz/tests/fuzz/fuzz_NAME FILE repeats it. The last line is "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
engine=${FUZZ_ENGINE:-libfuzzer}
jobs=${FUZZ_JOBS:-2}
build=${BUILD:-build}-fuzz
out=$PWD/test-output/fuzz
crashes=$out/crashes
patience=10 # seconds for one input

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=detect_leaks=1

read -r -a names <<<"${FUZZ_ONLY:-$(cd tests/fuzz && echo fuzz_*.c | sed 's/fuzz_\([a-z_]*\)\.c/\1/g')}"

make_harnesses() {
    case $engine in
    libfuzzer) CC=clang scripts/build.sh "$build" -Dtests=false -Dbuildtype=debugoptimized -Db_lundef=false \
        -Db_sanitize=address,undefined -Dfuzz=true "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all" ;;
    afl) build=$build-afl
        CC=afl-clang-fast AFL_QUIET=1 scripts/build.sh "$build" -Dtests=false -Dbuildtype=debugoptimized \
            -Db_lundef=false -Db_sanitize=address,undefined -Dfuzz=true -Dc_args=-fno-sanitize-recover=all ;;
    *) echo "fuzz: FUZZ_ENGINE is libfuzzer or afl" >&2 && false ;;
    esac
}

# Every input of before, each once.
collect_seeds() { # collect_seeds NAME DIR
    rm -rf "$2"
    mkdir -p "$2"
    find "tests/fuzz/corpus/$1" "$out/$1" -type f | while read -r file; do
        cp "$file" "$2/$(sha1sum <"$file" | cut -c1-40)"
    done
}

report() { # report NAME STATUS RUNS INPUTS EDGES FOUND
    local verdict=ok
    [ "$2" = 0 ] && [ "$6" = 0 ] && [ "${3:-0}" -gt 0 ] || verdict=FAILED
    printf '  %-7s %-12s %10d runs  %7d/s  corpus %5d  edges %6d  crashes %d\n' "$verdict" "$1" "${3:-0}" \
        $((${3:-0} / seconds)) "${4:-0}" "${5:-0}" "$6"
    [ $verdict = ok ]
}

count_files() { # count_files PATTERN
    find "$crashes" -maxdepth 1 -name "$1" -newer "$out/$name.begun" | wc -l
}

run_libfuzzer() { # run_libfuzzer NAME
    local name=$1 log=$out/$1.log options=() status
    [ -f "tests/fuzz/$name.dict" ] && options=(-dict="tests/fuzz/$name.dict")
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=$patience -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$crashes/$name-" "${options[@]}" "$out/$name" \
        "tests/fuzz/corpus/$name" >"$log" 2>&1 </dev/null
    status=$?
    report "$name" $status "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(grep -o 'corp: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)" \
        "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)" "$(count_files "$name-*")"
}

# A number that afl-fuzz has written down.
afl_figure() { # afl_figure NAME FIGURE
    sed -n "s/^$2 *: *\([0-9]*\).*/\1/p" "$out/afl/$1/default/fuzzer_stats" 2>/dev/null
}

run_afl() { # run_afl NAME
    local name=$1 log=$out/$1.afl.log options=() status file
    [ -f "tests/fuzz/$name.dict" ] && options=(-x "tests/fuzz/$name.dict")
    rm -rf "$out/afl/$name"
    collect_seeds "$name" "$out/afl/$name.seeds"
    ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0 UBSAN_OPTIONS=abort_on_error=1:symbolize=0 \
        AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 \
        afl-fuzz -i "$out/afl/$name.seeds" -o "$out/afl/$name" -V "$seconds" -t ${patience}000 -m none \
        "${options[@]}" -- "$build/tests/fuzz/fuzz_$name" >"$log" 2>&1 </dev/null
    status=$?
    for file in "$out/afl/$name"/default/{crashes,hangs}/id*; do
        [ -f "$file" ] && cp "$file" "$crashes/$name-afl-$(sha1sum <"$file" | cut -c1-40)"
    done
    for file in "$out/afl/$name"/default/queue/id*; do
        [ -f "$file" ] && cp "$file" "$out/$name/$(sha1sum <"$file" | cut -c1-40)"
    done
    report "$name" $status "$(afl_figure "$name" execs_done)" "$(afl_figure "$name" corpus_count)" \
        "$(afl_figure "$name" edges_found)" "$(count_files "$name-afl-*")"
}

run_one() { # run_one NAME
    mkdir -p "$out/$1"
    touch "$out/$1.begun"
    "run_$engine" "$1" && return
    tail -n 60 "$out/$1${log_infix}.log" | sed 's/^/      | /'
    touch "$out/$1.failed"
}

mkdir -p "$crashes"
make_harnesses || exit 1
log_infix=
[ "$engine" = afl ] && log_infix=.afl
failed=0
for name in "${names[@]}"; do
    rm -f "$out/$name.failed"
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n
    done
    run_one "$name" &
done
wait
for name in "${names[@]}"; do
    [ ! -e "$out/$name.failed" ] || failed=$((failed + 1))
done
echo "$((${#names[@]} - failed)) passed, $failed failed"
[ "$failed" = 0 ]
