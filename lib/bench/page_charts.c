#include "bench/page_charts.h"

#include <math.h>
#include <string.h>

#include "bench/words.h"
#include "stats/density.h"
#include "stats/outlier.h"
#include "stats/quantile.h"
#include "stats/robust.h"
#include "stats/summary.h"

/* Farther from the quartiles than this, in interquartile ranges, lies "far out"... */
#define REACH_IQR 5
/* ... for this share of the values at each end; a second group of workers is no outlier. */
#define BEYOND_SHARE 0.025
/* Left out only if the rest gains that much room. */
#define WORTH_CLIPPING 1.5

void pk_page_domain(const double sorted[], size_t n, double bandwidth, double *low, double *high,
                    size_t *beyond) {
    *beyond = 0;
    *low = n ? sorted[0] : (double)NAN;
    *high = n ? sorted[n - 1] : (double)NAN;
    if (n < 2) return;
    double q1 = pk_quantile_interpolated(sorted, n, 0.25);
    double q3 = pk_quantile_interpolated(sorted, n, 0.75), reach = REACH_IQR * (q3 - q1);
    double least = pk_quantile_interpolated(sorted, n, BEYOND_SHARE);
    double most = pk_quantile_interpolated(sorted, n, 1 - BEYOND_SHARE);
    double from = fmax(*low, fmin(q1 - reach, least)), to = fmin(*high, fmax(q3 + reach, most));
    if (*high - *low > WORTH_CLIPPING * (to - from)) {
        *low = from;
        *high = to;
    }
    double range = *high - *low, foot = 3 * bandwidth;
    double margin = range > 0 ? fmax(0.06 * range, fmin(foot, 0.7 * range)) : 0;
    *low -= margin;
    *high += margin;
    for (size_t i = 0; i < n; i++) *beyond += sorted[i] < *low || sorted[i] > *high;
}

bool pk_page_curve_of(pk_arena *arena, const pk_page_values *values, double low, double high,
                      double per, pk_page_curve *curve) {
    *curve = (pk_page_curve){0};
    if (!(values->bandwidth > 0) || !(low < high)) return true;
    curve->x = PK_NEW(arena, PK_PAGE_CURVE_POINTS, double);
    curve->y = PK_NEW(arena, PK_PAGE_CURVE_POINTS, double);
    pk_err ignored;
    if (!curve->x || !curve->y ||
        !pk_density(values->n, values->sorted, values->bandwidth, low, high, PK_PAGE_CURVE_POINTS,
                    curve->y, &ignored))
        return false;
    for (size_t i = 0; i < PK_PAGE_CURVE_POINTS; i++) {
        curve->x[i] = low + (high - low) * (double)i / (PK_PAGE_CURVE_POINTS - 1);
        curve->y[i] *= per;
    }
    curve->n = PK_PAGE_CURVE_POINTS;
    return true;
}

pk_box pk_page_box(const double sorted[], size_t n) {
    pk_box box = {.q1 = pk_quantile_interpolated(sorted, n, 0.25),
                  .middle = pk_quantile_interpolated(sorted, n, 0.5),
                  .q3 = pk_quantile_interpolated(sorted, n, 0.75)};
    double reach = 1.5 * (box.q3 - box.q1);
    box.low = box.q1;
    box.high = box.q3;
    for (size_t i = 0; i < n; i++) {
        if (sorted[i] >= box.q1 - reach) box.low = fmin(box.low, sorted[i]);
        if (sorted[i] <= box.q3 + reach) box.high = fmax(box.high, sorted[i]);
    }
    return box;
}

static const char *beyond_text(pk_arena *arena, size_t beyond, double farthest) {
    if (beyond == 0) return "";
    const char *text = pk_arena_printf(arena, " %zu of them beyond the picture, up to %s.", beyond,
                                       PK_PAGE_TIME_TEXT(arena, farthest));
    return text ? text : "";
}

/* ---- points by outlier class ---- */

enum { CLASSES = 3 };

typedef struct classes {
    size_t n[CLASSES];
    double *ns[CLASSES], *worker[CLASSES];
    const char **hover[CLASSES];
} classes;

