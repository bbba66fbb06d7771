# perfkit serve --static: files of one directory, and nothing else.
load helper
load serve_helper

site() {
    rm -rf root
    mkdir -p root/sub root/.git "root/with space"
    printf '<h1>home</h1>' >root/index.html
    printf '0123456789' >root/ten.txt
    printf 'p{}' >root/style.css
    printf 'inner' >root/sub/index.html
    printf 'secret' >root/.git/config
    printf 'hidden' >root/.env
    printf 'spaced' >"root/with space/a b.txt"
    printf 'outside' >outside.txt
    printf 'shadow' >root/help
    : >root/empty
    ln -s ../outside.txt root/out
    ln -s /etc/passwd root/abs
    ln -s ten.txt root/inner
    mkfifo root/pipe
    start_serve --static root "$@"
}

@test "serve: files come with their type, length and date" {
    site
    run curl -s -m 10 -i "$SERVE_URL/ten.txt"
    [[ $output == "HTTP/1.1 200 "*"Content-Type: text/plain; charset=utf-8"* ]]
    [[ $output == *"Content-Length: 10"* && $output == *"Accept-Ranges: bytes"* && $output == *"ETag: \""* ]]
    [[ $output == *"Last-Modified: $(date -u -r root/ten.txt '+%a, %d %b %Y %H:%M:%S GMT')"* ]]
    [[ $output == *0123456789 ]]
    [[ $(curl -s -m 10 -i "$SERVE_URL/style.css") == *"Content-Type: text/css"*"p{}" ]]
    [ "$(curl -s -m 10 "$SERVE_URL/with%20space/a%20b.txt")" = spaced ]
    [ "$(curl -s -m 10 "$SERVE_URL/empty" -w '%{http_code} %{size_download}')" = "200 0" ]
    [ "$(curl -s -m 10 "$SERVE_URL/inner")" = 0123456789 ]
    run curl -s -m 10 -I "$SERVE_URL/ten.txt"
    [[ $output == *"Content-Length: 10"* && $output != *0123* ]]
}

@test "serve: a directory is its index.html, by way of the slash" {
    site
    [ "$(curl -s -m 10 "$SERVE_URL/")" = '<h1>home</h1>' ]
    [ "$(curl -s -m 10 "$SERVE_URL/sub/")" = inner ]
    [[ $(curl -s -m 10 -i "$SERVE_URL/sub") == "HTTP/1.1 301 "*"Location: /sub/"* ]]
    [[ $(curl -s -m 10 -i "$SERVE_URL/with%20space") == "HTTP/1.1 301 "*"Location: /with%20space/"* ]]
    [ "$(status_of "$SERVE_URL/with%20space/")" -eq 404 ]
    rm root/index.html
    [ "$(curl -s -m 10 "$SERVE_URL/")" = 'Hello, World!' ]
}

@test "serve: endpoints come before files, --body before the index" {
    site
    [[ $(curl -s -m 10 "$SERVE_URL/help") == *"/metrics"* ]]
    [ "$(curl -s -m 10 -X POST "$SERVE_URL/")" = 'Hello, World!' ]
    [[ $(curl -s -m 10 -i -X POST "$SERVE_URL/ten.txt") == "HTTP/1.1 405 "*"Allow: GET, HEAD, OPTIONS"* ]]
    site --body mine
    [ "$(curl -s -m 10 "$SERVE_URL/")" = mine ]
    [ "$(curl -s -m 10 "$SERVE_URL/ten.txt")" = 0123456789 ]
}

@test "serve: nothing outside of the directory is served, however it is asked for" {
    site
    local path
    for path in /../outside.txt /sub/../../outside.txt /%2e%2e/outside.txt /%2e%2e%2foutside.txt \
        /..%2foutside.txt /sub%2f..%2f..%2foutside.txt /out /abs /.%2e/outside.txt //etc/passwd \
        /etc/passwd '/..\\outside.txt' /..%5coutside.txt /./ten.txt /sub/./index.html /sub//index.html \
        /.git/config /.env /%2egit/config /sub%2findex.html; do
        raw_to reply "GET $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        [[ $(head -n 1 reply) == "HTTP/1.1 404 "* ]] || { echo "$path"; cat reply; return 1; }
        ! grep -qE 'outside|root:|secret|hidden|inner' reply || return 1
    done
    raw_to reply 'GET /ten.txt%00.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    [[ $(head -n 1 reply) == "HTTP/1.1 400 "* ]]
    # a pipe is no file and holds nobody up
    [ "$(status_of "$SERVE_URL/pipe")" -eq 404 ]
    [ "$(curl -s -m 10 "$SERVE_URL/ten.txt")" = 0123456789 ]
}

