/* Certified values: NIST Statistical Reference Datasets, univariate summary statistics,
 * https://www.itl.nist.gov/div898/strd/univ/homepage.html */
#include "stats/summary.h"

#include "check.h"
#include "nist.h"

#define DIGITS_8 0.5e-8

static pk_summary num_acc(double below, double middle, double above) {
    double x[1001];
    nist_num_acc(below, middle, above, x);
    return pk_summarize(x, 1001);
}

static void numacc_1_to_4_are_met_to_eight_digits(void **state) {
    (void)state;
    static const double first[] = {10000001, 10000003, 10000002};
    pk_summary s = pk_summarize(first, 3);
    assert_near(s.mean, 10000002, 0);
    assert_near(s.stddev, 1, 0);
    s = num_acc(1.1, 1.2, 1.3);
    assert_near(s.mean, 1.2, 1e-14);
    assert_near(s.stddev, 0.1, 1e-13);
    s = num_acc(1000000.1, 1000000.2, 1000000.3);
    assert_near(s.mean, 1000000.2, 1e-15);
    assert_near(s.stddev, 0.1, DIGITS_8);
    s = num_acc(10000000.1, 10000000.2, 10000000.3);
    assert_near(s.mean, 10000000.2, 1e-15);
    /* as doubles the values themselves are off by up to 9e-10, 0.9e-8 of the result */
    assert_near(s.stddev, 0.1, 1e-8);
}

static void michelso_is_met_to_eight_digits(void **state) {
    (void)state;
    double x[100];
    nist_michelso(x);
    pk_summary s = pk_summarize(x, 100);
    assert_near(s.mean, 299.8524, 1e-15);
    assert_near(s.stddev, 0.0790105478190518, DIGITS_8);
    assert_near(s.min, 299.62, 1e-15);
    assert_near(s.max, 300.07, 1e-15);
}

static void mavro_is_met_to_eight_digits(void **state) {
    (void)state;
    pk_summary s = pk_summarize(nist_mavro, 50);
    assert_near(s.mean, 2.001856, 1e-15);
    assert_near(s.stddev, 0.000429123454003053, DIGITS_8);
}

static void too_few_values_are_nan_not_zero(void **state) {
    (void)state;
    static const double one[] = {42};
    pk_summary s = pk_summarize(one, 0);
    assert_int_equal(s.n, 0);
    assert_near(s.mean, NAN, 0);
    assert_near(s.stddev, NAN, 0);
    assert_near(s.min, NAN, 0);
    assert_near(s.max, NAN, 0);
    s = pk_summarize(one, 1);
    assert_int_equal(s.n, 1);
    assert_near(s.mean, 42, 0);
    assert_near(s.stddev, NAN, 0);
    assert_near(s.min, 42, 0);
    assert_near(s.max, 42, 0);
}

static void equal_values_have_no_spread(void **state) {
    (void)state;
    double x[1000];
    for (size_t i = 0; i < 1000; i++) x[i] = 0.1;
    pk_summary s = pk_summarize(x, 1000);
    assert_near(s.mean, 0.1, 0);
    assert_near(s.stddev, 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numacc_1_to_4_are_met_to_eight_digits),
        cmocka_unit_test(michelso_is_met_to_eight_digits),
        cmocka_unit_test(mavro_is_met_to_eight_digits),
        cmocka_unit_test(too_few_values_are_nan_not_zero),
        cmocka_unit_test(equal_values_have_no_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