static size_t class_of(pk_outlier outlier) {
    bool severe = outlier == PK_OUTLIER_LOW_SEVERE || outlier == PK_OUTLIER_HIGH_SEVERE;
    return outlier == PK_OUTLIER_NONE ? 0 : severe ? 2 : 1;
}

static bool classify(pk_arena *arena, const pk_fences *fences, const pk_page_values *values,
                     classes *c) {
    *c = (classes){0};
    for (size_t k = 0; k < CLASSES; k++) {
        c->ns[k] = PK_NEW(arena, values->n, double);
        c->worker[k] = PK_NEW(arena, values->n, double);
        c->hover[k] = PK_NEW(arena, values->n, const char *);
        if (!c->ns[k] || !c->worker[k] || !c->hover[k]) return false;
    }
    static const char *const names[CLASSES] = {"", " (mild outlier)", " (severe outlier)"};
    for (size_t i = 0; i < values->n; i++) {
        size_t k = class_of(pk_outlier_of(fences, values->ns[i])), at = c->n[k]++;
        c->ns[k][at] = values->ns[i];
        c->worker[k][at] = values->worker[i];
        c->hover[k][at] = pk_arena_printf(arena, "worker %.0f: %s%s", values->worker[i],
                                          PK_PAGE_TIME_TEXT(arena, values->ns[i]), names[k]);
        if (!c->hover[k][at]) return false;
    }
    return true;
}

/* The marks of the three classes; strip: as a strip, else over the worker's number. */
static size_t class_marks(pk_mark marks[CLASSES], const classes *c, bool strip) {
    static const char *const names[CLASSES] = {"worker", "mild outlier", "severe outlier"};
    static const pk_tone tones[CLASSES] = {PK_TONE_NEW, PK_TONE_MILD, PK_TONE_SEVERE};
    static const pk_shape shapes[CLASSES] = {PK_DOT, PK_DIAMOND, PK_SQUARE};
    size_t n = 0;
    for (size_t k = 0; k < CLASSES; k++) {
        if (c->n[k] == 0) continue;
        marks[n] = (pk_mark){.kind = strip ? PK_MARK_STRIP : PK_MARK_POINTS,
                             .tone = tones[k],
                             .shape = shapes[k],
                             .name = names[k],
                             .n = c->n[k],
                             .x = strip ? c->ns[k] : c->worker[k],
                             .y = strip ? NULL : c->ns[k],
                             .hover = c->hover[k],
                             .tabled = !strip};
        n++;
    }
    return n;
}

/* ---- one side ---- */

bool pk_page_chart_density(pk_page *page, pk_arena *arena, const pk_bench_result *result,
                           const pk_page_values *values) {
    if (values->n == 0) return true;
    double low, high;
    size_t beyond;
    pk_page_domain(values->sorted, values->n, values->bandwidth, &low, &high, &beyond);
    pk_unit unit = pk_unit_for(PK_Q_TIME, high);
    pk_page_curve curve;
    classes c;
    if (!pk_page_curve_of(arena, values, low, high, unit.factor, &curve) ||
        !classify(arena, &result->fences, values, &c))
        return false;
    const pk_fences *f = &result->fences;
    const double mild[] = {f->low_mild, f->high_mild}, severe[] = {f->low_severe, f->high_severe};
    const double interval[] = {result->typical.low, result->typical.high};
    pk_mark marks[8] = {
        {.kind = PK_MARK_AREA, .tone = PK_TONE_NEW, .n = curve.n, .x = curve.x, .y = curve.y},
        {.kind = PK_MARK_SPAN_X, .tone = PK_TONE_NEW, .n = 2, .x = interval, .name = "interval"},
        {.kind = PK_MARK_RULES_X,
         .tone = PK_TONE_NEW,
         .n = 1,
         .x = &result->typical.point,
         .name = "mean"},
        {.kind = PK_MARK_RULES_X,
         .tone = PK_TONE_MILD,
         .dash = PK_DASHED,
         .n = 2,
         .x = mild,
         .name = "mild fences"},
        {.kind = PK_MARK_RULES_X,
         .tone = PK_TONE_SEVERE,
         .dash = PK_DOTTED,
         .n = 2,
         .x = severe,
         .name = "severe fences"},
    };
    size_t n = 5 + class_marks(marks + 5, &c, true);
    const char *density = pk_arena_printf(arena, "density (1/%s)", unit.name);
    const char *text =
        pk_arena_printf(arena, "Each point is the time of one worker process, %zu in all.%s",
                        values->n, beyond_text(arena, beyond, values->sorted[values->n - 1]));
    if (!density || !text) return false;
    pk_chart chart = {
        .title = "Distribution of the time",
        .description = text,
        .x = {.label = "time per iteration", .quantity = PK_Q_TIME, .low = low, .high = high},
        .y = {.label = density, .from_zero = true},
        .marks = marks,
        .n_marks = n};
    pk_page_figure(page, &chart, text);
    return true;
}

