/* Do printed intervals hold the truth as often as they say? Whole runs are simulated, with workers
 * of known distributions, and go through the analysis: 95 % intervals must hold the true time or
 * change in 93 to 97 % of 2000 runs (binomial: 95 +- 1 % at two standard deviations). */
#include "bench/analyse.h"
#include "stats/random.h"

#include "check.h"

enum { RUNS = 2000, WORKERS = 140, LAYOUTS = 32 };

typedef double draw(pk_random *random); /* log of a worker's time, less that of the code */

static double normal(pk_random *random) {
    return 0.02 * pk_random_normal(random);
}

/* Skewed: a tail of slow workers. */
static double skewed(pk_random *random) {
    return exp(0.5 * pk_random_normal(random)) / 10;
}

/* A branch predicted in two of five processes: 3.2 or 5.0. */
static double bimodal(pk_random *random) {
    double mode = pk_random_unit(random) < 0.4 ? log(3.2) : log(5.0);
    return mode + 0.01 * pk_random_normal(random);
}

/* exp(draw) on average. */
#define NORMAL_MEAN exp(0.02 * 0.02 / 2)
#define BIMODAL_MEAN ((0.4 * 3.2 + 0.6 * 5.0) * exp(0.01 * 0.01 / 2))
#define LOGNORMAL_MEAN exp(0.3 * 0.3 / 2)

static double lognormal(pk_random *random) {
    return 0.3 * pk_random_normal(random);
}

typedef struct simulated {
    pk_bench_result result;
    pk_bench_options options;
    pk_bench_worker workers[512];
} simulated;

static void begin(simulated *s, size_t n, pk_change_source source) {
    *s = (simulated){
        .result = {.n_workers = n,
                   .confidence_level = 0.95,
                   .noise_threshold = 0.01,
                   .equivalence = 0.02,
                   .change.source = source},
        .options = {.nresamples = 2},
    };
    s->result.workers = s->workers;
    for (size_t i = 0; i < n; i++) {
        s->workers[i].layout = -1;
        s->workers[i].old_first = i % 2;
        s->workers[i].reference_ns = NAN;
    }
}

/* Medians are all the same: looking for modes among them would take most of the test's time. */
static void set(pk_bench_side *side, double ns) {
    *side = (pk_bench_side){.trimmed_ns = ns, .median_ns = 1, .units = 100};
}

static void assert_coverage(const char *what, size_t held) {
    double share = (double)held / RUNS;
    print_message("%s: %.1f %%\n", what, 100 * share);
    assert_true(share >= 0.93 && share <= 0.97);
}

static bool holds(const pk_estimate *interval, double truth) {
    return interval->low <= truth && truth <= interval->high;
}

/* ---- the change ---- */

/* Workers share what hits both sides (the machine's speed), and each side has its own part. */
static void run_pairs(const char *what, size_t workers, draw *of, double ratio,
                      double order_effect) {
    static simulated s;
    pk_random random;
    pk_random_seed(&random, workers + (uint64_t)what[0]);
    size_t held = 0;
    for (size_t run = 0; run < RUNS; run++) {
        begin(&s, workers, PK_CHANGE_LIVE);
        for (size_t i = 0; i < workers; i++) {
            double machine = 0.1 * pk_random_normal(&random);
            double order = s.workers[i].old_first ? order_effect : -order_effect;
            set(&s.workers[i].side[PK_SIDE_OLD], exp(machine + of(&random)));
            set(&s.workers[i].side[PK_SIDE_NEW], ratio * exp(machine + of(&random) + order));
        }
        pk_bench_change_live(&s.result, &s.options);
        held += holds(&s.result.change.ratio, ratio - 1);
    }
    assert_coverage(what, held);
}

static void changes_are_covered(void **state) {
    (void)state;
    run_pairs("normal workers", WORKERS, normal, 1.03, 0);
    run_pairs("30 normal workers", 30, normal, 0.97, 0);
    run_pairs("skewed workers", WORKERS, skewed, 1, 0);
    run_pairs("bimodal workers", WORKERS, bimodal, 1.02, 0);
    /* an order effect smaller than the workers' spread widens the interval a little */
    run_pairs("order effect", WORKERS, normal, 1, 0.004);
}

