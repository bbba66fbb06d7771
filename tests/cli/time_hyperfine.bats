# perfkit beside hyperfine: the same lines to both, by the link of that name. What needs the real
# one is skipped where it is not installed; what it cannot yet do there is judged by itself.
load time_helper

theirs() { run --separate-stderr timeout --foreground --kill-after=5 60 "$REAL" "$@"; }

# beside ARG...: runs both; $output is ours, $their_output and $their_status the real one's.
beside() {
    theirs "$@"
    their_output=$output their_status=$status
    hf "$@"
}

@test "hyperfine: exit codes, option by option" {
    real_hyperfine || REAL_VERSION=0
    local version expected line
    while IFS='|' read -r version expected line; do
        eval "hf $line"
        [ "$status" -eq "$expected" ] || { echo "ours, $line: $status $stderr"; return 1; }
        if ! real_has "$version"; then continue; fi
        eval "theirs $line"
        [ "$status" -eq "$expected" ] || { echo "theirs, $line: $status $stderr"; return 1; }
    done <<'END'
1.15|0|-N -r 1 true
1.15|0|-N --runs=1 true
1.15|0|-Nr1 true
1.15|0|-N -r=1 -w=1 true
1.15|0|-N -w1 -r1 true
1.15|0|true -N --max-runs 1 --min-runs 0
1.15|0|-N -r 1 -- true true
1.15|1|-N -r 1 -- ls -l
1.15|0|-N -r 1 -s true -p true -c true true
1.19|0|-N -r 1 -C true true
1.15|0|-N -r 1 -p true -p true true true
1.19|0|-N -r 1 -p true -p true --reference true true
1.19|0|-N -r 1 --reference true --reference-name x true
1.15|0|-N -r 1 -n a true
1.15|0|-N -r 1 -n a -n b true true
1.15|1|-N -r 1 -n a -n b true
1.15|0|-N -r 1 -P x 1 2 'echo {x}'
1.15|0|-N -r 1 -P x -1 1 'echo {x}'
1.15|0|-N -r 1 -P x 0.5 1 -D 0.5 'echo {x}'
1.15|1|-N -r 1 -P x 0.5 1 'echo {x}'
1.15|1|-N -r 1 -P x 3 1 'echo {x}'
1.15|1|-N -r 1 -P x 1 3 -D 0 'echo {x}'
1.20|1|-N -r 1 -P x 1 3 -D=-1 'echo {x}'
1.15|2|-N -r 1 -P x 1 3 -D -1 'echo {x}'
1.15|2|-N -r 1 -D 1 true
1.15|2|-N -r 1 -P x 1 2 -L y 1,2 true
1.15|0|-N -r 1 -L x 1,2 -L y -1,-2 'echo {x}'
1.15|1|-N -r 1 -L x 1 -L x 2 true
1.15|0|-r 1 --shell none true
1.15|0|-r 1 -S bash true
1.15|0|-r 1 --shell default true
1.15|0|-r 1 -S bash -S sh true
1.15|1|-r 1 -S '' true
1.15|1|-r 1 -S no-such-shell true
1.15|2|-r 1 -N -S bash true
1.15|1|-N -r 1 false
1.15|1|-r 1 'exit 3'
1.15|1|-r 1 'kill -9 $$'
1.15|0|-N -i -r 1 false
1.15|0|-Ni -r 1 false
1.20|0|-iN -r 1 false
1.20|0|-i=1,2 -N -r 1 false
1.20|1|-i=2 -N -r 1 false
1.20|0|--ignore-failure=all-non-zero -N -r 1 false
1.20|1|-i=abc -N -r 1 true
1.15|1|-N -i -r 1 no-such-program
1.15|1|-N -r 1 "echo 'a"
1.15|1|-N -r 1 -s false true
1.15|1|-N -r 1 -p false true
1.19|1|-N -r 1 -C false true
1.15|1|-N -r 1 -c false true
1.15|1|-N -i -r 1 -p false true
1.15|2|-r 1 -m 1 true
1.15|2|-r 1 -M 1 true
1.15|1|-m 5 -M 2 true
1.15|1|-r x true
1.15|1|-r 0.5 true
1.15|1|-w x true
1.20|2|-w -1 true
1.15|2|-w 1 -w 2 true
1.15|2|
1.15|2|-N
1.15|2|-r 1 ''
1.15|2|--no-such-option true
1.15|2|--style pretty true
1.15|0|--style none -N -r 1 true
1.15|2|--show-output --style basic true
1.15|0|--show-output -N -r 1 true
1.18|0|-N -r 1 --output null --input null true
1.20|0|-N -r 1 --output null --output pipe true true
1.15|1|-N -r 1 --output word true
1.15|0|-N -r 1 --output ./out true
1.18|1|-N -r 1 --input missing true
1.15|1|-N -r 1 --export-json none/x true
1.15|0|-N -r 1 --export-json - true
1.15|0|-N -r 1 --export-json a.json --export-csv b.csv --export-markdown c.md true
1.15|2|--export-json a.json --export-json b.json true
1.15|2|-u hour true
1.15|0|-u second -N -r 1 true
1.20|0|-u microsecond -N -r 1 true
1.20|0|--sort command -N -r 1 true true
1.15|0|--min-benchmarking-time 0.01 -N --max-runs 2 true
1.15|0|--help
1.15|0|--version
END
}

