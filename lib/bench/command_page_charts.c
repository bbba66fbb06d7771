#include "bench/command_page.h"

#include <math.h>
#include <string.h>

#include "base/units.h"
#include "bench/page_charts.h"
#include "bench/page_parts.h"
#include "stats/density.h"
#include "stats/robust.h"

/* More rows than this make a picture nobody reads; the table shows the same. */
#define ROWS_MAX 40
/* Values farther apart than this are drawn on a logarithmic axis. */
#define LINEAR_RATIO_MAX 20
#define NS_PER_S ((double)PK_NS_PER_S)

/* Wall times of the runs that count, in ns; `worker` is the number of the run, from 1. */
static bool values_of(pk_arena *arena, const pk_command_report *report, const pk_command_result *r,
                      pk_page_values *v) {
    *v = (pk_page_values){.ns = PK_NEW(arena, r->n_runs, double),
                          .worker = PK_NEW(arena, r->n_runs, double),
                          .sorted = PK_NEW(arena, r->n_runs, double)};
    if (!v->ns || !v->worker || !v->sorted) return false;
    for (size_t i = 0; i < r->n_runs; i++) {
        if (!pk_command_counted(report, &r->runs[i])) continue;
        v->ns[v->n] = v->sorted[v->n] = r->runs[i].wall_s * NS_PER_S;
        v->worker[v->n++] = (double)(i + 1);
    }
    pk_sort(v->sorted, v->n);
    double bandwidth = v->n >= 2 ? pk_bandwidth_isj(v->n, v->sorted, NULL) : 0;
    v->bandwidth = bandwidth > 0 && isfinite(bandwidth) ? bandwidth : 0;
    return true;
}

/* The results with figures, as rows. */
typedef struct rows {
    size_t n;
    const pk_command_result **results;
    const char **names;
    double *row; /* 0, 1 ... */
} rows;

static bool rows_of(pk_arena *arena, const pk_command_report *report, rows *g) {
    *g = (rows){.results = PK_NEW(arena, report->n_results, const pk_command_result *),
                .names = PK_NEW(arena, report->n_results, const char *),
                .row = PK_NEW(arena, report->n_results, double)};
    if (!g->results || !g->names || !g->row) return false;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        if (r->wall.n == 0) continue;
        g->results[g->n] = r;
        g->names[g->n] = r->of->shown;
        g->row[g->n] = (double)g->n;
        g->n++;
    }
    return true;
}

static pk_axis rows_axis(const rows *g) {
    return (pk_axis){.label = "command", .categories = g->names, .n_categories = g->n};
}

bool pk_command_chart_boxes(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    rows g;
    if (!rows_of(arena, report, &g)) return false;
    if (g.n < 2 || g.n > ROWS_MAX) return true;
    pk_box *boxes = PK_NEW(arena, g.n, pk_box);
    double *mean = PK_NEW(arena, g.n, double);
    if (!boxes || !mean) return false;
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < g.n; i++) {
        pk_page_values v;
        if (!values_of(arena, report, g.results[i], &v)) return false;
        boxes[i] = pk_page_box(v.sorted, v.n);
        mean[i] = g.results[i]->wall.mean * NS_PER_S;
        low = fmin(low, boxes[i].low);
        high = fmax(high, boxes[i].high);
    }
    bool wide = low > 0 && high / low > LINEAR_RATIO_MAX;
    const pk_mark marks[] = {
        {.kind = PK_MARK_BOXES,
         .tone = PK_TONE_NEW,
         .n = g.n,
         .boxes = boxes,
         .y = g.row,
         .name = "quartiles and median",
         .tabled = true},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_OLD,
         .shape = PK_DIAMOND,
         .n = g.n,
         .x = mean,
         .y = g.row,
         .name = "mean"},
    };
    pk_chart chart = {
        .title = "Wall time of each command",
        .description = "Boxes from the lower to the upper quartile of the runs, "
                       "whiskers to the last run within the mild fences.",
        .x = {.label = "wall time", .quantity = PK_Q_TIME, .log = wide, .from_zero = !wide},
        .y = rows_axis(&g),
        .marks = marks,
        .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, chart.description);
    return true;
}

/* ---- changes ---- */

/* Beyond these a change is drawn as a ratio, on a logarithmic axis: on a linear one, what halves
 * stands beside what is the same. */
#define LINEAR_CHANGE_MAX 1.0

typedef struct change_rows {
    size_t n;
    double *y, *low, *high, *point; /* changes, or ratios */
} change_rows;

