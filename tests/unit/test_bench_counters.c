/* A benchmark's own counters: from workers to words. */
#include "tests/unit/check.h"

#include <math.h>

#include "bench/words.h"

static void means_over_the_workers_that_have_the_side(void **state) {
    (void)state;
    pk_bench_worker workers[] = {
        {.side = {{.units = 3, .counters = {2, 10}}, {.units = 3, .counters = {2, 30}}}},
        {.side = {{.units = 3, .counters = {2, 20}}, {.units = 0, .counters = {9, 99}}}},
        {.side = {{.units = 0, .counters = {9, 99}}, {.units = 3, .counters = {2, 50}}}},
    };
    const pk_bench_result r = {.counters = "swaps,compares", .workers = workers, .n_workers = 3};
    pk_bench_counter counters[PK_BENCH_COUNTERS_MAX];
    char words[PK_WORDS_MAX];
    assert_int_equal(pk_bench_counters(&r, counters), 2);
    assert_near(counters[0].per_iteration, 2, 0);
    assert_near(counters[0].old_per_iteration, 2, 0);
    assert_near(counters[1].per_iteration, 15, 0);
    assert_near(counters[1].old_per_iteration, 40, 0);
    pk_words_counter(words, sizeof words, &counters[0]);
    assert_string_equal(words, "swaps 2 per iteration");
    pk_words_counter(words, sizeof words, &counters[1]);
    assert_string_equal(words, "compares 15 per iteration (before: 40)");
}

static void what_is_missing_is_shown_as_missing(void **state) {
    (void)state;
    pk_bench_result r = {.counters = "swaps"};
    pk_bench_counter counters[PK_BENCH_COUNTERS_MAX];
    char words[PK_WORDS_MAX];
    assert_int_equal(pk_bench_counters(&r, counters), 1);
    assert_true(isnan(counters[0].per_iteration) && isnan(counters[0].old_per_iteration));
    pk_words_counter(words, sizeof words, &counters[0]);
    assert_string_equal(words, "swaps - per iteration");
    r.counters = NULL;
    assert_int_equal(pk_bench_counters(&r, counters), 0);
    r.counters = "a,b,c,d,e,f,g,h,i,j"; /* a file may say anything */
    assert_int_equal(pk_bench_counters(&r, counters), PK_BENCH_COUNTERS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_over_the_workers_that_have_the_side),
        cmocka_unit_test(what_is_missing_is_shown_as_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
