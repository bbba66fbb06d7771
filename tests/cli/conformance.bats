# perfkit load against every answer a client has to get right: tests/programs/conformance_server has
# them, its table (tests/programs/conformance/table.c) says what is right. Each case is sent whole,
# byte by byte and cut at every place, plain and over TLS, and what the client counted must be what
# the server counted. Then what cannot be asked for by a path.
#
# tests/run: beside the others
load helper
load load_helper

# What libcurl 7.88 does before it hands anything over, and so cannot be judged by our parser
# (load/curl_answer.h): by case, plain and over TLS (*) or one of them. --engine h1 is right in each.
deviations() {
    cat <<'END'
# What stands behind the end of an answer is dropped unseen; behind one without a body, the
# connection goes on. Of a plain socket the kernel says how many bytes came (load/curl_sockets.h),
# but what came through TLS only libcurl knows.
curl https extra-bytes -> ok 200 5 close
curl https extra-line-end -> ok 200 5 close
curl https extra-answer -> ok 200 5 close
curl https extra-after-close -> ok 200 5 close
curl https extra-length -> ok 200 4 close
curl https extra-after-204 -> ok 204 0 keepalive
curl https extra-after-304 -> ok 304 0 keepalive
curl https head-with-body -> ok 200 0 keepalive
# Sending on to a server that has answered and closed may fail before the answer is read, and with
# the failure TLS is gone.
curl https early-413-closed -> ok 413 5 close | some 1 of 2 413 * | reset | send
# "x close" is close; an interim answer's counts; a first coding other than chunked is close.
curl * connection-closed-is-no-token -> ok 200 5 close
curl * interim-close -> ok 200 5 close
curl * coding-gzip-chunked-2-lines -> ok 200 5 close
# A "chunked" that is not the last coding is read as chunks, and the transfer ends at the first byte
# that is none.
curl * coding-chunked-gzip -> truncated
# Of HTTP/1 it knows 1.0 and 1.1, and what came in another is dropped with its first line.
curl * minor-version-9 -> malformed
END
}

setup_file() {
    export CERT=$BATS_FILE_TMPDIR/cert.pem KEY=$BATS_FILE_TMPDIR/key.pem BIG=$BATS_FILE_TMPDIR/big
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$KEY" -out "$CERT" 2>/dev/null
    head -c 8388608 /dev/zero >"$BIG" # more than the buffers of both sockets hold
}

# needs ENGINE SCHEME: skips with the reason where one of them is not there.
needs() {
    "$PERFKIT" __completeNoDesc load --engine '' | grep -qx "$1" || skip "this perfkit has no engine $1"
    [[ $2 == http ]] || "$PERFKIT" version --verbose | grep -q GnuTLS || skip "the server has no TLS without GnuTLS"
    [[ $1 != curl ]] || "$PERFKIT" version --verbose | grep -q 'libcurl *7\.88\.' ||
        skip "the known deviations are those of libcurl 7.88"
}

# conformance [ARG...]: starts the server; sets HTTP and HTTPS, its two URLs.
conformance() {
    start_listener "$PROGRAMS/conformance_server" --tls "$CERT" "$KEY" "$@" || return 1
    HTTP=$LISTENER_URL
    wait_until "$DEADLINE_S" grep -q '^listening on https:' "$LISTENER_OUT" || return 1
    HTTPS=$(sed -n 's/^listening on \(https:.*\)/\1/p' "$LISTENER_OUT")
}

# The arguments of all runs, a line each. A case of which it is known that libcurl waits in vain is
# not given much time.
runs() { # ENGINE SCHEME URL
    awk -v engine="$1" -v scheme="$2" -v url="$3" -v big="$BIG" '
        FILENAME == "deviations" {
            if ($1 == engine && ($2 == "*" || $2 == scheme) && / -> .*timeout/) waits[$3] = 1
            next
        }
        index("," $2 ",", "," scheme ",") {
            fails = $6 !~ /^(ok|half|retry)$/
            limit = $4 == "timeout" || $1 in waits ? "1s" : "20s"
            more = "-t " limit
            if ($4 == "head") more = more " -m HEAD"
            if ($4 == "post") more = more " -m POST -d hello"
            if ($4 == "post-big") more = more " -m POST -D " big
            n = 8; c = 2
            # after an error a connection makes a pause: more of them take less time
            if ($3 == "every") { n = $5 < 5 ? 7 : $5 < 200 ? $5 + 2 : 200; c = fails ? 16 : 4 }
            if ($6 ~ /^(half|retry)$/) { n = 4; c = 1 }
            if ($4 == "idle") { n = 3; c = 1; more = more " -q 0.5" }
            if ($4 == "post-big") { n = 2; c = 1 }
            if ($1 ~ /^slow/) { n = $1 == "slow-5s" ? 1 : 2; c = 1 }
            if ($4 == "timeout" || $1 in waits) { n = 4; c = 4 }
            print "load --no-tui --insecure --threads 1 --engine", engine, "--json -o", $1 ".json", \
                "-n", n, "-c", c, more, url "/" $1 "/" $3
        }' deviations cases
}

