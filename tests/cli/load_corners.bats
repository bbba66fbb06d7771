# perfkit load, both engines, in situations that come over time rather than in one answer:
# connections that die while they are kept, servers that come and go, limits that strike at odd
# moments, bodies far beyond every buffer.
#
# tests/run: beside the others
load helper
load load_helper

# both TEST [ARG...]: TEST once for each engine, named in ENGINE.
both() {
    for ENGINE in h1 curl; do "$@"; done
}

@test "load corners: a server that closes idle connections costs reconnects, no errors; plain and TLS" {
    slow_users() { # ARG...: a request every 400 ms
        start_serve --idle-timeout 1s "$@"
        load_json -n 3 -c 1 -q 0.6 --engine "$ENGINE" --insecure "$SERVE_URL"
        [ "$status" -eq 0 ]
        json '.requests.responses == 3 and .requests.errors == 0 and .requests.retried == 0'
        json '.generator.connectionsOpened == 3 and .phases.tcp.count == 3'
    }
    both slow_users
    both slow_users --tls
}

@test "load corners: a server that closes after each answer, unasked, is given every request once" {
    close_each() {
        stall --close-each
        load_json -n 500 -c 5 --engine "$ENGINE" "$URL"
        [ "$status" -eq 0 ]
        json '.requests.responses == 500 and .requests.errors == 0'
        [ "$(stalled answers)" -eq 500 ]
        [ "$(stalled requests)" -eq 500 ]
        # a request that met a closed connection went out again on a new one
        json ".generator.connectionsOpened == 500 and $(stalled connections) == 500"
    }
    both close_each
}

