# The rules of the house, kept by machine. Each rule first shows on a sample that it can fail.
load helper

rules() { (cd "${2:-$ROOT}" && awk -f "$ROOT/tests/rules.awk" $1); }

# violates PATH TEXT EXPECTED: a file PATH with TEXT is reported with EXPECTED.
violates() {
    mkdir -p "$(dirname "$1")"
    printf '%b\n' "$2" >"$1"
    run rules "$1" .
    rm -f "$1"
    [[ $status -eq 1 && $output == "$1:"*"$3"* ]] || { echo "$1: $2: $status: $output"; return 1; }
}
# keeps PATH TEXT: nothing is reported.
keeps() {
    mkdir -p "$(dirname "$1")"
    printf '%b\n' "$2" >"$1"
    run rules "$1" .
    rm -f "$1"
    [[ $status -eq 0 && -z $output ]] || { echo "$1: $2: $status: $output"; return 1; }
}

@test "layers: the rule on includes finds each kind of violation" {
    violates lib/base/a.c '#include "cli/command.h"' 'base may not include'
    violates lib/stats/a.h '#include "timing/clock.h"' 'stats may not include'
    violates lib/load/a.c '#include "serve/serve.h"' 'load may not include'
    violates lib/alloc/a.c '#include "flame/record.h"' 'alloc may not include'
    violates lib/report/a.c '#include "load/load.h"' 'report may not include'
    violates lib/load/a.c '#include "cli/command.h"' 'load may not include'
    violates lib/session/a.c '#include "cli/command.h"' 'session may not include'
    violates lib/cli/a.c '#include "report/table.h"' 'cli may not include'
    violates lib/serve/a.c '#  include "cmd/commands.h"' 'serve may not include'
    violates lib/stats/a.c '#include "histogram.h"' 'name it by its room'
    violates lib/stats/a.c '#include "../base/error.h"' 'name it by its room'
    violates lib/attic/a.c 'int x;' 'no such room'
    violates lib/base/a.c '#include <curl/curl.h>' 'only room load'
    violates cmd/load.c '#include <microhttpd.h>' 'only room serve'
    keeps lib/load/a.c '#include "load/load.h"\n#include "stats/histogram.h"\n#include <curl/curl.h>'
    keeps lib/session/a.c '#include "load/load.h"\n#include "flame/flame.h"'
    keeps cmd/load.c '#include "commands.h"\n#include "cli/command.h"\n#include "load/load.h"'
}

@test "layers: the rule on what lib may call finds each kind of violation" {
    violates lib/base/a.c 'void f(void) {\n    printf("x");\n}' 'printf() has no place'
    violates lib/load/a.c 'void f(void) {\n    if (x) exit (1);\n}' 'exit() has no place'
    violates lib/load/a.c 'const char *f(void) {\n    return getenv("HOME");\n}' 'getenv() has no place'
    violates lib/load/a.c 'void f(void) {\n    fprintf(stderr, "x");\n}' 'stderr has no place'
    violates cmd/load.c 'void f(void) {\n    strcpy(a, b);\n}' 'strcpy() is banned'
    violates cmd/load.c 'int f(void) {\n    return atoi(b);\n}' 'numbers are read by base/units'
    violates tests/unit/a.c 'void f(void) {\n    sprintf(a, b);\n}' 'sprintf() is banned'
    violates cmd/load.c 'void f(void) {\n    signal(SIGINT, on_signal);\n}' 'signal() is banned'
    keeps cmd/load.c 'void f(void) {\n    signal(SIGPIPE, SIG_IGN);\n}'
    violates cmd/version.c 'const char *f(void) {\n    return __DATE__;\n}' 'every build differ'
    violates lib/base/a.c '/* TODO: later */' 'unfinished'
    keeps lib/base/a.c '/* printf(x); strcpy(a, b)\n getenv("x") */\n// exit(1)\nchar *s = "system(";'
    keeps lib/base/a.c 'void f(ops *o) {\n    o->exit(1);\n    o.abort(2);\n    my_printf(3);\n}'
    keeps lib/base/units.c 'double f(void) {\n    return strtod(a, b);\n}'
}

@test "layers: the rule on lengths finds a long function and a long file" {
    violates lib/base/a.c "int f(void) {\n$(printf '    x();\\n%.0s' {1..69})}" 'a function of 71 lines'
    violates lib/base/a.c "int f(int a,\n      int b) {\n$(printf '    x();\\n%.0s' {1..68})}" 'a function of 71 lines'
    keeps lib/base/a.c "int f(void) {\n$(printf '    x();\\n%.0s' {1..68})}"
    violates lib/base/a.c "$(printf 'int x;\\n%.0s' {1..700})" '701 lines, more than 700'
}

@test "layers: all sources keep the rules" {
    local files
    files=$(cd "$ROOT" && ls lib/*/*.[ch] lib/*/*/*.[ch] cmd/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
    [ "$(wc -w <<<"$files")" -gt 40 ]
    run rules "$files"
    echo "$output"
    [ "$status" -eq 0 ]
}

# Objects with a place in .data or .bss: state that outlives a call. Constants that need relocation
# stand in .data.rel.ro. A sanitizer's own objects begin with a dot or two underscores.
mutable_objects() {
    objdump -t "$@" | awk '
        /file format/ { object = $1; sub(/:$/, "", object) }
        (/ O / && / \.(data|bss)[ \t]/) || / \.t(data|bss)[ \t]/ {
            name = $NF
            if (name !~ /^(\.|__)/) print object ": " name
        }'
}

@test "layers: nothing in the library is mutable state" {
    printf '%s\n' 'static int calls; int f(void) { static long n = 7; return ++calls + (int)n++; }' \
        'static _Thread_local int mine; int g(void) { return mine++; }' \
        'const char *const names[] = {"a"}; const int *h(void) { static const int x = 3; return &x; }' >a.c
    cc -fPIE -c a.c -o a.o
    run mutable_objects a.o
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ $output == *calls* && $output == *n.* && $output == *mine* ]]

    run mutable_objects "$(dirname "$PERFKIT")/libperfkit.a"
    echo "$output"
    [ "$status" -eq 0 ]
    # A signal handler has no argument to find its state by: one flag and one descriptor.
    [ -z "$(grep -v '^interrupt\.o: ' <<<"$output")" ]
}

@test "layers: every shell script parses" {
    local script scripts
    mapfile -t scripts < <(cd "$ROOT" && grep -rlE --exclude='*.bats' '^#!.*bash' tests .ci; ls tests/cli/*.bash completions/*.bash)
    [ "${#scripts[@]}" -ge 4 ]
    for script in "${scripts[@]}"; do bash -n "$ROOT/$script"; done
}
