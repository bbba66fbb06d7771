# perfkit flame: recordings of programs with a known answer.
load flame_helper

setup_file() { find_recorders; }

# Samples a second: many, so that a short run tells shares as exactly as a long one.
RATE=3999

# ---- shares and whole stacks --------------------------------------------------------------------

# known PATTERNS... -- ARG...: with each recorder, default options but for the frequency.
known() {
    local recorder patterns=()
    while [[ $1 != -- ]]; do patterns+=("$1") && shift; done
    shift
    need_recorder
    for recorder in $RECORDERS; do
        fl --recorder "$recorder" -F $RATE -- "$@"
        [[ $status -eq 0 ]] || { echo "$recorder: $status $stderr" >&2 && return 1; }
        seventy_thirty "${patterns[@]}" || { echo "with $recorder" >&2 && return 1; }
    done
}

@test "flame: shares and whole stacks, launched" {
    known -- "$FLAME/burner" --seconds 0.4
    between "$(share ';main;burn_as_asked;burn;burn_until;(seventy|thirty);')" 97 100
}

@test "flame: ... after exec" {
    known -- "$FLAME/burner" --exec --seconds 0.4
}

@test "flame: ... in threads" {
    known -- "$FLAME/burner" --threads 2 --seconds 0.4
    between "$(share ';start_thread;work;burn;')" 97 100
}

@test "flame: ... in a library that dlopen has loaded" {
    known -- "$FLAME/burner" --library "$FLAME/library.so" --seconds 0.4
    between "$(share ';main;.*;burn_here;')" 97 100
}

@test "flame: ... at the bottom of 40 calls with large frames" {
    known -- "$FLAME/burner" --depth 40 --seconds 0.4
    # 41 calls of dive, under main; some of them the compiler has inlined into each other
    awk '{ n = gsub(/;dive/, "") } /;main;.*;burn;/ && n != 41 { bad++ } END { exit bad > 0 || NR == 0 }' out.folded
}

@test "flame: ... in a stripped program with its debug file beside it" {
    if command -v readelf >/dev/null && readelf -S "$FLAME/stripped" | grep -q '\.symtab'; then return 1; fi
    known -- "$FLAME/stripped" --seconds 0.4
}

@test "flame: ... of functions that were inlined; --no-inline leaves them out" {
    known -- "$FLAME/inlined" --seconds 0.4
    between "$(share ';main;burn_as_asked;burn;burn_until;(seventy|thirty);spin ')" 97 100
    need_recorder
    fl --no-inline -- "$FLAME/inlined" --seconds 0.2
    [ "$status" -eq 0 ]
    [ "$(share seventy)" = 0.00 ]
    between "$(share ';main;(burn_as_asked;)?burn ')" 97 100
}

@test "flame: ... with names of C++" {
    need_file "$FLAME/names"
    known ';kiln::oven<unsigned long>::hot[; ]' ';kiln::oven<unsigned long>::operator[^; ]*[; ]' -- "$FLAME/names" 0.4
}

@test "flame: ... with names of Rust" {
    need_file "$FLAME/names_rs"
    known '::Burn>::burn[; ]|::burn[; ]' 'kiln::simmer[; ]' -- "$FLAME/names_rs" 0.4
    between "$(share '::h[0-9a-f]{16}[; ]')" 0 0
}

@test "flame: deep C++: 99 % of stacks reach main" {
    need_file "$FLAME/deep"
    need_recorder
    local recorder
    for recorder in $RECORDERS; do
        fl --recorder "$recorder" -F $RATE -- "$FLAME/deep" 0.4
        [ "$status" -eq 0 ]
        between "$(share ';(main|_start)[; ]')" 99 100
        [[ $output == *"of stacks are whole"* ]]
        between "$(sed -E -n '1s/.*; ([0-9.]+) % of stacks are whole.*/\1/p' <<<"$output")" 99 100
    done
}

@test "flame: frame pointers, where a program has them" {
    need_recorder
    fl --call-graph fp -F $RATE -- "$FLAME/fp" --seconds 0.4
    [ "$status" -eq 0 ]
    seventy_thirty
}

# ---- running processes --------------------------------------------------------------------------

start_burner() { # ARG...
    "$FLAME/burner" --ready ready "$@" 3>&- &
    BURNER_PID=$!
    track "$BURNER_PID"
    wait_until "$DEADLINE_S" test -e ready
}