static bool is_compared(const pk_command_result *r) {
    return r->change[0].compared || r->change[1].compared;
}

static bool change_rows_of(pk_arena *arena, const pk_command_report *report, size_t change,
                           bool ratios, change_rows *c) {
    size_t room = report->n_results, row = 0;
    double shift = ratios ? 1 : 0;
    *c = (change_rows){.y = PK_NEW(arena, room, double),
                       .low = PK_NEW(arena, room, double),
                       .high = PK_NEW(arena, room, double),
                       .point = PK_NEW(arena, room, double)};
    if (!c->y || !c->low || !c->high || !c->point) return false;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        if (!is_compared(r)) continue;
        if (r->change[change].compared) {
            const pk_verdict *v = &r->change[change].verdict;
            c->y[c->n] = (double)row + (change ? 0.18 : -0.18);
            c->low[c->n] = v->low + shift;
            c->high[c->n] = v->high + shift;
            c->point[c->n++] = v->estimate + shift;
        }
        row++;
    }
    return true;
}

/* Interval and estimate of one kind of change. */
static void change_marks(pk_mark marks[2], const change_rows *c, size_t change, const char *name) {
    pk_tone tone = change ? PK_TONE_1 + 1 : PK_TONE_1;
    marks[0] = (pk_mark){.kind = PK_MARK_INTERVALS_X,
                         .tone = tone,
                         .n = c->n,
                         .y = c->y,
                         .x = c->low,
                         .x2 = c->high};
    marks[1] = (pk_mark){.kind = PK_MARK_POINTS,
                         .tone = tone,
                         .shape = change ? PK_SQUARE : PK_DOT,
                         .n = c->n,
                         .x = c->point,
                         .y = c->y,
                         .name = name};
}

/* The compared commands, and whether their changes are so large that ratios show more. */
static size_t compared_of(const pk_command_report *report, const char *names[], bool *ratios) {
    size_t n = 0;
    *ratios = false;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        if (is_compared(r)) names[n++] = r->of->shown;
        for (size_t k = 0; k < 2; k++)
            if (r->change[k].compared && r->change[k].verdict.high > LINEAR_CHANGE_MAX)
                *ratios = true;
    }
    return n;
}

bool pk_command_chart_changes(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    change_rows c[2];
    bool ratios;
    const char **names = PK_NEW(arena, report->n_results, const char *);
    if (!names) return false;
    size_t n = compared_of(report, names, &ratios);
    if (n == 0 || n > ROWS_MAX) return true;
    if (!change_rows_of(arena, report, 0, ratios, &c[0]) ||
        !change_rows_of(arena, report, 1, ratios, &c[1]))
        return false;
    double noise = report->options ? report->options->noise_threshold : 0, equal = ratios ? 1 : 0;
    const double threshold[] = {equal - noise, equal + noise};
    pk_mark marks[6] = {
        {.kind = PK_MARK_SPAN_X,
         .tone = PK_TONE_MUTED,
         .n = noise > 0 ? 2 : 0,
         .x = threshold,
         .name = "threshold"},
        {.kind = PK_MARK_RULES_X, .tone = PK_TONE_MUTED, .dash = PK_DASHED, .n = 1, .x = &equal},
    };
    change_marks(marks + 2, &c[0], 0, pk_command_change_name(report, 0));
    change_marks(marks + 4, &c[1], 1, pk_command_change_name(report, 1));
    const char *text = pk_arena_printf(
        arena, "%s %s, each with its interval: left of the dashed line is less, right is more.",
        ratios ? "How many times as much as" : "Change against",
        report->results[report->reference].of->shown);
    if (!text) return false;
    pk_chart chart = {.title = "Against the reference",
                      .description = text,
                      .x = {.label = ratios ? "times the reference" : "change",
                            .quantity = ratios ? PK_Q_NUMBER : PK_Q_CHANGE,
                            .log = ratios},
                      .y = {.label = "command", .categories = names, .n_categories = n},
                      .marks = marks,
                      .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, text);
    return true;
}

/* ---- a parameter ---- */

/* The value of the only parameter; NaN: none, several, or no number. */
static double parameter_of(const pk_command_case *of) {
    double value = NAN;
    pk_err ignored;
    if (of->n_parameters != 1 || !pk_parse_double(of->parameters[0].value, &value, &ignored))
        return NAN;
    return value;
}

