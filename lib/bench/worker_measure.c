#include "bench/worker_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/quantile.h"
#include "stats/robust.h"
#include "timing/clock.h"

#define TRIM 0.2
#define ITERATION_NS_LEAST                                                                        \
    0.03                         /* a tenth of a cycle at 3 GHz: nobody computes anything in that \
                                  */
#define OVERHEAD_SHOWN 0.01      /* of batches, as a share of the time */
#define UNIT_CLOCK_READINGS 1000 /* a unit is as long as so many readings of the clock at least */

enum {
    UNITS_LEAST = 3,     /* per side */
    UNITS_WANTED = 12,   /* where inputs make units long */
    DOUBLINGS_MAX = 8,   /* of the time, to get them */
    DOUBLINGS_ALONE = 3, /* the same for one side, which can do with fewer */
    PART_UNITS = 9,
};

/* ---- calibration ---- */

/* What this many iterations take: the first reading during which we never waited for the CPU, else
 * the least of some; a long one, which cannot be had undisturbed, less its wait. Never too little:
 * a wait just outside the wall clock's window would make that 0. Of threads the wait is not known,
 * so that long readings too are repeated. */
static double quiet_ns(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                       uint64_t *elapsed_ns) {
    enum { ATTEMPTS = 5, LONG_NS = 5000000, LONG_THREADS_NS = 100000000 };
    const uint64_t long_ns = work->crew ? LONG_THREADS_NS : LONG_NS;
    double least_ns = INFINITY;
    for (int i = 0; i < ATTEMPTS; i++) {
        pk_unit unit;
        pk_work_unit(clock, work, iterations, &unit);
        if (i == 0 || unit.elapsed_ns < *elapsed_ns) *elapsed_ns = unit.elapsed_ns;
        if (unit.wall_ns > long_ns) return pk_unit_oncpu_ns(&unit);
        least_ns = fmin(least_ns, (double)unit.wall_ns);
        if (unit.elapsed_ns > long_ns || (!unit.wait_ns && !unit.switches_involuntary)) break;
    }
    return least_ns;
}

static void fail_removed(const pk_work *work, pk_err *err) {
    if (work->how && work->how->timed) {
        pk_fail(err, PK_E_INPUT, NULL, "it says that its work takes no time");
        pk_fix(err, "return the ns that all run->iterations took");
        return;
    }
    pk_fail(err, PK_E_INPUT, NULL, "the compiler removed the work: an iteration takes no time");
    pk_fix(err, "use perfkit_keep() on the result and perfkit_hide() on what goes in, and loop "
                "run->iterations times");
}

static uint64_t scaled(uint64_t n, double asked_ns, double taken_ns) {
    double iterations = round((double)n * asked_ns / taken_ns);
    return iterations < 1 ? 1 : (uint64_t)iterations;
}

bool pk_calibrate(const pk_unit_clock *clock, const pk_work *work, uint64_t unit_ns,
                  uint64_t elapsed_most_ns, uint64_t *iterations, pk_err *err) {
    const double asked_ns = (double)unit_ns, slow_ns = 1e8;
    uint64_t elapsed_ns;
    for (uint64_t n = 1; (double)n * ITERATION_NS_LEAST < asked_ns; n *= 2) {
        double best_ns = quiet_ns(clock, work, n, &elapsed_ns);
        bool dear = !pk_work_is_plain(work) && elapsed_ns >= elapsed_most_ns / 2;
        if (dear && best_ns * (double)elapsed_most_ns < asked_ns * (double)elapsed_ns) {
            *iterations = scaled(n, (double)elapsed_most_ns, (double)elapsed_ns);
            return true;
        }
        /* The first call may have been slow by itself (page faults, tables built), so it is
         * repeated, unless that is too dear. */
        for (int i = 1; i < 3 && best_ns >= asked_ns / 2 && best_ns < slow_ns; i++)
            best_ns = fmin(best_ns, quiet_ns(clock, work, n, &elapsed_ns));
        if (best_ns < asked_ns / 2) continue;
        *iterations = scaled(n, asked_ns, best_ns);
        return true;
    }
    fail_removed(work, err);
    return false;
}