@test "hyperfine: what runs when, both alike" {
    need_real
    local args=(-w 1 -r 2 --setup 'echo setup >>log' --cleanup 'echo cleanup {x} >>log'
        --prepare 'echo prepare >>log' -L x 1,2 'echo a{x} >>log' 'echo b{x} >>log')
    real_has 1.19 && args+=(--conclude 'echo conclude >>log')
    real_has 1.19 && args+=(--reference 'echo reference >>log')
    theirs "${args[@]}"
    [ "$status" -eq 0 ]
    mv log theirs.log
    hf "${args[@]}"
    [ "$status" -eq 0 ]
    diff theirs.log log
    [ "$(wc -l <log)" -ge 32 ]
}

@test "hyperfine: reference first, conclude after each run, cleanup after each command" {
    hf -w 1 -r 1 -s 'echo s >>log' -p 'echo p >>log' -C 'echo c >>log' -c 'echo e >>log' \
        --reference 'echo R >>log' 'echo A >>log'
    [ "$status" -eq 0 ]
    [ "$(xargs <log)" = "s p R c p R c e s p A c p A c e" ]
}

@test "hyperfine: JSON has its keys, of the same types" {
    need_real
    local types='.results[0] | to_entries[] | .key + " " + (.value | type) + " " +
        (if .value | type == "array" then .value[0] | type else "" end)'
    beside -N -r 3 -L x 1,2 --export-json out.json 'echo {x}'
    [ "$status$their_status" = 00 ]
    jq -r "$types" out.json | sort >ours
    theirs -N -r 3 -L x 1,2 --export-json out.json 'echo {x}'
    jq -r "$types" out.json | sort >theirs
    [ -s theirs ]
    [ -z "$(comm -23 theirs ours)" ] || { diff theirs ours; return 1; }
    # One run has no spread.
    hf -N -r 1 --export-json out.json true
    [ "$(jq -c '.results[0] | .stddev, (.times | length), .exit_codes' out.json | xargs)" = "null 1 [0]" ]
    [ "$(jq -c '.results[0] | has("parameters")' out.json)" = false ]
    [ "$(jq -c '.results[0].memory_usage_byte | length' out.json)" = 1 ]
}

@test "hyperfine: CSV and the tables, to the letter but for the figures" {
    need_real
    local format
    for format in csv markdown asciidoc orgmode; do
        beside -r 2 --shell none -L x 1,2 -n 'with|bar {x}' --export-$format out 'echo {x}'
        [ "$status$their_status" = 00 ]
        mv out ours
        theirs -r 2 --shell none -L x 1,2 -n 'with|bar {x}' --export-$format out 'echo {x}'
        # Which is the faster one is chance here.
        normalised <out | sed 's/N ± N/N/g' >theirs
        normalised <ours | sed 's/N ± N/N/g' | diff theirs - || { echo "$format"; return 1; }
    done
}

