# perfkit serve: many connections, slow ones and silent ones.
#
# tests/run: beside the others
load helper
load serve_helper

@test "serve: 10,000 kept connections at ulimit -n 20000, at 5 KiB each and no CPU while idle" {
    (($(ulimit -Hn) >= 20000)) || skip "hard limit on open files: $(ulimit -Hn)"
    ulimit -n 20000
    start_serve
    local before=$(metric process_resident_memory_bytes)
    hold 10000 answered
    wait_until "$DEADLINE_S" has_line held
    [ "$(head -n 1 held)" = "answered 10000" ]
    wait_until 10 metric_is connections 10001
    local each=$((($(metric process_resident_memory_bytes) - before) / 10000))
    echo "bytes each: $each"
    ((each < 8192)) || [[ $PERFKIT == *san-* ]]
    # idle: at most the look for late heads once a second
    local cpu=$(metric process_cpu_seconds_total)
    sleep 1
    awk -v a="$cpu" -v b="$(metric process_cpu_seconds_total)" 'BEGIN { exit !(b - a < 0.3) }'
    # a newcomer is answered at once, and all of the others again
    [ "$(curl -s -m 5 "$SERVE_URL/")" = "Hello, World!" ]
    echo >&"$HOLD_FD"
    wait_until "$DEADLINE_S" has_lines held 2
    [ "$(tail -n 1 held)" = "answered 10000" ]
    [ "$(metric 'requests_total{code="200"}')" -eq 20001 ]
    release
}

@test "serve: the soft limit on descriptors is raised to the hard one" {
    (($(ulimit -Hn) >= 2000)) || skip "hard limit on open files: $(ulimit -Hn)"
    ulimit -Sn 64
    start_serve
    (($(metric connections_limit) == $(ulimit -Hn) - 64))
    hold 1200 answered # beyond 1024: select() would reset them
    wait_until "$DEADLINE_S" has_line held
    [ "$(head -n 1 held)" = "answered 1200" ]
    release
}

@test "serve: a hard limit that leaves no room is one line" {
    (ulimit -n 200 && pk serve --listen 0 --max-connections 150; one_line_error "--max-connections" "ulimit -n 214")
    (ulimit -n 64 && pk serve --listen 0; one_line_error "only 0 connections fit into 64 open files" "ulimit -n 1064")
}

@test "serve: at --max-connections one warning is given, others wait and are served later" {
    start_serve --max-connections 20
    hold 20 answered
    wait_until "$DEADLINE_S" has_line held
    wait_until "$DEADLINE_S" has_text "$SERVE_ERR" "the limit of 20 connections is reached"
    run curl -s -m 0.5 "$SERVE_URL/"
    [ "$status" -eq 28 ] # connected by the kernel, not answered
    local ticks=$(awk '{ print $14 + $15 }' "/proc/$SERVE_PID/stat") # 1/100 s of CPU
    sleep 1
    (($(awk '{ print $14 + $15 }' "/proc/$SERVE_PID/stat") - ticks < 30)) # it does not spin
    bg curl -s -m 20 -o late "$SERVE_URL/"
    local late=$BG_PID
    sleep 0.2
    release # the others leave
    wait "$late"
    [ "$(cat late)" = "Hello, World!" ]
    [ "$(wc -l <"$SERVE_ERR")" -eq 1 ]
    [ "$(metric connections_limit)" -eq 20 ]
}

@test "serve: connections of several listeners share one limit" {
    start_serve --max-connections 10 --listen 127.0.0.1:0 --listen 127.0.0.1:0
    hold 10 answered
    wait_until "$DEADLINE_S" has_line held
    run curl -s -m 0.5 "$(sed -n '2s/listening on //p' "$SERVE_OUT")"
    [ "$status" -eq 28 ]
    release
}

@test "serve: half-sent heads are cut at --head-timeout, and disturb nobody" {
    start_serve --head-timeout 1s
    local begin=$(now_us)
    hold 500 half
    wait_until "$DEADLINE_S" has_line held
    [ "$(curl -s -m 5 "$SERVE_URL/")" = "Hello, World!" ]
    wait_until "$DEADLINE_S" has_lines held 2
    [ "$(tail -n 1 held)" = "closed 500" ]
    (($(now_us) - begin >= 900000))
    [ "$(metric heads_cut_total)" -eq 500 ]
    [ "$(metric 'requests_total{code="408"}')" -eq 500 ] # their request line was seen
    release
}

