/* The worker's arithmetic, on units with known answers; its parameters and messages. */
#include "tests/unit/check.h"

#include <dlfcn.h>

#include "bench/program.h"
#include "bench/worker_measure.h"

/* ---- figures of a side ---- */

enum { N = 10 };

static void set_units(pk_unit units[N]) {
    /* wall 100 .. 1000 in another order; the first two waited. */
    static const uint64_t wall[N] = {300, 200, 100, 400, 1000, 600, 500, 800, 700, 900};
    for (size_t i = 0; i < N; i++)
        units[i] =
            (pk_unit){.wall_ns = wall[i], .wait_ns = i < 2 ? 150 : 0, .cpu_ns = wall[i] + 20};
}

static void a_side_per_iteration(void **state) {
    (void)state;
    pk_unit units[N];
    double scratch[N];
    pk_bench_side side;
    set_units(units);
    pk_measure_side(units, N, 10, PK_METRIC_WALL, scratch, &side);
    assert_int_equal(side.units, N);
    assert_int_equal(side.iterations, 10 * N);
    assert_near(side.trimmed_ns, 55, 1e-12); /* of 300 .. 800 */
    assert_near(side.mean_ns, 55, 1e-12);
    assert_near(side.min_ns, 10, 1e-12);
    assert_near(side.q1_ns, 30, 1e-12); /* rank ceil(2.5) */
    assert_near(side.median_ns, 50, 1e-12);
    assert_near(side.q3_ns, 80, 1e-12);
    assert_near(side.wall_ns, 55, 1e-12);
    assert_near(side.cpu_ns, 57, 1e-12);
}

static void on_cpu_time_is_wall_less_wait(void **state) {
    (void)state;
    pk_unit units[N];
    double scratch[N];
    pk_bench_side side;
    set_units(units); /* on CPU: 150, 50, 100, 400, 1000, 600, 500, 800, 700, 900 */
    pk_measure_side(units, N, 1, PK_METRIC_ONCPU, scratch, &side);
    assert_near(side.trimmed_ns, (150 + 400 + 500 + 600 + 700 + 800) / 6.0, 1e-12);
    assert_near(side.mean_ns, 520, 1e-12);
    assert_near(side.min_ns, 100, 1e-12); /* not the 50 of a unit that waited */
    assert_near(side.wall_ns, 550, 1e-12);
    pk_measure_side(units, N, 1, PK_METRIC_CPU, scratch, &side);
    assert_near(side.trimmed_ns, 570, 1e-12);
    assert_near(side.min_ns, 120, 1e-12);

    pk_measure_side(units, 2, 1, PK_METRIC_ONCPU, scratch, &side); /* all of them waited */
    assert_near(side.min_ns, 50, 1e-12);
    assert_near(side.trimmed_ns, 100, 1e-12);
    pk_measure_side(units, 4, 1, PK_METRIC_ONCPU, scratch, &side); /* half of them */
    assert_near(side.min_ns, 50, 1e-12);
    pk_measure_side(units, 5, 1, PK_METRIC_ONCPU, scratch, &side); /* less than half */
    assert_near(side.min_ns, 100, 1e-12);
    pk_measure_side(units, 1, 1, PK_METRIC_ONCPU, scratch, &side);
    assert_near(side.trimmed_ns, 150, 1e-12);
    assert_near(side.q1_ns, 150, 1e-12);

    pk_unit odd = {.wall_ns = 100, .wait_ns = 150}; /* waited outside the window too */
    assert_near(pk_unit_oncpu_ns(&odd), 0, 0);
}

static void the_metric_falls_back(void **state) {
    (void)state;
    for (int known = 0; known < 2; known++)
        for (int slept = 0; slept < 2; slept++) {
            assert_int_equal(pk_measure_metric(PK_METRIC_WALL, known, slept), PK_METRIC_WALL);
            assert_int_equal(pk_measure_metric(PK_METRIC_CPU, known, slept), PK_METRIC_CPU);
        }
    assert_int_equal(pk_measure_metric(PK_METRIC_ONCPU, true, true), PK_METRIC_ONCPU);
    assert_int_equal(pk_measure_metric(PK_METRIC_ONCPU, true, false), PK_METRIC_ONCPU);
    assert_int_equal(pk_measure_metric(PK_METRIC_ONCPU, false, false), PK_METRIC_CPU);
    assert_int_equal(pk_measure_metric(PK_METRIC_ONCPU, false, true), PK_METRIC_WALL);
}

/* ---- calibration ---- */

