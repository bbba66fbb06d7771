#include "bench/command_gate.h"

#include <math.h>
#include <stdlib.h>

const pk_command_change *pk_command_gate_change(const pk_command_gate *gate,
                                                const pk_command_result *result) {
    const pk_command_change *change = gate->stored ? &result->stored[0] : &result->change[0];
    return change->compared && !change->refused ? change : NULL;
}

/* Faster ones are in the family too: they have been looked at as well. */
static bool test_all(const pk_command_gate *gate, double confidence,
                     const pk_command_report *report, bool rejected[], pk_err *err) {
    size_t n = report->n_results;
    double *p = calloc(n + 1, sizeof *p);
    if (!p) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for the gate over %zu commands", n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const pk_command_change *change = pk_command_gate_change(gate, &report->results[i]);
        p[i] = change ? change->verdict.p : NAN;
    }
    pk_holm(n, p, 1 - confidence, rejected);
    free(p);
    return true;
}

static bool is_failure(const pk_command_gate *gate, const pk_verdict *verdict, bool rejected) {
    if (gate->regressed && rejected && verdict->estimate > 0) return true;
    return verdict->low > gate->slower; /* never for NaN */
}

bool pk_command_gate_judge(const pk_command_gate *gate, double confidence,
                           const pk_command_report *report, pk_command_gate_result *result,
                           pk_err *err) {
    pk_command_gate_result judged = {0};
    bool *rejected = calloc(report->n_results + 1, sizeof *rejected);
    bool ok = rejected != NULL;
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "no memory for the gate");
    ok = ok && test_all(gate, confidence, report, rejected, err);
    for (size_t i = 0; ok && i < report->n_results; i++) {
        const pk_command_change *change = pk_command_gate_change(gate, &report->results[i]);
        if (!change) continue;
        judged.compared++;
        if (!is_failure(gate, &change->verdict, rejected[i])) continue;
        if (!judged.first) judged.first = &report->results[i];
        judged.failures++;
    }
    free(rejected);
    if (!ok) return false;
    judged.failed = judged.failures > 0;
    *result = judged;
    return true;
}
