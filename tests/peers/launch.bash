# Part "launch" of tests/peers/run: what a command that does nothing takes by perfkit time and by
# hyperfine -N. Sourced; uses $build, $perfkit, $work and die, and median of analysis.bash.

launch_runs=40 # in a batch
launch_batches=${LAUNCH_BATCHES:-60}

# Sets theirs: the median of a batch, in seconds.
hyperfine_batch() { # PROGRAM
    hyperfine -N -r "$launch_runs" --style none --export-json theirs.json "$1" >output 2>errors </dev/null ||
        die "hyperfine failed: $(tail -n 3 errors)"
    theirs=$(jq '.results[0].median' theirs.json)
}

# Sets exec_exit and clone_exit: medians of a batch, in seconds.
perfkit_batch() { # PROGRAM
    "$perfkit" time -N -r "$launch_runs" --export-csv-runs ours.csv "$1" >output 2>errors </dev/null ||
        die "perfkit time failed: $(tail -n 3 errors)"
    exec_exit=$(column_median ours.csv wall)
    clone_exit=$(column_median ours.csv wall launch)
}

# column_median FILE NAME...: of the sums of these columns.
column_median() {
    awk -F , -v names="${*:2}" 'NR == 1 { n = split(names, name, " ")
            for (i = 1; i <= NF; i++) at[$i] = i
            for (i = 1; i <= n; i++) if (!(name[i] in at)) exit 1 }
        NR > 1 { sum = 0; for (i = 1; i <= n; i++) sum += $at[name[i]]; printf "%.9f\n", sum }' "$1" |
        sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f\n", a / b }'; }

verdict() { # TITLE RATIO GOAL
    awk -v title="$1" -v ratio="$2" -v goal="$3" 'BEGIN {
        printf "    %-38s %9.2f  goal %s: %s\n", title, ratio, goal, ratio <= goal ? "met" : "missed" }'
}

compare_launch() {
    local batch execs=() clones=() ours_us=() theirs_us=() program=$build/tests/programs/take_memory
    command -v hyperfine >/dev/null || { echo '    skipped: hyperfine is not installed (apt-get install hyperfine)'; return 0; }
    for ((batch = 0; batch < launch_batches; batch++)); do
        ((batch % 2)) || hyperfine_batch "$program"
        perfkit_batch "$program"
        ((batch % 2)) && hyperfine_batch "$program"
        execs+=("$(ratio "$exec_exit" "$theirs")")
        clones+=("$(ratio "$clone_exit" "$theirs")")
        ours_us+=("$(ratio "$exec_exit" 1e-6)")
        theirs_us+=("$(ratio "$theirs" 1e-6)")
    done
    printf '    %-38s %9.1f us\n' 'hyperfine -N' "$(median "${theirs_us[@]}")" \
        'perfkit time -N, exec to exit' "$(median "${ours_us[@]}")"
    verdict 'exec to exit / hyperfine' "$(median "${execs[@]}")" 0.85
    verdict 'clone to exit / hyperfine' "$(median "${clones[@]}")" 0.90
}

# A small command's peak memory, in rounds with one that takes 512 MiB: a count, so it must be right.
measure_peak() {
    local program=$build/tests/programs/take_memory bytes
    "$perfkit" time -N -r 5 -n small -n large --export-csv-runs ours.csv "$program" "$program 1 2 3 4 5 6 7 8" \
        >output 2>errors </dev/null || die "perfkit time failed: $(tail -n 3 errors)"
    bytes=$(awk -F , 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $1 == "small" && $at["memory_byte"] > most { most = $at["memory_byte"] } END { print most + 0 }' ours.csv)
    printf '    %-38s %9d KiB\n' 'a program of half a MiB, after 512 MiB' $((bytes / 1024))
    ((bytes > 0 && bytes < 1 << 20)) || { echo "    wrong: it takes less than 1 MiB"; return 1; }
}
