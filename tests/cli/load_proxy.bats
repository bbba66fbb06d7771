# perfkit load --proxy: whole URLs and tunnels, plain and TLS, with both engines.
load helper
load load_helper

# A target that counts, and a proxy before it. Sets URL, PORT, PROXY.
stall_behind_proxy() {
    stall --record record
    proxy --to "127.0.0.1:$PORT" --record asked "$@"
}

# tls_behind_proxy ARG...: the same with `perfkit serve --tls` and a certificate of server.
tls_behind_proxy() {
    certificates server proxy
    start_serve --tls --cert server.pem --key server.key
    proxy --to "${SERVE_URL#https://}" --record asked "$@"
}

# asked TEXT: is this line in what the proxy was asked?
asked() {
    tr -d '\r' <asked | grep -qxF -- "$1" && return 0
    echo "the proxy was not asked '$1' but:" >&2
    cat asked >&2
    return 1
}
no_line() { ! grep -qi -- "$1" "$2"; } # a bare ! does not fail a test
count_asked() { tr -d '\r' <asked | grep -cF -- "$1"; }

@test "load proxy: an http target gets whole URLs over kept connections, by libcurl" {
    stall_behind_proxy
    load_json -n 30 -c 3 -x "$PROXY" 'http://name.invalid:81/a/../b?c=d'
    [ "$status" -eq 0 ]
    json '.requests.responses == 30 and .config.engine == "curl" and .generator.connectionsOpened == 3'
    json ".config.proxy == \"$PROXY\""
    asked 'GET http://name.invalid:81/a/../b?c=d HTTP/1.1'
    asked 'Host: name.invalid:81'
    recorded 'GET /a/../b?c=d HTTP/1.1'
    no_line '^proxy-' asked
    [ "$(proxied forwarded)" -eq 30 ]
    [ "$(proxied connections)" -eq 3 ]
    [ "$(stalled requests)" -eq 30 ]
}

@test "load proxy: engine h1 does not send whole URLs" {
    pk load -n 1 --engine h1 -x http://127.0.0.1:9 http://127.0.0.1:9/
    one_line_error "--engine h1" "proxy" "--engine curl"
}

@test "load proxy: an https target is reached through a tunnel per connection, with both engines" {
    tls_behind_proxy
    local engine
    for engine in h1 curl; do
        load_json -n 30 -c 3 --engine "$engine" --cacert ca.pem --proxy "$PROXY" https://server/bytes/100
        [ "$status" -eq 0 ]
        json ".config.engine == \"$engine\" and .requests.responses == 30 and .bytes.bodies == 3000"
        json '.generator.connectionsOpened == 3 and .phases.tls.count == 3 and .requests.errors == 0'
    done
    load_json -n 1 --cacert ca.pem --proxy "$PROXY" https://server/
    json '.config.engine == "h1"' # auto
    asked 'CONNECT server:443 HTTP/1.1'
    asked 'Host: server:443'
    no_line GET asked
    [ "$(proxied tunnels)" -eq 7 ]
    [ "$(proxied forwarded)" -eq 0 ]
}

@test "load proxy: bytes are those of requests and answers, the tunnel's own are left out" {
    tls_behind_proxy
    local engine
    for engine in h1 curl; do
        load_json -n 5 -c 1 --engine "$engine" --cacert ca.pem https://server/ \
            --connect-to "server:443:${SERVE_URL#https://}"
        jq -c .bytes <<<"$output" >"direct.$engine"
        load_json -n 5 -c 1 --engine "$engine" --cacert ca.pem -x "$PROXY" https://server/
        jq -c .bytes <<<"$output" | cmp - "direct.$engine"
    done
    cmp direct.h1 direct.curl
}

@test "load proxy: a new connection per request is a new tunnel per request" {
    tls_behind_proxy
    local engine
    for engine in h1 curl; do
        load_json -n 8 -c 2 --disable-keepalive --engine "$engine" --cacert ca.pem -x "$PROXY" https://server/
        json '.requests.responses == 8 and .generator.connectionsOpened == 8'
    done
    [ "$(proxied tunnels)" -eq 16 ]
}

