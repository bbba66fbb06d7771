# perfkit load: what each option does, seen from the server or in the report.
load helper
load load_helper

# Rates and delays are compared with the truth here too: see load_known.bats on second attempts.
setup_file() { export BATS_TEST_RETRIES=2; }

# ---- how much -------------------------------------------------------------------------------

@test "load: -n sends so many requests, in plain numbers and with suffixes" {
    stall
    load_json -n 7 -c 2 "$URL"
    [ "$status" -eq 0 ]
    json '.requests.sent == 7 and .requests.responses == 7'
    [ "$(stalled requests)" -eq 7 ]
    stall
    load_json --requests 0.3k "$URL"
    json '.requests.sent == 300 and .config.requests == 300'
    [ "$(stalled requests)" -eq 300 ]
}

@test "load: without -n and -z it sends 200 over 50 connections" {
    stall --stall-each 20ms
    load_json "$URL"
    json '.config.requests == 200 and .config.connections == 50'
    [ "$(stalled requests)" -eq 200 ]
    [ "$(stalled connections)" -eq 50 ]
}

@test "load: -c opens so many connections, never more than there are requests" {
    stall --stall-each 50ms
    load_json -n 20 -c 4 "$URL"
    json '.config.connections == 4 and .generator.connectionsOpened == 4'
    [ "$(stalled connections)" -eq 4 ]
    stall --stall-each 50ms
    load_json -n 3 --connections 10 "$URL"
    [ "$(stalled connections)" -eq 3 ]
}

@test "load: -z stops after so long; what is in flight is aborted, its age told" {
    stall --stall-each 10s
    load_json -z 400ms -c 3 "$URL"
    [ "$status" -eq 1 ] # not a single answer
    json '.summary.total == 0.4 and .config.duration == 0.4 and .config.requests == null'
    json '.censored.aborted.count == 3 and .errorDistribution == {"aborted due to deadline": 3}'
    json '.censored.aborted.oldest > 0.3 and .censored.aborted.oldest <= 0.41'
    json '.summary.successRate == null' # nothing ended: no rate
    stall --stall-each 10s
    pk load --duration 300ms -c 1 "$URL"
    [[ $output == *$'\n  Aborted:\t1 in flight at the end, oldest '* ]]
    [[ $output == *$'\n  [1] aborted due to deadline'* ]]
}

@test "load: -w lets running requests finish; the rate is still that of the window" {
    stall --stall-each 700ms
    load_json -z 300ms -c 2 -w "$URL"
    [ "$status" -eq 0 ]
    json '.requests.responses == 2 and .requests.responsesInWindow == 0 and .censored.aborted.count == 0'
    json '.summary.total == 0.3 and .summary.requestsPerSec == 0'
    json '.drain > 0.3 and .drain < 5 and .config.waitOngoing'
    [ "$(stalled requests)" -eq 2 ]
}

@test "load: -q keeps a rate over all connections, fractions too" {
    stall
    load_json -z 1s -q 50 -c 10 "$URL"
    json '.config.rate == 50 and .generator.targetRate == 50 and .requests.sent == 50'
    json '.generator.rateRatio == 1 and .censored.neverSent.count == 0'
    [ "$(stalled requests)" -eq 50 ]
    stall
    load_json -z 1s --rate 2.5 "$URL"
    [ "$(stalled requests)" -eq 3 ] # due at 0, 0.4 and 0.8 s
    stall
    load_json -n 30 -q 100 "$URL" # the last one is due at 0.29 s
    json '.requests.sent == 30 and .summary.total >= 0.29 and .summary.total < 3'
}

@test "load: -q 0 is no limit" {
    stall
    load_json -n 500 -q 0 "$URL"
    json '.config.rate == null and .corrected == null and .summary.total < 5'
}

@test "load: idle connections are not aborted under -q" {
    stall
    load_json -z 500ms -q 10 -c 50 "$URL"
    json '.errorDistribution == {} and .censored.aborted.count == 0 and .requests.responses == 5'
}

@test "load: --latency-correction chooses the latency of the main sections" {
    stall --stall-at 200ms --stall-for 300ms
    load_json -z 800ms -q 100 -c 1 --latency-correction "$URL"
    json '.config.latencyCorrection and .summary.average == .corrected.average'
    json '.latencyPercentiles == .corrected.percentiles and .corrected.average > .service.average'
    stall --stall-at 200ms --stall-for 300ms
    load_json -z 800ms -q 100 -c 1 "$URL"
    json '.summary.average == .service.average and .corrected.average > .service.average'
    stall
    load_json -n 5 --latency-correction "$URL"
    [ "$status" -eq 0 ]
    [[ $stderr == *"--latency-correction changes nothing without -q"* ]]
}