@test "flame: attached, by number and by name; the process is left alone" {
    need_recorder
    cp "$FLAME/burner" "burn$$"
    local recorder
    ./burn$$ --ready ready --seconds 60 3>&- &
    BURNER_PID=$!
    track "$BURNER_PID"
    wait_until "$DEADLINE_S" test -e ready
    for recorder in $RECORDERS; do
        fl --recorder "$recorder" -F $RATE -p "$BURNER_PID" -d 400ms
        [ "$status" -eq 0 ]
        seventy_thirty
    done
    fl -p "burn$$" -d 200ms
    [ "$status" -eq 0 ]
    between "$(share ";seventy[; ]")" 50 90
    kill -0 "$BURNER_PID"
}

@test "flame: attached to several threads" {
    need_recorder
    start_burner --threads 2 --seconds 60
    fl -F $RATE -p "$BURNER_PID" -d 400ms
    [ "$status" -eq 0 ]
    seventy_thirty
    between "$(share ';start_thread;work;burn;')" 97 100
}

@test "flame: the whole machine" {
    need_recorder
    [[ $(id -u) == 0 ]] || skip "needs root"
    start_burner --seconds 60
    fl -a -d 300ms
    [ "$status" -eq 0 ]
    between "$(share '^burner;.*;seventy[; ]')" 1 100
}

@test "flame: what waits: --off-cpu" {
    need_recorder
    fl --off-cpu -- "$FLAME/burner" --seconds 0.05 --sleep 0.4
    [ "$status" -eq 0 ]
    local ns
    ns=$(awk '/nanosleep/ { n += $NF } END { print n + 0 }' out.folded)
    between "$ns" 380000000 700000000
    [[ $output == *"time off the CPU"* ]]
}

# ---- how it ends --------------------------------------------------------------------------------

@test "flame: a command that fails: drawn, and its status passed on" {
    need_recorder
    local recorder
    for recorder in $RECORDERS; do
        rm -f flamegraph.svg
        pk flame --recorder "$recorder" -- "$FLAME/burner" --seconds 0.1 --exit 3
        [ "$status" -eq 3 ]
        [[ $stderr == *"the command failed with status 3"* ]]
        grep -q '>spin (' flamegraph.svg
    done
    pk flame --ignore-status -- "$FLAME/burner" --seconds 0.1 --exit 3
    [ "$status" -eq 0 ]
}

@test "flame: a command that crashes: drawn, 128 + signal" {
    need_recorder
    local recorder
    for recorder in $RECORDERS; do
        rm -f flamegraph.svg
        pk flame --recorder "$recorder" -- "$FLAME/burner" --seconds 0.1 --crash
        [ "$status" -eq 139 ]
        grep -q '>spin (' flamegraph.svg
    done
}

@test "flame: a command that cannot be started: one line, nothing is written" {
    need_recorder
    local recorder
    for recorder in $RECORDERS; do
        pk flame --recorder "$recorder" -- ./nothing-there
        one_line_error ./nothing-there "No such file"
        [ ! -e flamegraph.svg ]
    done
}

@test "flame: no sample at all: which event, how long, why; exit 1" {
    need_recorder
    pk flame -F 10 -- true
    [ "$status" -eq 1 ]
    [[ $stderr =~ "no sample of "[^\ ]+" in "[0-9] ]]
    [ -z "$output" ]
    [ ! -e flamegraph.svg ]
}

# start_flame ARG...: in the background, as a terminal would start it.
start_flame() {
    "$PERFKIT" flame -o out.folded "$@" >said.out 2>said.err 3>&- &
    FLAME_PID=$!
    track "$FLAME_PID"
    wait_until "$DEADLINE_S" test -e ready
}

end_flame() { # SIGNAL
    sleep 0.2
    kill "-$1" "$FLAME_PID"
    wait_until "$DEADLINE_S" has_ended "$FLAME_PID" || return 1
    FLAME_STATUS=0
    wait "$FLAME_PID" || FLAME_STATUS=$?
}

# bash starts what runs in the background with SIGINT ignored; --default-signal undoes that.
@test "flame: Ctrl-C and SIGTERM end the recording, and it is drawn" {
    need_recorder
    local recorder signal
    for recorder in $RECORDERS; do
        for signal in INT TERM; do
            rm -f ready out.folded
            start_flame --recorder "$recorder" -- "$FLAME/burner" --ready ready --seconds 60
            end_flame $signal
            [ "$FLAME_STATUS" -eq 0 ] || { cat said.err >&2 && return 1; }
            between "$(share ';burn;')" 80 100
            run pgrep -P "$FLAME_PID"
            [ -z "$output" ]
        done
    done
}

