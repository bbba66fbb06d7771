# Two profiles of one recording, as folded stacks: what each function has itself and with what it
# calls, in percent of all. Prints the functions whose shares differ, the most different first, and
# at the end the greatest difference.
#
#   awk -f functions.awk [-v least=0.5] [-v shown=20] [-v same=FILE] ours.folded theirs.folded
#
# least: percentage points below which a difference is not shown. same: lines "NAME<tab>NAME", two
# names of one function, of which the second one counts; clones (" [clone .isra.0]") count as what
# they are clones of with it.

function add(file, stack, weight,    frames, n, i, seen) {
    n = split(stack, frames, ";")
    if (same != "")
        for (i = 1; i <= n; i++) {
            sub(/ \[clone .*/, "", frames[i])
            if (frames[i] in other) frames[i] = other[frames[i]]
        }
    all[file] += weight
    self[file, frames[n]] += weight
    names[frames[n]] = 1
    for (i = 1; i <= n; i++) {
        if (frames[i] in seen) continue
        seen[frames[i]] = 1
        names[frames[i]] = 1
        total[file, frames[i]] += weight
    }
}

function share(of, file, name) {
    return all[file] ? 100 * of[file, name] / all[file] : 0
}

function differ(kind, of, name,    a, b, d) {
    a = share(of, 1, name)
    b = share(of, 2, name)
    d = a > b ? a - b : b - a
    if (d > most) most = d
    if (d < least) return
    printf "%9.3f  %-5s %9.3f %9.3f  %s\n", d, kind, a, b, name | sorted
    differences++
}

BEGIN {
    if (least == "") least = 0.5
    if (shown == "") shown = 20
    while (same != "" && (getline line < same) > 0) {
        split(line, pair, "\t")
        other[pair[1]] = pair[2]
    }
    sorted = "sort -k 1,1nr | head -n " shown
}

FNR == 1 { file++ }

match($0, / [0-9.]+$/) { add(file, substr($0, 1, RSTART - 1), substr($0, RSTART + 1)) }

END {
    for (name in names) {
        differ("self", self, name)
        differ("total", total, name)
    }
    close(sorted)
    printf "weights %.0f and %.0f; %d functions; %d shares differ by %s points or more; the most by %.3f\n",
        all[1], all[2], length(names), differences, least, most
    exit all[1] == 0 || all[2] == 0
}
