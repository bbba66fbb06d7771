/* Results for the terminal: the top rows, the totals, the notes. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/render_parts.h"
#include "base/units.h"
#include "profile/cells.h"
#include "report/escape.h"
#include "report/utf8.h"

#define TAKEN_CELLS 84 /* by what stands before the name, with generous figures */
#define NAME_BYTES_MAX ((size_t)1 << 20)
#define FRAME_INDENT 4

static double share(uint64_t part, uint64_t all) {
    return all > 0 ? (double)part / (double)all : NAN;
}

static size_t rows_shown(const pk_array *rows, const pk_alloc_view *view) {
    return view->rows > 0 && view->rows < rows->count ? view->rows : rows->count;
}

/* The standard error of a row's weight; NaN: there is none. */
static double error_of(const pk_alloc_row *row, pk_alloc_weight weight) {
    if (weight == PK_WEIGHT_CALLS) return row->calls_error;
    return weight == PK_WEIGHT_BYTES ? row->bytes_error : NAN;
}

/* " ± 1.20 KiB" */
static char *error_text(char *out, size_t size, double error, pk_alloc_weight weight) {
    char text[PK_QUANTITY_MAX];
    if (!isfinite(error) || error < 0) snprintf(out, size, "-");
    else snprintf(out, size, "± %s", pk_alloc_weight_text(text, weight, pk_alloc_rounded(error)));
    return out;
}

/* ---- functions and objects ---- */

static void add_headings(pk_cells *t, const pk_alloc_result *result, const pk_alloc_view *view) {
    char text[64];
    snprintf(text, sizeof text, "%s, self", pk_alloc_weight_name(view->sort));
    pk_cells_heading(t, text);
    pk_cells_heading(t, "");
    pk_cells_heading(t, "total");
    pk_cells_heading(t, "");
    if (result->sampled) pk_cells_heading(t, "error");
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (w != (int)view->sort && pk_alloc_weight_known(result, (pk_alloc_weight)w))
            pk_cells_heading(t, pk_alloc_weight_name((pk_alloc_weight)w));
    pk_cells_heading(t, view->by == PK_ALLOC_BY_OBJECT ? "object" : "function");
}

static void add_row(pk_cells *t, const pk_alloc_result *result, const pk_alloc_view *view,
                    const pk_alloc_row *row) {
    char text[2 * PK_QUANTITY_MAX];
    uint64_t all = pk_alloc_all(result, view->sort);
    pk_table_cell(t->table, PK_PLAIN, "%s",
                  pk_alloc_weight_text(text, view->sort, row->self[view->sort]));
    pk_cells_share(t, share(row->self[view->sort], all));
    pk_table_cell(t->table, PK_PLAIN, "%s",
                  pk_alloc_weight_text(text, view->sort, row->total[view->sort]));
    pk_cells_share(t, share(row->total[view->sort], all));
    if (result->sampled)
        pk_cells_none(t, error_text(text, sizeof text, error_of(row, view->sort), view->sort));
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (w != (int)view->sort && pk_alloc_weight_known(result, (pk_alloc_weight)w))
            pk_table_cell(t->table, PK_PLAIN, "%s",
                          pk_alloc_weight_text(text, (pk_alloc_weight)w, row->total[w]));
    pk_cells_name(t, PK_PLAIN, pk_names_text(result->names, row->name, NULL), "");
}

static bool table(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                  const pk_array *rows, pk_err *err) {
    char aligns[16] = "rrrr";
    size_t n = strlen(aligns), shown = rows_shown(rows, view);
    if (shown == 0) return true;
    if (result->sampled) aligns[n++] = 'r';
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (w != (int)view->sort && pk_alloc_weight_known(result, (pk_alloc_weight)w))
            aligns[n++] = 'r';
    aligns[n++] = 'l';
    aligns[n] = '\0';
    pk_cells t =
        pk_cells_begin(aligns, false, pk_alloc_all(result, view->sort), view->width, TAKEN_CELLS);
    add_headings(&t, result, view);
    for (size_t i = 0; i < shown; i++) add_row(&t, result, view, &PK_AT(rows, pk_alloc_row, i));
    return pk_cells_end(&t, out, view->colour, err);
}

/* ---- stacks ---- */

static void print_name(FILE *out, const char *name, const pk_alloc_view *view, pk_strbuf *safe) {
    static const char dots[] = "..";
    int used, room = view->width - FRAME_INDENT;
    pk_strbuf_clear(safe);
    pk_escape_terminal(safe, name, strlen(name));
    size_t bytes = safe->length;
    if (view->width > 0 && room > 8) {
        size_t fits = pk_utf8_fit(safe->data, safe->length, room, &used);
        if (fits < bytes) bytes = pk_utf8_fit(safe->data, safe->length, room - 2, &used);
    }
    fprintf(out, "%*s%.*s%s\n", FRAME_INDENT, "", (int)bytes, safe->data,
            bytes < safe->length ? dots : "");
}

