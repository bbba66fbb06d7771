# perfkit load at the limits of this machine: local ports, descriptors, lost SYNs.
#
# tests/run: beside the others
load helper
load load_helper

# ---- a network of our own -------------------------------------------------------------------

# network: sets NETWORK to what runs a command in a network namespace, where ports are its own.
network() {
    local how
    for how in "unshare -n" "unshare -rn"; do
        # shellcheck disable=SC2086
        if $how sh -c 'ip link set lo up && echo "50000 50099" >/proc/sys/net/ipv4/ip_local_port_range' \
            2>/dev/null; then
            NETWORK=$how
            return 0
        fi
    done
    return 1
}
need_network() {
    command -v ip unshare >/dev/null || skip "no ip or unshare"
    network || skip "no right to make a network namespace"
}

# churn REUSE ADDRESS ARG...: in a network with 100 local ports and tcp_tw_reuse=REUSE, `perfkit load
# --json ARG...` of a server on ADDRESS. What it prints is in $output and $stderr.
churn() {
    # shellcheck disable=SC2086
    run --separate-stderr timeout --kill-after=5 60 $NETWORK bash -c '
        set -e
        reuse=$1 address=$2
        shift 2
        ip link set lo up
        server=("$PROGRAMS/stall_server")
        if [[ $address != 127.0.0.1 ]]; then
            ip address add "$address/32" dev lo
            server=("$PERFKIT" serve --listen "$address:0")
        fi
        "${server[@]}" >server 2>&1 3>&- &
        trap "kill $!" EXIT
        until grep -q "^listening on" server; do sleep 0.02; done
        echo "50000 50099" >/proc/sys/net/ipv4/ip_local_port_range
        echo "$reuse" >/proc/sys/net/ipv4/tcp_tw_reuse
        "$PERFKIT" load --json "$@" "$(sed -n "s/^listening on //p" server)"
    ' _ "$@"
}

# The server closes nothing, so each of these connections ends in TIME_WAIT on our side.
@test "load limits: without keep-alive 100 ports are 100 requests; the rest fails on our side" {
    need_network
    local engine
    for engine in h1 curl; do
        churn 0 127.0.0.1 -z 2s -q 100 -c 2 --disable-keepalive --engine "$engine"
        [ "$status" -eq 0 ]
        [[ $stderr == *"each request takes a local port for 60 s, and 100 ports are enough for 50/s: at 100/s they run out after 1 s and requests fail; leave out --disable-keepalive, lower -q, or set net.ipv4.tcp_tw_reuse=1"* ]]
        json '.requests.responses == 100 and .generator.localPorts == 100 and .generator.portHold == 60'
        json '.requests.errors > 0 and .requests.errors == .requests.ownErrors'
        json '.requests.errorClasses | keys == ["ports"]'
        json '.errorDistribution | keys == ["Cannot assign requested address (os error 99)"]'
        json '.summary.successRate == 1 and .requests.goodRate == 1' # the server did nothing wrong
        json '.verdict.clientLimited'
        json '.verdict.reasons[0] | test("at this machine.s own limit: Cannot assign.*keep connections alive")'
    done
}

@test "load limits: a closed loop is warned with the rate that its ports allow" {
    need_network
    churn 0 127.0.0.1 -n 150 -c 1 --disable-keepalive
    [ "$status" -eq 0 ]
    [[ $stderr == *"each request takes a local port for 60 s: if the server answers more than 1/s, the 100 ports run out and requests fail"* ]]
    json '.requests.responses == 100 and .requests.ownErrors == 50 and .requests.sent == 150'
    churn 0 127.0.0.1 -n 99 -c 1 --disable-keepalive # as many as there are
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    json '.requests.responses == 99 and .requests.errors == 0'
}

@test "load limits: on loopback a port comes back after a second, if the kernel may" {
    need_network
    churn 2 127.0.0.1 -z 3500ms -q 80 -c 4 --disable-keepalive
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    json '.requests.responses > 200 and .generator.portHold == 1' # far more than 100 ports
    churn 2 127.0.0.1 -z 1s -q 200 -c 4 --disable-keepalive
    [[ $stderr == *"a local port for 1 s, and 100 ports are enough for 100/s: at 200/s they run out after 500 ms"* ]]
}

