#include "stats/student.h"

#include "check.h"

#define DIGITS_8 2.6e-9 /* half of the eighth decimal of 1.9 */

static void quantiles_are_those_of_the_tables(void **state) {
    (void)state;
    static const struct {
        double df, t;
    } cases[] = {
        {1, 12.70620474}, {2, 4.30265273},  {4, 2.77644511},  {11, 2.20098516},
        {23, 2.06865761}, {30, 2.04227246}, {99, 1.98421695}, {139, 1.97717772},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_near(pk_student_quantile(0.975, cases[i].df), cases[i].t, DIGITS_8);
        assert_near(pk_student_quantile(0.025, cases[i].df), -cases[i].t, DIGITS_8);
    }
    /* many degrees of freedom: the normal's z + (z^3 + z) / (4 df) + ... */
    double z = 1.959963984540054;
    assert_near(pk_student_quantile(0.975, 1e6), z + (z * z * z + z) / 4e6, 1e-9);
}

/* One and two degrees of freedom have closed forms. */
static void quantiles_meet_the_closed_forms_far_out(void **state) {
    (void)state;
    for (double tail = 0.4; tail > 1e-12; tail /= 7) {
        assert_near(pk_student_quantile(tail, 1), -1 / tan(M_PI * tail), 1e-10);
        double two = (1 - 2 * tail) / sqrt(2 * tail * (1 - tail));
        assert_near(pk_student_quantile(tail, 2), -two, 1e-10);
        assert_near(pk_student_cdf(-two, 2), tail, 1e-10);
        assert_near(pk_student_cdf(-1 / tan(M_PI * tail), 1), tail, 1e-10);
    }
}

static void quantile_inverts_the_distribution(void **state) {
    (void)state;
    static const double df[] = {0.5, 1, 3, 7.3, 30, 139, 5000, 1e6};
    for (size_t i = 0; i < sizeof df / sizeof df[0]; i++)
        for (double p = 0.0001; p < 1; p += 0.0137)
            assert_near(pk_student_cdf(pk_student_quantile(p, df[i]), df[i]), p, 1e-10);
    assert_near(pk_student_quantile(0.5, 7), 0, 1e-12);
    assert_near(pk_student_cdf(INFINITY, 7), 1, 0);
    assert_near(pk_student_cdf(-INFINITY, 7), 0, 0);
}

static void outside_the_domain_is_nan(void **state) {
    (void)state;
    assert_near(pk_student_quantile(0, 5), NAN, 0);
    assert_near(pk_student_quantile(1, 5), NAN, 0);
    assert_near(pk_student_quantile(0.5, 0), NAN, 0);
    assert_near(pk_student_quantile(0.5, NAN), NAN, 0);
    assert_near(pk_student_cdf(NAN, 5), NAN, 0);
    assert_near(pk_beta_regularised(0.5, 0, 1), NAN, 0);
}

static void beta_meets_its_closed_forms(void **state) {
    (void)state;
    for (double x = 0.01; x < 1; x += 0.07)
        for (double a = 0.25; a < 2000; a *= 3) {
            assert_near(pk_beta_regularised(x, a, 1), pow(x, a), 1e-11);
            assert_near(pk_beta_regularised(x, 1, a), -expm1(a * log1p(-x)), 1e-11);
            assert_near(pk_beta_regularised(x, a, 7) + pk_beta_regularised(1 - x, 7, a), 1, 1e-11);
        }
    assert_near(pk_beta_regularised(0, 2, 3), 0, 0);
    assert_near(pk_beta_regularised(1, 2, 3), 1, 0);
}

static void binomial_is_the_sum_of_its_terms(void **state) {
    (void)state;
    double sum = 0, term = pow(0.7, 20);
    for (uint64_t k = 0; k <= 20; k++) {
        sum += term;
        assert_near(pk_binomial_cdf(k, 20, 0.3), sum, 1e-12);
        term *= (double)(20 - k) / (double)(k + 1) * 0.3 / 0.7;
    }
    assert_int_equal(pk_binomial_quantile(0.025, 20, 0.5), 6);
    assert_int_equal(pk_binomial_quantile(0.975, 20, 0.5), 14);
    assert_int_equal(pk_binomial_quantile(0.5, 1000000, 0.5), 500000);
    assert_int_equal(pk_binomial_quantile(1, 7, 0.5), 7);
}

static void normal_has_its_known_values(void **state) {
    (void)state;
    assert_near(pk_normal_cdf(0), 0.5, 0);
    assert_near(pk_normal_cdf(1.959963984540054), 0.975, 1e-14);
    assert_near(pk_normal_cdf(-6), 9.865876450376981e-10, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_tables),
        cmocka_unit_test(quantiles_meet_the_closed_forms_far_out),
        cmocka_unit_test(quantile_inverts_the_distribution),
        cmocka_unit_test(outside_the_domain_is_nan),
        cmocka_unit_test(beta_meets_its_closed_forms),
        cmocka_unit_test(binomial_is_the_sum_of_its_terms),
        cmocka_unit_test(normal_has_its_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