bool pk_page_chart_order(pk_page *page, pk_arena *arena, const pk_bench_result *result,
                         const pk_page_values *values) {
    if (values->n == 0) return true;
    double low, high;
    size_t beyond;
    pk_page_domain(values->sorted, values->n, values->bandwidth, &low, &high, &beyond);
    classes c;
    if (!classify(arena, &result->fences, values, &c)) return false;
    const double interval[] = {result->typical.low, result->typical.high};
    const double resumed = (double)result->n_workers_former + 0.5;
    pk_mark marks[6] = {
        {.kind = PK_MARK_SPAN_Y, .tone = PK_TONE_NEW, .n = 2, .y = interval},
        {.kind = PK_MARK_RULES_Y,
         .tone = PK_TONE_NEW,
         .n = 1,
         .y = &result->typical.point,
         .name = "mean and interval"},
        {.kind = PK_MARK_RULES_X,
         .tone = PK_TONE_MUTED,
         .dash = PK_DASHED,
         .n = result->n_workers_former > 0,
         .x = &resumed,
         .name = "continued here"},
    };
    size_t n = 3 + class_marks(marks + 3, &c, false);
    const char *text =
        pk_arena_printf(arena, "A slope or a step is drift: of the machine, or of the benchmark.%s",
                        beyond_text(arena, beyond, values->sorted[values->n - 1]));
    if (!text) return false;
    pk_chart chart = {
        .title = "Workers in the order they ran",
        .description = text,
        .x = {.label = "worker", .quantity = PK_Q_COUNT},
        .y = {.label = "time per iteration", .quantity = PK_Q_TIME, .low = low, .high = high},
        .marks = marks,
        .n_marks = n};
    pk_page_figure(page, &chart, text);
    return true;
}

/* ---- two sides ---- */

