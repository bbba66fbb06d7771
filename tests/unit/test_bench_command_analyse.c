/* Figures, ratios and verdicts of whole commands, from runs made by hand and by simulation. */
#include "bench/command_parts.h"

#include "check.h"
#include "stats/random.h"

enum { ARENA_BYTES = 1 << 20, CASES = 4, RUNS_MAX = 1000 };

typedef struct fixture {
    pk_command_options options;
    pk_command_report report;
    pk_command_case cases[CASES];
    pk_command_result results[CASES];
    pk_command_run runs[CASES][RUNS_MAX];
    pk_err err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    f->options = (pk_command_options){
        .confidence_level = 0.95, .noise_threshold = 0.01, .equivalence = 0.02, .min_time_s = 3};
    f->report = (pk_command_report){.arena = pk_arena_new(ARENA_BYTES),
                                    .cases = f->cases,
                                    .results = f->results,
                                    .n_cases = CASES,
                                    .rounds = true,
                                    .shell_s = NAN,
                                    .shell_sd_s = NAN};
    for (size_t i = 0; i < CASES; i++) {
        f->results[i].of = &f->cases[i];
        f->results[i].runs = f->runs[i];
    }
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    pk_arena_free(f->report.arena);
    free(f);
    return 0;
}

static pk_command_run *give_run(fixture *f, size_t i, double wall_s, double cpu_s) {
    pk_command_result *r = &f->results[i];
    assert_true(r->n_runs < RUNS_MAX);
    if (f->report.n_results <= i) f->report.n_results = i + 1;
    pk_command_run *run = &r->runs[r->n_runs];
    *run = (pk_command_run){.wall_s = wall_s, .user_s = cpu_s / 4, .system_s = cpu_s * 3 / 4};
    run->round = r->n_runs++;
    return run;
}

static void give_walls(fixture *f, size_t i, size_t n, const double walls[]) {
    for (size_t k = 0; k < n; k++) give_run(f, i, walls[k], walls[k]);
}

static void analyse(fixture *f) {
    assert_ok(pk_command_analyse(&f->options, &f->report, &f->err), &f->err);
}

/* ---- figures ---- */

static void test_figures_of_ten_runs(void **state) {
    fixture *f = *state;
    static const double walls[] = {7, 3, 10, 1, 5, 9, 2, 6, 4, 8};
    give_walls(f, 0, 10, walls);
    for (size_t i = 0; i < 9; i++) f->runs[0][i].rss_bytes = (i + 1) * 1024;
    analyse(f);
    const pk_command_figures *w = &f->results[0].wall;
    assert_int_equal(w->n, 10);
    assert_near(w->mean, 5.5, 1e-15);
    assert_near(w->sd, 3.0276503540974917, 1e-14);
    assert_near(w->min, 1, 0);
    assert_near(w->max, 10, 0);
    assert_near(w->mad, 2.5 * 1.4826, 1e-6);
    assert_near(w->median.point, 5.5, 0);
    assert_near(w->median.low, 2, 0); /* ranks 2 and 9: 97.9 % */
    assert_near(w->median.high, 9, 0);
    assert_near(w->mean_ci.low, 5.5 - 2.2621571627409915 * 3.0276503540974917 / sqrt(10), 1e-9);
    assert_near(w->mean_ci.high, 5.5 + 2.2621571627409915 * 3.0276503540974917 / sqrt(10), 1e-9);
    static const double percentiles[] = {NAN, 3, 8, 9, NAN, NAN};
    for (size_t i = 0; i < 6; i++) assert_near(w->percentile[i], percentiles[i], 0);
    assert_near(f->results[0].user.mean, 5.5 / 4, 1e-14);
    assert_near(f->results[0].system.mean, 5.5 * 3 / 4, 1e-14);
    assert_near(f->results[0].cpu.mean, 5.5, 1e-14);
    assert_int_equal(f->results[0].rss.n, 9); /* the tenth is not known */
    assert_near(f->results[0].rss.mean, 5 * 1024, 1e-14);
    assert_int_equal(f->results[0].instructions.n, 0);
    assert_near(f->results[0].instructions.median.point, NAN, 0);
}

static void test_percentiles_need_runs_beyond_them(void **state) {
    fixture *f = *state;
    for (size_t i = 1; i <= 100; i++) give_run(f, 0, (double)i, 1);
    analyse(f);
    static const double percentiles[] = {5, 25, 75, 90, 95, 99};
    for (size_t i = 0; i < 6; i++) assert_near(f->results[0].wall.percentile[i], percentiles[i], 0);
    f->results[0].n_runs = 99;
    analyse(f);
    assert_near(f->results[0].wall.percentile[4], 95, 0);
    assert_near(f->results[0].wall.percentile[5], NAN, 0);
}

