# perfkit load against servers whose truth is known: counts, latencies, bytes, Little's law, limits.
load helper
load load_helper

# A 99th percentile needs 100 samples; over one connection to a server that takes 1 s for each that
# is 100 s, so that run goes on beside the other tests and the last test waits for it. It tells
# nothing about memory or races that the others do not, so builds with a sanitizer go without.
setup_file() {
    export LONG=$BATS_FILE_TMPDIR/long
    : >"$LONG.pids"
    [[ $PERFKIT != */san-* ]] || return 0
    "$PROGRAMS/stall_server" --stall-each 1s >"$LONG.out" </dev/null 3>&- &
    echo $! >>"$LONG.pids"
    wait_until "$DEADLINE_S" has_line "$LONG.out"
    "$PERFKIT" load -n 100 -c 1 --json -o "$LONG.json" "$(sed 's/listening on //' "$LONG.out")" \
        </dev/null 2>"$LONG.err" 3>&- &
    echo $! >>"$LONG.pids"
}
teardown_file() {
    local pid
    for pid in $(cat "$LONG.pids"); do kill -KILL "$pid" 2>/dev/null || true; done
}

# near FILTER EXPECTED RELATIVE: is the number within the bound?
near() {
    jq -e --argjson x "$2" --argjson r "$3" "($1) as \$v | (\$v - \$x | fabs) <= \$r * \$x" <<<"$output" \
        >/dev/null && return 0
    echo "$1 is $(jq -c "$1" <<<"$output"), not within $3 of $2" >&2
    return 1
}

@test "load known: N sent = N at the server = N reported, by count and by time" {
    stall
    load_json -n 12345 -c 13 --threads 2 "$URL"
    json '.requests.sent == 12345 and .requests.responses == 12345 and .statusCodeDistribution == {"200": 12345}'
    json '.service.count == 12345 and ([.responseTimeHistogram[]] | add) == 12345'
    json '.requests.errors == 0 and .censored.aborted.count == 0'
    local sent
    sent=$(stalled sent_bytes)
    json ".bytes.bodies == 12345 * 12 and .bytes.bodies + .bytes.heads == $sent"
    [ "$(stalled requests)" -eq 12345 ]
    stall
    load_json -z 1s -c 7 "$URL"
    # what was aborted may or may not have reached the server
    local requests low high
    requests=$(stalled requests)
    low=$(jq .requests.responses <<<"$output") high=$(jq .requests.sent <<<"$output")
    echo "$low <= $requests <= $high"
    ((low <= requests && requests <= high && high - low <= 7))
    json '.requests.sent == .requests.responses + .censored.aborted.count'
}

@test "load known: perfkit serve counts what perfkit load sent" {
    start_serve
    load_json -n 5000 -c 10 "$SERVE_URL"
    json '.requests.responses == 5000'
    curl -s "$SERVE_URL/metrics" >metrics
    grep -E '^[a-z_]*requests_total\{.*code="200".*\} 5000$' metrics || { cat metrics; false; }
}

@test "load known: a server that stalls each request for 1 s: every latency is 1.00 s" {
    stall --stall-each 1s
    load_json -n 4 -c 1 "$URL"
    near .latencyPercentiles.p50 1.0 0.02
    near .summary.fastest 1.0 0.02
    near .summary.slowest 1.0 0.02
    near .summary.average 1.0 0.02
    near .summary.requestsPerSec 1.0 0.02
    near .generator.meanInFlight 1.0 0.02
    json '.latencyPercentiles.p99 == null' # four samples say nothing about it
    pk load -n 1 -c 1 "$URL"
    [[ $output == *"50.00% in -"* && $output == *$'\n  Average:\t1.0'*" sec"* ]]
}

# One stall S from 1.0 to 2.0 s in a run T = 3 s at rate R: the wait of those due within it falls
# from S to 0, so that for q > 1 - S/T quantile(q) = S - (1 - q) T, and the mean is S^2 / 2T. Waits
# come in steps of 1/R: more requests would make them finer, and the backlog longer to send.
@test "load known: one stall at a rate: quantiles and mean from the schedule, both columns" {
    stall --stall-at 1s --stall-for 1s
    load_json -z 3s -q 100 -c 4 --latency-correction "$URL"
    [ "$status" -eq 0 ]
    json '.requests.sent == 300 and .corrected.count == 300 and .summary.average == .corrected.average'
    near '.corrected.percentiles.p90' 0.70 0.03
    near '.corrected.percentiles.p95' 0.85 0.03
    near '.corrected.percentiles.p99' 0.97 0.03
    near '.corrected.average' 0.16667 0.03
    # from the send only four requests have seen the stall: 4 of 300 waited about 1 s
    json '.service.percentiles.p95 < 0.1 and .service.average < 0.03 and .service.slowest > 0.9'
    stall --stall-at 1s --stall-for 1s
    pk load -z 3s -q 100 -c 4 "$URL"
    [[ $output == *"response (from schedule)  service (from send)"* ]]
    [[ $output =~ $'\n  90.00%'[[:space:]]+([0-9.]+)" ms"[[:space:]]+([0-9.]+)" ms" ]]
    awk -v response="${BASH_REMATCH[1]}" -v service="${BASH_REMATCH[2]}" \
        'BEGIN { exit !(response > 679 && response < 721 && service < 100) }'
}

