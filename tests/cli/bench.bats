# perfkit bench as a person uses it: the built-in suite, selection, comparison, baselines, formats.
load bench_helper

# A shape of what is printed: figures become N, repeated blanks one, notes that depend on the
# machine's mood go.
shape() {
    normalised <<<"$output" |
        grep -vE 'warning:|modes:|bimodal:|^Found |^  N \(N %\)|^    *(change|cannot|no change|regressed|improved)' |
        sed -E 's/ +/ /g; s/ $//'
}

@test "bench: the built-in suite: layout, order of magnitude, summary" {
    bench
    [ "$status" -eq 0 ]
    [ "$(shape)" = "$(cat <<'END'
fib/recursive time: [N u N u N u]
 N u +- N in this run; runs differ by about +- N
fib/iterative time: [N u N u N u]
 N u +- N in this run; runs differ by about +- N
fib/lookup time: [N u N u N u]
 throughput N u (independent of each other)
 latency N u (dependent chain)
 call N u (with the call in the loop: the time above)
 loop N u (overhead; included above, not separable)
 N u +- N in this run; runs differ by about +- N
fib/doubling time: [N u N u N u]
 N u +- N in this run; runs differ by about +- N

benchmark time
fib/recursive N u +- N
fib/iterative N u +- N
fib/lookup N u +- N
fib/doubling N u +- N

fib: lookup is
 N (N .. N) times faster than recursive
 N (N .. N) times faster than iterative
 N (N .. N) times faster than doubling

N benchmarks: N compared with nothing
END
)" ] || { shape; return 1; }
    local line
    line=$(grep '^fib/recursive  *time:' <<<"$output")
    [[ ${line:24:5} == time: && $line == *µs* ]]
    [[ $stderr == *"Benchmarking 4 benchmarks"*"saved as base in store"* ]]
    bench --json --discard-baseline
    jq -e '[.benchmarks[].typical.point] as [$r, $i, $l, $d] |
        $r > 2000 and $r < 100000 and $i > 1 and $i < 100 and $l > 0.1 and $l < 10 and $d > 0.5 and $d < 100' \
        <<<"$output"
    jq -e '.benchmarks[2] | .parts.throughput_ns < .parts.latency_ns and .parts.loop_ns > 0' <<<"$output"
}

# 6 s and 24 s with Python; the bounds only catch a run that has lost its measure.
@test "bench: --quick takes seconds, the defaults well under a minute or two" {
    skip_under_sanitizers
    PK_LIMIT_S=30 pk bench --home store --quick
    [ "$status" -eq 0 ]
    PK_LIMIT_S=120 pk bench --home store --json --discard-baseline
    [ "$status" -eq 0 ]
    # nothing was cut: each benchmark had its 30 workers at least
    [ "$(json '[.benchmarks[].workers | length >= 30] | all')" = true ]
    [ "$(json '[.benchmarks[].id | select(test("python") | not)] | length')" -eq 4 ]
}

@test "bench: the second time it compares with the first, live, and the code is the same" {
    bench --quiet recursive
    bench recursive
    [ "$status" -eq 0 ]
    [[ $output == *"change: ["*"live against base: identical code"* ]]
    [[ $output == *$'verdict'* ]]
    json '.mean.point_estimate | type' store/fib/recursive/change/estimates.json | grep -qx number
    jq -e '.result | .change.source == "live" and .change.identical_code and (.workers | all(.old.units > 2))' \
        store/fib/recursive/new/perfkit.json
    # what has not changed is kept once
    [ "$(find store/.perfkit/artefacts -type f | wc -l)" -eq 1 ]
}

@test "bench: baselines are saved, compared with, left alone, and missed" {
    bench --save-baseline main recursive
    [[ $stderr == *"saved as main"* ]]
    [ -e store/fib/recursive/main/estimates.json ]
    [ ! -e store/fib/recursive/base ]
    local before
    before=$(cat store/fib/recursive/main/sample.json)
    bench --baseline main recursive
    [ "$status" -eq 0 ]
    [[ $output == *"live against main"* ]]
    [ "$(cat store/fib/recursive/main/sample.json)" = "$before" ]
    bench --baseline main
    [ "$status" -eq 2 ]
    [[ $stderr == *"main"* && $stderr == *"fib/iterative"* ]]
    bench --baseline-lenient main recursive iterative
    [ "$status" -eq 0 ]
    [[ $output == *"live against main"* ]]
    bench --save-baseline next --baseline main recursive
    [[ $output == *"live against main"* ]]
    [ -e store/fib/recursive/next/estimates.json ]
    bench --compare-with main recursive
    [[ $output == *"live against main"* ]]
}

