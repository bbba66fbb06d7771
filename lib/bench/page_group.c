#include "bench/pages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/page_charts.h"
#include "bench/page_parts.h"
#include "bench/page_scan.h"

/* More rows than this make a picture nobody reads; the table and the lines over the parameter show
 * the same. */
#define ROWS_MAX 40
/* Values farther apart than this are drawn on a logarithmic axis: on a linear one the smaller would
 * all stand at 0. */
#define LINEAR_RATIO_MAX 20

/* The measured ones, with the names of their rows. */
typedef struct group {
    size_t n;
    const pk_bench_page_entry **entries;
    const char **names; /* the id without the group */
    double *row;        /* 0, 1 ... */
    double fastest, slowest;
} group;

static const char *short_name(const pk_bench_result *r) {
    size_t prefix = strlen(r->group);
    bool below = strncmp(r->id, r->group, prefix) == 0 && r->id[prefix] == '/';
    return below ? r->id + prefix + 1 : r->id;
}

static bool group_of(pk_arena *arena, size_t n, const pk_bench_page_entry entries[], group *g) {
    *g = (group){.entries = PK_NEW(arena, n, const pk_bench_page_entry *),
                 .names = PK_NEW(arena, n, const char *),
                 .row = PK_NEW(arena, n, double),
                 .fastest = INFINITY};
    if (!g->entries || !g->names || !g->row) return false;
    for (size_t i = 0; i < n; i++) {
        const pk_bench_result *r = entries[i].result;
        if (!pk_page_measured(r)) continue;
        g->entries[g->n] = &entries[i];
        g->names[g->n] = short_name(r);
        g->row[g->n] = (double)g->n;
        g->n++;
        g->fastest = fmin(g->fastest, r->typical.point);
        g->slowest = fmax(g->slowest, r->typical.point);
    }
    return true;
}

static pk_axis rows_axis(const group *g) {
    return (pk_axis){.label = "benchmark", .categories = g->names, .n_categories = g->n};
}

static bool is_wide(double low, double high) {
    return low > 0 && high / low > LINEAR_RATIO_MAX;
}

/* ---- boxes and violins ---- */

/* Without workers the interval is all there is. */
static pk_box box_of(const pk_bench_result *r, const pk_page_values *v) {
    const pk_estimate *t = &r->typical;
    if (v->n == 0) return (pk_box){t->low, t->low, t->point, t->high, t->high};
    return pk_page_box(v->sorted, v->n);
}

static bool chart_boxes(pk_page *page, pk_arena *arena, const group *g) {
    pk_box *boxes = PK_NEW(arena, g->n, pk_box);
    double *mean = PK_NEW(arena, g->n, double);
    if (!boxes || !mean) return false;
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < g->n; i++) {
        pk_page_values values;
        const pk_bench_result *r = g->entries[i]->result;
        if (!pk_page_values_of(arena, r, PK_SIDE_NEW, &values)) return false;
        boxes[i] = box_of(r, &values);
        mean[i] = r->typical.point;
        low = fmin(low, boxes[i].low);
        high = fmax(high, boxes[i].high);
    }
    bool wide = is_wide(low, high);
    const pk_mark marks[] = {
        {.kind = PK_MARK_BOXES,
         .tone = PK_TONE_NEW,
         .n = g->n,
         .boxes = boxes,
         .y = g->row,
         .name = "quartiles and median",
         .tabled = true},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_OLD,
         .shape = PK_DIAMOND,
         .n = g->n,
         .x = mean,
         .y = g->row,
         .name = "mean"},
    };
    pk_chart chart = {.title = "Time per iteration",
                      .description = "Boxes from the lower to the upper quartile of the workers, "
                                     "whiskers to the last value within the mild fences.",
                      .x = {.label = "time per iteration",
                            .quantity = PK_Q_TIME,
                            .log = wide,
                            .from_zero = !wide},
                      .y = rows_axis(g),
                      .marks = marks,
                      .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, chart.description);
    return true;
}

/* The values as changes from their own mean. */
static void make_relative(pk_page_values *v, double mean) {
    for (size_t i = 0; i < v->n; i++) v->sorted[i] = v->sorted[i] / mean - 1;
    v->bandwidth /= mean;
}

