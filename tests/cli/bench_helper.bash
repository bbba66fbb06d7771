# For the tests of `perfkit bench`: short runs. Times are never asserted, but they are compared with
# each other where they come from the same samples.
load "${BASH_SOURCE[0]%/*}/helper"

OBJECTS=$(dirname -- "$PERFKIT")/tests/objects

# Few and short workers: enough for everything but verdicts.
SHORT=(--sample-size 6 --measurement-time 60ms --warm-up-time 6ms)

bench_setup() {
    perfkit_setup
    unset CRITERION_HOME CARGO_TARGET_DIR
}
setup() { bench_setup; }

# bench ARG...: a short run in the store ./store, without pages; of the built-in suite what is in C.
bench() { pk bench --home store --noplot "${SHORT[@]}" --skip '^fib/python/' "$@"; }

# Digits, units and what depends on them made equal: "9.88 us" and "102.3 ns" become "N u".
normalised() {
    sed -E 's/[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/N/g; s/N (ps|ns|us|µs|ms|s)\b/N u/g; s/N%/N %/g'
}

# json FILTER [FILE]: of the last output, or a file.
json() { if (($# > 1)); then jq -r "$1" "$2"; else jq -r "$1" <<<"$output"; fi; }

# skip_under_sanitizers [REASON]: for what means nothing, or takes minutes, when sanitizers watch.
skip_under_sanitizers() {
    case $PERFKIT in
    */build/san-* | */build/coverage*) skip "${1:-too slow in this build}" ;;
    esac
}