static void test_one_run_has_no_spread(void **state) {
    fixture *f = *state;
    give_run(f, 0, 2, 1)->counters = (pk_counter_values){
        .known = {[PK_COUNTER_INSTRUCTIONS] = true}, .value = {[PK_COUNTER_INSTRUCTIONS] = 1e9}};
    analyse(f);
    const pk_command_figures *w = &f->results[0].wall;
    assert_near(w->mean, 2, 0);
    assert_near(w->sd, NAN, 0);
    assert_near(w->median.low, NAN, 0);
    assert_near(w->mean_ci.low, NAN, 0);
    assert_near(f->results[0].instructions.mean, 1e9, 0);
    assert_true(f->results[0].is_fastest && f->results[0].is_reference);
    assert_false(f->results[0].change[0].compared);
}

static void test_failed_runs_count_only_when_asked_for(void **state) {
    fixture *f = *state;
    give_run(f, 0, 1, 1);
    give_run(f, 0, 3, 1);
    give_run(f, 0, 50, 1)->failed = true;
    pk_command_run *late = give_run(f, 0, 100, 1);
    late->failed = late->timed_out = true;
    analyse(f);
    assert_int_equal(f->results[0].n_failed, 2);
    assert_int_equal(f->results[0].n_timed_out, 1);
    assert_int_equal(f->results[0].wall.n, 2);
    assert_near(f->results[0].wall.mean, 2, 0);
    assert_int_equal(f->results[0].n_warnings, 0); /* the counts say it */
    size_t used = pk_arena_used_bytes(f->report.arena);
    f->options.failed_in_statistics = true;
    analyse(f);
    assert_int_equal(pk_arena_used_bytes(f->report.arena), used);
    assert_int_equal(f->results[0].wall.n, 3);
    assert_near(f->results[0].wall.mean, 18, 0);
    f->runs[0][0].failed = f->runs[0][1].failed = true;
    f->options.failed_in_statistics = false;
    analyse(f);
    assert_near(f->results[0].wall.mean, NAN, 0);
    assert_near(f->results[0].ratio, NAN, 0);
    assert_false(f->results[0].is_fastest);
}

static void test_the_number_of_runs_follows_from_the_first(void **state) {
    (void)state;
    static const struct {
        uint64_t runs, min, max;
        double time_s, cost_s;
        uint64_t n;
    } cases[] = {
        {0, 0, 0, 3, 0.01, 300}, {0, 0, 0, 3, 0.03, 100},       {0, 0, 0, 3, 0.5, 10},
        {0, 0, 0, 3, 0.1, 30},   {0, 0, 0, 3, 0.29, 10},        {0, 0, 0, 3, 0.25, 12},
        {0, 20, 0, 3, 0.5, 20},  {0, 0, 5, 3, 0.5, 5},          {0, 0, 100, 3, 0.01, 100},
        {7, 0, 0, 3, 0.01, 7},   {0, 2, 0, 3, 100, 2},          {0, 0, 0, 3, 0, 10},
        {0, 0, 0, 3, NAN, 10},   {0, 0, 0, 1e9, 1e-6, 1000000}, {0, 0, 0, 0, 1, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_command_options o = {.runs = cases[i].runs,
                                .min_runs = cases[i].min,
                                .max_runs = cases[i].max,
                                .min_time_s = cases[i].time_s};
        assert_int_equal(pk_command_count(&o, cases[i].cost_s), cases[i].n);
    }
}

static void test_the_width_is_that_of_the_medians_interval(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 10; i++) give_run(f, 0, 100 + (double)i, 1);
    analyse(f); /* 104.5, from 101 to 108 */
    assert_true(pk_command_width_reached(&f->results[0], PK_COMMAND_WALL, 3.51 / 104.5));
    assert_false(pk_command_width_reached(&f->results[0], PK_COMMAND_WALL, 3.49 / 104.5));
    assert_true(pk_command_width_reached(&f->results[0], PK_COMMAND_CPU, 1e-9));
    assert_false(pk_command_width_reached(&f->results[0], PK_COMMAND_RSS, 1));
    f->results[0].n_runs = 5; /* too few for an interval */
    analyse(f);
    assert_false(pk_command_width_reached(&f->results[0], PK_COMMAND_WALL, 10));
}

/* ---- outliers ---- */

