/* A store that Criterion 0.5.1 itself has written (tests/unit/golden/criterion): all of it is read,
 * and its samples give its point estimates. */
#include "tests/unit/check.h"

#include <string.h>

#include "bench/analyse.h"
#include "bench/store.h"

#define FOLDER "tests/unit/golden/criterion"

typedef struct fixture {
    pk_arena *arena;
    pk_store *store;
    pk_err err;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = pk_arena_new(16 << 20);
    f->store = pk_store_open(FOLDER, false, false, &f->err);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_store_close(f->store);
    pk_arena_free(f->arena);
    free(f);
    return 0;
}

static pk_baseline *load(fixture *f, const char *directory) {
    pk_baseline *baseline = pk_store_load(f->store, directory, "base", f->arena, &f->err);
    assert_non_null(baseline);
    return baseline;
}

static void every_benchmark_is_listed(void **state) {
    fixture *f = *state;
    pk_store_entry *entries;
    size_t n;
    assert_ok(pk_store_list(f->store, "base", f->arena, &entries, &n, &f->err), &f->err);
    assert_int_equal(n, 3);
    assert_string_equal(entries[0].id, "fib/recursive/10");
    assert_string_equal(entries[1].id, "fib/recursive/15");
    assert_string_equal(entries[2].id, "sort: a/b");
    assert_string_equal(entries[2].directory, "sort_ a_b");
}

static void what_it_knew_is_known(void **state) {
    fixture *f = *state;
    const pk_baseline *fib = load(f, "fib/recursive/10");
    assert_int_equal(fib->n, 50);
    assert_true(fib->linear && fib->has_estimates && fib->estimates.has_slope);
    assert_true(fib->throughput.given && !fib->throughput.bytes);
    assert_int_equal(fib->throughput.per_iteration, 10);
    assert_null(fib->result);
    const pk_baseline *sort = load(f, "sort_ a_b");
    assert_string_equal(sort->group, "sort: a/b");
    assert_string_equal(sort->function, "");
    assert_int_equal(sort->n, 100);
    assert_false(sort->throughput.given);
}

static void assert_estimate(const pk_estimate *ours, const pk_estimate *theirs, double spread) {
    assert_near(ours->point, theirs->point, 1e-12);
    /* The bootstrap is random: its bounds agree to a part of the interval's width. */
    double room = (theirs->high - theirs->low) * spread;
    if (ours->low < theirs->low - room || ours->low > theirs->low + room ||
        ours->high < theirs->high - room || ours->high > theirs->high + room)
        fail_msg("[%g %g], not [%g %g]", ours->low, ours->high, theirs->low, theirs->high);
}

static void its_samples_give_its_estimates(void **state) {
    fixture *f = *state;
    static const char *const directories[] = {"fib/recursive/10", "fib/recursive/15", "sort_ a_b"};
    const pk_bench_options options = {.nresamples = 100000, .seed = 1};
    for (size_t i = 0; i < 3; i++) {
        const pk_baseline *b = load(f, directories[i]);
        pk_criterion_estimates e;
        assert_ok(pk_bench_criterion(b->n, b->iterations, b->times_ns, b->linear, 0.95, &options,
                                     &e, &f->err),
                  &f->err);
        assert_estimate(&e.mean, &b->estimates.mean, 0.05);
        assert_estimate(&e.median, &b->estimates.median, 0.25);
        assert_estimate(&e.median_abs_dev, &b->estimates.median_abs_dev, 0.25);
        assert_estimate(&e.std_dev, &b->estimates.std_dev, 0.05);
        assert_int_equal(e.has_slope, b->estimates.has_slope);
        if (e.has_slope) assert_estimate(&e.slope, &b->estimates.slope, 0.05);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_benchmark_is_listed),
        TEST(what_it_knew_is_known),
        TEST(its_samples_give_its_estimates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