bool pk_page_chart_both(pk_page *page, pk_arena *arena, const pk_page_values *new_side,
                        const pk_page_values *old_side) {
    if (new_side->n == 0 || old_side->n == 0) return true;
    double low, high, old_low, old_high;
    size_t beyond, old_beyond;
    pk_page_domain(new_side->sorted, new_side->n, new_side->bandwidth, &low, &high, &beyond);
    pk_page_domain(old_side->sorted, old_side->n, old_side->bandwidth, &old_low, &old_high,
                   &old_beyond);
    low = fmin(low, old_low);
    high = fmax(high, old_high);
    pk_unit unit = pk_unit_for(PK_Q_TIME, high);
    pk_page_curve curve, old_curve;
    if (!pk_page_curve_of(arena, new_side, low, high, unit.factor, &curve) ||
        !pk_page_curve_of(arena, old_side, low, high, unit.factor, &old_curve))
        return false;
    double mean = pk_summarize(new_side->ns, new_side->n).mean;
    double old_mean = pk_summarize(old_side->ns, old_side->n).mean;
    const pk_mark marks[] = {
        {.kind = PK_MARK_AREA,
         .tone = PK_TONE_OLD,
         .dash = PK_DASHED,
         .name = "base",
         .n = old_curve.n,
         .x = old_curve.x,
         .y = old_curve.y},
        {.kind = PK_MARK_AREA,
         .tone = PK_TONE_NEW,
         .name = "new",
         .n = curve.n,
         .x = curve.x,
         .y = curve.y},
        {.kind = PK_MARK_RULES_X,
         .tone = PK_TONE_OLD,
         .dash = PK_DASHED,
         .n = 1,
         .x = &old_mean,
         .name = "mean of base"},
        {.kind = PK_MARK_RULES_X, .tone = PK_TONE_NEW, .n = 1, .x = &mean, .name = "mean of new"},
        {.kind = PK_MARK_STRIP,
         .tone = PK_TONE_OLD,
         .shape = PK_TRIANGLE,
         .n = old_side->n,
         .x = old_side->ns,
         .name = "base, worker"},
        {.kind = PK_MARK_STRIP,
         .tone = PK_TONE_NEW,
         .n = new_side->n,
         .x = new_side->ns,
         .name = "new, worker"},
    };
    const char *density = pk_arena_printf(arena, "density (1/%s)", unit.name);
    const char *text = pk_arena_printf(
        arena, "Mean of base %s, of new %s. Each point is one worker.%s",
        PK_PAGE_TIME_TEXT(arena, old_mean), PK_PAGE_TIME_TEXT(arena, mean),
        beyond_text(arena, beyond + old_beyond,
                    fmax(new_side->sorted[new_side->n - 1], old_side->sorted[old_side->n - 1])));
    if (!density || !text) return false;
    pk_chart chart = {
        .title = "Base against new",
        .description = text,
        .x = {.label = "time per iteration", .quantity = PK_Q_TIME, .low = low, .high = high},
        .y = {.label = density, .from_zero = true},
        .marks = marks,
        .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, text);
    return true;
}

/* new / old - 1 of the workers that measured both; returns how many. */
static size_t changes_of(const pk_bench_result *result, double change[], double worker[]) {
    size_t n = 0;
    for (size_t i = 0; i < result->n_workers; i++) {
        const pk_bench_side *side = result->workers[i].side;
        double ratio = side[PK_SIDE_NEW].trimmed_ns / side[PK_SIDE_OLD].trimmed_ns;
        if (side[PK_SIDE_NEW].units == 0 || side[PK_SIDE_OLD].units == 0 || !(ratio > 0)) continue;
        change[n] = ratio - 1;
        worker[n++] = (double)(i + 1);
    }
    return n;
}

static double *sorted_copy(pk_arena *arena, const double values[], size_t n) {
    double *copy = PK_NEW(arena, n, double);
    for (size_t i = 0; copy && i < n; i++) copy[i] = values[i];
    if (copy) pk_sort(copy, n);
    return copy;
}

bool pk_page_chart_changes(pk_page *page, pk_arena *arena, const pk_bench_result *result) {
    double *change = PK_NEW(arena, result->n_workers, double);
    double *worker = PK_NEW(arena, result->n_workers, double);
    if (!change || !worker) return false;
    size_t n = changes_of(result, change, worker);
    if (n < 2) return true;
    double *sorted = sorted_copy(arena, change, n);
    if (!sorted) return false;
    double low, high;
    size_t beyond;
    pk_page_domain(sorted, n, 0, &low, &high, &beyond);
    double noise = result->noise_threshold;
    const double threshold[] = {-noise, noise};
    const pk_bench_change *c = &result->change;
    const double interval[] = {c->ratio.low, c->ratio.high};
    low = fmin(fmin(low, -1.2 * noise), c->ratio.low);
    high = fmax(fmax(high, 1.2 * noise), c->ratio.high);
    const pk_mark marks[] = {
        {.kind = PK_MARK_SPAN_Y,
         .tone = PK_TONE_MUTED,
         .n = 2,
         .y = threshold,
         .name = "noise threshold"},
        {.kind = PK_MARK_SPAN_Y, .tone = PK_TONE_NEW, .n = 2, .y = interval, .name = "interval"},
        {.kind = PK_MARK_RULES_Y,
         .tone = PK_TONE_NEW,
         .n = 1,
         .y = &c->ratio.point,
         .name = "change"},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_NEW,
         .n = n,
         .x = worker,
         .y = change,
         .name = "worker",
         .tabled = true},
    };
    char verdict[PK_WORDS_MAX];
    const char *text = pk_arena_printf(
        arena, "%s. Each point is new against base within one worker; above 0 is slower.%s",
        pk_words_verdict(verdict, sizeof verdict, result),
        beyond ? " Single workers lie beyond the picture." : "");
    if (!text) return false;
    pk_chart chart = {
        .title = "Change seen by each worker",
        .description = text,
        .x = {.label = "worker", .quantity = PK_Q_COUNT},
        .y = {.label = "change of the time", .quantity = PK_Q_CHANGE, .low = low, .high = high},
        .marks = marks,
        .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, text);
    return true;
}

