#include "stats/density.h"
#include "stats/random.h"
#include "stats/robust.h"
#include "stats/summary.h"

#include "check.h"

static double exact(size_t n, const double x[], double bandwidth, double at) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double z = (at - x[i]) / bandwidth;
        sum += exp(-z * z / 2);
    }
    return sum / ((double)n * bandwidth * sqrt(2 * M_PI));
}

static double trapezoid(size_t points, const double density[], double low, double high) {
    double sum = (density[0] + density[points - 1]) / 2;
    for (size_t i = 1; i + 1 < points; i++) sum += density[i];
    return sum * (high - low) / (double)(points - 1);
}

static void one_value_gives_the_kernel(void **state) {
    (void)state;
    static const double x[] = {3};
    double density[5];
    pk_err err = {0};
    assert_ok(pk_density(1, x, 2, -1, 7, 5, density, &err), &err);
    for (size_t i = 0; i < 5; i++)
        assert_near(density[i], exact(1, x, 2, -1 + 2 * (double)i), 1e-14);
    assert_ok(pk_density(1, x, 2, 3, 3, 1, density, &err), &err);
    assert_near(density[0], 1 / (2 * sqrt(2 * M_PI)), 1e-14);
}

/* Few values are summed as they are, many in bins; each against the definition. */
static void it_is_the_sum_of_kernels_and_integrates_to_1(void **state) {
    (void)state;
    enum { MOST = 20000, POINTS = 500 };
    static double x[MOST], density[POINTS];
    static const size_t sizes[] = {100, 1000, MOST};
    pk_random random;
    pk_random_seed(&random, 1);
    for (size_t i = 0; i < MOST; i++)
        x[i] = exp(pk_random_normal(&random) / 3) + (i % 3 == 0 ? 2 : 0);
    pk_err err = {0};
    for (size_t s = 0; s < 3; s++) {
        size_t n = sizes[s];
        double bandwidth = pk_bandwidth_silverman(n, x), low = -5, high = 15;
        assert_ok(pk_density(n, x, bandwidth, low, high, POINTS, density, &err), &err);
        assert_near(trapezoid(POINTS, density, low, high), 1, 1e-6);
        double peak = 0;
        for (size_t i = 0; i < POINTS; i++) peak = fmax(peak, density[i]);
        for (size_t i = 0; i < POINTS; i += 17) {
            double at = low + (high - low) * (double)i / (POINTS - 1);
            assert_true(fabs(density[i] - exact(n, x, bandwidth, at)) < 3e-4 * peak);
        }
    }
}

/* A kernel far narrower than the range would need more bins than there may be. */
static void a_needle_in_a_wide_range_is_summed_exactly(void **state) {
    (void)state;
    enum { N = 2000, POINTS = 101 };
    static double x[N];
    double density[POINTS];
    for (size_t i = 0; i < N; i++) x[i] = 50 + (double)i * 1e-9;
    pk_err err = {0};
    assert_ok(pk_density(N, x, 1e-6, 0, 100, POINTS, density, &err), &err);
    assert_near(density[50], exact(N, x, 1e-6, 50), 1e-12);
    assert_near(density[49], 0, 0);
}

static void values_outside_the_window_count_with_what_reaches_in(void **state) {
    (void)state;
    enum { N = 4000, POINTS = 200 };
    static double x[N], density[POINTS];
    pk_random random;
    pk_random_seed(&random, 2);
    for (size_t i = 0; i < N; i++) x[i] = pk_random_normal(&random);
    pk_err err = {0};
    assert_ok(pk_density(N, x, 0.3, 1, 2, POINTS, density, &err), &err);
    assert_near(density[0], exact(N, x, 0.3, 1), 3e-4);
    assert_near(density[POINTS - 1], exact(N, x, 0.3, 2), 3e-4);
}

/* ---- bandwidths ---- */

static void silverman_is_criterions_formula(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4, 10}, same[] = {5, 5, 5};
    assert_near(pk_bandwidth_silverman(5, x), sqrt(12.5) * pow(4.0 / 15, 0.2), 1e-14);
    assert_near(pk_bandwidth_silverman(3, same), 0.05, 1e-14);
    assert_near(pk_bandwidth_silverman(1, x), 0.01, 1e-14);
}

/* Of one normal population every good rule is near 1.06 sd n^(-1/5). */
static void isj_is_near_the_optimum_of_the_normal(void **state) {
    (void)state;
    enum { N = 2000 };
    double x[N];
    pk_random random;
    pk_random_seed(&random, 3);
    for (size_t i = 0; i < N; i++) x[i] = 7 + 2 * pk_random_normal(&random);
    pk_sort(x, N);
    bool fell_back = true;
    double bandwidth = pk_bandwidth_isj(N, x, &fell_back);
    assert_false(fell_back);
    assert_near(bandwidth, 1.06 * 2 * pow(N, -0.2), 0.2);
}

/* The number comes from the paper's formulas written down again in Python, and bisection. */
static void isj_is_the_root_of_the_papers_equation(void **state) {
    (void)state;
    double x[150];
    for (int i = 1; i <= 150; i++) x[i - 1] = sin(i) + i % 3 * 2;
    pk_sort(x, 150);
    assert_near(pk_bandwidth_isj(150, x, NULL), 0.24597510655178834, 1e-8);
}

static void isj_scales_with_the_data(void **state) {
    (void)state;
    enum { N = 140 };
    double x[N], scaled[N];
    pk_random random;
    pk_random_seed(&random, 4);
    for (size_t i = 0; i < N; i++) x[i] = pk_random_normal(&random);
    pk_sort(x, N);
    for (size_t i = 0; i < N; i++) scaled[i] = 1000 * x[i] + 5;
    assert_near(pk_bandwidth_isj(N, scaled, NULL), 1000 * pk_bandwidth_isj(N, x, NULL), 1e-6);
}

