# The test runner, and CI on top of it, must not hide a failure.
load helper

setup() {
    perfkit_setup
    mkdir -p tree/tests/unit tree/tests/fuzz tree/tests/cli tree/b/tests/unit tree/b/tests/fuzz
    cp "$ROOT/tests/run" tree/tests/
    cd tree || return 1
}

# A program that prints what a cmocka test does under TAP and ends with STATUS.
unit() { # NAME STATUS LINES
    : >"tests/unit/$1.c"
    printf '#!/bin/sh\nprintf "%b"\nexit %s\n' "$3" "$2" >"b/tests/unit/$1"
    chmod +x "b/tests/unit/$1"
}

last() { echo "${lines[-1]}"; }

@test "the runner adds up units, replays and bats files" {
    unit test_a 0 '1..2\\nok 1 - x\\nok 2 - y\\n# ok - group\\n'
    printf '#!/bin/sh\n[ "$1" = tests/fuzz/seeds/u ]\n' >b/tests/fuzz/fuzz_u
    chmod +x b/tests/fuzz/fuzz_u
    : >tests/fuzz/fuzz_u.c
    printf '@test "one" { true; }\n@test "two" { skip "no such thing here"; }\n' >tests/cli/c.bats
    run tests/run b
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(last)" = "4 passed, 0 failed, 1 skipped" ]
    [[ $output == *"skipped:"*"1 of c: no such thing here"* ]]
}

# A bats file whose one test waits for the other's; each makes a file when it is there.
waiting_for() { # NAME MINE THEIRS [MARK]
    local at=@ # here bats would take that line for its own
    cat >"tests/cli/$1.bats" <<SH
${4:-}
${at}test "$1" {
    touch "$PWD/$2"
    for i in {1..600}; do
        [ ! -e "$PWD/$3" ] || return 0
        sleep 0.05
    done
    false
}
SH
}

@test "the runner runs what mostly waits beside the rest, and counts it" {
    local mark='# tests/run: beside the others'
    waiting_for a waits went_on "$mark"
    waiting_for c went_on waits
    printf '%s\n@test "two" { echo wrong; false; }\n@test "three" { skip "no reason"; }\n' "$mark" >tests/cli/b.bats
    run tests/run b
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$(last)" = "2 passed, 1 failed, 1 skipped" ]
    [[ $output == *" c "*" a "*" b "*"wrong"*"1 of b: no reason"* ]]
    run tests/run b cli/a
    [ "$(last)" = "1 passed, 0 failed" ]
}

@test "the runner counts a failed test and shows its message" {
    unit test_a 1 '1..2\\nok 1 - x\\nnot ok 2 - y\\n# a.c:7: 1 is not 2\\n'
    run tests/run b
    [ "$status" -eq 1 ]
    [ "$(last)" = "1 passed, 1 failed" ]
    [[ $output == *"not ok 2 - y"*"1 is not 2"* ]]
}

@test "the runner counts tests that a crash kept from running" {
    unit test_a 139 '1..5\\nok 1 - x\\nok 2 - y\\n'
    run tests/run b
    [ "$status" -eq 1 ]
    [ "$(last)" = "2 passed, 3 failed" ]
}

@test "the runner counts a bad exit after the last test" {
    unit test_a 23 '1..1\\nok 1 - x\\nLeakSanitizer: detected memory leaks\\n'
    run tests/run b
    [ "$status" -eq 1 ]
    [ "$(last)" = "1 passed, 1 failed" ]
    [[ $output == *"detected memory leaks"* ]]
}

@test "the runner fails when nothing ran" {
    run tests/run b
    [ "$status" -eq 1 ]
    [ "$(last)" = "0 passed, 1 failed" ]
    unit test_a 0 ''
    run tests/run b
    [ "$status" -eq 1 ]
    [ "$(last)" = "0 passed, 1 failed" ]
}

@test "the runner takes a filter and leaves out programs whose source is gone" {
    unit test_a 0 '1..1\\nok 1 - x\\n'
    unit test_b 0 '1..1\\nok 1 - x\\n'
    run tests/run b test_b
    [ "$(last)" = "1 passed, 0 failed" ]
    rm tests/unit/test_b.c
    run tests/run b
    [ "$(last)" = "1 passed, 0 failed" ]
}

