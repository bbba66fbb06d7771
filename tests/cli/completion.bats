# The protocol between the shells' scripts and the program. The shells themselves: shells.bats.
load helper

# answer WORD... CUR: what the shells get; it may never fail nor say anything on stderr.
answer() {
    run --separate-stderr "$PERFKIT" __complete "$@"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
}

# answers EXPECTED WORD...: exactly that.
answers() {
    local expected=$1
    shift
    answer "$@"
    [ "$output" = "$expected" ] || { printf 'got:\n%s\n' "$output"; return 1; }
}

@test "completion: tools with their summaries, none that is hidden" {
    answers $'load\tHTTP load tester\n:36' lo
    answers $'load\tHTTP load tester\n:36' help lo
    answer ''
    [ "${lines[-1]}" = :36 ]
    [[ ${lines[0]} == bench$'\t'* && ${lines[1]} == time$'\t'* &&
        ${lines[2]} == serve$'\t'* && ${lines[3]} == load$'\t'* ]]
    [[ $output != *__complete* && $output != *$'\nman\t'* ]]
    answers :4 __
    answers :4 oh # a peer's name is no tool of ours
    answers :4 nothing ''
}

@test "completion: options with descriptions, in the order of the help" {
    answer load --con
    [[ $output == "--connections"$'\t'*$'\n'*"--connect-timeout"$'\t'*$'\n:36' ]]
    [[ ${lines[*]%%$'\t'*} == "--con"* ]]
    local line
    for line in "${lines[@]::${#lines[@]}-1}"; do [[ $line =~ ^--con[a-z-]+$'\t'[^$'\t']+$ ]]; done
    # every option of the help, in its order
    run "$PERFKIT" __completeNoDesc load --
    [ "$(grep -o '^--[a-z0-9-]*' <<<"$output")" = \
        "$("$PERFKIT" load --help | grep -oE '^ +(-[A-Za-z], )?--[a-z0-9-]+' | grep -oE -- '--.*')" ]
}

@test "completion: __completeNoDesc leaves the descriptions out" {
    run --separate-stderr "$PERFKIT" __completeNoDesc load --output-format=
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$output" = "$("$PERFKIT" __complete load --output-format= | cut -f1)" ]
    [[ ${lines[0]} == text && $output != *$'\t'* ]]
}

@test "completion: enum values, without file names, in every spelling" {
    answers $'auto\nalways\nnever\n:36' load --color=
    answers $'auto\nalways\nnever\n:36' load --color ''
    answers $'always\n:36' load --color=al
    answers $'always\n:36' load http://x --color al
    answers :4 load --color=x
    answers $'bash\nzsh\nfish\n:36' completion ''
    answers $'zsh\n:36' completion z
}

@test "completion: what is given is not offered again, nor what it excludes" {
    offered() { "$PERFKIT" __completeNoDesc "$@" -- | grep -q "^$option\$"; }
    not_offered() { if offered "$@"; then return 1; fi; }
    local option=--connections
    offered load
    not_offered load -c 5
    not_offered load -c5
    not_offered load --connections=5 http://x
    offered load -d -c # the body is "-c"
    option=--duration
    offered load
    not_offered load -wz 3s
    not_offered load -n 5
    option=--requests
    not_offered load -z 3s
    option=--header
    offered load -H 'a: b' # repeatable
}

@test "completion: option values: numbers and times offer nothing, files are the shell's" {
    answers :4 load -c ''
    answers :4 load -z 3
    answers :4 load -wz ''
    answers :4 load --duration=
    answers :4 load -H ''
    answers :0 load -D ''
    answers :0 load --body-file=x
    answer load -o ''
    [[ ${lines[-1]} == :8 && $output == *json* ]]
    answers :16 serve --static=
    answer load --cacert ''
    [ "${lines[-1]}" = :8 ]
    [[ $output == *pem* ]]
}

@test "completion: a running server is offered as URL, with its name and pid" {
    start_serve
    answers "$SERVE_URL/"$'\t'"perfkit, pid $SERVE_PID"$'\n:6' load "$SERVE_URL"
    answer load http
    [[ $'\n'$output == *$'\n'"$SERVE_URL/"$'\t'* ]]
    answers :6 load "$SERVE_URL/help?"
    stop_serve
    answers :6 load "$SERVE_URL/"
}

