/* Commands as one page: the comparison, each command, how it was measured. */
#include "bench/command_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/page_parts.h"

/* More commands than this have their rows in the tables, and no charts of their own. */
#define SECTIONS_MAX 60

static const char *shown(const pk_command_report *report, size_t index) {
    return report->results[index].of->shown;
}

/* ---- cells ---- */

static void figure_cell(pk_page *page, pk_command_metric metric, double value) {
    char text[PK_QUANTITY_MAX];
    pk_page_cell(page, PK_TINT_NONE, "%s", pk_command_figure_text(text, metric, value, 4));
}

/* "11.20 .. 11.41 ms" */
static void interval_cell(pk_page *page, pk_command_metric metric, double low, double high) {
    char from[PK_QUANTITY_MAX], to[PK_QUANTITY_MAX];
    if (!isfinite(low) || !isfinite(high)) {
        pk_page_cell(page, PK_TINT_NONE, "-");
        return;
    }
    pk_command_figure_text(from, metric, low, 4);
    pk_command_figure_text(to, metric, high, 4);
    const char *unit = strchr(to, ' ');
    char *same = strchr(from, ' ');
    if (unit && same && strcmp(unit, same) == 0) *same = '\0';
    pk_page_cell(page, PK_TINT_NONE, "%s .. %s", from, to);
}

static void pair(pk_page *page, const char *name, const char *value) {
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    pk_page_cell(page, PK_TINT_NONE, "%s", value);
}

/* ---- the comparison ---- */

static void overview_row(pk_page *page, const pk_command_report *report, size_t index) {
    const pk_command_result *r = &report->results[index];
    char text[PK_COMMAND_WORDS_MAX], from[PK_QUANTITY_MAX], sd[PK_QUANTITY_MAX];
    pk_page_cell(page, PK_TINT_NONE, "%s", r->of->shown);
    pk_command_figure_text(from, PK_COMMAND_WALL, r->wall.mean, 4);
    pk_command_figure_text(sd, PK_COMMAND_WALL, r->wall.sd, 3);
    pk_page_cell(page, PK_TINT_NONE, "%s ± %s", from, sd);
    figure_cell(page, PK_COMMAND_WALL, r->wall.median.point);
    interval_cell(page, PK_COMMAND_WALL, r->wall.median.low, r->wall.median.high);
    figure_cell(page, PK_COMMAND_CPU, r->cpu.mean);
    pk_page_cell(page, PK_TINT_NONE, "%s", pk_command_peak_text(text, report, r));
    pk_page_cell(page, PK_TINT_NONE, "%zu", r->wall.n);
    pk_page_cell(page, r->n_failed ? PK_TINT_BAD : PK_TINT_NONE, "%zu", r->n_failed);
    if (report->n_results < 2) return;
    if (index == report->reference) pk_page_cell(page, PK_TINT_NONE, "1.00");
    else if (!isfinite(r->ratio)) pk_page_cell(page, PK_TINT_NONE, "-");
    else if (!isfinite(r->ratio_sd)) pk_page_cell(page, PK_TINT_NONE, "%.2f", r->ratio);
    else pk_page_cell(page, PK_TINT_NONE, "%.2f ± %.2f", r->ratio, r->ratio_sd);
}

static void add_overview(pk_page *page, const pk_command_report *report) {
    static const pk_column columns[] = {
        {"command", false}, {"mean ± σ", true}, {"median", true},
        {"interval", true}, {"CPU", true},      {"peak memory", true},
        {"runs", true},     {"failed", true},   {"ratio", true}};
    size_t n = sizeof columns / sizeof columns[0];
    pk_page_table_begin(page, NULL, report->n_results < 2 ? n - 1 : n, columns);
    for (size_t i = 0; i < report->n_results; i++) overview_row(page, report, i);
    pk_page_table_end(page);
}

static void verdict_rows(pk_page *page, const pk_command_report *report, size_t index,
                         const pk_command_change changes[2], bool stored) {
    char text[PK_COMMAND_WORDS_MAX];
    for (size_t i = 0; i < 2; i++) {
        if (!changes[i].compared) continue;
        pk_verdict_word word = changes[i].verdict.word;
        pk_page_cell(page, PK_TINT_NONE, "%s", shown(report, index));
        pk_page_cell(page, PK_TINT_NONE, "%s", pk_command_change_name(report, i));
        pk_page_cell(page, pk_page_verdict_tint(word), "%s %s", pk_page_verdict_symbol(word),
                     stored ? pk_command_stored_text(text, report, index, i)
                            : pk_command_change_text(text, report, index, i));
    }
}