/* "12.06 KiB leaked" */
static void print_weight(FILE *out, pk_alloc_weight weight, uint64_t value) {
    static const char *const behind[PK_WEIGHTS] = {" calls", "", " at the peak", " leaked",
                                                   " temporary"};
    char text[PK_QUANTITY_MAX];
    fprintf(out, "%s%s", pk_alloc_weight_text(text, weight, value),
            weight == PK_WEIGHT_CALLS && value == 1 ? " call" : behind[weight]);
}

static void print_figures(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                          const pk_alloc_row *row) {
    char text[2 * PK_QUANTITY_MAX];
    uint64_t own = row->self[view->sort], all = pk_alloc_all(result, view->sort);
    fprintf(out, "%s", pk_style_on(view->colour, PK_BOLD));
    print_weight(out, view->sort, own);
    if (result->sampled)
        fprintf(out, " %s", error_text(text, sizeof text, error_of(row, view->sort), view->sort));
    if (all > 0) fprintf(out, " (%.2f %%)", 100 * share(own, all));
    fprintf(out, "%s", pk_style_off(view->colour, PK_BOLD));
    for (int w = 0; w < PK_WEIGHTS; w++) {
        if (w == (int)view->sort || !pk_alloc_weight_known(result, (pk_alloc_weight)w)) continue;
        fputs(", ", out);
        print_weight(out, (pk_alloc_weight)w, row->self[w]);
    }
    fputc('\n', out);
}

static void print_stack(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                        const pk_alloc_row *row, pk_strbuf *safe) {
    size_t frames = 0;
    print_figures(out, result, view, row);
    for (uint32_t at = row->node; at != PK_NODE_ROOT; at = pk_node(&result->tree, at)->parent) {
        if (view->frames > 0 && frames++ == view->frames) {
            uint32_t more = pk_node(&result->tree, at)->depth;
            fprintf(out, "%*sand %u more frame%s\n", FRAME_INDENT, "", more, more == 1 ? "" : "s");
            return;
        }
        print_name(out, pk_names_text(result->names, pk_node(&result->tree, at)->name, NULL), view,
                   safe);
    }
}

static void stacks(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                   const pk_array *rows) {
    pk_strbuf safe;
    pk_strbuf_init(&safe, NAME_BYTES_MAX);
    for (size_t i = 0; i < rows_shown(rows, view); i++) {
        if (i > 0) fputc('\n', out);
        print_stack(out, result, view, &PK_AT(rows, pk_alloc_row, i), &safe);
    }
    pk_strbuf_fini(&safe);
}

/* ---- totals and notes ---- */

typedef struct totals_writer {
    pk_alloc_total *rows;
    size_t n;
} totals_writer;

static void add_total(totals_writer *t, const char *name, const char *fmt, ...) PK_PRINTF(3, 4);
static void add_total(totals_writer *t, const char *name, const char *fmt, ...) {
    if (t->n == PK_ALLOC_TOTALS_MAX) return;
    pk_alloc_total *row = &t->rows[t->n++];
    va_list args;
    row->name = name;
    va_start(args, fmt);
    vsnprintf(row->value, sizeof row->value, fmt, args);
    va_end(args);
}

static void add_rate(totals_writer *t, const char *name, uint64_t value, pk_alloc_weight weight,
                     uint64_t duration_ns) {
    char text[PK_QUANTITY_MAX], rate[PK_QUANTITY_MAX];
    pk_alloc_weight_text(text, weight, value);
    if (duration_ns == 0) {
        add_total(t, name, "%s", text);
        return;
    }
    double per_s = (double)value * (double)PK_NS_PER_S / (double)duration_ns;
    add_total(t, name, "%s (%s/s)", text,
              pk_alloc_weight_text(rate, weight, pk_alloc_rounded(per_s)));
}

