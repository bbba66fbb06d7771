# perfkit bench in other languages: Python, Node, any command; what goes wrong in a driver.
load bench_helper

FAULTS="sh $ROOT/tests/programs/driver_faults.sh"
EXAMPLE="sh $ROOT/docs/examples/driver.sh"

need() { command -v "$1" >/dev/null || skip "no $1"; }

write_python() {
    cat >mod.py <<'END'
def bench_sum(n): return sum(range(n))
bench_sum.params = [10, 1000]
def bench_pass(): pass
END
}

write_node() {
    cat >mod.js <<'END'
exports.bench_join = () => ["a", "b"].join("");
exports.bench_sort = (list) => list.slice().sort();
exports.bench_sort.setup = () => Array.from({ length: 300 }, (_, i) => (i * 7919) % 300);
END
}

# path_without PROGRAM...: makes bin, for a PATH that has all but these.
path_without() {
    local folder name
    mkdir -p bin
    IFS=: read -ra folders <<<"$PATH"
    for folder in "${folders[@]}"; do
        for name in "$folder"/*; do
            [[ -x $name && ! -e bin/${name##*/} ]] && ln -s "$name" bin/ 2>/dev/null
        done
    done
    for name in "$@"; do rm -f "bin/$name"; done
}

@test "bench drivers: the built-in suite has two functions in Python, in their order of magnitude" {
    need python3
    pk bench --list python
    [ "$output" = $'fib/python/recursive: benchmark\nfib/python/lookup: benchmark' ]
    pk bench --home store --noplot "${SHORT[@]}" --json python
    [ "$status" -eq 0 ]
    jq -e '[.benchmarks[].typical.point] as [$r, $l] |
        $r > 50000 and $r < 20000000 and $l > 2 and $l < 5000' <<<"$output"
    # the loop is stated, and part of the time
    jq -e '.benchmarks[1] | .parts.loop_ns > 0 and .parts.loop_ns < .typical.point' <<<"$output"
    pk bench --home store --noplot "${SHORT[@]}" python/lookup
    [ "$status" -eq 0 ]
    [[ $output == *"loop "*"(overhead; included above"*"live against base, in workers of its own: identical code"* ]]
    [[ $output != *latency* ]]
}

@test "bench drivers: without python3 its functions are skipped with one line, the others run" {
    path_without python3
    PATH=$PWD/bin pk bench --home store --noplot "${SHORT[@]}" --discard-baseline lookup
    [ "$status" -eq 0 ]
    [ "$(grep -c 'fib/python: skipped, python3 is not on PATH' <<<"$stderr")" -eq 1 ]
    [[ $output == "fib/lookup "* && $output != *python* ]]
    PATH=$PWD/bin pk bench --home store --noplot "${SHORT[@]}" --discard-baseline fib/doubling
    [[ $stderr != *python* ]] # nobody asked for it
    PATH=$PWD/bin pk bench --home store python
    one_line_error "python3 is not on PATH"
    write_python
    PATH=$PWD/bin pk bench --home store mod.py
    one_line_error "mod.py" "python3 is not on PATH"
    # one that is there and does not run
    printf '#!/bin/sh\nexit 9\n' >bin/python3
    chmod +x bin/python3
    PATH=$PWD/bin pk bench --home store --noplot "${SHORT[@]}" --discard-baseline lookup
    [ "$status" -eq 0 ]
    [[ $stderr == *"fib/python: skipped, python3 does not run: it exited with code 9"* ]]
}

@test "bench drivers: a Python file: functions, parameters, filters, nothing left beside it" {
    need python3
    write_python
    pk bench --list mod.py
    [ "$output" = $'mod/sum/10: benchmark\nmod/sum/1000: benchmark\nmod/pass: benchmark' ]
    bench mod.py sum --json
    [ "$status" -eq 0 ]
    jq -e '.benchmarks | length == 2 and .[1].typical.point > 5 * .[0].typical.point and
        all(.object == "mod.py" and (.workers | length >= 6))' <<<"$output"
    bench mod.py --param 20 --json
    [ "$(json '[.benchmarks[].id] | join(" ")')" = "mod/sum/20 mod/pass" ]
    pk bench --test mod.py
    [ "$status" -eq 0 ]
    [ "$(grep -c Success <<<"$output")" -eq 3 ]
    [ ! -e __pycache__ ]
}

