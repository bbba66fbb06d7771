# perfkit alloc: its table, its files, dtrace's words.
load alloc_helper

@test "alloc: the table stands behind what the program prints" {
    pk alloc -- sh -c 'echo mine; "$0" calls' "$ALLOC/known"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${lines[0]}" = mine ]
    [[ $output == *"1,000"*"malloc"*"main"* ]]
    pk alloc -q -- sh -c 'echo mine; "$0" calls' "$ALLOC/known"
    [ "$output$stderr" = mine ]
}

@test "alloc: --sort, --by, --top, --frames" {
    pk alloc --sort bytes --top 1 --frames 3 -- "$ALLOC/known" calls
    [ "$status" -eq 0 ]
    [[ $output == *g_by_two* && $output != *before_main* && $output != *chain* ]]
    pk alloc --by function --top 0 -- "$ALLOC/known" calls
    [[ $output == *main* && $output == *g_by_one* ]]
    pk alloc --by object -- "$ALLOC/known" calls
    [[ $output == *known* ]]
    pk alloc -v --top 1 -- "$ALLOC/known" calls
    [[ $stderr == *"backend: preload ("* ]]
    [[ $stderr == *"remembered"* ]]
}

# dtrace_of < what dtrace prints of f and g, with the callers that there are in every libc cut.
@test "alloc: -o is dtrace's layout" {
    pk alloc -q --frames 3 -o run.perf -- "$ALLOC/known" calls
    [ "$status" -eq 0 ]
    # Each: an empty line, frames behind 14 blanks, the count in 17 columns; the smallest first.
    sed -E 's/\+0x[0-9a-f]+$//; s/@@.*//; s/libc[^`]*`/libc`/' run.perf >plain.perf
    diff - plain.perf <<'END'

              libc`malloc
              known`before_main
              libc`__libc_start_main
               11

              libc`malloc
              known`g
              known`g_by_two
              200

              libc`malloc
              known`g
              known`g_by_one
              300

              libc`malloc
              known`f
              known`chain
             1000
END
    awk '/^ *[0-9]+$/ { if (length($0) != 17) exit 1; n += $1 } END { exit n != 1511 }' run.perf
    # The first line of a frame has no offset: it is the entry of the function.
    grep -qE '^ {14}libc[^`]*`malloc$' run.perf
    grep -qE '^ {14}known`f\+0x[0-9a-f]+$' run.perf
}