static void add_live_totals(totals_writer *t, const pk_alloc_result *result) {
    const pk_alloc_process *p = &result->total;
    char text[PK_QUANTITY_MAX], more[PK_QUANTITY_MAX], peak[3 * PK_QUANTITY_MAX];
    size_t n = (size_t)snprintf(peak, sizeof peak, "%s",
                                pk_format_bytes(text, sizeof text, (double)p->peak_bytes));
    if (p->peak_error_bytes > 0)
        n += (size_t)snprintf(peak + n, sizeof peak - n, " (+- %s)",
                              pk_format_bytes(more, sizeof more, (double)p->peak_error_bytes));
    if (p->peak_ns == UINT64_MAX) snprintf(peak + n, sizeof peak - n, ", at the end");
    else
        snprintf(peak + n, sizeof peak - n, ", after %s",
                 pk_format_duration(more, sizeof more, (double)p->peak_ns));
    add_total(t, "peak", "%s%s", peak,
              result->processes.count > 1 ? ", of the largest process" : "");
    add_total(t, "leaked", "%s in %s block%s",
              pk_format_bytes(text, sizeof text, (double)p->leaked_bytes),
              pk_alloc_grouped(more, sizeof more, p->leaked_calls),
              p->leaked_calls == 1 ? "" : "s");
    /* Of samples the threads have only how many there were; stacks have what they stand for. */
    uint64_t temporary = result->sampled ? pk_alloc_all(result, PK_WEIGHT_TEMPORARY) : p->temporary;
    pk_alloc_grouped(text, sizeof text, temporary);
    if (p->calls > 0)
        add_total(t, "temporary", "%s (%.2f %% of the calls)", text,
                  100 * share(temporary, p->calls));
    else add_total(t, "temporary", "%s", text);
}

size_t pk_alloc_totals(const pk_alloc_result *result, pk_alloc_total totals[PK_ALLOC_TOTALS_MAX]) {
    const pk_alloc_process *p = &result->total;
    char text[PK_QUANTITY_MAX];
    totals_writer t = {.rows = totals};
    add_rate(&t, "calls", p->calls, PK_WEIGHT_CALLS, result->duration_ns);
    add_rate(&t, "bytes", p->bytes, PK_WEIGHT_BYTES, result->duration_ns);
    if (result->live_known) add_live_totals(&t, result);
    add_total(&t, "processes", "%zu, %u thread%s", result->processes.count, p->threads,
              p->threads == 1 ? "" : "s");
    add_total(&t, "duration", "%s",
              pk_format_duration(text, sizeof text, (double)result->duration_ns));
    if (result->sampled)
        add_total(&t, "sampled",
                  "one allocation per %s on average; all but calls and bytes are estimates",
                  pk_format_bytes(text, sizeof text, (double)result->sample_bytes));
    return t.n;
}

static bool print_totals(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                         pk_err *err) {
    pk_alloc_total totals[PK_ALLOC_TOTALS_MAX];
    size_t n = pk_alloc_totals(result, totals);
    pk_table *t = pk_table_new("ll");
    for (size_t i = 0; i < n; i++) {
        pk_table_cell(t, PK_BOLD, "%s", totals[i].name);
        pk_table_cell(t, PK_PLAIN, "%s", totals[i].value);
    }
    bool ok = pk_table_write(out, t, 0, view->colour);
    pk_table_free(t);
    if (!ok) pk_fail(err, PK_E_SYS, NULL, "cannot write the totals");
    return ok;
}

static void print_notes(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view) {
    pk_strbuf safe;
    pk_strbuf_init(&safe, NAME_BYTES_MAX);
    if (result->notes.count > 0) fputc('\n', out);
    for (size_t i = 0; i < result->notes.count; i++) {
        const pk_alloc_note *note = &PK_AT(&result->notes, pk_alloc_note, i);
        pk_strbuf_clear(&safe);
        pk_escape_terminal(&safe, note->text, strlen(note->text));
        if (note->fix) {
            pk_strbuf_add_str(&safe, "; ");
            pk_escape_terminal(&safe, note->fix, strlen(note->fix));
        }
        fprintf(out, "%snote:%s %s\n", pk_style_on(view->colour, PK_YELLOW),
                pk_style_off(view->colour, PK_YELLOW), safe.data);
    }
    pk_strbuf_fini(&safe);
}

/* They are the last. */
static void drop_empty(pk_array *rows, pk_alloc_weight sort) {
    while (rows->count > 0 && PK_AT(rows, pk_alloc_row, rows->count - 1).total[sort] == 0)
        rows->count--;
}

bool pk_alloc_text(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                   pk_err *err) {
    static const char *const words[] = {"stack", "function", "object"};
    pk_array rows;
    if (!pk_alloc_rows(result, view->by, view->sort, &rows, err)) return false;
    drop_empty(&rows, view->sort);
    bool ok = true;
    if (view->by == PK_ALLOC_BY_STACK) stacks(out, result, view, &rows);
    else ok = table(out, result, view, &rows, err);
    size_t more = rows.count - rows_shown(&rows, view);
    if (ok && more > 0)
        fprintf(out, "%sand %zu more %s%s\n", view->by == PK_ALLOC_BY_STACK ? "\n" : "", more,
                words[view->by], more == 1 ? "" : "s");
    if (ok && rows.count > 0) fputc('\n', out);
    pk_array_fini(&rows);
    ok = ok && print_totals(out, result, view, err);
    if (ok) print_notes(out, result, view);
    return ok;
}