@test "serve: byte ranges are 206, impossible ones 416, others ignored" {
    site
    run curl -s -m 10 -i -r 2-5 "$SERVE_URL/ten.txt"
    [[ $output == "HTTP/1.1 206 "*"Content-Range: bytes 2-5/10"*2345 && $output == *"Content-Length: 4"* ]]
    [ "$(curl -s -m 10 -r 7- "$SERVE_URL/ten.txt")" = 789 ]
    [ "$(curl -s -m 10 -r -2 "$SERVE_URL/ten.txt")" = 89 ]
    [ "$(curl -s -m 10 -r 0-999 "$SERVE_URL/ten.txt")" = 0123456789 ]
    run curl -s -m 10 -i -r 10- "$SERVE_URL/ten.txt"
    [[ $output == "HTTP/1.1 416 "*"Content-Range: bytes */10"* ]]
    [ "$(status_of -r 0- "$SERVE_URL/empty")" -eq 416 ]
    run curl -s -m 10 -i -r 0-0,9-9 "$SERVE_URL/ten.txt"
    [[ $output == "HTTP/1.1 200 "*0123456789 ]]
    run curl -s -m 10 -i -H 'Range: lines=1-2' "$SERVE_URL/ten.txt"
    [[ $output == "HTTP/1.1 200 "* ]]
    run curl -s -m 10 -I -r 2-5 "$SERVE_URL/ten.txt"
    [[ $output == "HTTP/1.1 200 "*"Content-Length: 10"* ]]
}

@test "serve: If-Range keeps the pieces of one file together" {
    site
    local etag=$(curl -s -m 10 -I "$SERVE_URL/ten.txt" | tr -d '\r' | sed -n 's/^ETag: //p')
    local date=$(curl -s -m 10 -I "$SERVE_URL/ten.txt" | tr -d '\r' | sed -n 's/^Last-Modified: //p')
    [ "$(status_of -r 2-5 -H "If-Range: $etag" "$SERVE_URL/ten.txt")" -eq 206 ]
    [ "$(status_of -r 2-5 -H "If-Range: $date" "$SERVE_URL/ten.txt")" -eq 206 ]
    [ "$(status_of -r 2-5 -H 'If-Range: "other"' "$SERVE_URL/ten.txt")" -eq 200 ]
    [ "$(status_of -r 2-5 -H 'If-Range: Sun, 06 Nov 1994 08:49:37 GMT' "$SERVE_URL/ten.txt")" -eq 200 ]
    printf 'abcdefghij' >root/ten.txt # the same length, another file
    [ "$(status_of -r 2-5 -H "If-Range: $etag" "$SERVE_URL/ten.txt")" -eq 200 ]
}

@test "serve: an unchanged file is 304 without a body" {
    site
    local etag=$(curl -s -m 10 -I "$SERVE_URL/ten.txt" | tr -d '\r' | sed -n 's/^ETag: //p')
    local date=$(curl -s -m 10 -I "$SERVE_URL/ten.txt" | tr -d '\r' | sed -n 's/^Last-Modified: //p')
    [[ $(curl -s -m 10 -i -H "If-None-Match: $etag" "$SERVE_URL/ten.txt") == "HTTP/1.1 304 "*"ETag: $etag"* ]]
    [ "$(status_of -H "If-None-Match: \"x\", W/$etag" "$SERVE_URL/ten.txt")" -eq 304 ]
    [ "$(status_of -H 'If-None-Match: "x"' "$SERVE_URL/ten.txt")" -eq 200 ]
    [ "$(status_of -H "If-Modified-Since: $date" "$SERVE_URL/ten.txt")" -eq 304 ]
    [ "$(status_of -H 'If-Modified-Since: Sun Nov  6 08:49:37 1994' "$SERVE_URL/ten.txt")" -eq 200 ]
    [ "$(status_of -H "If-Modified-Since: $date" -H 'If-None-Match: "x"' "$SERVE_URL/ten.txt")" -eq 200 ]
    [ "$(status_of -H 'If-Modified-Since: yesterday' "$SERVE_URL/ten.txt")" -eq 200 ]
    raw_to reply "GET /ten.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\nIf-None-Match: $etag\r\n\r\n"
    [ "$(tail -c 4 reply | od -An -tx1 | tr -d ' ')" = 0d0a0d0a ]
}

@test "serve: large files arrive whole, without a copy in memory" {
    site
    head -c 300000000 /dev/zero >root/large
    printf end >>root/large
    [ "$(curl -s -m 30 "$SERVE_URL/large" | cksum)" = "$(cksum <root/large)" ]
    [ "$(curl -s -m 30 -r 299999999- "$SERVE_URL/large" | od -An -c | tr -d ' \n')" = '\0end' ]
    awk -v b="$(metric process_resident_memory_bytes)" 'BEGIN { exit !(b < 200e6) }'
    rm root/large
}

@test "serve: no descriptor stays open after files were sent or not" {
    site
    curl -s -m 30 -o /dev/null "$SERVE_URL/ten.txt?[1-50]"
    curl -s -m 30 -o /dev/null -r 50- "$SERVE_URL/ten.txt?[1-50]"
    curl -s -m 30 -o /dev/null -H 'If-None-Match: *' "$SERVE_URL/ten.txt?[1-50]"
    curl -s -m 30 -o /dev/null "$SERVE_URL/none?[1-50]" "$SERVE_URL/sub?[1-50]" "$SERVE_URL/pipe?[1-50]"
    wait_until 10 metric_is connections 1
    (($(ls "/proc/$SERVE_PID/fd" | wc -l) < 30))
}
