# perfkit serve: faults on purpose, by chance with a seed.
#
# tests/run: beside the others
load helper
load serve_helper

# ask N PATH [ARG...]: N requests one after the other on one connection; prints the statuses.
ask() {
    local n=$1 path=$2
    shift 2
    curl -s -m 60 -o /dev/null -w '%{http_code}\n' "$@" "$SERVE_URL$path?n=[1-$n]" || true
}

@test "serve: --error-rate fails a share, the same one for the same seed" {
    start_serve --error-rate 0.2 --seed 42
    ask 1000 / >one
    local bad=$(grep -c 500 one)
    ((bad > 150 && bad < 250))
    [ "$(grep -c 200 one)" -eq $((1000 - bad)) ]
    [ "$(metric 'faults_injected_total{kind="500"}')" -eq "$bad" ]
    [ "$(metric 'requests_total{code="500"}')" -eq "$bad" ]
    stop_serve
    [[ $(tail -n 1 "$SERVE_OUT") == *", $bad injected faults" ]]

    start_serve --error-rate 20% --seed 42
    ask 1000 / >two
    cmp one two # one connection: even the order is the same
    start_serve --error-rate 0.2 --seed 43
    ask 1000 / >three
    ! cmp -s one three || return 1
}

@test "serve: the number of faults depends on the seed alone, not on threads and connections" {
    local bad=
    for how in '--threads 1' '--threads 3'; do
        start_serve --error-rate 0.1 --seed 7 $how
        "$PERFKIT" load -n 2000 -c 10 --no-tui --json "$SERVE_URL/" >load.json
        [ "$(jq '.statusCodeDistribution["200"] + .statusCodeDistribution["500"]' load.json)" -eq 2000 ]
        local now=$(jq '.statusCodeDistribution["500"]' load.json)
        [ "$now" -eq "$(metric 'faults_injected_total{kind="500"}')" ]
        [ "${bad:=$now}" -eq "$now" ]
    done
    ((bad > 150 && bad < 250))
}

@test "serve: faults spare what is for the operator, and strike all else" {
    start_serve --error-rate 1
    local path
    for path in /healthz /readyz /metrics /help; do
        [ "$(status_of "$SERVE_URL$path")" -eq 200 ]
    done
    for path in / /echo /bytes/10 /status/200 /delay/0 /nothing /ip; do
        [ "$(status_of "$SERVE_URL$path")" -eq 500 ]
    done
    [ "$(metric 'faults_injected_total{kind="500"}')" -eq 7 ]
}

@test "serve: --error-kind reset resets the connection without an answer" {
    start_serve --error-rate 1 --error-kind reset
    run curl -sS -m 10 "$SERVE_URL/"
    [ "$status" -eq 56 ]
    [[ $output == *"Connection reset by peer"* || $stderr == *"Connection reset by peer"* ]]
    [ "$(metric 'faults_injected_total{kind="reset"}')" -eq 1 ]
    [ -z "$(metric 'requests_total{code="500"}')" ]
    [ "$(metric 'requests_aborted_total{reason="error"}')" -eq 0 ] # on purpose
}

@test "serve: --error-kind truncate ends the body half-way" {
    start_serve --error-rate 1 --error-kind truncate
    run curl -s -m 10 -o body -w '%{http_code} %{size_download}' "$SERVE_URL/"
    [ "$status" -eq 18 ]
    [ "$output" = "200 512" ]
    [ "$(wc -c <body)" -eq 512 ]
    [ "$(metric bytes_sent_total)" -eq 512 ]
}

@test "serve: --error-kind hang never answers, frees the connection when the client leaves, and does not hold up the end" {
    start_serve --error-rate 1 --error-kind hang
    run curl -s -m 1 "$SERVE_URL/"
    [ "$status" -eq 28 ]
    [ -z "$output" ]
    wait_until 10 metric_is connections 1
    bg curl -s -m 60 -o /dev/null "$SERVE_URL/"
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    local begin=$(now_us)
    stop_serve
    [ "$SERVE_STATUS" -eq 0 ]
    (($(now_us) - begin < 4000000))
    run wait "$BG_PID"
}

@test "serve: --error-kind slow trickles" {
    start_serve --error-rate 1 --error-kind slow
    local took=$(milliseconds_of "$SERVE_URL/")
    ((took >= 1900 && took < 10000))
    [ "$(curl -s -m 10 "$SERVE_URL/" | wc -c)" -eq 20 ]
}

@test "serve: --delay and --jitter hold every answer back, by chance within bounds" {
    start_serve --delay 200ms
    (($(milliseconds_of "$SERVE_URL/") >= 200))
    (($(milliseconds_of "$SERVE_URL/bytes/3") >= 200))
    (($(milliseconds_of "$SERVE_URL/healthz") < 200))
    # the delay of a request counts from its head: /delay adds nothing to it that is over already
    local took=$(milliseconds_of "$SERVE_URL/delay/100")
    ((took >= 200 && took < 290)) || ((took < 2000)) # the upper bound only bounds a slow machine

    start_serve --delay 50ms --jitter 200ms --seed 5
    curl -s -m 60 -o /dev/null -w '%{time_starttransfer}\n' "$SERVE_URL/?[1-30]" >times
    awk '{ if ($1 < 0.05) exit 1; s += $1; if ($1 < lo || NR == 1) lo = $1; if ($1 > hi) hi = $1 }
         END { print s / NR, lo, hi; exit !(s / NR > 0.1 && s / NR < 0.3 && hi - lo > 0.1) }' times
}

@test "serve: a delay holds no thread: a hundred clients wait together" {
    start_serve --delay 500ms
    "$PERFKIT" load -n 100 -c 100 --no-tui --json "$SERVE_URL/" >load.json
    jq -e '.requests.responses == 100 and .summary.slowest >= 0.5 and .summary.total < 5' load.json
}

@test "serve: /error fails by rate and kind, reproducibly" {
    start_serve --seed 3
    [ "$(status_of "$SERVE_URL/error")" -eq 500 ]
    [ "$(status_of "$SERVE_URL/error?rate=0")" -eq 200 ]
    run curl -s -m 10 "$SERVE_URL/error?kind=reset"
    [ "$status" -eq 56 ]
    run curl -s -m 10 -o /dev/null "$SERVE_URL/error?kind=truncate&rate=100%25"
    [ "$status" -eq 18 ]
    local wrong
    for wrong in kind=x kind= rate=2 rate=x rate=-1; do
        [ "$(status_of "$SERVE_URL/error?$wrong")" -eq 400 ] || { echo "$wrong"; return 1; }
    done
    for run in 1 2; do
        start_serve --seed 3
        curl -s -m 60 -o /dev/null -w '%{http_code}\n' "$SERVE_URL/error?rate=0.3&n=[1-300]" >"run$run"
    done
    cmp run1 run2
    (($(grep -c 500 run1) > 60 && $(grep -c 500 run1) < 120))
}

@test "serve: /status/A:W,B:W keeps the weights, reproducibly" {
    for run in 1 2; do
        start_serve --seed 9
        curl -s -m 60 -o /dev/null -w '%{http_code}\n' "$SERVE_URL/status/200:7,404:2,503?n=[1-1000]" >"run$run"
    done
    cmp run1 run2
    (($(grep -c 200 run1) > 640 && $(grep -c 200 run1) < 760))
    (($(grep -c 404 run1) > 150 && $(grep -c 404 run1) < 250))
    (($(grep -c 503 run1) > 60 && $(grep -c 503 run1) < 140))
}