static void spin_ns(uint64_t ns) {
    struct timespec start, now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((uint64_t)(now.tv_sec - start.tv_sec) * 1000000000u + (uint64_t)now.tv_nsec <
           (uint64_t)start.tv_nsec + ns);
}

static void takes_10_us(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) spin_ns(10000);
}
static void takes_nothing(perfkit_run *run) {
    (void)run;
}
static void takes_1_ms_whatever_is_asked(perfkit_run *run) {
    (void)run;
    spin_ns(1000000);
}

static void a_unit_is_as_long_as_asked(void **state) {
    (void)state;
    pk_unit_clock clock;
    perfkit_run run = {0};
    pk_err err;
    uint64_t iterations = 0;
    pk_unit_clock_open(&clock);
    assert_ok(pk_calibrate(&clock, &(pk_work){.body = takes_10_us, .run = &run}, 200000, 5000000,
                           &iterations, &err),
              &err);
    assert_in_range(iterations, 2, 20); /* 20, unless the machine is slow */
    assert_ok(pk_check_scaling(&clock, &(pk_work){.body = takes_10_us, .run = &run}, 20, &err),
              &err);
    assert_ok(pk_calibrate(&clock, &(pk_work){.body = takes_1_ms_whatever_is_asked, .run = &run},
                           200000, 5000000, &iterations, &err),
              &err);
    assert_int_equal(iterations, 1);

    memset(&err, 0, sizeof err);
    iterations = 77;
    assert_fails(pk_calibrate(&clock, &(pk_work){.body = takes_nothing, .run = &run}, 200000,
                              5000000, &iterations, &err),
                 &err, PK_E_INPUT);
    assert_int_equal(iterations, 77);
    assert_non_null(strstr(err.what, "the compiler removed the work"));
    assert_non_null(strstr(err.fix, "perfkit_keep()"));
    assert_fails(
        pk_check_scaling(&clock, &(pk_work){.body = takes_nothing, .run = &run}, 100000, &err),
        &err, PK_E_INPUT);
    assert_non_null(strstr(err.what, "the compiler removed the work"));
    assert_fails(pk_check_scaling(&clock,
                                  &(pk_work){.body = takes_1_ms_whatever_is_asked, .run = &run}, 10,
                                  &err),
                 &err, PK_E_INPUT);
    assert_non_null(strstr(err.what, "twice the iterations take 1.0"));
    pk_unit_clock_close(&clock);
}

static void a_unit_counts_what_happened_in_it(void **state) {
    (void)state;
    pk_unit_clock clock;
    perfkit_run run = {0};
    pk_unit unit;
    pk_unit_clock_open(&clock);
    pk_unit_run(&clock, takes_10_us, &run, 30, &unit);
    assert_true(unit.wall_ns >= 300000 && unit.cpu_ns >= 300000 && unit.start_ns > 0);
    assert_int_equal(unit.switches_voluntary, 0);
    assert_int_equal(run.iterations, 30);
    double cost = pk_unit_clock_cost_ns();
    assert_true(cost > 0.5 && cost < 1e5);
    pk_unit_clock_close(&clock);
    assert_int_equal(clock.schedstat, -1);
    pk_unit_run(&clock, takes_10_us, &run, 1, &unit); /* without it the wait is 0 */
    assert_int_equal(unit.wait_ns, 0);
}

/* x -> a x + c with the constants of the header, done here step by step. */
static void the_reference_is_a_chain_of_multiplications(void **state) {
    (void)state;
    pk_unit_clock clock = {.schedstat = -1};
    perfkit_run run = {.param = 1};
    pk_unit one, many;
    pk_unit_run(&clock, pk_unit_reference, &run, 1000000, &many);
    pk_unit_run(&clock, pk_unit_reference, &run, 1, &one);
    /* 4 steps of 4 cycles: 1 ns at 16 GHz, which there is not, and 160 ns at 0.1 GHz. */
    double per_iteration = (double)many.cpu_ns / 1e6;
    assert_true(per_iteration > 1 && per_iteration < 160);
    assert_true(one.wall_ns < many.wall_ns);
}

/* ---- parameters, and what the dynamic linker says ---- */

