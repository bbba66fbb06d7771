# What bench refuses: one line, exit 2, nothing on standard output, nothing stored.
load bench_helper

# No result: the lock may have been taken before it was known that there is nothing to do.
teardown() {
    perfkit_teardown
    [ -z "$(find store -name '*.json*' -o -name '*.so' 2>/dev/null)" ]
}

@test "bench: numbers out of range name the option and the range" {
    local line words text
    while IFS='|' read -r line text; do
        read -ra words <<<"$line"
        pk bench --home store "${words[@]}"
        one_line_error "perfkit bench: ${words[0]}" "$text"
    done <<'LINES'
--sample-size 3|at least 4
--sample-size x|number
--measurement-time 0|more than 0
--measurement-time -1|more than 0
--measurement-time soon|duration
--warm-up-time x|duration
--nresamples 0|at least 1
--noise-threshold 0|between 0 and 1
--noise-threshold 2|
--confidence-level 0|between 0 and 1
--confidence-level 1|between 0 and 1
--confidence-level 95|
--significance-level 1|between 0 and 1
--equivalence 0|between 0 and 1
--profile-time 0.5|at least 1s
--timeout 0|more than 0
--layouts 0|at least 1
--layouts 1025|at most 1024
--seed 0|at least 1
--metric cycles|oncpu, wall or cpu
--output-format xml|gbench-csv
--message-format xml|json or openmetrics
--format long|pretty or terse
--fail-on improved|regressed
--plotting-backend excel|gnuplot
--color sometimes|always
LINES
}

@test "bench: what excludes each other, and what needs another" {
    local line words
    while read -r line; do
        read -ra words <<<"$line"
        pk bench --home store "${words[@]}"
        one_line_error "exclude each other"
    done <<'LINES'
--quick --sample-size 20
--quiet --verbose
--baseline a --baseline-lenient b
--discard-baseline --save-baseline a
--discard-baseline --baseline a
--discard-baseline --baseline-lenient a
--load-baseline a --save-baseline b
--load-baseline a --more
--load-baseline a --discard-baseline
--compare-with a --baseline b
--list --test
--test --profile-time 2
--json --output-format bencher
--json --message-format json
LINES
    pk bench --message-format json --output-format gbench-csv
    one_line_error "both want the output"
}

@test "bench: names of baselines are folders, and not those of other things" {
    local name
    for name in '' a/b ../x .hidden change report profile; do
        pk bench --home store --save-baseline "$name"
        one_line_error "--save-baseline"
        pk bench --home store --baseline "$name"
        one_line_error "--baseline"
    done
    pk bench --home store --save-baseline new
    one_line_error "every run writes"
    pk bench --home store --save-baseline "$(printf 'x%.0s' {1..65})"
    one_line_error "at most 64"
    pk bench --home ''
    one_line_error "--home"
}

@test "bench: filters and parameters that fit nothing" {
    pk bench --home store nothing-of-that-name
    one_line_error "nothing-of-that-name"
    pk bench --home store --exact recursive
    one_line_error "recursive"
    pk bench --home store 'fib/('
    one_line_error "fib/("
    pk bench --home store --param 94
    one_line_error "fib(94) does not fit in 64 bits"
    pk bench --home store --param 1:2:0
    one_line_error
    pk bench --home store --param ''
    one_line_error
    [ ! -e store ] # none of them had anything to put there
}

@test "bench: files that bring no benchmarks" {
    printf 'not an object' >x.so
    pk bench --home store ./x.so
    [ "$status" -ne 0 ]
    [[ $stderr$output == *x.so* ]]
    echo 'int main(void) { return x; }' >x.c
    pk bench --home store x.c
    [ "$status" -eq 2 ]
    [[ $stderr == *"x.c"*"undeclared"* ]] # the compiler's own words
}

@test "bench: the baseline asked for is not there" {
    pk bench --home store --load-baseline none
    one_line_error "store"
}