@test "bench: --discard-baseline stores nothing, --noplot draws nothing, the default does both" {
    bench --discard-baseline lookup
    [ "$status" -eq 0 ]
    [ ! -e store ]
    bench lookup
    [ ! -e store/report ]
    pk bench --home store "${SHORT[@]}" --plotting-backend disabled lookup
    [ ! -e store/report ]
    pk bench --home store "${SHORT[@]}" --plotting-backend gnuplot lookup
    [[ $stderr == *"report: store/report/index.html"* ]]
    grep -q 'fib/lookup' store/report/index.html
    [ -e store/fib/report/index.html ]
    [ -e store/fib/lookup/report/index.html ]
    CRITERION_HOME=elsewhere pk bench --noplot "${SHORT[@]}" lookup
    [ -e elsewhere/fib/lookup/base/sample.json ]
    CARGO_TARGET_DIR=target.d pk bench --noplot "${SHORT[@]}" lookup
    [ -e target.d/criterion/fib/lookup/base/sample.json ]
    pk bench --noplot "${SHORT[@]}" lookup
    [ -e target/criterion/fib/lookup/base/sample.json ]
}

@test "bench: --load-baseline measures nothing and gives the same figures again" {
    bench --save-baseline a lookup
    bench --save-baseline b lookup
    bench --load-baseline a lookup --json
    [ "$status" -eq 0 ]
    [ "$(json '.benchmarks[0].criterion.mean.point')" = "$(json .mean.point_estimate store/fib/lookup/a/estimates.json)" ]
    bench --load-baseline a --baseline b lookup
    [ "$status" -eq 0 ]
    [[ $output == *"stored numbers"* ]]
    local first=$output
    bench --load-baseline a --baseline b lookup
    [ "$output" = "$first" ]
    bench --load-baseline a recursive
    [ "$status" -eq 2 ]
}

@test "bench: --more goes on with the last workers" {
    bench lookup
    local before
    before=$(json '.result.workers | length' store/fib/lookup/new/perfkit.json)
    bench --more lookup --json
    [ "$status" -eq 0 ]
    jq -e --argjson n "$before" '.benchmarks[0] | .workers_former == $n and (.workers | length) > $n' <<<"$output"
}

@test "bench: selection: filters, --skip, --exact, --list, --param" {
    pk bench --list --skip python
    [ "$output" = $'fib/recursive: benchmark\nfib/iterative: benchmark\nfib/lookup: benchmark\nfib/doubling: benchmark' ]
    pk bench --list --format terse '^fib/(l|d)' --skip doub
    [ "$output" = "fib/lookup: benchmark" ]
    pk bench --list iter /look --skip python
    [ "$output" = $'fib/iterative: benchmark\nfib/lookup: benchmark' ]
    pk bench --list --exact fib/lookup
    [ "$output" = "fib/lookup: benchmark" ]
    pk bench --list --param 10:20:5 fib/lookup
    [ "$output" = $'fib/lookup/10: benchmark\nfib/lookup/15: benchmark\nfib/lookup/20: benchmark' ]
    pk bench --list --param 0,93 doubling
    [ "$output" = $'fib/doubling/0: benchmark\nfib/doubling/93: benchmark' ]
    bench --param 5,10,15 recursive
    [ "$status" -eq 0 ]
    [[ $output == *"fib/recursive: BigO "*" RMS "* ]]
    [ -e store/fib/recursive/15/base/sample.json ]
    pk bench --ignored
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    bench --bench --include-ignored --nocapture --show-output --exact fib/lookup --quiet
    [ "$status" -eq 0 ]
    [[ $output == "fib/lookup "*"time: "* ]]
}