static bool is_between(double x, double low, double high) {
    return x >= low && x <= high;
}

bool pk_check_scaling(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                      pk_err *err) {
    /* Twice the time within 5 %, or after some attempts what caches and neighbours can make of
     * honest work (4 MiB of dependent loads on a busy machine: 2.2, and 3 in bursts, of the least
     * times or of most pairs). Work done once gives 1, work that grows by itself 4. */
    enum { ATTEMPTS_STRICT = 6, ATTEMPTS = 40 };
    double once_ns = INFINITY, twice_ns = INFINITY;
    int plausible = 0;
    uint64_t ignored_ns;
    for (int i = 1; i <= ATTEMPTS; i++) {
        double once = quiet_ns(clock, work, iterations, &ignored_ns);
        double twice = quiet_ns(clock, work, 2 * iterations, &ignored_ns);
        once_ns = fmin(once_ns, once);
        twice_ns = fmin(twice_ns, twice);
        plausible += is_between(twice, 1.5 * once, 3 * once);
        if (once_ns / (double)iterations < ITERATION_NS_LEAST) {
            fail_removed(work, err);
            return false;
        }
        if (is_between(twice_ns, 1.9 * once_ns, 2.1 * once_ns)) return true;
        if (i < ATTEMPTS_STRICT) continue;
        if (is_between(twice_ns, 1.5 * once_ns, 3 * once_ns) || 2 * plausible > i) return true;
    }
    pk_fail(err, PK_E_INPUT, NULL,
            "twice the iterations take %.2f times as long: the body does not do its work once per "
            "iteration, or the compiler removed it",
            twice_ns / once_ns);
    pk_fix(err, "loop run->iterations times, use perfkit_keep() on each result, do in .setup what "
                "is to be done once");
    return false;
}

/* ---- a series of units ---- */

typedef struct series {
    pk_work work;
    uint64_t iterations;
    pk_unit *units; /* those kept */
    size_t n;
    double counters[PERFKIT_COUNTERS_MAX]; /* of those */
} series;

typedef struct measurement {
    const pk_worker_job *job;
    pk_unit_clock clock;
    uint64_t unit_ns;
    perfkit_run reference_run;
    series side[2]; /* in the order of the first round; n_sides of them */
    int index[2];   /* PK_SIDE_... of each */
    int n_sides;
    series reference;
    size_t units_max; /* room per side; the reference has twice that */
    double *scratch;
    uint64_t warm_until_ns;
} measurement;

static void run_unit(measurement *m, series *s) {
    pk_unit unit;
    pk_work_unit(&m->clock, &s->work, s->iterations, &unit);
    if (unit.start_ns < m->warm_until_ns) return;
    s->units[s->n++] = unit;
    for (size_t k = 0; k < PERFKIT_COUNTERS_MAX; k++) s->counters[k] += s->work.run->counters[k];
}

/* The reference loop between any two keeps both sides' predecessors alike. */
static void run_round(measurement *m, bool swapped) {
    for (int i = 0; i < m->n_sides; i++) {
        run_unit(m, &m->side[m->n_sides == 2 && swapped ? 1 - i : i]);
        run_unit(m, &m->reference);
    }
}

static size_t fewest_units(const measurement *m) {
    size_t n = m->side[0].n;
    return m->n_sides == 2 && m->side[1].n < n ? m->side[1].n : n;
}

static bool run_rounds(measurement *m) {
    const int doublings_max = m->n_sides == 2 ? DOUBLINGS_MAX : DOUBLINGS_ALONE;
    bool swapped = false;
    for (int doublings = 0;;) {
        run_round(m, swapped);
        swapped = !swapped;
        size_t fewest = fewest_units(m);
        if (m->side[0].n == m->units_max || m->side[m->n_sides - 1].n == m->units_max) return true;
        if (pk_now_ns() < m->warm_until_ns + (m->job->worker_ns << doublings)) continue;
        if (fewest >= UNITS_LEAST) return true;
        if (doublings < doublings_max) doublings++;
        else if (m->n_sides == 2) return false;
        else if (fewest) return true;
    }
}

