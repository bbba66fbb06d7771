#include "check.h"

#include "bench/command_render.h"

static void check_line(const pk_command_progress *progress, const char *expected) {
    char line[200];
    pk_command_render_progress(line, sizeof line, progress);
    assert_string_equal(line, expected);
}

static pk_command_progress in_phase(pk_command_phase phase) {
    return (pk_command_progress){.phase = phase,
                                 .name = "sleep 0.1",
                                 .done = 12,
                                 .planned = 30,
                                 .estimate_s = NAN,
                                 .median_low_s = NAN,
                                 .median_high_s = NAN};
}

static void each_phase_has_a_line(void **state) {
    (void)state;
    pk_command_progress p = in_phase(PK_PHASE_SHELL);
    check_line(&p, "measuring the start of the shell: 12/30");
    p = in_phase(PK_PHASE_SETUP);
    check_line(&p, "setup: sleep 0.1");
    p = in_phase(PK_PHASE_WARMUP);
    check_line(&p, "warm-up 12/30: sleep 0.1");
    p = in_phase(PK_PHASE_FIRST);
    check_line(&p, "first run: sleep 0.1");
    p = in_phase(PK_PHASE_CLEANUP);
    check_line(&p, "cleanup: sleep 0.1");
}

static void runs_show_what_is_known(void **state) {
    (void)state;
    pk_command_progress p = in_phase(PK_PHASE_RUNS);
    check_line(&p, "12/30 runs: sleep 0.1");
    p.estimate_s = 0.101;
    check_line(&p, "12/30 runs, mean 101.0 ms: sleep 0.1");
    p.elapsed_s = 1.2;
    p.expected_s = 4.4;
    check_line(&p, "12/30 runs, about 3 s left, mean 101.0 ms: sleep 0.1");
    p.median_low_s = 0.1005;
    p.median_high_s = 0.1013;
    check_line(&p, "12/30 runs, about 3 s left, median 100.5 .. 101.3 ms: sleep 0.1");
    p.planned = 0; /* until the interval is narrow enough */
    p.expected_s = NAN;
    check_line(&p, "12 runs, median 100.5 .. 101.3 ms: sleep 0.1");
}

static void what_does_not_fit_is_cut(void **state) {
    (void)state;
    char line[10];
    pk_command_progress p = in_phase(PK_PHASE_FIRST);
    pk_command_render_progress(line, sizeof line, &p);
    assert_string_equal(line, "first run");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_a_line),
        cmocka_unit_test(runs_show_what_is_known),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
