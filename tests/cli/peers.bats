# The arithmetic of `make compare`, on figures that are fixed. The comparison itself is no test: its
# times are what they are.
load helper

setup() {
    perfkit_setup
    PEERS=$ROOT/tests/peers
    perfkit=$PERFKIT
    # shellcheck source=../peers/clients.bash
    . "$PEERS/clients.bash"
    # shellcheck source=../peers/memory.bash
    . "$PEERS/memory.bash"
}

table() { awk "$@" -f "$PEERS/table.awk" rows; }

@test "peers: median of ns per request, median and range of the ratios within each round" {
    # wrk: 5, 6, 7 us; h1: 4, 3, 7.7 us, so ratios 0.8, 0.5, 1.1.
    cat >rows <<'ROWS'
1 wrk 5000000 1000
1 h1 8000000 2000
2 h1 3000000 1000
2 wrk 6000000 1000
3 wrk 700000 100
3 h1 770000 100
ROWS
    run table -v base=wrk -v titles='wrk=wrk;h1=perfkit, engine h1' -v goals='h1=0.82'
    diff - <(echo "$output") <<'TEXT'
    wrk                          6.00 us   1.00  (its own range 33 %)
    perfkit, engine h1           4.00 us   0.80  (0.50 .. 1.10, 3 rounds)  goal 0.82: met
TEXT
    run table -v base=wrk -v goals='h1=0.79'
    [[ ${lines[1]} == *"goal 0.79: missed" ]]
}

@test "peers: of an even number of rounds the middle two count; no goal, no verdict" {
    printf '%s\n' '1 b 100 1' '1 x 100 1' '2 b 100 1' '2 x 120 1' '3 b 100 1' '3 x 140 1' \
        '4 b 100 1' '4 x 900 1' >rows
    run table -v base=b -v titles='b=b;x=x;gone=never ran'
    diff - <(echo "$output") <<'TEXT'
    b                            0.10 us   1.00  (its own range 0 %)
    x                            0.13 us   1.30  (1.00 .. 9.00, 4 rounds)
TEXT
}

@test "peers: base and goals take the last rounds, the others all of theirs" {
    printf '%s\n' '1 b 300 1' '1 g 300 1' '1 o 600 1' '2 b 100 1' '2 g 50 1' '3 b 102 1' '3 g 51 1' >rows
    run table -v base=b -v goals='g=0.5' -v window=2 -v titles='b=b;g=g;o=o'
    diff - <(echo "$output") <<'TEXT'
    b                            0.10 us   1.00  (its own range 2 %)
    g                            0.05 us   0.50  (0.50 .. 0.50, 2 rounds)  goal 0.5: met
    o                            0.60 us   2.00  (2.00 .. 2.00, 1 rounds)
TEXT
    [ "$(table -v base=b -v spread=1 -v window=2)" = 2.0 ]
    [ "$(table -v base=b -v spread=1)" = 196.1 ] # (300 - 100) / 102
}

@test "peers: without the base there are times and no ratios" {
    printf '%s\n' '1 x 100 1' >rows
    run table -v base=b -v goals='x=0.5'
    [ "$output" = '    x                            0.10 us' ]
    [ "$(table -v base=b -v spread=1)" = 0.0 ]
}

@test "peers: memory per connection is the difference by the difference" {
    [ "$few $many" = "1000 10000" ]
    [ "$(memory_line 'perfkit load' 5000 11300 1)" = '    perfkit load                 0.70 KiB  goal 1: met' ]
    [[ $(memory_line x 5000 14900 1) == *'1.10 KiB  goal 1: missed' ]]
}

# counted TOOL "GOOD BAD" <OUTPUT
counted() {
    local counts
    counts=$(client_answers "$1")
    [[ $counts == "$2" ]] || { echo "$1: $counts, not $2" >&2; return 1; }
}

@test "peers: good and bad answers as each tool counts them" {
    counted wrk '98 10' <<'OUT'
  1 threads and 64 connections
    Latency   482.91us  284.86us   2.17ms   60.28%
  102 requests in 1.00s, 10.85MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 4
Requests/sec:  70316.47
OUT
    counted wrk '70635 0' <<<'  70635 requests in 1.00s, 10.85MB read'
    counted h2load '90 21' <<'OUT'
finished in 1.00s, 56458.00 req/s, 8.67MB/s
requests: 105 total, 169 started, 100 done, 94 succeeded, 6 failed, 4 errored, 1 timeout
status codes: 90 2xx, 4 3xx, 5 4xx, 1 5xx
OUT
    counted ab '94 6' <<'OUT'
Complete requests:      100
Failed requests:        4
   (Connect: 0, Receive: 0, Length: 4, Exceptions: 0)
Non-2xx responses:      2
Keep-Alive requests:    100
OUT
    counted hey '34139 5' <<'OUT'
  0.021 [1]	|
  50% in 0.0018 secs

Status code distribution:
  [200]	34139 responses
  [404]	2 responses

Error distribution:
  [3]	Get "http://127.0.0.1:1/": EOF
OUT
    local tool
    for tool in h1 curl oha; do
        counted $tool '7 5' <<'OUT'
{"statusCodeDistribution": {"200": 7, "503": 2},
 "errorDistribution": {"aborted due to deadline": 64, "Connection refused (os error 111)": 3}}
OUT
        counted $tool '0 0' <<<'{"statusCodeDistribution": {}, "errorDistribution": {}}'
    done
}

