# perfkit by inferno's names beside the real programs, where they are installed (cargo install
# inferno): the same frames at the same places with the same colours, and the same folded text.
load flame_helper

setup() {
    perfkit_setup
    local tool
    for tool in flamegraph collapse-perf diff-folded; do
        [[ $(realpath -- "$(type -P "inferno-$tool")" 2>/dev/null) != "$PERFKIT" ]] || skip "inferno-$tool is perfkit"
        type -P "inferno-$tool" >/dev/null || skip "inferno-$tool is not installed"
        ln -s "$PERFKIT" "inferno-$tool"
    done
    awk 'BEGIN {
        srand(7)
        split("main core::fmt::write Ljava/lang/String do_syscall_64_[k] ~/app/x.js:3 json.py std::vector<int,> a&b<c> -- [unknown] x.pl v8::Run", names, " ")
        for (i = 0; i < 300; i++) {
            line = "main"
            for (depth = int(rand() * 8); depth >= 0; depth--) line = line ";" names[1 + int(rand() * rand() * 12)]
            print line, 1 + int(rand() * rand() * 200)
        }
    }' >in.folded
}

# What is drawn: size, texts, and per frame its title, place and colour.
drawn() {
    grep -oE 'viewBox="[^"]*"|total_samples="[0-9]*"|id="(title|subtitle)"[^>]*>[^<]*<|<title>[^<]*</title>|<rect x="[0-9.]+%"[^>]*>|<text x="[0-9.]+%" y="[0-9.]+">[^<]*<|stop-color="[^"]*"' "$1" |
        sed -E 's/(id="(title|subtitle)")[^>]*>/\1 /'
}

@test "inferno-flamegraph: the same frames for all options" {
    local options n=0
    while IFS= read -r options; do
        # words by blanks, on purpose
        inferno-flamegraph $options in.folded >theirs.svg
        ./inferno-flamegraph $options in.folded >ours.svg
        diff <(drawn theirs.svg) <(drawn ours.svg) >changes || { echo "$options"; head -n 6 changes; return 1; }
        n=$((n + 1))
    done <<'END'

--deterministic
--hash
--inverted --subtitle below
--colordiffusion
--minwidth 1
--width 900 --height 20
--fontsize 14 --fontwidth 0.7 --fonttype Verdana
--countname ms --title x&y
--reverse
--reverse --inverted
--flamechart
--bgcolors blue
--bgcolors #ffffff
--colors mem --hash
--colors io
--colors wakeup
--colors java
--colors js
--colors perl
--colors python
--colors rust
--colors red
--colors green
--colors blue
--colors aqua
--colors yellow
--colors purple
--colors orange
END
    [ "$n" -eq 29 ]
}

@test "inferno-collapse-perf: the same text for all options" {
    need_perf_text
    local options
    for options in "" --addrs --kernel --jit --all --pid --tid "--event-filter cpu-clock" "--skip-after main"; do
        inferno-collapse-perf -q $options <text >theirs
        ./inferno-collapse-perf -q $options <text >ours
        diff theirs ours || { echo "$options"; return 1; }
    done
    [ -s ours ]
}

need_perf_text() {
    perf record -q -F 999 -g -o perf.data "$FLAME/fp" --seconds 0.2 >/dev/null 2>&1 || skip "perf cannot record here"
    perf script -f -i perf.data >text 2>/dev/null || skip "perf script does not work here"
}

# But for stacks that -n has scaled to nothing on both sides.
@test "inferno-diff-folded: the same lines for all options" {
    sed 's/ [0-9]*$/ 7/; /json/d' in.folded >after.folded
    local options
    for options in "" -n -s "-n -s"; do
        inferno-diff-folded $options in.folded after.folded 2>/dev/null | grep -v ' 0 0$' | LC_ALL=C sort >theirs
        ./inferno-diff-folded $options in.folded after.folded | LC_ALL=C sort >ours
        diff theirs ours || { echo "$options"; return 1; }
    done
}
