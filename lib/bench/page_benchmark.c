#include "bench/pages.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "bench/page_charts.h"
#include "bench/page_parts.h"
#include "bench/render.h"
#include "bench/words.h"

/* Rows of the history's table and points of its chart: the newest ones. */
#define HISTORY_MAX 200

/* ---- estimates ---- */

static void estimate_row(pk_page *page, const char *name, pk_quantity quantity, double low,
                         double point, double high) {
    const double three[] = {low, point, high};
    char text[PK_QUANTITY_MAX];
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    for (size_t i = 0; i < 3; i++)
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_quantity_text(text, sizeof text, quantity, three[i], PK_PAGE_DIGITS));
}

static void time_row(pk_page *page, const char *name, const pk_estimate *e) {
    estimate_row(page, name, PK_Q_TIME, e->low, e->point, e->high);
}

static const pk_column estimate_columns[] = {
    {"", false}, {"lower", true}, {"estimate", true}, {"upper", true}};
enum { ESTIMATE_COLUMNS = sizeof estimate_columns / sizeof estimate_columns[0] };

static void add_estimates(pk_page *page, pk_arena *arena, const pk_bench_result *result) {
    const pk_criterion_estimates *c = &result->criterion;
    const pk_bench_throughput *t = &result->throughput;
    const char *caption =
        pk_arena_printf(arena,
                        "Per iteration, intervals of %.4g %%. Time: mean over the workers, "
                        "Student's t; all others: bootstrap.",
                        100 * result->confidence_level);
    pk_page_table_begin(page, caption, ESTIMATE_COLUMNS, estimate_columns);
    time_row(page, "time", &result->typical);
    if (t->given)
        estimate_row(page, "throughput", pk_page_throughput_quantity(t),
                     pk_page_throughput_at(t, result->typical.high),
                     pk_page_throughput_at(t, result->typical.point),
                     pk_page_throughput_at(t, result->typical.low));
    time_row(page, "mean", &c->mean);
    time_row(page, "median", &c->median);
    time_row(page, "median absolute deviation", &c->median_abs_dev);
    time_row(page, "standard deviation", &c->std_dev);
    if (c->has_slope) time_row(page, "slope", &c->slope);
    pk_page_table_end(page);
}

static void add_outliers(pk_page *page, const pk_bench_result *result) {
    const pk_outlier_counts *o = &result->outliers;
    const size_t count[] = {o->low_severe, o->low_mild, o->high_mild, o->high_severe};
    static const char *const names[] = {"low severe", "low mild", "high mild", "high severe"};
    size_t all = count[0] + count[1] + count[2] + count[3];
    const size_t samples = pk_bench_samples(result);
    if (samples == 0) return;
    if (all == 0) {
        pk_page_text(page, PK_TINT_NONE, "No outliers among %zu workers.", samples);
        return;
    }
    static const pk_column columns[] = {{"outliers", false}, {"workers", true}, {"share", true}};
    pk_page_table_begin(page, "By Tukey's fences; nothing is removed for it.", 3, columns);
    for (size_t i = 0; i < 4; i++) {
        char share[PK_QUANTITY_MAX];
        double ratio = (double)count[i] / (double)samples;
        if (count[i] == 0) continue;
        pk_page_cell(page, PK_TINT_NONE, "%s", names[i]);
        pk_page_cell(page, PK_TINT_NONE, "%zu", count[i]);
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_quantity_text(share, sizeof share, PK_Q_SHARE, ratio, 3));
    }
    pk_page_table_end(page);
}

static void add_modes(pk_page *page, pk_arena *arena, const pk_modes *modes) {
    if (modes->count < 2) return;
    static const pk_column columns[] = {{"peak", false}, {"time", true}, {"share", true}};
    pk_page_table_begin(page, "The workers fall into groups: the benchmark has several speeds.", 3,
                        columns);
    for (size_t i = 0; i < modes->count && i < PK_MODES_MAX; i++) {
        char share[PK_QUANTITY_MAX];
        pk_page_cell(page, PK_TINT_NONE, "%zu", i + 1);
        pk_page_cell(page, PK_TINT_NONE, "%s", PK_PAGE_TIME_TEXT(arena, modes->mode[i].value));
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_quantity_text(share, sizeof share, PK_Q_SHARE, modes->mode[i].share, 3));
    }
    pk_page_table_end(page);
}