/* ---- the past ---- */

/* The runs with this verdict; hover texts as those of all. */
typedef struct called {
    size_t n;
    double *x, *y;
    const char **hover;
} called;

static bool called_of(pk_arena *arena, size_t n, const pk_bench_session sessions[],
                      const char *const hover[], pk_verdict_word word, called *c) {
    *c = (called){.x = PK_NEW(arena, n, double),
                  .y = PK_NEW(arena, n, double),
                  .hover = PK_NEW(arena, n, const char *)};
    if (!c->x || !c->y || !c->hover) return false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(sessions[i].verdict, pk_verdict_name(word)) != 0) continue;
        c->x[c->n] = (double)(i + 1);
        c->y[c->n] = sessions[i].typical_ns;
        c->hover[c->n++] = hover[i];
    }
    return true;
}

static const char *hover_of(pk_arena *arena, size_t number, const pk_bench_session *s) {
    char when[PK_PAGE_TIME_MAX];
    return pk_arena_printf(arena, "run %zu, %s: %s%s%s%s%s", number,
                           pk_page_time(when, s->time_unix_ns),
                           PK_PAGE_TIME_TEXT(arena, s->typical_ns), s->verdict[0] ? ", " : "",
                           s->verdict, s->history_id[0] ? ", " : "", s->history_id);
}

bool pk_page_chart_history(pk_page *page, pk_arena *arena, size_t n,
                           const pk_bench_session sessions[]) {
    if (n < 2) return true;
    double *x = PK_NEW(arena, n, double), *y = PK_NEW(arena, n, double);
    double *low = PK_NEW(arena, n, double), *high = PK_NEW(arena, n, double);
    const char **hover = PK_NEW(arena, n, const char *);
    if (!x || !y || !low || !high || !hover) return false;
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1);
        y[i] = sessions[i].typical_ns;
        low[i] = sessions[i].low_ns;
        high[i] = sessions[i].high_ns;
        if (!(hover[i] = hover_of(arena, i + 1, &sessions[i]))) return false;
    }
    called slower, faster;
    if (!called_of(arena, n, sessions, hover, PK_REGRESSED, &slower) ||
        !called_of(arena, n, sessions, hover, PK_IMPROVED, &faster))
        return false;
    const pk_mark marks[] = {
        {.kind = PK_MARK_BAND,
         .tone = PK_TONE_NEW,
         .n = n,
         .x = x,
         .y = low,
         .y2 = high,
         .name = "interval"},
        {.kind = PK_MARK_LINE, .tone = PK_TONE_NEW, .n = n, .x = x, .y = y, .name = "mean"},
        {.kind = PK_MARK_POINTS, .tone = PK_TONE_NEW, .n = n, .x = x, .y = y, .hover = hover},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_BAD,
         .shape = PK_TRIANGLE,
         .n = slower.n,
         .x = slower.x,
         .y = slower.y,
         .hover = slower.hover,
         .name = "regressed"},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_GOOD,
         .shape = PK_DIAMOND,
         .n = faster.n,
         .x = faster.x,
         .y = faster.y,
         .hover = faster.hover,
         .name = "improved"},
    };
    pk_chart chart = {.title = "Time over the runs",
                      .description =
                          "The mean of each run with its interval, the oldest on the left.",
                      .x = {.label = "run, the oldest first", .quantity = PK_Q_COUNT},
                      .y = {.label = "time per iteration", .quantity = PK_Q_TIME},
                      .marks = marks,
                      .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, chart.description);
    return true;
}