static void test_outliers_are_scored_as_hyperfine_does(void **state) {
    fixture *f = *state;
    /* median 1, median absolute deviation 0.1: the border is at 1 + 1.4826 */
    double walls[] = {2.47, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1, 1, 1};
    give_walls(f, 0, 9, walls);
    pk_command_result *r = &f->results[0];
    analyse(f);
    assert_near(r->first_run_s, 2.47, 0);
    assert_false(r->first_run_slow || r->has_outliers);
    r->runs[0].wall_s = 2.49;
    analyse(f);
    assert_true(r->first_run_slow);
    assert_false(r->has_outliers);
    r->runs[0].wall_s = 1;
    r->runs[4].wall_s = 2.49;
    analyse(f);
    assert_false(r->first_run_slow);
    assert_true(r->has_outliers);
    assert_int_equal(r->outliers, 1); /* quartiles 0.9 and 1.1 */
    r->runs[4].wall_s = 1.1;
    r->runs[0].wall_s = -0.49; /* far too fast: an outlier, but no slow first run */
    analyse(f);
    assert_false(r->first_run_slow);
    assert_true(r->has_outliers);
}

static void test_equal_times_leave_no_room_for_another(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 10; i++) give_run(f, 0, 1, 1);
    analyse(f);
    assert_false(f->results[0].first_run_slow || f->results[0].has_outliers);
    f->runs[0][3].wall_s = 1 + 1e-14;
    analyse(f);
    assert_true(f->results[0].has_outliers);
}

static void test_short_runs_through_a_shell_are_marked(void **state) {
    fixture *f = *state;
    give_run(f, 0, 0.0049, 0.004);
    give_run(f, 0, 0.006, 0.004);
    analyse(f);
    assert_false(f->results[0].below_5ms);
    f->cases[0].through_shell = true;
    analyse(f);
    assert_true(f->results[0].below_5ms);
    assert_false(f->results[0].below_shell);
    f->report.shell_s = 0.006;
    analyse(f);
    assert_true(f->results[0].below_shell);
}

/* ---- ratios and verdicts ---- */

static void test_the_ratio_is_hyperfines(void **state) {
    fixture *f = *state;
    static const double fast[] = {0.9, 1.0, 1.1}, slow[] = {1.8, 2.0, 2.2};
    give_walls(f, 0, 3, slow);
    give_walls(f, 1, 3, fast);
    give_walls(f, 2, 3, slow);
    analyse(f);
    assert_int_equal(f->report.reference, 1);
    assert_true(f->results[1].is_fastest && f->results[1].is_reference);
    assert_near(f->results[0].ratio, 2, 1e-14);
    assert_near(f->results[0].ratio_sd, 2 * sqrt(0.01 + 0.01), 1e-12);
    assert_near(f->results[1].ratio, 1, 0);
    assert_near(f->results[0].change[0].verdict.estimate, 1, 1e-12);

    f->cases[0].reference = true;
    analyse(f);
    assert_int_equal(f->report.reference, 0);
    assert_true(f->results[1].is_fastest && !f->results[1].is_reference);
    assert_near(f->results[1].ratio, 2, 1e-14);
    assert_near(f->results[1].change[0].verdict.estimate, -0.5, 1e-12);
    assert_int_equal(f->results[1].change[0].verdict.word, PK_IMPROVED);
    assert_near(f->results[2].ratio, 1, 0);
    assert_near(f->results[2].ratio_sd, sqrt(0.02), 1e-12);
    assert_int_equal(f->results[2].change[0].verdict.word, PK_NO_CHANGE);
    assert_int_equal(f->results[2].change[0].blocks, 3);
}

static void test_a_mean_of_zero_has_no_ratio(void **state) {
    fixture *f = *state;
    static const double nothing[] = {0, 0}, some[] = {1, 2};
    give_walls(f, 0, 2, nothing);
    give_walls(f, 1, 2, some);
    analyse(f);
    assert_near(f->results[0].ratio, NAN, 0);
    assert_near(f->results[1].ratio, NAN, 0);
    assert_int_equal(f->results[1].change[0].verdict.word, PK_CANNOT_TELL);
    assert_near(f->results[1].change[0].verdict.estimate, NAN, 0);
}