@test "flame: a command that ignores signals is killed after --grace, and it is drawn" {
    need_recorder
    local recorder
    for recorder in $RECORDERS; do
        rm -f ready out.folded
        start_flame --recorder "$recorder" --grace 100ms -- "$FLAME/burner" --ready ready --ignore-int --seconds 60
        end_flame INT
        [ "$FLAME_STATUS" -eq 0 ]
        between "$(share ';burn;')" 80 100
    done
}

@test "flame: a second Ctrl-C ends it at once, with 130" {
    need_recorder
    start_flame --grace 60s -- bash -c 'echo $$ >pid; exec "$0" "$@"' "$FLAME/burner" --ready ready --ignore-int --seconds 60
    track "$(cat pid)"
    sleep 0.2
    kill -INT "$FLAME_PID"
    sleep 0.2
    kill -INT "$FLAME_PID"
    wait_until "$DEADLINE_S" has_ended "$FLAME_PID"
    local code=0
    wait "$FLAME_PID" || code=$?
    [ "$code" -eq 130 ]
}

@test "flame: --duration ends it; --detach lets the command go on" {
    need_recorder
    local recorder
    for recorder in $RECORDERS; do
        fl --recorder "$recorder" -d 200ms -- "$FLAME/burner" --seconds 60
        [ "$status" -eq 0 ]
        between "$(share ';burn;')" 80 100
    done
    fl -d 200ms --detach -- bash -c 'echo $$ >pid; exec "$0" --seconds 60 >/dev/null 2>&1' "$FLAME/burner"
    [ "$status" -eq 0 ]
    local pid
    pid=$(cat pid)
    kill -0 "$pid"
    kill "$pid"
}

@test "flame: --delay leaves out the beginning" {
    need_recorder
    fl --delay 300ms -- bash -c 'for ((i = 0; i < 10000; i++)); do :; done; exec "$0" --seconds 0.4' "$FLAME/burner"
    [ "$status" -eq 0 ]
    between "$(share ';burn;')" 90 100
    pk flame --delay 60s -- true
    [ "$status" -eq 1 ]
    [[ $stderr == *"no sample"* ]]
}

# ---- what it says -------------------------------------------------------------------------------

@test "flame: the picture and the summary say how it was recorded" {
    need_recorder
    pk flame --recorder builtin -F 500 -e cpu-clock -- "$FLAME/burner" --seconds 0.2
    [ "$status" -eq 0 ]
    [[ ${lines[0]} =~ ^[0-9]+\ samples,\ cpu-clock\ at\ 500\ Hz\ in\ [0-9.]+\ m?s\;\ [0-9.]+\ %\ of\ stacks\ are\ whole,\ [0-9]+\ lost$ ]]
    [[ ${lines[1]} == "self ms"*function ]]
    [[ ${lines[-1]} == "flamegraph.svg: "*iB ]]
    [[ -z $stderr ]]
    grep -q 'id="subtitle"[^>]*>[0-9]* samples, [0-9]* lost, [0-9.]* % truncated; cpu-clock at 500 Hz in [0-9.]* m*s; .*burner --seconds 0.2<' flamegraph.svg
    grep -q '<title>spin ([0-9.]* ms, [0-9]* samples, ' flamegraph.svg
}

@test "flame: --verbose says which recorder, and why" {
    need_recorder
    # before it runs; what it was then, afterwards
    local command=(bash -c 'echo started >&2; exec "$0" --seconds 0.1' "$FLAME/burner")
    pk flame -v -- "${command[@]}"
    [ "$status" -eq 0 ]
    [[ $stderr == "recorder: "*"("*")"*started*"event: "* ]]
    need_recorder perf
    pk flame -v --recorder perf -- "${command[@]}"
    [[ $stderr == "recorder: perf (it was asked for)"*"runs: "*"record -F 997"*started*"event: "* ]]
}

@test "flame: --keep leaves perf.data, which --perfdata draws again" {
    need_recorder perf
    fl --keep -- "$FLAME/burner" --seconds 0.3
    [ "$status" -eq 0 ]
    [ -s perf.data ]
    local first=${lines[0]%% *}
    fl --perfdata perf.data
    [ "$status" -eq 0 ]
    # while it is recorded, what comes before the command's first period is left out
    between "${lines[0]%% *}" "$first" $((first + 3))
    between "$(share ';burn;')" 90 100
    # one recording beside itself as text
    pk compare perf.data out.folded --top 0 --json
    [ "$status" -eq 0 ]
    jq -e '.schema == "flame-compare/1" and .before.samples == .after.samples and
        (.functions | map(select(.name == "seventy")) | length == 1) and
        ([.functions[].total.change] | all(. == 0))' <<<"$output"
    fl --perfdata perf.data --top 1
    [[ $output == *"self ms"* ]]
}

