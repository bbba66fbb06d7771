# Part "alloc" of tests/peers/run: what counting allocations costs, and what is counted, beside
# heaptrack; attached, beside bpftrace. Sourced; uses $build, $perfkit, $work and die, and median of
# analysis.bash, ratio and verdict of launch.bash.

alloc_rounds=${ALLOC_ROUNDS:-5}
alloc_targets=$build/tests/alloc

alloc_perl='my %h; for my $i (1 .. 400000) { $h{"key $i"} = "value $i"; } print scalar(keys %h), "\n";'
# One line: heaptrack writes the command into its file, which is lines.
alloc_python='import json; text = json.dumps([{"id": i, "name": "name %d" % i, "tags": ["a", "b", str(i)]} for i in range(30000)]); print(sum(len(json.loads(text)) for _ in range(5)))'

# The interpreter itself, where python3 is a script that looks for it.
alloc_python_program() { python3 -c 'import sys; print(sys.executable)'; }

# seconds_of COMMAND...: the CPU time of it and of all that it starts, all it does afterwards included.
seconds_of() {
    local ns
    rm -f heaptrack.out.*
    "$rusage" cost "$@" >output 2>errors </dev/null || die "$1 failed: $(tail -n 3 errors)"
    read -r ns _ <cost
    awk -v ns="$ns" 'BEGIN { printf "%.6f\n", ns / 1e9 }'
}

# added_time TITLE GOAL COMMAND...: what is added to its CPU time, and the ratio to what heaptrack
# adds.
added_time() {
    local title=$1 goal=$2 round plain ours theirs plains=() added=() added_theirs=() ratios=()
    shift 2
    for ((round = 0; round < alloc_rounds; round++)); do
        plain=$(seconds_of "$@") || exit 1
        ours=$(seconds_of "$perfkit" alloc -q -o ours.folded -- "$@") || exit 1
        theirs=$(seconds_of heaptrack -o heaptrack.out "$@") || exit 1
        plains+=("$plain")
        added+=("$(awk -v a="$ours" -v b="$plain" 'BEGIN { print a - b }')")
        added_theirs+=("$(awk -v a="$theirs" -v b="$plain" 'BEGIN { print a - b }')")
        ratios+=("$(ratio "${added[-1]}" "${added_theirs[-1]}")")
    done
    printf '    %-38s plain %.3f s, perfkit alloc adds %.3f s, heaptrack %.3f s\n' "$title" \
        "$(median "${plains[@]}")" "$(median "${added[@]}")" "$(median "${added_theirs[@]}")"
    verdict 'added / added by heaptrack' "$(median "${ratios[@]}")" "$goal"
}

# heaptrack_sum FIGURE: over its stacks; bytes from its events.
heaptrack_sum() {
    if [[ $1 == bytes ]]; then
        zstd -dcq heaptrack.out.zst | awk '
            function hex(text,   i, n) {
                for (i = 1; i <= length(text); i++)
                    n = 16 * n + index("0123456789abcdef", substr(text, i, 1)) - 1
                return n
            }
            $1 == "a" { size[sprintf("%x", n_sizes++)] = hex($2) }
            $1 == "+" { bytes += size[$2] }
            END { printf "%.0f\n", bytes }'
        return
    fi
    heaptrack_print -f heaptrack.out.zst --disable-builtin-suppressions --disable-embedded-suppressions \
        -F stacks --flamegraph-cost-type "$1" >printed 2>errors || die "heaptrack_print failed: $(tail -n 1 errors)"
    # libstdc++, which comes with it, keeps a pool from the start on.
    awk -v pool=$([[ $1 == peak ]] && echo 72704 || echo 0) '{ n += $NF } END { printf "%.0f\n", n - pool }' stacks
}

# agree TITLE COMMAND...: calls, bytes, peak and leaked, within 1 %.
agree() {
    local title=$1 figure cost mine theirs wrong=0
    shift
    rm -f heaptrack.out.*
    heaptrack -o heaptrack.out "$@" >output 2>errors </dev/null || die "heaptrack failed: $(tail -n 3 errors)"
    printf '    %-38s' "$title"
    for figure in calls bytes peak leaked; do
        cost=$figure
        [[ $figure != calls ]] || cost=allocations
        "$perfkit" alloc -q --weight $figure -o ours.folded -- "$@" >output 2>errors </dev/null ||
            die "perfkit alloc failed: $(tail -n 3 errors)"
        mine=$(awk '{ n += $NF } END { printf "%.0f\n", n }' ours.folded)
        theirs=$(heaptrack_sum $cost)
        printf ' %s %.4f' $figure "$(ratio "$mine" "$theirs")"
        awk -v a="$mine" -v b="$theirs" 'BEGIN { exit !(a >= 0.99 * b && a <= 1.01 * b) }' || wrong=1
    done
    ((wrong)) && echo '  apart' || echo
    return $wrong
}

