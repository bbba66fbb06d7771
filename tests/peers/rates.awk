# What verdicts came out: for tests/peers/bench-rates.
#
#   awk -f rates.awk FILE
#
# FILE has lines "KIND BENCHMARK WORD CHANGE"; WORD is improved, regressed, no-change, cannot-tell,
# refused, none or failed. A/A: improved and regressed are false. Otherwise: regressed is right.

{
    if (!($1 in known_kind)) kind[++n_kinds] = $1
    if (!($2 in known_name)) name[++n_names] = $2
    known_kind[$1] = known_name[$2] = 1
    count[$1, $2, $3]++
    count[$1, "all", $3]++
    total[$1, $2]++
    total[$1, "all"]++
    if ($4 != "-") { sum[$1, $2] += $4; n_sum[$1, $2]++ }
}

function row(k, b,    hits, n) {
    n = total[k, b]
    if (!n) return
    hits = count[k, b, "regressed"]
    if (k ~ /A\/A/) hits += count[k, b, "improved"]
    printf "    %-12s %4d of %4d %5.1f %%  %9d %9d %11d %11d %7d", b, hits, n, 100 * hits / n,
        count[k, b, "improved"], count[k, b, "regressed"], count[k, b, "no-change"], count[k, b, "cannot-tell"], count[k, b, "refused"]
    if (n_sum[k, b]) printf "  %+8.2f %%", 100 * sum[k, b] / n_sum[k, b]
    if (count[k, b, "failed"] + count[k, b, "none"])
        printf "  (%d failed, %d not compared)", count[k, b, "failed"], count[k, b, "none"]
    printf "\n"
}

END {
    for (i = 1; i <= n_kinds; i++) {
        k = kind[i]
        printf "  %s: %s\n", k, k ~ /A\/A/ ? "false verdicts" : "seen, that is called regressed"
        printf "    %-12s %20s  %9s %9s %11s %11s %7s  %s\n", "", "", "improved", "regressed", "no change", "cannot tell", "refused", "mean change"
        for (j = 1; j <= n_names; j++) row(k, name[j])
        row(k, "all")
    }
}
