#include "bench/command_text_own.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/progress.h"
#include "stats/quantile.h"
#include "stats/robust.h"

enum {
    LABEL_CELLS = 23, /* where hyperfine's figures begin */
    BLOCKS_MIN = 8,
    BLOCKS_MAX = 40,
    BLOCK_RUNS_MIN = 5,
};

/* Below this the kernel's split into user and system is counted in ticks: noise (getrusage(2)). */
#define SPLIT_MIN_S 0.010

/* Farther above the upper quartile than this, in interquartile ranges, lies "far out". */
#define REACH_IQR 5

static void label(pk_strbuf *out, const char *text) {
    int used = 2 + pk_display_width(text) + 1;
    pk_strbuf_addf(out, "  %s:%*s", text, used < LABEL_CELLS ? LABEL_CELLS - used : 1, "");
}

static void add_level(char *out, size_t size, const pk_command_report *report, const char *what) {
    double level = pk_command_confidence(report);
    if (isfinite(level)) snprintf(out, size, "%s (%.4g %% CI)", what, level * 100);
    else snprintf(out, size, "%s (CI)", what);
}

static void median_line(const pk_command_report *report, const pk_command_result *r, bool colour,
                        pk_command_unit unit, pk_strbuf *out) {
    char text[PK_COMMAND_TEXT_MAX];
    const pk_command_interval *m = &r->wall.median;
    add_level(text, sizeof text, report, "Median");
    label(out, text);
    pk_command_field(out, colour, PK_BOLD_GREEN, pk_command_time(text, m->point, unit));
    if (isfinite(m->low) && isfinite(m->high)) {
        pk_strbuf_add_str(out, "   ");
        pk_command_field(out, colour, PK_PLAIN, pk_command_time(text, m->low, unit));
        pk_strbuf_addf(out, " … %s", pk_command_time(text, m->high, unit));
    } else pk_strbuf_add_str(out, "   too few runs for an interval");
    pk_strbuf_add_char(out, '\n');
}

static void percentile_line(const pk_command_result *r, pk_command_unit unit, pk_strbuf *out) {
    static const int at[] = PK_COMMAND_PERCENTILES;
    char text[PK_COMMAND_TEXT_MAX];
    bool any = false;
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        if (!isfinite(r->wall.percentile[i])) continue;
        if (!any) label(out, "Percentiles");
        pk_strbuf_addf(out, "%sp%d %s", any ? "  " : "", at[i],
                       pk_command_number(text, r->wall.percentile[i], unit));
        any = true;
    }
    if (any) pk_strbuf_addf(out, " %s\n", unit.sign);
}

static void cpu_line(const pk_command_result *r, bool colour, pk_time_unit wanted, pk_strbuf *out) {
    char text[PK_COMMAND_TEXT_MAX];
    if (!isfinite(r->cpu.mean)) return;
    pk_command_unit unit = pk_command_unit_for(wanted, r->cpu.mean);
    label(out, "CPU (user + system)");
    pk_command_field(out, colour, PK_BLUE, pk_command_time(text, r->cpu.mean, unit));
    if (isfinite(r->cpu.sd)) {
        pk_strbuf_add_str(out, " ± ");
        pk_command_field(out, colour, PK_PLAIN, pk_command_time(text, r->cpu.sd, unit));
    }
    if (r->cpu.mean >= SPLIT_MIN_S && r->user.mean >= 0 && r->system.mean >= 0) {
        pk_strbuf_addf(out, "    user %s", pk_command_time(text, r->user.mean, unit));
        pk_strbuf_addf(out, ", system %s", pk_command_time(text, r->system.mean, unit));
    }
    pk_strbuf_add_char(out, '\n');
}

static void memory_line(const pk_command_report *report, const pk_command_result *r,
                        pk_strbuf *out) {
    char text[PK_COMMAND_WORDS_MAX];
    label(out, "Peak memory");
    pk_strbuf_addf(out, "%s\n", pk_command_memory_text(text, report, r));
}

/* "1.23 M": a count in thousands, millions ... */
static void count_text(char out[PK_QUANTITY_MAX], double value) {
    static const struct {
        double factor;
        const char *sign;
    } steps[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
    char number[PK_QUANTITY_MAX];
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (value < steps[i].factor) continue;
        pk_quantity_text(number, sizeof number, PK_Q_NUMBER, value / steps[i].factor, 4);
        snprintf(out, PK_QUANTITY_MAX, "%.40s%s", number, steps[i].sign);
        return;
    }
    pk_quantity_text(out, PK_QUANTITY_MAX, PK_Q_COUNT, value, 4);
}

