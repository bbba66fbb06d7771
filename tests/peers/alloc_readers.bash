# Part "alloc-readers" of tests/peers/run: what other tools read of perfkit alloc's files, against
# its own totals. Sourced; uses $build, $perfkit, $here and die.
#
# FLAMEGRAPH is the folder with FlameGraph's scripts, for which Debian has no package.

# total_of KEY: of the run that is looked at.
total_of() { jq -r ".total.$1" readers.json; }

# reader TITLE EXPECTED COMMAND...: the command prints what it has read of our file.
reader() {
    local title=$1 expected=$2 got
    shift 2
    got=$("$@" 2>errors) || { echo "    $title: failed: $(tail -n 1 errors)"; return 1; }
    if [[ $got == "$expected" ]]; then echo "    $title: $got"; else echo "    $title: $got, not $expected"; return 1; fi
}

calls_by_stackcollapse() { perl "$FLAMEGRAPH/stackcollapse.pl" readers.perf | awk '{ n += $NF } END { printf "%.0f\n", n }'; }
# The largest total among its snapshots.
peak_by_ms_print() {
    ms_print readers.massif | tr -d , | awk '$1 ~ /^[0-9]+$/ && NF == 6 && $3 > n { n = $3 } END { printf "%.0f\n", n }'
}
# pprof_total INDEX FILE: "N" of its line "... of N total".
pprof_total() {
    go tool pprof -unit=B -sample_index="$1" -top "$2" 2>/dev/null |
        sed -n 's/^Showing nodes.* of \([0-9.]*\)B* total$/\1/p'
}

compare_alloc_readers() {
    local failed_here=0 format
    for format in json perf massif pprof heap; do
        local name=$format
        case $format in perf) name=dtrace ;; heap) name=heapprofile ;; esac
        "$perfkit" alloc -q --format $name -o readers.$format -- "$build/tests/alloc/known" calls >output 2>errors </dev/null ||
            die "perfkit alloc failed: $(tail -n 3 errors)"
    done
    if [[ -f ${FLAMEGRAPH:-}/stackcollapse.pl ]]; then
        reader "calls by stackcollapse.pl of dtrace's layout" "$(total_of calls)" calls_by_stackcollapse || failed_here=1
    else
        echo '    skipped: FlameGraph, not found (git clone https://github.com/brendangregg/FlameGraph; FLAMEGRAPH=FOLDER)'
    fi
    if command -v ms_print >/dev/null; then
        reader 'peak by ms_print of massif' "$(total_of peak_bytes)" peak_by_ms_print || failed_here=1
    else
        echo '    skipped: ms_print is not installed (apt-get install valgrind)'
    fi
    if command -v go >/dev/null; then
        reader 'bytes by pprof of profile.proto' "$(total_of bytes)" pprof_total alloc_space readers.pprof || failed_here=1
        reader 'bytes by pprof of the heap profile' "$(total_of bytes)" pprof_total alloc_space readers.heap || failed_here=1
    else
        echo '    skipped: pprof, not found (apt-get install golang-go)'
    fi
    return $failed_here
}