/* Work of less than a few cycles: one number cannot say what it costs. */
static void add_parts(pk_page *page, pk_arena *arena, const pk_bench_result *result) {
    if (!result->has_parts) return;
    static const pk_column columns[] = {{"what", false}, {"time", true}, {"how", false}};
    const struct {
        const char *name, *how;
        double ns;
    } rows[] = {
        {"call", "behind a real call: the time above", result->typical.point},
        {"throughput", "independent items, side by side", result->throughput_ns},
        {"latency", "each waits for the result before", result->latency_ns},
        {"loop", "the loop alone; included above, not subtracted", result->loop_ns},
    };
    pk_page_table_begin(page, "Work this short has several costs, by how it is used.", 3, columns);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pk_page_cell(page, PK_TINT_NONE, "%s", rows[i].name);
        pk_page_cell(page, PK_TINT_NONE, "%s", PK_PAGE_TIME_TEXT(arena, rows[i].ns));
        pk_page_cell(page, PK_TINT_NONE, "%s", rows[i].how);
    }
    pk_page_table_end(page);
}

/* What the benchmark has counted itself. */
static void add_counters(pk_page *page, const pk_bench_result *result) {
    static const pk_column columns[] = {{"counter", false}, {"per iteration", true}, {"old", true}};
    pk_bench_counter counters[PK_BENCH_COUNTERS_MAX];
    const size_t n = pk_bench_counters(result, counters);
    if (n == 0) return;
    pk_page_table_begin(page, "The benchmark's own counters.", 3, columns);
    for (size_t i = 0; i < n; i++) {
        char text[64];
        pk_page_cell(page, PK_TINT_NONE, "%.*s", counters[i].name_bytes, counters[i].name);
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_words_amount(text, sizeof text, counters[i].per_iteration));
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_words_amount(text, sizeof text, counters[i].old_per_iteration));
    }
    pk_page_table_end(page);
}

/* ---- sections ---- */

static bool add_time(pk_page *page, pk_arena *arena, const pk_bench_result *result) {
    pk_page_values values;
    pk_page_section(page, "Time per iteration");
    if (!pk_page_values_of(arena, result, PK_SIDE_NEW, &values) ||
        !pk_page_chart_density(page, arena, result, &values) ||
        !pk_page_chart_order(page, arena, result, &values))
        return false;
    add_estimates(page, arena, result);
    add_modes(page, arena, &result->modes);
    add_counters(page, result);
    add_outliers(page, result);
    add_parts(page, arena, result);
    return true;
}

/* Bounds and point with as many decimals as the interval deserves, like the sentence above. */
static void change_row(pk_page *page, const char *name, double low, double point, double high) {
    const double three[] = {low, point, high};
    char text[PK_WORDS_MAX];
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    for (size_t i = 0; i < 3; i++)
        pk_page_cell(page, PK_TINT_NONE, "%s",
                     pk_words_percent(text, sizeof text, three[i], fabs(high - low) / 2));
}

static void change_rows(pk_page *page, const pk_bench_result *result) {
    const pk_bench_change *c = &result->change;
    pk_page_table_begin(page, "Change; of the time, positive is slower.", ESTIMATE_COLUMNS,
                        estimate_columns);
    change_row(page, "time", c->ratio.low, c->ratio.point, c->ratio.high);
    change_row(page, "median", c->median_low, c->median_point, c->median_high);
    if (result->throughput.given) /* of 1/time: the bounds change places */
        change_row(page, "throughput", 1 / (1 + c->ratio.high) - 1, 1 / (1 + c->ratio.point) - 1,
                   1 / (1 + c->ratio.low) - 1);
    pk_page_table_end(page);
}

static void old_rows(pk_page *page, pk_arena *arena, const pk_bench_result *result) {
    const pk_bench_change *c = &result->change;
    if (c->old) {
        pk_page_table_begin(page, "The base, per iteration.", ESTIMATE_COLUMNS, estimate_columns);
        time_row(page, "mean", &c->old->mean);
        time_row(page, "median", &c->old->median);
        time_row(page, "median absolute deviation", &c->old->median_abs_dev);
        time_row(page, "standard deviation", &c->old->std_dev);
        if (c->old->has_slope) time_row(page, "slope", &c->old->slope);
        pk_page_table_end(page);
    } else if (isfinite(c->old_ns) && c->old_ns > 0) {
        pk_page_text(page, PK_TINT_NONE, "Time of the base: %s.",
                     PK_PAGE_TIME_TEXT(arena, c->old_ns));
    }
}

