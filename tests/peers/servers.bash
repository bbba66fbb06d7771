# The servers that are measured, or measured against. Sourced by run, which has `perfkit`, `nginx`,
# an empty working directory and an array `pids` of what it must end.

die() {
    echo "$*" >&2
    exit 1
}

# start OUT COMMAND...: in the background. Sets `started`.
start() {
    local out=$1
    shift
    : >"$out" # before anybody looks into it
    "$@" >"$out" 2>"$out.err" </dev/null &
    started=$!
    pids+=("$started")
}

stop() { # PID
    kill -TERM "$1" && wait "$1"
}

# until_true COMMAND...: runs it again and again for at most thirty seconds.
until_true() {
    local i
    for ((i = 0; i < 1500; i++)); do
        "$@" && return 0
        sleep 0.02
    done
    return 1
}

answers() { curl --silent --fail --insecure --output hello --max-time 2 "$1"; }

# start_serve NAME [ARG...]: sets server_url[NAME], server_pid[NAME].
declare -A server_url server_pid
start_serve() {
    local name=$1
    shift
    start "$name.out" "$perfkit" serve --listen 127.0.0.1:0 "$@"
    until_true test -s "$name.out" || die "serve does not start: $(cat "$name.out.err")"
    server_pid[$name]=$started
    server_url[$name]=$(sed -n 's/^listening on //p;q' "$name.out")/
    until_true answers "${server_url[$name]}" || die "no answer from ${server_url[$name]}"
}

# A port that was free a moment ago; Linux does not hand it out again soon.
free_port() {
    start_serve probe
    stop "${server_pid[probe]}"
    port=${server_url[probe]##*:}
    port=${port%/}
}

# The path of the counters is this run's own: nobody else's nginx answers there.
nginx_conf() { # PLAIN_PORT TLS_PORT CONNECTIONS
    cat <<CONF
daemon off;
worker_processes 1;
worker_rlimit_nofile $(($3 + 100));
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections $(($3 + 50)); }
http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
    ssl_certificate $work/cert.pem;
    ssl_certificate_key $work/key.pem;
    server {
        listen 127.0.0.1:$1 backlog=4096;
        listen 127.0.0.1:$2 ssl backlog=4096;
        location / { default_type text/plain; return 200 "Hello, World!"; }
        location = /counters-$$ { stub_status; }
    }
}
CONF
}

# start_nginx CONNECTIONS: on two ports, sets server_url[nginx], server_url[nginx_tls] and
# server_pid of both.
start_nginx() {
    local plain tls
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem 2>openssl.err ||
        die "cannot make a certificate: $(cat openssl.err)"
    free_port
    plain=$port
    free_port
    tls=$port
    nginx_conf "$plain" "$tls" "$1" >nginx.conf
    start nginx.out "$nginx" -p "$work" -c "$work/nginx.conf" -e "$work/nginx.log"
    server_pid[nginx]=$started server_pid[nginx_tls]=$started
    server_url[nginx]=http://127.0.0.1:$plain/ server_url[nginx_tls]=https://127.0.0.1:$tls/
    until_true answers "${server_url[nginx]}counters-$$" ||
        die "nginx does not start: $(cat nginx.out.err nginx.log)"
    answers "${server_url[nginx_tls]}" || die "no answer from ${server_url[nginx_tls]}"
}

# read_served NAME: sets `n_served`, how many requests the server has had by its own count. nginx
# counts the question as well, so what was asked before is taken off.
questions=0
read_served() {
    local url=${server_url[$1]}metrics
    [[ $1 == nginx* ]] && url=${server_url[nginx]}counters-$$ && ((++questions))
    curl --silent --fail --max-time 5 "$url" >counters || die "$1 does not tell its counts"
    n_served=$(awk -v asked=$questions '
        $1 == "requests_started_total" { n = $2 }
        NR == 3 && NF == 3 { n = $3 - asked }
        END { print n }' counters)
}

# server_cpu NAME: prints the CPU nanoseconds of the server so far, all its threads and children.
server_cpu() {
    local pid=${server_pid[$1]}
    # shellcheck disable=SC2046
    cat $(printf '/proc/%s/task/*/schedstat ' "$pid" $(pgrep -P "$pid")) |
        awk '{ ns += $1 } END { printf "%.0f\n", ns }'
}