@test "load proxy: --proxy-header goes to the proxy, not through the tunnel" {
    tls_behind_proxy
    local engine
    for engine in h1 curl; do
        load_json -n 2 -c 1 --engine "$engine" --cacert ca.pem -x "$PROXY" -H 'X-Mine: server' \
            --proxy-header 'X-One: 1' --proxy-header 'X-Two: a b' https://server/headers
        [ "$status" -eq 0 ]
    done
    [ "$(count_asked 'X-One: 1')" -eq 2 ]
    [ "$(count_asked 'X-Two: a b')" -eq 2 ]
    [ "$(count_asked 'X-Mine')" -eq 0 ]
    stall_behind_proxy
    load_json -n 3 -c 1 -x "$PROXY" --proxy-header 'X-One: 1' -H 'X-Mine: server' http://name.invalid/
    [ "$(count_asked 'X-One: 1')" -eq 3 ]
    [ "$(count_asked 'X-Mine: server')" -eq 3 ]
}

@test "load proxy: user and password of the proxy's URL are sent to it and shown nowhere" {
    local secret
    secret=$(printf 'jo:p w@' | base64)
    stall_behind_proxy --auth "$secret"
    load_json -n 3 -c 1 -x "${PROXY/:\/\//://jo:p%20w%40@}" http://name.invalid/
    [ "$status" -eq 0 ]
    json ".requests.good == 3 and .config.proxy == \"$PROXY\""
    [[ $output$stderr != *jo* ]]
    not_recorded "$secret"
    load_json -n 3 -c 1 -x "$PROXY" http://name.invalid/
    json '.statusCodeDistribution == {"407": 3}' # an answer like any other
    tls_behind_proxy --auth "$secret"
    local engine
    for engine in h1 curl; do
        load_json -n 2 -c 1 --engine "$engine" --cacert ca.pem -x "${PROXY/:\/\//://jo:p%20w%40@}" https://server/
        json '.requests.good == 2'
        load_json -n 2 -c 1 --engine "$engine" --cacert ca.pem -x "$PROXY" https://server/
        [ "$status" -eq 1 ]
        json '.requests.errorClasses == {"proxy": 2}'
        json '.errorDistribution == {"the proxy opened no tunnel: it answered CONNECT with 407": 2}'
    done
}

@test "load proxy: the proxy's URL is not in the process list" {
    stall --stall-each 20s
    proxy --to "127.0.0.1:$PORT"
    "$PERFKIT" load -n 1 -x "${PROXY/:\/\//://jo:hushhush@}" http://name.invalid/ >out 2>&1 3>&- &
    track $!
    local pid=$!
    sent_one() { [[ -n $(ss -tnH state established "( dport = :$PORT )" 2>/dev/null) ]]; }
    wait_until "$DEADLINE_S" sent_one
    tr '\0' ' ' <"/proc/$pid/cmdline" >cmdline
    grep -q -- '-x' cmdline
    no_line hushhush cmdline
}

@test "load proxy: a tunnel refused, a proxy that hangs up, a proxy that is not there" {
    local engine
    for engine in h1 curl; do
        proxy --to 127.0.0.1:9 --refuse 403
        load_json -n 2 -c 1 --engine "$engine" -x "$PROXY" https://server/
        json '.errorDistribution == {"the proxy opened no tunnel: it answered CONNECT with 403": 2}'
        [ "$(proxied refused)" -eq 2 ]
        proxy --to 127.0.0.1:9 --hang-up
        load_json -n 2 -c 1 --engine "$engine" -x "$PROXY" https://server/
        json '.requests.responses == 0 and .requests.errors == 2 and (.requests.errorClasses | has("timeout") | not)'
        kill -KILL "$PROXY_PID"
        wait_until "$DEADLINE_S" has_ended "$PROXY_PID"
        load_json -n 2 -c 1 --engine "$engine" -x "$PROXY" https://server/
        json '.errorDistribution == {"Connection refused (os error 111)": 2}'
    done
}

@test "load proxy: a tunnel that never opens ends at --connect-timeout" {
    local engine
    for engine in h1 curl; do
        stall --silent
        load_json -n 1 -c 1 --engine "$engine" --connect-timeout 300ms -x "$URL" https://server/
        json '.requests.errorClasses == {"timeout": 1} and .summary.slowest >= 0.29 and .summary.slowest < 5'
    done
}

