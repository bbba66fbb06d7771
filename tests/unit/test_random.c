#include "stats/random.h"
#include "stats/resample.h"

#include "check.h"

/* The published first outputs for the state 1, 2, 3, 4. */
static void xoshiro_gives_its_reference_numbers(void **state) {
    (void)state;
    static const uint64_t reference[] = {
        11520,
        0,
        1509978240,
        1215971899390074240,
        1216172134540287360,
        607988272756665600,
        16172922978634559625u,
        8476171486693032832,
        10595114339597558777u,
        2904607092377533576,
    };
    pk_random random = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof reference / sizeof reference[0]; i++)
        assert_true(pk_random_next(&random) == reference[i]);
}

/* The state is splitmix64's first four numbers; those of the seed 1234567 are published. */
static void a_seed_is_spread_by_splitmix(void **state) {
    (void)state;
    static const uint64_t reference[] = {6457827717110365317, 3203168211198807973,
                                         9817491932198370423u, 4593380528125082431};
    pk_random random;
    pk_random_seed(&random, 1234567);
    assert_memory_equal(random.state, reference, sizeof reference);
}

static void bounded_numbers_are_uniform(void **state) {
    (void)state;
    enum { BOUND = 10, DRAWS = 100000 };
    pk_random random;
    pk_random_seed(&random, 5);
    size_t counts[BOUND] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        uint64_t x = pk_random_below(&random, BOUND);
        assert_true(x < BOUND);
        counts[x]++;
    }
    double chi_square = 0;
    for (size_t i = 0; i < BOUND; i++) {
        double surplus = (double)counts[i] - DRAWS / BOUND;
        chi_square += surplus * surplus / (DRAWS / BOUND);
    }
    assert_true(chi_square < 27.9); /* 9 degrees of freedom, 0.1 % */
    assert_int_equal(pk_random_below(&random, 1), 0);
    for (size_t i = 0; i < 100; i++)
        assert_true(pk_random_below(&random, (UINT64_MAX / 4) * 3) < (UINT64_MAX / 4) * 3);
}

static void unit_and_normal_have_their_moments(void **state) {
    (void)state;
    enum { DRAWS = 200000 };
    pk_random random;
    pk_random_seed(&random, 6);
    double unit = 0, normal = 0, squares = 0, fourth = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        double u = pk_random_unit(&random), z = pk_random_normal(&random);
        assert_true(u >= 0 && u < 1);
        unit += u / DRAWS;
        normal += z / DRAWS;
        squares += z * z / DRAWS;
        fourth += z * z * z * z / DRAWS;
    }
    assert_near(unit, 0.5, 0.01);
    assert_true(fabs(normal) < 0.01);
    assert_near(squares, 1, 0.02);
    assert_near(fourth, 3, 0.05);
}

static void a_shuffle_is_a_permutation_and_every_one_is_met(void **state) {
    (void)state;
    pk_random random;
    pk_random_seed(&random, 7);
    size_t seen[6] = {0};
    for (size_t i = 0; i < 6000; i++) {
        size_t order[3];
        pk_random_shuffle(&random, 3, order);
        assert_true(order[0] < 3 && order[1] < 3 && order[2] < 3);
        assert_true(order[0] != order[1] && order[1] != order[2] && order[0] != order[2]);
        seen[order[0] * 2 + (order[1] > order[2])]++;
    }
    for (size_t i = 0; i < 6; i++) assert_in_range(seen[i], 850, 1150); /* 1000 +- 5 sd */
}

/* ---- indices in bulk ---- */

static void lanes_are_the_generator_side_by_side(void **state) {
    (void)state;
    pk_resample resample;
    pk_resample_seed(&resample, 1, 0);
    pk_random lane[PK_RESAMPLE_LANES];
    for (size_t i = 0; i < PK_RESAMPLE_LANES; i++)
        for (size_t word = 0; word < 4; word++) lane[i].state[word] = resample.state[word][i];
    uint32_t index[112];
    assert_int_equal(pk_resample_room(100), 112);
    pk_resample_draw(&resample, 100, index);
    for (size_t at = 0; at < 112; at += PK_RESAMPLE_GROUP)
        for (size_t i = 0; i < PK_RESAMPLE_LANES; i++) {
            uint64_t number = pk_random_next(&lane[i]);
            assert_int_equal(index[at + 2 * i], (number & 0xffffffff) * 100 >> 32);
            assert_int_equal(index[at + 2 * i + 1], (number >> 32) * 100 >> 32);
        }
}

static void indices_are_uniform_and_blocks_differ(void **state) {
    (void)state;
    enum { N = 50, DRAWS = 4000 };
    size_t counts[N] = {0};
    uint32_t index[64], first[64];
    pk_resample resample;
    for (uint64_t block = 0; block < 2; block++) {
        pk_resample_seed(&resample, 9, block);
        for (size_t i = 0; i < DRAWS; i++) {
            pk_resample_draw(&resample, N, index);
            if (i == 0 && block == 0) memcpy(first, index, sizeof first);
            else if (i == 0) assert_memory_not_equal(first, index, sizeof first);
            for (size_t k = 0; k < N; k++) counts[index[k]]++;
        }
    }
    double chi_square = 0;
    for (size_t i = 0; i < N; i++) {
        double surplus = (double)counts[i] - 2 * DRAWS;
        chi_square += surplus * surplus / (2 * DRAWS);
    }
    assert_true(chi_square < 85.4); /* 49 degrees of freedom, 0.1 % */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xoshiro_gives_its_reference_numbers),
        cmocka_unit_test(a_seed_is_spread_by_splitmix),
        cmocka_unit_test(bounded_numbers_are_uniform),
        cmocka_unit_test(unit_and_normal_have_their_moments),
        cmocka_unit_test(a_shuffle_is_a_permutation_and_every_one_is_met),
        cmocka_unit_test(lanes_are_the_generator_side_by_side),
        cmocka_unit_test(indices_are_uniform_and_blocks_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