static void counter_line(const pk_command_report *report, const pk_command_result *r,
                         pk_strbuf *out) {
    char text[PK_QUANTITY_MAX];
    size_t n = 0;
    double instructions = pk_command_counter(report, r, PK_COUNTER_INSTRUCTIONS);
    label(out, "Counters");
    for (size_t i = 0; i < PK_COUNTERS; i++) {
        double value = pk_command_counter(report, r, (pk_counter)i);
        if (!isfinite(value)) continue;
        count_text(text, value);
        pk_strbuf_addf(out, "%s%s %s", n++ ? ", " : "", text,
                       pk_command_counter_name((pk_counter)i));
        if (i == PK_COUNTER_CYCLES && isfinite(instructions) && value > 0)
            pk_strbuf_addf(out, " (%.2f instructions each)", instructions / value);
    }
    if (n == 0) pk_strbuf_add_str(out, "n/a");
    else if (pk_command_counters_user_only(r)) pk_strbuf_add_str(out, " (user space only)");
    pk_strbuf_add_char(out, '\n');
}

static void failed_line(const pk_command_report *report, const pk_command_result *r, bool colour,
                        pk_strbuf *out) {
    char text[PK_COMMAND_WORDS_MAX];
    if (!pk_command_failed_text(text, report, r)[0]) return;
    label(out, "Failed");
    pk_command_span(out, colour, PK_RED, text);
    pk_strbuf_add_char(out, '\n');
}

/* ---- distribution ---- */

/* The upper end of the picture: the largest time, unless a few runs (at most 5 %, or one) lie so
 * far above the upper quartile that the rest would shrink to a block. sorted[0..n), n >= 1. */
static double upper_end(const double sorted[], size_t n) {
    double q1 = pk_quantile_interpolated(sorted, n, 0.25);
    double q3 = pk_quantile_interpolated(sorted, n, 0.75);
    double reach = q3 + REACH_IQR * (q3 - q1);
    size_t kept = n, spare = n / 20 > 1 ? n / 20 : 1;
    while (kept > 0 && sorted[kept - 1] > reach) kept--;
    return kept > 0 && n - kept <= spare ? sorted[kept - 1] : sorted[n - 1];
}

/* Heights in eighths; a single run among many is still seen: rounded up. */
static void draw_blocks(const double sorted[], size_t n, size_t cells, double low, double high,
                        pk_strbuf *out) {
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t counts[BLOCKS_MAX] = {0}, most = 1;
    for (size_t i = 0; i < n && sorted[i] <= high; i++) {
        size_t at = (size_t)((sorted[i] - low) / (high - low) * (double)cells);
        at = at < cells ? at : cells - 1;
        if (++counts[at] > most) most = counts[at];
    }
    for (size_t i = 0; i < cells; i++)
        pk_strbuf_add_str(out, blocks[(counts[i] * 8 + most - 1) / most]);
}

bool pk_command_blocks(const pk_command_report *report, const pk_command_result *r, size_t cells,
                       pk_strbuf *out, double *low, double *high, size_t *beyond) {
    size_t n = 0;
    *low = *high = NAN;
    *beyond = 0;
    if (r->wall.n < BLOCK_RUNS_MIN || cells == 0 || cells > BLOCKS_MAX) return true;
    double *sorted = calloc(r->n_runs, sizeof *sorted);
    if (!sorted) return false;
    for (size_t i = 0; i < r->n_runs; i++)
        if (pk_command_counted(report, &r->runs[i])) sorted[n++] = r->runs[i].wall_s;
    pk_sort(sorted, n);
    if (n > 0) {
        *low = sorted[0];
        *high = upper_end(sorted, n);
        for (size_t i = n; i > 0 && sorted[i - 1] > *high; i--) ++*beyond;
        if (*high > *low) draw_blocks(sorted, n, cells, *low, *high, out);
    }
    free(sorted);
    return true;
}

