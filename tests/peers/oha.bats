# The same command lines for oha and for perfkit called as oha: same exit codes, same sections of
# the report in the same order, every key of its JSON. oha is the one in PATH, or $OHA.
load ../cli/helper

setup_file() {
    OHA=${OHA:-$(command -v oha || true)}
    # A link of ours by that name is not the peer.
    [[ $(realpath -- "${OHA:-/}") == */perfkit ]] && OHA=
    export OHA
}

setup() {
    [[ -x $OHA ]] || skip "oha is not installed (cargo install oha)"
    perfkit_setup
    mkdir bin
    ln -s "$PERFKIT" bin/oha
    OURS=$PWD/bin/oha
    start_serve
    printf 'a body' >body.txt
}

# One command line per line; URL stands for a running server, DEAD for a port nobody listens on.
plain_lines() {
    cat <<'LINES'
-n 20 -c 2 URL
-n 7 URL/status/404
-n 1k -c 10 URL
-z 250ms -c 2 URL/delay/100ms
-z 250ms -w -c 2 URL/delay/100ms
-n 10 -q 200 URL
-n 10 -q 200 --latency-correction URL
-n 4 -m POST -d hello -T text/plain URL/echo
-n 4 -m PUT -D body.txt -A text/html URL/echo
-n 4 -H 'X-One: 1' -H 'X-Two: 2' --host example.org URL/headers
-n 4 -a user:secret URL/headers
-n 4 --disable-keepalive URL
-n 4 --ipv4 URL
-n 2 -c 1 -t 50ms URL/delay/1s
-n 2 -c 1 --connect-timeout 1s DEAD
-n 4 --connect-to example.org:80:127.0.0.1:PORT http://example.org/
-n 4 URL/bytes/0
LINES
}

wrong_lines() {
    cat <<'LINES'
-z 3x URL
-n 5 -z 1s URL
--no-such-option URL
-n
-n many URL
-q -1 URL
-c 1 --cert body.txt URL
-d a -D body.txt URL
--output-format xml URL
LINES
}

unusable_lines() {
    cat <<'LINES'
http://127.0.0.1:99999/
-n 1 -D no-such-file URL
-n 1 --cacert no-such-file https://127.0.0.1:1/
LINES
}

# Sets ARGS to the words of a line, with the URLs in place.
args_of() {
    local line=${1//URL/$SERVE_URL}
    line=${line//DEAD/http://127.0.0.1:1}
    line=${line//PORT/${SERVE_URL##*:}}
    eval "ARGS=($line)"
}

# The report without its figures: titles, and the names before a tab.
skeleton() {
    sed -nE -e '/^[A-Z].*:$/p' -e 's/^(  [A-Za-z][^:]*:).*/\1/p' -e 's/^  ([0-9.]+%) in .*/  \1/p'
}

# All keys as paths; keys that are data (status codes, messages, bucket labels) become "*".
keys() {
    jq -r '[paths | map(tostring)
        | if .[0] | test("Histogram|Distribution") then [.[0], "*"] else . end
        | join(".")] | unique[]'
}

bounded() { timeout --kill-after=5 60 "$@"; }

@test "oha: same exit codes for command lines that run" {
    local line ARGS theirs ours
    while read -r line; do
        args_of "$line"
        theirs=0 ours=0
        bounded "$OHA" --no-tui "${ARGS[@]}" >/dev/null 2>&1 || theirs=$?
        bounded "$OURS" --no-tui "${ARGS[@]}" >/dev/null 2>&1 || ours=$?
        [ "$theirs" = "$ours" ] || { echo "$line: oha $theirs, perfkit $ours"; return 1; }
    done < <(plain_lines)
}

@test "oha: same exit codes for wrong and for unusable command lines" {
    local line ARGS theirs ours
    while read -r line; do
        args_of "$line"
        theirs=0 ours=0
        bounded "$OHA" --no-tui "${ARGS[@]}" >/dev/null 2>&1 || theirs=$?
        bounded "$OURS" --no-tui "${ARGS[@]}" >/dev/null 2>&1 || ours=$?
        [ "$theirs" -ne 0 ] || { echo "oha takes: $line"; return 1; }
        [ "$theirs" = "$ours" ] || { echo "$line: oha $theirs, perfkit $ours"; return 1; }
    done < <(wrong_lines; unusable_lines)
}

@test "oha: same sections of the report, same order" {
    local line ARGS
    while read -r line; do
        args_of "$line"
        bounded "$OHA" --no-tui "${ARGS[@]}" 2>/dev/null | skeleton >theirs.txt
        bounded "$OURS" --no-tui "${ARGS[@]}" 2>/dev/null | skeleton >ours.txt
        [ -s theirs.txt ]
        # What is ours alone may stand between or behind, but theirs must all be there, in order.
        diff theirs.txt ours.txt | grep '^<' && { echo "$line"; diff -y theirs.txt ours.txt; return 1; }
        [ "$(head -n 1 ours.txt)" = "$(head -n 1 theirs.txt)" ]
    done < <(plain_lines)
}

@test "oha: the JSON has all of oha's keys" {
    local line ARGS
    while read -r line; do
        args_of "$line"
        bounded "$OHA" --no-tui --output-format json "${ARGS[@]}" 2>/dev/null | keys >theirs.txt
        bounded "$OURS" --no-tui --output-format json "${ARGS[@]}" 2>/dev/null | keys >ours.txt
        [ "$(wc -l <theirs.txt)" -gt 30 ]
        comm -23 theirs.txt ours.txt >missing.txt
        [ ! -s missing.txt ] || { echo "$line"; cat missing.txt; return 1; }
    done < <(plain_lines)
}

@test "oha: output goes to the file of -o, quiet prints nothing" {
    local tool
    for tool in "$OHA" "$OURS"; do
        run --separate-stderr bounded "$tool" --no-tui -n 3 -o "$PWD/report.txt" "$SERVE_URL"
        [ "$status" -eq 0 ] && [ -z "$output" ]
        grep -q '^Summary:' report.txt
        rm report.txt
        run --separate-stderr bounded "$tool" --no-tui -n 3 --output-format quiet "$SERVE_URL"
        [ "$status" -eq 0 ] && [ -z "$output" ]
    done
}