static bool add_change(pk_page *page, pk_arena *arena, const pk_bench_result *result) {
    const pk_bench_change *c = &result->change;
    pk_page_values new_side, old_side;
    if (!pk_page_compared(result)) return true;
    pk_page_section(page, "Base against new");
    char source[PK_WORDS_MAX];
    pk_page_text(page, PK_TINT_NONE, "Compared %s.", pk_words_source(source, sizeof source, c));
    if (c->identical_code)
        pk_page_text(page, PK_TINT_WARN,
                     "Both sides are the same code, byte for byte: this checks the measurement.");
    if (!pk_page_values_of(arena, result, PK_SIDE_NEW, &new_side) ||
        !pk_page_values_of(arena, result, PK_SIDE_OLD, &old_side) ||
        !pk_page_chart_both(page, arena, &new_side, &old_side) ||
        !pk_page_chart_changes(page, arena, result))
        return false;
    change_rows(page, result);
    if (isfinite(c->order_effect) && c->source == PK_CHANGE_LIVE)
        pk_page_text(
            page, PK_TINT_MUTED,
            "Which side came first made %s of difference; half of the workers begin with "
            "each, so it cancels.",
            pk_words_percent(source, sizeof source, c->order_effect, fabs(c->order_effect)));
    old_rows(page, arena, result);
    return true;
}

static void history_row(pk_page *page, pk_arena *arena, size_t number, const pk_bench_session *s) {
    char when[PK_PAGE_TIME_MAX];
    pk_page_cell(page, PK_TINT_NONE, "%zu", number);
    pk_page_cell(page, PK_TINT_NONE, "%s", pk_page_time(when, s->time_unix_ns));
    pk_page_cell(page, PK_TINT_NONE, "%s", PK_PAGE_TIME_TEXT(arena, s->typical_ns));
    pk_page_cell(page, PK_TINT_NONE, "%s .. %s", PK_PAGE_TIME_TEXT(arena, s->low_ns),
                 PK_PAGE_TIME_TEXT(arena, s->high_ns));
    pk_page_cell(page, PK_TINT_NONE, "%s",
                 isfinite(s->change) ? pk_page_figure_text(arena, PK_Q_CHANGE, s->change) : "");
    pk_page_cell(page, PK_TINT_NONE, "%s", s->verdict);
    pk_page_cell(page, PK_TINT_NONE, "%.12s", s->artefact);
    pk_page_cell(page, PK_TINT_NONE, "%s%s%s", s->history_id,
                 s->history_id[0] && s->history_description[0] ? ": " : "", s->history_description);
}

static bool add_history(pk_page *page, pk_arena *arena, size_t n,
                        const pk_bench_session sessions[]) {
    if (n < 2) return true;
    size_t first = n > HISTORY_MAX ? n - HISTORY_MAX : 0;
    pk_page_section(page, "History");
    if (!pk_page_chart_history(page, arena, n - first, sessions + first)) return false;
    static const pk_column columns[] = {{"run", true},      {"when", false},  {"time", true},
                                        {"interval", true}, {"change", true}, {"verdict", false},
                                        {"code", false},    {"name", false}};
    pk_page_table_begin(page, NULL, sizeof columns / sizeof columns[0], columns);
    for (size_t i = n; i > first; i--) history_row(page, arena, i - first, &sessions[i - 1]);
    pk_page_table_end(page);
    return true;
}

static void add_failures(pk_page *page, const pk_bench_result *result) {
    if (result->n_failures == 0) return;
    pk_page_section(page, "Failures");
    pk_page_text(page, PK_TINT_BAD, "%zu worker%s failed.", result->n_failures,
                 result->n_failures == 1 ? "" : "s");
    for (size_t i = 0; i < result->n_failures && i < 20; i++) {
        const pk_bench_failure *f = &result->failures[i];
        char text[PK_WORDS_MAX];
        pk_page_text(page, PK_TINT_NONE, "%s%s%s", pk_bench_failure_text(text, sizeof text, f),
                     f->why[0] ? ": " : "", f->why);
        if (f->output[0]) pk_page_output(page, f->output);
    }
}

static void measure_row(pk_page *page, const char *name, pk_quantity quantity, double value) {
    char text[PK_QUANTITY_MAX];
    if (!isfinite(value)) return;
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    pk_page_cell(page, PK_TINT_NONE, "%s", pk_quantity_text(text, sizeof text, quantity, value, 4));
}

static const char *metric_text(pk_bench_metric metric) {
    static const char *const texts[PK_METRICS] = {[PK_METRIC_ONCPU] =
                                                      "oncpu: wall clock less the wait for a CPU",
                                                  [PK_METRIC_WALL] = "wall: the wall clock",
                                                  [PK_METRIC_CPU] = "cpu: CPU time of the thread"};
    return texts[metric];
}

