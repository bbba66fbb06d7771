#!/usr/bin/env bats
# perfkit bench: benchmarks of one's own, from sources.
load bench_helper

setup() {
    bench_setup
    skip_under_sanitizers
    unset CC CXX
    mkdir include
    echo '#define STEPS 20' >include/steps.h
    cat >helper.c <<'C'
#include <math.h>
double helper(double x);
double helper(double x) { return cos(x); }
C
    cat >main.c <<'C'
#include "perfkit.h"
#include "steps.h"
double helper(double x);
static void body(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        double x = STEPS;
        perfkit_clobber();
        x = helper(x);
        perfkit_keep((uint64_t)(x * 1000));
    }
}
PERFKIT_BENCHMARKS({.group = "main", .function = "helped", .body = body});
C
}

@test "own: a source, its helper, an include folder and -lm, in one step" {
    bench main.c helper.c --cflags '-O2 -Wall -Wextra -Iinclude -lm' --layouts 2
    [ "$status" -eq 0 ]
    [[ $output == *main/helped* ]]
    [[ $stderr != *warning* ]]
    bench helper.c main.c --cflags '-O2 -Iinclude -lm' --layouts 2 --json # in any order
    [ "$status" -eq 0 ]
    [ "$(json '.benchmarks | length')" = 1 ]
    [ "$(json '.benchmarks[0].change.source')" = live ]
}

@test "own: clang as well, which does not like flags of the linker when it compiles" {
    command -v clang >/dev/null || skip "no clang"
    CC=clang bench main.c helper.c --cflags '-O2 -Werror -Iinclude -lm -Wl,-O1 -L .' --layouts 2
    [ "$status" -eq 0 ]
    [[ $stderr != *unused* ]]
}

@test "own: what the compiler prints is shown as it prints it, and the exit code is 2" {
    printf '#include "perfkit.h"\nint main(void) {\n    return x;\n}\n' >bad.c
    LC_ALL=C cc -I"$ROOT/lib/bench" -c bad.c 2>expected || true
    [ -s expected ]
    LC_ALL=C bench bad.c
    [ "$status" -eq 2 ]
    [ "$(head -n -1 <<<"$stderr")" = "$(cat expected)" ]
    [[ ${stderr_lines[-1]} == *"bad.c: compiling failed"* ]]
    LC_ALL=C bench --quiet bad.c
    [ "$status" -eq 2 ]
    [[ $stderr == "$(cat expected)"* ]]
}

@test "own: what nobody defines is the linker's error" {
    bench main.c --cflags '-O2 -Iinclude -lm'
    [ "$status" -eq 2 ]
    [[ $stderr == *"undefined reference to "*helper* ]]
    [[ ${stderr_lines[-1]} == *"main.c: linking failed"* ]]
}

@test "own: CC is the compiler of C, with its flags; CXX that of C++" {
    mkdir bin
    for name in mycc mycxx; do
        printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\nexec c++ "$@"\n' "$name" "$PWD" >bin/$name
        chmod +x bin/$name
    done
    sed -i 's/exec c++/exec cc/' bin/mycc
    printf '#include <string>\nextern "C" int length(int n);\n%s\n' \
        'int length(int n) { std::string s(n, 0); return (int)s.size(); }' >helper.cc
    cat >user.c <<'C'
#include "perfkit.h"
int length(int n);
static void body(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) perfkit_keep(length(100));
}
PERFKIT_BENCHMARKS({.group = "mixed", .body = body});
C
    export CC="$PWD/bin/mycc -DMINE" CXX="$PWD/bin/mycxx -DMINE"
    bench user.c helper.cc --layouts 2
    [ "$status" -eq 0 ]
    grep -q '^mycc -DMINE .*-c .*user\.c$' calls
    grep -q '^mycxx -DMINE .*-c .*helper\.cc$' calls
    grep -q '^mycxx .*-shared' calls # it links what C++ has a part in
    run grep '^mycc .*-shared' calls
    [ "$status" -eq 1 ]
    # The same code out of the store is linked in the same way.
    bench user.c helper.cc --layouts 2 --json --cflags '-O1'
    [ "$(json '.benchmarks[0].change.source')" = live ]
}

@test "own: C++, .cpp and .cxx too" {
    for name in a.cc b.cpp c.cxx; do
        cat >"$name" <<C
#include "perfkit.h"
#include <vector>
namespace { void body(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        std::vector<int> v(3, 1); perfkit_keep(v.data()); perfkit_clobber();
    }
} }
PERFKIT_BENCHMARKS({"$name", "f", body});
C
    done
    bench a.cc b.cpp c.cxx --layouts 2 --json
    [ "$status" -eq 0 ]
    [ "$(json '[.benchmarks[] | select(.failed | not)] | length')" = 3 ]
}

