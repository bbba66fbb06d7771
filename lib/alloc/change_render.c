#include <math.h>
#include <string.h>

#include "alloc/change.h"
#include "alloc/render_parts.h"
#include "profile/cells.h"
#include "report/escape.h"

#define TAKEN_CELLS 84 /* by what stands before the name, with generous figures */
#define SIGNED_MAX (PK_QUANTITY_MAX + 1)

static const char *const side_words[2] = {"before", "after"};

/* "+1,234", "-12.06 KiB", "0" */
static char *change_text(char out[SIGNED_MAX], pk_alloc_weight weight,
                         const uint64_t values[2][PK_WEIGHTS]) {
    uint64_t a = values[0][weight], b = values[1][weight];
    out[0] = b > a ? '+' : '-';
    pk_alloc_weight_text(out + (a != b), weight, b > a ? b - a : a - b);
    return out;
}

static pk_style change_style(pk_alloc_weight weight, const uint64_t values[2][PK_WEIGHTS]) {
    uint64_t a = values[0][weight], b = values[1][weight];
    return a == b ? PK_DIM : b > a ? PK_RED : PK_GREEN;
}

static void add_change(pk_cells *t, pk_alloc_weight weight, const uint64_t values[2][PK_WEIGHTS]) {
    char text[SIGNED_MAX];
    pk_table_cell(t->table, change_style(weight, values), "%s", change_text(text, weight, values));
}

static void add_weight(pk_cells *t, pk_alloc_weight weight, uint64_t value) {
    char text[PK_QUANTITY_MAX];
    pk_table_cell(t->table, PK_PLAIN, "%s", pk_alloc_weight_text(text, weight, value));
}

/* ---- totals ---- */

static void print_sides(FILE *out, const pk_alloc_changes *c) {
    pk_strbuf safe;
    pk_strbuf_init(&safe, (size_t)1 << 20);
    for (int i = 0; i < 2; i++) {
        pk_strbuf_clear(&safe);
        pk_escape_terminal(&safe, c->names[i], strlen(c->names[i]));
        fprintf(out, "%-6s  %s\n", side_words[i], safe.data);
    }
    pk_strbuf_fini(&safe);
    if (c->sampled) fputs("sampled: figures are estimates\n", out);
    fputc('\n', out);
}

static bool print_totals(FILE *out, const pk_alloc_changes *c, bool colour, pk_err *err) {
    pk_cells t = pk_cells_begin("lrrrr", false, 0, 0, 0);
    static const char *const headings[] = {"", "before", "after", "change", ""};
    for (int i = 0; i < 5; i++) pk_cells_heading(&t, headings[i]);
    for (int i = 0; i < PK_WEIGHTS; i++) {
        const pk_alloc_weight w = (pk_alloc_weight)i;
        if (!c->known[w]) continue;
        pk_table_cell(t.table, PK_PLAIN, "%s", pk_alloc_weight_name(w));
        for (int side = 0; side < 2; side++) add_weight(&t, w, c->all[side][w]);
        add_change(&t, w, c->all);
        if (c->all[0][w] == 0) pk_cells_none(&t, "-");
        else
            pk_table_cell(t.table, change_style(w, c->all), "%+.2f %%",
                          100 * ((double)c->all[1][w] / (double)c->all[0][w] - 1));
    }
    return pk_cells_end(&t, out, colour, err);
}

/* ---- rows ---- */

static size_t rows_shown(const pk_alloc_changes *c, size_t rows) {
    return rows > 0 && rows < c->rows.count ? rows : c->rows.count;
}

static bool has_error(const pk_alloc_changes *c) {
    return c->sampled && (c->sort == PK_WEIGHT_CALLS || c->sort == PK_WEIGHT_BYTES);
}

static bool is_other(const pk_alloc_changes *c, int weight) {
    return weight != (int)c->sort && c->known[weight];
}

static void add_headings(pk_cells *t, const pk_alloc_changes *c) {
    char text[64];
    snprintf(text, sizeof text, "%s, self before", pk_alloc_weight_name(c->sort));
    pk_cells_heading(t, text);
    pk_cells_heading(t, "after");
    pk_cells_heading(t, "change");
    pk_cells_heading(t, "of total");
    if (has_error(c)) pk_cells_heading(t, "error");
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (is_other(c, w)) pk_cells_heading(t, pk_alloc_weight_name((pk_alloc_weight)w));
    pk_cells_heading(t, c->by == PK_ALLOC_BY_STACK    ? "stack"
                        : c->by == PK_ALLOC_BY_OBJECT ? "object"
                                                      : "function");
}