static void test_the_metric_decides_who_is_fastest(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 5; i++) {
        give_run(f, 0, 1, 4);
        give_run(f, 1, 2, 2);
    }
    analyse(f);
    assert_int_equal(f->report.reference, 0);
    assert_near(f->results[1].change[0].verdict.estimate, 1, 1e-12);
    assert_near(f->results[1].change[1].verdict.estimate, -0.5, 1e-12);
    f->options.metric = PK_COMMAND_CPU;
    analyse(f);
    assert_int_equal(f->report.reference, 1);
    assert_near(f->results[0].ratio, 2, 0);
    assert_near(f->results[0].change[0].verdict.estimate, 1, 1e-12);
}

static void test_rounds_are_shared_by_blocks_of_time(void **state) {
    fixture *f = *state;
    static const struct {
        size_t rounds;
        unsigned blocks;
    } cases[] = {{2, 2}, {19, 19}, {20, 20}, {21, 20}, {399, 20}, {400, 50}, {777, 50}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f->results[0].n_runs = f->results[1].n_runs = 0;
        for (size_t k = 0; k < cases[i].rounds; k++) {
            double drift = 1 + (double)k / 50; /* common to both: no part of the ratio */
            give_run(f, 0, drift, drift);
            give_run(f, 1, 1.05 * drift, 1.05 * drift);
        }
        analyse(f);
        const pk_command_change *c = &f->results[1].change[0];
        assert_true(c->compared && !c->grouped);
        assert_int_equal(c->blocks, cases[i].blocks);
        assert_near(c->verdict.estimate, 0.05, 1e-9);
        assert_near(c->verdict.low, 0.05, 1e-9);
        assert_int_equal(c->verdict.word, PK_REGRESSED);
        assert_int_equal(f->results[1].change[1].verdict.word, PK_REGRESSED);
    }
}

static void test_one_wild_run_in_a_block_changes_nothing(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 100; i++) { /* 20 blocks of 5, one of which is cut at each end */
        give_run(f, 0, 1, 1);
        give_run(f, 1, i % 5 == 2 ? 50 : 1.05, 1.05);
    }
    analyse(f);
    assert_near(f->results[1].change[0].verdict.estimate, 0.05, 1e-9);
    assert_near(f->results[1].change[0].verdict.high, 0.05, 1e-9);
}

static void test_pairs_are_runs_of_one_round_that_both_count(void **state) {
    fixture *f = *state;
    /* ratios of the rounds that are left: 1.1, 1.2, 1.3 */
    static const double one[] = {1.1, 9, 1.2, 9, 1.3, 9}, other[] = {1, 1, 1, 5, 1, 1};
    give_walls(f, 0, 6, other);
    give_walls(f, 1, 6, one);
    f->cases[0].reference = true;
    f->runs[1][1].failed = true;
    f->runs[0][3].timed_out = true;
    f->runs[1][5].round = 6; /* in a round of its own */
    analyse(f);
    const pk_command_change *c = &f->results[1].change[0];
    double d = (log(1.1) + log(1.2) + log(1.3)) / 3;
    double sd = sqrt((pow(log(1.1) - d, 2) + pow(log(1.2) - d, 2) + pow(log(1.3) - d, 2)) / 2);
    double half = 14.089047275555304 * sd / sqrt(3);
    assert_int_equal(c->blocks, 3);
    assert_near(c->verdict.estimate, expm1(d), 1e-12);
    assert_near(c->verdict.low, expm1(d - half), 1e-9);
    assert_near(c->verdict.high, expm1(d + half), 1e-9);
    assert_near(c->confidence, 0.995, 1e-12);
    assert_int_equal(c->verdict.word, PK_CANNOT_TELL);
}

static void test_a_round_that_one_command_misses_is_passed_over(void **state) {
    fixture *f = *state;
    static const double other[] = {1, 10, 100, 1000}, one[] = {1.1, 110, 1100};
    give_walls(f, 0, 4, other);
    give_walls(f, 1, 3, one);
    f->cases[0].reference = true;
    f->runs[1][1].round = 2;
    f->runs[1][2].round = 3;
    analyse(f);
    assert_int_equal(f->results[1].change[0].blocks, 3);
    assert_near(f->results[1].change[0].verdict.high, 0.1, 1e-9);
}

static void test_grouped_runs_are_judged_by_welch_and_marked(void **state) {
    fixture *f = *state;
    static const double other[] = {0.9, 1.0, 1.1}, one[] = {1.9, 2.0, 2.0, 2.1};
    give_walls(f, 0, 3, other);
    give_walls(f, 1, 4, one);
    f->report.rounds = false;
    analyse(f);
    const pk_command_change *c = &f->results[1].change[0];
    double a = 0.01 / 3, b = (0.02 / 3) / 4 / 4; /* variances of the logs of the means */
    double df = (a + b) * (a + b) / (a * a / 2 + b * b / 3);
    assert_true(c->compared && c->grouped);
    assert_int_equal(c->blocks, 0);
    assert_near(c->verdict.estimate, 1, 1e-12);
    assert_in_range((uint64_t)(df * 100), 230, 250);
    /* t at 2.43 degrees of freedom, 0.9975: between those of 2 and 3 */
    double t = (log(2) - log1p(c->verdict.low)) / sqrt(a + b);
    assert_true(t > 7.45 && t < 14.1);
}

