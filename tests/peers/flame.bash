# Parts "flame-totals", "flame-speed" and "flame-recorders" of tests/peers/run: recordings of perf
# drawn by perfkit flame, and by perf script with inferno and with FlameGraph; perfkit's recorder
# beside perf's. Sourced; uses $here, $build, $perfkit, $rusage, $rounds, die, wanted, measure, show
# and column_median of launch.bash.
#
# PERF names another perf. inferno is looked for in PATH and where cargo puts it; FLAMEGRAPH is the
# folder with FlameGraph's scripts, for which Debian has no package.

flame_perf=$(command -v "${PERF:-perf}" || true)
flame_scripts=${FLAMEGRAPH:-}
flame_programs=$build/tests/flame
flame_points=0.5 # of all weight, by which a function's figures may differ
declare -A flame_title=([ours]='perfkit flame' [inferno]='perf script, inferno'
    [flamegraph]='perf script, FlameGraph')

# Sets flame_inferno (a folder) and flame_peers; says what is not there, and what brings it.
find_flame_peers() {
    local collapse
    collapse=$(command -v inferno-collapse-perf || command -v ~/.cargo/bin/inferno-collapse-perf) || collapse=
    flame_inferno=${collapse%/*} flame_peers=()
    if [[ -f $flame_scripts/flamegraph.pl && -f $flame_scripts/stackcollapse-perf.pl ]]; then
        flame_peers+=(flamegraph)
    else
        echo '    skipped: FlameGraph, not found (git clone https://github.com/brendangregg/FlameGraph; FLAMEGRAPH=FOLDER)'
    fi
    if [[ -n $flame_inferno ]]; then
        flame_peers+=(inferno)
    else
        echo '    skipped: inferno, not installed (cargo install inferno)'
    fi
}

# record_once FILE CALLGRAPH HERTZ COMMAND...: a recording of this run; all parts take the same. It
# ends at a GiB.
record_once() {
    local file=$1
    [[ -s $file ]] && return 0
    # perf ends itself by a signal then, of which the shell would tell.
    { timeout 90 "$flame_perf" record -q -e cpu-clock -F "$3" --call-graph "$2" --max-size 1G -o "$file" -- "${@:4}"; } \
        >output 2>errors </dev/null
    [[ -s $file ]] && return 0
    echo "    skipped: perf cannot record here: $(tail -n 1 errors)"
    return 1
}

record_c() { record_once c.data fp 997 "$flame_programs/fp" --seconds 10; }
record_cpp() { record_once cpp.data dwarf,16384 997 "$flame_programs/deep" 10; }
record_copied() { record_once copied.data dwarf,16384 997 "$flame_programs/burner" --seconds 3 --threads 2; }

# ---- totals -------------------------------------------------------------------------------------

# folded_by PEER FILE OPTION...: to standard output.
folded_by() {
    "$flame_perf" script -i "$2" "${@:3}" 2>errors </dev/null | case $1 in
        inferno) "$flame_inferno/inferno-collapse-perf" 2>>errors ;;
        flamegraph) perl "$flame_scripts/stackcollapse-perf.pl" 2>>errors ;;
    esac
}

# compare_totals TITLE FILE PEER OPTION...: of both, the shares of all functions.
compare_totals() {
    local title=$1 file=$2 peer=$3 side
    "$perfkit" flame -q --perfdata "$file" -o ours.folded "${@:4}" >output 2>errors </dev/null ||
        die "perfkit flame failed: $(tail -n 3 errors)"
    folded_by "$peer" "$file" "${@:4}" >theirs.folded
    for side in ours theirs; do awk -f "$here/flame_names.awk" "$side.folded" >"$side.united"; done
    awk -v least=$flame_points -f "$here/functions.awk" ours.united theirs.united >totals ||
        die "$title: nothing to compare"
    awk -v title="$title" -v peer="$peer" -v most=$flame_points '
        /^weights/ { gsub(/;/, ""); printf "    %-44s %-11s %4d functions, the most %.3f points  goal %s: %s\n",
            title, peer, $5, $NF, most, $NF <= most ? "met" : "missed" }' totals
    grep -v '^weights' totals || true
}

compare_flame_totals() {
    local peer
    ((${#flame_peers[@]})) || return 0
    record_c && record_cpp && record_copied || return 0
    for peer in "${flame_peers[@]}"; do
        compare_totals 'C, frame pointers' c.data "$peer" --no-inline
        compare_totals 'C, threads, copied stacks' copied.data "$peer" --no-inline
        compare_totals 'C, threads, copied stacks, inlined functions' copied.data "$peer"
        # FlameGraph cuts names of C++ at their first parenthesis.
        [[ $peer == flamegraph ]] && continue
        compare_totals 'C++, copied stacks' cpp.data "$peer" --no-inline
        compare_totals 'C++, copied stacks, inlined functions' cpp.data "$peer"
    done
    echo '    (what is above half a point, and why: docs/methods.md, "Beside perf script and inferno")'
}

# ---- speed --------------------------------------------------------------------------------------

# Sets `command`: from $flame_file to a picture, as one process that waits for all.
picture_command() { # NAME
    local text
    case $1 in
        ours) command=("$perfkit" flame -q --perfdata "$flame_file" -o ours.svg) && return ;;
        inferno)
            text='set -o pipefail; "$1" script -i "$2" | "$3/inferno-collapse-perf" | "$3/inferno-flamegraph" >inferno.svg'
            command=(bash -c "$text" bash "$flame_perf" "$flame_file" "$flame_inferno")
            ;;
        flamegraph)
            text='set -o pipefail; "$1" script -i "$2" | perl "$3/stackcollapse-perf.pl" | perl "$3/flamegraph.pl" >flamegraph.svg'
            command=(bash -c "$text" bash "$flame_perf" "$flame_file" "$flame_scripts")
            ;;
    esac
}

one_picture() { # NAME ROUND
    local cpu_ns wall_ns
    picture_command "$1"
    rm -f "$1.svg"
    "$rusage" cost "${command[@]}" >output 2>errors </dev/null && [[ -s $1.svg ]] ||
        die "${flame_title[$1]} failed: $(tail -n 3 errors)"
    read -r cpu_ns wall_ns <cost
    echo "$2 $1 $cpu_ns 1" >>rows
    echo "$2 $1 $wall_ns 1" >>walls
}

# peak_kib COMMAND...: of its largest process.
peak_kib() {
    "$perfkit" time -N -r 1 --export-csv-runs peak.csv "$(printf '%q ' "$@")" >output 2>errors </dev/null ||
        die "$1 failed: $(tail -n 3 errors)"
    echo $(($(column_median peak.csv memory_byte | cut -d . -f 1) / 1024))
}

# compare_pictures TITLE FILE TIMES: TIMES: how many times as fast as FlameGraph it is to be.
compare_pictures() {
    local name goal titles= unit=ms base=${flame_peers[0]}
    flame_file=$2
    goal="ours=$(awk -v n="$3" 'BEGIN { print 1 / n }')"
    [[ $base == flamegraph ]] || goal=
    for name in "${flame_peers[@]}" ours; do titles+="${titles:+;}$name=${flame_title[$name]}"; done
    : >walls
    measure one_picture "$base" "$goal" "${flame_peers[@]}" ours
    echo "  $1 ($(($(stat -c %s "$flame_file") / 1000)) KB): CPU time"
    show "$base" "$goal" "$titles"
    mv walls rows
    echo '    wall time'
    show "$base" '' "$titles"
    for name in "${flame_peers[@]}" ours; do
        picture_command "$name"
        printf '    %-24s %8d KiB at most\n' "${flame_title[$name]}" "$(peak_kib "${command[@]}")"
    done
}

# Milliseconds from the end of the program to that of perfkit, with the picture written.
after_the_end() { # TITLE COMMAND...
    local round later=() ended done_at
    for ((round = 0; round < rounds; round++)); do
        "$perfkit" flame --recorder builtin -q -o ours.svg -- bash -c '"$@"; echo "$EPOCHREALTIME" >ended' bash "${@:2}" \
            >output 2>errors </dev/null || { echo "    skipped: $(tail -n 1 errors)"; return 0; }
        done_at=$EPOCHREALTIME
        read -r ended <ended
        later+=("$(awk -v a="$ended" -v b="$done_at" 'BEGIN { printf "%.1f", 1000 * (b - a) }')")
    done
    printf '    %-38s %9.1f ms (%s)\n' "$1" "$(median "${later[@]}")" "${later[*]}"
}

# A recording of about a GiB: whole copies of stacks. Its size does not become memory.
flame_large() {
    local free kib
    free=$(df --output=avail -k . | tail -n 1)
    ((free > 3 << 20)) || { echo '    skipped: it takes up to 3 GiB of disk'; return 0; }
    rm -f large.data
    record_once large.data dwarf,65528 1997 "$flame_programs/deep" 40 || return 0
    kib=$(peak_kib "$perfkit" flame -q --perfdata large.data -o ours.svg)
    printf '    %-38s %9d KiB of memory\n' "$(($(stat -c %s large.data) >> 20)) MiB of perf.data" "$kib"
    rm -f large.data
    ((kib > 0 && kib < 256 << 10)) || { echo '    wrong: it takes 256 MiB or more'; return 1; }
}

compare_flame_speed() {
    if [[ -n $flame_perf ]] && ((${#flame_peers[@]})) && record_c && record_cpp; then
        compare_pictures 'C, frame pointers' c.data 4
        compare_pictures 'C++, copied stacks, inlined functions' cpp.data 10
    fi
    echo '  From the end of the program to the picture, built-in recorder, whole stacks:'
    after_the_end C "$flame_programs/fp" --seconds 2
    after_the_end C++ "$flame_programs/deep" 2
    [[ -z $flame_perf ]] && return 0
    echo '  Memory:'
    flame_large
}

# ---- recorders ----------------------------------------------------------------------------------

# one_recorder NAME: a line of figures: samples per CPU second of the program, lost, whole, and the
# CPU time of all but the program.
one_recorder() {
    local own_ns all_ns
    "$rusage" all "$perfkit" flame --recorder "$1" -F 997 -q -o ours.json -- \
        "$rusage" own "$flame_programs/burner" --threads 2 --seconds 3 >output 2>errors </dev/null || return 1
    read -r all_ns _ <all
    read -r own_ns _ <own
    jq -r --arg own "$own_ns" --arg all "$all_ns" \
        '[.samples / ($own | tonumber) * 1e9, .lost, 100 * .whole / .samples, (($all | tonumber) - ($own | tonumber)) / 1e9]
        | map(. * 100 | round / 100 | tostring) | join(" ")' ours.json
}

compare_flame_recorders() {
    local round name figures
    declare -A rate=() lost=() whole=() cpu=()
    command -v jq >/dev/null || { echo '    skipped: jq is not installed (apt-get install jq)'; return 0; }
    for ((round = 0; round < rounds; round++)); do
        for name in builtin perf; do
            figures=$(one_recorder "$name") || { echo "    skipped: $name: $(tail -n 1 errors)"; continue; }
            read -r -a figures <<<"$figures"
            rate[$name]+=" ${figures[0]}" lost[$name]+=" ${figures[1]}" whole[$name]+=" ${figures[2]}" cpu[$name]+=" ${figures[3]}"
        done
    done
    for name in builtin perf; do
        # shellcheck disable=SC2086 # words
        [[ -n ${rate[$name]:-} ]] && printf '    %-8s %7.1f samples per CPU second, lost:%s, whole: %.2f %%, %.2f s of CPU beside the program\n' \
            "$name" "$(median ${rate[$name]})" "${lost[$name]}" "$(median ${whole[$name]})" "$(median ${cpu[$name]})"
    done
    return 0
}

compare_flame() {
    local missing=0
    if wanted flame-totals || wanted flame-speed; then
        [[ -n $flame_perf ]] || echo '    skipped: perf, not installed (apt-get install linux-perf)'
        find_flame_peers
    fi
    if wanted flame-totals && [[ -n $flame_perf ]]; then
        echo 'Shares of functions in flame graphs of the same recording:'
        compare_flame_totals
    fi
    if wanted flame-speed; then
        echo 'From perf.data to a flame graph:'
        compare_flame_speed || missing=1
    fi
    if wanted flame-recorders; then
        echo 'Recorders of perfkit flame, two busy threads for 3 s, whole stacks, 997 Hz:'
        compare_flame_recorders
    fi
    return $missing
}
