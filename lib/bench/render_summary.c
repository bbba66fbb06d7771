/* The end of a run: one line per benchmark, then what several of them say together. */
#include "bench/render.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "bench/criterion_units.h"
#include "bench/group_figures.h"
#include "bench/words.h"
#include "report/colour.h"
#include "report/escape.h"
#include "report/quantity.h"
#include "report/table.h"

enum { TEXT_BYTES_MAX = 64 << 10 };

typedef struct summary {
    FILE *out;
    const pk_bench_report *report;
    bool colour;
    pk_strbuf scratch; /* the escaped text of the moment */
} summary;

/* Valid until the next call. */
static const char *safe(summary *s, const char *text) {
    pk_strbuf_clear(&s->scratch);
    pk_escape_terminal(&s->scratch, text, strlen(text));
    return s->scratch.data;
}

static bool has_throughput(const pk_bench_report *report) {
    for (size_t i = 0; i < report->n_results; i++)
        if (report->results[i].throughput.given && !report->results[i].failed) return true;
    return false;
}

static bool has_change(const pk_bench_report *report) {
    for (size_t i = 0; i < report->n_results; i++)
        if (report->results[i].change.source != PK_CHANGE_NONE) return true;
    return false;
}

static pk_style style_of(pk_verdict_word word) {
    static const pk_style styles[] = {[PK_CANNOT_TELL] = PK_YELLOW,
                                      [PK_REGRESSED] = PK_RED,
                                      [PK_IMPROVED] = PK_GREEN,
                                      [PK_NO_CHANGE] = PK_PLAIN};
    return styles[word];
}

static void add_change_cells(pk_table *table, const pk_bench_result *r) {
    const pk_bench_change *c = &r->change;
    if (c->source == PK_CHANGE_NONE || r->failed) {
        pk_table_cell(table, PK_DIM, "-");
        pk_table_cell(table, PK_DIM, "-");
        return;
    }
    char change[PK_WORDS_MAX];
    pk_words_change(change, sizeof change, &c->ratio);
    if (isfinite(c->ratio.point)) pk_table_cell(table, style_of(c->verdict.word), "%s", change);
    else pk_table_cell(table, PK_DIM, "-");
    pk_table_cell(table, style_of(c->verdict.word), "%s", pk_verdict_name(c->verdict.word));
}

static void add_throughput_cell(pk_table *table, const pk_bench_result *r) {
    const pk_bench_throughput *t = &r->throughput;
    char rate[PK_CRITERION_MAX];
    if (!t->given || r->failed) pk_table_cell(table, PK_DIM, "-");
    else
        pk_table_cell(table, PK_PLAIN, "%s",
                      (t->bytes ? pk_criterion_bytes_rate : pk_criterion_elements_rate)(
                          rate, sizeof rate, t->per_iteration, r->typical.point));
}

static void put_table(summary *s) {
    bool change = has_change(s->report), throughput = has_throughput(s->report);
    char aligns[8];
    snprintf(aligns, sizeof aligns, "lr%s%s", change ? "rl" : "", throughput ? "r" : "");
    pk_table *table = pk_table_new(aligns);
    pk_table_cell(table, PK_BOLD, "benchmark");
    pk_table_cell(table, PK_BOLD, "time");
    if (change) {
        pk_table_cell(table, PK_BOLD, "change");
        pk_table_cell(table, PK_BOLD, "verdict");
    }
    if (throughput) pk_table_cell(table, PK_BOLD, "throughput");
    for (size_t i = 0; i < s->report->n_results; i++) {
        const pk_bench_result *r = &s->report->results[i];
        char time[PK_QUANTITY_MAX * 3];
        pk_words_time(time, sizeof time, r->typical.point, (r->typical.high - r->typical.low) / 2);
        pk_table_cell(table, PK_PLAIN, "%s", safe(s, r->id));
        if (r->failed) pk_table_cell(table, PK_RED, "failed");
        else pk_table_cell(table, PK_PLAIN, "%s%s", time, r->partial ? " (partial)" : "");
        if (change) add_change_cells(table, r);
        if (throughput) add_throughput_cell(table, r);
    }
    /* a full disk shows in `out`, where the caller looks; out of memory leaves the table out */
    if (!pk_table_write(s->out, table, 0, s->colour) && !ferror(s->out))
        fputs("out of memory for the table of benchmarks\n", s->out);
    pk_table_free(table);
}

static const char *name_of(const pk_bench_result *r) {
    return r->function ? r->function : r->group;
}

/* "fib 20: lookup is" and a line for each function of that group and value, at the first of them.
 */
