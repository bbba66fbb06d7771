# perfkit serve: the rules of HTTP, and each endpoint.
#
# tests/run: beside the others
load helper
load serve_helper

# ---- the connection -------------------------------------------------------------------------

@test "serve: / keeps the connection and never says Connection: close" {
    start_serve
    run curl -s -m 10 -i "$SERVE_URL/" "$SERVE_URL/" "$SERVE_URL/" -w '\n%{num_connects}\n'
    [[ $output != *[Cc]onnection:* ]]
    [ "$(grep -c '^HTTP/1.1 200' <<<"$output")" -eq 3 ]
    [ "$(grep -Ec '^[01]$' <<<"$output" | tail -n 1)" -eq 3 ]
    [ "$(metric connections_opened_total)" -eq 2 ] # curl's one, the scrape's one
    # with a body and by each way of asking
    run curl -s -m 10 -i -d data "$SERVE_URL/" "$SERVE_URL/echo" "$SERVE_URL/?x" -w '\n%{num_connects}\n'
    [[ $output != *[Cc]onnection:* ]]
    [ "$(metric connections_opened_total)" -eq 4 ]
}

@test "serve: a closed connection is closed because the client asked" {
    start_serve
    raw_to reply 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [ "$RAW_CLOSED" -eq 1 ]
    [[ $(cat reply) == "HTTP/1.1 200 OK"*"Connection: close"*"Hello, World!" ]]
    raw_to reply 'GET / HTTP/1.0\r\n\r\n'
    [ "$RAW_CLOSED" -eq 1 ]
    [[ $(cat reply) == HTTP/1.*" 200 OK"*"Hello, World!" ]]
    raw_to reply 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' 1
    [ "$RAW_CLOSED" -eq 0 ]
    [[ $(cat reply) == *"Connection: Keep-Alive"*"Hello, World!" ]]
}

@test "serve: pipelined requests are answered in order" {
    start_serve
    local i text=
    for i in 1 2 3 4 5 6 7 8; do text+="GET /status/20$((i % 4 == 0 ? 6 : i % 4)) HTTP/1.1\r\nHost: a\r\n\r\n"; done
    raw_to reply "${text}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" 5
    [ "$(grep -ao 'HTTP/1.1 [0-9]*' reply | cut -d' ' -f2 | tr '\n' ' ')" = "201 202 203 206 201 202 203 206 200 " ]
    [ "$RAW_CLOSED" -eq 1 ]
}

@test "serve: HEAD has the same head and no body; 204 and 304 have none" {
    start_serve
    local path
    for path in / /bytes/1000 /healthz /status/404 /help; do
        curl -s -m 10 -i "$SERVE_URL$path" | sed -n '1,/^\r$/p' | grep -vi '^date' >get
        curl -s -m 10 -I "$SERVE_URL$path" | grep -vi '^date' >head
        cmp get head
        grep -qi '^content-length: [1-9]' head
    done
    raw_to reply 'HEAD /bytes/1000 HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [ "$(grep -c '^HTTP/1.1 200' reply)" -eq 2 ]
    [ "$(grep -c 'Content-Length: 1000' reply)" -eq 1 ]
    [[ $(cat reply) != *Hello* && $(cat reply) != *0123* ]]
    raw_to reply 'GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\nGET /status/304 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [ "$(grep -c '^HTTP/1.1 [23]04' reply)" -eq 2 ]
    [ "$(tail -c 4 reply | od -An -tx1 | tr -d ' ')" = 0d0a0d0a ]
    # nothing of it is counted as body
    local help=$(curl -s "$SERVE_URL/help" | wc -c)
    [ "$(metric bytes_sent_total)" -eq $((13 + 1000 + 3 + 14 + 2 * help)) ]
}

