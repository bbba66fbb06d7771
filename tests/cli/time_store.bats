# perfkit time and stored numbers: baselines, files, perfkit compare.
load bench_helper

# fixed NAME SECONDS [...]: what a run of NAME that sleeps SECONDS would give, without running it
# (--debug-mode), kept in the store as baseline NAME.
fixed() {
    local name=$1
    shift
    pk time --home store --debug-mode --save-baseline "$name" "$@"
    [ "$status" -eq 0 ]
}

# An export of hyperfine, of 20 runs of `sleep 1` around SECONDS.
export_of() {
    awk -v s="$1" 'BEGIN {
        for (i = 0; i < 20; i++) { t = t (i ? "," : "") s * (1 + (i % 5 - 2) / 1000); c = c (i ? "," : "") 0 }
        printf "{\"results\":[{\"command\":\"sleep 1\",\"mean\":%s,\"stddev\":0.001,\"median\":%s,\"user\":0.1,\"system\":0.1,\"min\":%s,\"max\":%s,\"times\":[%s],\"exit_codes\":[%s]}]}\n", s, s, s, s, t, c }'
}

@test "time: --save-baseline keeps runs in Criterion's files" {
    fixed main -r 3 'sleep 0.5' 'sleep 0.25'
    [[ $stderr == *"saved as main in store"* ]]
    [ "$(cat 'store/time/sleep 0.5/main/sample.json')" = \
        '{"sampling_mode":"Flat","iters":[1.0,1.0,1.0],"times":[500000000.0,500000000.0,500000000.0]}' ]
    jq -e '.group_id == "time" and .function_id == "sleep 0.25" and .full_id == "time/sleep 0.25"' \
        'store/time/sleep 0.25/main/benchmark.json'
    pk compare --home store --list
    [[ $output == *"main: 2 benchmarks"* ]]
}

@test "time: --baseline says what has changed since, per command" {
    fixed main -r 20 -n a 'sleep 0.5'
    pk time --home store --debug-mode -r 20 --baseline main -n a -n b 'sleep 0.6' 'sleep 0.6' --json
    [ "$status" -eq 0 ]
    jq -e '.results[0].baseline_changes[0] | .metric == "wall" and .verdict.word == "regressed" and
        (.verdict.estimate - 0.2 | fabs) < 1e-9' <<<"$output"
    jq -e '.results[0].baseline_changes[0] | .refused == null and .elsewhere == false' <<<"$output"
    jq -e '.results[1].baseline_changes == []' <<<"$output"
    pk time --home store --debug-mode -r 20 --baseline main -n a 'sleep 0.6' --fail-on regressed
    [ "$status" -eq 1 ]
    pk time --home store --debug-mode -r 20 --baseline main -n a 'sleep 0.5' --fail-on regressed
    [ "$status" -eq 0 ]
    pk time --home store --baseline nothing true
    [ "$status" -eq 2 ]
    one_line_error "nothing" "--save-baseline"
}

@test "time: hyperfine's export is a baseline, and a column of compare" {
    export_of 1 >old.json
    export_of 1.3 >new.json
    pk time --debug-mode -r 20 --baseline old.json 'sleep 1' --json
    [ "$status" -eq 0 ]
    jq -e '.results[0].baseline_changes | length == 1 and .[0].verdict.word == "no change" and .[0].elsewhere' <<<"$output"
    pk compare old.json new.json --json
    [ "$status" -eq 0 ]
    jq -e '.rows[0].id == "time/sleep 1" and (.rows[0].cells[1].ratio - 1.3 | fabs) < 1e-9' <<<"$output"
    pk compare old.json new.json --fail-on regressed
    [ "$status" -eq 1 ]
    [[ $output == *"regressed: +30"* ]]
    echo '{"results":[]}' >empty.json
    pk time --baseline empty.json true
    [ "$status" -eq 2 ]
    one_line_error "empty.json" "no runs"
}

@test "time: its own documents are read again, the store beside them" {
    fixed main -r 20 'sleep 0.5'
    pk time --debug-mode -r 20 'sleep 0.5' --json
    printf '%s' "$output" >own.json
    pk time --debug-mode -r 20 'sleep 0.5' --export-json export.json
    pk compare --home store main own.json export.json --json
    [ "$status" -eq 0 ]
    jq -e '.rows | length == 1 and (.[0].cells | map(.ratio) == [1, 1, 1])' <<<"$output"
}

@test "time: stored runs that differ too much are refused, with what to do instead" {
    awk 'BEGIN { for (i = 0; i < 20; i++) t = t (i ? "," : "") 1 + (i % 5) / 5
        printf "{\"results\":[{\"command\":\"sleep 1\",\"times\":[%s]}]}\n", t }' >wild.json
    pk time --debug-mode -r 20 --baseline wild.json 'sleep 1'
    [ "$status" -eq 0 ]
    [[ $output == *"cannot tell: runs differ by "*" run the old command beside it"* ]]
    pk time --debug-mode -r 20 --baseline wild.json 'sleep 1' --json
    jq -e '.results[0].baseline_changes[0].refused | contains("runs differ")' <<<"$output"
    export_of 1 >old.json
    pk compare old.json wild.json
    [[ $output == *"perfkit time --reference OLD NEW"* ]]
}