/* Is the chart worth drawing? */
static bool has_parameter(const pk_command_report *report) {
    double first = NAN;
    bool differ = false;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_case *of = report->results[i].of;
        if (of->reference) continue;
        double value = parameter_of(of);
        if (!isfinite(value)) return false;
        if (!isfinite(first)) first = value;
        differ = differ || value > first || value < first;
    }
    return differ;
}

/* The results of command k: within a value the commands stand in their order. Line and points with
 * the intervals of their medians, two marks. */
static bool parameter_marks(pk_arena *arena, const pk_command_report *report, size_t k,
                            pk_mark marks[2]) {
    size_t room = report->n_results, every = report->options->n_commands, n = 0, number = 0;
    double *x = PK_NEW(arena, room, double), *y = PK_NEW(arena, room, double);
    double *low = PK_NEW(arena, room, double), *high = PK_NEW(arena, room, double);
    if (!x || !y || !low || !high) return false;
    for (size_t i = 0; i < room; i++) {
        const pk_command_result *r = &report->results[i];
        if (r->of->reference || number++ % every != k) continue;
        const pk_command_interval *m = &r->wall.median;
        x[n] = parameter_of(r->of);
        y[n] = m->point * NS_PER_S;
        low[n] = m->low * NS_PER_S;
        high[n++] = m->high * NS_PER_S;
    }
    const char *text = report->options->commands[k].text;
    marks[0] = (pk_mark){.kind = PK_MARK_INTERVALS, .n = n, .x = x, .y = low, .y2 = high};
    marks[1] = (pk_mark){.kind = PK_MARK_LINE,
                         .n = n,
                         .x = x,
                         .y = y,
                         .name = text ? text : report->results[0].of->name,
                         .tabled = true};
    pk_mark_series(&marks[0], k);
    pk_mark_series(&marks[1], k);
    return true;
}

bool pk_command_chart_parameter(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    size_t n = report->options ? report->options->n_commands : 0;
    if (n == 0 || n > PK_SVG_SERIES || !has_parameter(report)) return true;
    pk_mark marks[2 * PK_SVG_SERIES];
    for (size_t k = 0; k < n; k++)
        if (!parameter_marks(arena, report, k, marks + 2 * k)) return false;
    const pk_command_case *last = report->results[report->n_results - 1].of;
    const char *title = pk_arena_printf(arena, "Wall time over %s", last->parameters[0].name);
    if (!title) return false;
    pk_chart chart = {.title = title,
                      .description = "Medians with their intervals.",
                      .x = {.label = "parameter", .quantity = PK_Q_NUMBER},
                      .y = {.label = "wall time", .quantity = PK_Q_TIME, .from_zero = true},
                      .marks = marks,
                      .n_marks = 2 * n};
    pk_page_figure(page, &chart, chart.description);
    return true;
}

/* ---- one command ---- */

static const char *beyond_text(pk_arena *arena, const pk_page_values *v, size_t beyond) {
    if (beyond == 0) return "";
    const char *text = pk_arena_printf(arena, " %zu of the runs beyond the picture, up to %s.",
                                       beyond, PK_PAGE_TIME_TEXT(arena, v->sorted[v->n - 1]));
    return text ? text : "";
}

bool pk_command_chart_density(pk_page *page, pk_arena *arena, const pk_command_report *report,
                              const pk_command_result *r) {
    pk_page_values v;
    pk_page_curve curve;
    double low, high;
    size_t beyond;
    if (!values_of(arena, report, r, &v)) return false;
    if (v.n < 2) return true;
    pk_page_domain(v.sorted, v.n, v.bandwidth, &low, &high, &beyond);
    pk_unit unit = pk_unit_for(PK_Q_TIME, high);
    if (!pk_page_curve_of(arena, &v, low, high, unit.factor, &curve)) return false;
    const double mean = r->wall.mean * NS_PER_S, median = r->wall.median.point * NS_PER_S;
    const double interval[] = {r->wall.median.low * NS_PER_S, r->wall.median.high * NS_PER_S};
    const pk_mark marks[] = {
        {.kind = PK_MARK_AREA, .tone = PK_TONE_NEW, .n = curve.n, .x = curve.x, .y = curve.y},
        {.kind = PK_MARK_SPAN_X,
         .tone = PK_TONE_NEW,
         .n = isfinite(interval[0]) && isfinite(interval[1]) ? 2 : 0,
         .x = interval,
         .name = "interval of the median"},
        {.kind = PK_MARK_RULES_X, .tone = PK_TONE_NEW, .n = 1, .x = &median, .name = "median"},
        {.kind = PK_MARK_RULES_X,
         .tone = PK_TONE_OLD,
         .dash = PK_DASHED,
         .n = 1,
         .x = &mean,
         .name = "mean"},
        {.kind = PK_MARK_STRIP, .tone = PK_TONE_NEW, .n = v.n, .x = v.ns, .name = "run"},
    };
    const char *density = pk_arena_printf(arena, "density (1/%s)", unit.name);
    const char *text = pk_arena_printf(arena, "Each point is one run, %zu in all.%s", v.n,
                                       beyond_text(arena, &v, beyond));
    if (!density || !text) return false;
    pk_chart chart = {.title = "Distribution of the wall time",
                      .description = text,
                      .x = {.label = "wall time", .quantity = PK_Q_TIME, .low = low, .high = high},
                      .y = {.label = density, .from_zero = true},
                      .marks = marks,
                      .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, text);
    return true;
}