/* ---- preparing ---- */

static bool has_threads(const measurement *m) {
    for (int i = 0; i < m->n_sides; i++)
        if (m->side[i].work.crew) return true;
    return false;
}

/* Longer units, in which it does not matter that not all threads get a CPU at once. */
static uint64_t threads_unit_ns(const pk_worker_job *job) {
    const uint64_t long_ns = 10 * job->unit_ns, most_ns = job->worker_ns / UNITS_WANTED;
    return long_ns < most_ns ? long_ns : most_ns > job->unit_ns ? most_ns : job->unit_ns;
}

static bool choose_unit(measurement *m, pk_err *err) {
    double least_ns = UNIT_CLOCK_READINGS * pk_unit_clock_cost_ns();
    m->unit_ns = m->job->unit_ns;
    if (has_threads(m)) m->unit_ns = threads_unit_ns(m->job);
    if ((double)m->unit_ns < least_ns) m->unit_ns = (uint64_t)ceil(least_ns);
    if (m->unit_ns <= m->job->worker_ns / (2 * UNITS_LEAST)) return true;
    pk_fail(err, PK_E_UNSUPPORTED, NULL,
            "reading the clock takes %.0f ns here: units of %.1f ms, long enough beside that, are "
            "too long for a worker",
            least_ns / UNIT_CLOCK_READINGS, (double)m->unit_ns / 1e6);
    pk_fix(err, "give a longer --measurement-time, or use a clock source that is read quickly");
    return false;
}

static bool allocate(measurement *m, pk_err *err) {
    m->units_max = (size_t)(2 * (m->job->worker_ns + m->job->warm_ns) / m->unit_ns) + 64;
    size_t bytes = m->units_max * sizeof(pk_unit);
    m->side[0].units = malloc(bytes);
    m->side[1].units = malloc(bytes);
    m->reference.units = malloc(2 * bytes);
    m->scratch = malloc(2 * m->units_max * sizeof *m->scratch);
    if (!m->side[0].units || !m->side[1].units || !m->reference.units || !m->scratch) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for %zu units", m->units_max);
        return false;
    }
    /* Touched now: no page fault between units. */
    for (int i = 0; i < m->n_sides; i++) memset(m->side[i].units, 1, bytes);
    memset(m->reference.units, 1, 2 * bytes);
    return true;
}

static void release(measurement *m) {
    free(m->side[0].units);
    free(m->side[1].units);
    free(m->reference.units);
    free(m->scratch);
    pk_unit_clock_close(&m->clock);
}

static void add_side(measurement *m, int index, pk_target *target) {
    if (!target) return;
    m->index[m->n_sides] = index;
    m->side[m->n_sides++] = (series){.work = target->work};
}

/* The side timed first decides how many iterations both do. *too_slow: their units cannot be fitted
 * in turn into the time there is at most. */
static bool calibrate(measurement *m, bool *too_slow, pk_err *err) {
    series *first = &m->side[0];
    const uint64_t elapsed_most_ns = m->job->worker_ns / UNITS_WANTED;
    if (!pk_calibrate(&m->clock, &first->work, m->unit_ns, elapsed_most_ns, &first->iterations,
                      err) ||
        !pk_calibrate(&m->clock, &m->reference.work, m->unit_ns / 2, elapsed_most_ns,
                      &m->reference.iterations, err))
        return false;
    double round_ns = 0;
    for (int i = 0; i < m->n_sides; i++) {
        series *s = &m->side[i];
        s->iterations = first->iterations;
        pk_unit once;
        pk_work_unit(&m->clock, &s->work, s->iterations, &once);
        round_ns += (double)once.elapsed_ns;
        if (s->iterations > 1 && once.wall_ns < 100 * m->unit_ns &&
            !pk_check_scaling(&m->clock, &s->work, s->iterations, err))
            return false;
    }
    *too_slow =
        m->n_sides == 2 && UNITS_LEAST * round_ns > ldexp((double)m->job->worker_ns, DOUBLINGS_MAX);
    return true;
}

