# perfkit serve --tls.
load helper
load serve_helper

needs_tls() { "$PERFKIT" version --verbose | grep -qi gnutls || skip "a build without GnuTLS"; }
certificate() { # certificate NAME DNS
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$2" \
        -addext "subjectAltName=DNS:$2,IP:127.0.0.1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
# The server's certificate as PEM.
shown() { openssl s_client -connect "127.0.0.1:$(serve_port)" </dev/null 2>/dev/null | openssl x509; }

@test "serve: --tls makes a certificate that clients can be told to trust" {
    needs_tls
    start_serve --tls --verbose
    [[ $SERVE_URL == https://127.0.0.1:* ]]
    run curl -s -m 10 "$SERVE_URL/"
    [ "$status" -eq 60 ] # nobody has signed it
    [ "$(curl -sk -m 10 "$SERVE_URL/")" = "Hello, World!" ]
    shown >server.crt
    [ "$(curl -s -m 10 --cacert server.crt "$SERVE_URL/")" = "Hello, World!" ]
    [ "$(curl -s -m 10 --cacert server.crt "https://localhost:$(serve_port)/")" = "Hello, World!" ]
    run curl -s -m 10 --cacert server.crt --resolve "other:$(serve_port):127.0.0.1" "https://other:$(serve_port)/"
    [ "$status" -eq 60 ]
    openssl x509 -in server.crt -noout -checkend $((20 * 86400))
    ! openssl x509 -in server.crt -noout -checkend $((40 * 86400)) || return 1
    local print=$(openssl x509 -in server.crt -noout -fingerprint -sha256)
    grep -qF "certificate: self-signed, SHA-256 ${print#*=}" "$SERVE_ERR"

    start_serve --tls # another start, another key
    shown >again.crt
    ! cmp -s server.crt again.crt || return 1
}

@test "serve: --cert and --key are used" {
    needs_tls
    certificate mine my.test
    start_serve --tls --cert mine.crt --key mine.key
    run curl -s -m 10 --cacert mine.crt --resolve "my.test:$(serve_port):127.0.0.1" "https://my.test:$(serve_port)/"
    [ "$output" = "Hello, World!" ]
    cmp <(shown) <(openssl x509 -in mine.crt)
}

@test "serve: certificates that cannot be used are one line" {
    needs_tls
    certificate mine my.test
    certificate other other.test
    pk serve --listen 0 --tls --cert mine.crt --key other.key
    one_line_error "mine.crt" "PEM files of the same pair"
    echo rubbish >bad.pem
    pk serve --listen 0 --tls --cert bad.pem --key bad.pem
    one_line_error "bad.pem"
    pk serve --listen 0 --tls --cert mine.crt
    one_line_error "--key"
    pk serve --listen 0 --cert mine.crt --key mine.key
    one_line_error "--tls"
    pk serve --listen 0 --tls --cert none.crt --key mine.key
    one_line_error "none.crt"
}

@test "serve: over TLS the endpoints, waits and faults are the same" {
    needs_tls
    start_serve --tls --threads 2
    run curl -sk -m 10 -i "$SERVE_URL/" "$SERVE_URL/" -w '\n%{num_connects}\n'
    [[ $output != *[Cc]onnection:* ]]
    [ "$(grep -Ec '^[01]$' <<<"$output" | tail -n 1)" -eq 2 ]
    head -c 200000 /dev/urandom >data
    curl -sk -m 10 --data-binary @data "$SERVE_URL/echo" | cmp - data
    [ "$(curl -sk -m 20 "$SERVE_URL/bytes/20M" | wc -c)" -eq 20971520 ]
    [ "$(curl -sk -m 10 "$SERVE_URL/stream/3?chunk=5&every=50")" = 0123456789abcde ]
    (($(milliseconds_of -k "$SERVE_URL/delay/300") >= 300))
    run curl -sk -m 10 "$SERVE_URL/error?kind=reset"
    [ "$status" -ne 0 ]
    run curl -sk -m 10 -o /dev/null "$SERVE_URL/error?kind=truncate"
    [ "$status" -ne 0 ]
    # the end of the body is the end of the connection: told by close_notify (curl does not mind)
    run timeout 10 openssl s_client -connect "127.0.0.1:$(serve_port)" -quiet -ign_eof \
        < <(printf 'GET /stream/3?chunk=5 HTTP/1.0\r\n\r\n')
    [ "$status" -eq 0 ]
    [[ $output == *$'\n'0123456789abcde && $output != *"unexpected eof"* ]]
    mkdir root
    printf file >root/a.txt
    start_serve --tls --static root
    [ "$(curl -sk -m 10 "$SERVE_URL/a.txt")" = file ]
}

@test "serve: only TLS 1.2 and 1.3 are spoken, and plain HTTP is refused" {
    needs_tls
    start_serve --tls
    [ "$(curl -sk -m 10 --tls-max 1.2 "$SERVE_URL/")" = "Hello, World!" ]
    [ "$(curl -sk -m 10 --tlsv1.3 "$SERVE_URL/")" = "Hello, World!" ]
    run curl -sk -m 10 --tls-max 1.1 --ciphers 'DEFAULT:@SECLEVEL=0' "$SERVE_URL/"
    [ "$status" -eq 35 ]
    run curl -s -m 10 "http://127.0.0.1:$(serve_port)/"
    [ "$status" -ne 0 ]
    [ "$(curl -sk -m 10 "$SERVE_URL/")" = "Hello, World!" ]
}

@test "serve: a TLS handshake that takes too long is cut, a client that vanishes harms nobody" {
    needs_tls
    start_serve --tls --head-timeout 1s
    raw_to reply '\x16\x03\x01' 6
    [ "$RAW_CLOSED" -eq 1 ]
    local i
    for i in 1 2 3; do curl -sk -m 10 "$SERVE_URL/bytes/100M" | head -c 100 >/dev/null || true; done
    [ "$(curl -sk -m 10 "$SERVE_URL/")" = "Hello, World!" ]
}

@test "serve: the drain is as orderly over TLS" {
    needs_tls
    start_serve --tls
    bg curl -sk -m 20 -o slow -D head "$SERVE_URL/delay/1s"
    local slow=$BG_PID
    wait_until "$DEADLINE_S" eval '[[ $(curl -sk "$SERVE_URL/metrics" | grep "^connections_waiting") == *1 ]]'
    stop_serve
    wait "$slow"
    [ "$SERVE_STATUS" -eq 0 ]
    [ "$(cat slow)" = "waited 1 s" ]
    grep -qi '^connection: close' head
}
