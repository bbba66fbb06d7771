# The test runner must not hide a failure.
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