@test "load: -t ends a request that takes too long, and counts it at its timeout" {
    stall --silent
    load_json -n 2 -c 2 -t 300ms "$URL"
    [ "$status" -eq 1 ]
    json '.errorDistribution == {"timeout": 2} and .requests.errorClasses == {"timeout": 2}'
    json '.censored.timeouts.count == 2 and .config.timeout == 0.3'
    json '.summary.fastest >= 0.3 and .summary.slowest < 3'
    stall --silent
    pk load -n 1 --timeout 0.2 "$URL"
    [[ $output == *$'\n  Timeouts:\t1, counted in the latencies'* ]]
}

@test "load: --threads sets how many threads send; oha's name for it works too" {
    stall
    load_json -n 20 -c 4 --threads 1 "$URL"
    json '.config.threads == 1'
    load_json -n 20 -c 4 --worker-threads 3 "$URL"
    json '.config.threads == 3'
    load_json -n 20 -c 2 --threads 8 "$URL" # no thread without a connection
    json '.config.threads == 2'
}

@test "load: --engine names what makes the requests" {
    stall
    for engine in h1 curl; do
        load_json -n 3 --engine "$engine" "$URL"
        [ "$status" -eq 0 ]
        json ".config.engine == \"$engine\""
    done
    load_json -n 3 "$URL" # auto
    json '.config.engine == "h1"'
    load_json -n 3 -H 'TE: trailers' "$URL"
    json '.config.engine == "curl"'
}

@test "load: --engine h1 refuses what it cannot send" {
    run --separate-stderr "$PERFKIT" load -n 1 --engine h1 -H 'Expect: 100-continue' http://127.0.0.1:9
    one_line_error "--engine h1" "Expect header" "--engine curl"
}

# ---- what is sent ---------------------------------------------------------------------------

@test "load: a plain request carries oha's default headers and no body" {
    stall --record record
    pk load -n 1 "$URL/path?q=1"
    [ "$status" -eq 0 ]
    recorded 'GET /path?q=1 HTTP/1.1'
    recorded "Host: 127.0.0.1:$PORT"
    recorded 'Accept: */*'
    recorded 'Accept-Encoding: gzip, compress, deflate, br'
    recorded "User-Agent: perfkit/$("$PERFKIT" --version | sed 's/.* //')"
    not_recorded 'Content-'
    not_recorded 'Connection:'
    not_recorded 'Expect:'
}

@test "load: -m sets the method; a HEAD has no body to wait for" {
    stall --record record
    pk load -n 1 -m DELETE "$URL"
    recorded 'DELETE / HTTP/1.1'
    stall --record record --body-bytes 100
    load_json -n 10 --method HEAD "$URL"
    [ "$status" -eq 0 ]
    recorded 'HEAD / HTTP/1.1'
    json '.bytes.bodies == 0 and .requests.responses == 10 and .firstBytePercentiles.p50 == null'
}

@test "load: -H adds a header, replaces defaults and options, repeats if given twice" {
    stall --record record
    pk load -n 1 -H 'X-One: 1' --header 'x-two: a b: c' -H 'User-Agent: me' -H 'accept: text/css' \
        -A 'image/png' -H 'X-One: 2' -H 'X-Empty:' "$URL"
    [ "$status" -eq 0 ]
    recorded 'X-One: 1'
    recorded 'X-One: 2'
    recorded 'x-two: a b: c'
    recorded 'User-Agent: me'
    not_recorded 'perfkit/'
    recorded 'accept: text/css'
    not_recorded 'image/png'
    not_recorded '*/*'
    tr -d '\r' <record | grep -qix 'x-empty: *'
}

@test "load: -A, -T, --host and -a set their headers" {
    stall --record record
    pk load -n 1 -A text/html -T application/json --host example.org -a user:pass "$URL"
    [ "$status" -eq 0 ]
    recorded 'Accept: text/html'
    recorded 'Content-Type: application/json'
    recorded 'Host: example.org'
    recorded "Authorization: Basic $(printf user:pass | base64)"
    stall --record record
    pk load -n 1 --accept a/b --content-type c/d --basic-auth u:p:q "$URL"
    recorded 'Accept: a/b'
    recorded 'Content-Type: c/d'
    recorded "Authorization: Basic $(printf u:p:q | base64)"
}

