# perfkit time: whole commands.
load time_helper

json() { jq -r "$1" <<<"$output"; }

# ---- text -------------------------------------------------------------------------------------

@test "time: one command, its lines in hyperfine's form, and peak memory" {
    pk time -r 3 'sleep 0.01'
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "Benchmark 1: sleep 0.01" ]
    [[ ${lines[1]} =~ ^\ \ Time\ \(mean\ ±\ σ\):\ +[0-9.]+\ ms\ ±\ +[0-9.]+\ ms\ +\[User:\ .*,\ System:\ .*\]$ ]]
    [[ ${lines[2]} =~ ^\ \ Range\ \(min\ …\ max\):\ +[0-9.]+\ ms\ …\ +[0-9.]+\ ms\ +3\ runs$ ]]
    [[ $output == *[Mm]edian* && $output == *iB* ]]
    [[ $output != *$'\033'* && $output != *$'\r'* && -z $stderr ]]
}

@test "time: two commands end in a comparison; the slower one is named" {
    pk time -r 5 'sleep 0.01' 'sleep 0.03'
    [ "$status" -eq 0 ]
    [[ $output == *$'Summary\n  sleep 0.01 ran\n'*" times faster than sleep 0.03"* ]]
}

@test "time: words after -- are one command, and never go through a shell" {
    pk time -r 1 --output ./out -- printf '%s|' 'a b' '$HOME' '>x'
    [ "$status" -eq 0 ]
    [ "$(cat out)" = 'a b|$HOME|>x|' ]
    [[ ${lines[0]} == "Benchmark 1: printf "* && ! -e x ]]
    pk time -r 1 true -- sleep 0.01
    [ "$status" -eq 0 ]
    [[ $output == *"Benchmark 1: true"*"Benchmark 2: sleep 0.01"* ]]
}

@test "time: a shell only where it is needed; -S and -N decide otherwise" {
    pk time -r 1 'echo a >file; echo $0 >>file'
    [ "$status" -eq 0 ]
    [ "$(xargs <file)" = "a sh" ]
    pk time -r 1 --output ./out 'echo "a  b"'
    [ "$(cat out)" = "a  b" ]
    pk time -r 1 --output ./out -S bash 'echo $BASH_VERSION'
    [ "$status" -eq 0 ]
    [ -s out ]
    pk time -r 1 --output ./out -N 'echo $HOME *'
    [ "$(cat out)" = '$HOME *' ]
    pk time -r 1 --output ./out -S none 'echo $HOME'
    [ "$(cat out)" = '$HOME' ]
}

@test "time: styles" {
    pk time --debug-mode --style compact 'sleep 0.5' 'sleep 1.0'
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == *"500.0 ms"*"sleep 0.5" && ${lines[1]} == *"1.000 s"*"sleep 1.0" ]]
    pk time --debug-mode --style none 'sleep 0.5'
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    pk time --debug-mode --style full 'sleep 0.5'
    [[ $output == *$'\033'* ]]
    pk time --debug-mode --style color 'sleep 0.5'
    [[ $output == *$'\033'* ]]
    local style
    for style in auto basic nocolor; do
        pk time --debug-mode --style $style 'sleep 0.5'
        [[ $output != *$'\033'* && $output == *Benchmark* ]]
    done
}

@test "time: colour is --color's, then the style's, then the environment's" {
    pk time --debug-mode --color always --style basic 'sleep 0.5'
    [[ $output == *$'\033'* ]]
    pk time --debug-mode --color never --style full 'sleep 0.5'
    [[ $output != *$'\033'* ]]
    CLICOLOR_FORCE=1 pk time --debug-mode 'sleep 0.5'
    [[ $output == *$'\033'* ]]
    NO_COLOR=1 CLICOLOR_FORCE=1 pk time --debug-mode 'sleep 0.5'
    [[ $output != *$'\033'* ]]
    NO_COLOR=1 pk time --debug-mode --style full 'sleep 0.5'
    [[ $output == *$'\033'* ]]
    CLICOLOR_FORCE=1 pk time --style basic --debug-mode 'sleep 0.5'
    [[ $output != *$'\033'* ]]
}

