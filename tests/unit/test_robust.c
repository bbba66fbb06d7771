#include "stats/outlier.h"
#include "stats/quantile.h"
#include "stats/robust.h"

#include "check.h"

static const double ten[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

/* By hand: 3..8 are kept; winsorised 3 3 3 4 5 6 7 8 8 8 has mean 5.5, sum of squares 42.5. */
static void trimmed_mean_and_yuens_error_by_hand(void **state) {
    (void)state;
    pk_trimmed t = pk_trimmed_mean(ten, 10, 0.2);
    assert_int_equal(t.n, 10);
    assert_int_equal(t.kept, 6);
    assert_near(t.mean, 5.5, 1e-15);
    assert_near(t.standard_error, sqrt(42.5 / 9) / (0.6 * sqrt(10)), 1e-14);
}

static void without_trimming_it_is_the_mean_and_its_error(void **state) {
    (void)state;
    pk_trimmed t = pk_trimmed_mean(ten, 10, 0);
    assert_int_equal(t.kept, 10);
    assert_near(t.mean, 5.5, 1e-15);
    assert_near(t.standard_error, sqrt(82.5 / 9) / sqrt(10), 1e-14);
}

static void a_wild_value_moves_nothing(void **state) {
    (void)state;
    double wild[10];
    memcpy(wild, ten, sizeof wild);
    wild[9] = 1e9;
    pk_trimmed calm = pk_trimmed_mean(ten, 10, 0.2), t = pk_trimmed_mean(wild, 10, 0.2);
    assert_near(t.mean, calm.mean, 0);
    assert_near(t.standard_error, calm.standard_error, 0);
}

static void the_number_cut_is_the_whole_part_of_the_decimal_product(void **state) {
    (void)state;
    double x[1000];
    for (size_t i = 0; i < 1000; i++) x[i] = (double)i;
    for (size_t n = 1; n <= 1000; n++)
        assert_int_equal(pk_trimmed_mean(x, n, 0.2).kept, n - 2 * (n / 5));
}

static void few_values_have_no_error(void **state) {
    (void)state;
    assert_near(pk_trimmed_mean(ten, 0, 0.2).mean, NAN, 0);
    assert_near(pk_trimmed_mean(ten, 1, 0.2).mean, 1, 0);
    assert_near(pk_trimmed_mean(ten, 1, 0.2).standard_error, NAN, 0);
    assert_near(pk_median_abs_dev(ten, 0, NULL), NAN, 0);
}

/* Criterion's definitions on 1 2 3 4 10: median 3; distances 2 1 0 1 7, of which the median is 1;
 * quartiles 2 and 4. */
static void criterions_definitions_by_hand(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4, 10};
    double scratch[5];
    assert_near(pk_median_abs_dev(x, 5, scratch), (double)1.4826f, 1e-12);
    assert_near(pk_iqr_spread(x, 5), 2 / 1.349, 1e-12);
    pk_fences f = pk_tukey_fences(x, 5);
    assert_near(f.low_severe, -4, 1e-12);
    assert_near(f.low_mild, -1, 1e-12);
    assert_near(f.high_mild, 7, 1e-12);
    assert_near(f.high_severe, 10, 1e-12);
    /* even n: median 2.5, distances 1.5 0.5 0.5 1.5 */
    assert_near(pk_median_abs_dev(ten, 4, scratch), (double)1.4826f, 1e-12);
}

static void a_value_on_a_fence_is_inside(void **state) {
    (void)state;
    pk_fences f = {-4, -1, 7, 10};
    static const struct {
        double x;
        pk_outlier kind;
    } cases[] = {
        {-4.01, PK_OUTLIER_LOW_SEVERE}, {-4, PK_OUTLIER_LOW_MILD},  {-1.01, PK_OUTLIER_LOW_MILD},
        {-1, PK_OUTLIER_NONE},          {3, PK_OUTLIER_NONE},       {7, PK_OUTLIER_NONE},
        {7.01, PK_OUTLIER_HIGH_MILD},   {10, PK_OUTLIER_HIGH_MILD}, {10.01, PK_OUTLIER_HIGH_SEVERE},
    };
    double all[9];
    for (size_t i = 0; i < 9; i++) {
        all[i] = cases[i].x;
        assert_int_equal(pk_outlier_of(&f, cases[i].x), cases[i].kind);
    }
    pk_outlier_counts counts = pk_outlier_count(&f, 9, all);
    assert_int_equal(counts.low_severe, 1);
    assert_int_equal(counts.low_mild, 2);
    assert_int_equal(counts.high_mild, 2);
    assert_int_equal(counts.high_severe, 1);
}

static void sorting_sorts(void **state) {
    (void)state;
    double x[] = {3, -1, 2, 2, INFINITY, -INFINITY, 0};
    static const double sorted[] = {-INFINITY, -1, 0, 2, 2, 3, INFINITY};
    pk_sort(x, 7);
    assert_memory_equal(x, sorted, sizeof sorted);
    pk_sort(x, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trimmed_mean_and_yuens_error_by_hand),
        cmocka_unit_test(without_trimming_it_is_the_mean_and_its_error),
        cmocka_unit_test(a_wild_value_moves_nothing),
        cmocka_unit_test(the_number_cut_is_the_whole_part_of_the_decimal_product),
        cmocka_unit_test(few_values_have_no_error),
        cmocka_unit_test(criterions_definitions_by_hand),
        cmocka_unit_test(a_value_on_a_fence_is_inside),
        cmocka_unit_test(sorting_sorts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