@test "flame: --keep under sudo is for who called it" {
    need_recorder perf
    [ "$(id -u)" -eq 0 ] || skip "only root can give a file away"
    SUDO_UID=65534 SUDO_GID=65533 fl --keep -- "$FLAME/burner" --seconds 0.1
    [ "$status" -eq 0 ]
    [ "$(stat -c %u:%g perf.data)" = 65534:65533 ]
}

# ... and so is everything else that is written; a file that was there keeps its owner.
@test "flame: pictures and palettes under sudo are for who called it" {
    [ "$(id -u)" -eq 0 ] || skip "only root can give a file away"
    printf 'a;b 1\n' >in.folded
    SUDO_UID=65534 SUDO_GID=65533 pk flame --folded in.folded --cp
    [ "$status" -eq 0 ]
    [ "$(stat -c %u:%g flamegraph.svg palette.map)" = $'65534:65533\n65534:65533' ]
    chown 12:34 flamegraph.svg
    SUDO_UID=65534 SUDO_GID=65533 pk flame --folded in.folded
    [ "$(stat -c %u:%g flamegraph.svg)" = 12:34 ]
    SUDO_UID=65534 SUDO_GID=x pk flame --folded in.folded -o another.svg
    [ "$(stat -c %u:%g another.svg)" = 0:0 ]
}

# A shared library each, and fewer descriptors than they need.
@test "flame: more modules than may be open at first" {
    need_recorder
    local i
    for i in {1..60}; do cp "$FLAME/library.so" "lib$i.so"; done
    ulimit -Sn 40
    fl -F $RATE -- bash -c 'for i in {1..60}; do "$0" --library "./lib$i.so" --seconds 0.005 >/dev/null; done' "$FLAME/burner"
    [ "$status" -eq 0 ]
    [[ $stderr != *"not there"* ]]
    between "$(share '^burner;.*;(seventy|thirty)[; ]')" 50 100
    between "$(share '\[lib[0-9]+\.so\]')" 0 0
}

@test "flame: a program of another kind of name is shown as text" {
    need_recorder
    cp "$FLAME/burner" 'a<b>&"c'
    pk flame -- './a<b>&"c' --seconds 0.1
    [ "$status" -eq 0 ]
    grep -q 'a&lt;b&gt;&amp;' flamegraph.svg
    if grep -q 'a<b>' flamegraph.svg; then return 1; fi
}

# ---- perf, and what opens the result ------------------------------------------------------------

@test "flame: -c replaces perf's words; PERF names another perf" {
    need_recorder perf
    fl -c 'record -e cpu-clock -F 500 -g' -v -- "$FLAME/fp" --seconds 0.2
    [ "$status" -eq 0 ]
    [[ $stderr == *"runs: perf record -e cpu-clock -F 500 -g"* ]]
    [[ $stderr != *"counts no cycles"* && $stderr != *"the kernel allows"* ]]
    between "$(share ';main;')" 80 100
    PERF=./no-perf-here pk flame --recorder perf -- true
    one_line_error no-perf-here
}

@test "flame: --root puts sudo before perf" {
    need_recorder perf
    mkdir bin
    printf '#!/bin/sh\necho "$@" >>sudo.words\nexec "$@"\n' >bin/sudo
    chmod +x bin/sudo
    PATH=$PWD/bin:$PATH fl --root -- "$FLAME/burner" --seconds 0.2
    [ "$status" -eq 0 ]
    [[ $(head -n 1 sudo.words) == "perf record "* ]]
    between "$(share ';burn;')" 80 100
}

@test "flame: --open hands the picture over" {
    mkdir bin
    printf '#!/bin/sh\necho "$@" >opened.part && mv opened.part opened\n' >bin/xdg-open
    chmod +x bin/xdg-open
    printf 'a;b 1\n' >a
    PATH=$PWD/bin:$PATH pk flame --folded a --open
    [ "$status" -eq 0 ]
    wait_until "$DEADLINE_S" test -e opened
    [ "$(cat opened)" = flamegraph.svg ]
}