@test "the runner counts a bats file that cannot be read" {
    printf '@test "one" { true; \n' >tests/cli/c.bats
    run tests/run b
    [ "$status" -eq 1 ]
    [[ $(last) == "0 passed, "*" failed" ]]
}

# .ci/run in a tree of its own, with a make that ends as TOTALS says: one "total|status" per call.
ci() {
    mkdir -p .ci bin
    cp "$ROOT/.ci/run" .ci/
    printf '%s\n' "$@" >totals
    cat >bin/make <<'SH'
#!/bin/sh
line=$(head -n 1 totals)
sed -i 1d totals
echo "make $* CI=$CI"
echo "${line%|*}"
exit "${line#*|}"
SH
    chmod +x bin/make
    PATH=$PWD/bin:$PATH run .ci/run
}

@test "CI adds up the totals of its steps, and its last line is the sum" {
    ci '10 passed, 0 failed, 2 skipped|0' '5 passed, 0 failed|0' '9 passed, 0 failed, 1 skipped|0' \
        '9 passed, 0 failed|0' 'lint: nothing found|0'
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(last)" = "34 passed, 0 failed, 3 skipped" ] # the linters count as one
    [[ $output == *"make check CI=true"*"make check CC=clang"*"make check SANITIZE=address,undefined"* ]]
    [[ $output == *"make check SANITIZE=thread"*"make lint"* ]]
}

@test "CI fails when a test fails, a build fails, or make fails after the tests" {
    local good='5 passed, 0 failed|0'
    ci '4 passed, 1 failed|2' "$good" "$good" "$good" 'lint|0'
    [ "$status" -eq 1 ]
    [ "$(last)" = "20 passed, 1 failed, 0 skipped" ]
    ci "$good" 'error: no such type|2' "$good" "$good" 'lint|0'
    [ "$status" -eq 1 ]
    [ "$(last)" = "16 passed, 1 failed, 0 skipped" ]
    ci "$good" "$good" "$good" '5 passed, 0 failed|1' 'lint|0'
    [ "$status" -eq 1 ]
    [ "$(last)" = "21 passed, 1 failed, 0 skipped" ]
    ci "$good" "$good" "$good" "$good" 'warning: this|2'
    [ "$status" -eq 1 ]
    [ "$(last)" = "20 passed, 1 failed, 0 skipped" ]
}

@test "the runner gives a unit program a second attempt and says so" {
    : >tests/unit/test_a.c
    printf '#!/bin/sh\necho 1..1; if [ -e tried ]; then echo "ok 1 - x"; else >tried; echo "not ok 1 - x"; exit 1; fi\n' >b/tests/unit/test_a
    chmod +x b/tests/unit/test_a
    run tests/run b
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"test_a"*"second attempt"* ]]
    [ "$(last)" = "1 passed, 0 failed" ]
}

@test "the runner fails for what a sanitizer found, whatever the tests say" {
    : >tests/unit/test_a.c
    printf '#!/bin/sh\necho 1..1; echo "ok 1 - x"; echo "a race" >"${TSAN_OPTIONS##*log_path=}.$$"\n' >b/tests/unit/test_a
    chmod +x b/tests/unit/test_a
    run tests/run b
    [ "$status" -eq 1 ]
    [[ $output == *"a sanitizer found something"*"a race"* ]]
    [ "$(last)" = "1 passed, 1 failed" ]
}

@test "the runner knows what a sanitizer says that is no finding" {
    : >tests/unit/test_a.c
    printf '#!/bin/sh\necho 1..1; echo "ok 1 - x"; echo "==7==Unable to get registers from thread 8." >"${ASAN_OPTIONS##*log_path=}.$$"\n' >b/tests/unit/test_a
    chmod +x b/tests/unit/test_a
    run tests/run b
    [ "$status" -eq 0 ]
    printf '#!/bin/sh\necho 1..1; echo "ok 1 - x"; printf "==7==Unable to get registers from thread 8.\\na leak\\n" >"${ASAN_OPTIONS##*log_path=}.$$"\n' >b/tests/unit/test_a
    run tests/run b
    [ "$status" -eq 1 ]
    [[ $output == *"a leak"* ]]
}
