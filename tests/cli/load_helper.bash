# What the load tests share: the stall server, its counts, the JSON of a run.

# stall [ARG...]: starts tests/programs/stall_server. Sets URL, PORT and STALL_PID.
stall() {
    start_listener "$PROGRAMS/stall_server" "$@" || return 1
    URL=$LISTENER_URL PORT=${LISTENER_URL##*:} STALL_PID=$LISTENER_PID STALL_OUT=$LISTENER_OUT
}

# stalled NAME: ends the stall server, if it still runs, and prints one of its counts:
# requests answers connections sent_bytes received_body_bytes
stalled() {
    kill -TERM "$STALL_PID" 2>/dev/null || true
    wait_until "$DEADLINE_S" grep -q '^requests ' "$STALL_OUT" || return 1
    awk -v name="$1" '/^requests / { for (i = 1; i < NF; i += 2) if ($i == name) print $(i + 1) }' \
        "$STALL_OUT"
}

# load_json ARG...: `perfkit load --json ARG...`; what it prints is in $output.
load_json() { pk load --json "$@"; }

# proxy [ARG...]: starts tests/programs/proxy. Sets PROXY.
proxy() {
    start_listener "$PROGRAMS/proxy" "$@" || return 1
    PROXY=$LISTENER_URL PROXY_PID=$LISTENER_PID PROXY_OUT=$LISTENER_OUT
}

# proxied NAME: ends the proxy, if it still runs, and prints one of its counts:
# connections tunnels forwarded refused
proxied() {
    kill -TERM "$PROXY_PID" 2>/dev/null || true
    wait_until "$DEADLINE_S" grep -q '^connections ' "$PROXY_OUT" || return 1
    awk -v name="$1" '/^connections / { for (i = 1; i < NF; i += 2) if ($i == name) print $(i + 1) }' \
        "$PROXY_OUT"
}

# json FILTER: does the jq filter hold for $output? Shows what it looked at if not.
json() {
    jq -e "$1" <<<"$output" >/dev/null && return 0
    echo "not so: $1" >&2
    jq "del(.histogram, .intervals, .phases)" <<<"$output" >&2 || echo "$output" >&2
    echo "$stderr" >&2
    return 1
}

# recorded TEXT: is this line, without its CR, in what the server received?
recorded() {
    tr -d '\r' <record | grep -qxF -- "$1" && return 0
    echo "no line '$1' in:" >&2
    cat record >&2
    return 1
}
not_recorded() { ! tr -d '\r' <record | grep -qiF -- "$1"; }

# certificates NAME...: a CA in ca.pem and, by it, NAME.pem and NAME.key
certificates() {
    local name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj "/CN=test CA" -keyout ca.key -out ca.pem 2>/dev/null
    for name; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
            -keyout "$name.key" -out "$name.csr" 2>/dev/null
        openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:$name") -out "$name.pem" 2>/dev/null
    done
}