compare_alloc() {
    local python failed_here=0
    command -v heaptrack >/dev/null || { echo '    skipped: heaptrack is not installed (apt-get install heaptrack)'; return 0; }
    python=$(alloc_python_program)
    added_time '10 million pairs, one thread' 0.05 "$alloc_targets/loop" 10000000
    added_time '5 million pairs in each of two threads' 0.05 "$alloc_targets/loop" 5000000 2
    added_time 'perl, a hash of 400,000' 0.15 perl -e "$alloc_perl"
    added_time 'python, JSON read five times' 0.15 "$python" -c "$alloc_python"
    echo '  the same figures (perfkit alloc / heaptrack):'
    agree 'perl, a hash of 400,000' perl -e "$alloc_perl" || failed_here=1
    agree 'python, JSON read five times' "$python" -c "$alloc_python" || failed_here=1
    agree 'git, the log of this repository' git -C "$here" --no-pager log --stat -n 200 || failed_here=1
    return $failed_here
}

# ---- attached -----------------------------------------------------------------------------------

attach_requests=200 # of 1500 calls of malloc each, ten calls deep and more

# attached_cost WATCHER [ARG...]: the CPU time of the target, in ns, while the watcher (none: plain)
# counts in it; what that prints is in watched.
attached_cost() {
    local target watcher= i
    rm -f requests watched watched.err && mkfifo requests
    (TIMEFORMAT='%U %S' && time "$alloc_targets/known" on-request <requests >said) 2>cost &
    local runner=$!
    exec 8>requests
    until grep -qs ready said; do sleep 0.02; done
    target=$(pgrep -P "$runner" -x known) || die 'the target is not there'
    if [[ $1 != plain ]]; then
        "${@//PID/$target}" >watched 2>watched.err 8>&- &
        watcher=$!
        for ((i = 0; i < 1000; i++)); do
            grep -qs counting watched watched.err && break
            kill -0 $watcher 2>/dev/null || die "$1 failed: $(tail -n 3 watched.err watched)"
            sleep 0.02
        done
    fi
    for ((i = 0; i < attach_requests; i++)); do echo >&8; done
    exec 8>&-
    wait $runner
    if [[ -n $watcher ]]; then
        kill -INT $watcher 2>/dev/null
        wait $watcher
    fi
    attached_ns=$(awk '{ printf "%d\n", 1e9 * ($1 + $2) }' cost)
}

# What each counts of f and g, by stack, must be right: 1000 and 500 a request.
watched_calls() { # FILE REGEX
    awk -v regex="$2" '$0 ~ regex { n += $NF } END { printf "%d\n", n }' "$1"
}

compare_attached() {
    local round plain ours theirs ratios=() per_call=() per_call_theirs=() n=$((attach_requests * 1500)) wrong=0
    local program='uprobe:/proc/PID/root/lib/x86_64-linux-gnu/libc.so.6:malloc /pid == PID/ { @[ustack()] = count(); } interval:ms:200 { printf("counting\n"); }'
    command -v bpftrace >/dev/null || { echo '    skipped: bpftrace is not installed (apt-get install bpftrace)'; return 0; }
    ((EUID == 0)) || { echo '    skipped: bpftrace needs root'; return 0; }
    for ((round = 0; round < alloc_rounds; round++)); do
        attached_cost plain
        plain=$attached_ns
        attached_cost "$perfkit" alloc --backend bpf -p PID -o ours.folded
        ours=$((attached_ns - plain))
        attached_cost bpftrace -p PID -e "$program"
        theirs=$((attached_ns - plain))
        per_call+=("$(ratio $ours "$n")") per_call_theirs+=("$(ratio $theirs "$n")")
        ratios+=("$(ratio $ours $theirs)")
        theirs=$(awk '/^\]: [0-9]+$/ { n += $2 } END { print n + 0 }' watched)
        ours=$(watched_calls ours.folded ';main;.*;malloc ')
        ((ours == n)) || { echo "    wrong: perfkit counted $ours calls by stacks to main, not $n"; wrong=1; }
        ((theirs == n)) || echo "    bpftrace counted $theirs calls, not $n"
    done
    printf '    %-38s perfkit alloc %.0f ns, bpftrace %.0f ns a call\n' 'malloc of a process that is watched' \
        "$(median "${per_call[@]}")" "$(median "${per_call_theirs[@]}")"
    printf '    %-38s perfkit alloc %s, bpftrace %s\n' 'deepest stack, frames' \
        "$(awk '{ n = gsub(/;/, ";"); if (n > most) most = n } END { print most }' ours.folded)" \
        "$(awk '/^@\[/ { n = 0 } /^ / { n++; if (n > most) most = n } END { print most + 0 }' watched)"
    verdict 'added / added by bpftrace' "$(median "${ratios[@]}")" 0.70
    return $wrong
}