@test "serve: unknown paths are 404, wrong methods 405 with Allow, unknown methods 501" {
    start_serve
    [ "$(status_of "$SERVE_URL/nothing")" -eq 404 ]
    [ "$(status_of "$SERVE_URL/bytes")" -eq 404 ]
    [ "$(status_of "$SERVE_URL/bytes/")" -eq 404 ]
    [ "$(status_of "$SERVE_URL/help/me")" -eq 404 ]
    local method
    for method in POST PUT PATCH DELETE TRACE; do
        run curl -s -m 10 -i -X "$method" "$SERVE_URL/healthz"
        [[ $output == "HTTP/1.1 405 "*"Allow: GET, HEAD, OPTIONS"* ]]
        [[ $output != *[Cc]onnection:* ]]
    done
    for method in GET POST PUT PATCH DELETE; do
        [ "$(status_of -X "$method" "$SERVE_URL/")" -eq 200 ]
        [ "$(status_of -X "$method" "$SERVE_URL/status/202")" -eq 202 ]
    done
    [[ $(curl -s -m 10 -i -X TRACE "$SERVE_URL/") == "HTTP/1.1 405 "*"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"* ]]
    [ "$(status_of -X BREW "$SERVE_URL/")" -eq 501 ]
    [ "$(status_of -X get "$SERVE_URL/healthz")" -eq 501 ]
}

@test "serve: OPTIONS says what is allowed" {
    start_serve
    run curl -s -m 10 -i -X OPTIONS "$SERVE_URL/metrics"
    [[ $output == "HTTP/1.1 204 "*"Allow: GET, HEAD, OPTIONS"* ]]
    run curl -s -m 10 -i -X OPTIONS "$SERVE_URL/"
    [[ $output == "HTTP/1.1 204 "*"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"* ]]
    raw_to reply 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 204 "*"Allow: GET, HEAD"* ]]
}

@test "serve: absolute targets are understood, other odd ones refused" {
    start_serve
    raw_to reply 'GET http://a/status/203?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 203 "* ]]
    raw_to reply 'GET http://a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 200 "*"Hello, World!" ]]
    local target
    for target in 'a' '/%' '/%0' '/%zz' '/%00' '/a%0d%0ab' '**' 'ftp://a/'; do
        raw_to reply "GET $target HTTP/1.1\r\nHost: a\r\n\r\n"
        [[ $(cat reply) == "HTTP/1.1 400 "*"Connection: close"* ]] || { echo "$target"; cat reply; return 1; }
        [ "$RAW_CLOSED" -eq 1 ]
    done
    [ "$(status_of "$SERVE_URL/%68ealthz")" -eq 200 ]
}

@test "serve: malformed requests are refused with 400 and the connection is closed" {
    start_serve
    local head
    while read -r head; do
        raw_to reply "$head"
        [[ $(cat reply) == "HTTP/1.1 400 "* && $(tr A-Z a-z <reply) == *"connection: close"* ]] || { echo "$head"; cat reply; return 1; }
        [ "$RAW_CLOSED" -eq 1 ]
    done <<'HEADS'
GET / HTTP/1.1\r\n\r\n
GET / HTTP/1.1\r\nHost : a\r\n\r\n
GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n
GET / HTTP/1.1\r\nHost: a\r\nX-A\t: b\r\n\r\n
GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n
GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n
GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n
POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n
POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello
POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n
POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n
POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n
POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n
HEADS
    [ "$(metric 'requests_total{code="400"}')" -eq 14 ]
    [ "$(metric 'requests_aborted_total{reason="error"}')" -eq 0 ]
    raw_to reply 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 501 "* ]]
    raw_to reply 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 505 "* && $RAW_CLOSED -eq 1 ]]
    [ "$(metric 'requests_total{code="505"}')" -eq 1 ]
}

@test "serve: what is no HTTP is closed without a byte" {
    start_serve
    local text
    for text in 'rubbish\r\n\r\n' '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03rubbish\r\n' '\r\n\r\nx\n'; do
        raw_to reply "$text" 3
        [ ! -s reply ]
        [ "$RAW_CLOSED" -eq 1 ]
    done
    [ "$(curl -s -m 10 "$SERVE_URL")" = "Hello, World!" ]
}

@test "serve: lines may end in a lone LF, and empty lines before a request are skipped" {
    start_serve
    raw_to reply '\r\nGET / HTTP/1.1\nHost: a\nConnection: close\n\n'
    [[ $(cat reply) == "HTTP/1.1 200 "* ]]
}

