# perfkit serve: where it listens, what "/" answers, what it prints, how it ends.
load helper
load serve_helper

# ---- listening ------------------------------------------------------------------------------

@test "serve: the first line names the URL, curl gets the greeting, SIGTERM ends it with a summary" {
    start_serve
    [[ $SERVE_URL =~ ^http://127\.0\.0\.1:[1-9][0-9]*$ ]]
    run --separate-stderr curl -s -m 10 "$SERVE_URL"
    [ "$status" -eq 0 ]
    [ "$output" = "Hello, World!" ]
    stop_serve TERM
    [ "$SERVE_STATUS" -eq 0 ]
    [ ! -s "$SERVE_ERR" ]
    [ "$(wc -l <"$SERVE_OUT")" -eq 2 ]
    [[ $(tail -n 1 "$SERVE_OUT") =~ ^"served 1 request (1 2xx) in "[0-9.]+" "m?s", 13 B of bodies, 1 connection (at most 1 at once)"$ ]]
}

@test "serve: without --listen it takes port 3000 of loopback, or says who has it" {
    local first="$BATS_TEST_TMPDIR/first"
    bg "$PERFKIT" serve >"$first" 2>"$first.err"
    local pid=$BG_PID
    wait_until "$DEADLINE_S" eval 'has_line "$first" || has_ended "$pid"'
    if has_line "$first"; then
        [ "$(head -n 1 "$first")" = "listening on http://127.0.0.1:3000" ]
        kill "$pid"
    else # somebody else on this machine
        [[ $(cat "$first.err") == *"127.0.0.1:3000: address already in use"* ]]
    fi
}

@test "serve: --listen may be repeated, with IPv6, a bare port and a name" {
    local name=localhost
    getent ahosts localhost >hosts || name=127.0.0.1 # no /etc/hosts here
    start_serve --listen 127.0.0.1:0 --listen '[::1]:0' -l 0 --listen :0 --listen "$name:0"
    wait_until "$DEADLINE_S" has_lines "$SERVE_OUT" 5
    mapfile -t urls < <(sed -n 's/^listening on //p' "$SERVE_OUT")
    [ "${#urls[@]}" -eq 5 ]
    [[ ${urls[1]} == 'http://[::1]:'* ]]
    [[ ${urls[2]} == http://127.0.0.1:* && ${urls[3]} == http://127.0.0.1:* ]]
    for url in "${urls[@]}"; do
        [ "$(curl -s -m 10 "$url/")" = "Hello, World!" ]
    done
    [ "$(metric 'requests_total{code="200"}')" -eq 5 ]
}

@test "serve: only loopback is bound unless asked; more than that is warned of" {
    start_serve
    run curl -s -m 5 "http://127.0.0.2:$(serve_port)/"
    [ "$status" -eq 7 ]
    start_serve --listen '*:0'
    [[ $SERVE_URL == http://0.0.0.0:* ]]
    [ "$(curl -s -m 10 "http://127.0.0.2:$(serve_port)/")" = "Hello, World!" ]
    wait_until "$DEADLINE_S" has_line "$SERVE_ERR"
    [ "$(wc -l <"$SERVE_ERR")" -eq 1 ]
    [[ $(cat "$SERVE_ERR") == "perfkit serve: warning: http://0.0.0.0:$(serve_port) can be reached from other machines"* ]]
}

@test "serve: a port in use is one line that names the process, and nothing is shared silently" {
    start_serve
    local address=127.0.0.1:$(serve_port)
    pk serve --listen "$address"
    one_line_error "$address: address already in use by perfkit (pid $SERVE_PID)" \
        "stop it or choose another with --listen 127.0.0.1:0"
    pk serve --listen 0 --listen "0.0.0.0:$(serve_port)"
    one_line_error "address already in use by perfkit (pid $SERVE_PID)"
    [ "$(curl -s -m 10 "$SERVE_URL")" = "Hello, World!" ]
}

@test "serve: a port can be taken again at once, though old connections are in TIME_WAIT" {
    start_serve
    local address=127.0.0.1:$(serve_port)
    raw 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' # the server closes first
    stop_serve
    start_serve --listen "$address"
    [ "$SERVE_URL" = "http://$address" ]
    [ "$(curl -s -m 10 "$SERVE_URL")" = "Hello, World!" ]
}

@test "serve: wrong addresses are one line" {
    local wrong
    for wrong in '' x 127.0.0.1: 127.0.0.1:65536 ::1:80 '[::1]'; do
        pk serve --listen "$wrong"
        one_line_error "--listen"
    done
    pk serve --listen 192.0.2.1:0
    one_line_error "192.0.2.1:0" "Cannot assign requested address"
    pk serve --listen no-such-host.invalid:0
    one_line_error "no-such-host.invalid"
}

@test "serve: --unix-socket listens there alone; the name is gone afterwards" {
    start_serve --unix-socket "$PWD/s.sock"
    [ "$SERVE_URL" = "unix:$PWD/s.sock" ]
    [ "$(curl -s -m 10 --unix-socket s.sock http://any/)" = "Hello, World!" ]
    [ "$(curl -s -m 10 --unix-socket s.sock http://any/ip | tr -d ' \n')" = '{"perfkit":"0.1.0","schema":"serve-ip/1","ip":null}' ]
    pk serve --unix-socket "$PWD/s.sock"
    one_line_error "$PWD/s.sock" "a running server listens there"
    stop_serve
    [ "$SERVE_STATUS" -eq 0 ]
    [ ! -e s.sock ]
}

@test "serve: a socket left by a crash is replaced, a file is not" {
    start_serve --unix-socket s.sock
    kill -KILL "$SERVE_PID"
    wait "$SERVE_PID" || true
    [ -S s.sock ]
    start_serve --unix-socket s.sock --listen 127.0.0.1:0
    wait_until "$DEADLINE_S" has_lines "$SERVE_OUT" 2
    [ "$(curl -s -m 10 --unix-socket s.sock http://any/)" = "Hello, World!" ]
    [[ $SERVE_URL == http://127.0.0.1:* ]]
    echo precious >file
    pk serve --unix-socket file
    one_line_error "file: exists and is no socket"
    [ "$(cat file)" = precious ]
}

@test "serve: --threads answers from so many threads" {
    local one two
    start_serve
    one=$(ls "/proc/$SERVE_PID/task" | wc -l)
    start_serve --threads 3
    two=$(ls "/proc/$SERVE_PID/task" | wc -l)
    [ "$two" -eq $((one + 2)) ]
    # a stalled thread does not hold up the others: of 30 connections some are theirs
    bg curl -s -m 20 -o /dev/null "$SERVE_URL/block/3s"
    local i fast=0
    sleep 0.2
    for i in {1..30}; do
        [[ $(curl -s -m 1 "$SERVE_URL/") == "Hello, World!" ]] && fast=$((fast + 1))
        ((fast >= 3)) && break
    done
    [ "$fast" -ge 3 ]
    wait "$BG_PID"
}

@test "serve: connections are shared out evenly among the threads" {
    start_serve --threads 3
    "$PERFKIT" load -z 2s -c 30 --no-tui --json "$SERVE_URL/" >load.json
    [ "$(jq '.requests.responses > 1000' load.json)" = true ]
    # on-CPU time of each thread: three of them work, and not one for the others
    cat /proc/"$SERVE_PID"/task/*/schedstat | sort -nr | awk '{ t[NR] = $1; if ($1 > t[1] / 4) n++ }
        END { print t[1], t[2], t[3], t[4]; exit n != 3 }'
}

@test "serve: --backlog reaches the kernel" {
    command -v ss >/dev/null || skip "no ss (iproute2)"
    start_serve --backlog 37
    [ "$(ss -Hltn "sport = :$(serve_port)" | awk '{ print $3 }')" -eq 37 ]
    start_serve
    [ "$(ss -Hltn "sport = :$(serve_port)" | awk '{ print $3 }')" -ge 1024 ]
}

# ---- the answer of "/" ------------------------------------------------------------------------

@test "serve: --body, --body-type, --header and --status shape the answer of /" {
    start_serve --body 'some text' --status 203 -H 'X-One: 1' --header 'X-Two: a:b' -H 'X-One: 2'
    run curl -s -m 10 -i "$SERVE_URL/"
    [[ $output == *"HTTP/1.1 203 "* && $output == *"X-One: 1"* && $output == *"X-Two: a:b"* ]]
    [[ $output == *"X-One: 2"* && $output == *"some text" ]]
    [[ $output == *"Content-Type: text/plain; charset=utf-8"* ]]
    [[ $(curl -s -m 10 -i "$SERVE_URL/healthz") != *X-One* ]]

    printf '{"a":1}' >b.json
    start_serve -b @b.json
    run curl -s -m 10 -i "$SERVE_URL/"
    [[ $output == *"Content-Type: application/json"* && $output == *'{"a":1}' ]]
    start_serve --body @b.json --body-type text/x-mine
    run curl -s -m 10 -i "$SERVE_URL/"
    [[ $output == *"Content-Type: text/x-mine"* && $output == *'{"a":1}' ]]
    start_serve --body ''
    run curl -s -m 10 -i "$SERVE_URL/"
    [[ $output == *"Content-Length: 0"* ]]
}

@test "serve: a Content-Type given as a header replaces ours, others of our making are refused" {
    start_serve -H 'Content-Type: a/b'
    run curl -s -m 10 -i "$SERVE_URL/"
    [ "$(grep -ic '^content-type' <<<"$output")" -eq 1 ]
    [[ $output == *"Content-Type: a/b"* ]]
    pk serve --listen 0 --header 'Content-Length: 3'
    one_line_error "--header" "Content-Length"
    pk serve --listen 0 --header 'no colon'
    one_line_error "--header" "Name: value"
    pk serve --listen 0 --body @none.txt
    one_line_error "none.txt"
}

@test "serve: --no-date leaves the Date out" {
    start_serve
    [[ $(curl -s -m 10 -i "$SERVE_URL/") == *$'\nDate: '* ]]
    start_serve --no-date
    [[ $(curl -s -m 10 -i "$SERVE_URL/") != *Date:* ]]
}

# ---- what it says ---------------------------------------------------------------------------

@test "serve: --quiet says where it listens and nothing else" {
    start_serve --quiet --listen '*:0'
    curl -s -m 10 "http://127.0.0.1:$(serve_port)" >reply
    [ "$(cat reply)" = "Hello, World!" ]
    stop_serve INT
    [ "$SERVE_STATUS" -eq 0 ]
    [ "$(wc -l <"$SERVE_OUT")" -eq 1 ]
    [ ! -s "$SERVE_ERR" ]
}

@test "serve: --verbose says how it runs, and what clients do wrong, at most a line a second" {
    start_serve -v --threads 2 --max-connections 50 --conn-memory 8k
    local i
    for i in {1..40}; do raw 'GET / HTTP/1.1\r\n\r\n' >/dev/null; done # no Host
    wait_until "$DEADLINE_S" has_text "$SERVE_ERR" "libmicrohttpd: "
    grep -qF "2 threads, at most 50 connections of 8192 bytes each, libmicrohttpd" "$SERVE_ERR"
    [ "$(grep -c 'libmicrohttpd: ' "$SERVE_ERR")" -lt 20 ]

    start_serve # and without it nothing of this
    for i in {1..5}; do raw 'GET / HTTP/1.1\r\n\r\n' >/dev/null; done
    stop_serve
    [ ! -s "$SERVE_ERR" ]
}

@test "serve: --color is kept per stream" {
    start_serve --color always --listen '*:0'
    [[ $(head -n 1 "$LISTENER_OUT") == "listening on "$'\e['*http://0.0.0.0:*$'\e['* ]]
    wait_until "$DEADLINE_S" has_line "$LISTENER_ERR"
    [[ $(cat "$LISTENER_ERR") == *$'\e['*warning:* ]]
    start_serve --color never --listen '*:0'
    [[ $(cat "$SERVE_OUT" "$SERVE_ERR") != *$'\e'* ]]
    start_serve --listen '*:0' # no terminal
    [[ $(cat "$SERVE_OUT" "$SERVE_ERR") != *$'\e'* ]]
}

@test "serve: an output that cannot be written is an error, a reader that left is not" {
    [ -w /dev/full ] || skip "no /dev/full"
    local fd
    bg "$PERFKIT" serve --listen 127.0.0.1:0 >/dev/full 2>err
    local pid=$BG_PID code=0
    wait_until "$DEADLINE_S" has_ended "$pid" # it does not serve where nobody can know
    wait "$pid" || code=$?
    [ "$code" -eq 2 ]
    grep -qF "standard output: cannot say where it listens: No space left on device" err
    start_serve
    exec {fd}> >(:) # a reader that has left: it goes on serving, and ends well
    bg "$PERFKIT" serve --unix-socket s.sock >&"$fd" 2>err
    pid=$BG_PID
    exec {fd}>&-
    wait_until "$DEADLINE_S" eval '[[ $(curl -s --unix-socket s.sock http://a/) == Hello* ]]'
    kill -TERM "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 0 ] && [ ! -s err ]
}

@test "serve: wrong values are one line with what is right" {
    local line
    while read -r line; do
        eval "pk serve --listen 0 $line"
        one_line_error "${line%% *}" || { echo "$line"; return 1; }
    done <<'LINES'
--threads 0
--threads x
--max-connections 0
--conn-memory 100
--conn-memory 1x
--backlog 0
--status 199
--status 600
--static no-such-dir
--error-rate 1.5
--error-rate -1
--error-kind broken
--delay 3x
--delay 2h
--jitter -1s
--seed -1
--drain soon
--head-timeout x
--idle-timeout x
--max-body 2GiB
--max-bytes 0
--color blue
--cert none.pem
--key none.pem
LINES
    pk serve --quiet --verbose
    one_line_error --quiet --verbose
    pk serve extra
    one_line_error extra
    pk serve --max-connections 4000000
    one_line_error "--max-connections" "ulimit -n 4000064"
}

# ---- the end --------------------------------------------------------------------------------

@test "serve: after SIGTERM new clients are refused, running requests end well, no name is left" {
    start_serve --listen 127.0.0.1:0 --unix-socket s.sock
    bg curl -s -m 20 -i -o slow "$SERVE_URL/delay/1500"
    local slow=$BG_PID
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    local begin=$(now_us)
    kill -TERM "$SERVE_PID"
    wait_until "$DEADLINE_S" eval '[ ! -e s.sock ]'
    is_refused
    ! has_ended "$SERVE_PID" || return 1
    wait "$slow"
    [[ $(cat slow) == *"HTTP/1.1 200 OK"*"waited 1.5 s"* && $(cat slow) == *"Connection: close"* ]]
    local code=0
    wait "$SERVE_PID" || code=$?
    [ "$code" -eq 0 ]
    (($(now_us) - begin < 4500000)) # no longer than the request took
    [[ $(tail -n 1 "$SERVE_OUT") == "served 1 request (1 2xx)"* ]]
}

@test "serve: who waits to be accepted when the signal comes is served yet" {
    start_serve --drain 20s
    command -v ss >/dev/null || skip "no ss (iproute2)"
    bg curl -s -m 20 -o blocked "$SERVE_URL/block/2s"
    wait_until "$DEADLINE_S" eval '! curl -s -m 0.2 -o /dev/null "$SERVE_URL/"' # the one thread stalls
    bg curl -s -m 20 -o waiting "$SERVE_URL/status/203"
    local waiting=$BG_PID
    wait_until "$DEADLINE_S" eval '[[ $(ss -Htn state established "dport = :$(serve_port)" | wc -l) -ge 2 ]]'
    stop_serve
    wait "$waiting"
    [[ $(cat waiting) == "203 "* && $(cat blocked) == "blocked for 2 s" ]]
}

@test "serve: --drain bounds the wait for running requests" {
    start_serve --drain 300ms
    bg curl -s -m 30 -o /dev/null "$SERVE_URL/delay/1h"
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    bg curl -s -m 30 -o /dev/null "$SERVE_URL/block/1h"
    wait_until "$DEADLINE_S" eval '! curl -s -m 0.2 -o /dev/null "$SERVE_URL/"' # the one thread stalls
    local begin=$(now_us)
    stop_serve
    [ "$SERVE_STATUS" -eq 0 ]
    (($(now_us) - begin > 250000 && $(now_us) - begin < 4000000))
    [[ $(tail -n 1 "$SERVE_OUT") == *" cut off when the drain ended"* ]]
}

@test "serve: a second signal ends it at once with 130" {
    start_serve --drain 1h
    bg curl -s -m 30 -o /dev/null "$SERVE_URL/delay/1h"
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    kill -INT "$SERVE_PID"
    wait_until "$DEADLINE_S" is_refused
    ! has_ended "$SERVE_PID" || return 1
    wait_until "$DEADLINE_S" has_text "$SERVE_ERR" "perfkit serve: ending: 1 connection still open, for at most 1h (--drain); a second signal ends at once"
    local code=0
    kill -TERM "$SERVE_PID"
    wait "$SERVE_PID" || code=$?
    [ "$code" -eq 130 ]
}

@test "serve: clients at work lose not one request to the drain, and are told to leave" {
    start_serve --threads 2 --drain 20s
    hold 32 loop
    local client=$BG_PID
    wait_until "$DEADLINE_S" has_text held "looping 32"
    stop_serve
    [ "$SERVE_STATUS" -eq 0 ]
    wait "$client"
    [[ $(tail -n 1 held) =~ ^"answered "[0-9]+" lost 0"$ ]]
    # what they counted is what the server counted
    local answered=$(awk '/^answered/ { print $2 }' held)
    [[ $(tail -n 1 "$SERVE_OUT") == "served $answered requests ($answered 2xx)"* ]]
    [[ $(tail -n 1 "$SERVE_OUT") != *"cut off"* ]]
}

@test "serve: kept connections on which nothing comes do not hold up the end" {
    start_serve --drain 30s
    hold 20 answered
    wait_until "$DEADLINE_S" has_text held "answered 20"
    local begin=$(now_us)
    stop_serve
    release
    [ "$SERVE_STATUS" -eq 0 ]
    (($(now_us) - begin < 10000000))
    [[ $(tail -n 1 "$SERVE_OUT") != *"cut off"* ]]
}

@test "serve: /readyz turns 503 while draining, /healthz stays 200" {
    start_serve --drain 10s
    [ "$(status_of "$SERVE_URL/readyz")" -eq 200 ]
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$(serve_port)"
    # half a head keeps the connection until the drain has begun
    printf 'GET /readyz HTTP/1.1\r\nHost: a\r\n' >&"$fd"
    bg curl -s -m 20 -o /dev/null "$SERVE_URL/delay/3s"
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    kill -TERM "$SERVE_PID"
    wait_until "$DEADLINE_S" is_refused
    printf '\r\n' >&"$fd"
    timeout 5 cat <&"$fd" >reply
    exec {fd}>&-
    [[ $(cat reply) == "HTTP/1.1 503 "* && $(cat reply) == *"Connection: close"* && $(cat reply) == *draining* ]]
}

@test "serve: the man page tells of every endpoint and every kind of fault" {
    start_serve
    "$PERFKIT" man serve | sed 's/\\//g' >page
    local path kind
    while read -r path _; do
        path=${path%%[?\[]*}
        grep -qF -- "$path" page || { echo "$path"; return 1; }
    done < <(curl -s -m 10 "$SERVE_URL/help")
    for kind in 500 reset truncate hang slow; do grep -q "$kind" page; done
}