/* ---- results ---- */

typedef double unit_value(const pk_unit *unit);

static double wall_of(const pk_unit *unit) {
    return (double)unit->wall_ns;
}
static double cpu_of(const pk_unit *unit) {
    return (double)unit->cpu_ns;
}
static unit_value *value_of(pk_bench_metric metric) {
    return metric == PK_METRIC_ONCPU ? pk_unit_oncpu_ns
           : metric == PK_METRIC_CPU ? cpu_of
                                     : wall_of;
}

/* Their values per iteration, ascending. */
static void sorted_values(const pk_unit units[], size_t n, uint64_t iterations, unit_value *value,
                          double out[]) {
    for (size_t i = 0; i < n; i++) out[i] = value(&units[i]) / (double)iterations;
    pk_sort(out, n);
}

static double least_value(const pk_unit units[], size_t n, uint64_t iterations, unit_value *value) {
    double least = INFINITY, least_quiet = INFINITY;
    size_t quiet = 0;
    for (size_t i = 0; i < n; i++) {
        double ns = value(&units[i]) / (double)iterations;
        least = fmin(least, ns);
        if (units[i].wait_ns) continue;
        least_quiet = fmin(least_quiet, ns);
        quiet++;
    }
    return quiet > n / 2 ? least_quiet : least; /* with most of them it is below the median too */
}

void pk_measure_side(const pk_unit units[], size_t n, uint64_t iterations, pk_bench_metric metric,
                     double scratch[], pk_bench_side *side) {
    *side = (pk_bench_side){.units = n, .iterations = n * iterations};
    sorted_values(units, n, iterations, wall_of, scratch);
    side->wall_ns = pk_trimmed_mean(scratch, n, TRIM).mean;
    sorted_values(units, n, iterations, cpu_of, scratch);
    side->cpu_ns = pk_trimmed_mean(scratch, n, TRIM).mean;
    sorted_values(units, n, iterations, value_of(metric), scratch);
    side->trimmed_ns = pk_trimmed_mean(scratch, n, TRIM).mean;
    side->mean_ns = pk_trimmed_mean(scratch, n, 0).mean;
    side->min_ns = least_value(units, n, iterations, value_of(metric));
    side->q1_ns = pk_quantile_sorted(scratch, n, 0.25);
    side->median_ns = pk_quantile_sorted(scratch, n, 0.5);
    side->q3_ns = pk_quantile_sorted(scratch, n, 0.75);
}

pk_bench_metric pk_measure_metric(pk_bench_metric asked, bool wait_known, bool slept) {
    if (asked != PK_METRIC_ONCPU || wait_known) return asked;
    return slept ? PK_METRIC_WALL : PK_METRIC_CPU;
}

static void count(pk_bench_worker *worker, const series *s) {
    for (size_t i = 0; i < s->n; i++) {
        const pk_unit *unit = &s->units[i];
        worker->duration_ns += unit->wall_ns;
        worker->wait_ns += unit->wait_ns;
        worker->switches_voluntary += unit->switches_voluntary;
        worker->switches_involuntary += unit->switches_involuntary;
        worker->faults_minor += unit->faults_minor;
        worker->faults_major += unit->faults_major;
    }
}

/* Calibration took a first call of more than 0.1 s for what all calls take. */
static bool check_first_call(const measurement *m, const pk_bench_side *side, pk_err *err) {
    if (m->side[0].iterations > 1 || !pk_work_is_plain(&m->side[0].work) ||
        side->wall_ns >= (double)m->unit_ns / 4)
        return true;
    pk_fail(err, PK_E_INPUT, NULL, "its first call takes over 100 ms, further ones only %.0f ns",
            side->wall_ns);
    pk_fix(err, "do what is to be done once in .setup");
    return false;
}

