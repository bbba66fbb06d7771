#include "bench/analyse.h"

#include <math.h>
#include <stdlib.h>

#include "bench/analyse_parts.h"
#include "stats/bootstrap.h"
#include "stats/quantile.h"
#include "stats/regression.h"
#include "stats/robust.h"
#include "stats/student.h"
#include "stats/summary.h"

#define RESAMPLES_DEFAULT 100000
#define REFERENCE_CYCLES 4 /* of a step of the reference loop: multiply 3, add 1 */

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "no memory to analyse the workers");
    pk_fix(err, "close other programs, or ask for fewer workers with --sample-size");
    return false;
}

static const pk_estimate unknown = {NAN, NAN, NAN, NAN};

/* ---- Criterion's estimates ---- */

static pk_bootstrap_options bootstrap_of(const pk_bench_options *options, double confidence) {
    return (pk_bootstrap_options){
        .resamples = options->nresamples > 0 ? options->nresamples : RESAMPLES_DEFAULT,
        .confidence = confidence,
        .seed = options->seed,
        .threads = pk_cpu_count(),
    };
}

static pk_estimate with_interval(double point, const pk_bootstrap_interval *interval) {
    return (pk_estimate){point, interval->low, interval->high, interval->standard_error};
}

/* x: ns per iteration, sorted; scratch: n. */
static bool estimate_sorted(size_t n, const double x[], double scratch[],
                            const pk_bootstrap_options *bootstrap, pk_criterion_estimates *out,
                            pk_err *err) {
    static const pk_bootstrap_interval none = {NAN, NAN, NAN};
    pk_bootstrap_one one = {none, none, none, none};
    if (n > 1 && !pk_bootstrap_sample(bootstrap, n, x, &one, err)) return false;
    pk_summary s = pk_summarize(x, n);
    out->mean = with_interval(s.mean, &one.mean);
    out->std_dev = with_interval(s.stddev, &one.std_dev);
    out->median = with_interval(pk_quantile_interpolated(x, n, 0.5), &one.median);
    out->median_abs_dev = with_interval(pk_median_abs_dev(x, n, scratch), &one.median_abs_dev);
    out->slope = unknown;
    out->has_slope = false;
    return true;
}

bool pk_bench_criterion(size_t n, const double iterations[], const double times_ns[], bool linear,
                        double confidence, const pk_bench_options *options,
                        pk_criterion_estimates *estimates, pk_err *err) {
    pk_bootstrap_options bootstrap = bootstrap_of(options, confidence);
    pk_bootstrap_interval slope = {NAN, NAN, NAN};
    pk_criterion_estimates e;
    double *x = calloc(n + 1, sizeof x[0]), *scratch = calloc(n + 1, sizeof scratch[0]);
    bool ok = (x && scratch) || no_memory(err);
    if (!ok) goto out;
    for (size_t i = 0; i < n; i++) x[i] = iterations ? times_ns[i] / iterations[i] : times_ns[i];
    pk_sort(x, n);
    ok = estimate_sorted(n, x, scratch, &bootstrap, &e, err);
    if (!ok) goto out;
    if (linear && iterations) {
        if (n > 1) ok = pk_bootstrap_slope(&bootstrap, n, iterations, times_ns, &slope, err);
        e.slope = with_interval(pk_fit_through_origin(n, iterations, times_ns).slope, &slope);
        e.has_slope = true;
    }
    if (ok) *estimates = e;
out:
    free(x);
    free(scratch);
    return ok;
}

bool pk_bench_change_median(pk_bench_result *result, size_t n, const double old_ns[],
                            const pk_bench_options *options, pk_err *err) {
    pk_bench_change *change = &result->change;
    pk_bootstrap_two two = {.median_ratio = {NAN, NAN, NAN}};
    pk_bootstrap_options bootstrap = bootstrap_of(options, result->confidence_level);
    pk_worker_values now;
    double *old = calloc(n + 1, sizeof old[0]), point = NAN;
    bool ok = (pk_worker_values_of(&now, result, pk_worker_new_ns) && old) || no_memory(err);
    if (ok && now.n > 1 && n > 1) {
        for (size_t i = 0; i < n; i++) old[i] = old_ns[i];
        pk_sort(old, n);
        pk_sort(now.x, now.n);
        point = pk_quantile_interpolated(now.x, now.n, 0.5) / pk_quantile_interpolated(old, n, 0.5);
        ok = pk_bootstrap_compare(&bootstrap, now.n, now.x, n, old, &two, err);
    }
    if (ok) {
        change->median_point = point - 1;
        change->median_low = two.median_ratio.low;
        change->median_high = two.median_ratio.high;
    }
    pk_worker_values_fini(&now);
    free(old);
    return ok;
}

