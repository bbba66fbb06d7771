# perfkit compare: stored results side by side.
load bench_helper

# stored NAME GROUP NS: a baseline as Criterion itself writes it, of 20 samples around NS.
stored() {
    local folder=store/$2/$1
    mkdir -p "$folder"
    printf '{"group_id":"%s","function_id":null,"value_str":null,"throughput":%s,"full_id":"%s","directory_name":"%s","title":"%s"}' \
        "$2" "${4:-null}" "$2" "$2" "$2" >"$folder/benchmark.json"
    awk -v ns="$3" 'BEGIN {
        for (i = 0; i < 20; i++) { n = n (i ? "," : "") "1000.0"; t = t (i ? "," : "") sprintf("%.3f", 1000 * ns * (1 + (i % 5 - 2) / 1000)) }
        printf "{\"sampling_mode\":\"Flat\",\"iters\":[%s],\"times\":[%s]}", n, t }' >"$folder/sample.json"
}

three() {
    stored old alpha 100
    stored new alpha 200
    stored mid alpha 100
    stored old beta 1000 '{"Bytes":1024}'
    stored new beta 500 '{"Bytes":1024}'
    stored mid beta 500 '{"Bytes":1024}'
    stored new gamma 7
}

compare() { pk compare --home store "$@"; }

@test "compare: rows, columns, ratios to the best, the geometric mean" {
    three
    compare old new mid
    [ "$status" -eq 0 ]
    local row
    row=$(tr -s ' ' <<<"$output")
    [[ $row == *$'\nalpha 1.00 100.00 ns +- 0.07 - 2.00 200.00 ns +- '*" - 1.00 100.00 ns +- "* ]]
    [[ $row == *$'\nbeta 2.00 1.000'*"976.56 MiB/s 1.00 500"*"1.9073 GiB/s 1.00 500"* ]]
    [[ $row == *$'\ngamma - - - 1.00 7.000 ns +- '*" - - - -"* ]]
    compare old new mid --json
    jq -e '.schema == "compare/1" and .columns == ["old", "new", "mid"] and .rows_in_means == 2 and
        (.geometric_means | map(. * 1e6 | round)) == [1414214, 1414214, 1000000] and
        (.rows | map(.id)) == ["alpha", "beta", "gamma"] and .rows[2].cells[0] == null and
        (.rows[0].spread - 1 | fabs) < 1e-9 and .rows[0].change == null' <<<"$output"
}

@test "compare: --ref, --sort, --threshold and --filter" {
    three
    compare old new mid --ref new --json
    jq -e '.rows[0].cells | map(.ratio * 1000 | round) == [500, 1000, 500]' <<<"$output"
    compare old new mid --ref none
    one_line_error "--ref" "none"
    compare old new mid --sort time --json
    jq -e '[.rows[].id] == ["gamma", "alpha", "beta"]' <<<"$output"
    stored mid alpha 105
    stored new alpha 105
    compare old new mid --sort ratio --json
    jq -e '[.rows[].id] == ["beta", "alpha", "gamma"]' <<<"$output"
    compare old new mid --threshold 10% --json
    jq -e '([.rows[].id] == ["beta", "gamma"]) and .rows_hidden == 1' <<<"$output"
    compare old new mid -t 0.1
    [[ $output == *"1 row left out"* ]]
    compare old new --filter '^(al|ga)' --json
    jq -e '[.rows[].id] == ["alpha", "gamma"]' <<<"$output"
    compare old new --filter '('
    one_line_error "--filter"
    compare old new --filter nothing
    one_line_error "old" "loosen the filter"
}

@test "compare: two results have verdicts, and a gate" {
    three
    compare old new
    [[ $output == *"alpha"*"regressed: +100"*"beta"*"improved: 50"* ]]
    [[ $output == *"gamma"*" -"* ]]
    compare old new --fail-on regressed
    [ "$status" -eq 1 ]
    [[ $stderr == *"gate failed: 1 of 2 compared"* ]]
    compare old new --fail-on regressed --filter beta
    [ "$status" -eq 0 ]
    compare old new mid --fail-on regressed
    one_line_error "exactly two"
    compare old mid --noise-threshold 60% --equivalence 70% --json
    jq -e '.rows | map(.change.verdict) == ["no change", "no change"]' <<<"$output"
    compare old mid --json
    local narrow
    narrow=$(json '.rows[0].change | .high - .low')
    compare old mid --json --confidence-level 0.99
    jq -e --argjson w "$narrow" '.rows[0].change | .high - .low > $w' <<<"$output"
    compare old mid --confidence-level 1
    one_line_error "confidence-level"
}

@test "compare: a row that is not shown counts in means and gates all the same" {
    stored old slow 100
    stored new slow 103
    stored old fast 300
    stored new fast 10
    stored old same 50
    stored new same 50
    compare old new --json
    local means
    means=$(json .geometric_means)
    compare old new -t 10% --json
    [ "$(json .geometric_means)" = "$means" ]
    jq -e '([.rows[].id] == ["fast"]) and .rows_hidden == 2 and .rows_in_means == 3' <<<"$output"
    compare old new -t 10% --fail-on regressed
    [ "$status" -eq 1 ]
    [[ $stderr == *"1 of 3 compared"* ]]
    compare old new --sort time --json
    jq -e '[.rows[].id] == ["fast", "same", "slow"]' <<<"$output"
}

@test "compare: what perfkit bench has written, from the store and from a file" {
    bench --save-baseline main lookup
    bench --save-baseline next lookup --json -o next.json
    compare main next.json
    [ "$status" -eq 0 ]
    [[ $output == *"fib/lookup"* ]]
    compare next next.json --json
    jq -e '.rows[0].cells | .[0].point == .[1].point and .[0].artefact == .[1].artefact' <<<"$output"
    jq -e '.rows[0].change.identical_code' <<<"$output"
    compare main next --json
    [ "$(json '.rows[0].cells[0].point')" = "$(json .result.typical.point store/fib/lookup/main/perfkit.json)" ]
}

@test "compare: --list, completion, colour" {
    three
    compare --list
    [ "$output" = $'mid: 2 benchmarks\nnew: 3 benchmarks\nold: 2 benchmarks' ]
    touch x.json
    pk __completeNoDesc compare --home store ''
    [[ $output == $'mid\nnew\nold\n'*"x.json"* ]]
    compare old new --color always
    [[ $output == *$'\e['* ]]
    compare old new --color auto
    [[ $output != *$'\e['* ]]
}

@test "compare: what cannot be compared" {
    pk compare
    one_line_error "two results or more"
    pk compare a b --home nowhere
    one_line_error "nowhere"
    three
    compare old none
    one_line_error "none" "--save-baseline none"
    echo '{"schema":"load/1"}' >other.json
    compare old other.json
    one_line_error "other.json"
    printf 'not JSON' >broken.json
    compare old broken.json
    one_line_error "broken.json"
    compare old absent.json
    one_line_error "absent.json"
    CRITERION_HOME=store pk compare old new --json
    [ "$status" -eq 0 ]
}