@test "load: the password of -a is not in the process list" {
    stall --stall-each 20s
    "$PERFKIT" load -n 1 -a name:hushhush "$URL" >out 2>&1 3>&- &
    track $!
    local pid=$!
    sent_one() { [[ -n $(ss -tnH state established "( dport = :$PORT )" 2>/dev/null) ]]; }
    wait_until "$DEADLINE_S" sent_one
    tr '\0' ' ' <"/proc/$pid/cmdline" >cmdline
    grep -q -- '-a' cmdline
    run grep -q hushhush cmdline
    [ "$status" -eq 1 ]
}

@test "load: -d sends a body with each request, whatever the method" {
    stall --record record
    load_json -n 10 -c 2 -d 'hello body' "$URL"
    json '.config.method == "GET"'
    recorded 'Content-Length: 10'
    [ "$(grep -c 'hello body' record)" -eq 10 ]
    [ "$(stalled received_body_bytes)" -eq 100 ]
    stall --record record
    pk load -n 1 -m POST --body x "$URL"
    recorded 'POST / HTTP/1.1'
    recorded 'Content-Length: 1'
    not_recorded 'Content-Type'
}

@test "load: -D sends a file as it is, binary and larger than one segment too" {
    head -c 300000 /dev/urandom >body.bin
    stall --record record
    load_json -n 3 -c 1 -m PUT -D body.bin "$URL"
    [ "$status" -eq 0 ]
    json '.requests.responses == 3'
    [ "$(stalled received_body_bytes)" -eq 900000 ]
    tail -c 300000 record | cmp - body.bin
    stall
    run --separate-stderr bash -c 'printf "from a pipe" | "$PERFKIT" load -n 2 --body-file - "$1"' _ "$URL"
    [ "$status" -eq 0 ]
    [ "$(stalled received_body_bytes)" -eq 22 ]
}

@test "load: bytes are those that the server sent, heads and bodies" {
    stall --body-bytes 100000
    load_json -n 200 -c 8 "$URL"
    json '.bytes.bodies == 20000000 and .summary.totalData == 20000000 and .summary.sizePerRequest == 100000'
    local sent
    sent=$(stalled sent_bytes)
    json ".bytes.bodies + .bytes.heads == $sent"
}

# ---- connections ----------------------------------------------------------------------------

@test "load: --disable-keepalive opens a connection for each request" {
    stall --record record
    load_json -n 10 -c 2 --disable-keepalive "$URL"
    [ "$status" -eq 0 ]
    json '.generator.connectionsOpened == 10 and .phases.tcp.count == 10 and (.config.keepalive | not)'
    recorded 'Connection: close'
    [ "$(stalled connections)" -eq 10 ]
}

@test "load: --unix-socket reaches a server without a port" {
    stall --unix here.sock --record record
    load_json -n 5 --unix-socket here.sock http://name.invalid/x
    [ "$status" -eq 0 ]
    json '.requests.responses == 5'
    recorded 'GET /x HTTP/1.1'
    recorded 'Host: name.invalid'
}

@test "load: --connect-to goes elsewhere and keeps the URL's name" {
    stall --record record
    pk load -n 1 --connect-to "name.invalid:80:127.0.0.1:$PORT" http://name.invalid/
    [ "$status" -eq 0 ]
    recorded 'Host: name.invalid'
}

@test "load: two --connect-to for one host share the connections equally" {
    stall --stall-each 50ms
    local first=$PORT first_pid=$STALL_PID first_out=$STALL_OUT
    stall --stall-each 50ms
    pk load -n 8 -c 4 --connect-to "n.invalid:80:127.0.0.1:$first" \
        --connect-to "n.invalid:80:127.0.0.1:$PORT" http://n.invalid/
    [ "$status" -eq 0 ]
    [ "$(stalled connections)" -eq 2 ]
    STALL_PID=$first_pid STALL_OUT=$first_out
    [ "$(stalled connections)" -eq 2 ]
}

