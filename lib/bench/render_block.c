/* The block of one benchmark. Layout: Criterion.rs 0.5, src/report.rs, CliReport; the lines of ours
 * stand in its columns. */
#include "bench/render.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "bench/criterion_units.h"
#include "bench/render_parts.h"
#include "bench/words.h"
#include "report/colour.h"
#include "report/escape.h"
#include "report/progress.h"
#include "report/quantity.h"

enum {
    COLUMN = 24,            /* where "time:" begins */
    COLUMN_THROUGHPUT = 17, /* "change:" above two rows */
    TEXT_BYTES_MAX = 64 << 10,
};

typedef struct block {
    FILE *out;
    const pk_bench_result *r;
    pk_bench_detail detail;
    bool colour;
} block;

/* ---- pieces ---- */

static void put(const block *b, pk_style style, const char *text) {
    fprintf(b->out, "%s%s%s", pk_style_on(b->colour, style), text, pk_style_off(b->colour, style));
}

static void indent(const block *b, int column) {
    fprintf(b->out, "%*s", column, "");
}

/* One line in the column of figures. */
static void line(const block *b, pk_style style, const char *text) {
    indent(b, COLUMN);
    put(b, style, text);
    putc('\n', b->out);
}

/* A text from outside, safe for a terminal. */
static void put_escaped(const block *b, pk_style style, const char *text, size_t bytes) {
    pk_strbuf safe;
    pk_strbuf_init(&safe, TEXT_BYTES_MAX);
    pk_escape_terminal(&safe, text, bytes);
    put(b, style, safe.data);
    pk_strbuf_fini(&safe);
}

static void line_escaped(const block *b, pk_style style, const char *text) {
    indent(b, COLUMN);
    put_escaped(b, style, text, strlen(text));
    putc('\n', b->out);
}

/* "[low point high]" and what follows. */
static void put_three(const block *b, pk_style point_style, const char *low, const char *point,
                      const char *high) {
    putc('[', b->out);
    put(b, PK_DIM, low);
    putc(' ', b->out);
    put(b, point_style, point);
    putc(' ', b->out);
    put(b, PK_DIM, high);
    putc(']', b->out);
}

/* The id, at most 100 bytes of it, padded up to the column; a long one stands on a line alone. */
static void put_title(const block *b) {
    pk_strbuf title;
    bool cut;
    size_t bytes = pk_bench_title_bytes(b->r->id, &cut);
    pk_strbuf_init(&title, TEXT_BYTES_MAX);
    pk_escape_terminal(&title, b->r->id, bytes);
    if (cut) pk_strbuf_add_str(&title, "...");
    int cells = pk_display_width(title.data);
    put(b, PK_GREEN, title.data);
    if (cells >= COLUMN) {
        putc('\n', b->out);
        cells = 0;
    }
    indent(b, COLUMN - cells);
    pk_strbuf_fini(&title);
}

static void put_throughput(const block *b, double low_ns, double point_ns, double high_ns) {
    const pk_bench_throughput *t = &b->r->throughput;
    char *(*rate)(char *, size_t, uint64_t, double) =
        t->bytes ? pk_criterion_bytes_rate : pk_criterion_elements_rate;
    char low[PK_CRITERION_MAX], point[PK_CRITERION_MAX], high[PK_CRITERION_MAX];
    indent(b, COLUMN);
    fputs("thrpt:  ", b->out);
    put_three(b, PK_BOLD, rate(low, sizeof low, t->per_iteration, high_ns),
              rate(point, sizeof point, t->per_iteration, point_ns),
              rate(high, sizeof high, t->per_iteration, low_ns));
    putc('\n', b->out);
}

static void put_time(const block *b) {
    const pk_estimate *t = &b->r->typical;
    char low[PK_CRITERION_MAX], point[PK_CRITERION_MAX], high[PK_CRITERION_MAX];
    put_title(b);
    fputs("time:   ", b->out);
    put_three(b, PK_BOLD, pk_criterion_time(low, sizeof low, t->low),
              pk_criterion_time(point, sizeof point, t->point),
              pk_criterion_time(high, sizeof high, t->high));
    putc('\n', b->out);
    if (b->r->throughput.given) put_throughput(b, t->low, t->point, t->high);
}

/* ---- change ---- */

