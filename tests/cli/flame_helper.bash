# For the tests of `perfkit flame`: targets of a known answer, and what their stacks come to.
load "${BASH_SOURCE[0]%/*}/helper"

FLAME=$(dirname -- "$PERFKIT")/tests/flame
export FLAME

# fl ARG...: `perfkit flame`, its folded stacks in ./out.folded.
fl() { pk flame -o out.folded "$@"; }

# share REGEX [FILE]: percent of the weight in stacks that this matches, with two decimals.
share() {
    awk -v regex="$1" '{ n += $NF } $0 ~ regex { part += $NF } END { printf "%.2f\n", n ? 100 * part / n : 0 }' \
        "${2:-out.folded}"
}

# between VALUE LOW HIGH
between() {
    awk -v x="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(x >= low && x <= high) }' && return 0
    echo "$1 is not between $2 and $3" >&2
    return 1
}

# seventy_thirty [FUNCTION FUNCTION]: the shares of the two functions, and that stacks reach main, or
# where their thread began.
seventy_thirty() {
    local seventy=${1:-;seventy[; ]} thirty=${2:-;thirty[; ]}
    between "$(share "$seventy")" 67 73 || return 1
    between "$(share "$thirty")" 27 33 || return 1
    between "$(share ';(main|_start|start_thread|clone3|__clone|std::rt::lang_start)[; ]')" 99 100
}

# The recorders of this machine, in $RECORDERS; for setup_file.
find_recorders() {
    RECORDERS= WHY_NONE=
    cd "$BATS_FILE_TMPDIR" || return 1
    local recorder said
    for recorder in builtin perf; do
        if said=$(timeout 20 "$PERFKIT" flame --recorder $recorder -o probe.folded --ignore-status -q \
            -- "$FLAME/burner" --seconds 0.1 2>&1); then
            RECORDERS+=" $recorder"
        else
            WHY_NONE+="$said "
        fi
    done
    export RECORDERS WHY_NONE
}

need_recorder() { # [NAME]
    [[ -n $RECORDERS && " $RECORDERS " == *" ${1:-${RECORDERS##* }} "* ]] || skip "cannot record here: $WHY_NONE"
}

need_file() { [[ -x $1 ]] || skip "the compiler of ${1##*/} is not installed"; }
