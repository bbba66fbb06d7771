/* Certified values: NIST Statistical Reference Datasets, analysis of variance and univariate. */
#include "stats/components.h"

#include "check.h"
#include "nist.h"

static void sirstv_is_met_to_nine_digits(void **state) {
    (void)state;
    static const double x[5][5] = {
        {196.3052, 196.1240, 196.1890, 196.2569, 196.3403},
        {196.3042, 196.3825, 196.1669, 196.3257, 196.0422},
        {196.1303, 196.2005, 196.2889, 196.0343, 196.1811},
        {196.2795, 196.1748, 196.1494, 196.1485, 195.9885},
        {196.2119, 196.1051, 196.1850, 196.0052, 196.2090},
    };
    static const size_t n[] = {5, 5, 5, 5, 5};
    const double *groups[] = {x[0], x[1], x[2], x[3], x[4]};
    pk_components c = pk_variance_components(5, n, groups);
    assert_near(c.between_ss, 0.0511462616, 1e-9);
    assert_near(c.within_ss, 0.216636560, 1e-9);
    assert_near(c.f, 1.18046237440255, 1e-9);
    assert_near(c.residual_sd, 0.104076068334656, 1e-9);
    assert_near(c.within_variance, 0.216636560 / 20, 1e-9);
    assert_near(c.between_variance, (0.0511462616 / 4 - 0.216636560 / 20) / 5, 1e-8);
}

/* SmLs01..09: nine groups about 1.4, 1.3, 1.5, 1.3, ..; each its centre once, then alternately a
 * tenth below and above; on top of 0, 1e6 or 1e12. */
static pk_components sm_ls(size_t n, double base) {
    static const int tenths[9] = {14, 13, 15, 13, 15, 13, 15, 13, 15};
    double *x[9];
    size_t sizes[9];
    for (size_t g = 0; g < 9; g++) {
        sizes[g] = n;
        x[g] = calloc(n, sizeof x[g][0]);
        assert_non_null(x[g]);
        for (size_t i = 0; i < n; i++) {
            int step = i == 0 ? 0 : i % 2 ? -1 : 1;
            x[g][i] = base + (tenths[g] + step) / 10.0;
        }
    }
    pk_components c = pk_variance_components(9, sizes, (const double *const *)x);
    for (size_t g = 0; g < 9; g++) free(x[g]);
    return c;
}

static void smls_1_to_9_are_met_to_what_doubles_hold(void **state) {
    (void)state;
    static const size_t n[] = {21, 201, 2001};
    /* near 1e6 a double is off by up to 6e-11, near 1e12 by 6e-5: of a deviation of 0.1 */
    static const struct {
        double base, relative;
    } levels[] = {{0, 1e-12}, {1e6, 1e-8}, {1e12, 5e-3}};
    for (size_t level = 0; level < 3; level++)
        for (size_t i = 0; i < 3; i++) {
            pk_components c = sm_ls(n[i], levels[level].base);
            assert_near(c.f, (double)n[i], levels[level].relative);
            assert_near(c.residual_sd, 0.1, levels[level].relative);
        }
}

static void no_variance_between_equal_groups(void **state) {
    (void)state;
    static const double a[] = {1, 2, 3}, b[] = {1, 2, 3, 2};
    static const size_t n[] = {3, 4};
    const double *groups[] = {a, b};
    pk_components c = pk_variance_components(2, n, groups);
    assert_near(c.between_ss, 0, 0);
    assert_near(c.between_variance, 0, 0);
    assert_near(c.within_ss, 4, 1e-15);
    assert_near(c.within_variance, 0.8, 1e-15);
}

static void autocorrelation_is_met_to_nine_digits(void **state) {
    (void)state;
    static const double first[] = {10000001, 10000003, 10000002};
    double x[1001];
    assert_near(pk_autocorrelation(3, first), -0.5, 1e-12);
    assert_near(pk_autocorrelation(50, nist_mavro), 0.937989183438248, 1e-9);
    nist_michelso(x);
    assert_near(pk_autocorrelation(100, x), 0.535199668621283, 1e-9);
    nist_num_acc(1.1, 1.2, 1.3, x);
    assert_near(pk_autocorrelation(1001, x), -0.999, 1e-12);
    nist_num_acc(1000000.1, 1000000.2, 1000000.3, x);
    assert_near(pk_autocorrelation(1001, x), -0.999, 1e-8);
    nist_num_acc(10000000.1, 10000000.2, 10000000.3, x);
    assert_near(pk_autocorrelation(1001, x), -0.999, 1e-8);
}

static void autocorrelation_of_nothing_is_nan(void **state) {
    (void)state;
    static const double same[] = {5, 5, 5, 5};
    assert_near(pk_autocorrelation(2, nist_mavro), NAN, 0);
    assert_near(pk_autocorrelation(4, same), NAN, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sirstv_is_met_to_nine_digits),
        cmocka_unit_test(smls_1_to_9_are_met_to_what_doubles_hold),
        cmocka_unit_test(no_variance_between_equal_groups),
        cmocka_unit_test(autocorrelation_is_met_to_nine_digits),
        cmocka_unit_test(autocorrelation_of_nothing_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