@test "load: --ipv4 and --ipv6 choose among a name's addresses" {
    getent ahostsv4 localhost >ahosts || skip "localhost has no address here (no /etc/hosts?)"
    if [[ -z $(getent ahostsv6 localhost | grep '^::1 ') ]]; then # a name with an IPv4 address only
        stall
        load_json -n 2 --ipv4 "http://localhost:$PORT/"
        [ "$status" -eq 0 ]
        pk load -n 2 --ipv6 "http://localhost:$PORT/"
        one_line_error localhost "IPv6 only"
        return
    fi
    stall --ipv6 --record record
    load_json -n 2 "http://localhost:$PORT/"
    [ "$status" -eq 0 ]
    json '.requests.responses == 2'
    load_json -n 2 --ipv6 "http://localhost:$PORT/"
    [ "$status" -eq 0 ]
    recorded "Host: localhost:$PORT"
    load_json -n 2 --ipv4 "http://localhost:$PORT/"
    [ "$status" -eq 1 ]
    json '.errorDistribution == {"Connection refused (os error 111)": 2}'
}

@test "load: an IPv6 address in the URL" {
    [[ -e /proc/net/if_inet6 ]] || skip "no IPv6 here"
    stall --ipv6 --record record
    load_json -n 2 "http://[::1]:$PORT/"
    [ "$status" -eq 0 ]
    recorded "Host: [::1]:$PORT"
}

@test "load: --connect-timeout bounds TCP and TLS together" {
    stall # it never answers a TLS hello
    load_json -n 2 -c 2 --connect-timeout 300ms "https://127.0.0.1:$PORT/"
    [ "$status" -eq 1 ]
    json '.errorDistribution == {"timeout": 2} and .config.connectTimeout == 0.3'
    json '.summary.fastest >= 0.29 and .summary.slowest < 3'
}

# tls_server ARG...: openssl's own server on a free port; sets URL.
tls_server() {
    openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -www -naccept 20 "$@" \
        </dev/null >tls.out 2>tls.err 3>&- &
    track $!
    wait_until "$DEADLINE_S" grep -q '^ACCEPT' tls.out || return 1
    URL=https://$(sed -n 's/^ACCEPT //p' tls.out)/
}

@test "load: --cacert trusts a certificate, --insecure any, neither refuses" {
    certificates server
    tls_server
    load_json -n 2 -c 1 --cacert ca.pem "$URL"
    [ "$status" -eq 0 ]
    json '.requests.responses == 2 and .phases.tls.count == 2'
    load_json -n 2 -c 1 --insecure "$URL"
    [ "$status" -eq 0 ]
    json '.requests.responses == 2'
    load_json -n 2 -c 1 "$URL"
    [ "$status" -eq 1 ]
    json '.requests.errorClasses == {"tls": 2} and .requests.responses == 0'
    pk load -n 1 -c 1 --cacert ca.pem "$URL"
    [[ $output == *$'\n  TLS handshake:\t'* ]]
}

@test "load: --cert and --key identify the client" {
    certificates server client
    tls_server -Verify 1 -CAfile ca.pem -verify_return_error
    load_json -n 1 -c 1 --cacert ca.pem --cert client.pem --key client.key "$URL"
    [ "$status" -eq 0 ]
    json '.requests.responses == 1'
    load_json -n 1 -c 1 --cacert ca.pem "$URL"
    [ "$status" -eq 1 ]
    json '.requests.responses == 0 and .requests.errors == 1'
}

# ---- the server of the run ------------------------------------------------------------------

@test "load: --serve starts a server, takes its URL from its first line and stops it" {
    local command="$PROGRAMS/stall_server --body-bytes 5 --record record"
    load_json -n 30 -c 3 --serve "$command"
    [ "$status" -eq 0 ]
    json '.requests.responses == 30 and .bytes.bodies == 150 and (.config.url | test("^http://127.0.0.1:[0-9]+"))'
    [ "$(grep -c 'GET / ' record)" -eq 30 ]
    [ -z "$(ss -tlnH "( sport = :$(jq -r .config.url <<<"$output" | tr -dc '0-9:' | cut -d: -f3) )")" ]
}

@test "load: --serve with a URL waits until that URL accepts" {
    cat >late.sh <<'S'
#!/bin/sh
sleep 0.5
exec "$PROGRAMS/stall_server" --unix late.sock
S
    chmod +x late.sh
    load_json -n 3 --serve ./late.sh --unix-socket late.sock http://late.invalid/x
    [ "$status" -eq 0 ]
    json '.requests.responses == 3 and .config.url == "http://late.invalid/x"'
}

@test "load: --verbose shows what the served program prints, and how the run is made" {
    pk load -n 3 --verbose --serve "$PROGRAMS/stall_server"
    [ "$status" -eq 0 ]
    [[ $stderr == *"requests 3 answers 3"* ]]
    [[ $stderr == *"engine h1, threads "*", connections 3, http://127.0.0.1:"* ]]
    [[ $stderr == *"limits: "*" open files (hard "* ]]
    pk load -n 3 --serve "$PROGRAMS/stall_server"
    [ -z "$stderr" ]
}

