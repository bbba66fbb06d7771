#include "bench/gbench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "stats/quantile.h"
#include "stats/robust.h"
#include "stats/summary.h"

const char *pk_gbench_kind_name(pk_gbench_kind kind) {
    static const char *const names[PK_GBENCH_KINDS] = {"",   "mean", "median", "stddev",
                                                       "cv", "BigO", "RMS",    ""};
    return names[kind];
}

bool pk_gbench_is_ratio(pk_gbench_kind kind) {
    return kind == PK_GBENCH_CV || kind == PK_GBENCH_RMS;
}

bool pk_gbench_is_growth(pk_gbench_kind kind) {
    return kind == PK_GBENCH_BIG_O || kind == PK_GBENCH_RMS;
}

const char *pk_gbench_big_o(pk_growth growth) {
    static const char *const names[PK_GROWTHS] = {"(1)", "lgN", "N",     "NlgN",
                                                  "N^2", "N^3", "phi^N", "2^N"};
    return names[growth];
}

/* Growth is of the function, without a value. */
char *pk_gbench_run_name(char *out, size_t size, const pk_gbench_row *row) {
    const pk_bench_result *r = row->result;
    if (pk_gbench_is_growth(row->kind))
        snprintf(out, size, "%s%s%s", r->group, r->function ? "/" : "",
                 r->function ? r->function : "");
    else snprintf(out, size, "%s", r->id);
    return out;
}

char *pk_gbench_name(char *out, size_t size, const pk_gbench_row *row) {
    const char *kind = pk_gbench_kind_name(row->kind);
    size_t used = strlen(pk_gbench_run_name(out, size, row));
    if (kind[0]) snprintf(out + used, size - used, "_%s", kind);
    return out;
}

/* CPU time where it is known, else the metric's: a reader of these files expects a number. */
static double cpu_of(const pk_bench_side *s) {
    return isfinite(s->cpu_ns) ? s->cpu_ns : s->trimmed_ns;
}

typedef struct walk {
    const pk_bench_report *report;
    void (*each)(void *context, const pk_gbench_row *row);
    void *context;
    double *scratch; /* as many as a result has workers at most */
} walk;

static double rate_of(const pk_bench_result *r, double ns) {
    const pk_bench_throughput *t = &r->throughput;
    return t->given ? (double)t->per_iteration * (double)PK_NS_PER_S / ns : NAN;
}

/* A family is a function; its instances are its values. Both counted in the order of the report. */
static pk_gbench_row row_of(const walk *w, size_t index, pk_gbench_kind kind) {
    const pk_bench_result *r = &w->report->results[index];
    pk_gbench_row row = {.kind = kind, .result = r, .per_second = NAN};
    size_t first = index;
    for (size_t i = index; i-- > 0;) {
        if (!pk_bench_is_same_function(&w->report->results[i], r)) continue;
        first = i;
        row.instance++;
    }
    for (size_t i = 0; i < first; i++) {
        size_t k = 0;
        while (k < i && !pk_bench_is_same_function(&w->report->results[k], &w->report->results[i]))
            k++;
        row.family += k == i;
    }
    return row;
}

static void put_repetitions(const walk *w, size_t index) {
    pk_gbench_row row = row_of(w, index, PK_GBENCH_ITERATION);
    const pk_bench_result *r = row.result;
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = pk_bench_sample(&r->workers[i]);
        if (!s) continue;
        row.iterations = s->iterations;
        row.real = s->trimmed_ns;
        row.cpu = cpu_of(s);
        row.per_second = rate_of(r, row.real);
        w->each(w->context, &row);
        row.repetition++;
    }
}

/* CPU times of the repetitions, into scratch; returns how many. */
static size_t cpu_times(const walk *w, const pk_bench_result *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = pk_bench_sample(&r->workers[i]);
        if (s) w->scratch[n++] = cpu_of(s);
    }
    return n;
}

