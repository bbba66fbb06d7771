#include "bench/gate.h"

#include <math.h>
#include <stdlib.h>

static bool is_compared(const pk_bench_result *r) {
    return !r->failed && r->change.source != PK_CHANGE_NONE && !r->change.refused[0];
}

static void count_failure(pk_bench_gate_result *result, const pk_bench_result *r) {
    if (!result->first) result->first = r;
    result->failures++;
}

static void count_verdict(pk_bench_gate_result *result, const pk_bench_result *r) {
    if (!is_compared(r)) return;
    result->compared++;
    result->regressed += r->change.verdict.word == PK_REGRESSED;
    result->unchanged += r->change.verdict.word == PK_NO_CHANGE;
}

/* Faster ones are in the family too: they have been looked at as well. */
static bool judge_regressed(const pk_bench_report *report, pk_bench_gate_result *result,
                            pk_err *err) {
    size_t n = report->n_results;
    double *p = calloc(n + 1, sizeof *p);
    bool *rejected = calloc(n + 1, sizeof *rejected);
    if (p && rejected) {
        for (size_t i = 0; i < n; i++)
            p[i] = is_compared(&report->results[i]) ? report->results[i].change.verdict.p : NAN;
        pk_holm(n, p, result->level, rejected);
        for (size_t i = 0; i < n; i++)
            if (rejected[i] && report->results[i].change.verdict.estimate > 0)
                count_failure(result, &report->results[i]);
    } else {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for the gate over %zu benchmarks", n);
    }
    bool ok = p && rejected;
    free(p);
    free(rejected);
    return ok;
}

bool pk_bench_gate_judge(pk_bench_gate gate, const pk_bench_report *report,
                         pk_bench_gate_result *result, pk_err *err) {
    pk_bench_gate_result judged = {.level = 0.05};
    if (report->n_results > 0) judged.level = 1 - report->results[0].confidence_level;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_bench_result *r = &report->results[i];
        count_verdict(&judged, r);
        bool unchanged = is_compared(r) && r->change.verdict.word == PK_NO_CHANGE;
        if (gate == PK_GATE_NOT_UNCHANGED && !unchanged) count_failure(&judged, r);
    }
    if (gate == PK_GATE_REGRESSED && !judge_regressed(report, &judged, err)) return false;
    judged.failed = judged.failures > 0;
    *result = judged;
    return true;
}
