# perfkit load: what is wrong on the command line is one line on stderr (what, where, how to fix),
# exit 2 and nothing on stdout; no request is sent.
load helper

URL=http://127.0.0.1:9/

# wrong ARGUMENT... -- TEXT...: each TEXT is in the line.
wrong() {
    local arguments=()
    while [[ $1 != -- ]]; do arguments+=("$1"); shift; done
    shift
    pk load "${arguments[@]}"
    one_line_error "$@" || { echo "of: load ${arguments[*]}" >&2; return 1; }
}

@test "load errors: no URL, a wrong URL, two URLs" {
    wrong -- "URL" "http://"
    wrong 127.0.0.1:3000 -- "scheme" "http://127.0.0.1:3000"
    wrong ftp://127.0.0.1/ -- "http and https"
    wrong 'http://' -- "URL"
    wrong 'http://a b/' -- "URL"
    wrong '' -- "URL"
    wrong "$URL" http://127.0.0.1:10/ -- "http://127.0.0.1:10/"
    wrong "http://127.0.0.1:9/$(printf 'x%.0s' {1..3000})" -- "longer"
    wrong http://name.invalid/ -- "name.invalid"
}

@test "load errors: counts" {
    local value
    for value in 0 -1 x 1.5 '' 1g 99999999999999999999; do
        wrong -n "$value" "$URL" -- "-n"
        wrong "--connections=$value" "$URL" -- "--connections"
    done
    wrong -c 2000000 "$URL" -- "-c" 1000000
    wrong --threads 0 "$URL" -- "--threads" 1
    wrong --threads 5000 "$URL" -- "--threads" 1024
}

@test "load errors: durations" {
    local value
    for value in 3x 0 -1s '' s 1s2 99999999y; do
        wrong -z "$value" "$URL" -- "-z"
        wrong -t "$value" "$URL" -- "-t"
        wrong --connect-timeout "$value" "$URL" -- "--connect-timeout"
    done
}

@test "load errors: rates and names of things" {
    local value
    for value in -1 x '' nan inf 1e999; do wrong -q "$value" "$URL" -- "-q"; done
    wrong --engine h9 "$URL" -- "--engine" "curl"
    wrong --output-format xml "$URL" -- "--output-format" "json"
    wrong --color sometimes "$URL" -- "--color" "auto"
}

@test "load errors: methods, headers, addresses" {
    wrong -m 'GET /' "$URL" -- "-m" "method"
    wrong -m '' "$URL" -- "-m"
    wrong -H 'no colon' "$URL" -- "-H" "Name: value"
    wrong -H ': x' "$URL" -- "-H"
    wrong -H 'a b: x' "$URL" -- "-H"
    wrong -H $'a: b\r\nc: d' "$URL" -- "-H" "line break"
    wrong --connect-to a:1 "$URL" -- "--connect-to" "HOST:PORT"
    wrong --connect-to a:b:c:d "$URL" -- "--connect-to"
    wrong --host $'a\r\nb: c' "$URL" -- "--host"
    wrong -A $'a\r\nb: c' "$URL" -- "-A"
    wrong -T $'a\r\nb: c' "$URL" -- "-T"
    wrong -a nocolon "$URL" -- "-a" "user:password"
}

@test "load errors: files that are not there or are not what they should be" {
    local option
    for option in -D --cacert --cert --key; do
        wrong $option missing.pem --cert missing.pem --key missing.pem "$URL" -- missing.pem
        wrong $option . --cert . --key . "$URL" -- "."
    done
    echo "no certificate" >text
    wrong -n 1 --cacert text https://127.0.0.1:9/ -- text
    wrong -n 1 --cert text --key text https://127.0.0.1:9/ -- text
    wrong -o missing/report.txt "$URL" -- missing/report.txt
    wrong -o . "$URL" -- "-o"
}

@test "load errors: options that exclude each other" {
    wrong -n 1 -z 1s "$URL" -- "-n" "-z"
    wrong -z 1s --requests 1 "$URL" -- "--requests" "-z"
    wrong -d a -D "$BATS_TEST_FILENAME" "$URL" -- "-d" "-D"
    wrong --json --output-format text "$URL" -- "--json" "--output-format"
    wrong --color always --no-color "$URL" -- "--color" "--no-color"
    wrong --unix-socket s --connect-to a:1:b:2 "$URL" -- "--unix-socket" "--connect-to"
    wrong --unix-socket s https://127.0.0.1/ -- "--unix-socket" "http://"
    wrong -m HEAD -d x "$URL" -- "HEAD"
}

@test "load errors: options that need another" {
    wrong -w "$URL" -- "-w" "--duration"
    wrong --cert "$BATS_TEST_FILENAME" "$URL" -- "--cert" "--key"
    wrong --key "$BATS_TEST_FILENAME" "$URL" -- "--key" "--cert"
}

@test "load errors: unknown options get the nearest one" {
    wrong --conections 5 "$URL" -- "--conections" "did you mean --connections"
    wrong --latency-corection "$URL" -- "did you mean --latency-correction"
    wrong -y "$URL" -- "-y"
    wrong -z -- "-z"
}

@test "load errors: a server that cannot be started" {
    wrong --serve missing-program -- "missing-program"
    wrong --serve '' -- "--serve"
    wrong --serve "'open" -- "--serve"
    wrong --serve 'sh -c "exit 3"' -- "exit code 3" "by itself"
    wrong --serve 'sh -c "kill -9 \$\$"' -- "signal 9"
    wrong --serve 'sh -c "exit 3"' "$URL" -- "exit code 3"
}

@test "load errors: a full disk is not success" {
    [[ -c /dev/full ]] || skip "no /dev/full"
    load load_helper
    stall
    run --separate-stderr bash -c '"$PERFKIT" load -n 3 "$1" >/dev/full' _ "$URL"
    [ "$status" -eq 2 ]
    [[ $stderr == *"standard output"* && ${#stderr_lines[@]} -eq 1 ]]
    pk load -n 3 -o /dev/full "$URL"
    one_line_error /dev/full
    run --separate-stderr bash -c '"$PERFKIT" load -n 3 --json "$1" | true; exit ${PIPESTATUS[0]}' _ "$URL"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ] # who closed the pipe has read enough
}
