#include "check.h"

#include "bench/plan.h"

#define MS 1000000ull

static const pk_worker_offer no_settings = {.group = "g"};
/* Nothing given on the command line. */
static const pk_bench_options defaults = {.warm_up_time_s = -1};

static pk_plan plan_of(pk_bench_options options, pk_plan_sides sides) {
    return pk_plan_of(&options, &no_settings, sides, 0, 0, 25);
}

static void defaults_are_140_workers_of_30_ms(void **state) {
    (void)state;
    pk_plan plan = plan_of(defaults, PK_PLAN_SINGLE);
    assert_int_equal(plan.least, 30);
    assert_int_equal(plan.planned, 140);
    assert_int_equal(plan.most, 140);
    assert_int_equal(plan.worker_ns, 30 * MS);
    assert_int_equal(plan.warm_ns, 5 * MS);
    assert_int_equal(plan.unit_ns, 100000);
    assert_near(plan.noise_threshold, 0.01, 0);
    assert_near(plan.confidence_level, 0.95, 0);
    assert_int_equal(plan.budget_ns, 140 * 38 * MS);
    /* A comparison may go on for three times as long. */
    plan = plan_of(defaults, PK_PLAN_INTERLEAVED);
    assert_int_equal(plan.planned, 140);
    assert_int_equal(plan.most, 420);
    assert_int_equal(plan.budget_ns, 420 * 38 * MS);
}

static void the_command_line_wins_over_the_code_over_the_default(void **state) {
    (void)state;
    const pk_worker_offer code = {.group = "g",
                                  .sample_size = 50,
                                  .measurement_time_s = 1.4,
                                  .warm_up_time_s = 1.4,
                                  .noise_threshold = 0.03,
                                  .confidence_level = 0.9};
    pk_plan plan = pk_plan_of(&defaults, &code, PK_PLAN_SINGLE, 0, 0, 25);
    assert_int_equal(plan.least, 50);
    assert_int_equal(plan.worker_ns, 10 * MS);
    assert_int_equal(plan.warm_ns, 10 * MS);
    assert_near(plan.noise_threshold, 0.03, 0);
    assert_near(plan.confidence_level, 0.9, 0);
    const pk_bench_options line = {.sample_size = 60,
                                   .measurement_time_s = 2.8,
                                   .warm_up_time_s = 0,
                                   .noise_threshold = 0.02,
                                   .confidence_level = 0.99};
    plan = pk_plan_of(&line, &code, PK_PLAN_SINGLE, 0, 0, 25);
    assert_int_equal(plan.least, 60);
    assert_int_equal(plan.worker_ns, 20 * MS);
    assert_int_equal(plan.warm_ns, 0);
    assert_near(plan.noise_threshold, 0.02, 0);
    assert_near(plan.confidence_level, 0.99, 0);
}

static void workers_stay_short_but_worth_their_start(void **state) {
    (void)state;
    pk_bench_options options = defaults;
    options.measurement_time_s = 60; /* more workers, not longer ones */
    pk_plan plan = plan_of(options, PK_PLAN_SINGLE);
    assert_int_equal(plan.worker_ns, 100 * MS);
    assert_int_equal(plan.planned, 600);
    options.measurement_time_s = 0.2; /* fewer, not shorter ones */
    plan = plan_of(options, PK_PLAN_SINGLE);
    assert_int_equal(plan.worker_ns, 5 * MS);
    assert_int_equal(plan.planned, 40);
    options.sample_size = 1000; /* the least number is kept, whatever the time */
    plan = plan_of(options, PK_PLAN_SINGLE);
    assert_int_equal(plan.worker_ns, 5 * MS);
    assert_int_equal(plan.planned, 1000);
    options.sample_size = 31; /* pairs */
    plan = plan_of(options, PK_PLAN_INTERLEAVED);
    assert_int_equal(plan.least, 32);
}

static void quick_is_30_workers_of_10_ms(void **state) {
    (void)state;
    pk_bench_options options = defaults;
    options.quick = true;
    for (int sides = PK_PLAN_SINGLE; sides <= PK_PLAN_INTERLEAVED; sides++) {
        pk_plan plan = plan_of(options, (pk_plan_sides)sides);
        assert_int_equal(plan.least, 30);
        assert_int_equal(plan.planned, 30);
        assert_int_equal(plan.most, 30);
        assert_int_equal(plan.worker_ns, 10 * MS);
    }
}

