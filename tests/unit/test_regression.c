/* Certified values: NIST Statistical Reference Datasets, linear regression. */
#include "stats/regression.h"

#include "check.h"

static void noint1_and_noint2_are_met_to_nine_digits(void **state) {
    (void)state;
    double x[11], y[11];
    for (size_t i = 0; i < 11; i++) {
        x[i] = 60 + (double)i;
        y[i] = 130 + (double)i;
    }
    pk_line line = pk_fit_through_origin(11, x, y);
    assert_near(line.slope, 2.07438016528926, 1e-13);
    assert_near(line.slope_error, 0.0165289256198347, 1e-9);
    assert_near(line.residual_sd, 3.56753034006338, 1e-9);
    assert_near(line.intercept, 0, 0);

    static const double x2[] = {4, 5, 6}, y2[] = {3, 4, 4};
    line = pk_fit_through_origin(3, x2, y2);
    assert_near(line.slope, 0.727272727272727, 1e-14);
    assert_near(line.slope_error, 0.0420827318078432, 1e-9);
    assert_near(line.residual_sd, 0.369274472937998, 1e-9);
}

static void norris_is_met_to_nine_digits(void **state) {
    (void)state;
    static const double y[] = {0.1,   338.8, 118.1, 888.0, 9.2,   228.1, 668.5, 998.5, 449.1,
                               778.9, 559.2, 0.3,   0.1,   778.1, 668.8, 339.3, 448.9, 10.8,
                               557.7, 228.3, 998.0, 888.8, 119.6, 0.3,   0.6,   557.6, 339.3,
                               888.0, 998.5, 778.9, 10.2,  117.6, 228.9, 668.4, 449.2, 0.2};
    static const double x[] = {0.2,   337.4, 118.2, 884.6, 10.1,  226.5, 666.3, 996.3, 448.6,
                               777.0, 558.2, 0.4,   0.6,   775.5, 666.9, 338.0, 447.5, 11.6,
                               556.0, 228.1, 995.8, 887.6, 120.2, 0.3,   0.3,   556.8, 339.1,
                               887.2, 999.0, 779.0, 11.1,  118.3, 229.2, 669.1, 448.9, 0.5};
    pk_line line = pk_fit_line(36, x, y);
    assert_near(line.intercept, -0.262323073774029, 1e-9);
    assert_near(line.slope, 1.00211681802045, 1e-13);
    assert_near(line.slope_error, 0.000429796848199937, 1e-9);
    assert_near(line.residual_sd, 0.884796396144373, 1e-9);
    assert_near(line.r2, 0.999993745883712, 1e-12);
}

/* R^2 of a line through the origin, by hand: y = 1 2 4 on x = 1 2 3 has slope 17/14, residuals
 * -3/14 -6/14 5/14, whose squares sum to 70/196; about the mean 7/3 the squares sum to 14/3. */
static void r2_is_about_the_mean(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3}, y[] = {1, 2, 4};
    pk_line line = pk_fit_through_origin(3, x, y);
    assert_near(line.slope, 17.0 / 14, 1e-15);
    assert_near(line.r2, 1 - (70.0 / 196) / (14.0 / 3), 1e-14);
}

static void a_perfect_line_leaves_nothing(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3}, y[] = {2, 4, 6};
    pk_line line = pk_fit_through_origin(3, x, y);
    assert_near(line.r2, 1, 0);
    assert_near(line.residual_sd, 0, 0);
    assert_near(pk_fit_through_origin(1, x, y).residual_sd, NAN, 0);
    assert_near(pk_fit_line(2, x, y).residual_sd, NAN, 0);
}

static void every_growth_is_told_from_the_others(void **state) {
    (void)state;
    static const double n[] = {2, 4, 8, 16, 24, 32};
    for (pk_growth growth = 0; growth < PK_GROWTHS; growth++) {
        double time[6];
        for (size_t i = 0; i < 6; i++) time[i] = 3.5 * pk_growth_value(growth, n[i]);
        pk_complexity c = pk_fit_complexity(6, n, time);
        assert_string_equal(pk_growth_name(c.growth), pk_growth_name(growth));
        assert_near(c.coefficient, 3.5, 1e-13);
        assert_true(c.rms < 1e-13);
    }
}

/* By hand: n = 1 2 4, time 2 4 9 has for N the coefficient 46/21 and residuals -4/21 -8/21 5/21. */
static void coefficient_and_rms_by_hand(void **state) {
    (void)state;
    static const double n[] = {1, 2, 4}, time[] = {2, 4, 9};
    pk_complexity c = pk_fit_complexity(3, n, time);
    assert_int_equal(c.growth, PK_GROWTH_N);
    assert_near(c.coefficient, 46.0 / 21, 1e-14);
    assert_near(c.rms, sqrt(105.0 / 441 / 3) / 5, 1e-13);
}

static void two_different_sizes_say_nothing(void **state) {
    (void)state;
    static const double n[] = {10, 20, 20, 10}, time[] = {1, 2, 2, 1};
    assert_near(pk_fit_complexity(4, n, time).rms, NAN, 0);
    assert_near(pk_fit_complexity(0, n, time).rms, NAN, 0);
}

static void huge_sizes_do_not_break_the_exponentials(void **state) {
    (void)state;
    static const double n[] = {1e3, 1e5, 1e6}, time[] = {1e3, 1e5, 1e6};
    pk_complexity c = pk_fit_complexity(3, n, time);
    assert_int_equal(c.growth, PK_GROWTH_N);
    assert_near(c.coefficient, 1, 1e-14);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noint1_and_noint2_are_met_to_nine_digits),
        cmocka_unit_test(norris_is_met_to_nine_digits),
        cmocka_unit_test(r2_is_about_the_mean),
        cmocka_unit_test(a_perfect_line_leaves_nothing),
        cmocka_unit_test(every_growth_is_told_from_the_others),
        cmocka_unit_test(coefficient_and_rms_by_hand),
        cmocka_unit_test(two_different_sizes_say_nothing),
        cmocka_unit_test(huge_sizes_do_not_break_the_exponentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
