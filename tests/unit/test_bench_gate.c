/* The gate over several benchmarks: Holm's correction worked by hand. */
#include "bench_result.h"

#include "bench/gate.h"

/* Adds a benchmark with this verdict and this p of "beyond the threshold". */
static void add(pk_bench_report *report, const char *name, pk_verdict_word word, double change,
                double p) {
    pk_bench_result *r = bench_add(report, "g", name, NULL, 100, 1);
    bench_compare(report, r, PK_CHANGE_LIVE, word, change, 0.001);
    r->change.verdict.p = p;
}

static pk_bench_gate_result judged(pk_bench_gate gate, const pk_bench_report *report) {
    pk_bench_gate_result g;
    pk_err err = {0};
    assert_ok(pk_bench_gate_judge(gate, report, &g, &err), &err);
    return g;
}

static void holm_wants_more_of_each_the_more_there_are(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    /* alone, 0.03 is below 0.05; among two, the smallest p has to be below 0.025 */
    add(&report, "a", PK_REGRESSED, 0.03, 0.03);
    pk_bench_gate_result g = judged(PK_GATE_REGRESSED, &report);
    assert_true(g.failed);
    assert_int_equal(g.failures, 1);
    assert_string_equal(g.first->id, "g/a");
    assert_near(g.level, 0.05, 1e-12);
    add(&report, "b", PK_NO_CHANGE, 0.001, 0.9);
    g = judged(PK_GATE_REGRESSED, &report);
    assert_false(g.failed);
    assert_null(g.first);
    assert_int_equal(g.compared, 2);
    assert_int_equal(g.regressed, 1); /* as it is printed */
    assert_int_equal(g.unchanged, 1);
    /* 0.001 < 0.05/3, then 0.02 < 0.05/2, then 0.03 < 0.05: all three of four fall */
    report.results[1].change.verdict.p = 0.001;
    report.results[1].change.verdict.estimate = 0.2;
    add(&report, "c", PK_REGRESSED, 0.02, 0.02);
    g = judged(PK_GATE_REGRESSED, &report);
    assert_int_equal(g.failures, 3);
    bench_report_end(&report);
}

static void what_became_faster_is_in_the_family_but_no_failure(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    add(&report, "faster", PK_IMPROVED, -0.2, 1e-9);
    assert_false(judged(PK_GATE_REGRESSED, &report).failed);
    add(&report, "slower", PK_REGRESSED, 0.2, 1e-9);
    pk_bench_gate_result g = judged(PK_GATE_REGRESSED, &report);
    assert_int_equal(g.failures, 1);
    assert_string_equal(g.first->id, "g/slower");
    bench_report_end(&report);
}

static void unknown_p_is_no_regression(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    add(&report, "a", PK_CANNOT_TELL, 0.2, NAN);
    assert_false(judged(PK_GATE_REGRESSED, &report).failed);
    bench_report_end(&report);
}

static void failed_refused_and_new_ones_are_not_compared(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add(&report, "g", "new", NULL, 100, 1);
    add(&report, "failed", PK_REGRESSED, 0.5, 1e-9);
    report.results[1].failed = true;
    add(&report, "refused", PK_REGRESSED, 0.5, 1e-9);
    snprintf(report.results[2].change.refused, sizeof report.results[2].change.refused, "noisy");
    pk_bench_gate_result g = judged(PK_GATE_REGRESSED, &report);
    assert_false(g.failed);
    assert_int_equal(g.compared, 0);
    g = judged(PK_GATE_NOT_UNCHANGED, &report); /* but none of them is known to be unchanged */
    assert_int_equal(g.failures, 3);
    bench_report_end(&report);
}

static void not_unchanged_takes_nothing_but_no_change(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    add(&report, "a", PK_NO_CHANGE, 0.001, 0.9);
    assert_false(judged(PK_GATE_NOT_UNCHANGED, &report).failed);
    assert_false(judged(PK_GATE_NONE, &report).failed);
    add(&report, "b", PK_CANNOT_TELL, 0.001, 0.9);
    add(&report, "c", PK_IMPROVED, -0.1, 1e-9);
    pk_bench_gate_result g = judged(PK_GATE_NOT_UNCHANGED, &report);
    assert_int_equal(g.failures, 2);
    assert_string_equal(g.first->id, "g/b");
    assert_false(judged(PK_GATE_NONE, &report).failed);
    bench_report_end(&report);
}

static void without_benchmarks_nothing_fails(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    assert_false(judged(PK_GATE_REGRESSED, &report).failed);
    assert_false(judged(PK_GATE_NOT_UNCHANGED, &report).failed);
    bench_report_end(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holm_wants_more_of_each_the_more_there_are),
        cmocka_unit_test(what_became_faster_is_in_the_family_but_no_failure),
        cmocka_unit_test(unknown_p_is_no_regression),
        cmocka_unit_test(failed_refused_and_new_ones_are_not_compared),
        cmocka_unit_test(not_unchanged_takes_nothing_but_no_change),
        cmocka_unit_test(without_benchmarks_nothing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