@test "serve: heads of 3 KB pass, of 8 KB are 431, unless --conn-memory is raised" {
    start_serve
    local three=$(printf 'a%.0s' {1..2500}) eight=$(printf 'a%.0s' {1..8000})
    [ "$(status_of -H "X: $three" "$SERVE_URL/")" -eq 200 ]
    [ "$(status_of -H "X: $eight" "$SERVE_URL/")" -eq 431 ]
    [ "$(status_of "$SERVE_URL/$eight")" -eq 414 ]
    [ "$(metric 'requests_total{code="431"}')" -eq 1 ]
    [ "$(metric 'requests_total{code="414"}')" -eq 1 ]
    start_serve --conn-memory 64KiB
    [ "$(status_of -H "X: $eight" "$SERVE_URL/")" -eq 200 ]
    [ "$(status_of "$SERVE_URL/$eight")" -eq 404 ]
}

# ---- bodies of requests ---------------------------------------------------------------------

@test "serve: /echo sends the body back, with its type" {
    start_serve
    head -c 300000 /dev/urandom >data
    curl -s -m 10 -D head --data-binary @data -H 'Content-Type: x/y' "$SERVE_URL/echo" >back
    cmp data back
    grep -q '^Content-Type: x/y' head
    curl -s -m 10 --data-binary @data -H 'Transfer-Encoding: chunked' -H 'Expect:' "$SERVE_URL/echo" >back
    cmp data back
    curl -s -m 10 -X PUT -H 'Expect: 100-continue' --data-binary @data "$SERVE_URL/echo" -D head >back
    cmp data back
    grep -q '^HTTP/1.1 100' head
    curl -s -m 10 -D head "$SERVE_URL/echo" >back
    [ ! -s back ]
    grep -q 'application/octet-stream' head
    raw_to reply 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n'
    [[ $(cat reply) == *$'\r\n\r\nabcde' ]]
}

@test "serve: a body longer than --max-body is 413, everywhere and however it is sent" {
    start_serve --max-body 1000
    head -c 1000 /dev/zero >fits
    head -c 1001 /dev/zero >long
    local path
    for path in / /echo /delay/1; do
        [ "$(status_of --data-binary @fits "$SERVE_URL$path")" -eq 200 ]
        [ "$(status_of --data-binary @long "$SERVE_URL$path")" -eq 413 ]
        [ "$(status_of --data-binary @long -H 'Transfer-Encoding: chunked' "$SERVE_URL$path")" -eq 413 ]
    done
    # the client waits for 100-continue: refused before it sends anything, and closed
    raw_to reply 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 413 "*"Connection: close"* && $RAW_CLOSED -eq 1 ]]
    # far too long: not read to the end
    raw_to reply 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 413 "*"Connection: close"* && $RAW_CLOSED -eq 1 ]]
    raw_to reply 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n'
    [[ $(cat reply) == "HTTP/1.1 413 "* ]]
    # and the next request on the same connection is not harmed
    run curl -s -m 10 --data-binary @long "$SERVE_URL/" -w '%{http_code}\n' -o /dev/null --next -s "$SERVE_URL/" -w ' %{num_connects}\n'
    [ "$output" = $'413\nHello, World! 0' ]
    run curl -s -m 20 --data-binary @- -H 'Transfer-Encoding: chunked' "$SERVE_URL/" < <(head -c 40000000 /dev/zero)
    [ "$status" -ne 0 ] # dropped after 16 MiB
    start_serve --max-body 0
    [ "$(status_of -d x "$SERVE_URL/echo")" -eq 413 ]
    [ "$(status_of "$SERVE_URL/echo")" -eq 200 ]
}

# ---- endpoints ------------------------------------------------------------------------------