static void add_verdicts(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    static const pk_column columns[] = {{"command", false}, {"of", false}, {"verdict", false}};
    const pk_command_change *basis = NULL;
    bool stored = false, elsewhere = false;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        for (size_t k = 0; k < 2; k++) {
            if (!basis && r->change[k].compared) basis = &r->change[k];
            stored = stored || r->stored[k].compared;
            elsewhere = elsewhere || r->stored[k].elsewhere;
        }
    }
    if (basis) {
        char text[PK_COMMAND_WORDS_MAX];
        const char *caption =
            pk_arena_printf(arena, "Against %s: %s.", shown(report, report->reference),
                            pk_command_basis_text(text, report, basis));
        pk_page_table_begin(page, caption, 3, columns);
        for (size_t i = 0; i < report->n_results; i++)
            verdict_rows(page, report, i, report->results[i].change, false);
        pk_page_table_end(page);
    }
    if (stored) {
        pk_page_table_begin(page, pk_command_stored_heading(elsewhere), 3, columns);
        for (size_t i = 0; i < report->n_results; i++)
            verdict_rows(page, report, i, report->results[i].stored, true);
        pk_page_table_end(page);
    }
}

/* ---- one command ---- */

static void figures_row(pk_page *page, const char *name, pk_command_metric metric,
                        const pk_command_figures *f) {
    if (f->n == 0 || !isfinite(f->mean)) return;
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    figure_cell(page, metric, f->mean);
    figure_cell(page, metric, f->sd);
    figure_cell(page, metric, f->min);
    for (size_t i = 0; i < 2; i++) figure_cell(page, metric, f->percentile[i]);
    figure_cell(page, metric, f->median.point);
    interval_cell(page, metric, f->median.low, f->median.high);
    for (size_t i = 2; i < 6; i++) figure_cell(page, metric, f->percentile[i]);
    figure_cell(page, metric, f->max);
}

static void add_figures(pk_page *page, const pk_command_report *report,
                        const pk_command_result *r) {
    char peak[PK_COMMAND_WORDS_MAX];
    static const pk_column columns[] = {
        {"of", false},  {"mean", true},   {"σ", true},        {"min", true},  {"5 %", true},
        {"25 %", true}, {"median", true}, {"interval", true}, {"75 %", true}, {"90 %", true},
        {"95 %", true}, {"99 %", true},   {"max", true}};
    pk_page_table_begin(page, NULL, sizeof columns / sizeof columns[0], columns);
    figures_row(page, "wall", PK_COMMAND_WALL, &r->wall);
    figures_row(page, "CPU", PK_COMMAND_CPU, &r->cpu);
    figures_row(page, "user", PK_COMMAND_USER, &r->user);
    figures_row(page, "system", PK_COMMAND_SYSTEM, &r->system);
    figures_row(page,
                pk_command_peak_text(peak, report, r)[0] == '<' ? "peak memory, at most"
                                                                : "peak memory",
                PK_COMMAND_RSS, &r->rss);
    figures_row(page, "instructions", PK_COMMAND_INSTRUCTIONS, &r->instructions);
    pk_page_table_end(page);
}

static void add_counters(pk_page *page, const pk_command_report *report,
                         const pk_command_result *r) {
    static const pk_column columns[] = {{"counter", false}, {"mean of a run", true}};
    bool any = false;
    for (size_t i = 0; i < PK_COUNTERS; i++) {
        char text[PK_QUANTITY_MAX];
        double value = pk_command_counter(report, r, (pk_counter)i);
        if (!isfinite(value)) continue;
        if (!any)
            pk_page_table_begin(page, pk_command_counters_user_only(r) ? "User space only." : NULL,
                                2, columns);
        any = true;
        pair(page, pk_command_counter_name((pk_counter)i),
             pk_quantity_text(text, sizeof text, PK_Q_COUNT, value, 6));
    }
    if (any) pk_page_table_end(page);
    else pk_page_text(page, PK_TINT_MUTED, "Hardware counters: n/a.");
}

static void add_failures(pk_page *page, const pk_command_report *report,
                         const pk_command_result *r) {
    char text[PK_COMMAND_WORDS_MAX];
    if (!pk_command_failed_text(text, report, r)[0]) return;
    pk_page_text(page, PK_TINT_BAD, "%s.", text);
    if (!r->first_failure) return;
    pk_page_text(page, PK_TINT_NONE, "%s", r->first_failure->what);
    if (r->first_failure->output[0]) pk_page_output(page, r->first_failure->output);
}

static bool add_command(pk_page *page, pk_arena *arena, const pk_command_report *report,
                        size_t index) {
    const pk_command_result *r = &report->results[index];
    char memory[PK_COMMAND_WORDS_MAX];
    pk_page_section(page, shown(report, index));
    if (strcmp(r->of->command, r->of->shown) != 0)
        pk_page_text(page, PK_TINT_MUTED, "Command: %s", r->of->command);
    add_failures(page, report, r);
    for (size_t i = 0; i < r->n_warnings; i++)
        pk_page_text(page, PK_TINT_WARN, "Warning: %s", r->warnings[i]);
    if (!pk_command_chart_density(page, arena, report, r) ||
        !pk_command_chart_order(page, arena, report, r))
        return false;
    if (r->wall.n == 0) return true;
    add_figures(page, report, r);
    pk_page_text(page, PK_TINT_NONE, "Peak memory: %s.", pk_command_memory_text(memory, report, r));
    add_counters(page, report, r);
    return true;
}