@test "load: a talkative server does not block on its output" {
    cat >chatter.sh <<'S'
#!/bin/sh
"$PROGRAMS/stall_server" &
trap 'kill $!; wait; exit 0' TERM
i=0
while [ $((i += 1)) -le 4000 ]; do echo "this line fills the pipe, again and again and again: $i"; done
echo done >chatter.done
wait
S
    chmod +x chatter.sh
    pk load -z 1500ms -q 20 -c 2 --serve ./chatter.sh
    [ "$status" -eq 0 ]
    [ -e chatter.done ]
}

@test "load: a server that ends during the run is named" {
    cat >short.sh <<'S'
#!/bin/sh
"$PROGRAMS/stall_server" &
pid=$!
sleep 0.5
kill "$pid"
wait "$pid"
exit 7
S
    chmod +x short.sh
    pk load -z 1500ms -q 20 --serve ./short.sh
    [ "$status" -eq 0 ]
    [[ $stderr == *"the server ended with exit code 7 during the run"* ]]
}

# ---- what comes out -------------------------------------------------------------------------

@test "load: --output-format text, json and quiet; --json and -j are json" {
    stall
    pk load -n 3 --output-format text "$URL"
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "Summary:" ]]
    [ -z "$stderr" ]
    for how in '--output-format=json' --json -j; do
        pk load -n 3 $how "$URL"
        [ "$status" -eq 0 ]
        json '.schema == "load/1" and .requests.responses == 3'
    done
    pk load -n 3 --output-format quiet "$URL"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ -z "$stderr" ]
    [ "$(stalled requests)" -eq 15 ]
    pk load -n 3 --output-format quiet "$URL" # now nobody listens
    [ "$status" -eq 1 ]
    [ -z "$output" ]
}

@test "load: -o writes the report to a file, whole or not at all" {
    stall
    echo before >report.json
    pk load -n 3 -j -o report.json "$URL"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    jq -e '.requests.responses == 3' report.json
    pk load -n 3 --output report.txt "$URL"
    grep -q '^Summary:$' report.txt
    echo before >kept.json
    pk load -n 3 -j -o kept.json --cacert report.txt "$URL" # no certificate in it: no run
    [ "$status" -eq 2 ]
    [ "$(cat kept.json)" = before ]
    pk load -n 3 -o - "$URL"
    [[ ${lines[0]} == "Summary:" ]]
    [ "$(ls | grep -c 'report\|kept')" -eq 3 ] # no temporary is left
}

@test "load: colours only where asked for or on a terminal" {
    stall
    pk load -n 3 --color always "$URL"
    [[ $output == *$'\e['*"Summary:"* ]]
    pk load -n 3 "$URL"
    [[ $output != *$'\e['* ]]
    for how in '--color never' --no-color --disable-color; do
        run script -qec "'$PERFKIT' load -n 3 --no-tui $how $URL" /dev/null
        [[ $output == *"Summary:"* && $output != *$'\e['* ]]
    done
    TERM=xterm run script -qec "'$PERFKIT' load -n 3 --no-tui $URL" /dev/null
    [[ $output == *$'\e['*"Summary:"* ]]
    NO_COLOR=1 TERM=xterm run script -qec "'$PERFKIT' load -n 3 --no-tui $URL" /dev/null
    [[ $output != *$'\e['* ]]
    TERM=xterm run script -qec "'$PERFKIT' load -n 3 --no-tui -o r.txt $URL" /dev/null
    run grep -q $'\e' r.txt
    [ "$status" -eq 1 ]
}

@test "load: a progress line on a terminal's stderr, none with --no-tui or elsewhere" {
    stall
    TERM=xterm run script -qec "'$PERFKIT' load -z 1s -q 20 $URL" /dev/null
    [[ $output == *" s / 1s  "*" answers  "*" in flight"* ]]
    TERM=xterm run script -qec "'$PERFKIT' load -z 1s -q 20 --no-tui $URL" /dev/null
    [[ $output == *"Summary:"* && $output != *" in flight"$'\r'* && $output != *" s / 1s "* ]]
    pk load -z 1s -q 20 "$URL"
    [ -z "$stderr" ]
}