@test "own: old and new source share the parts" {
    sed 's/STEPS;/STEPS + 1;/' main.c >old.c
    bench main.c helper.c --compare-with old.c --cflags '-O2 -Iinclude -lm' --layouts 2 --json
    [ "$status" -eq 0 ]
    [ "$(json '.benchmarks[0].change.source')" = live ]
    [ "$(json '.benchmarks[0].change.identical_code')" = false ]
}

# of_own ID FILTER: the JSON of a benchmark of own.so.
of_own() { json "[.benchmarks[] | select(.id == \"$1\")][0] | $2"; }

@test "own: batches: each input is made, used and dropped once, outside the time" {
    bench "$OBJECTS/own.so" batched --json
    [ "$status" -eq 0 ] # it aborts when an input is used twice or left, or too many live at once
    [ "$(json '[.benchmarks[] | select(.failed | not)] | length')" = 6 ]
    [ "$(of_own batched/small .counters[0].per_iteration)" = 1 ]
    [ "$(of_own batched/small '.method | startswith("batched")')" = true ]
    # 200 steps take less than a microsecond; making this input sleeps for a millisecond.
    [ "$(of_own batched/slow-input '.typical.point < 100000')" = true ]
    [ "$(of_own batched/small '.typical.point < 20000')" = true ]
}

@test "own: a benchmark with its own clock is believed, unless it says nothing" {
    bench "$OBJECTS/own.so" own/ --json
    [ "$status" -eq 1 ] # the liar
    [ "$(of_own own/microsecond '.typical | [.point, .low, .high] | map(tostring) | join(" ")')" = "1000 1000 1000" ]
    [ "$(of_own own/microsecond .metric)" = wall ]
    [ "$(of_own own/microsecond '.workers[0].new.cpu_ns')" = null ]
    [ "$(of_own own/microsecond '[.counters[] | [.name, .per_iteration]] | tostring')" = '[["threes",3],["halves",0.5]]' ]
    [ "$(of_own own/microsecond '[.warnings[] | select(contains("schedstat"))] | length')" = 0 ]
    [[ "$(of_own own/liar '.failures[0].why')" == *"takes no time"* ]]
}

@test "own: threads start together and count together" {
    bench "$OBJECTS/own.so" threads --json
    [ "$status" -eq 0 ]
    [ "$(of_own threads/together '[.counters[] | .per_iteration] | tostring')" = '[20,6]' ] # 4 x 5, 0+1+2+3
    [ "$(of_own threads/together .throughput.per_iteration)" = 4 ]
    [ "$(of_own threads/together .metric)" = wall ]
    [ "$(of_own threads/together '.method | startswith("4 threads: wall time")')" = true ]
    [ "$(of_own threads/some/2 '.method | startswith("2 threads")')" = true ]
}

@test "own: counters are shown, compared, continued and stored" {
    bench "$OBJECTS/own.so" counted/three own/microsecond threads/together
    [ "$status" -eq 0 ]
    [[ $output == *"threes 3 per iteration"* && $output == *"halves 0.5 per iteration"* ]]
    [[ $output == *"added 20 per iteration"* && $output == *"4 threads: wall time"* ]]
    bench "$OBJECTS/own.so" counted/three own/microsecond threads/together --json
    [ "$status" -eq 0 ]
    for id in counted/three own/microsecond threads/together; do
        [ "$(of_own $id .change.source)" = live ]
        [ "$(of_own $id '.counters[0] | .per_iteration == .old_per_iteration')" = true ]
    done
    bench "$OBJECTS/own.so" counted/three own/microsecond threads/together --json --more
    for id in counted/three own/microsecond threads/together; do
        [ "$(of_own $id '.workers_former > 0')" = true ]
        [ "$(of_own $id '.counters[0] | .per_iteration == .old_per_iteration')" = true ]
    done
    jq -e '.result.counters[0] == {name: "threes", per_iteration: 3, old_per_iteration: 3}' \
        store/counted/three/new/perfkit.json
    pk bench --home store "${SHORT[@]}" "$OBJECTS/own.so" counted/three
    grep -q 'threes' store/counted/three/report/index.html
    bench "$OBJECTS/own.so" counted/below
    [ "$status" -eq 1 ]
    [[ $output == *"its counter number 0 is below 0"* ]]
}