static void put_relatives(summary *s) {
    const pk_bench_result *shown = NULL;
    for (size_t i = 0; i < s->report->n_results; i++) {
        const pk_bench_result *r = &s->report->results[i];
        pk_bench_relative relative;
        if (!pk_bench_relative_of(s->report, i, &relative)) continue;
        if (relative.fastest != shown) {
            shown = relative.fastest;
            fprintf(s->out, "\n%s", safe(s, shown->group));
            if (shown->value) fprintf(s->out, " %s", safe(s, shown->value));
            fprintf(s->out, ": %s is\n", safe(s, name_of(shown)));
        }
        const pk_estimate *e = &relative.ratio;
        int decimals = e->point < 10 ? 2 : e->point < 100 ? 1 : 0;
        fprintf(s->out, "  %.*f (%.*f .. %.*f) times faster than %s\n", decimals, e->point,
                decimals, e->low, decimals, e->high, safe(s, name_of(r)));
    }
}

static void put_growth(summary *s) {
    pk_bench_scan scan;
    bool any = false;
    for (size_t i = 0; i < s->report->n_results; i++) {
        if (!pk_bench_scan_of(s->report, i, &scan)) continue;
        const pk_bench_result *r = &s->report->results[i];
        char time[PK_QUANTITY_MAX];
        if (!any) putc('\n', s->out);
        any = true;
        fputs(safe(s, r->group), s->out);
        if (r->function) fprintf(s->out, "/%s", safe(s, r->function));
        fprintf(s->out, ": BigO %s %s, RMS %.0f %%\n",
                pk_quantity_text(time, sizeof time, PK_Q_TIME, scan.fit.coefficient, 3),
                pk_growth_name(scan.fit.growth), scan.fit.rms * 100);
    }
}

/* "1 regressed, 2 improved, 3 not compared". */
static void put_counts(summary *s) {
    static const pk_verdict_word order[] = {PK_REGRESSED, PK_IMPROVED, PK_NO_CHANGE,
                                            PK_CANNOT_TELL};
    size_t count[4] = {0}, alone = 0, failed = 0;
    const char *comma = "";
    for (size_t i = 0; i < s->report->n_results; i++) {
        const pk_bench_result *r = &s->report->results[i];
        if (r->failed) failed++;
        else if (r->change.source == PK_CHANGE_NONE) alone++;
        else count[r->change.verdict.word]++;
    }
    fprintf(s->out, "\n%zu benchmark%s: ", s->report->n_results,
            s->report->n_results == 1 ? "" : "s");
    for (size_t i = 0; i < 4; i++) {
        if (count[order[i]] == 0) continue;
        fprintf(s->out, "%s%s%zu %s%s", comma, pk_style_on(s->colour, style_of(order[i])),
                count[order[i]], pk_verdict_name(order[i]),
                pk_style_off(s->colour, style_of(order[i])));
        comma = ", ";
    }
    if (alone) {
        fprintf(s->out, "%s%zu compared with nothing", comma, alone);
        comma = ", ";
    }
    if (failed)
        fprintf(s->out, "%s%s%zu failed%s", comma, pk_style_on(s->colour, PK_RED), failed,
                pk_style_off(s->colour, PK_RED));
    putc('\n', s->out);
}

static void put_failures(summary *s) {
    for (size_t i = 0; i < s->report->n_results; i++) {
        const pk_bench_result *r = &s->report->results[i];
        char text[PK_BENCH_FAILURE_MAX];
        if (!r->failed) continue;
        fprintf(s->out, "%sfailed:%s %s", pk_style_on(s->colour, PK_RED),
                pk_style_off(s->colour, PK_RED), safe(s, r->id));
        if (r->n_failures) {
            fprintf(s->out, ": %s", pk_bench_failure_text(text, sizeof text, &r->failures[0]));
            if (r->failures[0].why[0]) fprintf(s->out, ": %s", safe(s, r->failures[0].why));
        }
        putc('\n', s->out);
    }
}

static void put_warnings(summary *s) {
    for (size_t i = 0; i < s->report->n_warnings; i++)
        fprintf(s->out, "%swarning:%s %s\n", pk_style_on(s->colour, PK_YELLOW),
                pk_style_off(s->colour, PK_YELLOW), safe(s, s->report->warnings[i]));
    if (s->report->interrupted) fputs("interrupted: what was not measured is not here\n", s->out);
}

void pk_bench_render_summary(FILE *out, const pk_bench_report *report, bool colour) {
    summary s = {.out = out, .report = report, .colour = colour};
    pk_strbuf_init(&s.scratch, TEXT_BYTES_MAX);
    if (report->n_results > 0) {
        put_table(&s);
        put_relatives(&s);
        put_growth(&s);
        put_counts(&s);
        put_failures(&s);
    }
    put_warnings(&s);
    pk_strbuf_fini(&s.scratch);
}