static void add_measurement(pk_page *page, const pk_bench_result *result) {
    static const pk_column columns[] = {{"", false}, {"", false}};
    char when[PK_PAGE_TIME_MAX];
    pk_page_section(page, "Measurement and machine");
    pk_page_table_begin(page, "How it was measured.", 2, columns);
    pk_page_cell(page, PK_TINT_NONE, "when");
    pk_page_cell(page, PK_TINT_NONE, "%s", pk_page_time(when, result->started_unix_ns));
    measure_row(page, "duration", PK_Q_TIME, (double)result->duration_ns);
    pk_page_cell(page, PK_TINT_NONE, "workers");
    pk_page_cell(page, PK_TINT_NONE, "%zu", result->n_workers);
    pk_page_cell(page, PK_TINT_NONE, "metric");
    pk_page_cell(page, PK_TINT_NONE, "%s", metric_text(result->metric));
    if (result->method) {
        pk_page_cell(page, PK_TINT_NONE, "method");
        pk_page_cell(page, PK_TINT_NONE, "%s", result->method);
    }
    if (result->object) {
        pk_page_cell(page, PK_TINT_NONE, "object");
        pk_page_cell(page, PK_TINT_NONE, "%s", result->object);
    }
    if (result->artefact) {
        pk_page_cell(page, PK_TINT_NONE, "SHA-256 of the code");
        pk_page_cell(page, PK_TINT_NONE, "%.16s...", result->artefact);
    }
    measure_row(page, "effective clock, estimated", PK_Q_FREQUENCY, result->clock_hz);
    measure_row(page, "its range over the run", PK_Q_SHARE, result->clock_range_ratio);
    measure_row(page, "time ready but without a CPU", PK_Q_SHARE, result->wait_ratio);
    measure_row(page, "spread between workers (SD / mean)", PK_Q_SHARE, result->process_sd_ratio);
    pk_page_table_end(page);
}

/* The sentences of the terminal, from the same functions. */
static void add_head(pk_page *page, const pk_bench_result *result) {
    char text[PK_WORDS_MAX];
    pk_verdict_word word = result->change.verdict.word;
    pk_words_headline(text, sizeof text, result);
    if (result->failed)
        pk_page_statement(page, PK_TINT_BAD, "✗", "failed: too few workers gave a figure");
    else if (!pk_page_compared(result)) pk_page_statement(page, PK_TINT_MUTED, "", text);
    else {
        char verdict[PK_WORDS_MAX];
        pk_page_statement(page, pk_page_verdict_tint(word), pk_page_verdict_symbol(word),
                          pk_words_verdict(verdict, sizeof verdict, result));
        if (text[0]) pk_page_text(page, PK_TINT_NONE, "%s", text);
    }
    if (result->partial)
        pk_page_text(page, PK_TINT_WARN, "Interrupted: these are the workers until then.");
    for (size_t i = 0; i < result->n_warnings; i++)
        pk_page_text(page, PK_TINT_WARN, "Warning: %s", result->warnings[i]);
}

static bool add_all(pk_page *page, pk_arena *arena, const pk_bench_result *result,
                    const pk_bench_report *run, size_t n, const pk_bench_session sessions[]) {
    add_head(page, result);
    add_failures(page, result);
    if (pk_page_measured(result) && !add_time(page, arena, result)) return false;
    if (!add_change(page, arena, result) || !add_history(page, arena, n, sessions)) return false;
    add_measurement(page, result);
    if (run) pk_page_machine(page, run);
    return true;
}

/* The way back: all benchmarks, and the group where it has a page of its own. */
static size_t trail_of(pk_arena *arena, const pk_bench_page_entry *entry, pk_link trail[2]) {
    const pk_bench_result *result = entry->result;
    const char *root = pk_page_root(arena, entry->directory);
    char group[512];
    size_t n = 0;
    trail[n++] = (pk_link){"Benchmarks", pk_page_address(arena, root, "")};
    if (pk_store_directory(result->group, NULL, NULL, group, sizeof group) &&
        strcmp(group, entry->directory) != 0)
        trail[n++] = (pk_link){result->group, pk_page_address(arena, root, group)};
    return n;
}

bool pk_bench_page_benchmark(FILE *out, const pk_bench_page_entry *entry,
                             const pk_bench_report *run, size_t n,
                             const pk_bench_session sessions[], pk_err *err) {
    pk_arena *arena = pk_arena_new(PK_PAGE_ARENA_BYTES);
    pk_page page;
    pk_link trail[2];
    if (!arena) return pk_page_out_of_memory(err);
    size_t n_trail = trail_of(arena, entry, trail);
    pk_page_begin(&page, entry->result->id, n_trail, trail);
    bool built = add_all(&page, arena, entry->result, run, n, sessions);
    bool ok = pk_page_finish(&page, built, out, err);
    pk_arena_free(arena);
    return ok;
}
