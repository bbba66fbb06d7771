#include "stats/verdict.h"
#include "stats/student.h"

#include "check.h"

static const pk_verdict_rule rule = {.threshold = 0.01, .equivalence = 0.02, .confidence = 0.95};
static const pk_verdict_rule strict = {
    .threshold = 0.01, .equivalence = 0.02, .confidence = 0.95, .strict = true};

/* A verdict on a change of `ratio` with an interval of +- half (of the log), from 140 workers. */
static pk_verdict judge(const pk_verdict_rule *by, double ratio, double half) {
    return pk_verdict_of_log(by, log1p(ratio), half / pk_student_quantile(0.975, 139), 139, 140);
}

static void the_rules_in_their_order(void **state) {
    (void)state;
    static const struct {
        double ratio, half;
        pk_verdict_word word, strictly;
    } cases[] = {
        {0.03, 0.005, PK_REGRESSED, PK_REGRESSED},
        {-0.03, 0.005, PK_IMPROVED, PK_IMPROVED},
        {0.03, 0.025, PK_REGRESSED, PK_CANNOT_TELL}, /* excludes 0, not 1 % */
        {-0.03, 0.025, PK_IMPROVED, PK_CANNOT_TELL},
        {0.03, 0.035, PK_CANNOT_TELL, PK_CANNOT_TELL}, /* includes 0 */
        {0.009, 0.001, PK_NO_CHANGE, PK_NO_CHANGE},    /* sure, but too small */
        {0.012, 0.001, PK_REGRESSED, PK_REGRESSED},    /* within +-2 %, but beyond 1 % first */
        {0.012, 0.005, PK_REGRESSED, PK_NO_CHANGE},
        {0.0, 0.019, PK_NO_CHANGE, PK_NO_CHANGE},
        {0.0, 0.021, PK_CANNOT_TELL, PK_CANNOT_TELL},
        {0.009, 0.015, PK_CANNOT_TELL, PK_CANNOT_TELL}, /* up to 2.4 % */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_verdict v = judge(&rule, cases[i].ratio, cases[i].half);
        assert_int_equal(v.word, cases[i].word);
        assert_near(v.estimate, cases[i].ratio, 1e-12);
        assert_near(v.low, (1 + cases[i].ratio) * exp(-cases[i].half) - 1, 1e-9);
        assert_near(v.high, (1 + cases[i].ratio) * exp(cases[i].half) - 1, 1e-9);
        assert_int_equal(judge(&strict, cases[i].ratio, cases[i].half).word, cases[i].strictly);
    }
}

static void swapping_the_sides_swaps_the_verdict(void **state) {
    (void)state;
    pk_verdict slower = pk_verdict_of_log(&rule, 0.03, 0.002, 50, 51);
    pk_verdict faster = pk_verdict_of_log(&rule, -0.03, 0.002, 50, 51);
    assert_int_equal(slower.word, PK_REGRESSED);
    assert_int_equal(faster.word, PK_IMPROVED);
    assert_near((1 + slower.low) * (1 + faster.high), 1, 1e-14);
    assert_near(slower.p_zero, faster.p_zero, 1e-12);
}

static void the_bound_is_rounded_up_to_two_digits(void **state) {
    (void)state;
    static const struct {
        double bound, rounded;
    } cases[] = {{0.00381, 0.0039}, {0.0039, 0.0039}, {0.00399, 0.0040}, {0.0101, 0.011}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* about 0 the upper bound is the larger one */
        pk_verdict v = judge(&rule, 0, log1p(cases[i].bound));
        assert_int_equal(v.word, PK_NO_CHANGE);
        assert_near(v.bound, cases[i].rounded, 1e-9);
        assert_true(v.bound >= v.high * (1 - 1e-9));
    }
    assert_near(judge(&rule, 0.05, 0.001).bound, NAN, 0);
}

static void p_asks_whether_the_change_is_beyond_the_threshold(void **state) {
    (void)state;
    double d = log1p(0.03), se = 0.004;
    pk_verdict v = pk_verdict_of_log(&rule, d, se, 30, 31);
    assert_near(v.p, 2 * pk_student_cdf(-(d - log1p(0.01)) / se, 30), 1e-12);
    assert_near(v.p_zero, 2 * pk_student_cdf(-d / se, 30), 1e-12);
    assert_near(pk_verdict_of_log(&rule, log1p(0.005), se, 30, 31).p, 1, 0);
    /* without spread the numbers speak for themselves */
    assert_near(pk_verdict_of_log(&rule, 0.05, 0, 30, 31).p_zero, 0, 0);
    assert_near(pk_verdict_of_log(&rule, 0, 0, 30, 31).p_zero, 1, 0);
    assert_int_equal(pk_verdict_of_log(&rule, 0, 0, 30, 31).word, PK_NO_CHANGE);
}

static void workers_needed_grow_with_the_square_of_the_width(void **state) {
    (void)state;
    assert_int_equal(judge(&rule, 0, 2 * log1p(0.01) * (1 - 1e-9)).workers_needed, 4 * 140);
    assert_int_equal(judge(&rule, 0, 0.5 * log1p(0.01) * (1 - 1e-9)).workers_needed, 35);
    assert_int_equal(pk_verdict_of_log(&rule, 0, 0.02, 12, 0).workers_needed, 0);
}

static void unknown_is_cannot_tell(void **state) {
    (void)state;
    pk_verdict v = pk_verdict_of_log(&rule, 0.5, NAN, 12, 140);
    assert_int_equal(v.word, PK_CANNOT_TELL);
    assert_near(v.estimate, expm1(0.5), 1e-15);
    assert_near(v.low, NAN, 0);
    assert_near(v.p, NAN, 0);
    assert_near(v.p_zero, NAN, 0);
    assert_int_equal(v.workers_needed, 0);
    assert_int_equal(pk_verdict_of_log(&rule, NAN, NAN, 0, 0).word, PK_CANNOT_TELL);
    assert_string_equal(pk_verdict_name(PK_CANNOT_TELL), "cannot tell");
}

/* Four tests at 5 %: 0.005 <= 0.05/4 and 0.01 <= 0.05/3, but 0.03 > 0.05/2: the rest stands,
 * although 0.04 <= 0.05/1. */
static void holm_stops_at_the_first_that_is_not_small_enough(void **state) {
    (void)state;
    static const double p[] = {0.01, 0.04, 0.03, 0.005};
    bool rejected[4];
    pk_holm(4, p, 0.05, rejected);
    assert_true(rejected[0]);
    assert_false(rejected[1]);
    assert_false(rejected[2]);
    assert_true(rejected[3]);
}

static void holm_counts_only_what_was_tested(void **state) {
    (void)state;
    static const double p[] = {NAN, 0.04, NAN};
    bool rejected[3] = {true, false, true};
    pk_holm(3, p, 0.05, rejected);
    assert_false(rejected[0]);
    assert_true(rejected[1]);
    assert_false(rejected[2]);
    pk_holm(0, p, 0.05, rejected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_in_their_order),
        cmocka_unit_test(swapping_the_sides_swaps_the_verdict),
        cmocka_unit_test(the_bound_is_rounded_up_to_two_digits),
        cmocka_unit_test(p_asks_whether_the_change_is_beyond_the_threshold),
        cmocka_unit_test(workers_needed_grow_with_the_square_of_the_width),
        cmocka_unit_test(unknown_is_cannot_tell),
        cmocka_unit_test(holm_stops_at_the_first_that_is_not_small_enough),
        cmocka_unit_test(holm_counts_only_what_was_tested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