@test "time: a progress line on a terminal's stderr, none where the style has none" {
    local time="'$PERFKIT' time -w 1 -r 3"
    TERM=xterm run script -qec "$time 'sleep 0.2' 'sleep 0.3'" /dev/null
    [[ $output == *"warm-up 0/2: sleep 0.2"*"/6 runs"*": sleep 0."* ]]
    [[ $output == *"Summary"* ]]
    local style
    for style in basic color none; do
        TERM=xterm run script -qec "$time --style $style 'sleep 0.2'" /dev/null
        [[ $output != *"warm-up 0/"* && $output != *" runs: "* ]]
    done
    TERM=xterm run script -qec "$time --show-output 'sleep 0.2'" /dev/null
    [[ $output != *"warm-up 0/"* ]]
    TERM=xterm run script -qec "$time 'sleep 0.2' 2>err" /dev/null
    if grep -q 'warm-up 0/' err; then return 1; fi
}

@test "time: units and names" {
    pk time --debug-mode -u millisecond 'sleep 1.234'
    [[ $output == *"1234.0 ms"* ]]
    pk time --debug-mode -u second -n first 'sleep 0.5'
    [[ ${lines[0]} == "Benchmark 1: first" && $output == *"0.500 s"* ]]
    pk time --debug-mode --sort command 'sleep 2.0' 'sleep 1.0'
    [[ $output == *$'Relative speed comparison\n        2.00 '*"sleep 2.0"*$'\n        1.00 '*"sleep 1.0"* ]]
}

# ---- what runs, and when ------------------------------------------------------------------------

@test "time: grouped order, with everything around the runs" {
    pk time --order grouped -w 1 -r 2 --setup 'echo setup >>log' --prepare 'echo p1 >>log' \
        --prepare 'echo p2 >>log' --conclude 'echo conclude >>log' --cleanup 'echo cleanup >>log' \
        'echo one >>log' 'echo two >>log'
    [ "$status" -eq 0 ]
    [ "$(xargs <log)" = "setup p1 one conclude p1 one conclude p1 one conclude cleanup \
setup p2 two conclude p2 two conclude p2 two conclude cleanup" ]
}

@test "time: rounds are the default; in any two neighbours each goes first once" {
    pk time -r 4 --setup 'echo s >>log' --cleanup 'echo c >>log' 'echo a >>log' 'echo b >>log'
    [ "$status" -eq 0 ]
    [ "$(head -n 2 log | xargs)" = "s s" ]
    [ "$(tail -n 2 log | xargs)" = "c c" ]
    local runs
    runs=$(sed 1,2d log | head -n 8 | xargs)
    [[ $runs =~ ^((a b b a|b a a b) ?){2}$ ]]
}

@test "time: the same seed gives the same order" {
    local seed
    for seed in 7 7 8 9 10 11; do
        pk time --order random --seed $seed -r 8 'echo a >>log' 'echo b >>log' 'echo c >>log'
        [ "$status" -eq 0 ]
        xargs <log >>orders
        rm log
    done
    [ "$(sed -n 1p orders)" = "$(sed -n 2p orders)" ]
    [ "$(sort -u orders | wc -l)" -ge 3 ]
}

@test "time: the reference comes first and is what the others are compared with" {
    pk time --debug-mode --reference 'sleep 1.0' --reference-name ref 'sleep 2.0' 'sleep 0.5'
    [ "$status" -eq 0 ]
    [[ $output == *"Benchmark 1: ref"*"Benchmark 2: sleep 2.0"*$'Summary\n  ref ran\n'* ]]
    [[ $output == *"    2.00 ± 0.00 times slower than sleep 0.5"* ]]
    [[ $output == *"    2.00 ± 0.00 times faster than sleep 2.0"* ]]
}

