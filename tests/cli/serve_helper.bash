# What the tests of perfkit serve share, on top of helper.bash.

# The port of the last start_serve.
serve_port() { echo "${SERVE_URL##*:}"; }

# raw TEXT [SECONDS]: sends TEXT (with printf's escapes) in one piece and prints everything until the
# server closes or resets the connection. RAW_CLOSED is 0 if it did not do so within SECONDS (2).
raw() {
    local fd code=0
    printf '%b' "$1" >raw.in # bash's own printf would write line by line
    exec {fd}<>"/dev/tcp/127.0.0.1/$(serve_port)" || return 1
    cat raw.in >&"$fd" 2>/dev/null || true # it may be closed before everything is sent
    timeout "${2:-2}" cat <&"$fd" 2>/dev/null || code=$?
    exec {fd}>&-
    RAW_CLOSED=$((code != 124))
}

# raw_to FILE TEXT [SECONDS]: the same into a file, so that RAW_CLOSED reaches the caller.
raw_to() { raw "$2" "${3:-2}" >"$1"; }

# metric NAME: the value of one sample, such as 'requests_total{code="200"}'; empty if there is none.
metric() { curl -s -m 10 "$SERVE_URL/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }

# metric_is NAME VALUE: for wait_until.
metric_is() { [[ $(metric "$1") == "$2" ]]; }

# status ARG...: only the status that curl gets.
status_of() { curl -s -m 20 -o /dev/null -w '%{http_code}' "$@"; }

# seconds ARG...: how long curl takes, in milliseconds.
milliseconds_of() { curl -s -m 30 -o /dev/null -w '%{time_total}' "$@" | awk '{ printf "%d\n", $1 * 1000 }'; }

# Lines of a file, once it has so many; for wait_until.
has_lines() { [[ -f $1 && $(wc -l <"$1") -ge $2 ]]; }
has_text() { grep -qF -- "$2" "$1"; }

# bg COMMAND...: in the background, ended with the test; BG_PID is its pid. Descriptor 3 is bats' own,
# and one that kept HOLD_FD open would keep what `hold` started.
bg() {
    if [[ -n ${HOLD_FD:-} ]]; then "$@" 3>&- {HOLD_FD}>&- &
    else "$@" 3>&- &
    fi
    BG_PID=$!
    track "$BG_PID"
}

# New clients are refused: the server drains, or is gone.
is_refused() { [[ $(curl -s -m 1 -o /dev/null -w "%{exitcode}" "$SERVE_URL/") == 7 ]]; }

# hold COUNT MODE: many connections (tests/programs/hold_connections) until `release`; what it prints
# is in the file held, its stdin is $HOLD_FD.
hold() {
    [[ -p in ]] || mkfifo in
    exec {HOLD_FD}<>in
    "$PROGRAMS/hold_connections" "${SERVE_URL#http://}" "$@" <in >held 2>&1 3>&- {HOLD_FD}>&- &
    BG_PID=$!
    track "$BG_PID"
}
release() {
    exec {HOLD_FD}>&-
    HOLD_FD=
}

# A sanitizer's report fails the test even where nobody looked at the server's stderr or exit code.
teardown() {
    perfkit_teardown
    if grep -lE 'Sanitizer|runtime error:' "$BATS_TEST_TMPDIR"/listener.*.err 2>/dev/null; then
        cat "$BATS_TEST_TMPDIR"/listener.*.err
        return 1
    fi
}
