# perfkit alloc: what it refuses, in one line each, and what cannot be counted.
load alloc_helper

# refused TEXT... -- ARG...: the line is wrong, and the error has all the texts.
refused() {
    local texts=()
    while [[ $1 != -- ]]; do texts+=("$1") && shift; done
    shift
    pk alloc "$@"
    one_line_error "${texts[@]}" || { echo "of: $*" >&2 && return 1; }
}

@test "alloc: nothing to count in, or more than one thing" {
    refused "nothing to count in" "perfkit alloc -- ./program" --
    refused "--pid" "a command" -- -p $$ -- true
    refused "--recover" "a command" -- --recover -- true
    refused "--recover" -- --recover -p $$
    refused "no process is called" -- -p no-such-program-at-all
    refused "-c" "true" "leave one of them out" -- -c 'sleep 1' -- true
}

@test "alloc: options that contradict each other" {
    refused "cannot be started with a library" "bpf or inject" -- --backend preload -p $$
    refused "started with the library" "preload" -- --backend inject -- true
    refused "--follow" "--no-follow" -- --follow --no-follow -- true
    refused "--counts-only" "--fail-on-leak" -- --counts-only --fail-on-leak 0 -- true
    refused "not followed" "--counts-only" -- --counts-only --sort leaked -- true
    refused "--fail-on-leak" -- --suppressions /dev/null -- true
    refused "only one thing" "standard output" -- --json -o - -- true
    refused "--report" -- -o page.html -- true
    refused "--weight is for svg and folded" -- --weight peak -o out.json -- true
    refused "--weight is for svg and folded" -- --weight peak -- true
    refused "--title is for svg" -- --title x -o out.folded -- true
    refused "--format says what -o writes" -- --format csv -- true
}

@test "alloc: values that are none" {
    refused "--sort" "temporary" -- --sort size -- true
    refused "--backend" -- --backend gdb -- true
    refused "--sample-bytes" -- --sample-bytes 0 -- true
    refused "--frames" -- --frames 513 -- true
    refused "-d" -- -d soon -- true
    printf 'leak:ok\nnonsense\n' >wrong.supp
    refused "wrong.supp" "2" -- --fail-on-leak 0 --suppressions wrong.supp -- true
    refused "nowhere.supp" -- --fail-on-leak 0 --suppressions nowhere.supp -- true
}

@test "alloc: programs of dtrace's that are something else" {
    local program
    while read -r program; do
        refused "-n" "not understood" "pid\$target::malloc:entry" -- -n "$program" -- true
    done <<'END'
syscall:::entry { @[execname] = count(); }
pid$target::malloc:return { @[ustack()] = count(); }
pid$target::malloc:entry { printf("%d", arg0); }
pid$target::malloc:entry { @[ustack()] = max(arg0); }
pid$target::malloc:entry { @[ustack()] = quantize(arg0); }
pid$target::malloc:entry { @[ustack(0)] = count(); }
pid$target::malloc:entry { @[execname] = count(); }
pid$target::malloc:entry { @ = count(); }
pid$target::malloc:entry /arg0 > 10/ { @[ustack()] = count(); }
pid$target::malloc:entry { @[ustack()] = count(); } tick-3s { exit(0); }
pid$target::*alloc:entry { @[ustack()] = count(); }
pid$target:::entry { @[ustack()] = count(); }
pid$target::malloc:entry
nonsense
END
    refused "-n" "not a number of bytes" -- -n 'pid$target::free:entry { @[ustack()] = sum(arg0); }' -- true
    refused "-n" "names a process already" -- -n 'pid1::malloc:entry { @[ustack()] = count(); }' -- true
    refused "-x" "ustackframes" -- -x ustackframes=0 -- true
    refused "-x" "ustackframes" -- -x ustackframes -- true
    refused "-x" "no option of dtrace" -- -x destructive -- true
}

@test "alloc: by the name of dtrace a program is needed" {
    ln -s "$PERFKIT" dtrace
    run --separate-stderr ./dtrace -c true
    [ "$status" -eq 2 ]
    [[ $stderr == *"there is no program"*"-n"* ]]
    run --separate-stderr ./dtrace -n 'pid$target::malloc:entry { @[ustack()] = count(); }'
    [ "$status" -eq 2 ]
    [[ $stderr == *"give a process with -p or a command with -c"* ]]
    run --separate-stderr ./dtrace
    [ "$status" -eq 2 ]
    [[ -z $output && $stderr == *"--program"* ]]
    run --separate-stderr ./dtrace -n 'pid$target::malloc:entry { @[ustack()] = count(); }' -c ./nowhere
    [ "$status" -eq 1 ]
}

@test "alloc: a command that cannot be started" {
    refused "no-such-program" -- -- no-such-program-at-all
    touch plain
    refused "plain" -- -- ./plain
}

@test "alloc: where nothing can be written, what was there stays" {
    refused "no-such-folder" -- -o no-such-folder/out.svg -- true
    echo before >kept
    pk alloc --fail-on-leak 0 --suppressions /dev/zero -o kept -- true
    [ "$status" -eq 2 ]
    [ "$(cat kept)" = before ]
}

@test "alloc: nothing to recover" {
    mkdir empty
    refused "empty" "no image" -- --recover=empty
}

# What loads nothing of ours is named, with what to do; it never runs and counts nothing in silence.
@test "alloc: static programs, musl" {
    refused "static" "statically linked" "perfkit alloc -p PID" -- -- "$ALLOC/static" calls
    need_built musl
    refused "musl" "perfkit alloc -p PID" -- -- "$ALLOC/musl" calls
}

@test "alloc: a program with another user's rights" {
    [[ $EUID -eq 0 ]] || skip "only root can make one"
    cp "$ALLOC/known" privileged
    chown nobody privileged
    chmod u+s privileged
    refused "privileged" "gains privileges" -- -- ./privileged calls
}