static void distribution_line(const pk_command_report *report, const pk_command_result *r,
                              const pk_command_style *style, pk_command_unit unit, pk_strbuf *out) {
    char text[PK_COMMAND_TEXT_MAX];
    pk_strbuf row;
    double low, high;
    size_t beyond;
    int room = style->width > 0 ? style->width - LABEL_CELLS - 2 * 12 : BLOCKS_MAX;
    size_t cells = room > BLOCKS_MAX ? BLOCKS_MAX : room < BLOCKS_MIN ? BLOCKS_MIN : (size_t)room;
    pk_strbuf_init(&row, 4 * BLOCKS_MAX);
    if (!pk_command_blocks(report, r, cells, &row, &low, &high, &beyond)) out->failed = true;
    else if (row.length > 0) {
        label(out, "Distribution");
        pk_command_field(out, style->colour, PK_PLAIN, pk_command_time(text, low, unit));
        pk_strbuf_add_char(out, ' ');
        pk_command_span(out, style->colour, PK_CYAN, row.data);
        pk_strbuf_addf(out, " %s", pk_command_time(text, high, unit));
        if (beyond > 0) pk_strbuf_addf(out, " (%zu above)", beyond);
        pk_strbuf_add_char(out, '\n');
    }
    pk_strbuf_fini(&row);
}

/* ---- changes ---- */

static pk_style verdict_style(pk_verdict_word word) {
    return word == PK_REGRESSED ? PK_BOLD_RED : word == PK_IMPROVED ? PK_BOLD_GREEN : PK_PLAIN;
}

/* "    wall  regressed: ..." */
static void change_line(const pk_command_change *change, const char *name, const char *text,
                        bool colour, pk_strbuf *out) {
    if (!text[0]) return;
    pk_strbuf_addf(out, "    %-5s ", name);
    pk_command_span(out, colour, verdict_style(change->verdict.word), text);
    pk_strbuf_add_char(out, '\n');
}

static void stored_lines(const pk_command_report *report, size_t index, bool colour,
                         pk_strbuf *out) {
    const pk_command_result *r = &report->results[index];
    char text[PK_COMMAND_WORDS_MAX];
    if (!r->stored[0].compared && !r->stored[1].compared) return;
    bool elsewhere = r->stored[0].elsewhere || r->stored[1].elsewhere;
    pk_strbuf_addf(out, "  %s\n", pk_command_stored_heading(elsewhere));
    for (size_t i = 0; i < 2; i++)
        if (r->stored[i].compared)
            change_line(&r->stored[i], pk_command_change_name(report, i),
                        pk_command_stored_text(text, report, index, i), colour, out);
}

void pk_command_own_lines(const pk_command_report *report, size_t index,
                          const pk_command_style *style, pk_command_unit unit, pk_strbuf *out) {
    const pk_command_result *r = &report->results[index];
    if (r->wall.n > 0) {
        if (r->wall.n > 1) median_line(report, r, style->colour, unit, out);
        percentile_line(r, unit, out);
        cpu_line(r, style->colour, style->unit, out);
        memory_line(report, r, out);
        counter_line(report, r, out);
        if (style->histogram) distribution_line(report, r, style, unit, out);
    }
    failed_line(report, r, style->colour, out);
    stored_lines(report, index, style->colour, out);
}

static void compared_lines(const pk_command_report *report, size_t index,
                           const pk_command_style *style, pk_strbuf *out) {
    const pk_command_result *r = &report->results[index];
    const char *reference = report->results[report->reference].of->shown;
    char text[PK_COMMAND_WORDS_MAX];
    pk_strbuf_add_str(out, "  ");
    pk_escape_terminal(out, r->of->shown, strlen(r->of->shown));
    pk_strbuf_add_str(out, " against ");
    pk_escape_terminal(out, reference, strlen(reference));
    pk_strbuf_add_char(out, '\n');
    for (size_t i = 0; i < 2; i++)
        if (r->change[i].compared)
            change_line(&r->change[i], pk_command_change_name(report, i),
                        pk_command_change_text(text, report, index, i), style->colour, out);
}

void pk_command_own_summary(const pk_command_report *report, const pk_command_style *style,
                            pk_strbuf *out) {
    char text[PK_COMMAND_WORDS_MAX];
    const pk_command_change *basis = NULL;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        if (!r->change[0].compared && !r->change[1].compared) continue;
        if (!basis && !style->compact && out->length > 0) pk_strbuf_add_str(out, " \n");
        if (!basis) basis = &r->change[r->change[0].compared ? 0 : 1];
        compared_lines(report, i, style, out);
    }
    if (basis) {
        pk_strbuf_add_str(out, "  ");
        pk_command_span(out, style->colour, basis->grouped ? PK_YELLOW : PK_DIM,
                        pk_command_basis_text(text, report, basis));
        pk_strbuf_add_char(out, '\n');
    }
}
