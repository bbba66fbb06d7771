# What each tool's requests cost, beside one of them.
#
#   awk -f table.awk -v base=NAME [-v goals="NAME=RATIO ..."] [-v titles="NAME=TITLE;..."]
#       [-v window=N] [-v spread=1] [-v unit=us] FILE
#
# Rows stand in the order of titles, or as the file names them first.
#
# FILE has lines "ROUND NAME CPU_NS REQUESTS". A row shows the median of ns per request over the
# rounds, the median of its ratios to the base in the same rounds, and their range. Tools with a
# goal, and the base, take the last `window` rounds they have (0: all), all others all rounds.
# unit: of the times, us or ms.
# spread=1 prints only how far the base's figures are apart, (max - min) / median, in percent of
# the last `window` rounds.

function sort(v, n,    i, j, t) {
    for (i = 2; i <= n; i++) {
        t = v[i]
        for (j = i - 1; j >= 1 && v[j] > t; j--) v[j + 1] = v[j]
        v[j + 1] = t
    }
}

function median(v, n) { return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }

# "NAME=VALUE" parts of text into values[NAME] and, in their order, names[1..]; returns how many.
function read_list(text, separator, values, names,    parts, n, i, at) {
    n = split(text, parts, separator)
    for (i = 1; i <= n; i++) {
        at = index(parts[i], "=")
        names[i] = substr(parts[i], 1, at - 1)
        values[names[i]] = substr(parts[i], at + 1)
    }
    return n
}

# Sets cost[1..n], ratio[1..n_ratios], both sorted; returns n.
function collect(name,    first, r, n) {
    first = window && (name in goal || name == base) ? last[name] - window + 1 : 1
    n = n_ratios = 0
    for (r = first; r <= last[name]; r++) {
        if (!((r, name) in ns)) continue
        cost[++n] = ns[r, name]
        if ((r, base) in ns) ratio[++n_ratios] = ns[r, name] / ns[r, base]
    }
    sort(cost, n)
    sort(ratio, n_ratios)
    return n
}

function row(name,    n, text, m) {
    if (!(name in last)) return
    n = collect(name)
    text = sprintf("    %-24s %8.2f %s", name in title ? title[name] : name, median(cost, n) / divisor, unit)
    if (name == base) {
        text = text sprintf("   1.00  (its own range %.0f %%)",
            100 * (cost[n] - cost[1]) / median(cost, n))
    } else if (n_ratios) {
        m = median(ratio, n_ratios)
        text = text sprintf("   %.2f  (%.2f .. %.2f, %d rounds)", m, ratio[1], ratio[n_ratios], n_ratios)
        # Compared as it is printed, or 0.82 would miss a goal of 0.82.
        if (name in goal)
            text = text sprintf("  goal %s: %s", goal[name], sprintf("%.2f", m) + 0 <= goal[name] + 0 ? "met" : "missed")
    }
    print text
}

BEGIN {
    if (unit == "") unit = "us"
    divisor = unit == "ms" ? 1e6 : 1000
    read_list(goals, " ", goal, unused)
    n_names = read_list(titles, ";", title, order)
}

{
    if (!($2 in last) && !titles) order[++n_names] = $2
    ns[$1, $2] = $3 / $4
    if ($1 > last[$2]) last[$2] = $1
}

END {
    if (spread) {
        n = collect(base)
        printf "%.1f\n", n ? 100 * (cost[n] - cost[1]) / median(cost, n) : 0
        exit
    }
    for (i = 1; i <= n_names; i++) row(order[i])
}
