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