@test "serve: /help lists every endpoint, and each it lists is there" {
    start_serve
    curl -s -m 10 "$SERVE_URL/help" >help
    local path n=0
    for path in / /help /healthz /readyz /metrics /echo /headers /ip /method /bytes/N /status/CODE \
        /delay/DURATION /block/DURATION /stream/N /drip /redirect/N /redirect-to /error; do
        grep -q "^$path" help
        n=$((n + 1))
    done
    [ "$(wc -l <help)" -eq "$n" ]
    while read -r path _; do
        path=${path%%[?\[]*}
        path=${path/%N/1} path=${path/%CODE/204} path=${path/%DURATION/1}
        [[ $(status_of "$SERVE_URL$path") =~ ^(20.|302|400|500)$ ]] || { echo "$path"; return 1; }
    done <help
}

@test "serve: /headers, /ip and /method say what came, safely quoted" {
    start_serve
    curl -s -m 10 -A '"<b>\x' -H $'X-Odd: caf\xe9' -H 'A: 1' -H 'A: 2' "$SERVE_URL/headers" >h.json
    jq -e '.schema == "serve-headers/1"' h.json
    jq -e '[.headers[] | select(.name == "A") | .value] == ["1", "2"]' h.json
    jq -e '.headers[] | select(.name == "User-Agent") | .value == "\"<b>\\x"' h.json
    jq -e '.headers[] | select(.name == "X-Odd") | .value == "caf\ufffd"' h.json
    [ "$(curl -s -m 10 "$SERVE_URL/ip" | jq -r .ip)" = 127.0.0.1 ]
    [ "$(curl -s -m 10 -X PATCH "$SERVE_URL/method" | jq -r .method)" = PATCH ]
    [[ $(curl -s -m 10 -i "$SERVE_URL/method") == *"Content-Type: application/json"* ]]
}

@test "serve: /bytes/N sends exactly N bytes, the same every time, up to --max-bytes" {
    start_serve --max-bytes 3MiB
    [ "$(curl -s -m 10 "$SERVE_URL/bytes/0" | wc -c)" -eq 0 ]
    [ "$(curl -s -m 10 "$SERVE_URL/bytes/64k" | wc -c)" -eq 65536 ]
    curl -s -m 10 "$SERVE_URL/bytes/3MiB" >one
    curl -s -m 10 "$SERVE_URL/bytes/3145728" >two
    cmp one two
    [ "$(wc -c <one)" -eq 3145728 ]
    [ "$(head -n 1 one)" = 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ- ]
    cmp <(head -c 1048576 one) <(tail -c 1048576 one)
    [ "$(status_of "$SERVE_URL/bytes/3145729")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/bytes/x")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/bytes/-1")" -eq 400 ]
    [ "$(metric bytes_sent_total)" -gt $((2 * 3145728 + 65536)) ]
}

@test "serve: /status/CODE answers with it and what RFC 9110 asks for beside it" {
    start_serve
    local code
    for code in 200 201 204 299 301 304 400 404 418 429 500 503 599; do
        [ "$(status_of "$SERVE_URL/status/$code")" -eq "$code" ]
    done
    [[ $(curl -s -m 10 "$SERVE_URL/status/404") == "404 Not Found" ]]
    [[ $(curl -s -m 10 "$SERVE_URL/status/599") == "599" ]]
    [[ $(curl -s -m 10 -i "$SERVE_URL/status/401") == *"WWW-Authenticate: Basic"* ]]
    [[ $(curl -s -m 10 -i "$SERVE_URL/status/405") == *"Allow: "* ]]
    for code in 100 199 600 abc '200:' '200:0' '200:x' '200,' 2000; do
        [ "$(status_of "$SERVE_URL/status/$code")" -eq 400 ]
    done
    [[ $(curl -s -m 10 "$SERVE_URL/status/600") == *"from 200 to 599"* ]]
}

@test "serve: /redirect/N leads through N redirects, /redirect-to anywhere but out of the field" {
    start_serve
    run curl -s -m 10 -L -o /dev/null -w '%{num_redirects} %{http_code} %{url_effective}' "$SERVE_URL/redirect/5"
    [ "$output" = "5 200 $SERVE_URL/redirect/0" ]
    run curl -s -m 10 -i "$SERVE_URL/redirect-to?url=http%3A%2F%2Fexample.org%2F%3Fa%3Db"
    [[ $output == "HTTP/1.1 302 "*"Location: http://example.org/?a=b"* ]]
    [ "$(status_of "$SERVE_URL/redirect-to?url=a%0d%0aX:%20y")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/redirect-to?url=a%20b")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/redirect-to")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/redirect/x")" -eq 400 ]
}