/* With threads, or a clock of its own, on one side: the wall clock's on both. */
static pk_bench_metric metric_of(const measurement *m, const pk_bench_worker *worker) {
    for (int i = 0; i < m->n_sides; i++)
        if (pk_work_is_wall(&m->side[i].work)) return PK_METRIC_WALL;
    return pk_measure_metric(m->job->metric, m->clock.schedstat >= 0,
                             worker->switches_voluntary > 0);
}

static bool add_counters(const series *s, pk_bench_side *side, pk_err *err) {
    if (!s->work.how || !s->work.how->counters) return true;
    for (size_t k = 0; k < PERFKIT_COUNTERS_MAX; k++) {
        side->counters[k] = s->counters[k] / (double)side->iterations;
        if (isfinite(side->counters[k]) && side->counters[k] >= 0) continue;
        pk_fail(err, PK_E_INPUT, NULL, "its counter number %zu is below 0, or no number", k);
        pk_fix(err, "add to run->counters what the iterations have counted");
        return false;
    }
    return true;
}

static bool summarise(measurement *m, pk_bench_worker *worker, pk_err *err) {
    for (int i = 0; i < m->n_sides; i++) count(worker, &m->side[i]);
    worker->metric = metric_of(m, worker);
    for (int i = 0; i < m->n_sides; i++) {
        const series *s = &m->side[i];
        pk_bench_side *side = &worker->side[m->index[i]];
        pk_measure_side(s->units, s->n, s->iterations, worker->metric, m->scratch, side);
        if (s->work.how && s->work.how->timed) side->cpu_ns = NAN;
        if (!add_counters(s, side, err)) return false;
        if (side->trimmed_ns > 0) continue;
        pk_fail(err, PK_E_INPUT, NULL, "its units take no time by the metric %s",
                pk_bench_metric_name(worker->metric));
        pk_fix(err, "use --metric wall");
        return false;
    }
    if (!check_first_call(m, &worker->side[m->index[0]], err)) return false;
    const series *r = &m->reference;
    pk_bench_side reference;
    pk_measure_side(r->units, r->n, r->iterations, worker->metric, m->scratch, &reference);
    worker->reference_ns = reference.trimmed_ns / PK_REFERENCE_STEPS;
    return true;
}

/* ---- the parts of very short work ---- */

/* *iterations 0: to be found out. */
static bool measure_part(measurement *m, const pk_work *work, uint64_t iterations, const char *name,
                         double *ns, pk_err *err) {
    pk_unit units[PART_UNITS];
    double scratch[PART_UNITS];
    pk_bench_side side;
    if (iterations == 0 &&
        !pk_calibrate(&m->clock, work, m->unit_ns / 2, m->job->worker_ns, &iterations, err)) {
        pk_fail(err, PK_E_INPUT, name, "%s", err->what);
        pk_fix(err, "use perfkit_keep() and perfkit_hide() in this body too");
        return false;
    }
    for (int i = 0; i < PART_UNITS; i++) pk_work_unit(&m->clock, work, iterations, &units[i]);
    pk_bench_metric metric = m->clock.schedstat >= 0
                                 ? PK_METRIC_ONCPU
                                 : pk_measure_metric(PK_METRIC_ONCPU, false, false);
    pk_measure_side(units, PART_UNITS, iterations, metric, scratch, &side);
    *ns = side.trimmed_ns;
    return true;
}

static void *no_input(const perfkit_run *run) {
    (void)run;
    return NULL;
}

/* The empty loop in batches like the benchmark's: with it, what reading the clock for each adds. */
static bool measure_batches(measurement *m, const series *s, pk_bench_worker *worker, pk_err *err) {
    perfkit_benchmark how = *s->work.how;
    how.input = no_input;
    how.drop = NULL;
    pk_work work = s->work;
    work.how = &how;
    work.body = pk_unit_empty_loop;
    double ns;
    if (!measure_part(m, &work, s->iterations, "the empty loop", &ns, err)) return false;
    if (ns > OVERHEAD_SHOWN * worker->side[PK_SIDE_NEW].trimmed_ns) worker->loop_ns = ns;
    return true;
}