# drip_head BEGIN: sends BEGIN, then a byte every 100 ms, until the connection is closed or 10 s have
# passed; prints how long it lasted, in milliseconds.
drip_head() {
    local fd begin i
    exec {fd}<>"/dev/tcp/127.0.0.1/$(serve_port)"
    timeout 11 cat <&"$fd" >dripped 2>/dev/null 3>&- &
    local reader=$!
    begin=$(now_us)
    printf '%b' "$1" >&"$fd"
    for ((i = 0; i < 100; i++)); do
        kill -0 "$reader" 2>/dev/null || break
        (printf x >&"$fd") 2>/dev/null || break
        sleep 0.1
    done
    wait "$reader" || true
    echo $((($(now_us) - begin) / 1000))
    exec {fd}>&-
}

@test "serve: a head that comes byte by byte is cut too: any byte is not enough" {
    start_serve --head-timeout 1s --idle-timeout 1s
    local took=$(drip_head 'GET / HTTP/1.1\r\nHost: a\r\nX: ')
    ((took >= 900 && took < 4000))
    [[ $(cat dripped) == "HTTP/1.1 408 Request Timeout"*"Connection: close"* ]]
    took=$(drip_head 'GET /') # not even a line
    ((took >= 900 && took < 4000))
    [ ! -s dripped ]
    [ "$(metric heads_cut_total)" -eq 2 ]
}

@test "serve: so is the head of a later request on a kept connection" {
    start_serve --head-timeout 1s --idle-timeout 1s
    local took=$(drip_head 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nX: ')
    ((took >= 900 && took < 5000))
    [[ $(cat dripped) == "HTTP/1.1 200 "*"Hello, World!HTTP/1.1 408 "* ]]
    took=$(drip_head 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /')
    ((took >= 1900 && took < 6000)) # it may be idle for a second before
    [[ $(cat dripped) == "HTTP/1.1 200 "*"Hello, World!" ]]
}

@test "serve: --head-timeout 0 lets a head take its time" {
    start_serve --head-timeout 0 --idle-timeout 1s
    local took=$(drip_head 'GET / HTTP/1.1\r\nHost: a\r\nX: ')
    ((took >= 9000))
}

@test "serve: --idle-timeout closes silent connections, 0 none" {
    start_serve --idle-timeout 1s
    local begin=$(now_us)
    raw_to reply 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' 6
    [ "$RAW_CLOSED" -eq 1 ]
    (($(now_us) - begin >= 900000 && $(now_us) - begin < 5000000))
    start_serve --idle-timeout 0
    raw_to reply 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' 3
    [ "$RAW_CLOSED" -eq 0 ]
    # a wait is no silence
    start_serve --idle-timeout 1s
    [ "$(status_of "$SERVE_URL/delay/2500")" -eq 200 ]
    [ "$(status_of "$SERVE_URL/stream/3?every=1500")" -eq 200 ]
}

@test "serve: a client that does not read is closed by the idle timeout" {
    start_serve --idle-timeout 1s
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$(serve_port)"
    printf 'GET /bytes/900M HTTP/1.1\r\nHost: a\r\n\r\n' >&"$fd"
    wait_until 10 metric_is 'requests_aborted_total{reason="timeout"}' 1
    wait_until 10 metric_is connections 1
    exec {fd}>&-
}

@test "serve: connections that come and go leave nothing behind" {
    start_serve
    "$PERFKIT" load -n 200 -c 5 --disable-keepalive --no-tui --json "$SERVE_URL/" >/dev/null
    local before=$(metric process_resident_memory_bytes) files=$(ls "/proc/$SERVE_PID/fd" | wc -l)
    "$PERFKIT" load -n 5000 -c 20 --disable-keepalive --no-tui --json "$SERVE_URL/" >load.json
    [ "$(jq .requests.responses load.json)" -eq 5000 ]
    wait_until 10 metric_is connections 1
    (($(metric process_resident_memory_bytes) - before < 4000000)) || [[ $PERFKIT == *san-* ]]
    [ "$(ls "/proc/$SERVE_PID/fd" | wc -l)" -le $((files + 1)) ]
    [ "$(metric 'requests_total{code="200"}')" -eq 5200 ]
}
