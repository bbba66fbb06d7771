# perfkit flame: what it refuses, and how it says so.
load flame_helper

# refused TEXT... -- ARG...: one line with each TEXT, exit 2, nothing on stdout and nothing written.
refused() {
    local texts=()
    while [[ $1 != -- ]]; do texts+=("$1") && shift; done
    shift
    pk flame "$@"
    one_line_error "${texts[@]}" || { echo "for: flame $*" >&2 && return 1; }
    [ ! -e flamegraph.svg ]
}

@test "flame: nothing to profile" {
    run --separate-stderr "$PERFKIT" flame </dev/null
    one_line_error "there is nothing to profile" "perfkit flame -- ./program"
}

@test "flame: a command beside something else to read" {
    printf 'a 1\n' >a
    refused "a command cannot be given with --pid" -- -p 1 -- true
    refused "a command cannot be given with --folded" -- --folded a -- true
    refused "a command cannot be given with --perfdata" -- --perfdata a -- true
    refused "a command cannot be given with --diff" -- --diff a a -- true
    refused "-p and --folded" -- -p 1 --folded a
    refused "--perfdata" "--folded" -- --perfdata a --folded a
    refused "-p and -a" -- -a -p 1
}

@test "flame: a profile where the command should be" {
    printf 'a;b 1\n' >stacks
    refused stacks "--folded stacks" -- stacks
    printf 'PERFILE2rubbish' >some.data
    refused some.data "--perfdata some.data" -- some.data
}

@test "flame: options of the recorder where nothing is recorded" {
    printf 'a 1\n' >a
    local option
    for option in "--freq 100" "--period 3" "--duration 3s" "--delay 1s" "--call-graph fp" --keep --root \
        --ignore-status --detach "--recorder perf" "--grace 1s" "--cmd record" --compression-level; do
        refused "${option%% *}" "nothing is recorded" -- --folded a $option
    done
}

@test "flame: options that contradict each other" {
    refused "-F and --period" -- -F 100 --period 5 -- true
    refused "-F and -c" -- -c 'record' -F 100 -- true
    refused --reverse --flamechart -- --reverse --flamechart -- true
    refused --hash --deterministic -- --hash --deterministic -- true
    refused --colordiffusion --palette -- --colordiffusion --palette io -- true
    refused "-v and -q" -- -v -q -- true
    refused "--keep needs perf" -- --recorder builtin --keep -- true
    refused "--root needs perf" -- --recorder builtin --root -- true
    refused "--normalize" "--diff" -- --normalize -- true
    refused --open "standard output" -- --open -o - -- true
}

@test "flame: values that are none" {
    refused --call-graph "dwarf,BYTES" -- --call-graph dwarf,x -- true
    refused --call-graph -- --call-graph fp,3 -- true
    refused --call-graph 65528 -- --call-graph dwarf,65536 -- true
    refused --call-graph -- --call-graph dwarves -- true
    refused --time-range 5s-10s -- --time-range 5 -- true
    refused --time-range -- --time-range 9s-3s -- true
    refused --time-range -- --time-range - -- true
    refused --compression-level -- -z=23 -- true
    refused "-F 0" "at least 1" -- -F 0 -- true
    refused --palette "did you mean" -- --palette hto -- true
    refused --bgcolors yellow -- --bgcolors pink -- true
    refused --uicolor '#e600e6' -- --uicolor red -- true
    refused --fontwidth -- --fontwidth 0 -- true
    refused --min-width -- --min-width 101 -- true
    refused --format -- --format png -- true
    refused "a process is missing" -- -p 12,,13
    refused "no process is called" -- -p there-is-no-such-name
    refused --post-process -- --post-process '' -- true
    refused --post-process -- --post-process "'" -- true
    refused --recorder -- --recorder prf -- true
}

@test "flame: files that cannot be used" {
    refused nothing-there -- --perfdata nothing-there
    refused nothing-there -- --folded nothing-there
    printf 'no stacks here' >text
    refused text "no stacks" -- --folded text
    refused text -- --perfdata text
    printf 'a 1\n' >a
    refused text -- --diff a text
    printf 'PERFILE2rubbish' >cut.data
    refused cut.data -- --perfdata cut.data
    pk flame --folded a -o no/such/folder/x.svg
    one_line_error no/such/folder
    pk flame --folded a -o .
    one_line_error "."
}

@test "flame: where nothing can be written, what was there stays" {
    [[ -c /dev/full ]] || skip "no /dev/full"
    printf 'a;b 1\n' >a
    pk flame --folded a -o /dev/full
    [ "$status" -eq 2 ]
    [[ $stderr == *"/dev/full"*"No space left"* ]]
    run bash -c '"$PERFKIT" flame --folded a -o - >/dev/full'
    [ "$status" -eq 2 ]
    [[ $output == *"standard output"* ]]
    [[ $(id -u) == 0 ]] && return 0
    mkdir kept && echo old >kept/flamegraph.svg && chmod a-w kept
    pk flame --folded a -o kept/flamegraph.svg
    [ "$status" -eq 2 ]
    [ "$(cat kept/flamegraph.svg)" = old ]
}

@test "flame: a full disk leaves what was there" {
    [[ $(id -u) == 0 ]] || skip "needs root, to mount a small disk"
    mkdir small
    mount -t tmpfs -o size=64k tmpfs small 2>/dev/null || skip "cannot mount"
    echo old >small/flamegraph.svg
    awk 'BEGIN { for (i = 0; i < 3000; i++) printf "main;function_%d;inner_%d %d\n", i, i * 7, 1 + i % 9 }' >many
    pk flame --folded many -o small/flamegraph.svg
    local code=$status said=$stderr kept files
    kept=$(cat small/flamegraph.svg)
    files=$(ls -A small | wc -l)
    umount small
    [ "$code" -eq 2 ]
    [[ $said == *"No space left"* ]]
    [ "$kept" = old ]
    [ "$files" -eq 1 ]
}

@test "flame: a post-processor that fails" {
    printf 'a;b 1\n' >a
    refused false "status 1" -- --folded a --post-process false
    refused nothing-there -- --folded a --post-process ./nothing-there
}

@test "flame: paranoid settings are named" {
    [[ $(id -u) == 0 ]] || skip "needs root, to be somebody else"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    local paranoid
    paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
    ((paranoid > 0)) || skip "everybody may do everything here"
    chmod a+rwx .
    run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups \
        timeout 20 "$PERFKIT" flame -a -d 100ms
    [[ $status -eq 126 || $status -eq 127 ]] && skip "nobody can run the program where it lies"
    one_line_error perf_event_paranoid
}
