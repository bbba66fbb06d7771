# perfkit flame on text with a known answer: options, formats, and the names of other programs.
load flame_helper

setup() {
    perfkit_setup
    cat >in.folded <<'END'
main;read;parse 30
main;read 10
main;sort;compare 40
main;sort;sort;compare 5
main;write.constprop.0 15
END
    # Two samples of perf script, and one of another event.
    cat >in.perf <<'END'
burn   101/102 [000]  1.000100:   1003009 cpu-clock:
	            1139 inner+0x9 (/bin/burn)
	            1200 outer(int, char**)+0x12 (/bin/burn)
	           27249 __libc_start_call_main+0x79 (/lib/libc.so.6)

burn   101/102 [000]  1.001100:   1003009 cpu-clock:
	ffffffff81000010 do_work+0x10 ([kernel.kallsyms])
	            1200 outer(int, char**)+0x12 (/bin/burn)
	           27249 __libc_start_call_main+0x79 (/lib/libc.so.6)

burn   101/102 [000]  1.002100:         1 page-faults:
	            1300 other+0x1 (/bin/burn)

END
    local name
    for name in flamegraph inferno-flamegraph inferno-collapse-perf inferno-diff-folded \
        flamegraph.pl stackcollapse-perf.pl difffolded.pl; do
        ln -s "$PERFKIT" $name
    done
}

# folds_to OPTION... < expected: the folded stacks that come of in.folded.
folds_to() {
    pk flame --folded in.folded --format folded -o - "$@"
    [[ $status -eq 0 && -z $stderr ]] || { echo "$status: $stderr" >&2 && return 1; }
    diff <(cat) <(printf '%s\n' "$output")
}

# ---- text ---------------------------------------------------------------------------------------