@test "bench drivers: a Node file" {
    need node
    write_node
    bench mod.js --json
    [ "$status" -eq 0 ]
    jq -e '.benchmarks | map(.id) == ["mod/join", "mod/sort"] and .[1].typical.point > .[0].typical.point' <<<"$output"
}

@test "bench drivers: an ES module in Node" {
    need node
    printf '{"type": "module"}\n' >package.json
    printf 'export function bench_one() { return 1; }\nexport const GROUP = "es";\n' >mod.js
    bench mod.js
    [ "$status" -eq 0 ]
    [[ $output == "es/one "* ]]
}

@test "bench drivers: one run mixes C, Python, Node and a command; filters choose among all" {
    need python3
    need node
    write_python
    write_node
    cat >copy.c <<'END'
#include "perfkit.h"
static void body(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) perfkit_keep(i);
}
PERFKIT_BENCHMARKS({.group = "copy", .function = "sum", .body = body})
END
    sed -i 's/})$/});/' copy.c
    sed -i 's/^def bench_pass.*/bench_sum.name = "add"/' mod.py
    bench --layouts 2 copy.c mod.py mod.js --driver "$FAULTS" --json sum add join fine
    [ "$status" -eq 0 ]
    [ "$(json '[.benchmarks[].id] | join(" ")')" = "copy/sum mod/add/10 mod/add/1000 mod/join faults/fine" ]
    [ "$(json '[.benchmarks[].object] | unique | length')" -eq 4 ]
}

@test "bench drivers: beside files a filter can mean the built-in suite" {
    need python3
    printf 'def bench_sum(): sum(range(9))\n' >mod.py
    run --separate-stderr "$PERFKIT" bench fib/lookup mod.py --list
    [ "$status" -eq 0 ]
    [ "$(grep benchmark <<<"$output" | tr '\n' ' ')" = 'mod/sum: benchmark fib/lookup: benchmark ' ]
    run --separate-stderr "$PERFKIT" bench fib mod.py sum --list
    [ "$status" -eq 0 ]
    [ "$(grep -c '^fib/.*: benchmark$' <<<"$output")" -ge 4 ]
    grep -q '^mod/sum: benchmark$' <<<"$output"
}

@test "bench drivers: a baseline keeps the file, and runs it again beside the new one" {
    need python3
    mkdir -p place
    echo 'SIZE = 1000' >place/beside.py
    printf 'import beside\ndef bench_sum(): sum(range(beside.SIZE))\n' >place/mod.py
    bench place/mod.py
    [ "$status" -eq 0 ]
    printf 'import beside\ndef bench_sum():\n    for _ in range(3): sum(range(beside.SIZE))\n' >place/mod.py
    bench place/mod.py
    [ "$status" -eq 0 ]
    [[ $output == *"regressed: +"*"live against base, in workers of its own"* ]]
    [[ $output != *"identical code"* ]]
    # half of those workers ran the old file: they are no samples of the new one
    jq -e '(.iters | all(. > 0)) and (.times | all(. > 0))' store/mod/sum/base/sample.json
    bench place/mod.py
    [ "$status" -eq 0 ]
    [[ $output == *"live against base"*"identical code"* && $output != *damaged* ]]
    # two files, of one id by the new one's name
    printf 'def bench_sum(): sum(range(1000))\n' >old.py
    bench place/mod.py --compare-with old.py --json
    jq -e '.benchmarks[0].change | .source == "isolated" and .baseline == "old.py" and .ratio.point > 0.5' <<<"$output"
}

@test "bench drivers: the example in POSIX shell" {
    skip_under_sanitizers
    pk bench --list --driver "$EXAMPLE"
    [ "$output" = $'basename/expansion: benchmark\nbasename/process: benchmark' ]
    pk bench --home store --noplot --sample-size 4 --measurement-time 40ms --json --driver "$EXAMPLE"
    [ "$status" -eq 0 ]
    jq -e '.benchmarks | .[1].typical.point > 10 * .[0].typical.point and all(.metric == "wall")' <<<"$output"
    # it cannot be run again: stored numbers, and why
    pk bench --home store --noplot --sample-size 4 --measurement-time 40ms --driver "$EXAMPLE" expansion
    [ "$status" -eq 0 ]
    [[ $output == *"against stored numbers of base"*"a driver's own, which cannot be kept"* ]]
}

