/* Commands as text: hyperfine's lines, which scripts match on, and ours below them. The layout is
 * that of hyperfine 1.20: padding stands inside the coloured span, all figures of a block are in
 * the unit of its mean, and the line after a block holds one blank. */
#include "bench/command_render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command_render_parts.h"
#include "bench/command_text_own.h"
#include "report/escape.h"
#include "report/progress.h"

enum { FIELD_CELLS = 8 };

void pk_command_span(pk_strbuf *out, bool colour, pk_style style, const char *text) {
    pk_strbuf_add_str(out, pk_style_on(colour, style));
    pk_strbuf_add_str(out, text);
    pk_strbuf_add_str(out, pk_style_off(colour, style));
}

void pk_command_field(pk_strbuf *out, bool colour, pk_style style, const char *text) {
    char padded[PK_COMMAND_TEXT_MAX + FIELD_CELLS];
    int missing = FIELD_CELLS - pk_display_width(text);
    snprintf(padded, sizeof padded, "%*s%s", missing > 0 ? missing : 0, "", text);
    pk_command_span(out, colour, style, padded);
}

static void time_field(pk_strbuf *out, bool colour, pk_style style, double seconds,
                       pk_command_unit unit) {
    char text[PK_COMMAND_TEXT_MAX];
    pk_command_field(out, colour, style, pk_command_time(text, seconds, unit));
}

static void time_span(pk_strbuf *out, bool colour, pk_style style, double seconds,
                      pk_command_unit unit) {
    char text[PK_COMMAND_TEXT_MAX];
    pk_command_span(out, colour, style, pk_command_time(text, seconds, unit));
}

/* In hyperfine's style byte by byte; else safe for the terminal, on one line. */
static void add_name(pk_strbuf *out, const char *name, const pk_command_style *style,
                     pk_style colour) {
    pk_strbuf_add_str(out, pk_style_on(style->colour, colour));
    if (style->hyperfine) pk_strbuf_add_str(out, name);
    else pk_escape_terminal(out, name, strlen(name));
    pk_strbuf_add_str(out, pk_style_off(style->colour, colour));
}

void pk_command_render_start(const pk_command_case *of, size_t index, const pk_command_style *style,
                             pk_strbuf *out) {
    char number[24];
    if (style->compact) return;
    pk_command_span(out, style->colour, PK_BOLD, "Benchmark ");
    snprintf(number, sizeof number, "%zu", index + 1);
    pk_command_span(out, style->colour, PK_BOLD, number);
    pk_strbuf_add_str(out, ": ");
    add_name(out, of->shown, style, PK_PLAIN);
    pk_strbuf_add_char(out, '\n');
}

/* ---- one command ---- */

static void cpu_part(const pk_command_result *r, bool colour, pk_command_unit unit,
                     pk_strbuf *out) {
    pk_strbuf_add_str(out, "    [User: ");
    time_span(out, colour, PK_BLUE, r->user.mean, unit);
    pk_strbuf_add_str(out, ", System: ");
    time_span(out, colour, PK_BLUE, r->system.mean, unit);
    pk_strbuf_add_str(out, "]\n");
}

static void one_run(const pk_command_result *r, bool colour, pk_command_unit unit, pk_strbuf *out) {
    pk_strbuf_add_str(out, "  Time (");
    pk_command_span(out, colour, PK_BOLD_GREEN, "abs");
    pk_strbuf_add_str(out, " ≡):        ");
    time_field(out, colour, PK_BOLD_GREEN, r->wall.mean, unit);
    pk_strbuf_addf(out, "  %*s ", FIELD_CELLS, "");
    cpu_part(r, colour, unit, out);
}