@test "bench: --test runs once, --profile-time runs for so long" {
    pk bench --test --home store
    [ "$status" -eq 0 ]
    [[ $output == *$'Testing fib/recursive\nSuccess'*$'Testing fib/doubling\nSuccess'* ]]
    local start
    start=$(now_us)
    pk bench --profile-time 1 --home store fib/lookup
    [ "$status" -eq 0 ]
    (($(now_us) - start >= 1000000))
    [ ! -e store ]
    pk bench --test --home store "$OBJECTS/nasty.so" 'nasty/(fine|crash)'
    [ "$status" -eq 1 ]
    [[ $output == *$'Testing nasty/fine\nSuccess'*$'Testing nasty/crash\nFailed: '*SIGSEGV* ]]
}

@test "bench: what crashes, hangs, prints garbage or exits loses only itself" {
    bench --timeout 1s "$OBJECTS/nasty.so" --skip 'sleepy|talk|threads|slow|signals|flaky'
    [ "$status" -eq 1 ]
    [[ $output == *"nasty/fine "*"time: "* ]]
    [[ $output == *"failed: nasty/crash: killed by SIGSEGV"* ]]
    [[ $output == *"failed: nasty/fail_assertion: killed by SIGABRT"* ]]
    [[ $output == *"| assertion failed: 2 + 2 == 5"* ]]
    [[ $output == *"failed: nasty/hang: not done after "*"--timeout"* ]]
    [[ $output == *"failed: nasty/leave: exited with code 3"* ]]
    [[ $output == *"failed: nasty/leave_well: exited with code 0"* ]]
    [[ $output == *"failed: nasty/garbage: broke the protocol"* ]]
    [[ $output == *"failed: nasty/removed: refused: the compiler removed the work"* ]]
    [[ $output == *"failed: nasty/constant: refused"* ]]
    [[ $output != *$'\e'* && $output == *'\xff\xfe garbage'* ]]
    [ -e store/nasty/fine/base/sample.json ]
    [ ! -e store/nasty/crash/base ]
    bench "$OBJECTS/nasty.so" "$OBJECTS/nothing.so" fine
    [ "$status" -eq 1 ]
    [[ $output == *"nasty/fine "*"time: "*"nothing.so"*"failed"* ]]
}

@test "bench: real slow-downs are called so, and gates stop on them" {
    skip_under_sanitizers
    bench --quick --sample-size 30 "$OBJECTS/pace_50.so" recursive
    [ "$status" -eq 2 ] # --quick has its own number
    pk bench --home store --noplot --quick "$OBJECTS/pace_50.so" recursive --compare-with "$OBJECTS/pace_0.so" \
        --fail-on regressed
    [ "$status" -eq 1 ]
    [[ $output == *"regressed: +"*" % slower (95 % CI"* ]]
    [[ $stderr == *"gate failed: 1 of 1 compared are slower"* ]]
    pk bench --home store --noplot --quick "$OBJECTS/pace_0.so" recursive --compare-with "$OBJECTS/pace_50.so" \
        --fail-on regressed
    [ "$status" -eq 0 ]
    [[ $output == *"improved: "*" % faster"* && $stderr == *"gate passed"* ]]
    pk bench --home store --noplot --quick "$OBJECTS/pace_0.so" recursive --compare-with "$OBJECTS/pace_50.so" \
        --fail-on not-unchanged
    [ "$status" -eq 1 ]
}

