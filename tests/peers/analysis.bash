# Part "analysis" of tests/peers/run: what Criterion and perfkit spend on the same stored samples
# after measuring. Sourced; uses $here, $build, $rusage, $work and die.

analysis_benchmarks=10 # of criterion/benches/beside.rs

# Builds Criterion's side below the build directory, once. Sets criterion_program.
build_criterion() {
    local target=$build/criterion-target
    command -v cargo >/dev/null || { echo '    skipped: cargo is not installed (apt-get install cargo)'; return 1; }
    mkdir -p "$build/criterion-source"
    cp -r "$here/criterion/." "$build/criterion-source/"
    if ! (cd "$build/criterion-source" && CARGO_TARGET_DIR=$target timeout 600 cargo bench --no-run) \
        >build.log 2>&1 </dev/null; then
        echo "    skipped: Criterion cannot be built here: $(tail -n 1 build.log)"
        return 1
    fi
    criterion_program=$(find "$target/release/deps" -maxdepth 1 -name 'beside-*' -type f -executable | head -n 1)
    [[ -n $criterion_program ]] || die "no program among what cargo built"
}

criterion() { CRITERION_HOME=$work/criterion "$criterion_program" --bench --color never "$@" >output 2>errors </dev/null || die "Criterion failed: $(tail -n 3 errors)"; }

# Sets cost_ms: CPU time of COMMAND for one benchmark.
cost_of() {
    "$rusage" cost "$@" >output 2>errors </dev/null || die "$1 failed: $(tail -n 3 errors)"
    cost_ms=$(awk -v n="$analysis_benchmarks" '{ printf "%.2f", $1 / 1e6 / n }' cost)
}

compare_analysis() {
    local round theirs=() plain=() ours=() folder=$work/criterion/beside/work1
    build_criterion || return 0
    criterion --save-baseline old --warm-up-time 0.1 --measurement-time 0.5 --noplot
    criterion --save-baseline now --warm-up-time 0.1 --measurement-time 0.5 --noplot
    for ((round = 0; round < rounds; round++)); do
        export CRITERION_HOME=$work/criterion
        cost_of "$criterion_program" --bench --load-baseline now --baseline old
        theirs+=("$cost_ms")
        cost_of "$criterion_program" --bench --load-baseline now --baseline old --noplot
        plain+=("$cost_ms")
        unset CRITERION_HOME
        cost_of "$build/tests/programs/bench_analysis" -n "$analysis_benchmarks" -o "$work" \
            "$folder/now/sample.json" "$folder/old/sample.json"
        ours+=("$cost_ms")
    done
    printf '    %-38s %9s ms\n' 'Criterion, with plots' "$(median "${theirs[@]}")" \
        'Criterion, without' "$(median "${plain[@]}")" 'perfkit, with pages' "$(median "${ours[@]}")"
    awk -v ours="$(median "${ours[@]}")" -v theirs="$(median "${theirs[@]}")" 'BEGIN {
        printf "    perfkit / Criterion with plots: %.3f  goal 0.20: %s\n", ours / theirs, ours / theirs <= 0.2 ? "met" : "missed" }'
}

median() { printf '%s\n' "$@" | sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'; }