static void a_slow_clock_makes_longer_units(void **state) {
    (void)state;
    pk_plan plan = pk_plan_of(&defaults, &no_settings, PK_PLAN_SINGLE, 0, 0, 1500);
    assert_int_equal(plan.unit_ns, 1500000);
    plan = pk_plan_of(&defaults, &no_settings, PK_PLAN_SINGLE, 0, 0, NAN);
    assert_int_equal(plan.unit_ns, 100000);
}

static void interleaved_workers_swap_the_first_side(void **state) {
    (void)state;
    pk_plan plan = plan_of(defaults, PK_PLAN_INTERLEAVED);
    int old_first = 0;
    for (uint64_t i = 0; i < 30; i++) {
        pk_plan_turn turn = pk_plan_turn_of(&plan, i);
        assert_true(turn.has[PK_SIDE_NEW] && turn.has[PK_SIDE_OLD]);
        assert_int_equal(turn.layout, -1);
        assert_int_equal(turn.old_first, i % 2 == 0);
        old_first += turn.old_first;
    }
    assert_int_equal(old_first, 15);
}

static void isolated_workers_go_old_new_new_old_and_back(void **state) {
    (void)state;
    static const char order[] = "ABBABAABABBABAAB";
    pk_plan plan = plan_of(defaults, PK_PLAN_ISOLATED);
    assert_int_equal(plan.group, 4);
    assert_int_equal(plan.least, 32);
    for (size_t i = 0; order[i]; i++) {
        pk_plan_turn turn = pk_plan_turn_of(&plan, i);
        assert_int_equal(turn.has[PK_SIDE_OLD], order[i] == 'A');
        assert_int_equal(turn.has[PK_SIDE_NEW], order[i] == 'B');
    }
}

static void a_plan_can_turn_to_isolation(void **state) {
    (void)state;
    pk_bench_options options = defaults;
    options.sample_size = 30;
    pk_plan plan = plan_of(options, PK_PLAN_INTERLEAVED);
    pk_plan_isolate(&plan);
    assert_int_equal(plan.sides, PK_PLAN_ISOLATED);
    assert_int_equal(plan.least % 4 + plan.planned % 4 + plan.most % 4, 0);
    assert_int_equal(plan.least, 32);
}

/* Within a group each layout is used equally often in either order, or by either side. */
static void layouts_are_balanced_in_a_group(void **state) {
    (void)state;
    enum { LAYOUTS = 32 };
    static const pk_plan_sides all[] = {PK_PLAN_SINGLE, PK_PLAN_INTERLEAVED, PK_PLAN_ISOLATED};
    for (size_t s = 0; s < 3; s++) {
        pk_plan plan = pk_plan_of(&defaults, &no_settings, all[s], LAYOUTS, 0, 25);
        static const uint64_t groups[] = {32, 64, 128};
        assert_int_equal(plan.group, groups[s]);
        assert_int_equal(plan.planned, 128);
        int used[LAYOUTS] = {0}, old_first[LAYOUTS] = {0};
        for (uint64_t i = 0; i < plan.group; i++) {
            pk_plan_turn turn = pk_plan_turn_of(&plan, i);
            assert_in_range(turn.layout, 0, LAYOUTS - 1);
            used[turn.layout]++;
            old_first[turn.layout] += turn.old_first;
        }
        for (int i = 0; i < LAYOUTS; i++) {
            assert_int_equal(used[i], plan.group / LAYOUTS);
            assert_int_equal(old_first[i], all[s] == PK_PLAN_SINGLE ? 0 : used[i] / 2);
        }
    }
}

static void looks_come_at_30_40_50_and_never_within_a_pair(void **state) {
    (void)state;
    pk_plan plan = plan_of(defaults, PK_PLAN_INTERLEAVED);
    for (uint64_t k = 0; k <= 420; k++) {
        pk_plan_state at = {.workers = k, .spent_ns = k * 38 * MS};
        pk_plan_step expected = k == 420                 ? PK_STEP_ENOUGH
                                : k >= 30 && k % 10 == 0 ? PK_STEP_LOOK
                                                         : PK_STEP_WORKER;
        assert_int_equal(pk_plan_next(&plan, &at), expected);
    }
}