@test "bench: statistics: each option has its effect" {
    bench --save-baseline a lookup
    again() { bench --load-baseline a --json lookup "$@"; }
    again
    local width
    width=$(json '.benchmarks[0].typical | .high - .low')
    again --confidence-level 0.99
    jq -e --argjson w "$width" '.benchmarks[0] | .confidence_level == 0.99 and .typical.high - .typical.low > $w' <<<"$output"
    again --noise-threshold 0.05 --significance-level 0.01 --equivalence 0.1 --nresamples 1000 --seed 7
    jq -e '.seed == 7 and .nresamples == 1000 and (.benchmarks[0] |
        .noise_threshold == 0.05 and .significance_level == 0.01 and .equivalence == 0.1)' <<<"$output"
    bench --load-baseline a lookup --robust --json
    [ "$status" -eq 0 ]
    jq -e --argjson w "$width" '.benchmarks[0].typical | .high - .low != $w' <<<"$output"
    # an interval that lies on the threshold is beyond it only in the mean
    bench --metric cpu --json lookup --discard-baseline
    jq -e '.benchmarks[0] | .metric == "cpu" and (.workers | all(.metric == "cpu"))' <<<"$output"
    bench --metric wall --json lookup --discard-baseline
    jq -e '.benchmarks[0].metric == "wall"' <<<"$output"
    bench --isolate --json lookup
    jq -e '.benchmarks[0].change.source == null' <<<"$output" || jq -e '.benchmarks[0].change == null' <<<"$output"
    bench --isolate --json lookup
    jq -e '.benchmarks[0].change.source == "isolated"' <<<"$output"
    bench --json --discard-baseline --sample-size 8 --measurement-time 8ms --warm-up-time 0 lookup
    jq -e '.benchmarks[0].workers | length >= 8' <<<"$output"
}

@test "bench: Criterion's output to the letter" {
    bench --save-baseline a recursive
    bench --baseline a --output-format criterion recursive
    [ "$status" -eq 0 ]
    local number='[0-9.]+ (ps|ns|µs|ms|s)' change='[+-][0-9.]+%'
    grep -qE "^fib/recursive           time:   \[$number $number $number\]$" <<<"$output"
    grep -qE "^                        change: \[$change $change $change\] \(p = [01]\.[0-9]{2} [<>] 0\.05\)$" <<<"$output"
    grep -qE '^                        (No change in performance detected\.|Change within noise threshold\.|Performance has (improved|regressed)\.)$' <<<"$output"
    [[ $output != *"in this run"* && $output != *warning* && $output != *benchmark* ]]
    bench --baseline a --output-format verbose recursive
    grep -qE "^mean   \[$number $number\] std\. dev\. +\[$number $number\]$" <<<"$output"
    grep -qE "^median \[$number $number\] med\. abs\. dev\. \[$number $number\]$" <<<"$output"
    bench --verbose recursive
    [[ $output == *"std. dev."* ]]
    bench --output-format bencher lookup recursive
    grep -qE '^test fib/lookup \.\.\. bench: +[0-9]\.[0-9]+ ns/iter \(\+/- [0-9.]+\)$' <<<"$output"
    grep -qE '^test fib/recursive \.\.\. bench: +[0-9]+,[0-9]{3} ns/iter \(\+/- [0-9,.]+\)$' <<<"$output"
    bench --output-format quiet recursive
    [ "$(wc -l <<<"$output")" -eq 1 ]
    [ -z "$stderr" ]
}

@test "bench: the figures agree in text, JSON, messages, metrics, pages and files" {
    pk bench --home store "${SHORT[@]}" --message-format json fib/recursive
    [ "$status" -eq 0 ]
    local message point
    message=$(jq -c 'select(.reason == "benchmark-complete")' <<<"$output")
    point=$(jq .typical.estimate <<<"$message")
    # the same mean, but for the order in which it was added up
    jq -e --argjson p "$point" '.mean.point_estimate - $p | fabs < 1e-12 * $p' store/fib/recursive/new/estimates.json
    [ "$point" = "$(jq .result.typical.point store/fib/recursive/new/perfkit.json)" ]
    [ "$point" = "$(jq -s '.[-1].typical_ns' store/fib/recursive/sessions.jsonl)" ]
    jq -e '(.iters | length) == (.times | length) and .sampling_mode == "Flat"' store/fib/recursive/new/sample.json
    # the mean of the samples is that figure
    jq -e --argjson p "$point" '[.times, .iters] | transpose | map(.[0] / .[1]) | (add / length - $p | fabs) < 1e-9 * $p' \
        store/fib/recursive/new/sample.json
    local text
    text=$(awk -v x="$point" 'BEGIN { x /= 1000; printf x < 10 ? "%.4f" : x < 100 ? "%.3f" : "%.2f", x }')
    [[ $stderr == *"fib/recursive "*"time:   ["*" $text µs "* ]]
    bench --load-baseline base recursive --message-format openmetrics
    [ "$(awk '/aggregation="typical"|aggregation="mean"/ && /confidence="estimate"/ { print $2 }' <<<"$output" | head -n 1)" = "$point" ]
    grep -q "$(awk -v x="$point" 'BEGIN { printf "%.1f", x / 1000 }')" store/fib/recursive/report/index.html
}

