# What bench writes for programs, judged by parsers that are not ours: the JSON schema in docs/, a
# strict OpenMetrics parser, and the same numbers everywhere.
load bench_helper

GOLDEN=$ROOT/tests/unit/golden

# check WHAT ARG...: Debian's Python, which has the modules; skips where they are missing.
check() {
    local python=/usr/bin/python3
    [ -x "$python" ] || python=python3
    run -- timeout 60 "$python" "$ROOT/tests/cli/bench_formats.py" "$@"
    [ "$status" != 77 ] || skip "$output"
    [ "$status" = 0 ] || { printf '%s\n' "$output"; return 1; }
}

@test "bench: hand-made results of each kind are as the schema says" {
    check schema "$ROOT/docs/bench.schema.json" "$GOLDEN/bench.json" "$GOLDEN/bench_messages.jsonl"
    check openmetrics "$GOLDEN/bench.om"
}

@test "bench: the document of a scan with growth and a comparison is as the schema says" {
    bench --param 10,14,18 --json -o scan.json 'iterative|doubling'
    [ "$status" = 0 ]
    bench --param 10,14,18 --json -o scan.json 'iterative|doubling'
    [ "$status" = 0 ]
    check schema "$ROOT/docs/bench.schema.json" scan.json
    [ "$(json '[.benchmarks[].change.source] | unique | join(" ")' scan.json)" = live ]
    [ "$(json '.growth | length' scan.json)" = 2 ]
    [ "$(json '.relative | length' scan.json)" = 3 ]
}

@test "bench: messages and metrics of a run agree with its text" {
    bench --discard-baseline --message-format json recursive lookup
    [ "$status" = 0 ]
    printf '%s\n' "$output" >messages.jsonl
    printf '%s\n' "$stderr" >text
    check schema "$ROOT/docs/bench.schema.json" messages.jsonl
    check text messages.jsonl text
}

@test "bench: the same samples give the same numbers as messages and as metrics" {
    bench recursive lookup
    [ "$status" = 0 ]
    bench --save-baseline kept recursive lookup
    [ "$status" = 0 ]
    bench --load-baseline kept --baseline base --seed 7 --message-format json
    [ "$status" = 0 ]
    printf '%s\n' "$output" >messages.jsonl
    bench --load-baseline kept --baseline base --seed 7 --message-format openmetrics
    [ "$status" = 0 ]
    printf '%s\n' "$output" >metrics.om
    check openmetrics metrics.om
    check agree messages.jsonl metrics.om
}

@test "bench: a benchmark that crashes is in the messages and the metrics" {
    bench --message-format json "$OBJECTS/nasty.so" crash
    [ "$status" = 1 ]
    printf '%s\n' "$output" >messages.jsonl
    check schema "$ROOT/docs/bench.schema.json" messages.jsonl
    grep -q "\"reason\":\"benchmark-failed\"" messages.jsonl
    bench --message-format openmetrics "$OBJECTS/nasty.so" crash
    [ "$status" = 1 ]
    printf '%s\n' "$output" >metrics.om
    check openmetrics metrics.om
    grep -q '^perfkit_benchmark_failed{.*} 1$' metrics.om
}