static void several_runs(const pk_command_result *r, bool colour, pk_command_unit unit,
                         pk_strbuf *out) {
    char runs[32];
    pk_strbuf_add_str(out, "  Time (");
    pk_command_span(out, colour, PK_BOLD_GREEN, "mean");
    pk_strbuf_add_str(out, " ± ");
    pk_command_span(out, colour, PK_GREEN, "σ");
    pk_strbuf_add_str(out, "):     ");
    time_field(out, colour, PK_BOLD_GREEN, r->wall.mean, unit);
    pk_strbuf_add_str(out, " ± ");
    time_field(out, colour, PK_GREEN, r->wall.sd, unit);
    cpu_part(r, colour, unit, out);
    pk_strbuf_add_str(out, "  Range (");
    pk_command_span(out, colour, PK_CYAN, "min");
    pk_strbuf_add_str(out, " … ");
    pk_command_span(out, colour, PK_MAGENTA, "max");
    pk_strbuf_add_str(out, "):   ");
    time_field(out, colour, PK_CYAN, r->wall.min, unit);
    pk_strbuf_add_str(out, " … ");
    time_field(out, colour, PK_MAGENTA, r->wall.max, unit);
    pk_strbuf_add_str(out, "    ");
    snprintf(runs, sizeof runs, "%zu runs", r->wall.n);
    pk_command_span(out, colour, PK_DIM, runs);
    pk_strbuf_add_char(out, '\n');
}

/* "  11.3 ms ±   0.5 ms    11.2 ms median    0.9 ms CPU    1.1 MiB    20 runs  NAME" */
static void compact_line(const pk_command_report *report, const pk_command_result *r,
                         const pk_command_style *style, pk_command_unit unit, pk_strbuf *out) {
    char text[PK_COMMAND_WORDS_MAX];
    bool colour = style->colour;
    time_field(out, colour, PK_BOLD_GREEN, r->wall.mean, unit);
    pk_strbuf_add_str(out, " ± ");
    time_field(out, colour, PK_GREEN, r->wall.sd, unit);
    pk_strbuf_add_str(out, "  median ");
    time_field(out, colour, PK_PLAIN, r->wall.median.point, unit);
    pk_strbuf_add_str(out, "  CPU ");
    time_field(out, colour, PK_BLUE, r->cpu.mean, unit);
    pk_strbuf_add_str(out, "  ");
    pk_command_field(out, colour, PK_PLAIN, pk_command_peak_text(text, report, r));
    pk_strbuf_addf(out, "  %4zu run%s  ", r->wall.n, r->wall.n == 1 ? " " : "s");
    add_name(out, r->of->shown, style, PK_PLAIN);
    if (r->n_failed > 0) {
        pk_strbuf_add_str(out, "  ");
        snprintf(text, sizeof text, "%zu failed", r->n_failed);
        pk_command_span(out, colour, PK_RED, text);
    }
    pk_strbuf_add_char(out, '\n');
}

void pk_command_render_result(const pk_command_report *report, size_t index,
                              const pk_command_style *style, pk_strbuf *out) {
    const pk_command_result *r = &report->results[index];
    pk_command_unit unit = pk_command_unit_for(style->unit, r->wall.mean);
    if (style->compact) {
        compact_line(report, r, style, unit, out);
        return;
    }
    if (r->wall.n == 1) one_run(r, style->colour, unit, out);
    else if (r->wall.n > 1) several_runs(r, style->colour, unit, out);
    if (!style->hyperfine) pk_command_own_lines(report, index, style, unit, out);
}

void pk_command_render_end(const pk_command_style *style, pk_strbuf *out) {
    if (!style->compact) pk_strbuf_add_str(out, " \n");
}

/* ---- summary ---- */

static void add_shown(pk_strbuf *out, const pk_command_report *report, size_t index,
                      const pk_command_style *style, pk_style colour) {
    add_name(out, report->results[index].of->shown, style, colour);
}

static double mean_of(const pk_command_report *report, size_t index) {
    return pk_command_figures_of(&report->results[index], pk_command_ranked_by(report))->mean;
}

/* " ± 1.23", or nothing where the spread is unknown. */
static void add_sigma(const pk_command_result *r, int cells, bool colour, pk_strbuf *out) {
    char text[PK_COMMAND_TEXT_MAX];
    if (isnan(r->ratio_sd)) return;
    snprintf(text, sizeof text, "%*.2f", cells, r->ratio_sd);
    pk_strbuf_add_str(out, " ± ");
    pk_command_span(out, colour, PK_GREEN, text);
}