@test "time: iterations are named in the environment, and its length varies" {
    pk time -N -w 1 -r 2 --order grouped "sh -c 'echo \$HYPERFINE_ITERATION \$PERFKIT_ITERATION \${#HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET} >>$PWD/log'"
    [ "$status" -eq 0 ]
    [ "$(cut -d ' ' -f 1,2 log | xargs)" = "warmup-0 warmup-0 0 0 1 1" ]
    [ "$(cut -d ' ' -f 3 log | sort -u | wc -l)" -ge 2 ]
}

@test "time: parameters: every value, in hyperfine's order" {
    pk time --debug-mode --order grouped --export-json out.json -L a 1,2 -L b 0.5,0.25 'sleep {a}' 'sleep {b}'
    [ "$status" -eq 0 ]
    [ "$(jq -r '.results[] | .command + " " + .parameters.a + .parameters.b' out.json | paste -sd ';')" = \
        "sleep 1 10.5;sleep 0.5 10.5;sleep 2 20.5;sleep 0.5 20.5;sleep 1 10.25;sleep 0.25 10.25;sleep 2 20.25;sleep 0.25 20.25" ]
    pk time -r 1 --output pipe --export-json out.json -L x 'a\,b,{x},' 'echo "<{x}>"'
    [ "$(jq -r '.results[].command' out.json | paste -sd ';')" = 'echo "<a,b>";echo "<{x}>";echo "<>"' ]
    pk time --debug-mode -P t 0.5 1.50 -D 0.5 'sleep {t}' --export-csv out.csv
    [ "$(cut -d , -f 1,9 out.csv | paste -sd ' ')" = \
        "command,parameter_t sleep 0.5,0.5 sleep 1.0,1.0 sleep 1.5,1.5" ]
    pk time --debug-mode -P t -1 1 'sleep 1' -n 'at {t}'
    [[ $output == *"Benchmark 1: at -1 (t = -1)"*"Benchmark 3: at 1 (t = 1)"* ]]
}

@test "time: how many runs, without running" {
    local line
    while IFS='|' read -r runs line; do
        eval "pk time --debug-mode --order grouped $line"
        [ "$status" -eq 0 ] || { echo "$line: $stderr"; return 1; }
        [[ $output == *" $runs runs"* ]] || { echo "$line: $output"; return 1; }
    done <<'END'
300|'sleep 0.01'
10|'sleep 0.5'
100|--shell 'sleep 0.02' 'sleep 0.01'
100|--prepare 'sleep 0.02' 'sleep 0.01'
30|--shell 'sleep 0.01' --prepare 'sleep 0.03' 'sleep 0.05'
20|-m 20 'sleep 0.5'
20|-M 20 'sleep 0.01'
5|-M 5 'sleep 0.5'
7|-r 7 'sleep 0.01'
600|--min-time 6s 'sleep 0.01'
600|--min-benchmarking-time 6.0 'sleep 0.01'
END
}

@test "time: input, output, and what is read of them" {
    echo given >in
    pk time -r 2 --input in --output ./out cat
    [ "$status" -eq 0 ]
    [ "$(cat out)" = given ] # truncated at each run
    pk time -r 2 --input-cmd 'echo made' --output ./out cat
    [ "$(cat out)" = made ]
    pk time -r 1 --output inherit 'echo shown'
    [[ $output == *$'\nshown\n'* || $output == shown$'\n'* ]]
    pk time -r 1 --show-output 'echo shown'
    [[ $output == *shown* ]]
    pk time -r 1 --output pipe 'seq 100000'
    [ "$status" -eq 0 ]
    pk time -r 2 --output ./one --output null 'echo one' 'echo two'
    [ "$(cat one)" = one ]
}

@test "time: --cpu says where a command runs" {
    pk time -r 1 --cpu 0 --output ./out 'grep Cpus_allowed_list /proc/self/status'
    [ "$status" -eq 0 ]
    [ "$(awk '{ print $2 }' out)" = 0 ]
}

@test "time: peak memory is each run's own" {
    # What the largest command took must not stick to the next one.
    pk time -r 2 --export-json out.json 'head -c 200M /dev/zero | tail -c 190M' true
    [ "$status" -eq 0 ]
    [ "$(jq '.results[0].memory_usage_byte | min > 190e6' out.json)" = true ]
    [ "$(jq '.results[1].memory_usage_byte | max < 10e6' out.json)" = true ]
}

