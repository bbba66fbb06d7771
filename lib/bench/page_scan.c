#include "bench/page_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/regression.h"

enum { MARKS_PER_SERIES = 3, FIT_POINTS = 80 };

/* One function over its parameter, ascending. */
typedef struct series {
    const char *name;
    size_t n;
    double *value, *time, *low, *high;   /* time in ns per iteration */
    double *rate, *rate_low, *rate_high; /* throughput */
    const char **hover, **rate_hover;
    bool has_rate, in_bytes;
} series;

typedef struct scan {
    size_t n;
    series *series;
    bool positive; /* all values are above 0 */
} scan;

static const char *name_of(const pk_bench_result *r) {
    return r->function ? r->function : r->group;
}

static int by_value(const void *a, const void *b) {
    const pk_bench_result *x = *(const pk_bench_result *const *)a;
    const pk_bench_result *y = *(const pk_bench_result *const *)b;
    return (x->value_number > y->value_number) - (x->value_number < y->value_number);
}

static bool allocate(pk_arena *arena, series *s, size_t n) {
    double **arrays[] = {&s->value, &s->time,     &s->low,      &s->high,
                         &s->rate,  &s->rate_low, &s->rate_high};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        if (!(*arrays[i] = PK_NEW(arena, n, double))) return false;
    s->hover = PK_NEW(arena, n, const char *);
    s->rate_hover = PK_NEW(arena, n, const char *);
    return s->hover && s->rate_hover;
}

static bool fill(pk_arena *arena, series *s, size_t n, const pk_bench_result *const results[]) {
    if (!allocate(arena, s, n)) return false;
    s->name = name_of(results[0]);
    s->has_rate = true;
    s->in_bytes = results[0]->throughput.bytes;
    for (size_t i = 0; i < n; i++) {
        const pk_bench_result *r = results[i];
        const pk_bench_throughput *t = &r->throughput;
        s->value[i] = r->value_number;
        s->time[i] = r->typical.point;
        s->low[i] = r->typical.low;
        s->high[i] = r->typical.high;
        s->rate[i] = pk_page_throughput_at(t, r->typical.point);
        s->rate_low[i] = pk_page_throughput_at(t, r->typical.high);
        s->rate_high[i] = pk_page_throughput_at(t, r->typical.low);
        s->has_rate = s->has_rate && t->given && t->bytes == s->in_bytes;
        s->hover[i] =
            pk_arena_printf(arena, "%s: %s", r->id, PK_PAGE_TIME_TEXT(arena, r->typical.point));
        s->rate_hover[i] =
            pk_arena_printf(arena, "%s: %s", r->id,
                            pk_page_figure_text(arena, pk_page_throughput_quantity(t), s->rate[i]));
        if (!s->hover[i] || !s->rate_hover[i]) return false;
    }
    s->n = n;
    return true;
}

/* The results of one function with a numeric value; marks them as taken. */
static size_t take_function(size_t n, const pk_bench_page_entry *const entries[], size_t first,
                            bool taken[], const pk_bench_result **results) {
    size_t count = 0;
    for (size_t i = first; i < n; i++) {
        const pk_bench_result *r = entries[i]->result;
        if (taken[i] || !r->value_is_number || !isfinite(r->value_number) ||
            strcmp(name_of(r), name_of(entries[first]->result)) != 0)
            continue;
        taken[i] = true;
        results[count++] = r;
    }
    qsort(results, count, sizeof *results, by_value);
    return count;
}

static bool scan_of(pk_arena *arena, size_t n, const pk_bench_page_entry *const entries[],
                    scan *sc) {
    *sc = (scan){.series = PK_NEW(arena, n, series), .positive = true};
    bool *taken = PK_NEW(arena, n, bool);
    const pk_bench_result **results = PK_NEW(arena, n, const pk_bench_result *);
    if (!sc->series || !taken || !results) return false;
    for (size_t i = 0; i < n; i++) {
        size_t count = taken[i] ? 0 : take_function(n, entries, i, taken, results);
        if (count < 2) continue;
        series *s = &sc->series[sc->n++];
        if (!fill(arena, s, count, results)) return false;
        sc->positive = sc->positive && s->value[0] > 0;
    }
    return true;
}

/* ---- lines ---- */

typedef struct view {
    const char *title, *caption, *label;
    pk_quantity quantity;
    bool log_x, log_y, rate;
} view;

static size_t series_marks(const series *s, size_t i, bool rate, pk_mark marks[]) {
    marks[0] = (pk_mark){.kind = PK_MARK_BAND,
                         .n = s->n,
                         .x = s->value,
                         .y = rate ? s->rate_low : s->low,
                         .y2 = rate ? s->rate_high : s->high};
    marks[1] =
        (pk_mark){.kind = PK_MARK_LINE, .n = s->n, .x = s->value, .y = rate ? s->rate : s->time};
    marks[2] = (pk_mark){.kind = PK_MARK_POINTS,
                         .n = s->n,
                         .x = s->value,
                         .y = rate ? s->rate : s->time,
                         .name = s->name,
                         .tabled = true,
                         .hover = rate ? s->rate_hover : s->hover};
    for (size_t k = 0; k < MARKS_PER_SERIES; k++) pk_mark_series(&marks[k], i);
    return MARKS_PER_SERIES;
}

static bool chart_lines(pk_page *page, pk_arena *arena, const scan *sc, const view *v) {
    pk_mark *marks = PK_NEW(arena, sc->n * MARKS_PER_SERIES, pk_mark);
    if (!marks) return false;
    size_t n = 0;
    for (size_t i = 0; i < sc->n; i++) n += series_marks(&sc->series[i], i, v->rate, marks + n);
    pk_chart chart = {
        .title = v->title,
        .description = v->caption,
        .x = {.label = "parameter", .log = v->log_x},
        .y = {.label = v->label, .quantity = v->quantity, .log = v->log_y, .from_zero = true},
        .marks = marks,
        .n_marks = n};
    pk_page_figure(page, &chart, v->caption);
    return true;
}