@test "bench drivers: a driver that lies, stops, floods or hangs is named and loses only itself" {
    PK_LIMIT_S=120 bench --timeout 2s --driver "$FAULTS"
    [ "$status" -eq 1 ]
    local id what
    while IFS='|' read -r id what; do
        if ! grep -q "^failed: faults/$id: .*$what" <<<"$output"; then
            echo "$id: $what" >&2
            return 1
        fi
    done <<'END'
zero|a unit of no time.*"0 0 0"
negative|a unit of no time.*"-100"
nan|a unit of no time.*"nan"
tiny|an iteration takes no time
ages|its units took 1h, says the driver, which ran for
overflow|says the driver, which ran for
mixed|more or fewer numbers
no_units|it holds no measurement
no_iterations|units without iterations
half|ends early
silent|without a reply on descriptor 3
exit|exited with code 7
signal|killed by SIGKILL
stderr|exited with code 3
reply|more than 4194304 bytes came on descriptor 3
hang|not done after 2 s
twice|said twice: "iterations"
behind|behind the end
unknown|unknown: "colour"
unreal|no such value
refused|no moon today
mute|contradicts itself
forever|not done after 2 s
END
    [[ $output == *"| out of cheese"* && $output == *"| the last words"* ]]
    [[ $output == "faults/fine "*"time: "* ]]
    grep -q '^25 benchmarks: 2 compared with nothing, 23 failed$' <<<"$output" # stdout: noise is no fault
}

@test "bench drivers: a list that goes wrong is the driver's failure, and the others go on" {
    need python3
    write_python
    local fault
    for fault in half silent exit signal mute unknown; do
        bench mod.py --driver "$FAULTS $fault" --skip sum
        [ "$status" -eq 1 ]
        [[ $output == "mod/pass "*"time: "*"failed: $FAULTS $fault: "* ]]
    done
    pk bench --list --driver "$FAULTS exit"
    one_line_error "driver_faults.sh" "exited with code 7"
    echo 'def bench_(): pass' >mod.py
    pk bench --home store mod.py
    [ "$status" -eq 1 ]
    [[ $output == *"mod.py"*"needs a name"* ]]
    echo 'print(1)' >mod.py
    pk bench --home store mod.py
    one_line_error "mod.py" "no benchmark"
}

@test "bench drivers: errors in the code are told with their line, without the driver's own frames" {
    need python3
    printf 'def bench_ok(): pass\n\ndef bench_bad():\n    return 1 / 0\n' >mod.py
    bench mod.py
    [ "$status" -eq 1 ]
    [[ $output == *"ZeroDivisionError: division by zero (mod.py:4)"* && $output != *'"<string>"'* ]]
    [[ $output == *"mod/ok "*"time:"* ]]
}

@test "bench drivers: a command is not for a shell, and has to be there" {
    pk bench --home store --driver ''
    one_line_error "--driver"
    pk bench --home store --driver 'no-such-program-here x'
    one_line_error "no-such-program-here"
    pk bench --home store --driver "'open"
    one_line_error
    pk bench --list --driver "env -- sh '$ROOT/docs/examples/driver.sh' ; touch made"
    [ "$status" -eq 0 ]
    [ ! -e made ]
}

@test "bench drivers: it ends with perfkit, however that ends" {
    printf '#!/bin/sh\nif grep -q "task list"; then printf "reply done\\noffer\\ngroup a\\nend\\n" >&3; exit; fi\necho $$ >pid; exec sleep 300\n' >slow
    chmod +x slow
    "$PERFKIT" bench --home store --noplot --timeout 200s --driver ./slow >out 2>err &
    local pid=$!
    track "$pid"
    wait_until "$DEADLINE_S" test -s pid
    kill -KILL "$pid"
    wait "$pid" || true
    wait_until "$DEADLINE_S" has_ended "$(cat pid)"
}

@test "bench drivers: files of all languages are offered on TAB" {
    touch a.py b.js c.c d.txt
    run --separate-stderr "$PERFKIT" __completeNoDesc bench ./
    [[ $output == *./a.py* && $output == *./b.js* && $output == *./c.c* && $output != *d.txt* ]]
    run --separate-stderr "$PERFKIT" __completeNoDesc bench --driver ./d
    [[ $output == *./d.txt* ]]
}
