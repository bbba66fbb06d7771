# For the tests of `perfkit alloc`: targets of a known answer, and what their stacks come to.
load "${BASH_SOURCE[0]%/*}/helper"

ALLOC=$(dirname -- "$PERFKIT")/tests/alloc
export ALLOC

# al WEIGHT ARG...: `perfkit alloc`, its folded stacks of this weight in ./out.folded; what fails is
# shown.
al() {
    pk alloc -q --weight "$1" -o out.folded "${@:2}"
    [[ $status -eq 0 ]] || printf 'status %s\n%s\n' "$status" "$stderr" >&2
}

# sum REGEX [FILE]: the weight of all stacks that this matches.
sum() {
    awk -v regex="$1" '$0 ~ regex { n += $NF } END { printf "%d\n", n }' "${2:-out.folded}"
}

# is REGEX NUMBER [REGEX NUMBER...]: the sums of out.folded.
is() {
    local n
    while (($# > 0)); do
        n=$(sum "$1")
        [[ $n -eq $2 ]] || { echo "$1: $n, not $2" >&2 && cat out.folded >&2 && return 1; }
        shift 2
    done
}

# all_reach REGEX: a part of every stack.
all_reach() {
    local others
    others=$(grep -vE "$1" out.folded || true)
    [[ -z $others && -s out.folded ]] && return 0
    printf 'not reached:\n%s\n' "$others" >&2
    return 1
}

need() { command -v "$1" >/dev/null || skip "$1 is not installed"; }
need_built() { [[ -x $ALLOC/$1 ]] || skip "what $1 is built with is not installed"; }
