/* Figures of one command's runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command_parts.h"
#include "stats/outlier.h"
#include "stats/quantile.h"
#include "stats/robust.h"
#include "stats/student.h"
#include "stats/summary.h"

#define RUNS_MAX                                                                     \
    1000000u /* that a time is turned into: more would be days of shortest processes \
              */

const char *pk_command_metric_name(pk_command_metric metric) {
    static const char *const names[PK_COMMAND_METRICS] = {
        [PK_COMMAND_WALL] = "wall", [PK_COMMAND_CPU] = "cpu",
        [PK_COMMAND_USER] = "user", [PK_COMMAND_SYSTEM] = "system",
        [PK_COMMAND_RSS] = "rss",   [PK_COMMAND_INSTRUCTIONS] = "instructions",
    };
    return names[metric];
}

double pk_command_value(const pk_command_run *run, pk_command_metric metric) {
    const pk_counter_values *c = &run->counters;
    switch (metric) {
    case PK_COMMAND_WALL:
        return run->wall_s;
    case PK_COMMAND_CPU:
        return run->user_s + run->system_s;
    case PK_COMMAND_USER:
        return run->user_s;
    case PK_COMMAND_SYSTEM:
        return run->system_s;
    case PK_COMMAND_RSS:
        return run->rss_bytes > 0 ? (double)run->rss_bytes : NAN;
    case PK_COMMAND_INSTRUCTIONS:
        return c->known[PK_COUNTER_INSTRUCTIONS] ? c->value[PK_COUNTER_INSTRUCTIONS] : NAN;
    case PK_COMMAND_METRICS:
        break;
    }
    return NAN;
}

bool pk_command_counts(const pk_command_options *options, const pk_command_run *run) {
    return !run->timed_out && (!run->failed || options->failed_in_statistics);
}

const pk_command_figures *pk_command_figures_of(const pk_command_result *result,
                                                pk_command_metric metric) {
    const pk_command_figures *const all[PK_COMMAND_METRICS] = {
        [PK_COMMAND_WALL] = &result->wall, [PK_COMMAND_CPU] = &result->cpu,
        [PK_COMMAND_USER] = &result->user, [PK_COMMAND_SYSTEM] = &result->system,
        [PK_COMMAND_RSS] = &result->rss,   [PK_COMMAND_INSTRUCTIONS] = &result->instructions,
    };
    return all[metric];
}

uint64_t pk_command_count(const pk_command_options *options, double first_cost_s) {
    if (options->runs > 0) return options->runs;
    uint64_t least = options->min_runs ? options->min_runs : PK_COMMAND_DEFAULT_MIN_RUNS;
    double fit = first_cost_s > 0 ? trunc(options->min_time_s / first_cost_s) : 0;
    uint64_t n = fit < (double)RUNS_MAX ? (uint64_t)fmax(fit, 0) : RUNS_MAX;
    if (n < least) n = least;
    return options->max_runs > 0 && n > options->max_runs ? options->max_runs : n;
}

/* Values of the runs that count and are known, in order, into out[n_runs]. */
static size_t gather(const pk_command_options *options, const pk_command_result *result,
                     pk_command_metric metric, double out[]) {
    size_t n = 0;
    for (size_t i = 0; i < result->n_runs; i++) {
        double x = pk_command_value(&result->runs[i], metric);
        if (pk_command_counts(options, &result->runs[i]) && isfinite(x)) out[n++] = x;
    }
    return n;
}

static double *new_values(const pk_command_result *result) {
    return malloc((result->n_runs + 1) * sizeof(double));
}

/* ---- figures ---- */

static pk_command_interval median_of(const double sorted[], size_t n, double level) {
    pk_command_interval median = {pk_quantile_interpolated(sorted, n, 0.5), NAN, NAN};
    uint64_t low, high;
    if (pk_quantile_interval(n, 0.5, level, &low, &high)) {
        median.low = sorted[low - 1];
        median.high = sorted[high - 1];
    }
    return median;
}

/* Reached from both ends: the 5th needs as many runs as the 95th. */
static double percentile_of(const double sorted[], size_t n, double percent) {
    double q = percent / 100;
    return pk_quantile_supported(fmax(q, 1 - q), n) ? pk_quantile_sorted(sorted, n, q) : NAN;
}