typedef enum direction { SAME, WITHIN, BETTER, WORSE } direction;

/* Criterion's words: significant first, then by the threshold. */
static direction criterion_direction(const pk_bench_result *r) {
    const pk_verdict *v = &r->change.verdict;
    if (!(v->p_zero < r->significance_level)) return SAME;
    if (!(fabs(v->estimate) > r->noise_threshold)) return WITHIN;
    return v->estimate > 0 ? WORSE : BETTER;
}

static direction our_direction(const pk_bench_result *r) {
    pk_verdict_word word = r->change.verdict.word;
    return word == PK_REGRESSED ? WORSE : word == PK_IMPROVED ? BETTER : SAME;
}

static void put_change_row(const block *b, direction d, double low, double point, double high) {
    char lows[PK_CRITERION_MAX], points[PK_CRITERION_MAX], highs[PK_CRITERION_MAX];
    put_three(b,
              d == BETTER  ? PK_BOLD_GREEN
              : d == WORSE ? PK_BOLD_RED
                           : PK_BOLD,
              pk_criterion_change(lows, sizeof lows, low),
              pk_criterion_change(points, sizeof points, point),
              pk_criterion_change(highs, sizeof highs, high));
}

/* Half the time is twice the throughput. */
static double throughput_change(double time_change) {
    return 1 / (1 + time_change) - 1;
}

/* The interval of the change; behind it, in the same line, `p` or nothing. */
static void put_change(const block *b, direction d, const char *p) {
    const pk_estimate *c = &b->r->change.ratio;
    bool throughput = b->r->throughput.given;
    if (throughput) {
        indent(b, COLUMN_THROUGHPUT);
        fputs("change:\n", b->out);
    }
    indent(b, COLUMN);
    fputs(throughput ? "time:   " : "change: ", b->out);
    put_change_row(b, d, c->low, c->point, c->high);
    fprintf(b->out, "%s\n", p);
    if (!throughput) return;
    indent(b, COLUMN);
    fputs("thrpt:  ", b->out);
    put_change_row(b, d, throughput_change(c->high), throughput_change(c->point),
                   throughput_change(c->low));
    putc('\n', b->out);
}

static bool is_compared(const pk_bench_result *r) {
    return r->change.source != PK_CHANGE_NONE && !r->change.refused[0];
}

static void put_criterion_change(const block *b) {
    char p[64];
    direction d = criterion_direction(b->r);
    double p_zero = b->r->change.verdict.p_zero;
    snprintf(p, sizeof p, " (p = %.2f %c %.2f)", p_zero,
             p_zero < b->r->significance_level ? '<' : '>', b->r->significance_level);
    put_change(b, d, p);
    indent(b, COLUMN);
    if (d == SAME) fputs("No change in performance detected.\n", b->out);
    else if (d == WITHIN) fputs("Change within noise threshold.\n", b->out);
    else {
        fputs("Performance has ", b->out);
        put(b, d == BETTER ? PK_GREEN : PK_RED, d == BETTER ? "improved" : "regressed");
        fputs(".\n", b->out);
    }
}

static void put_our_change(const block *b) {
    static const pk_style styles[] = {[PK_CANNOT_TELL] = PK_YELLOW,
                                      [PK_REGRESSED] = PK_RED,
                                      [PK_IMPROVED] = PK_GREEN,
                                      [PK_NO_CHANGE] = PK_PLAIN};
    char words[PK_WORDS_MAX];
    if (b->r->change.source == PK_CHANGE_NONE) return;
    if (is_compared(b->r)) put_change(b, our_direction(b->r), "");
    line_escaped(b, styles[b->r->change.verdict.word], pk_words_verdict(words, sizeof words, b->r));
    line_escaped(b, PK_DIM, pk_words_source(words, sizeof words, &b->r->change));
}

/* ---- outliers and the rest ---- */

static void put_outlier_row(const block *b, size_t count, const char *label) {
    if (count > 0)
        fprintf(b->out, "  %zu (%.2f%%) %s\n", count,
                100.0 * (double)count / (double)pk_bench_samples(b->r), label);
}