@test "load proxy: --connect-to says where the proxy is, and what it shall connect to" {
    stall_behind_proxy
    load_json -n 4 -c 2 -x http://p.invalid:3128 --connect-to "p.invalid:3128:${PROXY#http://}" http://name.invalid/
    json '.requests.responses == 4 and .config.proxy == "http://p.invalid:3128" and .config.engine == "curl"'
    asked 'GET http://name.invalid/ HTTP/1.1'
    [ "$(proxied forwarded)" -eq 4 ]
    local engine
    for engine in h1 curl; do
        stall_behind_proxy
        load_json -n 4 -c 2 --engine "$engine" -x "$PROXY" --connect-to name.invalid:80:other.invalid:8080 \
            --connect-to 'name.invalid:80:[::1]:99' http://name.invalid/path
        json ".requests.responses == 4 and .config.engine == \"$engine\""
        asked 'CONNECT other.invalid:8080 HTTP/1.1'
        asked 'CONNECT [::1]:99 HTTP/1.1'
        recorded 'GET /path HTTP/1.1'
        recorded 'Host: name.invalid'
        [ "$(proxied tunnels)" -eq 2 ]
    done
}

@test "load proxy: a proxy that speaks TLS, for both kinds of target" {
    tls_behind_proxy --cert proxy.pem --key proxy.key
    local to=${PROXY#http://} tls=https://proxy:3128
    load_json -n 6 -c 2 --cacert ca.pem -x "$tls" --connect-to "proxy:3128:$to" https://server/
    [ "$status" -eq 0 ]
    json '.requests.responses == 6 and .config.engine == "curl"'
    pk load -n 1 --engine h1 --cacert ca.pem -x "$tls" --connect-to "proxy:3128:$to" https://server/
    one_line_error "--engine h1" "https proxy"
    load_json -n 2 -c 1 -x "$tls" --connect-to "proxy:3128:$to" https://server/
    json '.requests.errorClasses == {"tls": 2}' # nobody vouches for the proxy
    load_json -n 2 -c 1 --insecure -x "$tls" --connect-to "proxy:3128:$to" https://server/
    json '.requests.responses == 2'
    load_json -n 2 -c 1 --cacert ca.pem -x "https://other:3128" --connect-to "other:3128:$to" https://server/
    json '.requests.errorClasses == {"tls": 2}' # it is not the one that its certificate names
    stall
    proxy --to "127.0.0.1:$PORT" --cert proxy.pem --key proxy.key
    load_json -n 6 -c 2 --cacert ca.pem -x "https://127.0.0.1:${PROXY##*:}" http://name.invalid/
    json '.requests.responses == 6'
    [ "$(proxied forwarded)" -eq 6 ]
}

@test "load proxy: the environment's proxies are not used" {
    stall
    export http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 all_proxy=http://127.0.0.1:9 no_proxy=
    local engine
    for engine in h1 curl; do
        load_json -n 2 --engine "$engine" "$URL"
        json '.requests.responses == 2 and .config.proxy == null'
    done
    proxy --to "127.0.0.1:$PORT"
    no_proxy='*' load_json -n 2 -x "$PROXY" http://name.invalid/
    json '.requests.responses == 2' # nor is no_proxy
    [ "$(proxied forwarded)" -eq 2 ]
}

@test "load proxy: what is wrong with it is said before the run" {
    local url
    for url in 127.0.0.1:3128 ftp://p/ socks5://p:1080 'http://' http://p/path 'http://p/?q' 'http://p:99999/'; do
        pk load -n 1 -x "$url" http://127.0.0.1:9/
        one_line_error "-x" "proxy" "http://[USER:PASSWORD@]HOST[:PORT]"
    done
    pk load -n 1 -x 'http://jo:hushhush@p/path' http://127.0.0.1:9/
    one_line_error "-x"
    [[ $stderr != *hushhush* ]]
    pk load -n 1 -x http://127.0.0.1:9 --unix-socket s http://127.0.0.1:9/
    one_line_error "-x" "--unix-socket"
    pk load -n 1 --proxy-header 'X: 1' http://127.0.0.1:9/
    one_line_error "--proxy-header" "--proxy"
    pk load -n 1 -x http://127.0.0.1:9 --proxy-header 'no colon' http://127.0.0.1:9/
    one_line_error "--proxy-header" "Name: value"
    pk load -n 1 -x http://name.invalid:1 http://127.0.0.1:9/
    one_line_error "name.invalid"
}