@test "load known: what was due and never left is counted with the time it waited" {
    stall --stall-at 500ms --stall-for 60s
    load_json -z 2s -q 100 -c 2 "$URL"
    json '.censored.aborted.count == 2 and .censored.neverSent.count >= 145'
    json '.requests.sent + .censored.neverSent.count == 200'
    json '.censored.neverSent.oldest > 1.3 and .censored.neverSent.oldest < 1.6'
    json '.corrected.count == .requests.responses + .censored.neverSent.count'
    json '.corrected.percentiles.p90 > 1.0 and .service.percentiles.p90 < 0.5'
    json '.generator.rateRatio < 0.5 and .verdict.clientLimited'
}

@test "load known: rate x mean latency is what was in flight; the rest of c is the client's" {
    local how
    for how in "--stall-each 20ms" "--stall-each 5ms" ""; do
        stall $how
        load_json -z 2s -c 10 "$URL"
        json '((.service.count * .service.average / .summary.total - .generator.meanInFlight) | fabs)
              <= 0.02 * .generator.meanInFlight'
        json '(.generator.meanInFlight + .generator.meanIdle - 10 | fabs) < 1e-9 and .generator.meanIdle >= 0'
    done
    stall --stall-each 20ms
    pk load -z 1s -c 10 "$URL"
    [[ $output =~ "In flight:"$'\t'([0-9.]+)" of 10 connections on average, perfkit's own share "([0-9.]+) ]]
    awk -v a="${BASH_REMATCH[1]}" -v b="${BASH_REMATCH[2]}" 'BEGIN { exit !(a + b > 9.98 && a + b < 10.02) }'
}

@test "load known: the closed loop sends what the server's delay allows" {
    stall --stall-each 50ms
    load_json -z 2s -c 10 "$URL"
    # 10 connections / 0.05 s = 200; on a machine that is busy otherwise answers come later, and the
    # rate must be what that leaves, not less.
    json '.summary.requestsPerSec <= 200'
    near .summary.fastest 0.05 0.03
    near '.summary.requestsPerSec * .summary.average' 10 0.04
    near '.rps.mean / .summary.requestsPerSec' 1 0.05
}

@test "load known: 200 connections and a soft limit of 64 open files: the limit is raised" {
    stall --stall-each 200ms
    run --separate-stderr bash -c \
        'ulimit -Sn 64; exec "$PERFKIT" load -n 200 -c 200 --json "$1"' _ "$URL"
    [ "$status" -eq 0 ]
    json '.requests.responses == 200 and .requests.errors == 0'
    [ "$(stalled connections)" -eq 200 ]
}

@test "load known: 200 connections and ulimit -n 64 without the right to raise it: refused at once" {
    local unprivileged=()
    if [[ $(id -u) -eq 0 ]]; then
        cp "$PERFKIT" /tmp/perfkit-known.$$ && chmod 755 /tmp/perfkit-known.$$
        unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
    fi
    stall
    run --separate-stderr "${unprivileged[@]}" bash -c \
        'ulimit -n 64; exec "$2" load -n 200 -c 200 "$1"' _ "$URL" \
        "$([[ $(id -u) -eq 0 ]] && echo /tmp/perfkit-known.$$ || echo "$PERFKIT")"
    rm -f /tmp/perfkit-known.$$
    one_line_error "-c" "200 connections need" "64" "ulimit -n"
    [ "$(stalled connections)" -eq 0 ]
}

# Each answer takes 2 s, so that no connection is free before all of them are open and in use.
ten_thousand() { # URL
    run --separate-stderr bash -c \
        'ulimit -n 20000 || exit 99; exec "$PERFKIT" load -n 20000 -c 10000 --connect-timeout 30s --json "$1"' _ "$1"
    [ "$status" -eq 0 ]
    json '.requests.responses == 20000 and .requests.errors == 0 and .generator.connectionsOpened == 10000'
    json '.generator.meanInFlight > 5000 and .phases.tcp.count == 10000'
}

@test "load known: 10,000 keep-alive connections under ulimit -n 20000" {
    (ulimit -n 20000) 2>/dev/null || skip "the hard limit on open files is below 20,000"
    stall --stall-each 2s
    ten_thousand "$URL"
    [ "$(stalled connections)" -eq 10000 ]
    [ "$(stalled requests)" -eq 20000 ]
}

@test "load known: 10,000 keep-alive connections to perfkit serve" {
    (ulimit -n 20000) 2>/dev/null || skip "the hard limit on open files is below 20,000"
    start_serve
    ten_thousand "$SERVE_URL/delay/2s"
}

@test "load known: 100 requests over one connection, 1 s each: p50 = p99 = 1.00 s" {
    [[ $PERFKIT != */san-* ]] || skip "100 s of waiting, on other builds only"
    if [[ $BATS_TEST_TRY_NUMBER -eq 1 ]]; then
        wait_until 115 test -s "$LONG.json"
        output=$(cat "$LONG.json") stderr=$(cat "$LONG.err")
    else # the run beside the others was held up: one for itself
        stall --stall-each 1s
        PK_LIMIT_S=150 load_json -n 100 -c 1 "$URL"
    fi
    json '.requests.responses == 100 and .generator.connectionsOpened == 1'
    near .latencyPercentiles.p50 1.0 0.01
    near .latencyPercentiles.p99 1.0 0.05 # the second slowest of 100, beside tests that use all CPUs
    near .summary.fastest 1.0 0.01
    near .summary.total 100 0.02
    near .generator.meanInFlight 1.0 0.01
    json '.verdict.clientLimited == false'
}