/* How much of so little is the loop around it, what overlaps, what waits: where the object brings
 * bodies for that, and for work below 5 cycles, by the reference loop (4 cycles per step). */
static bool measure_plain_parts(measurement *m, pk_target *target, pk_bench_worker *worker,
                                pk_err *err) {
    const double cycle_ns = worker->reference_ns / 4;
    const perfkit_benchmark *b = &target->benchmark;
    bool is_short = worker->side[PK_SIDE_NEW].trimmed_ns < 5 * cycle_ns;
    if (!is_short && !b->throughput && !b->latency) return true;
    perfkit_run loop_run = {0};
    const pk_work loop = {.body = pk_unit_empty_loop, .run = &loop_run},
                  throughput = {.body = b->throughput, .run = &target->run},
                  latency = {.body = b->latency, .run = &target->run};
    if (!measure_part(m, &loop, 0, "the empty loop", &worker->loop_ns, err) ||
        (b->throughput &&
         !measure_part(m, &throughput, 0, "the throughput body", &worker->throughput_ns, err)) ||
        (b->latency && !measure_part(m, &latency, 0, "the latency body", &worker->latency_ns, err)))
        return false;
    if (b->throughput) worker->throughput_ns /= b->throughput_lanes;
    return true;
}

static bool measure_parts(measurement *m, pk_target *target, pk_bench_worker *worker, pk_err *err) {
    const series *new = &m->side[m->index[0] == PK_SIDE_NEW ? 0 : 1];
    if (pk_work_is_wall(&target->work)) return true;
    if (target->benchmark.input) return measure_batches(m, new, worker, err);
    return measure_plain_parts(m, target, worker, err);
}

/* ---- all of it ---- */

static const char too_slow_text[] = "too slow to interleave: one iteration takes too long for both "
                                    "sides to be measured in turn";

static bool measure(measurement *m, pk_target *new_side, pk_worker_reply *reply, pk_err *err) {
    bool too_slow;
    m->warm_until_ns = pk_now_ns() + m->job->warm_ns;
    if (!choose_unit(m, err) || !allocate(m, err) || !calibrate(m, &too_slow, err)) return false;
    if (too_slow || !run_rounds(m)) {
        reply->kind = PK_REPLY_TOO_SLOW;
        reply->why = too_slow_text;
        return true;
    }
    pk_bench_worker worker = {.old_first = m->index[0] == PK_SIDE_OLD,
                              .layout = -1,
                              .latency_ns = NAN,
                              .throughput_ns = NAN,
                              .loop_ns = NAN};
    if (!summarise(m, &worker, err)) return false;
    if (m->job->parts && new_side && !measure_parts(m, new_side, &worker, err)) return false;
    reply->kind = PK_REPLY_DONE;
    reply->worker = worker;
    return true;
}

bool pk_measure(const pk_worker_job *job, const pk_measure_sides *sides, pk_worker_reply *reply,
                pk_err *err) {
    measurement m = {.job = job, .reference.work.body = pk_unit_reference};
    m.reference.work.run = &m.reference_run;
    const int first = job->old_first ? PK_SIDE_OLD : PK_SIDE_NEW;
    add_side(&m, first, sides->target[first]);
    add_side(&m, 1 - first, sides->target[1 - first]);
    pk_unit_clock_open(&m.clock);
    bool ok = measure(&m, sides->target[PK_SIDE_NEW], reply, err);
    release(&m);
    return ok;
}

void pk_measure_exercise(const pk_unit_clock *clock, pk_target *target, uint64_t ns) {
    const uint64_t call_ns = 10000000;
    const uint64_t start_ns = pk_now_ns();
    pk_unit unit;
    for (uint64_t n = 1; pk_now_ns() - start_ns < ns;) {
        pk_work_unit(clock, &target->work, n, &unit);
        if (unit.elapsed_ns < call_ns && n < UINT64_MAX / 2) n *= 2;
    }
}