static void against_line(const pk_command_report *report, size_t index,
                         const pk_command_style *style, pk_strbuf *out) {
    const pk_command_result *r = &report->results[index];
    double mine = mean_of(report, index), reference = mean_of(report, report->reference);
    char ratio[PK_COMMAND_TEXT_MAX];
    bool equal = mine == reference;
    snprintf(ratio, sizeof ratio, "%*.2f", equal ? 0 : FIELD_CELLS, r->ratio);
    if (equal) pk_strbuf_add_str(out, "    As fast (");
    pk_command_span(out, style->colour, PK_BOLD_GREEN, ratio);
    add_sigma(r, 0, style->colour, out);
    pk_strbuf_add_str(out, equal              ? ") as "
                           : mine < reference ? " times slower than "
                                              : " times faster than ");
    add_shown(out, report, index, style, PK_MAGENTA);
    pk_strbuf_add_char(out, '\n');
}

/* Without figures there is no rank: the caller's own lines say why. */
static void by_mean(const pk_command_report *report, const pk_command_style *style,
                    pk_strbuf *out) {
    size_t *order = pk_command_ascending(report, pk_command_ranked_by(report));
    if (!order) {
        out->failed = true;
        return;
    }
    pk_command_span(out, style->colour, PK_BOLD, "Summary");
    pk_strbuf_add_str(out, "\n  ");
    add_shown(out, report, report->reference, style, PK_CYAN);
    pk_strbuf_add_str(out, " ran\n");
    for (size_t i = 0; i < report->n_results; i++)
        if (order[i] != report->reference && isfinite(mean_of(report, order[i])))
            against_line(report, order[i], style, out);
    free(order);
}

static void by_command(const pk_command_report *report, const pk_command_style *style,
                       pk_strbuf *out) {
    pk_command_span(out, style->colour, PK_BOLD, "Relative speed comparison");
    pk_strbuf_add_char(out, '\n');
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        char ratio[PK_COMMAND_TEXT_MAX];
        bool reference = i == report->reference;
        if (!isfinite(mean_of(report, i))) continue;
        snprintf(ratio, sizeof ratio, "%10.2f", reference ? 1.0 : r->ratio);
        pk_strbuf_add_str(out, "  ");
        pk_command_span(out, style->colour, PK_BOLD_GREEN, ratio);
        if (reference || isnan(r->ratio_sd)) pk_strbuf_addf(out, "%8s", "");
        else add_sigma(r, 5, style->colour, out);
        pk_strbuf_add_str(out, "  ");
        add_shown(out, report, i, style, PK_PLAIN);
        pk_strbuf_add_char(out, '\n');
    }
}

static void cannot_compare(const pk_command_style *style, pk_strbuf *note) {
    pk_command_span(note, style->colour, PK_BOLD_RED, "Note");
    pk_strbuf_add_str(
        note, ": the commands cannot be compared, since the time of at least one of them is "
              "zero or unknown. Commands as short as a shell's own start need "
              "--shell=none (-N) and a quiet machine.\n");
}

/* Every mean that a ratio is taken with is above zero. */
static bool can_compare(const pk_command_report *report) {
    size_t measured = 0;
    if (report->reference >= report->n_results || !(mean_of(report, report->reference) > 0))
        return false;
    for (size_t i = 0; i < report->n_results; i++) {
        if (mean_of(report, i) <= 0) return false;
        if (isfinite(mean_of(report, i))) measured++;
    }
    return measured >= 2;
}

void pk_command_render_summary(const pk_command_report *report, const pk_command_style *style,
                               pk_strbuf *out, pk_strbuf *note) {
    if (report->n_results >= 2) {
        bool comparable = can_compare(report);
        if (!comparable) cannot_compare(style, note);
        else if (!style->compact && style->sort == PK_SORT_COMMAND) by_command(report, style, out);
        else if (!style->compact) by_mean(report, style, out);
    }
    if (!style->hyperfine) pk_command_own_summary(report, style, out);
}
