/* What makes figures doubtful, each with its cause and one remedy. */
#include "bench/analyse_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/units.h"
#include "stats/student.h"

#define WARNINGS_MAX 16 /* more than there are kinds */
#define WAIT_MOST 0.05
#define CLOCK_RANGE_MOST 0.03
#define PROCESS_SD_MOST 0.1 /* this and the next as pyperf has them */
#define EXTREME_MOST 0.5
#define SWITCHES_PER_S_MOST 100
#define FAULTS_PER_S_MOST 10000
#define LAYOUT_DOUBT 0.05 /* changes below this may be code placement */

typedef struct warnings {
    pk_arena *arena;
    const char **line;
    size_t n, most;
    bool full;
} warnings;

static PK_PRINTF(2, 3) void warn(warnings *w, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *line = pk_arena_strdup(w->arena, text);
    if (line && w->n < w->most) w->line[w->n++] = line;
    else w->full = true;
}

static double half_width(const pk_estimate *e) {
    return (e->high - e->low) / 2;
}

static bool compared_live(const pk_bench_result *r) {
    return r->change.source == PK_CHANGE_LIVE || r->change.source == PK_CHANGE_ISOLATED;
}

/* ---- the machine ---- */

static void warn_of_metric(warnings *w, const pk_bench_result *r, pk_bench_metric wanted) {
    if (r->metric == wanted || r->method) return; /* the method has its own */
    warn(w,
         "times are %s time: how long the work waited for a processor is not known, since the "
         "kernel (/proc/thread-self/schedstat) or the driver does not tell",
         r->metric == PK_METRIC_CPU ? "CPU" : "wall");
}

static void warn_of_machine(warnings *w, const pk_bench_result *r) {
    if (r->wait_ratio > WAIT_MOST)
        warn(w,
             "workers waited %.0f %% of their time for a processor; stop other programs, or keep "
             "them on other processors (taskset)",
             100 * r->wait_ratio);
}

/* ---- the workers ---- */

static void warn_of_spread(warnings *w, const pk_bench_result *r) {
    double slowest = -INFINITY, fastest = INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < r->n_workers; i++) {
        double ns = pk_worker_new_ns(&r->workers[i]);
        if (!isfinite(ns)) continue;
        slowest = fmax(slowest, ns);
        fastest = fmin(fastest, ns);
        n++;
    }
    if (n < 2) {
        warn(w, "one worker alone gives no interval; allow more time with --measurement-time");
    } else if (r->process_sd_ratio > PROCESS_SD_MOST) {
        warn(w, "workers differ by %.0f %% (standard deviation); --more averages over more of them",
             100 * r->process_sd_ratio);
    } else if (slowest > (1 + EXTREME_MOST) * r->typical.point ||
               fastest < (1 - EXTREME_MOST) * r->typical.point) {
        char low[PK_FORMAT_MAX], high[PK_FORMAT_MAX];
        warn(w, "single workers are far from the mean: from %s to %s; --robust does without them",
             pk_format_duration(low, sizeof low, fastest),
             pk_format_duration(high, sizeof high, slowest));
    }
}

/* ---- the interval ---- */

/* Counts per second of the workers' measuring. */
static double rate_of(const pk_bench_result *r, uint64_t (*count)(const pk_bench_worker *)) {
    double sum = 0, seconds = 0;
    for (size_t i = 0; i < r->n_workers; i++) {
        sum += (double)count(&r->workers[i]);
        seconds += (double)r->workers[i].duration_ns / 1e9;
    }
    return sum / seconds;
}

static uint64_t switches_of(const pk_bench_worker *worker) {
    return worker->switches_involuntary;
}

static uint64_t faults_of(const pk_bench_worker *worker) {
    return worker->faults_minor + worker->faults_major;
}

/* An interval too wide for "no change" gets the causes that the counters show. */
static void warn_of_width(warnings *w, const pk_bench_result *r) {
    bool live = compared_live(r);
    double half = live ? half_width(&r->change.ratio) : half_width(&r->typical) / r->typical.point;
    if (!(half > r->equivalence)) return;
    if (r->modes.count > 1)
        warn(w,
             "the interval is wide (+-%.1f %%): workers fall into %zu modes, by chance of the "
             "process; only more workers help (--more)",
             100 * half, r->modes.count);
    double switches = rate_of(r, switches_of), faults = rate_of(r, faults_of);
    if (switches > SWITCHES_PER_S_MOST)
        warn(w,
             "the interval is wide (+-%.1f %%): workers lost their processor %.0f times a second; "
             "stop other programs",
             100 * half, switches);
    if (faults > FAULTS_PER_S_MOST)
        warn(w,
             "the interval is wide (+-%.1f %%): %.0f page faults a second; touch the memory in the "
             "benchmark's set-up",
             100 * half, faults);
}

/* ---- the change ---- */

static void warn_of_change(warnings *w, const pk_bench_result *r, const pk_bench_options *options) {
    const pk_bench_change *c = &r->change;
    bool changed = c->verdict.word == PK_IMPROVED || c->verdict.word == PK_REGRESSED;
    if (c->source == PK_CHANGE_STORED && !c->normalised && !c->refused[0])
        warn(w, "stored numbers come from another machine or build, or lack the reference loop: "
                "times are compared as they are");
    if (!compared_live(r)) return;
    pk_unit_estimate e = pk_live_estimate(r, options);
    if (changed && !e.by_layout && !c->identical_code && fabs(c->ratio.point) < LAYOUT_DOUBT)
        warn(w, "where code lies in memory may account for several %% of it; compare sources with "
                "--layouts to take that out");
    if (e.by_layout && c->verdict.word == PK_CANNOT_TELL) {
        double half = pk_student_quantile((1 + r->confidence_level) / 2, e.df) * e.standard_error;
        double more = half / log1p(r->noise_threshold);
        if (isfinite(more))
            warn(w, "about %.0f layouts would narrow the change to +-%g %% (--layouts)",
                 ceil((double)e.units * more * more), 100 * r->noise_threshold);
    }
}

bool pk_bench_warn(pk_bench_result *r, const pk_bench_options *options, pk_arena *arena) {
    warnings w = {.arena = arena,
                  .line = PK_NEW(arena, r->n_warnings + WARNINGS_MAX, const char *)};
    if (!w.line) return false;
    for (size_t i = 0; i < r->n_warnings; i++) w.line[w.n++] = r->warnings[i];
    w.most = r->n_warnings + WARNINGS_MAX;
    if (!r->failed) {
        warn_of_metric(&w, r, options->metric);
        warn_of_machine(&w, r);
        warn_of_spread(&w, r);
        warn_of_width(&w, r);
        warn_of_change(&w, r, options);
    }
    if (w.full) return false;
    r->warnings = w.line;
    r->n_warnings = w.n;
    return true;
}

bool pk_bench_warn_of_clock(const pk_bench_report *report, const char **line) {
    double most = 0;
    for (size_t i = 0; i < report->n_results; i++)
        if (!report->results[i].failed) most = fmax(most, report->results[i].clock_range_ratio);
    *line = NULL;
    if (most <= CLOCK_RANGE_MOST) return true;
    *line = pk_arena_printf(report->arena,
                            "the processor's clock varied by %.1f %%; switch turbo off and choose "
                            "the governor performance, where the machine allows it",
                            100 * most);
    return *line != NULL;
}