@test "load corners: a server that is killed and comes back is used again" {
    comes_back() {
        start_serve
        local port=${SERVE_URL##*:} load
        "$PERFKIT" load -z 3s -c 4 --engine "$ENGINE" --json -o result.json "$SERVE_URL" >out 2>&1 3>&- &
        load=$!
        track "$load"
        served() { [[ $(curl -s "$SERVE_URL/metrics" | awk '/^requests_total/ { n += $2 } END { print n + 0 }') -gt 100 ]]; }
        wait_until "$DEADLINE_S" served
        kill -KILL "$SERVE_PID"
        wait_until "$DEADLINE_S" has_ended "$SERVE_PID"
        start_serve --listen "127.0.0.1:$port"
        wait_until "$DEADLINE_S" served
        wait "$load"
        output=$(<result.json) stderr=
        json '.requests.responses > 200 and .requests.sent == .requests.responses + .requests.errors + .censored.aborted.count'
        json '.requests.errorClasses | del(.connect, .reset, .empty, .send, .truncated, .deadline) == {}'
        json '.generator.connectionsOpened >= 8'
    }
    both comes_back
}

@test "load corners: bodies of 20 MB, plain and TLS, are counted to the byte" {
    large() {
        start_serve --threads 2 "$@"
        load_json -n 6 -c 3 --engine "$ENGINE" --insecure "$SERVE_URL/bytes/20000000"
        [ "$status" -eq 0 ]
        json '.requests.responses == 6 and .bytes.bodies == 120000000 and .generator.connectionsOpened == 3'
    }
    both large
    both large --tls
}

@test "load corners: uploads of 5 MB to a server that reads them, plain and TLS" {
    head -c 5000000 /dev/zero >body
    upload() {
        start_serve --max-body 8MiB "$@"
        load_json -n 6 -c 3 -m POST -D body --engine "$ENGINE" --insecure "$SERVE_URL/echo"
        [ "$status" -eq 0 ]
        json '.statusCodeDistribution == {"200": 6} and .bytes.sent > 30000000 and .bytes.sent < 30010000'
        json '.generator.connectionsOpened == 3 and .requests.retried == 0'
    }
    both upload
    both upload --tls
}

@test "load corners: uploads that a server refuses early are its answer, not our error" {
    head -c 5000000 /dev/zero >body
    refused() {
        start_serve --max-body 64KiB "$@"
        load_json -n 8 -c 2 -m POST -D body --engine "$ENGINE" --insecure "$SERVE_URL/echo"
        [ "$status" -eq 0 ]
        json '.statusCodeDistribution == {"413": 8} and .requests.errors == 0'
    }
    both refused
    both refused --tls
}

@test "load corners: an answer that dribbles is cut off by -t, the next one is on a new connection" {
    dribble() {
        start_serve "$@"
        load_json -n 4 -c 2 -t 400ms --engine "$ENGINE" --insecure "$SERVE_URL/drip?duration=5s&bytes=50"
        [ "$status" -eq 1 ]
        json '.requests.errorClasses == {"timeout": 4} and .generator.connectionsOpened == 4'
        json '.summary.fastest >= 0.399 and .summary.slowest < 2'
        load_json -n 2 -c 2 -t 20s --engine "$ENGINE" --insecure "$SERVE_URL/drip?duration=300ms&bytes=30"
        json '.requests.responses == 2 and .bytes.bodies == 60 and .summary.fastest >= 0.2'
    }
    both dribble
    both dribble --tls
}

@test "load corners: after a timeout the connection is given up, and only then" {
    timeouts() {
        stall --stall-at 100ms --stall-for 700ms
        load_json -z 1500ms -c 2 -t 150ms --engine "$ENGINE" "$URL"
        [ "$status" -eq 0 ]
        json '.requests.timeouts == null and .censored.timeouts.count >= 4 and .requests.responses > 100'
        json '.requests.errorClasses.timeout == .censored.timeouts.count'
        json '.generator.connectionsOpened == 2 + .censored.timeouts.count'
        [ "$(stalled connections)" -eq "$(jq .generator.connectionsOpened <<<"$output")" ]
    }
    both timeouts
}

@test "load corners: -t strikes while the connection is still being made" {
    connecting() { # two are in the accept queue, the others' SYNs are lost
        stall --backlog 1 --accept-after 20s
        load_json -n 12 -c 6 -t 300ms --connect-timeout 20s --engine "$ENGINE" "$URL"
        [ "$status" -eq 1 ]
        json '.requests.errorClasses == {"timeout": 12} and .summary.slowest < 2'
    }
    both connecting
    tls_hello() {
        stall # it never answers a TLS hello
        load_json -n 4 -c 2 -t 300ms --connect-timeout 20s --engine "$ENGINE" "https://127.0.0.1:$PORT/"
        [ "$status" -eq 1 ]
        json '.requests.errorClasses == {"timeout": 4} and .summary.slowest < 2'
    }
    both tls_hello
}

@test "load corners: Ctrl-C while connections are being made ends at once" {
    interrupted() {
        stall # it never answers a TLS hello
        "$PERFKIT" load -n 4 -c 2 --connect-timeout 60s --engine "$ENGINE" --json -o result.json \
            "https://127.0.0.1:$PORT/" >out 2>&1 3>&- &
        local pid=$! code=0
        track "$pid"
        connected() { [[ $(ss -tnH state established "( dport = :$PORT )" 2>/dev/null | wc -l) -eq 2 ]]; }
        wait_until "$DEADLINE_S" connected
        kill -INT "$pid"
        wait_until 5 has_ended "$pid"
        wait "$pid" || code=$?
        [ "$code" -eq 130 ]
        output=$(<result.json) stderr=
        json '.interrupted and .censored.aborted.count == 2 and .requests.errorClasses == {"interrupted": 2}'
    }
    both interrupted
}

# With 64 descriptors a single one lost per connection would show after a few dozen.
@test "load corners: a thousand connections one after the other leak no descriptor" {
    few_files() { # ARG...
        run --separate-stderr bash -c 'ulimit -n 64; exec timeout 60 "$PERFKIT" load --json "$@"' _ \
            -n 1000 -c 4 --threads 2 --disable-keepalive --insecure --engine "$ENGINE" "$@"
        [ "$status" -eq 0 ]
        json '.requests.responses == 1000 and .requests.errors == 0 and .generator.connectionsOpened == 1000'
    }
    start_serve
    both few_files "$SERVE_URL"
    start_serve --tls
    both few_files "$SERVE_URL"
    proxy --to "${SERVE_URL#https://}"
    both few_files -x "$PROXY" https://127.0.0.1/
}

@test "load corners: answers that follow each other in two shapes of one length are told apart" {
    start_serve # "202 Accepted" and "409 Conflict" differ in 13 bytes and in no length
    load_json -n 2000 -c 5 --engine h1 "$SERVE_URL/status/202:1,409:1"
    [ "$status" -eq 0 ]
    local accepted
    accepted=$(curl -s "$SERVE_URL/metrics" | awk '/^requests_total{code="202"}/ { print $2 }')
    [ "$accepted" -gt 500 ]
    json ".statusCodeDistribution == {\"202\": $accepted, \"409\": $((2000 - accepted))}"
    json '.summary.totalData == 2000 * 13'
}
