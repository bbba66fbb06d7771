# Memory per connection, on top of the kernel's: the difference in a process' resident set between
# few and many connections. Sourced by run.

few=1000 # more than are ever being connected at once, whose memory comes back later
many=10000

open_files() { # PID
    local files=(/proc/"$1"/fd/*)
    echo ${#files[@]}
}
has_open_files() { (($(open_files "$1") >= $2)); } # PID COUNT

resident_kib() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }

# resident_with CONNECTIONS SERVER CLIENT|SERVER: prints the KiB of the client (or of the server)
# while so many connections are open and in use.
resident_with() {
    local connections=$1 server=$2 client pid kib
    start load.out "$perfkit" load --engine h1 --threads 1 --insecure --no-tui --output-format quiet \
        -c "$connections" -z 60s "${server_url[$server]}"
    client=$started
    pid=$client
    [[ $3 == server ]] && pid=${server_pid[$server]}
    until_true has_open_files "$pid" "$connections" || die "$connections connections do not come about"
    sleep 1 # the last ones get through their handshake and first request
    kib=$(resident_kib "$pid")
    kill -INT "$client"
    wait "$client"
    echo "$kib"
}

# memory_row TITLE SERVER WHOSE GOAL_KIB
memory_row() {
    local low high
    low=$(resident_with $few "$2" "$3") && high=$(resident_with $many "$2" "$3") || exit 1
    memory_line "$1" "$low" "$high" "$4"
}

# memory_line TITLE KIB_FEW KIB_MANY GOAL_KIB
memory_line() {
    awk -v title="$1" -v low="$2" -v high="$3" -v goal="$4" -v more=$((many - few)) 'BEGIN {
        kib = (high - low) / more
        printf "    %-24s %8.2f KiB  goal %s: %s\n", title, kib, goal, kib <= goal ? "met" : "missed"
    }'
}

measure_memory() {
    local need=$((many + 1000))
    if [[ $(ulimit -Hn) != unlimited ]] && (($(ulimit -Hn) < need && EUID != 0)); then
        echo "    skipped: $many connections need \`ulimit -n $need\`, the limit is $(ulimit -Hn)"
        return
    fi
    memory_row 'perfkit load' nginx client 1
    memory_row 'perfkit load, TLS' nginx_tls client 50
    start_serve memory
    memory_row 'perfkit serve' memory server 6
    stop "${server_pid[memory]}"
}