/* ---- simulation ---- */

/* A machine that drifts: a slow walk common to all that runs at one moment, spikes that hit single
 * runs, and noise. */
static double moment(pk_random *random, double *drift) {
    *drift += 0.01 * pk_random_normal(random) - 0.02 * *drift;
    return *drift;
}

static double noisy(pk_random *random, double log_time) {
    double spike = pk_random_unit(random) < 0.05 ? pk_random_unit(random) * 0.8 : 0;
    return exp(log_time + 0.03 * pk_random_normal(random) + spike) / 1000;
}

/* Both commands, the second slower by `slower`; rounds in balanced order, or one after the other.
 */
static pk_verdict_word simulate(fixture *f, uint64_t seed, size_t rounds, double slower,
                                bool grouped) {
    pk_random random;
    pk_random_seed(&random, seed);
    double drift = 0.05 * pk_random_normal(&random), shift = log1p(slower);
    f->results[0].n_runs = f->results[1].n_runs = 0;
    for (size_t i = 0; i < 2 * rounds; i++) {
        size_t which = grouped ? i >= rounds : (i ^ (i / 2)) & 1;
        double wall = noisy(&random, moment(&random, &drift) + (which ? shift : 0));
        give_run(f, which, wall, wall);
    }
    f->cases[0].reference = true;
    f->report.rounds = !grouped;
    analyse(f);
    return f->results[1].change[0].verdict.word;
}

static size_t count_false(fixture *f, size_t sessions, size_t rounds, bool grouped) {
    size_t wrong = 0;
    for (size_t i = 0; i < sessions; i++) {
        pk_verdict_word word = simulate(f, i, rounds, 0, grouped);
        wrong += word == PK_REGRESSED || word == PK_IMPROVED;
    }
    return wrong;
}

static void test_equal_commands_are_rarely_told_apart(void **state) {
    fixture *f = *state;
    enum { SESSIONS = 1000 };
    static const size_t rounds[] = {10, 50, 200, 500};
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        size_t wrong = count_false(f, SESSIONS, rounds[i], false);
        print_message("%zu rounds: %zu of %d false\n", rounds[i], wrong, SESSIONS);
        assert_true(wrong <= SESSIONS * 2 / 100);
    }
}

static void test_one_after_the_other_is_often_wrong(void **state) {
    fixture *f = *state;
    size_t wrong = count_false(f, 200, 200, true);
    print_message("grouped: %zu of 200 false\n", wrong);
    assert_true(wrong > 40);
}

static void test_five_percent_are_seen(void **state) {
    fixture *f = *state;
    size_t seen = 0;
    for (size_t i = 0; i < 200; i++) seen += simulate(f, i, 200, 0.05, false) == PK_REGRESSED;
    assert_true(seen >= 190);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_figures_of_ten_runs),
        CASE(test_percentiles_need_runs_beyond_them),
        CASE(test_one_run_has_no_spread),
        CASE(test_failed_runs_count_only_when_asked_for),
        cmocka_unit_test(test_the_number_of_runs_follows_from_the_first),
        CASE(test_the_width_is_that_of_the_medians_interval),
        CASE(test_outliers_are_scored_as_hyperfine_does),
        CASE(test_equal_times_leave_no_room_for_another),
        CASE(test_short_runs_through_a_shell_are_marked),
        CASE(test_the_ratio_is_hyperfines),
        CASE(test_a_mean_of_zero_has_no_ratio),
        CASE(test_the_metric_decides_who_is_fastest),
        CASE(test_rounds_are_shared_by_blocks_of_time),
        CASE(test_one_wild_run_in_a_block_changes_nothing),
        CASE(test_pairs_are_runs_of_one_round_that_both_count),
        CASE(test_a_round_that_one_command_misses_is_passed_over),
        CASE(test_grouped_runs_are_judged_by_welch_and_marked),
        CASE(test_equal_commands_are_rarely_told_apart),
        CASE(test_one_after_the_other_is_often_wrong),
        CASE(test_five_percent_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
