# critcmp reads the store of perfkit bench: its baselines, ids, times and throughput.
load ../cli/helper
load ../cli/bench_helper

setup() {
    command -v critcmp >/dev/null || skip "critcmp is not installed (cargo install critcmp)"
    bench_setup
}

# It reads below target/criterion.
short() { pk bench --noplot "${SHORT[@]}" "$@"; }

@test "critcmp: lists the baselines that perfkit has saved" {
    short --save-baseline main
    short --save-baseline next lookup
    run critcmp --baselines
    [ "$status" -eq 0 ]
    [ "$(sort <<<"$output" | tr '\n' ' ')" = "main new next " ]
}

@test "critcmp: compares two of them, with perfkit's times" {
    short --save-baseline main
    short --save-baseline next
    run critcmp main next
    [ "$status" -eq 0 ]
    local id
    for id in recursive iterative lookup doubling; do
        grep -qE "^fib/$id +[0-9.]+ +[0-9.]+[^ ]*s +[?]" <<<"$output" || { echo "$output"; return 1; }
    done
    run critcmp --export main
    [ "$status" -eq 0 ]
    # its figure is the mean that perfkit prints
    local theirs ours
    theirs=$(jq '.benchmarks["fib/recursive"].criterion_estimates_v1.mean.point_estimate' <<<"$output")
    ours=$(jq .mean.point_estimate target/criterion/fib/recursive/main/estimates.json)
    [ "$theirs" = "$ours" ]
}

@test "critcmp: reads throughput, parameters and benchmarks without a function" {
    cat >copy.c <<'C'
#include "perfkit.h"
#include <string.h>
static void body(perfkit_run *run) {
    static char from[64], to[64];
    for (uint64_t i = 0; i < run->iterations; i++) {
        size_t n = (size_t)run->param;
        perfkit_hide(n);
        memcpy(to, from, n);
        perfkit_clobber();
    }
}
static uint64_t bytes(int64_t n) { return (uint64_t)n; }
PERFKIT_BENCHMARKS({.group = "copy", .body = body, .params = "32,64", .param_min = 1, .param_max = 64,
                    .unit = PERFKIT_BYTES, .units = bytes});
C
    short copy.c --layouts 1 --save-baseline main
    [ "$status" -eq 0 ]
    run critcmp main
    [ "$status" -eq 0 ]
    [[ $output == *"copy/32"*"B/sec"*"copy/64"*"B/sec"* ]]
}

@test "critcmp: reads what perfkit time has saved" {
    pk time --home target/criterion --debug-mode -r 5 --save-baseline main 'sleep 0.5' 'sleep 0.25'
    [ "$status" -eq 0 ]
    pk time --home target/criterion --debug-mode -r 5 --save-baseline next 'sleep 0.75' 'sleep 0.25'
    [ "$status" -eq 0 ]
    run critcmp main next
    [ "$status" -eq 0 ]
    [[ $output == *"time/sleep 0.25"*"1.00"*"250.0"*"1.00"*"250.0"* ]]
    [[ $output == *"time/sleep 0.5 "*"1.00"*"500.0"*ms* ]]
    [[ $output == *"time/sleep 0.75"*"750.0"*ms* ]]
}
