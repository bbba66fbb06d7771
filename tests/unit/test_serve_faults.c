/* serve/faults: chance by seed, the same in every run. */
#include "check.h"

#include <pthread.h>

#include "serve/faults.h"

static void draws_are_splitmix64(void **state) {
    (void)state;
    /* The reference generator (Vigna, splitmix64.c) started at s yields mix(s + golden), .. Ours
     * starts at mix(seed + golden) for the first stream; mix(0 + golden) is the reference's first
     * output for state 0, 0xe220a8397b1dcdaf. From that state its outputs begin with: */
    static const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t s = 0xe220a8397b1dcdafu;
    for (uint64_t n = 0; n < 100; n++) {
        s += golden;
        uint64_t z = s;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        double expected = (double)(z >> 11) / 9007199254740992.0;
        assert_near(pk_chance_nth(0, PK_CHANCE_ERROR_RATE, n), expected, 0);
    }
}

static void draws_are_uniform_and_in_range(void **state) {
    (void)state;
    enum { N = 100000, BINS = 20 };
    for (int stream = 0; stream < PK_CHANCES; stream++) {
        uint64_t bins[BINS] = {0};
        double sum = 0;
        for (uint64_t n = 0; n < N; n++) {
            double u = pk_chance_nth(12345, (pk_chance)stream, n);
            assert_true(u >= 0 && u < 1);
            bins[(size_t)(u * BINS)]++;
            sum += u;
        }
        assert_near(sum / N, 0.5, 0.01);
        /* chi-square with 19 degrees of freedom: over 43.8 in one of 1000 */
        double chi = 0;
        for (size_t i = 0; i < BINS; i++) {
            double d = (double)bins[i] - (double)N / BINS;
            chi += d * d / ((double)N / BINS);
        }
        assert_true(chi < 43.8);
    }
}

static void streams_and_seeds_differ(void **state) {
    (void)state;
    for (uint64_t n = 0; n < 1000; n++) {
        double u = pk_chance_nth(1, PK_CHANCE_ERROR_RATE, n);
        assert_true(u != pk_chance_nth(2, PK_CHANCE_ERROR_RATE, n));
        assert_true(u != pk_chance_nth(1, PK_CHANCE_JITTER, n));
        assert_true(u != pk_chance_nth(1, PK_CHANCE_ERROR_RATE, n + 1));
    }
}

enum { THREADS = 4, EACH = 5000 };

typedef struct drawer {
    pk_faults *faults;
    uint64_t hits;
} drawer;

static void *draw(void *context) {
    drawer *d = context;
    for (int i = 0; i < EACH; i++) d->hits += pk_chance_next(d->faults, PK_CHANCE_ERROR_RATE) < 0.1;
    return NULL;
}

static void the_count_does_not_depend_on_the_threads(void **state) {
    (void)state;
    pk_faults faults = {.seed = 99};
    drawer drawers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        drawers[i] = (drawer){.faults = &faults};
        assert_int_equal(pthread_create(&threads[i], NULL, draw, &drawers[i]), 0);
    }
    uint64_t hits = 0, expected = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        hits += drawers[i].hits;
    }
    for (uint64_t n = 0; n < THREADS * EACH; n++)
        expected += pk_chance_nth(99, PK_CHANCE_ERROR_RATE, n) < 0.1;
    assert_int_equal(hits, expected);
    assert_in_range(hits, 1850, 2150);
}

static void names_of_faults_round_trip(void **state) {
    (void)state;
    assert_null(pk_serve_fault_name(PK_SERVE_FAULT_NONE));
    for (int kind = PK_SERVE_FAULT_NONE + 1; kind < PK_SERVE_FAULT_KINDS; kind++)
        assert_int_equal(pk_fault_named(pk_serve_fault_name((pk_serve_fault)kind)), kind);
    assert_int_equal(pk_fault_named(""), PK_SERVE_FAULT_NONE);
    assert_int_equal(pk_fault_named("RESET"), PK_SERVE_FAULT_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_splitmix64),
        cmocka_unit_test(draws_are_uniform_and_in_range),
        cmocka_unit_test(streams_and_seeds_differ),
        cmocka_unit_test(the_count_does_not_depend_on_the_threads),
        cmocka_unit_test(names_of_faults_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