static void fill(pk_command_figures *f, double values[], double scratch[], size_t n, double level) {
    static const double percents[] = PK_COMMAND_PERCENTILES;
    pk_summary s = pk_summarize(values, n);
    double half =
        n >= 2 ? pk_student_quantile((1 + level) / 2, (double)(n - 1)) * s.stddev / sqrt((double)n)
               : NAN;
    pk_sort(values, n);
    *f = (pk_command_figures){
        .n = n,
        .mean = s.mean,
        .sd = s.stddev,
        .min = s.min,
        .max = s.max,
        .mad = pk_median_abs_dev(values, n, scratch),
        .median = median_of(values, n, level),
        .mean_ci = {s.mean, s.mean - half, s.mean + half},
    };
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++)
        f->percentile[i] = percentile_of(values, n, percents[i]);
}

static void fill_unknown(pk_command_figures *f) {
    *f = (pk_command_figures){.mean = NAN, .sd = NAN, .min = NAN, .max = NAN, .mad = NAN};
    f->median = f->mean_ci = (pk_command_interval){NAN, NAN, NAN};
    for (size_t i = 0; i < sizeof f->percentile / sizeof f->percentile[0]; i++)
        f->percentile[i] = NAN;
}

bool pk_command_summarize(const pk_command_options *options, pk_command_result *result,
                          pk_command_metric metric, pk_command_figures *figures) {
    double *values = new_values(result), *scratch = new_values(result);
    bool ok = values && scratch;
    if (ok) {
        size_t n = gather(options, result, metric, values);
        if (n > 0) fill(figures, values, scratch, n, options->confidence_level);
        else fill_unknown(figures);
    }
    free(values);
    free(scratch);
    return ok;
}

void pk_command_ratio(const pk_command_figures *one, const pk_command_figures *other, double *ratio,
                      double *sd) {
    *ratio = *sd = NAN;
    if (!(one->mean > 0) || !(other->mean > 0)) return;
    *ratio = fmax(one->mean, other->mean) / fmin(one->mean, other->mean);
    *sd = *ratio * hypot(one->sd / one->mean, other->sd / other->mean);
}

bool pk_command_width_reached(const pk_command_result *result, pk_command_metric metric,
                              double target) {
    const pk_command_interval *median = &pk_command_figures_of(result, metric)->median;
    double widest = fmax(median->high - median->point, median->point - median->low);
    return median->point > 0 && widest <= target * median->point;
}

/* ---- outliers ---- */

#define SCORE_MOST 14.826 /* deviation from the median / median absolute deviation: hyperfine's */
#define DEVIATION_LEAST 2.220446049250313e-16 /* ... where that is 0 */

typedef struct scorer {
    double median, deviation;
} scorer;

static scorer scorer_of(const double sorted[], size_t n, double scratch[]) {
    scorer s = {.median = pk_quantile_interpolated(sorted, n, 0.5)};
    for (size_t i = 0; i < n; i++) scratch[i] = fabs(sorted[i] - s.median);
    pk_sort(scratch, n);
    s.deviation = fmax(pk_quantile_interpolated(scratch, n, 0.5), DEVIATION_LEAST);
    return s;
}

static double score(const scorer *s, double x) {
    return (x - s->median) / s->deviation;
}

bool pk_command_find_outliers(const pk_command_options *options, pk_command_result *result) {
    double *values = new_values(result), *scratch = new_values(result);
    bool ok = values && scratch;
    result->first_run_slow = result->has_outliers = false;
    result->first_run_s = NAN;
    result->outliers = 0;
    size_t n = ok ? gather(options, result, PK_COMMAND_WALL, values) : 0;
    if (n > 0) {
        result->first_run_s = values[0];
        pk_sort(values, n);
        scorer s = scorer_of(values, n, scratch);
        result->first_run_slow = score(&s, result->first_run_s) > SCORE_MOST;
        result->has_outliers =
            !result->first_run_slow && (fabs(score(&s, values[0])) > SCORE_MOST ||
                                        fabs(score(&s, values[n - 1])) > SCORE_MOST);
    }
    n = ok ? gather(options, result, options->metric, values) : 0;
    if (n > 0) {
        pk_sort(values, n);
        pk_fences fences = pk_tukey_fences(values, n);
        pk_outlier_counts c = pk_outlier_count(&fences, n, values);
        result->outliers = c.low_severe + c.low_mild + c.high_mild + c.high_severe;
    }
    free(values);
    free(scratch);
    return ok;
}