@test "flame: the summary of folded stacks" {
    pk flame --folded in.folded
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    diff - <(printf '%s\n' "${lines[@]:0:7}") <<'END'
100 samples
self           total            function
  45  45.00 %     45   45.00 %  compare
  30  30.00 %     30   30.00 %  parse
  15  15.00 %     15   15.00 %  write.constprop.0
  10  10.00 %     40   40.00 %  read
   0   0.00 %    100  100.00 %  main
END
    [[ ${lines[7]} == "and 1 more function" && ${lines[8]} == "flamegraph.svg: "* && ${#lines[@]} -eq 9 ]]
}

@test "flame: --top, --sort, -q" {
    pk flame --folded in.folded --top 0
    [ "${#lines[@]}" -eq 9 ]
    [[ ${lines[7]} == *sort ]]
    pk flame --folded in.folded --top 1 --sort total
    [[ ${lines[2]} == *"100  100.00 %  main" && ${lines[3]} == "and 5 more functions" ]]
    pk flame --folded in.folded -q
    [ -z "$output$stderr" ]
}

@test "flame: a terminal is told how far the reading is" {
    command -v script >/dev/null || skip "no script(1)"
    run script -qec "'$PERFKIT' flame --folded in.folded" /dev/null
    [ "$status" -eq 0 ]
    # and the line is gone before the summary comes
    [[ $output == *"reading in.folded: "*" %"*$'\r\e[K100 samples'* ]]
    run script -qec "'$PERFKIT' flame -q --folded in.folded" /dev/null
    [[ $output != *reading* ]]
}

@test "flame: --callers and --callees" {
    pk flame --folded in.folded --callers compare
    [ "$status" -eq 0 ]
    [[ $output == *" 45  100.00 %  45.00 %  from  sort"* ]]
    [[ $output != *"self "* ]]
    pk flame --folded in.folded --callees main
    [[ $output == *" 45   45.00 %   45.00 %  to  sort"*" 40 "*"to  read"*" 15 "*"to  write.constprop.0"* ]]
    pk flame --folded in.folded --callers compare --callees main --top 1
    [[ $output == *"from  sort"*"to  sort"*"self "* ]]
    pk flame --folded in.folded --callers nobody
    [ "$status" -eq 2 ]
    [[ $stderr == *nobody* ]]
}

# ---- which stacks -------------------------------------------------------------------------------

@test "flame: folded text is sorted, merged and the same again" {
    folds_to <<'END'
main;read 10
main;read;parse 30
main;sort;compare 40
main;sort;sort;compare 5
main;write.constprop.0 15
END
    pk flame --folded in.folded --folded in.folded -o twice.folded
    [ "$(tail -n 1 twice.folded)" = "main;write.constprop.0 30" ]
    pk flame --folded twice.folded -o again.folded
    cmp twice.folded again.folded
}

@test "flame: --reverse, --base, --only, --without" {
    folds_to --reverse <<'END'
compare;sort;main 40
compare;sort;sort;main 5
parse;read;main 30
read;main 10
write.constprop.0;main 15
END
    folds_to --base sort <<<'sort;compare 45'
    folds_to --only '^pars' <<<'main;read;parse 30'
    folds_to --without 'sort|write' <<<$'main;read 10\nmain;read;parse 30'
    pk flame --folded in.folded --only '('
    one_line_error "("
}

@test "flame: --fold-recursion, --strip-suffixes" {
    folds_to --fold-recursion --without 'read|write' <<<'main;sort;compare 45'
    folds_to --strip-suffixes --only write <<<'main;write 15'
}

@test "flame: --flamechart keeps the order" {
    folds_to --flamechart <in.folded
}

@test "flame: --post-process" {
    folds_to --post-process "sed -e 's/read/take in/' -e /sort/d" <<'END'
main;take in 10
main;take in;parse 30
main;write.constprop.0 15
END
}

@test "flame: nothing is left: no picture, and it says so" {
    pk flame --folded in.folded --only nothing-like-it
    [ "$status" -ne 0 ]
    [ -n "$stderr" ]
    [ ! -e flamegraph.svg ]
}

# ---- perf script --------------------------------------------------------------------------------

@test "flame: the text of perf script, from standard input" {
    run --separate-stderr "$PERFKIT" flame -o out.folded <in.perf
    [ "$status" -eq 0 ]
    diff - out.folded <<'END'
burn;__libc_start_call_main;outer;do_work 1003009
burn;__libc_start_call_main;outer;inner 1003009
END
    [[ ${lines[0]} == "2 samples, cpu-clock"* ]]
}

@test "flame: samples counted, another event, labels, annotations" {
    local in=(--folded in.perf -o -)
    pk flame "${in[@]}" --format folded --count samples
    [ "${lines[0]}" = "burn;__libc_start_call_main;outer;do_work 1" ]
    pk flame "${in[@]}" --format folded -e page-faults
    [ "$output" = "burn;other 1" ]
    pk flame "${in[@]}" --format folded --label tid --annotate kernel
    [ "${lines[0]}" = "burn-101/102;__libc_start_call_main;outer;do_work_[k] 1003009" ]
    pk flame "${in[@]}" --format folded --skip-after 'outer(int, char**)'
    [ "${lines[0]}" = "outer;do_work 1003009" ]
    pk flame "${in[@]}" --format folded --time-range 1ms-
    [ "$output" = "burn;__libc_start_call_main;outer;do_work 1003009" ]
    pk flame "${in[@]}" --format folded --thread nobody
    [ "$status" -eq 1 ]
}

# ---- formats ------------------------------------------------------------------------------------

@test "flame: the file's ending chooses the format; --format overrules it" {
    local file
    for file in a.svg a.folded a.collapsed a.speedscope.json a.firefox.json a.pb.gz a.json other; do
        pk flame --folded in.folded -q -o $file
        [ "$status" -eq 0 ]
    done
    grep -q '<svg ' a.svg
    grep -q '<svg ' other
    cmp a.folded a.collapsed
    [ "$(jq -r '."$schema"' a.speedscope.json)" = https://www.speedscope.app/file-format-schema.json ]
    [ "$(jq -r '.meta.product != null' a.firefox.json)" = true ]
    [ "$(gzip -dc a.pb.gz | head -c 1 | od -An -tx1 | tr -d ' ')" = 0a ]
    [ "$(jq -r .schema a.json)" = flame/1 ]
    pk flame --folded in.folded -q -o x.svg --format folded
    cmp a.folded x.svg
    pk flame --folded in.folded -q --format folded
    cmp a.folded flamegraph.folded
}

@test "flame: JSON has each function's self and total" {
    pk flame --folded in.folded -o - --format json
    [ "$status" -eq 0 ]
    [ "$(jq -c '[.schema, .weight, .samples, .functions_in_all]' <<<"$output")" = '["flame/1",100,100,6]' ]
    [ "$(jq -c '.functions[] | select(.name == "sort") | [.self, .total]' <<<"$output")" = '[0,45]' ]
}

@test "flame: a picture is read again" {
    pk flame --folded in.folded -q
    pk flame --folded flamegraph.svg -o again.folded
    [ "$status" -eq 0 ]
    diff <(LC_ALL=C sort in.folded) again.folded
}

@test "flame: --diff of two files, of any kind" {
    sed 's/ 40$/ 90/' in.folded >after.folded
    pk flame --folded in.folded -q
    pk flame --diff flamegraph.svg after.folded -o diff.folded
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "before  flamegraph.svg: 100 samples" && ${lines[1]} == "after   after.folded: 150 samples" ]]
    [[ $output == *"+18.33 +- 12.33"*"more"*compare* ]]
    diff - diff.folded <<'END'
main;read 10 10
main;read;parse 30 30
main;sort;compare 40 90
main;sort;sort;compare 5 5
main;write.constprop.0 15 15
END
    pk flame --diff in.folded after.folded --normalize -q -o diff.folded
    grep -qx 'main;sort;compare 60 90' diff.folded
    pk flame --diff in.folded after.folded -q
    grep -q '<title>compare (90 samples, 60.00%; +33.33%)</title>' flamegraph.svg
    pk flame --diff in.folded after.folded -q -o - --format json
    [ "$(jq -r .schema <<<"$output")" = flame-compare/1 ]
}

# ---- pictures -----------------------------------------------------------------------------------

@test "flame: titles, palettes and the rest of the picture's options" {
    pk flame --folded in.folded -q --title 'A & <B>' --subtitle 'sub' --notes 'a note'
    [ "$status" -eq 0 ]
    grep -q '>A &amp; &lt;B&gt;<' flamegraph.svg
    grep -q '>sub<' flamegraph.svg
    grep -q 'NOTES: a note' flamegraph.svg
    pk flame --folded in.folded -q -i
    grep -q '>Icicle Graph<' flamegraph.svg
    pk flame --folded in.folded -q --flamechart
    grep -q '>Flame Chart<' flamegraph.svg
    pk flame --folded in.folded -q --palette blue --image-width 600 --countname turns --factor 2
    grep -q 'width="600"' flamegraph.svg
    grep -q '<title>parse (60 turns, 30.00%)</title>' flamegraph.svg
    pk flame --folded in.folded -q --min-width 20
    if grep -q 'write.constprop' <(grep -o '<title>[^<]*' flamegraph.svg); then return 1; fi
}

@test "flame: --cp keeps colours in palette.map, --nameattr gives links" {
    pk flame --folded in.folded -q --cp
    [ "$status" -eq 0 ]
    grep -qE '^compare->rgb\([0-9]+,[0-9]+,[0-9]+\)$' palette.map
    sed -i 's/^compare->.*/compare->rgb(1,2,3)/' palette.map
    pk flame --folded in.folded -q --cp
    [ "$(grep -c 'rgb(1,2,3)' flamegraph.svg)" -gt 0 ]
    printf 'parse\thref=http://example.com/\n' >names
    pk flame --folded in.folded -q --nameattr names
    grep -q 'xlink:href="http://example.com/"' flamegraph.svg
}

# ---- by the names of other programs -------------------------------------------------------------

@test "flamegraph: its line, its exit codes, its wording" {
    run --separate-stderr ./flamegraph --perfdata nothing-there
    [ "$status" -eq 1 ]
    run --separate-stderr ./flamegraph --no-such
    [ "$status" -eq 2 ]
    [[ $stderr == "error: "* ]]
    run --separate-stderr ./flamegraph </dev/null
    [ "$status" -eq 2 ]
    run --separate-stderr ./flamegraph ls
    [ "$status" -eq 2 ]
    [[ $stderr == *"unexpected argument 'ls'"* ]]
    run --separate-stderr ./flamegraph -p 1 -- true
    [ "$status" -eq 2 ]
    run --separate-stderr ./flamegraph --folded in.folded -o 'a b.svg'
    [ "$status" -eq 0 ]
    [ "$output" = 'writing flamegraph to "a b.svg"' ]
    grep -q '>Flame Graph<' 'a b.svg'
    run ./flamegraph --completions bash
    [ "$status" -eq 0 ]
    [[ $output == *"complete "* ]]
}

@test "inferno-flamegraph: from files and from standard input; no stacks is an error, and drawn" {
    run --separate-stderr ./inferno-flamegraph in.folded
    [ "$status" -eq 0 ]
    [[ $output == *'<title>sort (45 samples, 45.00%)</title>'* ]]
    local from_file=$output
    run --separate-stderr ./inferno-flamegraph <in.folded
    [ "$output" = "$from_file" ]
    run --separate-stderr ./flamegraph.pl - <in.folded
    [ "$output" = "$from_file" ]
    run --separate-stderr ./inferno-flamegraph in.folded in.folded
    [[ $output == *'<title>sort (90 samples, 45.00%)</title>'* ]]
    run --separate-stderr ./inferno-flamegraph </dev/null
    [ "$status" -eq 1 ]
    [[ $output == *'<svg '* && $stderr == "Error: "* ]]
    run --separate-stderr ./inferno-flamegraph --no-sort in.folded
    [ "$status" -eq 1 ]
    [[ $stderr == *"not sorted"* ]]
    run --separate-stderr ./inferno-flamegraph --colors nonesuch in.folded
    [ "$status" -eq 2 ]
    run --separate-stderr ./inferno-flamegraph <<<$'no count\na 1'
    [ "$status" -eq 0 ]
    [[ $stderr == *"ignored 1 line"* ]]
    run --separate-stderr ./inferno-flamegraph -q <<<$'no count\na 1'
    [ -z "$stderr" ]
}

@test "inferno-collapse-perf: annotations, labels, another event" {
    run --separate-stderr ./inferno-collapse-perf in.perf
    [ "$output" = $'burn;__libc_start_call_main;outer;do_work 1003009\nburn;__libc_start_call_main;outer;inner 1003009' ]
    run --separate-stderr ./stackcollapse-perf.pl --kernel --pid <in.perf
    [ "${lines[0]}" = "burn-101;__libc_start_call_main;outer;do_work_[k] 1003009" ]
    run --separate-stderr ./inferno-collapse-perf --event-filter page-faults -n 4 in.perf
    [ "$output" = "burn;other 1" ]
    run --separate-stderr ./inferno-collapse-perf nothing-there
    [ "$status" -eq 1 ]
}

@test "inferno-diff-folded: both counts; -n scales, -s forgets addresses" {
    printf 'a;b 1\na;0x1f 3\n' >one
    printf 'a;b 4\na;0x2e 4\n' >two
    run --separate-stderr ./inferno-diff-folded one two
    [ "$(sort <<<"$output")" = $'a;0x1f 3 0\na;0x2e 0 4\na;b 1 4' ]
    run --separate-stderr ./difffolded.pl -n -s one two
    [ "$(sort <<<"$output")" = $'a;0x... 6 4\na;b 2 4' ]
    run --separate-stderr ./inferno-diff-folded one
    [ "$status" -eq 2 ]
    ./inferno-diff-folded one two | ./inferno-flamegraph >diff.svg
    grep -q '<title>b (4 samples, 50.00%; +37.50%)</title>' diff.svg
}

# ---- completion ---------------------------------------------------------------------------------

@test "flame: what completion offers" {
    pk __complete flame --palette h
    [[ $output == $'hot\n:'* ]]
    pk __complete flame -e cpu-cl
    [[ $output == cpu-clock* ]]
    pk __complete flame --call-graph ''
    [[ $output == *dwarf*fp*lbr* ]]
    pk __complete flame -p ''
    [[ $output == *"$$"* ]]
    mkdir sub
    pk __complete flame --folded in
    [[ $output == *in.folded* ]]
    pk __complete flame -- ''
    [[ $output == ":"* ]]
    (((${output##*:} & 64) != 0))
}
