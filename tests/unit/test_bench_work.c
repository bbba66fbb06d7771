/* The ways to run a unit: batches, a clock of one's own, threads. */
#include "tests/unit/check.h"

#include <math.h>

#include "bench/worker_crew.h"
#include "timing/clock.h"

static const pk_unit_clock no_clock = {.schedstat = -1};

/* ---- batches ---- */

static void batches_are_criterions(void **state) {
    (void)state;
    static const struct {
        perfkit_batch batch;
        uint64_t count, iterations, inputs;
    } rows[] = {
        {PERFKIT_SMALL_INPUT, 0, 1000, 100},
        {PERFKIT_SMALL_INPUT, 0, 1001, 101},
        {PERFKIT_SMALL_INPUT, 0, 1, 1},
        {PERFKIT_LARGE_INPUT, 0, 10000, 10},
        {PERFKIT_LARGE_INPUT, 0, 999, 1},
        {PERFKIT_LARGE_INPUT, 0, 1001, 2},
        {PERFKIT_PER_ITERATION, 0, 1000, 1},
        {PERFKIT_NUM_BATCHES, 3, 1000, 334},
        {PERFKIT_NUM_BATCHES, 5000, 1000, 1},
        {PERFKIT_NUM_ITERATIONS, 7, 1000, 7},
        {PERFKIT_NUM_ITERATIONS, 7, 3, 7}, /* the last batch is what is left */
        {PERFKIT_NUM_BATCHES, 1, UINT64_MAX, PK_WORK_INPUTS_MAX},
        {PERFKIT_SMALL_INPUT, 0, 10 * PK_WORK_INPUTS_MAX + 10, PK_WORK_INPUTS_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const perfkit_benchmark b = {.batch = rows[i].batch, .batch_count = rows[i].count};
        assert_int_equal(pk_work_batch(&b, rows[i].iterations), rows[i].inputs);
    }
}

typedef struct seen {
    uint64_t made, used, dropped, calls, alive, most;
} seen;

static void *make(const perfkit_run *run) {
    seen *s = run->data;
    s->made++;
    if (++s->alive > s->most) s->most = s->alive;
    return s;
}
static void drop(const perfkit_run *run, void *input) {
    seen *s = run->data;
    assert_ptr_equal(input, s);
    s->dropped++;
    s->alive--;
}
static void use(perfkit_run *run) {
    seen *s = run->data;
    s->calls++;
    for (uint64_t i = 0; i < run->iterations; i++) {
        assert_ptr_equal(run->inputs[i], s);
        s->used++;
    }
    run->counters[2] += 2 * (double)run->iterations;
}

static void each_input_is_made_used_and_dropped(void **state) {
    (void)state;
    const perfkit_benchmark b = {.body = use, .input = make, .drop = drop};
    seen s = {0};
    perfkit_run run = {.data = &s};
    pk_work work;
    pk_err err;
    assert_ok(pk_work_open(&work, &b, &run, &err), &err);
    assert_false(pk_work_is_plain(&work));
    assert_false(pk_work_is_wall(&work));
    for (int twice = 0; twice < 2; twice++) { /* counters are those of the unit */
        pk_unit unit;
        s = (seen){0};
        pk_work_unit(&no_clock, &work, 95, &unit);
        assert_int_equal(s.made, 95);
        assert_int_equal(s.used, 95);
        assert_int_equal(s.dropped, 95);
        assert_int_equal(s.calls, 10); /* 9 of 10, and 5 */
        assert_int_equal(s.most, 10);
        assert_near(run.counters[2], 190, 0);
        assert_true(unit.elapsed_ns >= unit.wall_ns);
    }
    pk_work_close(&work);
    assert_null(run.inputs);
    pk_work_close(&work);
}

/* ---- a clock of its own ---- */

static uint64_t says(perfkit_run *run) {
    return 1000 * run->iterations;
}

static void what_it_says_is_the_time(void **state) {
    (void)state;
    const perfkit_benchmark b = {.timed = says};
    perfkit_run run = {0};
    pk_work work;
    pk_unit unit;
    pk_err err;
    assert_ok(pk_work_open(&work, &b, &run, &err), &err);
    assert_true(pk_work_is_wall(&work) && !pk_work_is_plain(&work));
    pk_work_unit(&no_clock, &work, 42, &unit);
    assert_int_equal(unit.wall_ns, 42000);
    assert_int_equal(unit.wait_ns, 0);
    assert_int_equal(run.threads, 1);
    pk_work_close(&work);
}

/* ---- threads ---- */

static void add(perfkit_run *run) {
    uint64_t *sum = run->data;
    for (uint64_t i = 0; i < run->iterations; i++) {
        __atomic_fetch_add(sum, 1, __ATOMIC_RELAXED);
        run->counters[0] += 3;
    }
    run->counters[1] += run->thread;
    assert_int_equal(run->threads, 4);
}

static void threads_do_all_iterations_each(void **state) {
    (void)state;
    uint64_t sum = 0;
    const perfkit_benchmark b = {.body = add, .threads = 4};
    perfkit_run run = {.data = &sum};
    pk_work work;
    pk_err err;
    assert_ok(pk_work_open(&work, &b, &run, &err), &err);
    assert_true(pk_work_is_wall(&work) && !pk_work_is_plain(&work));
    for (uint64_t round = 1; round <= 50; round++) {
        pk_unit unit;
        const uint64_t before_ns = pk_now_ns();
        pk_work_unit(&no_clock, &work, 25, &unit);
        assert_int_equal(sum, round * 4 * 25);
        assert_near(run.counters[0], 4 * 25 * 3, 0);
        assert_near(run.counters[1], 0 + 1 + 2 + 3, 0);
        assert_true(unit.start_ns >= before_ns);
        assert_true(unit.start_ns + unit.wall_ns <= pk_now_ns());
        assert_true(unit.cpu_ns > 0);
    }
    pk_work_close(&work);
}

static void last_sleeps(perfkit_run *run) {
    if (run->thread == run->threads - 1) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void the_time_ends_with_the_last(void **state) {
    (void)state;
    const perfkit_benchmark b = {.body = last_sleeps, .threads = PERFKIT_THREADS_PARAM};
    perfkit_run run = {.param = 3};
    pk_work work;
    pk_unit unit;
    pk_err err;
    assert_ok(pk_work_open(&work, &b, &run, &err), &err);
    assert_int_equal(run.threads, 3);
    pk_work_unit(&no_clock, &work, 1, &unit);
    assert_true(unit.wall_ns >= 20000000);
    assert_true(unit.cpu_ns < unit.wall_ns); /* of all three: they slept, or did nothing */
    pk_work_close(&work);
}

static void a_plain_body_is_plain(void **state) {
    (void)state;
    uint64_t n = 0;
    const perfkit_benchmark b = {.body = pk_unit_empty_loop};
    perfkit_run run = {.data = &n};
    pk_work work;
    pk_unit unit;
    pk_err err;
    assert_ok(pk_work_open(&work, &b, &run, &err), &err);
    assert_true(pk_work_is_plain(&work) && !pk_work_is_wall(&work));
    pk_work_unit(&no_clock, &work, 1000, &unit);
    assert_int_equal(unit.elapsed_ns, unit.wall_ns);
    pk_work_close(&work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_criterions),
        cmocka_unit_test(each_input_is_made_used_and_dropped),
        cmocka_unit_test(what_it_says_is_the_time),
        cmocka_unit_test(threads_do_all_iterations_each),
        cmocka_unit_test(the_time_ends_with_the_last),
        cmocka_unit_test(a_plain_body_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