@test "load: Ctrl-C prints what was measured, marked as partial, and exits 130" {
    stall
    for how in text json; do
        "$PERFKIT" load -z 30s -q 100 --output-format $how "$URL" >out 2>err 3>&- &
        local pid=$!
        track "$pid"
        sent_one() { [[ -n $(ss -tnH state established "( dport = :$PORT )") ]]; }
        wait_until "$DEADLINE_S" sent_one
        kill -INT "$pid"
        local code=0
        wait "$pid" || code=$?
        [ "$code" -eq 130 ]
        [[ $how == text ]] || continue
        grep -q '^Partial: interrupted after .* of 30 s$' out
        grep -q '^Summary:' out
    done
    jq -e '.interrupted and .summary.total < 20' out
}

@test "load: Ctrl-C while the server of --serve starts: 130, and the server is gone" {
    "$PERFKIT" load --serve 'sleep 4321' -n 1 >out 2>err 3>&- &
    local pid=$! code=0
    track "$pid"
    starting() { pgrep -P "$pid" -f '^sleep 4321$' >child; }
    wait_until "$DEADLINE_S" starting
    kill -INT "$pid"
    wait "$pid" || code=$?
    [ "$code" -eq 130 ]
    [ ! -s out ]
    grep -q 'interrupted before the first request' err
    has_ended "$(cat child)"
}

@test "load: nothing listening: the report, and exit 1" {
    stall
    stalled requests >/dev/null
    pk load -n 5 -c 2 "$URL"
    [ "$status" -eq 1 ]
    [[ $output == *$'\n  [5] Connection refused (os error 111)'* ]]
    [[ $output == *$'\n  Success rate:\t0.00%'* || ${lines[1]} == $'  Success rate:\t0.00%' ]]
}

@test "load: refused connects are retried with pauses, not in a busy loop" {
    stall
    stalled requests >/dev/null
    load_json -z 1s -c 1 "$URL"
    json '.requests.errors > 5 and .requests.errors < 40' # 1 ms doubling to 100 ms
}

@test "load: each kind of bad answer is an error of its own" {
    check() { # OPTION CLASS
        stall "$1"
        load_json -n 4 -c 2 "$URL"
        [ "$status" -eq 1 ]
        json ".requests.errorClasses == {\"$2\": 4} and .requests.responses == 0"
    }
    check --reset-each reset
    check --empty-each empty
    check --truncate truncated
    check --garbage malformed
}

@test "load: answers that end by closing are answers" {
    for how in --close-each --no-length; do
        stall $how
        load_json -n 50 -c 4 "$URL"
        [ "$status" -eq 0 ]
        json '.requests.responses == 50 and .requests.errors == 0'
        [ "$(stalled answers)" -eq 50 ]
    done
}

@test "load: answers count by status; success is any answer, 2xx/3xx rate is not" {
    stall --status 503
    load_json -n 10 "$URL"
    [ "$status" -eq 0 ]
    json '.statusCodeDistribution == {"503": 10} and .summary.successRate == 1 and .requests.goodRate == 0'
    stall --status 204 --body-bytes 0
    load_json -n 10 "$URL"
    json '.statusCodeDistribution == {"204": 10} and .requests.goodRate == 1'
}

# ---- by oha's name --------------------------------------------------------------------------

@test "load: called as oha it has oha's exit codes" {
    ln -s "$PERFKIT" oha
    stall
    run --separate-stderr ./oha -n 3 --no-tui "$URL"
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "Summary:" ]]
    stalled requests >/dev/null
    run --separate-stderr ./oha -n 3 --no-tui "$URL" # nobody listens any more
    [ "$status" -eq 0 ]
    [[ $output == *"[3] Connection refused (os error 111)"* ]]
    run --separate-stderr ./oha
    [ "$status" -eq 2 ] && [[ $stderr == *Usage* || $stderr == *usage* ]] && [ -z "$output" ]
    run --separate-stderr ./oha -n x "$URL"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    run --separate-stderr ./oha -n 1 http://name.invalid/
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [[ $stderr == Error:* ]]
}

@test "load: called as oha, Ctrl-C still exits 0" {
    ln -s "$PERFKIT" oha
    stall
    ./oha -z 30s -q 50 --no-tui "$URL" >out 2>err 3>&- &
    local pid=$! code=0
    track "$pid"
    sent_one() { [[ -n $(ss -tnH state established "( dport = :$PORT )") ]]; }
    wait_until "$DEADLINE_S" sent_one
    kill -INT "$pid"
    wait "$pid" || code=$?
    [ "$code" -eq 0 ]
    grep -q '^Partial' out
}