/* ---- the time ---- */

static pk_estimate interval_of(const pk_unit_estimate *e, double confidence) {
    double half = pk_student_quantile((1 + confidence) / 2, e->df) * e->standard_error;
    return (pk_estimate){e->location, e->location - half, e->location + half, e->standard_error};
}

/* Figures that follow from the workers' values, which it sorts. */
static bool describe_values(pk_bench_result *result, const pk_bench_options *options,
                            pk_worker_values *values, pk_err *err) {
    pk_unit_estimate e = pk_unit_estimate_of(values, options->robust, false);
    result->typical = interval_of(&e, result->confidence_level);
    pk_summary s = pk_summarize(values->x, values->n);
    result->between_runs_ns = 2 * s.stddev * sqrt(1 / (double)values->n + 1);
    result->process_sd_ratio = s.stddev / s.mean;
    pk_sort(values->x, values->n);
    result->fences = pk_tukey_fences(values->x, values->n);
    result->outliers = pk_outlier_count(&result->fences, values->n, values->x);
    return pk_bench_criterion(values->n, NULL, values->x, false, result->confidence_level, options,
                              &result->criterion, err);
}

static double new_median_ns(const pk_bench_worker *worker) {
    const pk_bench_side *side = &worker->side[PK_SIDE_NEW];
    return side->units > 0 ? side->median_ns : NAN;
}

/* Modes nearer to each other than this say nothing that one could act on. */
#define MODES_APART 1.05

/* A mode goes into the one before where they are too near; what is left of a mixture of many keeps
 * its mass. */
static void merge_near_modes(pk_modes *modes) {
    size_t kept = 0;
    for (size_t i = 1; i < modes->count; i++) {
        pk_mode *last = &modes->mode[kept];
        const pk_mode *next = &modes->mode[i];
        if (next->value > last->value * MODES_APART) {
            modes->mode[++kept] = *next;
            continue;
        }
        double share = last->share + next->share;
        last->value = (last->value * last->share + next->value * next->share) / share;
        last->share = share;
    }
    modes->count = kept + 1;
}

/* A worker that jumps between modes has a mean between them, but a median in one. */
static bool find_modes(pk_bench_result *result, pk_err *err) {
    pk_worker_values medians;
    bool ok = pk_worker_values_of(&medians, result, new_median_ns) || no_memory(err);
    if (ok) {
        pk_sort(medians.x, medians.n);
        ok = pk_find_modes(medians.n, medians.x, &result->modes, err);
        if (ok) merge_near_modes(&result->modes);
    }
    pk_worker_values_fini(&medians);
    return ok;
}

static double latency_of(const pk_bench_worker *worker) {
    return worker->latency_ns;
}

static double throughput_of(const pk_bench_worker *worker) {
    return worker->throughput_ns;
}

static double loop_of(const pk_bench_worker *worker) {
    return worker->loop_ns;
}

/* Quantiles low, 0.5, high of a value of the workers; NaN if none has it. */
static bool three_quantiles(const pk_bench_result *result, pk_worker_value *value, double low,
                            double high, double out[3], pk_err *err) {
    pk_worker_values x;
    bool ok = pk_worker_values_of(&x, result, value) || no_memory(err);
    if (ok) {
        pk_sort(x.x, x.n);
        out[0] = pk_quantile_interpolated(x.x, x.n, low);
        out[1] = pk_quantile_interpolated(x.x, x.n, 0.5);
        out[2] = pk_quantile_interpolated(x.x, x.n, high);
    }
    pk_worker_values_fini(&x);
    return ok;
}

static bool describe_parts(pk_bench_result *result, pk_err *err) {
    static pk_worker_value *const part[3] = {latency_of, throughput_of, loop_of};
    double *const out[3] = {&result->latency_ns, &result->throughput_ns, &result->loop_ns};
    result->has_parts = false;
    for (size_t k = 0; k < 3; k++) {
        double q[3];
        if (!three_quantiles(result, part[k], 0, 1, q, err)) return false;
        *out[k] = q[1];
        result->has_parts = result->has_parts || !isnan(q[1]);
    }
    return true;
}

/* The effective clock. Its spread leaves out a twentieth at each end: one worker whose reference
 * loop was disturbed is no change of the clock. */