static void add_row(pk_cells *t, const pk_alloc_changes *c, const pk_alloc_change *row) {
    for (int side = 0; side < 2; side++) add_weight(t, c->sort, row->self[side][c->sort]);
    add_change(t, c->sort, row->self);
    add_change(t, c->sort, row->total);
    if (has_error(c)) {
        char text[PK_QUANTITY_MAX];
        double error = c->sort == PK_WEIGHT_CALLS ? row->calls_error : row->bytes_error;
        if (!isfinite(error)) pk_cells_none(t, "-");
        else
            pk_table_cell(t->table, PK_DIM, "\xc2\xb1 %s",
                          pk_alloc_weight_text(text, c->sort, pk_alloc_rounded(error)));
    }
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (is_other(c, w)) add_change(t, (pk_alloc_weight)w, row->self);
    pk_cells_name(t, PK_PLAIN, row->name, "");
}

static bool print_rows(FILE *out, const pk_alloc_changes *c, const pk_alloc_view *view,
                       pk_err *err) {
    char aligns[16] = "rrrr";
    size_t n = strlen(aligns), rows = rows_shown(c, view->rows);
    if (rows == 0) {
        fputs("\nNothing has changed.\n", out);
        return true;
    }
    fputc('\n', out);
    if (has_error(c)) aligns[n++] = 'r';
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (is_other(c, w)) aligns[n++] = 'r';
    aligns[n++] = 'l';
    aligns[n] = '\0';
    pk_cells t = pk_cells_begin(aligns, false, 0, view->width, TAKEN_CELLS);
    add_headings(&t, c);
    for (size_t i = 0; i < rows; i++) add_row(&t, c, &PK_AT(&c->rows, pk_alloc_change, i));
    if (!pk_cells_end(&t, out, view->colour, err)) return false;
    size_t more = c->rows.count - rows;
    if (more > 0) fprintf(out, "and %zu more\n", more);
    return true;
}

bool pk_alloc_changes_text(FILE *out, const pk_alloc_changes *changes, const pk_alloc_view *view,
                           pk_err *err) {
    print_sides(out, changes);
    return print_totals(out, changes, view->colour, err) && print_rows(out, changes, view, err);
}

/* ---- JSON ---- */

static void add_weights(pk_json *o, const char *key, const pk_alloc_changes *c,
                        const uint64_t weights[PK_WEIGHTS]) {
    pk_json *row = pk_json_object(o, key);
    for (int w = 0; w < PK_WEIGHTS; w++) {
        const char *name = pk_alloc_weight_name((pk_alloc_weight)w);
        pk_json_uint_if(row, name, c->known[w], weights[w]);
    }
}

static void add_json_row(pk_json *o, const pk_alloc_changes *c, const pk_alloc_change *row) {
    pk_json_text(o, "name", row->name);
    for (int side = 0; side < 2; side++) {
        pk_json *at = pk_json_object(o, side_words[side]);
        add_weights(at, "self", c, row->self[side]);
        add_weights(at, "total", c, row->total[side]);
    }
    if (!c->sampled) return;
    pk_json_double(o, "calls_error", row->calls_error);
    pk_json_double(o, "bytes_error", row->bytes_error);
}

pk_json *pk_alloc_changes_json(const pk_alloc_changes *changes, size_t rows, pk_err *err) {
    static const char *const words[] = {"stack", "function", "object"};
    pk_json *o = pk_json_document("alloc-compare/1");
    if (!o) {
        pk_alloc_no_memory(err);
        return NULL;
    }
    for (int side = 0; side < 2; side++) {
        pk_json *at = pk_json_object(o, side_words[side]);
        pk_json_text(at, "name", changes->names[side]);
        add_weights(at, "total", changes, changes->all[side]);
    }
    pk_json_bool(o, "sampled", changes->sampled);
    pk_json_text(o, "by", words[changes->by]);
    pk_json_text(o, "sorted_by", pk_alloc_weight_name(changes->sort));
    pk_json *all = pk_json_array(o, "changes");
    for (size_t i = 0; i < rows_shown(changes, rows); i++)
        add_json_row(pk_json_object(all, NULL), changes,
                     &PK_AT(&changes->rows, pk_alloc_change, i));
    return o;
}