static bool chart_violins(pk_page *page, pk_arena *arena, const group *g) {
    pk_page_values *values = PK_NEW(arena, g->n, pk_page_values);
    pk_mark *marks = PK_NEW(arena, g->n + 1, pk_mark);
    if (!values || !marks) return false;
    double low = 0, high = 0;
    size_t beyond = 0, n_marks = 0;
    const double zero = 0;
    for (size_t i = 0; i < g->n; i++) {
        const pk_bench_result *r = g->entries[i]->result;
        if (!pk_page_values_of(arena, r, PK_SIDE_NEW, &values[i])) return false;
        make_relative(&values[i], r->typical.point);
        double from, to;
        size_t outside;
        pk_page_domain(values[i].sorted, values[i].n, values[i].bandwidth, &from, &to, &outside);
        low = fmin(low, from);
        high = fmax(high, to);
        beyond += outside;
    }
    if (!(low < high)) return true;
    for (size_t i = 0; i < g->n; i++) {
        pk_page_curve curve;
        if (!pk_page_curve_of(arena, &values[i], low, high, 1, &curve)) return false;
        if (curve.n)
            marks[n_marks++] = (pk_mark){.kind = PK_MARK_VIOLIN,
                                         .tone = PK_TONE_NEW,
                                         .n = curve.n,
                                         .x = curve.x,
                                         .y = curve.y,
                                         .x2 = &g->row[i],
                                         .name = g->names[i]};
    }
    if (n_marks == 0) return true;
    marks[n_marks++] = (pk_mark){.kind = PK_MARK_RULES_X,
                                 .tone = PK_TONE_MUTED,
                                 .dash = PK_DASHED,
                                 .n = 1,
                                 .x = &zero,
                                 .name = "the benchmark's mean"};
    const char *text = pk_arena_printf(arena,
                                       "How far the workers of each benchmark lie from its mean: "
                                       "narrow is a steady benchmark, two bulges are two speeds.%s",
                                       beyond ? " Single workers lie beyond the picture." : "");
    if (!text) return false;
    pk_chart chart = {.title = "Spread of the workers",
                      .description = text,
                      .x = {.label = "difference from the mean",
                            .quantity = PK_Q_CHANGE,
                            .low = low,
                            .high = high},
                      .y = rows_axis(g),
                      .marks = marks,
                      .n_marks = n_marks};
    pk_page_figure(page, &chart, text);
    return true;
}

/* ---- throughput ---- */

static bool have_one_throughput(const group *g) {
    for (size_t i = 0; i < g->n; i++) {
        const pk_bench_throughput *t = &g->entries[i]->result->throughput;
        if (!t->given || t->bytes != g->entries[0]->result->throughput.bytes) return false;
    }
    return g->n > 0;
}

static bool chart_throughput(pk_page *page, pk_arena *arena, const group *g) {
    if (!have_one_throughput(g)) return true;
    double *low = PK_NEW(arena, g->n, double), *high = PK_NEW(arena, g->n, double);
    double *point = PK_NEW(arena, g->n, double);
    if (!low || !high || !point) return false;
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < g->n; i++) {
        const pk_bench_result *r = g->entries[i]->result;
        low[i] = pk_page_throughput_at(&r->throughput, r->typical.high);
        point[i] = pk_page_throughput_at(&r->throughput, r->typical.point);
        high[i] = pk_page_throughput_at(&r->throughput, r->typical.low);
        least = fmin(least, point[i]);
        most = fmax(most, point[i]);
    }
    bool wide = is_wide(least, most);
    const pk_mark marks[] = {
        {.kind = PK_MARK_INTERVALS_X,
         .tone = PK_TONE_NEW,
         .n = g->n,
         .x = low,
         .x2 = high,
         .y = g->row,
         .name = "interval"},
        {.kind = PK_MARK_POINTS,
         .tone = PK_TONE_NEW,
         .n = g->n,
         .x = point,
         .y = g->row,
         .name = "throughput",
         .tabled = true},
    };
    pk_quantity quantity = pk_page_throughput_quantity(&g->entries[0]->result->throughput);
    pk_chart chart = {
        .title = "Throughput",
        .description = "What is done per second, at the mean time.",
        .x = {.label = "throughput", .quantity = quantity, .log = wide, .from_zero = !wide},
        .y = rows_axis(g),
        .marks = marks,
        .n_marks = sizeof marks / sizeof marks[0]};
    pk_page_figure(page, &chart, chart.description);
    return true;
}