static void put_outliers(const block *b) {
    const pk_outlier_counts *o = &b->r->outliers;
    size_t n = o->low_severe + o->low_mild + o->high_mild + o->high_severe;
    if (n == 0) return;
    char found[128];
    snprintf(found, sizeof found, "Found %zu outliers among %zu measurements (%.2f%%)", n,
             pk_bench_samples(b->r), 100.0 * (double)n / (double)pk_bench_samples(b->r));
    put(b, PK_YELLOW, found);
    putc('\n', b->out);
    put_outlier_row(b, o->low_severe, "low severe");
    put_outlier_row(b, o->low_mild, "low mild");
    put_outlier_row(b, o->high_mild, "high mild");
    put_outlier_row(b, o->high_severe, "high severe");
}

/* 1 - SSres / SStot of time = slope * iterations over the sample. (Criterion's own is off: its
 * SStot keeps only the last term.) */
static double r_squared(const pk_bench_result *r, double slope) {
    double mean = 0, residual = 0, total = 0;
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = pk_bench_sample(&r->workers[i]);
        if (s) mean += s->trimmed_ns * (double)s->iterations / (double)pk_bench_samples(r);
    }
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = pk_bench_sample(&r->workers[i]);
        if (!s) continue;
        double time = s->trimmed_ns * (double)s->iterations;
        residual += pow(time - slope * (double)s->iterations, 2);
        total += pow(time - mean, 2);
    }
    return 1 - residual / total;
}

static void put_short_estimate(const block *b, const pk_estimate *e) {
    char low[PK_CRITERION_MAX], high[PK_CRITERION_MAX];
    fprintf(b->out, "[%s %s]", pk_criterion_time(low, sizeof low, e->low),
            pk_criterion_time(high, sizeof high, e->high));
}

static void put_pair(const block *b, const char *left, const pk_estimate *left_estimate,
                     const char *right, const pk_estimate *right_estimate) {
    fprintf(b->out, "%-7s", left);
    put_short_estimate(b, left_estimate);
    fprintf(b->out, " %-15s", right);
    put_short_estimate(b, right_estimate);
    putc('\n', b->out);
}

static void put_statistics(const block *b) {
    const pk_criterion_estimates *e = &b->r->criterion;
    if (e->has_slope) {
        fprintf(b->out, "%-7s", "slope");
        put_short_estimate(b, &e->slope);
        fprintf(b->out, " %-15s[%.7f %.7f]\n", "R^2", r_squared(b->r, e->slope.low),
                r_squared(b->r, e->slope.high));
    }
    put_pair(b, "mean", &e->mean, "std. dev.", &e->std_dev);
    put_pair(b, "median", &e->median, "med. abs. dev.", &e->median_abs_dev);
}

/* ---- lines of ours ---- */

static void put_parts(const block *b) {
    char parts[PK_WORDS_PARTS][PK_WORDS_MAX];
    size_t n = pk_words_parts(parts, b->r);
    for (size_t i = 0; i < n; i++) line(b, PK_PLAIN, parts[i]);
}

/* How it was measured, where that is special; the benchmark's own counters. */
static void put_own(const block *b) {
    pk_bench_counter counters[PK_BENCH_COUNTERS_MAX];
    char words[PK_WORDS_MAX];
    const size_t n = pk_bench_counters(b->r, counters);
    for (size_t i = 0; i < n; i++)
        line_escaped(b, PK_PLAIN, pk_words_counter(words, sizeof words, &counters[i]));
    if (b->r->method) line_escaped(b, PK_DIM, b->r->method);
}

static void put_remarks(const block *b) {
    char words[PK_WORDS_MAX];
    if (pk_words_modes(words, sizeof words, &b->r->modes)[0]) line(b, PK_YELLOW, words);
    if (b->r->partial) {
        snprintf(words, sizeof words, "interrupted: figures of %zu workers", b->r->n_workers);
        line(b, PK_YELLOW, words);
    }
    for (size_t i = 0; i < b->r->n_warnings; i++) {
        indent(b, COLUMN);
        put(b, PK_YELLOW, "warning: ");
        put_escaped(b, PK_PLAIN, b->r->warnings[i], strlen(b->r->warnings[i]));
        putc('\n', b->out);
    }
}