static void put_aggregate(const walk *w, pk_gbench_row row, pk_gbench_kind kind, double real,
                          double cpu) {
    bool is_time = kind == PK_GBENCH_MEAN || kind == PK_GBENCH_MEDIAN;
    row.kind = kind;
    row.iterations = pk_bench_samples(row.result);
    row.real = real;
    row.cpu = cpu;
    row.per_second = is_time ? rate_of(row.result, real) : NAN;
    w->each(w->context, &row);
}

static void put_aggregates(const walk *w, size_t index) {
    pk_gbench_row row = row_of(w, index, PK_GBENCH_MEAN);
    const pk_bench_result *r = row.result;
    size_t n = cpu_times(w, r);
    pk_summary cpu = pk_summarize(w->scratch, n);
    pk_sort(w->scratch, n);
    double mean = r->typical.point, deviation = r->criterion.std_dev.point;
    put_aggregate(w, row, PK_GBENCH_MEAN, mean, cpu.mean);
    put_aggregate(w, row, PK_GBENCH_MEDIAN, r->criterion.median.point,
                  pk_quantile_interpolated(w->scratch, n, 0.5));
    put_aggregate(w, row, PK_GBENCH_STDDEV, deviation, cpu.stddev);
    put_aggregate(w, row, PK_GBENCH_CV, deviation / mean, cpu.stddev / cpu.mean);
}

/* Coefficient and rms of the CPU times, for the growth that the headlines have. */
static void cpu_growth(const walk *w, const pk_bench_scan *scan, double *coefficient, double *rms) {
    double f[PK_BENCH_SCAN_MAX], time[PK_BENCH_SCAN_MAX], squares = 0, sum = 0;
    for (size_t i = 0; i < scan->n; i++) {
        const pk_bench_result *r = scan->results[i];
        size_t n = cpu_times(w, r);
        f[i] = pk_growth_value(scan->fit.growth, r->value_number);
        time[i] = pk_summarize(w->scratch, n).mean;
    }
    *coefficient = pk_fit_through_origin(scan->n, f, time).slope;
    for (size_t i = 0; i < scan->n; i++) {
        squares += pow(time[i] - *coefficient * f[i], 2);
        sum += time[i];
    }
    *rms = sqrt(squares / (double)scan->n) / (sum / (double)scan->n);
}

/* Behind the last value of a function: how its time grows. */
static void put_growth(const walk *w, size_t index) {
    const pk_bench_result *r = &w->report->results[index];
    pk_bench_scan scan;
    size_t first = index;
    for (size_t i = index + 1; i < w->report->n_results; i++)
        if (pk_bench_is_same_function(&w->report->results[i], r)) return;
    for (size_t i = 0; i < index; i++)
        if (first == index && pk_bench_is_same_function(&w->report->results[i], r)) first = i;
    if (!pk_bench_scan_of(w->report, first, &scan)) return;
    pk_gbench_row row = row_of(w, first, PK_GBENCH_BIG_O);
    double coefficient, rms;
    cpu_growth(w, &scan, &coefficient, &rms);
    row.growth = scan.fit.growth;
    put_aggregate(w, row, PK_GBENCH_BIG_O, scan.fit.coefficient, coefficient);
    put_aggregate(w, row, PK_GBENCH_RMS, scan.fit.rms, rms);
}

bool pk_gbench_rows(const pk_bench_report *report,
                    void (*each)(void *context, const pk_gbench_row *row), void *context,
                    pk_err *err) {
    size_t most = 1;
    for (size_t i = 0; i < report->n_results; i++)
        if (report->results[i].n_workers > most) most = report->results[i].n_workers;
    walk w = {report, each, context, calloc(most, sizeof(double))};
    if (!w.scratch) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the rows of %zu workers", most);
        return false;
    }
    for (size_t i = 0; i < report->n_results; i++) {
        if (report->results[i].failed) {
            pk_gbench_row row = row_of(&w, i, PK_GBENCH_ERROR);
            each(context, &row);
        } else {
            put_repetitions(&w, i);
            put_aggregates(&w, i);
        }
        put_growth(&w, i);
    }
    free(w.scratch);
    return true;
}