@test "time: --target-ci goes on until it is met, --max-time ends it" {
    pk time --json -m 3 --target-ci 50% --max-time 20s 'sleep 0.01'
    [ "$status" -eq 0 ]
    pk time --target-ci 0.01% --max-time 300ms 'sleep 0.01' --export-json out.json
    [ "$status" -eq 0 ]
    [ "$(jq '.results[0].times | length < 200' out.json)" = true ]
}

# ---- failures -----------------------------------------------------------------------------------

@test "time: a failing command ends the run with 1, and says what it said" {
    pk time -r 3 --cleanup 'echo c >>log' "sh -c 'echo one; echo why >&2; exit 3'"
    [ "$status" -eq 1 ]
    [[ $stderr == *"code 3"*"-i"*$'\n  | why' ]]
    [ "$(cat log)" = c ]
    pk time -r 3 "sh -c 'kill -9 \$\$'"
    [ "$status" -eq 1 ]
    [[ $stderr == *KILL* || $stderr == *"signal 9"* ]]
    local option
    for option in --setup --prepare --conclude --cleanup; do
        pk time -r 1 $option false true
        [ "$status" -eq 1 ] || { echo "$option: $status $stderr"; return 1; }
        [[ $stderr == *"${option#--}"* ]]
    done
}

@test "time: -i goes on; with codes, with these only" {
    pk time -i -r 3 --export-json out.json 'sh -c "exit 3"'
    [ "$status" -eq 0 ]
    [ "$(jq -c '.results[0].exit_codes' out.json)" = "[]" ] # of the runs that count
    [ "$(jq -c '[.results[0].perfkit.runs[].exit_code]' out.json)" = "[3,3,3]" ]
    pk time -i --failed include -r 3 --export-json out.json 'sh -c "exit 3"'
    [ "$(jq -c '.results[0].exit_codes' out.json)" = "[3,3,3]" ]
    pk time -i=1,3 -r 1 'sh -c "exit 3"'
    [ "$status" -eq 0 ]
    pk time --ignore-failure=4 -r 1 'sh -c "exit 3"'
    [ "$status" -eq 1 ]
    pk time -i=137 -r 1 "sh -c 'kill -9 \$\$'"
    [ "$status" -eq 0 ]
    pk time -i -r 1 true 1 # no value: a command that is not there
    [ "$status" -eq 2 ]
}

@test "time: failed runs are apart, or in the figures" {
    local flip='if [ -e f ]; then rm f; exit 1; fi; touch f'
    pk time -i -r 4 --json "$flip"
    [ "$status" -eq 0 ]
    local separate=$output
    pk time -i -r 4 "$flip"
    [[ $output == *"2 runs"* ]]
    pk time -i -r 4 --failed include "$flip"
    [[ $output == *"4 runs"* ]]
    [[ $separate == *failed* ]]
}

@test "time: --timeout ends a run with all it has started, and counts it apart" {
    pk time --timeout 100ms -r 2 --json "sh -c 'sleep 30 & sleep 30'"
    [ "$status" -eq 0 ]
    local start
    start=$(now_us)
    pk time --timeout 100ms -r 2 "sh -c 'sleep 31 & sleep 31'"
    [ "$status" -eq 0 ]
    (($(now_us) - start < 20000000))
    if pgrep -f 'sleep 31' >/dev/null; then return 1; fi
    [[ $output$stderr == *timeout* || $output$stderr == *"timed out"* ]]
}

@test "time: --check refuses a run by its output" {
    pk time -r 2 --check 'grep -q good' 'echo good'
    [ "$status" -eq 0 ]
    pk time -r 2 --check 'grep -q good' 'echo bad'
    [ "$status" -eq 1 ]
    [[ $stderr == *"--check"* ]]
    pk time -i -r 2 --check 'grep -q good' 'echo bad'
    [ "$status" -eq 0 ]
}

# ---- results ------------------------------------------------------------------------------------

