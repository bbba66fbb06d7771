# perfkit load: how late it is itself, and whether it says so when it was the limit.
load helper
load load_helper

# At a low rate perfkit sleeps between requests, and waking up takes time. A shared machine can
# spoil any one run, so the best of five counts; all are shown.
@test "load client: at 100 requests a second half of them leave within 50 us of their time" {
    local best=1 engine
    for engine in h1 curl h1 curl h1; do
        stall
        load_json -z 1s -q 100 --engine "$engine" "$URL"
        [ "$status" -eq 0 ]
        jq -r '"# \(.config.engine): lag p50 \(.generator.lag.p50 * 1e6) us, p99 \(.generator.lag.p99 * 1e6) us"' \
            <<<"$output" >&3
        best=$(jq --argjson best "$best" '[$best, .generator.lag.p50] | min' <<<"$output")
    done
    awk -v p50="$best" 'BEGIN { exit !(p50 <= 50e-6) }'
}

@test "load client: what it spends on being punctual is a twentieth of a CPU at most" {
    stall
    load_json -z 1s -q 2000 -c 4 --threads 1 "$URL"
    json '.generator.cpuSpinning > 0 and .generator.cpuSpinning <= 0.055'
    load_json -z 1s -q 100 -c 4 --threads 1 "$URL" # 100 us each
    json '.generator.cpuSpinning > 0 and .generator.cpuSpinning <= 0.0105'
    load_json -z 300ms -c 4 "$URL" # nothing to be punctual for
    json '.generator.cpuSpinning == 0'
}

@test "load client: a thread that has time to spare never leaves an answer lying" {
    stall
    load_json -z 500ms -q 2000 -c 4 --threads 1 "$URL"
    json '.generator.paused == 0'
    start_serve
    load_json -z 900ms -c 64 --threads 1 "$SERVE_URL/delay/100ms" # a slow build has time to spare too
    json '.generator.paused == 0 and .statusCodeDistribution["200"] > 64'
}

# busy_cpu N: N programs that want the last of our CPUs all the time, for at most 30 s. Sets BUSY
# (that CPU) and REST (the others).
busy_cpu() {
    local cpus i
    command -v taskset >/dev/null || skip "no taskset"
    cpus=$(taskset -cp $$ | sed 's/.*: //')
    [[ $cpus =~ ^[0-9]+$ ]] && skip "there is one CPU only"
    BUSY=${cpus##*[,-]}
    REST=${cpus%%[,-]*}
    for ((i = 0; i < $1; i++)); do
        taskset -c "$BUSY" bash -c 'while ((SECONDS < 30)); do :; done' 3>&- &
        track $!
    done
}

@test "load client: on a CPU that a program of higher priority takes, it says that it was the limit" {
    [[ -r /proc/thread-self/schedstat ]] || skip "this kernel does not tell how long a thread waits"
    busy_cpu 1
    start_listener taskset -c "$REST" "$PROGRAMS/stall_server"
    run --separate-stderr timeout 60 nice -n 10 taskset -c "$BUSY" "$PERFKIT" load -z 1500ms -c 1 --json "$LISTENER_URL"
    local json_output=$output
    run --separate-stderr timeout 60 nice -n 10 taskset -c "$BUSY" "$PERFKIT" load -z 1500ms -c 1 "$LISTENER_URL"
    local text=$output
    output=$json_output
    json '.verdict.clientLimited and .generator.cpuWaiting > 0.25'
    json '[.verdict.reasons[] | select(test("a thread of perfkit waited for a CPU, [0-9]+ % of the time"))] | length == 1'
    [[ $text == *"  client-limited: latencies include waiting in perfkit"* ]]
    [[ $text == *"    a thread of perfkit waited for a CPU, "* ]]
    [[ $text =~ "of a CPU and "[0-9]+"% waiting for one" ]]
}