static void isj_falls_back_without_spread(void **state) {
    (void)state;
    double x[100];
    bool fell_back = false;
    for (size_t i = 0; i < 100; i++) x[i] = i < 90 ? 1 : 2; /* interquartile range 0 */
    assert_true(pk_bandwidth_isj(100, x, &fell_back) > 0);
    assert_true(fell_back);
    for (size_t i = 0; i < 100; i++) x[i] = 5;
    fell_back = false;
    assert_near(pk_bandwidth_isj(100, x, &fell_back), 0.05, 1e-14);
    assert_true(fell_back);
    assert_true(pk_bandwidth_isj(1, x, NULL) > 0);
}

/* ---- modes ---- */

/* Workers of a loop whose branch is predicted or not: 3.2 or 5.0 ns, and some far off. */
static void fill_two_modes(uint64_t seed, size_t n, size_t wild, double x[]) {
    pk_random random;
    pk_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) {
        double centre = i < wild ? 20 + 5 * (double)i : i % 5 < 2 ? 3.2 : 5.0;
        x[i] = centre * (1 + 0.02 * pk_random_normal(&random));
    }
    pk_sort(x, n);
}

static size_t count_peaks(size_t n, const double density[]) {
    size_t peaks = 0;
    for (size_t i = 1; i + 1 < n; i++)
        peaks += density[i] > density[i - 1] && density[i] >= density[i + 1];
    return peaks;
}

static void isj_sees_two_modes_that_silverman_merges(void **state) {
    (void)state;
    enum { N = 140, POINTS = 400 };
    double x[N], density[POINTS];
    pk_err err = {0};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fill_two_modes(seed, N, 6, x);
        double silverman = pk_bandwidth_silverman(N, x);
        assert_ok(pk_density(N, x, silverman, 2, 9, POINTS, density, &err), &err);
        assert_int_equal(count_peaks(POINTS, density), 1);

        pk_modes modes;
        assert_ok(pk_find_modes(N, x, &modes, &err), &err);
        assert_int_equal(modes.count, 2);
        assert_near(modes.mode[0].value, 3.2, 0.02);
        assert_near(modes.mode[1].value, 5.0, 0.02);
        assert_near(modes.mode[0].share, 54.0 / 140, 0.02);
        assert_near(modes.mode[0].share + modes.mode[1].share, 1, 1e-12);
    }
}

static void one_population_has_one_mode(void **state) {
    (void)state;
    enum { N = 140, TRIALS = 300 };
    double x[N];
    pk_random random;
    pk_random_seed(&random, 5);
    pk_err err = {0};
    size_t several = 0;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        for (size_t i = 0; i < N; i++)
            x[i] = trial % 2 ? 100 + pk_random_normal(&random) : exp(pk_random_normal(&random) / 5);
        pk_sort(x, N);
        pk_modes modes;
        assert_ok(pk_find_modes(N, x, &modes, &err), &err);
        several += modes.count > 1;
    }
    assert_true(several <= TRIALS / 20);
}

static void a_mode_of_few_is_none(void **state) {
    (void)state;
    enum { N = 200 };
    double x[N];
    pk_random random;
    pk_random_seed(&random, 6);
    for (size_t i = 0; i < N; i++) /* 5 % at twice the time */
        x[i] = (i % 20 == 0 ? 20 : 10) * (1 + 0.01 * pk_random_normal(&random));
    pk_sort(x, N);
    pk_modes modes;
    pk_err err = {0};
    assert_ok(pk_find_modes(N, x, &modes, &err), &err);
    assert_int_equal(modes.count, 1);
    assert_near(modes.mode[0].value, 10, 0.02);
    assert_near(modes.mode[0].share, 1, 0);
}

static void too_few_or_equal_values_are_one_mode_at_the_median(void **state) {
    (void)state;
    double x[30];
    fill_two_modes(1, 19, 0, x);
    pk_modes modes;
    pk_err err = {0};
    assert_ok(pk_find_modes(19, x, &modes, &err), &err);
    assert_int_equal(modes.count, 1);
    assert_near(modes.mode[0].value, x[9], 0);
    for (size_t i = 0; i < 30; i++) x[i] = 4;
    assert_ok(pk_find_modes(30, x, &modes, &err), &err);
    assert_int_equal(modes.count, 1);
    assert_near(modes.mode[0].value, 4, 0);
    assert_ok(pk_find_modes(0, x, &modes, &err), &err);
    assert_near(modes.mode[0].value, NAN, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_value_gives_the_kernel),
        cmocka_unit_test(it_is_the_sum_of_kernels_and_integrates_to_1),
        cmocka_unit_test(a_needle_in_a_wide_range_is_summed_exactly),
        cmocka_unit_test(values_outside_the_window_count_with_what_reaches_in),
        cmocka_unit_test(silverman_is_criterions_formula),
        cmocka_unit_test(isj_is_near_the_optimum_of_the_normal),
        cmocka_unit_test(isj_is_the_root_of_the_papers_equation),
        cmocka_unit_test(isj_scales_with_the_data),
        cmocka_unit_test(isj_falls_back_without_spread),
        cmocka_unit_test(isj_sees_two_modes_that_silverman_merges),
        cmocka_unit_test(one_population_has_one_mode),
        cmocka_unit_test(a_mode_of_few_is_none),
        cmocka_unit_test(too_few_or_equal_values_are_one_mode_at_the_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
