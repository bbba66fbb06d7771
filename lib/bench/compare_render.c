/* The table of stored results: columns are what was compared, rows are benchmarks. */
#include "bench/compare.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "bench/criterion_units.h"
#include "bench/words.h"
#include "report/colour.h"
#include "report/escape.h"
#include "report/json.h"
#include "report/table.h"

enum { TEXT_BYTES_MAX = 64 << 10, COLUMNS_MAX = 60 };

static bool has_throughput(const pk_compare_table *t) {
    for (size_t i = 0; i < t->n_rows; i++)
        for (size_t k = 0; k < t->n_columns; k++)
            if (t->rows[i].cells[k].result && t->rows[i].cells[k].result->throughput.given)
                return true;
    return false;
}

/* The change of a row, where two columns have it. The results stand in the order of the rows. */
static const pk_bench_result *change_of(const pk_compare_table *t, const char *id) {
    for (size_t i = 0; i < t->changes.n_results; i++)
        if (strcmp(t->changes.results[i].id, id) == 0) return &t->changes.results[i];
    return NULL;
}

static void add_escaped(pk_table *table, pk_style style, const char *text) {
    pk_strbuf safe;
    pk_strbuf_init(&safe, TEXT_BYTES_MAX);
    pk_escape_terminal(&safe, text, strlen(text));
    pk_table_cell(table, style, "%s", safe.data);
    pk_strbuf_fini(&safe);
}

static void add_ratio(pk_table *table, double ratio) {
    pk_style style = ratio <= 1 ? PK_GREEN : PK_PLAIN;
    if (isfinite(ratio)) pk_table_cell(table, style, "%.2f", ratio);
    else pk_table_cell(table, PK_DIM, "-");
}

static void add_cell(pk_table *table, const pk_compare_cell *cell, bool throughput) {
    const pk_bench_result *r = cell->result;
    char text[PK_WORDS_MAX];
    add_ratio(table, cell->ratio);
    if (r)
        pk_table_cell(table, PK_PLAIN, "%s",
                      pk_words_time(text, sizeof text, r->typical.point,
                                    (r->typical.high - r->typical.low) / 2));
    else pk_table_cell(table, PK_DIM, "-");
    if (!throughput) return;
    const pk_bench_throughput *p = r && r->throughput.given ? &r->throughput : NULL;
    if (p)
        pk_table_cell(table, PK_PLAIN, "%s",
                      (p->bytes ? pk_criterion_bytes_rate : pk_criterion_elements_rate)(
                          text, sizeof text, p->per_iteration, r->typical.point));
    else pk_table_cell(table, PK_DIM, "-");
}

static void add_verdict(pk_table *table, const pk_bench_result *change) {
    static const pk_style styles[] = {[PK_CANNOT_TELL] = PK_YELLOW,
                                      [PK_REGRESSED] = PK_RED,
                                      [PK_IMPROVED] = PK_GREEN,
                                      [PK_NO_CHANGE] = PK_PLAIN};
    char text[PK_WORDS_MAX];
    if (!change) pk_table_cell(table, PK_DIM, "-");
    else
        pk_table_cell(table, styles[change->change.verdict.word], "%s",
                      pk_words_verdict(text, sizeof text, change));
}

static void add_head(pk_table *table, const pk_compare_table *t, bool throughput, bool verdicts) {
    pk_table_cell(table, PK_BOLD, "benchmark");
    for (size_t k = 0; k < t->n_columns; k++) {
        pk_table_cell(table, PK_BOLD, "%s", "");
        add_escaped(table, PK_BOLD, t->names[k]);
        if (throughput) pk_table_cell(table, PK_BOLD, "%s", "");
    }
    if (verdicts) pk_table_cell(table, PK_BOLD, "verdict");
}

static void add_means(pk_table *table, const pk_compare_table *t, bool throughput, bool verdicts) {
    pk_table_cell(table, PK_DIM, "geometric mean of %zu", t->n_common);
    for (size_t k = 0; k < t->n_columns; k++) {
        add_ratio(table, t->means[k]);
        pk_table_cell(table, PK_PLAIN, "%s", "");
        if (throughput) pk_table_cell(table, PK_PLAIN, "%s", "");
    }
    if (verdicts) pk_table_cell(table, PK_PLAIN, "%s", "");
}

