# For the tests of `perfkit time` and of what it does when called as hyperfine.
load "${BASH_SOURCE[0]%/*}/helper"

time_setup() {
    perfkit_setup
    unset CRITERION_HOME CARGO_TARGET_DIR
    ln -s "$PERFKIT" hyperfine # the link that tests call as ./hyperfine
}
setup() { time_setup; }

# hf ARG...: as `pk`, by hyperfine's name.
hf() { run --separate-stderr timeout --foreground --kill-after=5 "${PK_LIMIT_S:-60}" ./hyperfine "$@"; }

# The real one, if it is installed; links of ours do not count.
real_hyperfine() {
    local path
    path=$(type -P "${HYPERFINE:-hyperfine}") || return 1
    [[ $("$path" --version) =~ ^hyperfine\ ([0-9.]+)$ ]] || return 1
    REAL=$path REAL_VERSION=${BASH_REMATCH[1]}
}
need_real() { real_hyperfine || skip "hyperfine is not installed"; }

# real_has VERSION: is the real one at least that new?
real_has() { [[ $(printf '%s\n' "$1" "$REAL_VERSION" | sort -V | head -n 1) == "$1" ]]; }

# Figures made equal, and the blanks that align them.
normalised() { sed -E "s/[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g; s/(\[|N )(µs|ms|s)\b/\1u/g"; }
