#!/usr/bin/env bats
# perfkit compare of two results of perfkit alloc.

load helper

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp "$BATS_TEST_DIRNAME/../fuzz/seeds/alloc_json/small.json" old.json
    sed 's/"calls":2,"bytes":16,"leaked_bytes":16/"calls":5,"bytes":40,"leaked_bytes":24/; s/"sampled":true,//' old.json >new.json
    sed -i 's/"sampled":true,//' old.json
}

@test "compare: allocations, functions by what changed most" {
    run --separate-stderr "$PERFKIT" compare old.json new.json
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "$output" == *"calls           2      5      +3  +150.00 %"* ]]
    [[ "$output" == *"bytes        16 B   40 B   +24 B  +150.00 %"* ]]
    [[ "${lines[-1]}" == *"+24 B"*"f" ]]
}

@test "compare: allocations as JSON, by stack and leaked" {
    "$PERFKIT" compare old.json new.json --json --rows stack -w leaked >out.json
    run jq -r '.schema, .sorted_by, .changes[0].name, .changes[0].after.self.leaked' out.json
    [ "$output" = $'alloc-compare/1\nleaked\np;f;malloc\n24' ]
}

@test "compare: the picture of two results of alloc" {
    run --separate-stderr "$PERFKIT" compare old.json new.json -o diff.svg
    [ "$status" -eq 0 ]
    [[ "$stderr" == diff.svg:* ]]
    grep -q 'total_samples="40"' diff.svg
}

@test "compare: nothing changed is said" {
    run "$PERFKIT" compare old.json old.json
    [ "$status" -eq 0 ]
    [[ "$output" == *"Nothing has changed."* ]]
}

@test "compare: what is for other results is refused" {
    run --separate-stderr "$PERFKIT" compare old.json new.json --sort ratio
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"--sort is for benchmarks, not for allocations"* ]]
    run --separate-stderr "$PERFKIT" compare old.json new.json --by self
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"--by is for profiles"* ]]
    run --separate-stderr "$PERFKIT" compare old.json nothing
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"allocations are compared with one other"* ]]
    run --separate-stderr "$PERFKIT" compare a b -w leaked
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"--weight is for allocations"* ]]
}

@test "compare: a broken result of alloc is refused with its place" {
    printf '{"schema":"alloc/1","stacks":[{"process":0}]}' >broken.json
    run --separate-stderr "$PERFKIT" compare old.json broken.json
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"broken.json: stacks[0].process: there is no such one"* ]]
}