/* "l", then "rr" or "rrr" for each column, then "l" for the verdict. */
static void alignments(char *out, size_t n_columns, bool throughput, bool verdicts) {
    char *p = out;
    *p++ = 'l';
    for (size_t k = 0; k < n_columns; k++) {
        *p++ = 'r';
        *p++ = 'r';
        if (throughput) *p++ = 'r';
    }
    if (verdicts) *p++ = 'l';
    *p = '\0';
}

void pk_compare_render_text(FILE *out, const pk_compare_table *t, bool colour) {
    char aligns[3 * COLUMNS_MAX + 3];
    bool throughput = has_throughput(t), verdicts = t->n_columns == 2;
    alignments(aligns, t->n_columns, throughput, verdicts);
    pk_table *table = pk_table_new(aligns);
    add_head(table, t, throughput, verdicts);
    for (size_t i = 0; i < t->n_rows; i++) {
        add_escaped(table, PK_PLAIN, t->rows[i].id);
        for (size_t k = 0; k < t->n_columns; k++) add_cell(table, &t->rows[i].cells[k], throughput);
        if (verdicts) add_verdict(table, change_of(t, t->rows[i].id));
    }
    if (t->n_common > 1) add_means(table, t, throughput, verdicts);
    if (!pk_table_write(out, table, 0, colour) && !ferror(out))
        fputs("out of memory for the table\n", out);
    pk_table_free(table);
    if (t->n_hidden)
        fprintf(out, "%zu row%s left out: within the threshold\n", t->n_hidden,
                t->n_hidden == 1 ? "" : "s");
}

/* ---- JSON ---- */

static void add_change(pk_json *row, const pk_bench_result *r) {
    if (!r) {
        pk_json_null(row, "change");
        return;
    }
    const pk_bench_change *c = &r->change;
    pk_json *o = pk_json_object(row, "change");
    pk_json_text(o, "verdict", pk_verdict_name(c->verdict.word));
    pk_json_double(o, "point", c->ratio.point);
    pk_json_double(o, "low", c->ratio.low);
    pk_json_double(o, "high", c->ratio.high);
    pk_json_bool(o, "normalised", c->normalised);
    pk_json_bool(o, "identical_code", c->identical_code);
    pk_json_text(o, "refused", c->refused[0] ? c->refused : NULL);
}

static void add_json_cell(pk_json *cells, const pk_compare_cell *cell) {
    const pk_bench_result *r = cell->result;
    if (!r) {
        pk_json_null(cells, NULL);
        return;
    }
    pk_json *o = pk_json_object(cells, NULL);
    pk_json_double(o, "point", r->typical.point);
    pk_json_double(o, "low", r->typical.low);
    pk_json_double(o, "high", r->typical.high);
    pk_json_double(o, "ratio", cell->ratio);
    pk_json_uint(o, "workers", r->n_workers);
    pk_json_text(o, "artefact", r->artefact && r->artefact[0] ? r->artefact : NULL);
}

bool pk_compare_render_json(FILE *out, const pk_compare_table *t, pk_err *err) {
    pk_json *document = pk_json_document("compare/1");
    pk_json *columns = pk_json_array(document, "columns");
    for (size_t k = 0; k < t->n_columns; k++) pk_json_text(columns, NULL, t->names[k]);
    pk_json *rows = pk_json_array(document, "rows");
    for (size_t i = 0; i < t->n_rows; i++) {
        pk_json *row = pk_json_object(rows, NULL);
        pk_json_text(row, "id", t->rows[i].id);
        pk_json *cells = pk_json_array(row, "cells");
        for (size_t k = 0; k < t->n_columns; k++) add_json_cell(cells, &t->rows[i].cells[k]);
        pk_json_double(row, "spread", t->rows[i].spread);
        add_change(row, change_of(t, t->rows[i].id));
    }
    pk_json *means = pk_json_array(document, "geometric_means");
    for (size_t k = 0; k < t->n_columns; k++) pk_json_double(means, NULL, t->means[k]);
    pk_json_uint(document, "rows_in_means", t->n_common);
    pk_json_uint(document, "rows_hidden", t->n_hidden);
    bool ok = pk_json_write(out, document, err);
    pk_json_free(document);
    return ok;
}