@test "time: --json is one document and nothing else" {
    pk time --json -r 3 true 'sleep 0.01'
    [ "$status" -eq 0 ]
    [ "$(json '.schema')" = time/1 ]
    [ "$(json '.results | length')" = 2 ]
    [ -z "$stderr" ]
}

@test "time: exports are made before the first run, and old ones stay until there is a result" {
    echo old >old.json
    pk time -r 1 --export-csv new.csv --export-json old.json 'ls new.csv; exit 3'
    [ "$status" -eq 1 ]
    [ -e new.csv ]
    [ ! -s new.csv ]
    [ "$(cat old.json)" = old ]
    pk time -r 1 --export-json sub/none.json 'touch ran'
    [ "$status" -eq 2 ]
    [ ! -e ran ]
}

@test "time: in grouped order files are written after each command" {
    pk time --order grouped -r 1 --export-csv out.csv true 'cp out.csv seen' false
    [ "$status" -eq 1 ]
    [ "$(wc -l <seen)" -eq 2 ]
    [ "$(wc -l <out.csv)" -eq 3 ]
    [ "$(find . -name '*out.csv*' | wc -l)" -eq 1 ]
}

@test "time: all exports at once, to files and to standard output" {
    pk time --debug-mode -r 2 --export-json a.json --export-csv b.csv --export-markdown c.md \
        --export-asciidoc d.adoc --export-orgmode - --export-csv-runs f.csv 'sleep 0.1' 'sleep 0.2|x' \
        -n 'a|b'
    [ "$status" -eq 2 ] # the second is no sleep
    pk time --debug-mode -r 2 --export-json a.json --export-csv b.csv --export-markdown c.md \
        --export-asciidoc d.adoc --export-orgmode - --export-csv-runs f.csv 'sleep 0.1' 'sleep 0.2' -n 'a|b'
    [ "$status" -eq 0 ]
    jq -e '.results | length == 2' a.json
    [ "$(cut -d , -f 1-4 b.csv)" = $'command,mean,stddev,median\na|b,0.1,0,0.1\nsleep 0.2,0.2,0,0.2' ]
    grep -qF '| `a\|b` | 100.0 ± 0.0 | 100.0 | 100.0 | 1.00 |' c.md
    grep -qF '| 2.00 ± 0.00 ' d.adoc
    [ "$(wc -l <f.csv)" -eq 5 ]
    [[ $output == *$'\n\n| Command  |  Mean [ms] |'*$'\n|--+--+--+--+--|\n'* ]]
}

@test "time: the page is one file, without scripts" {
    pk time -r 3 --report page.html true 'sleep 0.01'
    [ "$status" -eq 0 ]
    grep -q '<svg' page.html
    if grep -qi '<script' page.html; then return 1; fi
    if grep -qiE '(src|href)="http' page.html; then return 1; fi
}

@test "time: gates: a reference, a share, and both answers" {
    pk time --debug-mode -r 20 --reference 'sleep 0.01' --fail-if-slower 50% 'sleep 0.05'
    [ "$status" -eq 1 ]
    [[ $stderr == *"gate failed: 1 of 1 compared with the reference are slower for sure; the first: sleep 0.05"* ]]
    pk time --debug-mode -r 20 --reference 'sleep 0.05' --fail-if-slower 50% --fail-on regressed 'sleep 0.01'
    [ "$status" -eq 0 ]
    [[ $stderr == *"gate passed: 0 of 1"* ]]
    pk time --debug-mode -r 20 --reference 'sleep 0.01' --fail-on regressed 'sleep 0.05'
    [ "$status" -eq 1 ]
}