static bool describe_clock(pk_bench_result *result, pk_err *err) {
    double q[3];
    if (!three_quantiles(result, pk_worker_reference_ns, 0.05, 0.95, q, err)) return false;
    result->clock_hz = REFERENCE_CYCLES * 1e9 / q[1];
    result->clock_range_ratio = (q[2] - q[0]) / q[1];
    return true;
}

static void describe_run(pk_bench_result *result) {
    double waited = 0, lasted = 0;
    size_t used[PK_METRICS] = {0};
    for (size_t i = 0; i < result->n_workers; i++) {
        const pk_bench_worker *worker = &result->workers[i];
        waited += (double)worker->wait_ns;
        lasted += (double)worker->duration_ns;
        if (worker->metric < PK_METRICS) used[worker->metric]++;
    }
    result->wait_ratio = waited / lasted; /* NaN: nothing lasted */
    result->metric = PK_METRIC_ONCPU;
    for (pk_bench_metric m = 0; m < PK_METRICS; m++)
        if (used[m] > used[result->metric]) result->metric = m;
}

/* ---- the change ---- */

static bool describe_old(pk_bench_result *result, const pk_bench_options *options, pk_arena *arena,
                         pk_err *err) {
    pk_bench_change *change = &result->change;
    pk_worker_values old;
    bool ok = pk_worker_values_of(&old, result, pk_worker_old_ns) || no_memory(err);
    if (ok && old.n > 0) {
        pk_criterion_estimates *estimates = PK_NEW(arena, 1, pk_criterion_estimates);
        ok = (estimates || no_memory(err)) &&
             pk_bench_criterion(old.n, NULL, old.x, false, result->confidence_level, options,
                                estimates, err);
        if (ok) change->old = estimates;
    }
    ok = ok && pk_bench_change_median(result, old.n, old.x, options, err);
    pk_worker_values_fini(&old);
    return ok;
}

static bool is_live(const pk_bench_result *result) {
    return result->change.source == PK_CHANGE_LIVE || result->change.source == PK_CHANGE_ISOLATED;
}

bool pk_bench_width_reached(const pk_bench_result *result, const pk_bench_options *options) {
    pk_unit_estimate e = pk_unit_estimate_unknown;
    double scale = 1; /* of a log: the change is relative already */
    if (is_live(result)) {
        e = pk_live_estimate(result, options);
    } else {
        pk_worker_values values;
        if (pk_worker_values_of(&values, result, pk_worker_new_ns))
            e = pk_unit_estimate_of(&values, options->robust, false);
        pk_worker_values_fini(&values);
        scale = e.location;
    }
    pk_estimate interval = interval_of(&e, result->confidence_level);
    double half = (interval.high - interval.low) / 2 / scale;
    return half <= result->noise_threshold / 2; /* NaN: not yet */
}

/* ---- all of it ---- */

static void set_no_change(pk_bench_change *change) {
    change->ratio = unknown;
    change->old_ns = change->order_effect = NAN;
    change->median_point = change->median_low = change->median_high = NAN;
}

static void set_unknown(pk_bench_result *result) {
    result->failed = true;
    result->typical = unknown;
    result->criterion = (pk_criterion_estimates){
        .mean = unknown,
        .median = unknown,
        .median_abs_dev = unknown,
        .std_dev = unknown,
        .slope = unknown,
    };
    result->fences = (pk_fences){NAN, NAN, NAN, NAN};
    result->outliers = (pk_outlier_counts){0};
    result->modes = (pk_modes){0};
    result->between_runs_ns = result->process_sd_ratio = NAN;
}

bool pk_bench_analyse(pk_bench_result *result, const pk_bench_options *options, pk_arena *arena,
                      pk_err *err) {
    pk_worker_values values;
    bool ok = pk_worker_values_of(&values, result, pk_worker_new_ns) || no_memory(err);
    if (ok && values.n == 0) set_unknown(result);
    else ok = ok && describe_values(result, options, &values, err) && find_modes(result, err);
    pk_worker_values_fini(&values);
    ok = ok && describe_parts(result, err) && describe_clock(result, err);
    if (!ok) return false;
    describe_run(result);
    if (result->change.source == PK_CHANGE_NONE) set_no_change(&result->change);
    if (is_live(result)) {
        pk_bench_change_live(result, options);
        if (!describe_old(result, options, arena, err)) return false;
    }
    return pk_bench_warn(result, options, arena) || no_memory(err);
}