@test "bench: outputs for programs: schemas, Google Benchmark's files, -o" {
    bench --json -o out.json recursive lookup
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    jq -e '.schema == "bench/1" and (.benchmarks | length) == 2' out.json
    bench --output-format gbench-json recursive
    jq -e '.context.num_cpus >= 1 and (.benchmarks | map(.run_type) | index("aggregate")) and
        (.benchmarks[0] | .name == "fib/recursive" and .time_unit == "ns" and .real_time > 0)' <<<"$output"
    bench --output-format gbench-csv recursive
    [[ ${lines[0]} == name,iterations,real_time,cpu_time,time_unit,* && $output == *'"fib/recursive_mean",'* ]]
    printf 'yesterday\n' >out.json
    bench --json -o out.json no-such-benchmark
    [ "$status" -eq 2 ]
    [ "$(cat out.json)" = yesterday ]
    bench --history-id abc123 --history-description 'faster "lookup"' lookup
    jq -se '.[-1] | .history_id == "abc123" and .history_description == "faster \"lookup\""' store/fib/lookup/sessions.jsonl
    [ "$(wc -l <store/fib/lookup/sessions.jsonl)" -eq 2 ]
}

@test "bench: Ctrl-C once gives what there is, marked, and exits with 130" {
    "$PERFKIT" bench --home store --noplot --measurement-time 60s --sample-size 2000 recursive lookup \
        >out 2>err </dev/null 3>&- &
    local pid=$!
    track "$pid"
    wait_until "$DEADLINE_S" grep -q Benchmarking err
    sleep 1
    kill -INT "$pid"
    local code=0
    wait "$pid" || code=$?
    [ "$code" -eq 130 ]
    grep -q 'interrupted' out
    [ ! -e store/fib/recursive/base ]
}

@test "bench: sources are compiled, in many layouts, and compared with what they were" {
    skip_under_sanitizers
    cat >mine.c <<'C'
#include "perfkit.h"
#ifndef STEPS
#define STEPS 20
#endif
static void body(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        uint64_t x = i;
        for (int k = 0; k < STEPS; k++) { x = x * 6364136223846793005u + 1; perfkit_hide(x); }
        perfkit_keep(x);
    }
}
PERFKIT_BENCHMARKS({.group = "mine", .function = "chain", .body = body});
C
    bench mine.c --layouts 4
    [ "$status" -eq 0 ]
    jq -e '[.result.workers[].layout] | unique == [0, 1, 2, 3]' store/mine/chain/new/perfkit.json
    bench mine.c --layouts 4 --cflags '-O2 -DSTEPS=40' --json
    [ "$status" -eq 0 ]
    jq -e '.benchmarks[0].change | .source == "live" and (.identical_code | not) and .ratio.point > 0.5' <<<"$output"
    bench mine.c --layouts 1 --discard-baseline --json
    jq -e '[.benchmarks[0].workers[].layout] | unique | . == [0] or . == [null]' <<<"$output"
}

@test "bench: several objects run together, each benchmark with its object's code" {
    bench "$OBJECTS/pace_0.so" "$OBJECTS/nasty.so" fine lookup --json
    [ "$status" -eq 0 ]
    [ "$(json '[.benchmarks[].id] | join(" ")')" = "pace/lookup nasty/fine" ]
    jq -e '[.benchmarks[].artefact] | unique | length == 2' <<<"$output"
    [ "$(find store/.perfkit/artefacts -type f | wc -l)" -eq 2 ]
}

@test "bench: completion knows ids, baselines and files" {
    bench --save-baseline main lookup
    pk __completeNoDesc bench fib/l
    [[ ${lines[0]} == fib/lookup ]]
    pk __completeNoDesc bench --home store --baseline m
    [[ ${lines[0]} == main ]]
    touch x.so y.txt
    pk __completeNoDesc bench x
    [[ $output == *x.so* ]]
}
