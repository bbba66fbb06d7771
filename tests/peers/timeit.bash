# Part "timeit" of tests/peers/run: the shipped Python functions, by perfkit and by `python3 -m
# timeit`, in turn. Sourced; uses $here, $perfkit, $work, $rounds, median and die.
#
# Both call the same function objects in a for loop over itertools.repeat, with the garbage
# collector off. timeit runs with -p (time on the CPU), since its wall time doubles when other
# programs want the processor. It prints the best of five loops of one process, perfkit the mean over
# 30 processes, so timeit's is the lower one of two that are equal.

timeit_functions=(recursive lookup)

# timeit_ns PYTHON FUNCTION: ns per call.
timeit_ns() {
    "$1" -m timeit -p -u nsec -s "import sys; sys.path.insert(0, '$work'); from timeit_fib import bench_$2 as f" \
        'f()' >output 2>errors </dev/null || die "timeit failed: $(tail -n 1 errors)"
    sed -nE 's/.* ([0-9.e+]+) nsec per loop.*/\1/p' output
}

perfkit_ns() { # FUNCTION
    "$perfkit" bench --home "$work/timeit-store" --discard-baseline --quick --json --exact "fib/python/$1" \
        >output 2>errors </dev/null || die "perfkit failed: $(tail -n 1 errors)"
    jq '.benchmarks[0].typical.point' output
}

compare_timeit() {
    local python round name ours theirs ratio
    python=$(python3 -c 'import sys; print(sys.executable)' 2>errors) ||
        { echo '    skipped: python3 is not installed'; return 0; }
    cp "$here/../../lib/bench/suite/fib.py" "$work/timeit_fib.py"
    : >timeit-rows
    for ((round = 0; round < rounds; round++)); do
        for name in "${timeit_functions[@]}"; do
            if ((round % 2)); then ours=$(perfkit_ns "$name") theirs=$(timeit_ns "$python" "$name")
            else theirs=$(timeit_ns "$python" "$name") ours=$(perfkit_ns "$name"); fi
            [[ $ours && $theirs ]] || die "no time of $name"
            awk -v name="$name" -v ours="$ours" -v theirs="$theirs" \
                'BEGIN { print name, ours, theirs, ours / theirs }' >>timeit-rows
        done
    done
    for name in "${timeit_functions[@]}"; do
        mapfile -t ratio < <(awk -v name="$name" '$1 == name { print $4 }' timeit-rows | sort -g)
        ours=$(median $(awk -v name="$name" '$1 == name { print $2 }' timeit-rows))
        theirs=$(median $(awk -v name="$name" '$1 == name { print $3 }' timeit-rows))
        awk -v name="$name" -v ours="$ours" -v theirs="$theirs" -v low="${ratio[0]}" \
            -v high="${ratio[-1]}" -v middle="$(median "${ratio[@]}")" 'BEGIN {
                met = middle > 0.9 && middle < 1.1 ? "met" : "missed"
                printf "    fib/python/%-10s perfkit %.6g ns, timeit %.6g ns: %.3f (%.3f .. %.3f)  goal 0.9 .. 1.1: %s\n",
                    name, ours, theirs, middle, low, high, met }'
    done
}