/* How it was measured, and what disturbed it. */
static void put_circumstances(const block *b) {
    const pk_bench_result *r = b->r;
    uint64_t iterations = 0, units = 0;
    char count[PK_CRITERION_MAX], order[PK_CRITERION_MAX], time[PK_FORMAT_MAX];
    for (size_t i = 0; i < r->n_workers; i++) {
        iterations += r->workers[i].side[PK_SIDE_NEW].iterations;
        units += r->workers[i].side[PK_SIDE_NEW].units;
    }
    fprintf(b->out, "%zu workers", r->n_workers);
    if (r->n_workers_former) fprintf(b->out, " (%zu of former sessions)", r->n_workers_former);
    fprintf(b->out, ", %s iterations in %llu units, %s, metric %s\n",
            pk_criterion_count(count, sizeof count, iterations), (unsigned long long)units,
            pk_format_duration(time, sizeof time, (double)r->duration_ns),
            pk_bench_metric_name(r->metric));
    if (isfinite(r->process_sd_ratio))
        fprintf(b->out, "workers differ by %.2f %% (SD)", r->process_sd_ratio * 100);
    if (isfinite(r->wait_ratio)) fprintf(b->out, ", waited %.1f %% for a CPU", r->wait_ratio * 100);
    if (isfinite(r->clock_hz))
        fprintf(b->out, ", effective clock %.2f GHz (estimated; range %.1f %%)", r->clock_hz / 1e9,
                r->clock_range_ratio * 100);
    putc('\n', b->out);
    if (r->change.source == PK_CHANGE_LIVE && isfinite(r->change.order_effect))
        fprintf(b->out, "order effect %s (old first against new first; balanced out)\n",
                pk_criterion_change(order, sizeof order, r->change.order_effect));
}

/* The end of what a benchmark printed, line by line. */
static void put_output(const block *b, const char *text) {
    if (!text[0]) return;
    line(b, PK_DIM, "the end of its output:");
    for (const char *end; *text; text = end + (*end == '\n')) {
        end = strchrnul(text, '\n');
        indent(b, COLUMN);
        fputs("  | ", b->out);
        put_escaped(b, PK_PLAIN, text, (size_t)(end - text));
        putc('\n', b->out);
    }
}

static bool is_same_failure(const pk_bench_failure *a, const pk_bench_failure *b) {
    return a->kind == b->kind && a->number == b->number && strcmp(a->why, b->why) == 0;
}

/* Failure i, unless one like it was shown before; how many there are of its kind. */
static void put_failure(const block *b, size_t i) {
    const pk_bench_failure *f = &b->r->failures[i];
    size_t same = 0;
    char text[PK_BENCH_FAILURE_MAX], row[PK_BENCH_FAILURE_MAX + 64];
    for (size_t k = 0; k < b->r->n_failures; k++) {
        if (!is_same_failure(f, &b->r->failures[k])) continue;
        if (k < i) return;
        same++;
    }
    pk_bench_failure_text(text, sizeof text, f);
    if (same > 1) snprintf(row, sizeof row, "%s (%zu workers)", text, same);
    else snprintf(row, sizeof row, "%s", text);
    line(b, PK_RED, row);
    if (f->why[0]) line_escaped(b, PK_PLAIN, f->why);
    put_output(b, f->output);
}

static void put_failures(const block *b) {
    for (size_t i = 0; i < b->r->n_failures; i++) put_failure(b, i);
}

static void put_failed(const block *b) {
    put_title(b);
    put(b, PK_RED, "failed");
    putc('\n', b->out);
    put_failures(b);
}

void pk_bench_render_block(FILE *out, const pk_bench_result *result, pk_bench_detail detail,
                           bool criterion, bool colour) {
    const block b = {out, result, detail, colour};
    char words[PK_WORDS_MAX];
    if (result->failed) {
        put_failed(&b);
        return;
    }
    put_time(&b);
    if (detail != PK_DETAIL_QUIET) {
        if (!criterion) {
            put_parts(&b);
            put_own(&b);
            line(&b, PK_DIM, pk_words_headline(words, sizeof words, result));
            put_our_change(&b);
            put_remarks(&b);
            put_failures(&b);
        } else if (is_compared(result)) {
            put_criterion_change(&b);
        }
        put_outliers(&b);
    }
    if (detail == PK_DETAIL_VERBOSE) {
        put_statistics(&b);
        if (!criterion) put_circumstances(&b);
    }
}