@test "load limits: an address of this machine outside 127.0.0.0/8 is not loopback to the kernel" {
    need_network
    churn 2 10.9.9.1 -z 500ms -q 250 -c 4 --disable-keepalive
    [ "$status" -eq 0 ]
    [[ $stderr == *"each request takes a local port for 60 s, and 100 ports are enough for 200/s: at 250/s they run out after 400 ms"* ]]
    json '.generator.portHold == 60'
    churn 1 10.9.9.1 -z 500ms -q 190 -c 4 --disable-keepalive
    [ -z "$stderr" ]
    json '.generator.portHold == 1'
}

@test "load limits: more kept connections than ports are warned about" {
    need_network
    churn 2 127.0.0.1 -n 200 -c 120
    [[ $stderr == *"120 connections want a local port each and there are 100: the others will fail; lower -c"* ]]
}

@test "load limits: nothing is said about ports where none are needed twice" {
    stall --unix here.sock
    load_json -z 200ms --unix-socket here.sock --disable-keepalive http://localhost/
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    json '.generator.localPorts == null'
    stall
    load_json -n 100 "$URL"
    [ -z "$stderr" ]
    json '.generator.localPorts > 0'
}

# ---- descriptors ----------------------------------------------------------------------------

# The check before the run raises the limit to what it needs; so it is lowered while it runs.
@test "load limits: no descriptor left is our limit, told apart, and the run goes on" {
    command -v prlimit >/dev/null || skip "no prlimit"
    local engine pid
    for engine in h1 curl; do
        stall --stall-each 20ms
        "$PERFKIT" load -z 2s -c 20 --threads 1 --disable-keepalive --engine "$engine" --json -o result.json \
            "$URL" >out 2>err 3>&- &
        pid=$!
        track "$pid"
        connected() { [[ $(ss -tnH state established "( dport = :$PORT )" 2>/dev/null | wc -l) -ge 10 ]]; }
        wait_until "$DEADLINE_S" connected
        prlimit --pid "$pid" --nofile=16:16
        wait "$pid"
        output=$(cat result.json) stderr=$(cat err)
        json '.requests.responses > 20 and .requests.errorClasses.files > 0'
        json '.requests.errorClasses | keys == ["deadline", "files"] or keys == ["files"]'
        json '.errorDistribution["Too many open files (os error 24)"] == .requests.errorClasses.files'
        json '.requests.ownErrors == .requests.errorClasses.files and .summary.successRate == 1'
        json '.verdict.clientLimited and (.verdict.reasons[0] | test("Too many open files.*ulimit -n"))'
    done
    pk load -n 5 -c 1 "$URL"
    [[ $output != *"Own limits:"* ]]
}

# ---- lost SYNs ------------------------------------------------------------------------------

# syn_schedule: when this kernel sends a SYN again, in seconds: "1 2 3 4 5 7" or "1 3 7".
syn_schedule() {
    local linear=0 at=0 wait=1 i
    [[ -r /proc/sys/net/ipv4/tcp_syn_linear_timeouts ]] && linear=$(</proc/sys/net/ipv4/tcp_syn_linear_timeouts)
    for i in 1 2 3 4 5 6; do
        ((at += wait))
        printf '%d ' "$at"
        ((i > linear && (wait *= 2))) || true
    done
}

# A queue of 1 holds 2 connections (the kernel lets one more in); nothing else is accepted for 1.5 s.
@test "load limits: SYNs lost to a full accept queue are told from slow connects, in text and JSON" {
    local schedule second engine
    read -r -a schedule <<<"$(syn_schedule)"
    second=${schedule[1]}
    for engine in h1 curl; do
        stall --backlog 1 --accept-after 1500ms
        load_json -n 10 -c 10 --connect-timeout 20s --engine "$engine" "$URL"
        [ "$status" -eq 0 ]
        json ".synRetries == {\"connects\": 8, \"clusters\": [{\"retries\": 2, \"after\": $second, \"connects\": 8}]}"
        json '.generator.retransmits == 16' # by the kernel's own count
        json '.phases.tcp.count == 10 and .requests.responses == 10'
    done
    stall --backlog 1 --accept-after 300ms
    pk load -n 10 -c 10 --connect-timeout 20s "$URL"
    [[ $output == *$'\n  SYN retries:\t8 of 10 connects waited for one: 8 took 1 s (the server\'s accept queue was full, or packets were lost)\n'* ]]
    stall --stall-each 1100ms # slow answers are no slow connects
    load_json -n 10 -c 10 "$URL"
    json '.synRetries == {"connects": 0, "clusters": []}'
    pk load -n 10 "$URL"
    [[ $output != *"SYN retries"* ]]
}