static bool chart_rates(pk_page *page, pk_arena *arena, const scan *sc) {
    for (size_t i = 0; i < sc->n; i++)
        if (!sc->series[i].has_rate || sc->series[i].in_bytes != sc->series[0].in_bytes)
            return true;
    view rates = {.title = "Throughput over the parameter",
                  .caption = "What is done per second, at the mean time.",
                  .label = "throughput",
                  .quantity = sc->series[0].in_bytes ? PK_Q_BYTE_RATE : PK_Q_ITEM_RATE,
                  .rate = true};
    return chart_lines(page, arena, sc, &rates);
}

/* ---- complexity ---- */

typedef struct fit {
    const series *of;
    size_t skipped; /* values of 0 and less at the start, which no growth is defined for */
    pk_complexity best;
} fit;

static fit fit_of(const series *s) {
    fit f = {.of = s};
    while (f.skipped < s->n && s->value[f.skipped] <= 0) f.skipped++;
    f.best = pk_fit_complexity(s->n - f.skipped, s->value + f.skipped, s->time + f.skipped);
    return f;
}

static bool fit_marks(pk_arena *arena, const fit *f, size_t i, pk_mark marks[2]) {
    const series *s = f->of;
    double *x = PK_NEW(arena, FIT_POINTS, double), *y = PK_NEW(arena, FIT_POINTS, double);
    if (!x || !y) return false;
    double first = s->value[f->skipped], last = s->value[s->n - 1];
    for (size_t k = 0; k < FIT_POINTS; k++) {
        x[k] = first + (last - first) * (double)k / (FIT_POINTS - 1);
        y[k] = f->best.coefficient * pk_growth_value(f->best.growth, x[k]);
    }
    const char *name = pk_arena_printf(arena, "%s: %s", s->name, pk_growth_name(f->best.growth));
    if (!name) return false;
    marks[0] = (pk_mark){.kind = PK_MARK_LINE, .n = FIT_POINTS, .x = x, .y = y};
    marks[1] = (pk_mark){.kind = PK_MARK_POINTS,
                         .n = s->n - f->skipped,
                         .x = s->value + f->skipped,
                         .y = s->time + f->skipped,
                         .hover = s->hover + f->skipped,
                         .name = name};
    pk_mark_series(&marks[0], i);
    pk_mark_series(&marks[1], i);
    return true;
}

static void fit_table(pk_page *page, pk_arena *arena, size_t n, const fit fits[]) {
    static const pk_column columns[] = {{"benchmark", false},
                                        {"grows like", false},
                                        {"time / growth", true},
                                        {"error (RMS)", true}};
    pk_page_table_begin(page,
                        "The growth with the least error among 1, lg N, N, N lg N, N², N³, "
                        "φ^N and 2^N; the error is relative to the mean time.",
                        4, columns);
    for (size_t i = 0; i < n; i++) {
        pk_page_cell(page, PK_TINT_NONE, "%s", fits[i].of->name);
        pk_page_cell(page, PK_TINT_NONE, "%s", pk_growth_name(fits[i].best.growth));
        pk_page_cell(page, PK_TINT_NONE, "%s", PK_PAGE_TIME_TEXT(arena, fits[i].best.coefficient));
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_page_figure_text(arena, PK_Q_SHARE, fits[i].best.rms));
    }
    pk_page_table_end(page);
}

static bool add_complexity(pk_page *page, pk_arena *arena, const scan *sc, bool log_x) {
    fit *fits = PK_NEW(arena, sc->n, fit);
    pk_mark *marks = PK_NEW(arena, 2 * sc->n, pk_mark);
    if (!fits || !marks) return false;
    size_t n = 0;
    for (size_t i = 0; i < sc->n; i++) {
        fit f = fit_of(&sc->series[i]);
        if (!isfinite(f.best.rms)) continue;
        if (!fit_marks(arena, &f, i, marks + 2 * n)) return false;
        fits[n++] = f;
    }
    if (n == 0) return true;
    pk_page_section(page, "Complexity");
    pk_chart chart = {.title = "Growth that fits best",
                      .description = "The measured times, and for each benchmark the curve of the "
                                     "growth that fits best.",
                      .x = {.label = "parameter", .log = log_x},
                      .y = {.label = "time per iteration", .quantity = PK_Q_TIME, .log = true},
                      .marks = marks,
                      .n_marks = 2 * n};
    pk_page_figure(page, &chart, chart.description);
    fit_table(page, arena, n, fits);
    return true;
}

bool pk_page_scan(pk_page *page, pk_arena *arena, size_t n,
                  const pk_bench_page_entry *const entries[]) {
    scan sc;
    if (!scan_of(arena, n, entries, &sc)) return false;
    if (sc.n == 0) return true;
    const view linear = {.title = "Time over the parameter",
                         .caption = "Means with their intervals.",
                         .label = "time per iteration",
                         .quantity = PK_Q_TIME};
    view logarithmic = linear;
    logarithmic.title = "Time over the parameter, logarithmic";
    logarithmic.caption = sc.positive ? "A power of the parameter is a straight line here."
                                      : "An exponential of the parameter is a straight line here.";
    logarithmic.log_x = sc.positive;
    logarithmic.log_y = true;
    pk_page_section(page, "Over the parameter");
    return chart_lines(page, arena, &sc, &linear) && chart_lines(page, arena, &sc, &logarithmic) &&
           chart_rates(page, arena, &sc) && add_complexity(page, arena, &sc, sc.positive);
}
