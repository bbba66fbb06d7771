# perfkit time: wrong lines, and what cannot be measured. One line: what, where, how to fix.
load time_helper

@test "time errors: the line" {
    pk time
    one_line_error "no command is given" "try: perfkit time 'sleep 0.1'"
    pk time -r 3
    one_line_error "no command is given"
    pk time ''
    one_line_error "empty"
    pk time --nonsense true
    one_line_error "unknown option --nonsense"
    pk time --warmpu 3 true
    one_line_error "did you mean --warmup?"
    pk time -r x true
    one_line_error "-r x"
    pk time -r 0 true
    one_line_error "-r 0" "at least 1"
    pk time -M 0 true
    one_line_error "-M 0"
    pk time --timeout 0 true
    one_line_error "--timeout 0"
    pk time --style pretty true
    one_line_error "--style pretty" "compact"
    pk time -P x 1
    one_line_error "-P" "write -P <var> <min> <max>"
}

@test "time errors: what excludes each other, and what is missing beside it" {
    local line
    while read -r line; do
        eval "pk time $line"
        one_line_error "exclude each other" || { echo "$line"; return 1; }
    done <<'END'
-r 3 -m 2 true
-r 3 -M 2 true
-r 3 --target-ci 1% true
-P x 1 2 -L y 1,2 true
-N -S bash true
-N --debug-mode true
--show-output --output pipe true
--show-output --style basic true
--input in --input-cmd date true
END
    pk time -D 1 true
    one_line_error "needs --parameter-scan"
    pk time --reference-name x true
    one_line_error "needs --reference"
}

@test "time errors: values" {
    pk time -m 5 -M 2 true
    one_line_error "--min-runs is more than --max-runs"
    pk time -i=abc true
    one_line_error "--ignore-failure" "exit codes such as 1,3"
    pk time -i= true
    one_line_error "--ignore-failure"
    pk time -S ' ' true
    one_line_error "--shell" "names no shell"
    pk time --input ./missing true
    one_line_error "./missing" "--input"
    pk time --output word true
    one_line_error "word" "./word"
    pk time -p a -p b true
    one_line_error "--prepare"
    pk time -n a -n b true
    one_line_error "--command-name"
    pk time -P x 3 1 true
    one_line_error "range"
    pk time -P x 1 3 -D 0 true
    one_line_error "step"
    pk time -P x 0.1 0.3 true
    one_line_error "-D"
    pk time -L x 1 -L x 2 true
    one_line_error "x"
    pk time --target-ci 0 true
    one_line_error "--target-ci"
    pk time --confidence-level 1 true
    one_line_error "--confidence-level"
    pk time --cpu 99999 true
    one_line_error "--cpu"
    pk time --cpu x true
    one_line_error "--cpu"
}

@test "time errors: a gate needs something to compare with, and rounds" {
    pk time --fail-on regressed true
    one_line_error "--fail-on" "--reference"
    pk time --fail-if-slower 5% true
    one_line_error "--fail-if-slower" "--reference"
    pk time --fail-if-slower 5% --order grouped --reference true true
    one_line_error "grouped" "--order interleaved"
}

@test "time errors: baselines" {
    pk time --home store --baseline none true
    one_line_error "store" "--home"
    pk time --baseline missing.json true
    one_line_error "missing.json"
    echo '{"results": 3}' >other.json
    pk time --baseline other.json true
    one_line_error "other.json"
    pk time --save-baseline a/b true
    one_line_error "without /"
    [ ! -e store ]
}

@test "time errors: commands that cannot be started" {
    local line
    echo data >file
    for line in '-N no-such-program' 'no-such-program' '-- no-such-program -x' ./file 'true ./file'; do
        pk time -r 1 --order grouped $line
        [ "$status" -eq 2 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == *"no-such-program"* || $stderr == *"./file"* ]]
    done
    pk time -N "echo 'a"
    one_line_error "quote"
    pk time -S no-such-shell true
    one_line_error "no-such-shell"
}

@test "time errors: places that cannot be written" {
    pk time --export-json ./none/x.json true
    one_line_error "./none/x.json"
    mkdir folder
    pk time --report folder true
    one_line_error "is a directory"
    pk time --json --export-csv - true
    one_line_error "--json and an export to -"
    [ ! -e none ]
    run --separate-stderr bash -c '"$PERFKIT" time --debug-mode "sleep 1" >/dev/full'
    [ "$status" -eq 2 ]
    [[ $stderr == *"standard output"* ]]
}

@test "time errors: by hyperfine's name, a value is no usage error but a line is" {
    local expected line
    while IFS='|' read -r expected line; do
        eval "hf $line"
        [ "$status" -eq "$expected" ] || { echo "$line: $status, not $expected: $stderr"; return 1; }
        case $expected in
        1) [[ $stderr == Error:* ]] ;;
        2) [[ $stderr == error:* ]] ;;
        esac || { echo "$line: $stderr"; return 1; }
    done <<'END'
2|
2|-r 3
2|--nonsense true
2|-w 1 -w 2 true
2|-N -N true
2|-P x 1 2 -P y 1 2 true
2|--export-json a.json --export-json b.json true
2|--style pretty true
2|-w -1 true
1|-r x true
1|-m 5 -M 2 true
1|-n a -n b true
1|--output word true
1|--input ./missing true
1|--export-json ./none/x true
1|-N no-such-program-here
1|no-such-program-here
1|false
1|-s false true
END
}