@test "peers: a count that the server does not confirm fails, and so do errors" {
    check_answers x 1000 0 1000 64
    check_answers x 1000 0 1064 64 # all in flight at the end
    run ! check_answers x 1000 0 999 64
    [ "$output" = "x counted 1000 answers, the server 999 requests of 64 connections" ]
    run ! check_answers x 1000 0 1065 64
    run ! check_answers x 1000 1 1001 64
    [ "$output" = "x: 1 errors beside 1000 good answers" ]
    run ! check_answers x 0 0 0 64
    [ "$output" = "x: not one good answer" ]
}

# A wrk that really sends 500 requests, and says that it was $1.
fake_wrk() {
    cat >wrk <<SH
#!/bin/sh
for url; do :; done
"$PERFKIT" load --no-tui --output-format quiet -n 500 -c 4 "\$url" && echo "  $1 requests in 1.00s, 1MB read"
SH
    chmod +x wrk
}

compare() {
    env ROUNDS=1 ROUNDS_MAX=1 WRK="$PWD/wrk" H2LOAD=/no/h2load AB=/no/ab HEY=/no/hey OHA=/no/oha \
        "$PEERS/run" "$(dirname "$PERFKIT")" load-64
}

@test "peers: a run ends in a table when the counts agree, in exit 1 when a tool lies" {
    PATH=$PATH:/usr/sbin command -v nginx >/dev/null || skip 'nginx is not installed'
    fake_wrk 500
    run --separate-stderr compare
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [[ $output == *'skipped: hey, not installed (apt-get install hey)'*$'\n    wrk  '*' 1.00 '*$'\n    perfkit, engine h1  '*'1 rounds)  goal 0.82: '*$'\n    perfkit, engine curl '* ]]
    fake_wrk 501
    run --separate-stderr compare
    [ "$status" -eq 1 ]
    [ "$stderr" = "wrk counted 501 answers, the server 500 requests of 64 connections" ]
}

@test "peers: times in milliseconds" {
    printf '%s\n' '1 b 100000000 1' '1 x 25000000 1' >rows
    run table -v base=b -v goals='x=0.25' -v unit=ms
    [ "${lines[0]}" = '    b                          100.00 ms   1.00  (its own range 0 %)' ]
    [ "${lines[1]}" = '    x                           25.00 ms   0.25  (0.25 .. 0.25, 1 rounds)  goal 0.25: met' ]
}

# Two profiles: f has 60 and 50 % itself, g 40 and 50 %; the rest are names.
@test "peers: shares of functions, whose two names are united" {
    printf '%s\n' 'p;_start;__libc_start_main@@GLIBC_2.34;f 60' \
        'p;_start;__libc_start_main@@GLIBC_2.34;g;cfree@GLIBC_2.2.5 40' >ours
    printf '%s\n' 'p;_start;__libc_start_main_impl;f [clone .isra.0] 50' \
        'p;_start;__libc_start_main_impl;g;__GI___libc_free 50' >theirs
    for side in ours theirs; do awk -f "$PEERS/flame_names.awk" $side >$side.united; done
    diff - ours.united <<'TEXT'
p;_start;__libc_start_main;f 60
p;_start;__libc_start_main;g;free 40
TEXT
    run awk -f "$PEERS/functions.awk" ours.united theirs.united
    [ "$status" -eq 0 ]
    diff <(printf '%s\n' "${lines[@]}" | sort) - <<'TEXT'
   10.000  self     40.000    50.000  free
   10.000  self     60.000    50.000  f
   10.000  total    40.000    50.000  free
   10.000  total    40.000    50.000  g
   10.000  total    60.000    50.000  f
weights 100 and 100; 6 functions; 5 shares differ by 0.5 points or more; the most by 10.000
TEXT
    # A lambda is named after what is around it by perf only.
    printf '%s\n' 'p;std::_Function_handler<int (), main::{lambda()#1}>::_M_invoke;__invoke_impl<int, main()::<lambda()>&>;std::_Function_handler<int (), main::{lambda()#1}>::_M_invoke 1' >lambda
    run awk -f "$PEERS/flame_names.awk" lambda
    [ "$output" = 'p;_M_invoke;__invoke_impl<int, main()::<lambda()>&>;operator 1' ]
}

@test "peers: without perf, inferno and FlameGraph flame graphs are not compared, and it is said what is missing" {
    run --separate-stderr env PERF=/no/perf FLAMEGRAPH=/no HOME=/no PATH=/usr/bin:/bin "$PEERS/run" "$(dirname "$PERFKIT")" flame-totals
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = '    skipped: perf, not installed (apt-get install linux-perf)' ]
    [[ ${lines[1]} == '    skipped: FlameGraph, not found ('*'FLAMEGRAPH=FOLDER)' ]]
}