/* ---- how it was measured ---- */

static void add_measurement(pk_page *page, const pk_command_report *report) {
    static const pk_column columns[] = {{"", false}, {"", false}};
    char text[PK_QUANTITY_MAX];
    pk_page_section(page, "Measurement and machine");
    pk_page_table_begin(page, "How it was measured.", 2, columns);
    pair(page, "when", pk_page_time(text, report->started_unix_ns));
    pair(page, "duration",
         pk_quantity_text(text, sizeof text, PK_Q_TIME, (double)report->duration_ns, 4));
    pair(page, "order of the runs", pk_command_order_name(report));
    pair(page, "clock",
         report->options && report->options->launch_included
             ? "from the start of the process (clone) to its end"
             : "from the program's own start (exec) to its end");
    pair(page, "ranked by", pk_command_change_name(report, 0));
    if (report->shell_used)
        pair(page, "taken off for the shell",
             pk_command_figure_text(text, PK_COMMAND_WALL, report->shell_s, 4));
    pk_page_table_end(page);
    pk_page_environment(page, &report->environment);
}

/* ---- the page ---- */

/* Of two: the verdict. False: there is none. */
static bool state_verdict(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    size_t index = 1 - report->reference;
    const pk_command_result *r = &report->results[index];
    size_t i = r->change[0].compared ? 0 : 1;
    char text[PK_COMMAND_WORDS_MAX];
    if (!r->change[i].compared) return false;
    pk_verdict_word word = r->change[i].verdict.word;
    const char *line = pk_arena_printf(
        arena, "%s against %s, %s: %s", r->of->shown, shown(report, report->reference),
        pk_command_change_name(report, i), pk_command_change_text(text, report, index, i));
    if (line)
        pk_page_statement(page, pk_page_verdict_tint(word), pk_page_verdict_symbol(word), line);
    return line != NULL;
}

/* Of several: what they are compared with. Of one: its mean. */
static void state_figure(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    const pk_command_result *r = &report->results[report->reference];
    pk_command_metric metric = pk_command_ranked_by(report);
    const pk_command_figures *f = pk_command_figures_of(r, metric);
    const char *least = pk_command_quantity(metric) == PK_Q_TIME ? "The fastest" : "The least";
    char mean[PK_QUANTITY_MAX], sd[PK_QUANTITY_MAX];
    pk_command_figure_text(mean, metric, f->mean, 4);
    pk_command_figure_text(sd, metric, f->sd, 3);
    const char *line = report->n_results == 1
                           ? pk_arena_printf(arena, "%s ± %s", mean, sd)
                           : pk_arena_printf(arena, "%s of %zu commands: %s, %s ± %s",
                                             r->is_fastest ? least : "The reference",
                                             report->n_results, r->of->shown, mean, sd);
    if (f->n > 0 && line) pk_page_statement(page, PK_TINT_MUTED, "", line);
}

static void add_head(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    bool two = report->n_results == 2 && report->reference < 2;
    if ((!two || !state_verdict(page, arena, report)) && report->reference < report->n_results)
        state_figure(page, arena, report);
    if (report->interrupted)
        pk_page_text(page, PK_TINT_WARN, "Interrupted: these are the runs until then.");
}

static bool add_all(pk_page *page, pk_arena *arena, const pk_command_report *report) {
    add_head(page, arena, report);
    if (report->n_results > 1) {
        pk_page_section(page, "Comparison");
        if (!pk_command_chart_boxes(page, arena, report) ||
            !pk_command_chart_changes(page, arena, report) ||
            !pk_command_chart_parameter(page, arena, report))
            return false;
    }
    add_overview(page, report);
    add_verdicts(page, arena, report);
    for (size_t i = 0; i < report->n_results && i < SECTIONS_MAX; i++)
        if (!add_command(page, arena, report, i)) return false;
    if (report->n_results > SECTIONS_MAX)
        pk_page_text(page, PK_TINT_MUTED, "Charts of the first %d commands; the tables have all.",
                     SECTIONS_MAX);
    add_measurement(page, report);
    return true;
}

bool pk_command_page(const pk_command_report *report, pk_strbuf *out, pk_err *err) {
    pk_arena *arena = pk_arena_new(PK_PAGE_ARENA_BYTES);
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    pk_page page;
    char title[64] = "";
    if (!arena || !stream) {
        if (stream) fclose(stream);
        free(text);
        pk_arena_free(arena);
        return pk_page_out_of_memory(err);
    }
    if (report->n_results != 1) snprintf(title, sizeof title, "%zu commands", report->n_results);
    pk_page_begin(&page, title[0] ? title : shown(report, 0), 0, NULL);
    bool ok = pk_page_finish(&page, add_all(&page, arena, report), stream, err);
    if (fclose(stream) != 0 && ok) ok = pk_page_out_of_memory(err);
    if (ok) pk_strbuf_add(out, text, bytes);
    if (ok && !pk_strbuf_ok(out)) ok = pk_page_out_of_memory(err);
    free(text);
    pk_arena_free(arena);
    return ok;
}