# The slow ones first, many at a time: they mostly wait.
run_all() { # ENGINE SCHEME URL
    runs "$@" | awk '{ print (/\/(slow|idle|silent|trickle)/ ? 0 : 1), $0 }' | sort -s -n -k 1,1 | cut -d ' ' -f 2- >arguments
    local limit_s=200
    [[ $PERFKIT != */san-* ]] || limit_s=1500
    status=0
    timeout $limit_s xargs -P 8 -L 1 "$PERFKIT" <arguments >said 2>&1 || status=$?
    # 123: some exited with 1, having no success; what died by a signal or found no way to start
    # wrote no result
    [[ $status -eq 0 || $status -eq 123 ]] || { echo "xargs: $status"; sort said | uniq -c; return 1; }
}

stop_server() {
    kill -TERM "$LISTENER_PID"
    wait_until "$DEADLINE_S" grep -q '^unused connections' "$LISTENER_OUT"
}

results() {
    cat ./*.json | jq -r '
        [(.config.url | sub("^[a-z]+://[^/]+"; "")), .config.connections, .requests.sent, .requests.responses,
         (.statusCodeDistribution | keys | join("+")), .bytes.bodies, .bytes.heads, .requests.retried,
         .generator.connectionsOpened, (.requests.errorClasses | to_entries | map("\(.key)=\(.value)") | join("+")),
         .requests.suspicious // 0]
        | map(if . == "" then "-" else . end) | join(" ")'
}

# ENGINE keeps to the table, but for its known deviations.
keeps_to_the_table() { # ENGINE SCHEME
    [[ $PERFKIT != */san-* || -n ${CONFORMANCE_SANITIZED:-} ]] ||
        skip "minutes in a sanitizer build; CONFORMANCE_SANITIZED=1 runs it all the same"
    needs "$@"
    conformance
    curl -sS "$HTTP/cases" >cases
    [ "$(wc -l <cases)" -gt 200 ]
    deviations >deviations
    run_all "$1" "$2" "$([[ $2 == http ]] && echo "$HTTP" || echo "$HTTPS")"
    stop_server
    results >results
    awk -v engine="$1" -v scheme="$2" -f "$ROOT/tests/cli/conformance.awk" \
        cases deviations "$LISTENER_OUT" results >judgement
    cat judgement
    [ "$(cat judgement)" = "$(wc -l <arguments) runs" ] || { sort said | uniq -c; false; }
}

@test "conformance: curl" { keeps_to_the_table curl http; }
@test "conformance: curl over TLS" { keeps_to_the_table curl https; }
@test "conformance: h1" { keeps_to_the_table h1 http; }
@test "conformance: h1 over TLS" { keeps_to_the_table h1 https; }

# What the judge has to see, on made-up runs of one case.
judged() { # CASE-LINE COUNTS RESULT
    echo "$1" >cases
    printf '%s\n' 'curl * odd -> malformed' 'curl * even -> timeout' >deviations
    echo "http /odd/whole $2" >counts
    echo "/odd/whole $3" >results
    awk -v engine="${4:-h1}" -v scheme=http -f "$ROOT/tests/cli/conformance.awk" cases deviations counts results
}

@test "conformance: the judge sees each kind of disagreement" {
    local ok='odd http whole get 40 ok 200 5 keepalive' fails='odd http whole get 40 truncated'
    local seen='requests 8 answers 8 connections 2 sent_bytes 320 body_bytes 0'
    [ "$(judged "$ok" "$seen" '2 8 8 200 40 280 0 2 - 0')" = "1 runs" ]
    [ "$(judged "$fails" "$seen" '2 8 0 - 0 0 0 2 truncated=8 0')" = "1 runs" ]
    [[ $(judged "$ok" "$seen" '2 8 8 204 40 280 0 2 - 0') == *"got ok 204 5 keepalive"* ]]
    [[ $(judged "$ok" "$seen" '2 8 8 200 48 272 0 2 - 0') == *"got ok 200 6 keepalive"* ]]
    [[ $(judged "$ok" "$seen" '2 8 8 200 40 279 0 2 - 0') == *"counts 279+40 bytes, not 320"* ]]
    [[ $(judged "$ok" "$seen" '2 8 8 200 40 280 0 3 - 0') == *"opened 3 connections, not 2"* ]]
    [[ $(judged "$ok" "$seen" '2 8 8 200 40 280 1 2 - 0') == *"retried but sent 8+1 requests, not 8"* ]]
    [[ $(judged "$ok" "$seen" '2 8 8 200 40 280 0 2 - 3') == *"suspicious 3"* ]]
    [[ $(judged "$ok" "$seen" '2 8 7 200 35 245 0 2 reset=1 0') == *"got some 7 of 8 200 reset=1"* ]]
    [[ $(judged "$ok" "${seen/answers 8/answers 7}" '2 8 8 200 40 280 0 2 - 0') == *"got 8 answers of 7"* ]]
    [[ $(judged "$ok" "${seen/connections 2/connections 8}" '2 8 8 200 40 280 0 8 - 0') == *"got ok 200 5 close"* ]]
    [[ $(judged "$fails" "$seen" '2 8 8 200 40 280 0 2 - 0') == *"expected truncated, got ok 200 5 keepalive"* ]]
    [[ $(judged "$fails" "$seen" '2 8 0 - 0 0 0 2 reset=1+truncated=7 0') == *"reset=1+truncated=7"* ]]
    # known deviations are those of one engine, and have to occur
    [[ $(judged "$fails" "$seen" '2 8 0 - 0 0 0 2 malformed=8 0') == *"expected truncated, got malformed"* ]]
    [ "$(judged "$fails" "$seen" '2 8 0 - 0 0 0 2 malformed=8 0' curl | tail -n 1)" = "1 runs" ]
    [[ $(judged "$fails" "$seen" '2 8 0 - 0 0 0 2 malformed=8 0' curl) == "no such case: even"* ]]
    [[ $(judged "$fails" "$seen" '2 8 0 - 0 0 0 2 truncated=8 0' curl) == *"odd: keeps the rules now"* ]]
}