@test "serve: /delay takes its time and holds no thread" {
    start_serve
    (($(milliseconds_of "$SERVE_URL/delay/300") >= 300))
    (($(milliseconds_of "$SERVE_URL/delay/0.3s") >= 300))
    (($(milliseconds_of "$SERVE_URL/delay/0") < 250))
    bg curl -s -m 20 -o /dev/null "$SERVE_URL/delay/5s"
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    (($(milliseconds_of "$SERVE_URL/") < 2000))
    # a hundred at once take no longer than one
    local i begin=$(now_us) pids=()
    bg curl -s -m 30 --parallel --parallel-max 100 -o /dev/null "$SERVE_URL/delay/1s?[1-100]"
    wait "$BG_PID"
    (($(now_us) - begin < 10000000))
    [ "$(status_of "$SERVE_URL/delay/2h")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/delay/soon")" -eq 400 ]
}

@test "serve: /block stalls its thread for exactly that long" {
    start_serve
    (($(milliseconds_of "$SERVE_URL/block/200") >= 200))
    local begin=$(now_us)
    bg curl -s -m 20 -o /dev/null "$SERVE_URL/block/1500ms"
    local blocked=$BG_PID
    sleep 0.3
    milliseconds_of "$SERVE_URL/" >waited
    (($(now_us) - begin >= 1400000)) # the one thread was not free before
    wait "$blocked"
}

@test "serve: /stream sends chunks at a pace, to HTTP/1.0 until the close" {
    start_serve
    curl -s -m 10 -i --raw "$SERVE_URL/stream/3?chunk=5" >reply
    tail -n +1 reply | tr -d '\r' | sed '1,/^$/d' | head -c 100 >chunks
    [ "$(tr '\n' ' ' <chunks)" = "5 01234 5 56789 5 abcde 0  " ]
    grep -qi '^transfer-encoding: chunked' reply
    local took=$(milliseconds_of "$SERVE_URL/stream/4?chunk=1&every=100")
    ((took >= 300 && took < 3000))
    raw_to reply 'GET /stream/3?chunk=5 HTTP/1.0\r\n\r\n'
    [[ $(cat reply) == *$'\r\n\r\n0123456789abcde' && $(cat reply) != *chunked* && $RAW_CLOSED -eq 1 ]]
    [ "$(curl -s -m 10 "$SERVE_URL/stream/0" | wc -c)" -eq 0 ]
    [ "$(curl -s -m 10 "$SERVE_URL/stream/1?chunk=100k" | wc -c)" -eq 102400 ]
    [ "$(curl -s -m 10 "$SERVE_URL/stream/2k" | wc -c)" -eq 128000 ]
    cmp <(curl -s -m 10 "$SERVE_URL/stream/1000?chunk=1000") <(curl -s -m 10 "$SERVE_URL/bytes/1000000")
    local wrong
    for wrong in x -1 '1?chunk=0' '1?chunk=x' '1?every=x' '1?every=2h' '3G' '1?chunk=2G' '1?every=%zz'; do
        [ "$(status_of "$SERVE_URL/stream/$wrong")" -eq 400 ] || { echo "$wrong"; return 1; }
    done
}

@test "serve: a stream that waits costs no CPU" {
    start_serve
    bg curl -s -m 20 -o /dev/null "$SERVE_URL/stream/100?chunk=1&every=1s"
    wait_until "$DEADLINE_S" metric_is connections_waiting 1
    local before=$(metric process_cpu_seconds_total)
    sleep 2
    awk -v a="$before" -v b="$(metric process_cpu_seconds_total)" 'BEGIN { exit !(b - a < 0.5) }'
}

@test "serve: /drip trickles exactly so many bytes over its time" {
    start_serve
    local took=$(milliseconds_of "$SERVE_URL/drip?bytes=5&duration=400ms&delay=200ms")
    ((took >= 600 && took < 4000))
    run curl -s -m 10 -i "$SERVE_URL/drip?bytes=5&duration=100"
    [[ $output == *"Content-Length: 5"*$'\r\n\r\n'01234 ]] || [[ $output == *"Content-Length: 5"*01234 ]]
    [ "$(curl -s -m 10 "$SERVE_URL/drip?bytes=123457&duration=300ms" | wc -c)" -eq 123457 ]
    [ "$(curl -s -m 10 "$SERVE_URL/drip?bytes=0" | wc -c)" -eq 0 ]
    [ "$(curl -s -m 10 "$SERVE_URL/drip?duration=0" | wc -c)" -eq 10 ]
    [ "$(status_of "$SERVE_URL/drip?bytes=x")" -eq 400 ]
    [ "$(status_of "$SERVE_URL/drip?bytes=2G")" -eq 400 ]
}