static void parameters_are_numbers_where_there_are_bounds(void **state) {
    (void)state;
    const perfkit_benchmark bounded = {.param_min = -5, .param_max = 93}, open = {0},
                            explained = {.param_max = 1, .bounds_reason = "because"};
    int64_t number = 77;
    pk_err err;
    assert_ok(pk_target_param(&bounded, "93", &number, &err), &err);
    assert_int_equal(number, 93);
    assert_ok(pk_target_param(&bounded, "-5", &number, &err), &err);
    assert_int_equal(number, -5);
    assert_ok(pk_target_param(&bounded, NULL, &number, &err), &err);
    assert_int_equal(number, 0);
    assert_ok(pk_target_param(&open, "sorted", &number, &err), &err);
    assert_int_equal(number, 0);
    assert_ok(pk_target_param(&open, "9223372036854775807", &number, &err), &err);
    assert_true(number == INT64_MAX);
    number = 77;
    assert_fails(pk_target_param(&bounded, "94", &number, &err), &err, PK_E_INPUT);
    assert_string_equal(err.what, "the parameter 94 is not within -5 .. 93");
    assert_fails(pk_target_param(&bounded, "5x", &number, &err), &err, PK_E_INPUT);
    assert_fails(pk_target_param(&explained, "2", &number, &err), &err, PK_E_INPUT);
    assert_string_equal(err.what, "the parameter 2 is not within 0 .. 1: because");
    assert_int_equal(number, 77);
}

static void linker_messages_lose_our_path(void **state) {
    (void)state;
    static const struct {
        const char *said, *what;
    } cases[] = {
        {"/proc/self/fd/12: file too short", "cannot open the object: file too short"},
        {"/proc/self/fd/12: undefined symbol: f", "cannot open the object: undefined symbol: f"},
        {"/proc/self/fd/12: cannot open shared object file: No such file or directory",
         "cannot open the object: No such file or directory"},
        {"libx.so.1: cannot open shared object file: No such file or directory",
         "the object needs the library libx.so.1, which is not found"},
        {"out of memory", "cannot open the object: out of memory"},
        {NULL, "cannot open the object: the dynamic linker does not say why"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_err err;
        memset(&err, 0, sizeof err);
        pk_target_dl_error(&err, cases[i].said, "/proc/self/fd/12");
        assert_string_equal(err.what, cases[i].what);
        assert_true(err.kind == PK_E_INPUT && err.fix[0]);
    }
}

/* ---- the suite's answers ---- */

/* Decimal digits, lowest first: right whatever the width of an integer. */
typedef struct decimal {
    char digit[24];
} decimal;

static decimal add(const decimal *a, const decimal *b) {
    decimal sum = {{0}};
    int carry = 0;
    for (size_t i = 0; i < sizeof sum.digit; i++) {
        int digit = a->digit[i] + b->digit[i] + carry;
        sum.digit[i] = (char)(digit % 10);
        carry = digit / 10;
    }
    return sum;
}

static void print_decimal(const decimal *d, char out[32]) {
    int top = (int)sizeof d->digit - 1;
    while (top > 0 && !d->digit[top]) top--;
    for (int i = 0; i <= top; i++) out[i] = (char)('0' + d->digit[top - i]);
    out[top + 1] = '\0';
}

static void the_suite_is_right_from_0_to_93(void **state) {
    (void)state;
    pk_program suite;
    pk_err err;
    assert_ok(pk_program_suite(&suite, &err), &err);
    void *handle = dlopen(suite.path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    uint64_t (*fib)(int version, int64_t n);
    *(void **)&fib = dlsym(handle, "perfkit_suite_fib");
    assert_non_null((void *)(uintptr_t)fib);
    decimal now = {{0}}, next = {{1}};
    char expected[32] = "", actual[32];
    for (int64_t n = 0; n <= 93; n++) {
        print_decimal(&now, expected);
        for (int version = n <= 25 ? 0 : 1; version < 4; version++) { /* 0: recursive */
            snprintf(actual, sizeof actual, "%llu", (unsigned long long)fib(version, n));
            if (strcmp(actual, expected) != 0)
                fail_msg("version %d: F(%d) is not %s but %s", version, (int)n, expected, actual);
        }
        decimal sum = add(&now, &next);
        now = next;
        next = sum;
    }
    assert_string_equal(expected, "12200160415121876738");
    dlclose(handle);
    pk_program_close(&suite);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_side_per_iteration),
        cmocka_unit_test(on_cpu_time_is_wall_less_wait),
        cmocka_unit_test(the_metric_falls_back),
        cmocka_unit_test(a_unit_is_as_long_as_asked),
        cmocka_unit_test(a_unit_counts_what_happened_in_it),
        cmocka_unit_test(the_reference_is_a_chain_of_multiplications),
        cmocka_unit_test(parameters_are_numbers_where_there_are_bounds),
        cmocka_unit_test(linker_messages_lose_our_path),
        cmocka_unit_test(the_suite_is_right_from_0_to_93),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