@test "hyperfine: text and exports of pretended runs, byte by byte" {
    need_real
    real_has 1.20 || skip "hyperfine $REAL_VERSION prints the older form"
    local line
    while read -r line; do
        eval "beside --debug-mode $line"
        [ "$status" = "$their_status" ]
        diff <(echo "$their_output") <(echo "$output") || { echo "$line"; return 1; }
    done <<'END'
'sleep 0.01'
-r 1 'sleep 0.01'
'sleep 1.0' 'sleep 2.0'
'sleep 2.0' 'sleep 1.0' 'sleep 0.000123'
--sort command 'sleep 2.0' 'sleep 1.0'
--sort command -r 1 'sleep 2.0' 'sleep 1.0'
-r 1 'sleep 2.0' 'sleep 1.0'
-u millisecond 'sleep 1.234'
-u microsecond 'sleep 0.5'
--reference 'sleep 1.0' 'sleep 2.0' 'sleep 0.5'
--reference 'sleep 1.0' --reference-name 'the |old| one' 'sleep 2.0' -n new
--style full 'sleep 1.0' 'sleep 2.0'
--style color 'sleep 1.0' 'sleep 2.0' --sort command
--style none 'sleep 1.0'
-P t 1 3 'sleep {t}'
-L t 1,2 -L u x,y 'sleep {t}' -n 'name {u}'
--export-csv - 'sleep 1' 'sleep 0.5'
--export-markdown - --export-asciidoc - --export-orgmode - 'sleep 1' 'sleep 0.5'
--export-markdown - -u second --sort mean-time 'sleep 1' 'sleep 0.5'
--export-markdown - --reference 'sleep 1' 'sleep 0.5' 'sleep 3'
END
}

@test "hyperfine: equal ones are as fast" {
    hf --debug-mode 'sleep 1.0' 'sleep 1.0' # 1.20 leaves them out, later ones have the line
    [[ $output == *$'Summary\n  sleep 1.0 ran\n    As fast (1.00 ± 0.00) as sleep 1.0' ]]
}

@test "hyperfine: text in its form" {
    need_real
    beside -N -r 2 'sleep 0.01' 'sleep 0.03'
    [ "$status$their_status" = 00 ]
    # 1.15 writes the names of a summary in quotes, and figures as wide as they are.
    diff <(normalised <<<"$their_output" | tr -d "'" ) <(normalised <<<"$output")
}

@test "hyperfine: the mean of sleep 0.1 agrees within 2 %" {
    need_real
    beside -N -r 8 --export-json out.json 'sleep 0.1'
    local ours
    ours=$(jq '.results[0].mean' out.json)
    theirs -N -r 8 --export-json out.json 'sleep 0.1'
    jq -e --argjson ours "$ours" '.results[0].mean / $ours | . > 0.98 and . < 1.02' out.json
}

@test "hyperfine: its defaults: grouped, through a shell, failures in the figures" {
    hf -r 2 'echo a >>log' 'echo b >>log'
    [ "$status" -eq 0 ]
    [ "$(xargs <log)" = "a a b b" ]
    hf -r 1 --output ./out 'echo $0'
    [ "$(cat out)" = sh ]
    hf -N -i -r 3 false
    [[ $output == *"3 runs"* ]]
    [[ $stderr == *"Warning: "* ]]
    hf -r 1 -N --style none -i false
    [ -z "$output" ]
    [[ $stderr == *"Warning: "* ]]
}

@test "hyperfine: its name in help, version and errors" {
    hf --version
    [[ $output =~ ^hyperfine\ \(perfkit\ [0-9.]+\)$ ]]
    hf --help
    [[ $output == "hyperfine: "*"Usage: hyperfine "* ]]
    hf --nonsense true
    [ "$stderr" = "error: unknown option --nonsense; see hyperfine --help" ]
    hf -N -r 1 false
    [[ $stderr == "Error: "* && ${#stderr_lines[@]} -eq 1 ]]
}