@test "time: baselines: kept under a name, compared with, read from hyperfine's JSON" {
    pk time --debug-mode -r 12 --home store --save-baseline one 'sleep 0.01'
    [ "$status" -eq 0 ]
    [[ $stderr == *"saved as one in store"* ]]
    pk time --debug-mode -r 12 --home store --baseline one --fail-if-slower 50% 'sleep 0.05' -n 'sleep 0.01'
    [ "$status" -eq 1 ]
    [[ $output == *"Against the baseline"* ]]
    [[ $stderr == *"gate failed: 1 of 1 compared with one are slower for sure; the first: sleep 0.01"* ]]
    pk time --debug-mode -r 12 --home store --baseline one --fail-on regressed 'sleep 0.02'
    [ "$status" -eq 0 ]
    [[ $stderr == *"one has no runs of sleep 0.02"*"there was nothing to compare with"* ]]
    hf --debug-mode -r 12 --export-json out.json 'sleep 0.01'
    pk time --debug-mode -r 12 --baseline out.json --fail-if-slower 50% 'sleep 0.05' -n 'sleep 0.01'
    [ "$status" -eq 1 ]
    pk __completeNoDesc time --home store --baseline ''
    [[ $output == *one* && $output == *out.json* ]]
}

@test "time: Ctrl-C: what was measured, cleaned up, 130" {
    "$PERFKIT" time --cleanup 'echo c >>log' --export-json out.json 'echo r >>runs; sleep 0.05' \
        >out 2>err 3>&- &
    local pid=$!
    track $pid
    wait_until "$DEADLINE_S" eval '[ "$(cat runs 2>/dev/null | wc -l)" -ge 3 ]'
    kill -INT $pid
    wait_until "$DEADLINE_S" has_ended $pid
    local code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ]
    [ "$(cat log)" = c ]
    grep -q 'runs$' out
    grep -q 'interrupted' err
    [ "$(jq '.results[0].times | length >= 2' out.json)" = true ]
}

@test "time: a second Ctrl-C ends it at once, a cleanup too" {
    "$PERFKIT" time -r 1 --cleanup 'touch cleaning; sleep 30' 'touch begun; sleep 30' >out 2>err 3>&- &
    local pid=$!
    track $pid
    wait_until "$DEADLINE_S" test -e begun
    kill -INT $pid
    wait_until "$DEADLINE_S" test -e cleaning
    kill -INT $pid
    wait_until "$DEADLINE_S" has_ended $pid
    local code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ]
}

@test "time: Ctrl-C before the first result ends it too" {
    "$PERFKIT" time --cleanup 'echo c >>log' 'touch begun; sleep 30' >out 2>err 3>&- &
    local pid=$!
    track $pid
    wait_until "$DEADLINE_S" test -e begun
    kill -INT $pid
    wait_until "$DEADLINE_S" has_ended $pid
    local code=0
    wait $pid || code=$?
    [ "$code" -eq 130 ]
    [ "$(cat log)" = c ]
}

# ---- help and completion --------------------------------------------------------------------------

@test "time: commands after -- complete themselves; before it programs, files, values" {
    pk __completeNoDesc time -- ls ''
    [ "$output" = ":64" ]
    mkdir bin
    printf '#!/bin/sh\n' >bin/pkt-probe
    chmod +x bin/pkt-probe
    PATH=$PWD/bin:$PATH pk __completeNoDesc time pkt-p
    [[ ${lines[0]} = pkt-probe ]]
    pk __completeNoDesc time --order=
    [ "$output" = $'interleaved\nrandom\ngrouped\n:36' ]
    pk __completeNoDesc time --output p
    [ "${lines[0]}" = pipe ]
    pk __completeNoDesc time -P x 1 ''
    [ "$output" = ":4" ]
    pk __completeNoDesc time -i=
    [ "$output" = $'-i=all-non-zero\n:4' ]
    pk __completeNoDesc time --cpu ''
    [[ $output == *$'\n0\n'* || ${lines[0]} = 0 ]]
    pk __completeNoDesc time --export-json ''
    [ "$output" = $'json\n:8' ]
}

@test "time: help has hyperfine's forms, and hides what is for tests" {
    pk time --help
    [ "$status" -eq 0 ]
    [[ $output == *"-P, --parameter-scan <var> <min> <max>"* ]]
    [[ $output == *"-i, --ignore-failure[=<codes>]"* ]]
    [[ $output != *debug-mode* ]]
    pk help
    [[ $output == *$'\n  time  '* ]]
}
