# What all bats files share. At the top of each:   load helper
#
# Every test starts in an empty directory of its own. Whatever start_serve, start_listener or
# `track` started is ended, by its pid, when the test ends. A file that needs more than this writes
# its own setup/teardown and calls perfkit_setup and perfkit_teardown there.
#
#   $PERFKIT    the binary under test, an absolute path
#   $PROGRAMS   the directory of the built tests/programs
#   $ROOT       the source tree
bats_require_minimum_version 1.5.0

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
PERFKIT=$(realpath -- "${PERFKIT:-$ROOT/build/perfkit}")
PROGRAMS=$(dirname -- "$PERFKIT")/tests/programs
export PERFKIT PROGRAMS ROOT

# Another program on the machine may hold a test up for longer than it allows: two more attempts.
# A mistake of ours fails all three, and what a sanitizer finds is kept apart (tests/run).
export BATS_TEST_RETRIES=2

# Deadlines are generous: they only bound a broken run. Sanitizer builds are ten times slower.
DEADLINE_S=${DEADLINE_S:-30}

perfkit_setup() {
    unset NO_COLOR COLUMNS
    export LC_ALL=C TERM=dumb
    TRACKED=()
    cd "$BATS_TEST_TMPDIR" || return 1
}

perfkit_teardown() {
    local pid
    for pid in "${TRACKED[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

setup() { perfkit_setup; }
teardown() { perfkit_teardown; }

# Microseconds since the epoch.
now_us() {
    local t=${EPOCHREALTIME/[.,]/}
    echo "$t"
}

# wait_until SECONDS COMMAND...: runs COMMAND again and again until it succeeds; fails when the
# time is up.
wait_until() {
    local end=$(($(now_us) + $1 * 1000000))
    shift
    until "$@"; do
        if (($(now_us) > end)); then
            echo "still failing at the deadline: $*" >&2
            return 1
        fi
        sleep 0.02
    done
}

# track PID: ends this process when the test ends.
track() { TRACKED+=("$1"); }

# pk ARG...: `run --separate-stderr` of the program, bounded in time.
pk() { run --separate-stderr timeout --foreground --kill-after=5 "${PK_LIMIT_S:-60}" "$PERFKIT" "$@"; }

has_line() { [[ -s $1 && $(wc -l <"$1") -gt 0 ]]; }
has_ended() { ! kill -0 "$1" 2>/dev/null; }

# start_listener COMMAND...: starts it in the background and waits for its first line on stdout,
# "listening on URL". Sets
#   LISTENER_URL  what stands after "listening on "     LISTENER_PID
#   LISTENER_OUT, LISTENER_ERR  files with all of its stdout and stderr
start_listener() {
    LISTENER_OUT=$(mktemp "$BATS_TEST_TMPDIR/listener.XXXXXX")
    LISTENER_ERR=$LISTENER_OUT.err
    # 3 is bats' own stream: a child that held it would keep bats waiting.
    "$@" </dev/null >"$LISTENER_OUT" 2>"$LISTENER_ERR" 3>&- &
    LISTENER_PID=$!
    track "$LISTENER_PID"
    local end=$(($(now_us) + DEADLINE_S * 1000000))
    until has_line "$LISTENER_OUT"; do
        if has_ended "$LISTENER_PID" || (($(now_us) > end)); then
            echo "no first line from: $*" >&2
            cat "$LISTENER_OUT" "$LISTENER_ERR" >&2
            return 1
        fi
        sleep 0.02
    done
    local first
    read -r first <"$LISTENER_OUT"
    if [[ $first != "listening on "* ]]; then
        echo "unexpected first line: $first" >&2
        return 1
    fi
    LISTENER_URL=${first#listening on }
}

# start_serve [ARG...]: a `perfkit serve` on a free port of loopback (unless ARG says where).
# Sets SERVE_URL, SERVE_PID, SERVE_OUT, SERVE_ERR.
start_serve() {
    local where=(--listen 127.0.0.1:0) arg
    for arg in "$@"; do
        case $arg in --listen | --listen=* | --unix-socket | --unix-socket=*) where=() ;; esac
    done
    start_listener "$PERFKIT" serve "${where[@]}" "$@" || return 1
    SERVE_URL=$LISTENER_URL SERVE_PID=$LISTENER_PID
    SERVE_OUT=$LISTENER_OUT SERVE_ERR=$LISTENER_ERR
}

# stop_serve [SIGNAL]: ends what start_serve started last and waits for it; SERVE_STATUS is its
# exit status.
stop_serve() {
    kill "-${1:-TERM}" "$SERVE_PID" || return 1
    wait_until "$DEADLINE_S" has_ended "$SERVE_PID" || return 1
    SERVE_STATUS=0
    wait "$SERVE_PID" || SERVE_STATUS=$?
}

# After `pk` or `run --separate-stderr`: was it the one-line error of a wrong command line? Exit 2,
# nothing on stdout, exactly one line on stderr, which contains each TEXT.
one_line_error() {
    local text wrong=
    [[ $status -eq 2 ]] || wrong+="exit status $status, not 2; "
    [[ -z $output ]] || wrong+="something on stdout; "
    [[ ${#stderr_lines[@]} -eq 1 && $stderr == *[![:space:]]* ]] ||
        wrong+="${#stderr_lines[@]} lines on stderr, not 1; "
    for text in "$@"; do
        [[ $stderr == *"$text"* ]] || wrong+="no '$text' in it; "
    done
    [[ -z $wrong ]] && return 0
    printf '%s\nstdout: %s\nstderr: %s\n' "$wrong" "$output" "$stderr" >&2
    return 1
}
