#include "bench/analyse_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/robust.h"
#include "stats/summary.h"

static double side_ns(const pk_bench_side *side) {
    return side->units > 0 ? side->trimmed_ns : NAN;
}

double pk_worker_new_ns(const pk_bench_worker *worker) {
    return side_ns(&worker->side[PK_SIDE_NEW]);
}

double pk_worker_old_ns(const pk_bench_worker *worker) {
    return side_ns(&worker->side[PK_SIDE_OLD]);
}

double pk_worker_reference_ns(const pk_bench_worker *worker) {
    return worker->reference_ns;
}

bool pk_worker_values_init(pk_worker_values *values, size_t most) {
    most++; /* never 0 bytes */
    *values = (pk_worker_values){
        .x = calloc(most, sizeof values->x[0]),
        .old_first = calloc(most, sizeof values->old_first[0]),
        .layout = calloc(most, sizeof values->layout[0]),
    };
    return values->x && values->old_first && values->layout;
}

void pk_worker_values_fini(pk_worker_values *values) {
    free(values->x);
    free(values->old_first);
    free(values->layout);
    *values = (pk_worker_values){0};
}

void pk_worker_values_add(pk_worker_values *values, double x, bool old_first, int layout) {
    values->x[values->n] = x;
    values->old_first[values->n] = old_first;
    values->layout[values->n] = layout;
    values->n++;
}

bool pk_worker_values_of(pk_worker_values *values, const pk_bench_result *result,
                         pk_worker_value *value) {
    if (!pk_worker_values_init(values, result->n_workers)) return false;
    for (size_t i = 0; i < result->n_workers; i++) {
        const pk_bench_worker *worker = &result->workers[i];
        double x = value(worker);
        if (isfinite(x)) pk_worker_values_add(values, x, worker->old_first, worker->layout);
    }
    return true;
}

/* Several layouts, and no worker without one. */
static bool is_by_layout(const pk_worker_values *values) {
    bool differ = false;
    for (size_t i = 0; i < values->n; i++) {
        if (values->layout[i] < 0) return false;
        differ = differ || values->layout[i] != values->layout[0];
    }
    return differ;
}

/* ---- estimates over units ---- */

/* Means of the two groups by order, of all workers or those of one layout. */
typedef struct groups {
    double sum[2];
    size_t n[2];
} groups;

static void group_add(groups *g, bool old_first, double x) {
    g->sum[old_first] += x;
    g->n[old_first]++;
}

static double group_mean(const groups *g, bool balanced) {
    if (!balanced || g->n[0] == 0 || g->n[1] == 0)
        return (g->sum[0] + g->sum[1]) / (double)(g->n[0] + g->n[1]);
    return (g->sum[0] / (double)g->n[0] + g->sum[1] / (double)g->n[1]) / 2;
}

static double order_effect(const groups *g) {
    if (g->n[0] == 0 || g->n[1] == 0) return NAN;
    return g->sum[1] / (double)g->n[1] - g->sum[0] / (double)g->n[0];
}

/* One value per layout: the mean of its workers. Returns how many. */
static size_t layout_means(const pk_worker_values *values, bool balanced, double out[]) {
    size_t units = 0;
    for (size_t i = 0; i < values->n; i++) {
        size_t j = 0;
        while (j < i && values->layout[j] != values->layout[i]) j++;
        if (j < i) continue; /* not the first of its layout */
        groups g = {0};
        for (j = i; j < values->n; j++)
            if (values->layout[j] == values->layout[i])
                group_add(&g, values->old_first[j], values->x[j]);
        out[units++] = group_mean(&g, balanced);
    }
    return units;
}

pk_unit_estimate pk_unit_estimate_of(const pk_worker_values *values, bool robust, bool balanced) {
    pk_unit_estimate e = pk_unit_estimate_unknown;
    double *unit = calloc(values->n + 1, sizeof unit[0]);
    if (!unit || values->n == 0) {
        free(unit);
        return e;
    }
    groups all = {0};
    for (size_t i = 0; i < values->n; i++) group_add(&all, values->old_first[i], values->x[i]);
    e.order_effect = order_effect(&all);

    e.by_layout = is_by_layout(values);
    if (e.by_layout) {
        e.units = layout_means(values, balanced, unit);
    } else {
        e.units = values->n;
        memcpy(unit, values->x, values->n * sizeof unit[0]);
    }
    if (robust) {
        pk_sort(unit, e.units);
        pk_trimmed t = pk_trimmed_mean(unit, e.units, PK_WORKERS_TRIM);
        e.location = t.mean;
        e.standard_error = t.standard_error;
        e.df = (double)t.kept - 1;
    } else {
        pk_summary s = pk_summarize(unit, e.units);
        e.location = s.mean;
        if (balanced && !e.by_layout) e.location = group_mean(&all, true);
        if (!balanced) e.location = pk_summarize(values->x, values->n).mean; /* as Criterion's */
        e.standard_error = s.stddev / sqrt((double)e.units);
        e.df = (double)e.units - 1;
    }
    free(unit);
    return e;
}