static void a_slow_benchmark_ends_with_its_time_but_not_below_the_least(void **state) {
    (void)state;
    pk_plan plan = plan_of(defaults, PK_PLAN_SINGLE);
    pk_plan_state at = {.workers = 28, .spent_ns = 100 * plan.budget_ns};
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    at.workers = 30;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_ENOUGH);
    at.workers = 31;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    at = (pk_plan_state){.workers = 32, .spent_ns = plan.budget_ns - 1};
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
}

static void what_only_fails_is_given_up_after_three(void **state) {
    (void)state;
    pk_plan plan = plan_of(defaults, PK_PLAN_INTERLEAVED);
    pk_plan_state at = {.failures = 2};
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    at.failures = 3;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_FAILED);
    at.former = at.workers = 30; /* workers of another session do not save it */
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_FAILED);
    at.workers = 31;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
}

static void more_than_2_per_cent_of_failures_is_too_much(void **state) {
    (void)state;
    static const struct {
        uint64_t workers, failures;
        bool failed;
    } cases[] = {{140, 0, false}, {98, 2, false}, {97, 3, true}, {30, 1, true}, {0, 1, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_plan_state end = {.workers = cases[i].workers, .failures = cases[i].failures};
        assert_int_equal(pk_plan_failed(&end), cases[i].failed);
        end.workers += 1000; /* those of another session do not make it good */
        end.former = 1000;
        assert_int_equal(pk_plan_failed(&end), cases[i].failed);
    }
    /* Ended as soon as the rest of the budget could not make it good. */
    pk_plan plan = plan_of(defaults, PK_PLAN_SINGLE);
    pk_plan_state at = {.workers = 1, .failures = 2};
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    at.failures = 3; /* of 143 */
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_FAILED);
}

static void refusals_count_when_they_are_most(void **state) {
    (void)state;
    pk_plan plan = plan_of(defaults, PK_PLAN_SINGLE);
    pk_plan_state at = {.refusals = 2};
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    at.refusals = 3;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_FAILED);
    at.workers = 2;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    assert_true(pk_plan_failed(&at));
    at.workers = 3;
    assert_false(pk_plan_failed(&at));
    at.failures = 1; /* crashes are judged by themselves */
    assert_true(pk_plan_failed(&at));
}

static void a_continued_session_gets_a_budget_of_its_own(void **state) {
    (void)state;
    pk_plan plan = pk_plan_of(&defaults, &no_settings, PK_PLAN_INTERLEAVED, 0, 141, 25);
    assert_int_equal(plan.least, 172);
    assert_int_equal(plan.planned, 280);
    assert_in_range(plan.most, 141 + 3 * 139, 141 + 3 * 140);
    pk_plan_state at = {.workers = 141, .former = 141};
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_WORKER);
    at.workers = 172;
    assert_int_equal(pk_plan_next(&plan, &at), PK_STEP_LOOK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_140_workers_of_30_ms),
        cmocka_unit_test(the_command_line_wins_over_the_code_over_the_default),
        cmocka_unit_test(workers_stay_short_but_worth_their_start),
        cmocka_unit_test(quick_is_30_workers_of_10_ms),
        cmocka_unit_test(a_slow_clock_makes_longer_units),
        cmocka_unit_test(interleaved_workers_swap_the_first_side),
        cmocka_unit_test(isolated_workers_go_old_new_new_old_and_back),
        cmocka_unit_test(a_plan_can_turn_to_isolation),
        cmocka_unit_test(layouts_are_balanced_in_a_group),
        cmocka_unit_test(looks_come_at_30_40_50_and_never_within_a_pair),
        cmocka_unit_test(a_slow_benchmark_ends_with_its_time_but_not_below_the_least),
        cmocka_unit_test(what_only_fails_is_given_up_after_three),
        cmocka_unit_test(more_than_2_per_cent_of_failures_is_too_much),
        cmocka_unit_test(refusals_count_when_they_are_most),
        cmocka_unit_test(a_continued_session_gets_a_budget_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
