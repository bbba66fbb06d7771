#include "stats/quantile.h"

#include "check.h"

static void rank_is_the_ceiling_of_the_decimal_product(void **state) {
    (void)state;
    static const struct {
        double q;
        uint64_t n, rank;
    } cases[] = {
        {0.5, 1, 1},
        {0.5, 2, 1},
        {0.5, 3, 2},
        {0.5, 4, 2},
        {0.25, 10, 3},
        {0.9, 10, 9},
        {0.99, 100, 99},
        {0.999, 1000, 999},
        {0.9, 11, 10},
        {0.99, 101, 100},
        {0.07, 100, 7},
        {0.57, 100, 57},
        {0.29, 100, 29},
        {0.1, 30, 3},
        {0.7, 10, 7},
        {0.999, 1001, 1000},
        {0.9999, 1, 1},
        {0.0001, 9999, 1},
        {0.0001, 10000, 1},
        {0.0001, 10001, 2},
        {99.9 / 100, 1000000000, 999000000},
        {99.99 / 100, 10000, 9999},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pk_quantile_rank(cases[i].q, cases[i].n), cases[i].rank);
}

static void rank_is_right_for_every_percent_of_every_hundred(void **state) {
    (void)state;
    for (uint64_t percent = 0; percent <= 100; percent++)
        for (uint64_t n = 1; n <= 3000; n++) {
            uint64_t rank = (percent * n + 99) / 100; /* the ceiling, in whole numbers */
            assert_int_equal(pk_quantile_rank((double)percent / 100, n), rank ? rank : 1);
        }
}

static void rank_stays_within_the_sample(void **state) {
    (void)state;
    assert_int_equal(pk_quantile_rank(0.5, 0), 0);
    assert_int_equal(pk_quantile_rank(0, 10), 1);
    assert_int_equal(pk_quantile_rank(-1, 10), 1);
    assert_int_equal(pk_quantile_rank(NAN, 10), 1);
    assert_int_equal(pk_quantile_rank(1, 10), 10);
    assert_int_equal(pk_quantile_rank(2, 10), 10);
    assert_int_equal(pk_quantile_rank(INFINITY, 10), 10);
    assert_int_equal(pk_quantile_rank(0.999999, 10), 10);
    assert_int_equal(pk_quantile_rank(1, UINT64_MAX), UINT64_MAX);
    assert_true(pk_quantile_rank(0.9999999999999999, UINT64_MAX) <= UINT64_MAX);
    assert_int_equal(pk_quantile_rank(5e-324, UINT64_MAX), 1);
}

static void rank_never_falls_as_q_grows(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 7, 100, 12345, 1000000007};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t last = 1;
        for (int step = 0; step <= 10000; step++) {
            uint64_t rank = pk_quantile_rank(step / 10000.0, sizes[i]);
            assert_true(rank >= last && rank <= sizes[i]);
            last = rank;
        }
    }
}

static void quantile_is_a_value_of_the_sample(void **state) {
    (void)state;
    static const double sorted[] = {15, 20, 35, 40, 50};
    assert_near(pk_quantile_sorted(sorted, 5, 0.05), 15, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 0.20), 15, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 0.30), 20, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 0.40), 20, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 0.50), 35, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 0.61), 40, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 1), 50, 0);
    assert_near(pk_quantile_sorted(sorted, 5, 0), 15, 0);
    assert_near(pk_quantile_sorted(sorted, 0, 0.5), NAN, 0);
}

static void a_quantile_needs_a_sample_beyond_it(void **state) {
    (void)state;
    assert_false(pk_quantile_supported(0.99, 0));
    assert_false(pk_quantile_supported(0.5, 1));
    assert_true(pk_quantile_supported(0.5, 2));
    assert_false(pk_quantile_supported(0.99, 99));
    assert_true(pk_quantile_supported(0.99, 100));
    assert_true(pk_quantile_supported(0.9999, 10000)); /* 1 - 0.9999 is a little under 0.0001 */
    assert_false(pk_quantile_supported(0.9999, 9999));
    assert_true(pk_quantile_supported(99.9 / 100, 1000));
    assert_false(pk_quantile_supported(1, 1000000));
    assert_true(pk_quantile_supported(0, 1));
}

static void tail_counts_from_the_quantile_on(void **state) {
    (void)state;
    assert_int_equal(pk_quantile_tail(0.5, 0), 0);
    assert_int_equal(pk_quantile_tail(0.5, 1), 1);
    assert_int_equal(pk_quantile_tail(0.99, 100), 2);
    assert_int_equal(pk_quantile_tail(0.999, 1000), 2);
    assert_int_equal(pk_quantile_tail(0.999, 10000), 11);
    assert_int_equal(pk_quantile_tail(0, 10), 10);
    assert_int_equal(pk_quantile_tail(1, 10), 1);
}

/* The worked values of definition 7: rank q (n - 1) from 0, linear between neighbours. */
static void interpolated_quantiles_are_definition_7(void **state) {
    (void)state;
    static const double four[] = {1, 2, 3, 4}, five[] = {1, 2, 3, 4, 10};
    assert_near(pk_quantile_interpolated(four, 4, 0.25), 1.75, 1e-15);
    assert_near(pk_quantile_interpolated(four, 4, 0.5), 2.5, 1e-15);
    assert_near(pk_quantile_interpolated(four, 4, 0.75), 3.25, 1e-15);
    assert_near(pk_quantile_interpolated(five, 5, 0.9), 4 + 6 * 0.6, 1e-12);
    assert_near(pk_quantile_interpolated(five, 5, 0), 1, 0);
    assert_near(pk_quantile_interpolated(five, 5, 1), 10, 0);
    assert_near(pk_quantile_interpolated(five, 1, 0.3), 1, 0);
    assert_near(pk_quantile_interpolated(five, 0, 0.3), NAN, 0);
}

static void intervals_are_binomial_order_statistics(void **state) {
    (void)state;
    static const struct {
        uint64_t n;
        double q;
        uint64_t low, high;
    } cases[] = {
        {20, 0.5, 6, 15},   {100, 0.5, 40, 61}, {100, 0.9, 84, 96},
        {140, 0.5, 58, 83}, {6, 0.5, 1, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t low = 0, high = 0;
        assert_true(pk_quantile_interval(cases[i].n, cases[i].q, 0.95, &low, &high));
        assert_int_equal(low, cases[i].low);
        assert_int_equal(high, cases[i].high);
    }
}

static void a_sample_too_small_for_an_interval_says_so(void **state) {
    (void)state;
    uint64_t low = 7, high = 8;
    assert_false(pk_quantile_interval(5, 0.5, 0.95, &low, &high)); /* 2 / 2^5 > 5 % */
    assert_false(pk_quantile_interval(100, 0.99, 0.95, &low, &high));
    assert_false(pk_quantile_interval(0, 0.5, 0.95, &low, &high));
    assert_int_equal(low, 7);
    assert_int_equal(high, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rank_is_the_ceiling_of_the_decimal_product),
        cmocka_unit_test(rank_is_right_for_every_percent_of_every_hundred),
        cmocka_unit_test(rank_stays_within_the_sample),
        cmocka_unit_test(rank_never_falls_as_q_grows),
        cmocka_unit_test(quantile_is_a_value_of_the_sample),
        cmocka_unit_test(a_quantile_needs_a_sample_beyond_it),
        cmocka_unit_test(tail_counts_from_the_quantile_on),
        cmocka_unit_test(interpolated_quantiles_are_definition_7),
        cmocka_unit_test(intervals_are_binomial_order_statistics),
        cmocka_unit_test(a_sample_too_small_for_an_interval_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