# --- what no path can ask for ---

for_each() { # COMMAND: with ENGINE SCHEME URL
    local engine
    for engine in curl h1; do
        "$PERFKIT" __completeNoDesc load --engine '' | grep -qx "$engine" || continue
        "$1" "$engine" http "$HTTP" || return 1
        [[ -z $HTTPS ]] || "$1" "$engine" https "$HTTPS" || return 1
    done
}

# json FILTER, saying with which engine and scheme it does not hold.
holds() { # ENGINE SCHEME FILTER
    json "$3" || { echo "with $1 over $2" >&2; return 1; }
}

load_with() { load_json --insecure --engine "$1" "${@:2}"; }

@test "conformance: bytes before any request are no answer" {
    conformance --greet $'junk\r\n\r\n'
    speaks_first() {
        load_with "$1" -n 20 -c 2 "$3/"
        [ "$status" -eq 1 ] && holds "$1" "$2" '.requests.errorClasses == {"malformed": 20}'
    }
    for_each speaks_first
}

@test "conformance: a server that closes each connection at once" {
    conformance --greet ''
    closes() {
        load_with "$1" -n 20 -c 2 "$3/"
        [ "$status" -eq 1 ] && holds "$1" "$2" '.requests.errorClasses == {"empty": 20} and .requests.retried == 0'
    }
    for_each closes
    stop_server
    # each was opened once, and none carried a request that was read
    grep -qx "unused connections $([[ -n $HTTPS ]] && echo 80 || echo 40)" "$LISTENER_OUT" || { cat "$LISTENER_OUT"; false; }
}

@test "conformance: a closed port: exit 1, all refused, with pauses" {
    conformance
    stop_server
    refused() {
        load_with "$1" -n 20 -c 1 "$3/plain/whole"
        [ "$status" -eq 1 ] && holds "$1" "$2" '.requests.errorClasses == {"connect": 20} and .summary.total > 0.5'
    }
    for_each refused
}

@test "conformance: answers after 5 s in a run of 1 s: 4 aborted, the oldest 1.0 s" {
    conformance
    aborts() {
        load_with "$1" -z 1s -c 4 "$3/slow-5s/whole"
        [ "$status" -eq 1 ] && holds "$1" "$2" '.requests.sent == 4 and .requests.errorClasses == {"deadline": 4}
            and .censored.aborted.count == 4 and .censored.aborted.oldest > 0.99 and .censored.aborted.oldest < 1.01'
    }
    for_each aborts
}

@test "conformance: answers after 2.5 s have this latency" {
    conformance
    takes_its_time() {
        load_with "$1" -n 4 -c 4 "$3/slow-2500ms/whole"
        [ "$status" -eq 0 ] && holds "$1" "$2" '.requests.responses == 4 and .summary.fastest >= 2.5'
    }
    for_each takes_its_time
}

@test "conformance: TLS where there is none" {
    conformance
    no_tls() {
        load_with "$1" -n 20 -c 2 -t 5s "https://${HTTP#http://}/plain/whole"
        [ "$status" -eq 1 ] && holds "$1" https '.requests.errorClasses == {"tls": 20}'
    }
    HTTPS= for_each no_tls
}

# Longer than a second: once a second libcurl looks through the connections that it knows.
@test "conformance: a server that closes or resets after each answer, for longer than a second" {
    conformance
    loses_none() {
        local case_
        for case_ in reset-after-each closed-after-each-at-once; do
            load_with "$1" -z 1500ms -c 20 "$3/$case_/whole"
            [ "$status" -eq 0 ] && holds "$1" "$2" '.requests.responses > 50 and .requests.errors == 0' || return 1
        done
    }
    for_each loses_none
}