@test "completion: a server on IPv6 and one on all addresses are offered by their loopback URL" {
    start_serve --listen 0.0.0.0:0
    local port=${SERVE_URL##*:}
    answer load http
    [[ $'\n'$output == *$'\n'"http://127.0.0.1:$port/"$'\t'* ]]
    start_serve --listen '[::1]:0' || skip "no IPv6 loopback here"
    port=${SERVE_URL##*:}
    answer load "http://["
    [[ $'\n'$output == *$'\n'"http://[::1]:$port/"$'\t'* ]]
}

@test "completion: any line gets an answer, whatever stands on it" {
    local long junk
    printf -v long '%05000d' 0
    junk=$'\x01\x02\e[31m\xff\xfe'
    local -a many
    mapfile -t many < <(yes -- --header=x | head -n 5000)
    local -a line
    while IFS= read -r -d ';' words; do
        eval "line=($words)" # the lines below are ours
        answer "${line[@]}"
        [[ ${lines[-1]} =~ ^:[0-9]+$ ]]
        [[ $output != *[$'\x01'-$'\x08\x0b'-$'\x1f']* ]]
    done <<'LINES'
        ;''; '' ''; load -; load --; load -- -- --; load '$(touch x)' --; load '`touch x`' -c;
        load "$junk"; load --"$junk"; load --output-format="$junk"; "$junk" "$junk";
        load "$long"; load --"$long" --; "${many[@]}"; load "${many[@]}" --con;
        load $'--con\n'; load $'a\nb' $'\n'; load -c -c -c -c; load --=; load --= --; load -=; load -$'\t';
        __complete __complete ''; __complete ''; help help ''; load '*' '?' '~' '~'; load %s%n %n;
LINES
    [ ! -e x ]
}

@test "completion: called by a link, the words are the tool's own" {
    ln -s "$PERFKIT" perfkit-load
    run --separate-stderr ./perfkit-load __complete --color=al
    [ "$status" -eq 0 ]
    [ "$output" = $'always\n:36' ]
    ln -s "$PERFKIT" oha
    run --separate-stderr ./oha __completeNoDesc --connections=5 --con
    [[ $output == *--connect-timeout* && $output != *--connections* ]]
}

@test "completion: an answer takes under 20 ms" {
    [[ $PERFKIT != */san-* && $PERFKIT != */coverage* ]] || skip "this build is slow on purpose"
    start_serve
    # The best of 10, with the start of the process: the time on the wall is shown, the CPU time is
    # what a busy machine cannot spoil.
    measured() { # WORD...
        local i start wall cpu best_wall=1000000000 best_cpu=1000000000 TIMEFORMAT='%3U %3S'
        for i in {1..10}; do
            start=$(now_us)
            cpu=$({ time "$PERFKIT" __complete "$@" >/dev/null 2>&1; } 2>&1)
            wall=$(($(now_us) - start))
            cpu=$(awk '{ printf "%d", ($1 + $2) * 1000000 }' <<<"$cpu")
            ((wall < best_wall)) && best_wall=$wall
            ((cpu < best_cpu)) && best_cpu=$cpu
        done
        echo "# $* <TAB>: $best_wall us, $best_cpu us of CPU" >&3
        ((best_cpu < 20000))
    }
    measured ''
    measured load -
    measured load --output-format ''
    measured load http
    measured time se
    measured time --baseline ''
}

@test "completion: the scripts are the files in completions/" {
    "$PERFKIT" completion bash | cmp - "$ROOT/completions/perfkit.bash"
    "$PERFKIT" completion zsh | cmp - "$ROOT/completions/_perfkit"
    "$PERFKIT" completion fish | cmp - "$ROOT/completions/perfkit.fish"
}

@test "completion: the scripts name no option and no tool, and evaluate nothing" {
    local tool word
    for tool in $("$PERFKIT" __completeNoDesc '' | grep -v '^:'); do
        for word in $("$PERFKIT" __completeNoDesc "$tool" -- | grep -- '^--'); do
            # fish's own "string escape" has an option that one of our tools has too
            run grep -rwnF -e "$word" "$ROOT/completions"
            [ -z "$(grep -v 'string escape --style=regex' <<<"$output")" ] || { echo "$output"; return 1; }
        done
    done
    run grep -rnwE 'serve|load' "$ROOT/completions"
    [ "$status" -eq 1 ]
    # outside of comments
    run grep -rnE '^[^#]*\b(eval|_call_program|complete -W)\b' "$ROOT/completions"
    [ "$status" -eq 1 ]
}

@test "completion: the tool says how it is used" {
    pk completion
    one_line_error
    [ "$stderr" = "perfkit completion: SHELL is missing; give bash, zsh or fish" ]
    pk completion csh
    one_line_error "bash, zsh or fish"
    pk completion bash zsh
    one_line_error "zsh: one word too many"
    pk completion --help
    [ "$status" -eq 0 ]
    local shell
    for shell in bash zsh fish; do [[ $output == *"perfkit completion $shell > "* ]]; done
}