@test "own: --test and --profile-time run all of them" {
    pk bench --test "$OBJECTS/own.so" --skip liar
    [ "$status" -eq 0 ]
    [[ $output != *Failed* ]]
    pk bench --profile-time 1s "$OBJECTS/own.so" batched/sevens threads/together
    [ "$status" -eq 0 ]
}

@test "own: an object of the first perfkit.h still runs" {
    bench "$OBJECTS/old_abi.so" --json
    [ "$status" -eq 0 ]
    [ "$(json '[.benchmarks[] | select(.failed | not)] | map(.id) | join(" ")')" = "old/one old/two" ]
    [ "$(json '.benchmarks[0].typical.point < .benchmarks[1].typical.point')" = true ]
    [ "$(json '.benchmarks[0] | [.method, .counter_names, (.counters | length)] | tostring')" = '[null,null,0]' ]
}

@test "own: --init writes an example that runs in one step, and overwrites nothing" {
    pk bench --init
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    cmp bench_example.c "$ROOT/lib/bench/example/bench_example.c"
    bench bench_example.c --cflags '-O2 -Wall -Wextra -Werror' --layouts 2 --json
    [ "$status" -eq 0 ]
    [ "$(json '[.benchmarks[] | select(.failed | not)] | map(.id) | join(" ")')" = \
        "example/sum/64 example/sum/4096 example/sort example/clear example/count/1 example/count/2" ]
    [ "$(of_own example/sort .counters[0].name)" = moves ]
    echo mine >>bench_example.c
    cp bench_example.c before
    pk bench --init
    one_line_error bench_example.c "there already"
    cmp bench_example.c before
    pk bench --init other.cc
    [ "$status" -eq 0 ]
    [ -s other.cc ]
    pk bench --init a.c b.c
    one_line_error --init
    pk bench --init words
    one_line_error --init
    pk bench --init no/such/folder.c
    one_line_error no/such/folder.c
}

@test "own: compilers find nothing in the example, in C and in C++" {
    local example=$ROOT/lib/bench/example/bench_example.c cc
    for cc in gcc clang; do
        command -v $cc >/dev/null || continue
        run $cc -std=gnu11 -O2 -Wall -Wextra -Wconversion -I"$ROOT/lib/bench" -c "$example" -o out.o
        [ "$status" -eq 0 ]
        [ -z "$output" ]
    done
    for cc in g++ clang++; do
        command -v $cc >/dev/null || continue
        # What is left out of an initialiser is 0; some C++ compilers warn of that.
        run $cc -x c++ -std=c++20 -O2 -Wall -Wextra -Wno-missing-field-initializers -I"$ROOT/lib/bench" -c "$example" -o out.o
        [ "$status" -eq 0 ]
        [ -z "$output" ]
    done
}

@test "own: what makes no sense in a table is refused with the reason" {
    local row initialiser reason
    while IFS='|' read -r initialiser reason; do
        printf '#include "perfkit.h"\n%s\n%s\n%s\n%s\n' \
            'static void b(perfkit_run *r) { perfkit_keep(r->iterations); }' \
            'static void *in(const perfkit_run *r) { return r->data; }' \
            '__attribute__((used)) static void *(*keep)(const perfkit_run *) = in;' \
            "__attribute__((used)) static uint64_t t(perfkit_run *r) { return r->iterations; }
PERFKIT_BENCHMARKS({.group = \"g\", $initialiser});" >wrong.c
        cc -shared -fPIC -I"$ROOT/lib/bench" wrong.c -o wrong.so
        pk bench --list ./wrong.so
        [ "$status" -eq 2 ] || { echo "$initialiser"; return 1; }
        [[ $stderr == *"$reason"* ]] || { echo "$initialiser: $stderr"; return 1; }
    done <<'ROWS'
.function = "f"|has no body
.body = b, .timed = t|has a body and times itself
.timed = t, .threads = 2|times itself
.timed = t, .input = in|times itself
.body = b, .input = in, .threads = 2|is batched and has threads
.body = b, .input = in, .latency = b|go with a plain body alone
.body = b, .threads = 1025|more than 1024 threads
.body = b, .input = in, .batch = PERFKIT_NUM_BATCHES|batch_count
.body = b, .input = in, .batch = 9|no such batch
.body = b, .counters = ""|counter without a name
.body = b, .counters = "a,,b"|counter without a name
.body = b, .counters = "a,b,c,d,e,f,g,h,i"|more than 8 counters
ROWS
    bench "$OBJECTS/own.so" threads/some --param 0
    [ "$status" -eq 1 ]
    [[ $output == *"number of threads"* ]]
}
