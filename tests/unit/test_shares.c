/* Two shares: exact tests against sums of fractions, and against what chance really does. */
#include "check.h"

#include "stats/random.h"
#include "stats/shares.h"

/* By exact fractions of binomial coefficients (Python's fractions.Fraction); the first is Fisher's
 * lady tasting tea, whose one-sided p is 17/70. */
static void the_tail_is_exact(void **state) {
    (void)state;
    static const struct {
        uint64_t x1, n1, x2, n2;
        double p;
    } known[] = {
        {3, 4, 1, 4, 2 * 17 / 70.0},
        {1, 12, 11, 14, 0.0009234082649077937},
        {0, 10, 0, 10, 1},
        {10, 10, 10, 10, 1},
        {70, 100, 50, 100, 0.005937341166015534},
        {0, 100, 8, 100, 0.00675467457524821},
        {500, 1000, 430, 900, 0.356763254332118},
        {7000, 10000, 6000, 10000, 9.500780189605896e-50},
        {2, 3, 0, 100000, 1.199940002279922e-09},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_near(pk_fisher_exact(known[i].x1, known[i].n1, known[i].x2, known[i].n2), known[i].p,
                    1e-9);
        /* The sides are alike. */
        assert_near(pk_fisher_exact(known[i].x2, known[i].n2, known[i].x1, known[i].n1), known[i].p,
                    1e-9);
    }
    assert_near(pk_fisher_exact(0, 0, 1, 2), NAN, 0);
}

/* With large numbers it is what the normal distribution says: z = 2 is 4.55 %. */
static void many_trials_come_near_the_normal_distribution(void **state) {
    (void)state;
    uint64_t n = 1000000000;
    double z = 2, half = z * sqrt(2.0 * 0.25 / (double)n) / 2 * (double)n;
    uint64_t x1 = (uint64_t)((double)n / 2 - half), x2 = (uint64_t)((double)n / 2 + half);
    assert_near(pk_fisher_exact(x1, n, x2, n), 0.04550026, 1e-3);
}

static void the_error_has_one_more_of_each(void **state) {
    (void)state;
    assert_near(pk_share_difference_error(70, 100, 50, 100), 0.06726835697781616, 1e-12);
    assert_near(pk_share_difference_error(0, 10, 0, 10), 0.112833866731055, 1e-12);
    assert_near(pk_share_difference_error(0, 0, 1, 2), NAN, 0);
}

enum { ROUNDS = 4000 };

static uint64_t hits(pk_random *random, uint64_t n, double share) {
    uint64_t x = 0;
    for (uint64_t i = 0; i < n; i++) x += pk_random_unit(random) < share;
    return x;
}

/* Of equal shares no more than 5 % come out different at that level, and around 95 % of the
 * intervals of 1.96 errors hold the true difference. */
static void chance_is_called_chance(void **state) {
    (void)state;
    pk_random random;
    pk_random_seed(&random, 7);
    int different = 0, covered = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double n1 = 200, n2 = 300;
        uint64_t x1 = hits(&random, 200, 0.1), x2 = hits(&random, 300, 0.1);
        different += pk_fisher_exact(x1, 200, x2, 300) <= 0.05;
        uint64_t y2 = hits(&random, 300, 0.16);
        double error = pk_share_difference_error((double)x1, n1, (double)y2, n2);
        covered += fabs((double)y2 / n2 - (double)x1 / n1 - 0.06) <= 1.96 * error;
    }
    assert_in_range(different, ROUNDS / 100, ROUNDS / 20);
    assert_in_range(covered, ROUNDS * 94 / 100, ROUNDS * 965 / 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tail_is_exact),
        cmocka_unit_test(many_trials_come_near_the_normal_distribution),
        cmocka_unit_test(the_error_has_one_more_of_each),
        cmocka_unit_test(chance_is_called_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