@test "serve: a client that leaves a wait frees its connection" {
    start_serve
    curl -s -m 0.5 -o /dev/null "$SERVE_URL/delay/1h" || true
    curl -s -m 0.5 -o /dev/null "$SERVE_URL/stream/10?every=1h" || true
    wait_until 10 metric_is connections_waiting 0
    wait_until 10 metric_is connections 1
    [ "$(metric 'requests_aborted_total{reason="client"}')" -eq 2 ]
}

@test "serve: a client that leaves in the middle of an answer harms nobody" {
    start_serve
    local i
    for i in 1 2 3 4 5; do
        curl -s -m 10 "$SERVE_URL/bytes/500M" | head -c 100 >/dev/null || true
    done
    [ "$(curl -s -m 10 "$SERVE_URL")" = "Hello, World!" ]
    [ "$(metric 'requests_total{code="200"}')" -eq 6 ]
    wait_until 10 metric_is connections 1
}

@test "serve: N requests are counted as N, by status, the scrapes apart" {
    start_serve --threads 2
    command -v jq >/dev/null
    "$PERFKIT" load -n 5000 -c 20 --no-tui --json "$SERVE_URL/" >load.json
    [ "$(jq .requests.responses load.json)" -eq 5000 ]
    [ "$(metric 'requests_total{code="200"}')" -eq 5000 ]
    [ "$(metric requests_started_total)" -eq 5000 ]
    wait_until 5 metric_is bytes_sent_total 65000
    [ "$(metric request_duration_seconds_count)" -eq 5000 ]
    local scrapes=$(metric scrapes_total)
    [ "$(metric scrapes_total)" -eq $((scrapes + 1)) ]
    [ "$(metric 'requests_total{code="200"}')" -eq 5000 ]
    stop_serve
    [[ $(tail -n 1 "$SERVE_OUT") == "served 5000 requests (5000 2xx)"*"63.48 KiB of bodies"* ]]
}

@test "serve: /metrics is Prometheus text 0.0.4 and its gauges tell the truth" {
    start_serve --max-connections 77
    run curl -s -m 10 -i "$SERVE_URL/metrics"
    [[ $output == *"Content-Type: text/plain; version=0.0.4"* ]]
    [ "$(metric connections_limit)" -eq 77 ]
    [ "$(metric connections)" -eq 1 ]
    [ "$(metric draining)" -eq 0 ]
    awk -v b="$(metric process_resident_memory_bytes)" 'BEGIN { exit !(b > 1000000) }'
    (($(milliseconds_of "$SERVE_URL/delay/300") >= 300))
    [ "$(metric 'request_duration_seconds_bucket{le="0.25"}')" -eq 0 ]
    [ "$(metric 'request_duration_seconds_bucket{le="+Inf"}')" -eq 1 ]
    metric request_duration_seconds_sum | awk '{ exit !($1 >= 0.3 && $1 < 5) }'
}

@test "serve: every size of head gets an answer: 200 up to a point, 431 from there on" {
    start_serve
    local n status last= changes=
    for n in {2000..4400..16}; do
        status=$(status_of -H "X: $(printf "a%.0s" $(seq "$n"))" "$SERVE_URL/")
        [[ $status == "$last" ]] || changes+="$status "
        last=$status
    done
    echo "$changes"
    [ "$changes" = "200 431 " ]
    [ "$(metric 'requests_aborted_total{reason="error"}')" -eq 0 ]
    local answers=$(($(metric 'requests_total{code="200"}') + $(metric 'requests_total{code="431"}')))
    [ "$answers" -eq 151 ]
    # an answer whose own head does not fit beside that of the request
    local url=$(printf 'a%.0s' {1..1700})
    run curl -s -m 10 -o /dev/null -w '%{http_code}' "$SERVE_URL/redirect-to?url=$url"
    [ "$output" = 431 ]
    start_serve --conn-memory 8k
    run curl -s -m 10 -o /dev/null -w '%{http_code}' "$SERVE_URL/redirect-to?url=$url"
    [ "$output" = 302 ]
}