@test "alloc: what dtrace takes, and prints" {
    ln -s "$PERFKIT" dtrace
    run --separate-stderr ./dtrace -n 'pid$target::malloc:entry { @[ustack()] = count(); }' -c "$ALLOC/known aligned"
    [ "$status" -eq 0 ]
    [ "$stderr" = "dtrace: description 'pid\$target::malloc:entry ' matched 1 probe" ]
    # malloc alone: 11 before main
    [ "$(grep -cE '`(calloc|valloc|memalign|reallocarray)' <<<"$output")" -eq 0 ]
    [ "$(awk 'NF == 1 && /^ *[0-9]+$/ { n += $1 } END { print n }' <<<"$output")" -eq 11 ]
    run --separate-stderr ./dtrace -qn 'pid$target:libc.so.6:valloc:entry{@a[ustack(2)]=sum(arg0)}' -c "$ALLOC/known aligned" -o run.perf
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    [ "$(grep -c '`' run.perf)" -eq 2 ]
    [ "$(tail -n 1 run.perf | tr -d ' ')" = 900 ]
    run --separate-stderr ./dtrace -q -x stackindent=4 -x ustackframes=1 -x aggsortrev -x bufsize=4m \
        -n 'pid$target::malloc:entry { @[ustack()] = count(); }' -c "$ALLOC/known calls"
    [ "$status" -eq 0 ]
    [[ ${lines[0]} =~ ^\ {4}libc.*\`malloc$ ]]
    [ "$(tr -d ' ' <<<"${lines[1]}")" = 1511 ]
    run --separate-stderr ./dtrace -q -n 'pid$target::malloc:entry { @ = quantize(arg0); }' -c "$ALLOC/known calls"
    [ "$status" -eq 0 ]
    [[ $output == *"value  ------------- Distribution ------------- count"* ]]
    grep -qE '^ +16 \|@+ +1000 ' <<<"$output"
    grep -qE '^ +64 \|@* +300 ' <<<"$output"
    grep -qE '^ +128 \|@* +200 ' <<<"$output"
}

@test "alloc: by its own name it takes dtrace's options too" {
    pk alloc -qn 'pid$target::malloc:entry { @[ustack()] = count(); }' -c "$ALLOC/known calls" -o run.perf
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    [ "$(awk 'NF == 1 && /^ *[0-9]+$/ { n += $1 } END { print n }' run.perf)" -eq 1511 ]
    pk alloc -n 'pid$target::malloc:entry { @[ustack()] = count(); }' -o run.perf -- "$ALLOC/known" calls
    [[ ${stderr_lines[0]} == "perfkit alloc: description "*" matched 1 probe" ]]
}

# FlameGraph's reader of this layout, in the words of its description: frames until a line that is a
# number, the outermost last; an empty line begins the next.
@test "alloc: dtrace's layout reads back as the folded stacks" {
    pk alloc -q --frames 0 -o run.perf -- "$ALLOC/known" calls
    awk 'NF == 0 { stack = ""; next }
        /^ *[0-9]+$/ { n[stack] += $1; next }
        { name = $1; sub(/^[^`]*`/, "", name); sub(/\+0x[0-9a-f]+$/, "", name); stack = name (stack == "" ? "" : ";" stack) }
        END { for (s in n) print s, n[s] }' run.perf | sort >back.folded
    pk alloc -q --no-inline -o out.folded -- "$ALLOC/known" calls
    sed -E 's/^[^;]*;//' out.folded | sort | diff back.folded -
}

@test "alloc: files by their endings" {
    local file
    for file in out.svg out.pb.gz massif.out.1 out.heap out.json out.csv out.folded; do
        pk alloc -o $file -- "$ALLOC/known" leak
        [ "$status" -eq 0 ] || { echo "$file: $stderr"; return 1; }
        [[ ${lines[-1]} == "$file: "*B ]]
        [ -s $file ]
    done
    python3 -c 'import sys, xml.dom.minidom as m; m.parse("out.svg")'
    grep -q leak_more out.svg
    gunzip <out.pb.gz | grep -aq leak_more
    grep -q '^heap_tree=peak$' massif.out.1
    [[ $(head -n 1 out.heap) == "heap profile: "*"@ heapprofile" ]]
    grep -q '^MAPPED_LIBRARIES:' out.heap
    [ "$(jq -r .schema out.json)" = alloc/1 ]
    python3 -c 'import csv, sys; rows = list(csv.reader(open("out.csv"))); sys.exit(len({len(r) for r in rows}) != 1 or len(rows) < 4)'
}

@test "alloc: massif's own reader takes it" {
    need ms_print
    pk alloc -q -o massif.out.1 -- "$ALLOC/known" peak
    ms_print massif.out.1 >printed
    grep -q above printed
}

@test "alloc: a flame graph of each weight, with a title" {
    local weight
    for weight in calls bytes peak leaked temporary; do
        pk alloc -q --weight $weight --title "what is $weight" -o $weight.svg -- "$ALLOC/known" leak
        [ "$status" -eq 0 ]
        grep -q "what is $weight" $weight.svg
    done
    pk flame --folded leaked.svg --format folded -o -
    [ "$status" -eq 0 ]
    [ "$(awk '{ n += $NF } END { print n }' <<<"$output")" -eq 7030 ]
}

@test "alloc: --json and --report" {
    pk alloc --json -- "$ALLOC/known" leak
    [ "$status" -eq 0 ]
    [ "$(jq -r '.perfkit + " " + .schema' <<<"$output")" = "$("$PERFKIT" version | awk '{ print $2; exit }') alloc/1" ]
    pk alloc -q --report page.html -- "$ALLOC/known" leak
    [ "$status" -eq 0 ]
    grep -q '<html' page.html
    grep -q leak_more page.html
    if grep -qE '(src|href)="https?:' page.html; then return 1; fi
    pk alloc -o - --format folded -- "$ALLOC/known" leak
    [[ $output == *";leak_more;malloc 7"* ]]
}

@test "alloc: completion offers what there is" {
    run "$PERFKIT" __complete alloc --weight ''
    [[ $output == *temporary* && $output == *leaked* ]]
    run "$PERFKIT" __complete alloc -p ''
    [[ $output == *$'\n'* ]]
    run "$PERFKIT" __complete alloc -x ''
    [[ $output == *ustackframes=* ]]
    run "$PERFKIT" __complete alloc --form
    [[ $output == *--format* ]]
}