static void changes_by_layout_are_covered(void **state) {
    (void)state;
    static simulated s;
    pk_random random;
    pk_random_seed(&random, 2);
    size_t held = 0;
    for (size_t run = 0; run < RUNS; run++) {
        begin(&s, (size_t)5 * LAYOUTS, PK_CHANGE_LIVE);
        double effect[LAYOUTS]; /* of a layout: 3 %, more than that of a worker */
        for (size_t i = 0; i < LAYOUTS; i++) effect[i] = 0.03 * pk_random_normal(&random);
        for (size_t i = 0; i < s.result.n_workers; i++) {
            s.workers[i].layout = (int)(i % LAYOUTS);
            set(&s.workers[i].side[PK_SIDE_OLD], exp(normal(&random)));
            set(&s.workers[i].side[PK_SIDE_NEW], exp(effect[i % LAYOUTS] + normal(&random)));
        }
        pk_bench_change_live(&s.result, &s.options);
        held += holds(&s.result.change.ratio, 0);
    }
    assert_coverage("layouts", held);
}

static void changes_of_isolated_workers_are_covered(void **state) {
    (void)state;
    static const bool is_new[8] = {true, false, false, true, false, true, true, false};
    static simulated s;
    pk_random random;
    pk_random_seed(&random, 3);
    size_t held = 0;
    for (size_t run = 0; run < RUNS; run++) {
        begin(&s, WORKERS, PK_CHANGE_ISOLATED);
        for (size_t i = 0; i < WORKERS; i++) {
            double drift = 0.001 * (double)i; /* 14 % in a run */
            double ns = exp(drift + normal(&random));
            if (is_new[i % 8]) set(&s.workers[i].side[PK_SIDE_NEW], 1.05 * ns);
            else set(&s.workers[i].side[PK_SIDE_OLD], ns);
        }
        pk_bench_change_live(&s.result, &s.options);
        held += holds(&s.result.change.ratio, 0.05);
    }
    assert_coverage("isolated", held);
}

/* ---- the time ---- */

static void run_times(const char *what, size_t workers, draw *of, double truth) {
    static simulated s;
    pk_random random;
    pk_random_seed(&random, 4 + (uint64_t)what[0]);
    size_t held = 0;
    for (size_t run = 0; run < RUNS; run++) {
        begin(&s, workers, PK_CHANGE_NONE);
        for (size_t i = 0; i < workers; i++) set(&s.workers[i].side[PK_SIDE_NEW], exp(of(&random)));
        pk_arena *arena = pk_arena_new(1 << 16);
        pk_err err = {0};
        assert_non_null(arena);
        assert_ok(pk_bench_analyse(&s.result, &s.options, arena, &err), &err);
        held += holds(&s.result.typical, truth);
        pk_arena_free(arena);
    }
    assert_coverage(what, held);
}

static void times_are_covered(void **state) {
    (void)state;
    run_times("normal times", WORKERS, normal, NORMAL_MEAN);
    run_times("lognormal times", WORKERS, lognormal, LOGNORMAL_MEAN);
    run_times("bimodal times", WORKERS, bimodal, BIMODAL_MEAN);
}

/* ---- stored numbers ---- */

/* Sessions differ by as much as workers do, which is what the term between sessions supposes; of
 * five former ones the spread is known. The prediction interval must hold the next one's change. */
static void changes_against_a_history_are_covered(void **state) {
    (void)state;
    enum { HISTORY = 5, FEW = 40 };
    static simulated s;
    static const pk_environment here = {.cpu_model = "cpu"};
    pk_random random;
    pk_random_seed(&random, 5);
    size_t held = 0;
    for (size_t run = 0; run < RUNS; run++) {
        pk_bench_session sessions[HISTORY + 1];
        for (size_t h = 0; h <= HISTORY; h++) {
            begin(&s, FEW, PK_CHANGE_NONE);
            double session = normal(&random), ratio = h == HISTORY ? 1.1 : 1;
            for (size_t i = 0; i < FEW; i++) {
                set(&s.workers[i].side[PK_SIDE_NEW], ratio * exp(session + normal(&random)));
                s.workers[i].reference_ns = 1;
            }
            pk_bench_session_of(&s.result, &here, &sessions[h]);
        }
        pk_bench_change_stored(&s.result, &here, HISTORY, sessions, &s.options);
        assert_int_equal(s.result.change.history, HISTORY);
        held += holds(&s.result.change.ratio, 0.1);
    }
    assert_coverage("history", held);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_covered),
        cmocka_unit_test(changes_by_layout_are_covered),
        cmocka_unit_test(changes_of_isolated_workers_are_covered),
        cmocka_unit_test(times_are_covered),
        cmocka_unit_test(changes_against_a_history_are_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