/* The runs that are not among the values. */
typedef struct left_out {
    size_t n;
    double *number, *ns;
    const char **hover;
} left_out;

static bool left_out_of(pk_arena *arena, const pk_command_report *report,
                        const pk_command_result *r, left_out *f) {
    *f = (left_out){.number = PK_NEW(arena, r->n_runs, double),
                    .ns = PK_NEW(arena, r->n_runs, double),
                    .hover = PK_NEW(arena, r->n_runs, const char *)};
    if (!f->number || !f->ns || !f->hover) return false;
    for (size_t i = 0; i < r->n_runs; i++) {
        const pk_command_run *run = &r->runs[i];
        if (pk_command_counted(report, run)) continue;
        f->number[f->n] = (double)(i + 1);
        f->ns[f->n] = run->wall_s * NS_PER_S;
        f->hover[f->n] = pk_arena_printf(arena, "run %zu: %s after %s", i + 1,
                                         run->timed_out ? "timed out" : "failed",
                                         PK_PAGE_TIME_TEXT(arena, f->ns[f->n]));
        if (!f->hover[f->n++]) return false;
    }
    return true;
}

/* The domain of the values; where there are none, that of the runs left out. A run that timed out
 * would press all others into a line: what lies outside is drawn at the edge. Returns how many. */
static size_t place_left_out(const pk_page_values *v, left_out *f, double *low, double *high,
                             size_t *beyond) {
    *beyond = 0;
    *low = *high = NAN;
    if (v->n >= 2) pk_page_domain(v->sorted, v->n, 0, low, high, beyond);
    size_t outside = 0;
    for (size_t i = 0; i < f->n && *low < *high; i++) {
        double ns = fmin(fmax(f->ns[i], *low), *high);
        if (ns < f->ns[i] || ns > f->ns[i]) outside++;
        f->ns[i] = ns;
    }
    return outside;
}

bool pk_command_chart_order(pk_page *page, pk_arena *arena, const pk_command_report *report,
                            const pk_command_result *r) {
    pk_page_values v;
    left_out f;
    if (!left_out_of(arena, report, r, &f) || !values_of(arena, report, r, &v)) return false;
    if (v.n + f.n < 2) return true;
    double low, high;
    size_t beyond;
    size_t outside = place_left_out(&v, &f, &low, &high, &beyond);
    const double median = r->wall.median.point * NS_PER_S;
    const pk_mark marks[] = {
        {.kind = PK_MARK_RULES_Y,
         .tone = PK_TONE_NEW,
         .n = isfinite(median) ? 1 : 0,
         .y = &median,
         .name = "median"},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_NEW,
         .n = v.n,
         .x = v.worker,
         .y = v.ns,
         .name = "run",
         .tabled = true},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_BAD,
         .shape = PK_TRIANGLE,
         .n = f.n,
         .x = f.number,
         .y = f.ns,
         .hover = f.hover,
         .name = "failed run"},
    };
    const char *text =
        pk_arena_printf(arena, "A slope or a step is drift: of the machine, or of the command.%s%s",
                        beyond_text(arena, &v, beyond),
                        outside ? " Failed runs beyond the picture stand at its edge." : "");
    if (!text) return false;
    pk_chart chart = {.title = "Runs in their order",
                      .description = text,
                      .x = {.label = "run", .quantity = PK_Q_COUNT},
                      .y = {.label = "wall time", .quantity = PK_Q_TIME, .low = low, .high = high},
                      .marks = marks,
                      .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, text);
    return true;
}
