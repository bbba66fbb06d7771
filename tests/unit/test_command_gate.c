#include "check.h"

#include "bench/command_gate.h"

static const pk_command_gate regressed = {.regressed = true, .slower = NAN};

/* A change with this estimate and p; the interval is +- half of the estimate. */
static pk_command_change change(double estimate, double p) {
    double half = fabs(estimate) / 2;
    return (pk_command_change){
        .compared = true,
        .verdict = {.estimate = estimate, .low = estimate - half, .high = estimate + half, .p = p}};
}

static pk_command_gate_result judge(const pk_command_gate *gate, pk_command_result results[],
                                    size_t n) {
    pk_command_report report = {.results = results, .n_results = n};
    pk_command_gate_result r;
    pk_err err = {0};
    assert_ok(pk_command_gate_judge(gate, 0.95, &report, &r, &err), &err);
    return r;
}

static void nothing_compared_passes(void **state) {
    (void)state;
    pk_command_result results[2] = {0};
    pk_command_gate_result r = judge(&regressed, results, 2);
    assert_false(r.failed);
    assert_int_equal(r.compared, 0);
    assert_null(r.first);
    assert_null(pk_command_gate_change(&regressed, &results[0]));
    assert_false(judge(&regressed, results, 0).failed);
}

/* Holm at 0.05 over three: the smallest p has to be below 0.05 / 3. */
static void tests_of_all_commands_are_corrected_together(void **state) {
    (void)state;
    pk_command_result results[3] = {0};
    results[0].change[0] = change(0.10, 0.02);
    pk_command_gate_result r = judge(&regressed, results, 3);
    assert_true(r.failed);
    assert_int_equal(r.compared, 1);
    assert_ptr_equal(r.first, &results[0]);
    results[1].change[0] = change(0.01, 0.9);
    results[2].change[0] = change(-0.01, 0.8);
    assert_false(judge(&regressed, results, 3).failed);
    results[0].change[0].verdict.p = 0.016;
    r = judge(&regressed, results, 3);
    assert_true(r.failed);
    assert_int_equal(r.compared, 3);
    assert_int_equal(r.failures, 1);
}

static void faster_is_no_failure(void **state) {
    (void)state;
    pk_command_result results[1] = {0};
    results[0].change[0] = change(-0.3, 1e-9);
    assert_false(judge(&regressed, results, 1).failed);
}

static void slower_means_the_whole_interval(void **state) {
    (void)state;
    const pk_command_gate gate = {.slower = 0.05};
    pk_command_result results[2] = {0};
    results[0].change[0] = change(0.10, 1); /* 5 .. 15 %: its end is the bound itself */
    assert_false(judge(&gate, results, 1).failed);
    results[1].change[0] = change(0.11, 1);
    pk_command_gate_result r = judge(&gate, results, 2);
    assert_true(r.failed);
    assert_int_equal(r.failures, 1);
    assert_ptr_equal(r.first, &results[1]);
    assert_false(judge(&regressed, results, 2).failed); /* the other gate does not look at it */
}

static void a_baseline_counts_alone(void **state) {
    (void)state;
    const pk_command_gate gate = {.stored = true, .regressed = true, .slower = NAN};
    pk_command_result results[2] = {0};
    results[0].change[0] = results[1].change[0] = change(0.5, 1e-9);
    results[0].stored[0] = change(0.001, 0.9);
    assert_ptr_equal(pk_command_gate_change(&gate, &results[0]), &results[0].stored[0]);
    pk_command_gate_result r = judge(&gate, results, 2);
    assert_false(r.failed);
    assert_int_equal(r.compared, 1); /* the other is not in the baseline */
    results[0].stored[0] = change(0.5, 1e-9);
    assert_true(judge(&gate, results, 2).failed);
    results[0].stored[0].refused = "the runs differ too much";
    assert_null(pk_command_gate_change(&gate, &results[0]));
    assert_false(judge(&gate, results, 2).failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_compared_passes),
        cmocka_unit_test(tests_of_all_commands_are_corrected_together),
        cmocka_unit_test(faster_is_no_failure),
        cmocka_unit_test(slower_means_the_whole_interval),
        cmocka_unit_test(a_baseline_counts_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