/* ---- the table ---- */

enum { COLUMNS_MAX = 7 };

/* Columns that no row would fill are left out. */
typedef struct columns {
    bool throughput, change;
    size_t n;
    pk_column column[COLUMNS_MAX];
} columns;

static columns columns_of(size_t n, const pk_bench_page_entry entries[]) {
    columns c = {.n = 4,
                 .column = {{"benchmark", false},
                            {"time", true},
                            {"interval", true},
                            {"relative to the fastest", true}}};
    for (size_t i = 0; i < n; i++) {
        const pk_bench_result *r = entries[i].result;
        c.throughput = c.throughput || (pk_page_measured(r) && r->throughput.given);
        c.change = c.change || pk_page_compared(r);
    }
    if (c.throughput) c.column[c.n++] = (pk_column){"throughput", true};
    if (c.change) c.column[c.n++] = (pk_column){"change", true};
    if (c.change) c.column[c.n++] = (pk_column){"verdict", false};
    return c;
}

static void throughput_cell(pk_page *page, const pk_bench_result *r) {
    char text[PK_QUANTITY_MAX] = "";
    double rate = pk_page_throughput_at(&r->throughput, r->typical.point);
    if (pk_page_measured(r) && isfinite(rate))
        pk_quantity_text(text, sizeof text, pk_page_throughput_quantity(&r->throughput), rate,
                         PK_PAGE_DIGITS);
    pk_page_cell(page, PK_TINT_NONE, "%s", text);
}

static void add_table(pk_page *page, pk_arena *arena, const char *root, const group *g, size_t n,
                      const pk_bench_page_entry entries[]) {
    columns c = columns_of(n, entries);
    pk_page_table_begin(page, "Time per iteration.", c.n, c.column);
    for (size_t i = 0; i < n; i++) {
        const pk_bench_result *r = entries[i].result;
        char text[PK_QUANTITY_MAX];
        pk_link link = {short_name(r), pk_page_address(arena, root, entries[i].directory)};
        pk_page_link_cell(page, &link);
        pk_page_time_cells(page, r);
        double relative = pk_page_measured(r) ? r->typical.point / g->fastest : (double)NAN;
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_quantity_text(text, sizeof text, PK_Q_NUMBER, relative, 3));
        if (c.throughput) throughput_cell(page, r);
        if (c.change) pk_page_change_cells(page, r);
    }
    pk_page_table_end(page);
}

static bool add_charts(pk_page *page, pk_arena *arena, const group *g) {
    if (g->n == 0 || g->n > ROWS_MAX) return true;
    return chart_boxes(page, arena, g) && chart_violins(page, arena, g) &&
           chart_throughput(page, arena, g);
}

/* A long table comes after the lines over the parameter, which say the same at a glance. */
static bool add_all(pk_page *page, pk_arena *arena, const char *root, const group *g, size_t n,
                    const pk_bench_page_entry entries[]) {
    bool is_long = n > ROWS_MAX;
    if (is_long && !pk_page_scan(page, arena, g->n, g->entries)) return false;
    pk_page_section(page, "Benchmarks");
    add_table(page, arena, root, g, n, entries);
    return add_charts(page, arena, g) && (is_long || pk_page_scan(page, arena, g->n, g->entries));
}

bool pk_bench_page_group(FILE *out, const char *name, size_t n, const pk_bench_page_entry entries[],
                         pk_err *err) {
    pk_arena *arena = pk_arena_new(PK_PAGE_ARENA_BYTES);
    pk_page page;
    group g;
    if (!arena) return pk_page_out_of_memory(err);
    const char *root = pk_page_root(arena, "group"); /* a group's folder is a single name */
    pk_link trail = {"Benchmarks", pk_page_address(arena, root, "")};
    pk_page_begin(&page, name, 1, &trail);
    bool built = group_of(arena, n, entries, &g) && add_all(&page, arena, root, &g, n, entries);
    bool ok = pk_page_finish(&page, built, out, err);
    pk_arena_free(arena);
    return ok;
}
