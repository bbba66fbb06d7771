/* The figures of a run, from what a launcher said that is made up. */
#include "tests/unit/check.h"

#include "base/units.h"
#include "bench/command_exec.h"

static const pk_launched known = {.launch_ns = 2 * PK_NS_PER_MS,
                                  .running_ns = 50 * PK_NS_PER_MS,
                                  .usage = {.ru_utime = {.tv_sec = 1, .tv_usec = 500000},
                                            .ru_stime = {.tv_usec = 3000},
                                            .ru_maxrss = 700,
                                            .ru_minflt = 11,
                                            .ru_majflt = 12,
                                            .ru_nvcsw = 13,
                                            .ru_nivcsw = 14,
                                            .ru_inblock = 15,
                                            .ru_oublock = 16},
                                  .counters = {.known = {true}, .value = {1e9, NAN, NAN, NAN}}};

static void test_figures(void **state) {
    (void)state;
    pk_command_options options = {.runs = 1};
    pk_executor e = {.options = &options, .floor_bytes = 700 << 10, .shell_s = NAN};
    pk_command_case of = {.command = "x"};
    pk_command_run one;
    pk_executor_figures(&e, &of, &known, &one);
    assert_near(one.wall_s, 0.05, 1e-12);
    assert_near(one.launch_s, 0.002, 1e-12);
    assert_near(one.shell_s, 0, 0);
    assert_near(one.user_s, 1.5, 1e-12);
    assert_near(one.system_s, 0.003, 1e-12);
    assert_int_equal(one.rss_bytes, 700 << 10);
    assert_true(one.rss_is_floor);
    assert_int_equal(one.faults_minor, 11);
    assert_int_equal(one.faults_major, 12);
    assert_int_equal(one.switches_voluntary, 13);
    assert_int_equal(one.switches_involuntary, 14);
    assert_int_equal(one.blocks_in, 15);
    assert_int_equal(one.blocks_out, 16);
    assert_true(one.counters.known[0] && one.counters.value[0] == 1e9);
    assert_false(one.failed || one.timed_out);

    e.floor_bytes--;
    options.launch_included = true;
    pk_executor_figures(&e, &of, &known, &one);
    assert_false(one.rss_is_floor);
    assert_near(one.wall_s, 0.052, 1e-12);
}

/* Its share is taken off, and what would be less than nothing is nothing. */
static void test_figures_through_a_shell(void **state) {
    (void)state;
    pk_command_options options = {.runs = 1};
    pk_executor e = {
        .options = &options, .shell_s = 0.01, .shell_user_s = 0.5, .shell_system_s = 0.004};
    pk_command_case of = {.command = "x", .through_shell = true};
    pk_command_run one;
    pk_executor_figures(&e, &of, &known, &one);
    assert_near(one.wall_s, 0.04, 1e-12);
    assert_near(one.shell_s, 0.01, 0);
    assert_near(one.user_s, 1.0, 1e-12);
    assert_near(one.system_s, 0, 0);
    e.shell_s = 0.06;
    pk_executor_figures(&e, &of, &known, &one);
    assert_near(one.wall_s, 0, 0);
    pk_launched timed_out = known;
    timed_out.timed_out = true; /* the bound is what was waited for */
    pk_executor_figures(&e, &of, &timed_out, &one);
    assert_near(one.wall_s, 0.05, 1e-12);
    assert_true(one.failed && one.timed_out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_figures_through_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
