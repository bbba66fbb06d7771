#include "profile/difference.h"

#include <math.h>
#include <string.h>

#include "base/units.h"
#include "profile/cells.h"

#define TAKEN_CELLS 100 /* by what stands before the name, with generous figures */
#define SIGMAS_95 1.96  /* of the normal distribution, around 95 % */

static const char *const side_words[2] = {"before", "after"};

static uint64_t all_of(const pk_stack_tree *tree, int side) {
    return pk_node(tree, PK_NODE_ROOT)->total[side];
}

static size_t rows_of(const pk_array *changes, const pk_difference_view *view) {
    return view->rows > 0 && view->rows < changes->count ? view->rows : changes->count;
}

/* ---- text ---- */

static void write_side(FILE *out, const pk_stack_tree *tree, const pk_side sides[2], int i) {
    char text[PK_FORMAT_MAX];
    const pk_side *s = &sides[i];
    uint64_t all = all_of(tree, i);
    bool counted = s->samples == all && !s->weight_is_time; /* the weights are samples */
    const char *unit = s->unit && strcmp(s->unit, "samples") != 0 ? s->unit : "in weight";
    fprintf(out, "%-6s  %s: ", side_words[i], s->name);
    if (s->weight_is_time) fprintf(out, "%s", pk_format_duration(text, sizeof text, (double)all));
    else fprintf(out, "%llu %s", (unsigned long long)all, counted ? "samples" : unit);
    if (s->samples > 0 && !counted) fprintf(out, ", %llu samples", (unsigned long long)s->samples);
    if (s->samples == 0) fputs(", how many samples that is is not known", out);
    if (s->duration_ns > 0)
        fprintf(out, ", recorded for %s",
                pk_format_duration(text, sizeof text, (double)s->duration_ns));
    putc('\n', out);
}

/* In points, with the half width of the interval in which it is with 95 %. */
static void add_points(pk_cells *t, const pk_share_change *c) {
    bool absent = c->before == 0 && c->after == 0;
    if (!isfinite(c->change) || absent) pk_cells_none(t, "-");
    else if (isfinite(c->error))
        pk_table_cell(t->table, PK_PLAIN, "%+.2f +- %.2f", 100 * c->change,
                      100 * SIGMAS_95 * c->error);
    else pk_table_cell(t->table, PK_PLAIN, "%+.2f", 100 * c->change);
}

static void add_word(pk_cells *t, const pk_function_change *c, const pk_share_change *by) {
    if (isnan(by->p)) pk_cells_none(t, "-");
    else if (!c->significant) pk_cells_none(t, "may be chance");
    else
        pk_table_cell(t->table, by->change > 0 ? PK_RED : PK_GREEN,
                      by->change > 0 ? "more" : "less");
}

static void add_change(pk_cells *t, const pk_names *names, const pk_function_change *c,
                       pk_function_order order) {
    bool self = order == PK_BY_SELF;
    const pk_share_change *by = self ? &c->self_share : &c->total_share;
    const uint64_t *weights = self ? c->self : c->total;
    pk_cells_weight(t, weights[0]);
    pk_cells_share(t, by->before);
    pk_cells_weight(t, weights[1]);
    pk_cells_share(t, by->after);
    add_points(t, by);
    add_points(t, self ? &c->total_share : &c->self_share);
    add_word(t, c, by);
    pk_cells_name(t, PK_PLAIN, pk_names_text(names, c->name, NULL), "");
}

static bool write_changes(FILE *out, const pk_stack_tree *tree, const pk_side sides[2],
                          const pk_difference_view *view, const pk_array *changes, pk_err *err) {
    bool self = view->order == PK_BY_SELF;
    uint64_t largest = all_of(tree, 0) > all_of(tree, 1) ? all_of(tree, 0) : all_of(tree, 1);
    pk_cells t = pk_cells_begin("rrrrrrll", sides[0].weight_is_time && sides[1].weight_is_time,
                                largest, view->width, TAKEN_CELLS);
    size_t rows = rows_of(changes, view);
    if (rows > 0) {
        pk_cells_weight_heading(&t, self ? "self before" : "total before");
        pk_cells_heading(&t, "");
        pk_cells_weight_heading(&t, "after");
        pk_cells_heading(&t, "");
        pk_cells_heading(&t, self ? "self points" : "total points");
        pk_cells_heading(&t, self ? "total points" : "self points");
        pk_cells_heading(&t, "");
        pk_cells_heading(&t, "function");
    }
    for (size_t i = 0; i < rows; i++)
        add_change(&t, tree->names, &PK_AT(changes, pk_function_change, i), view->order);
    if (!pk_cells_end(&t, out, view->colour, err)) return false;
    size_t more = changes->count - rows;
    if (more > 0) fprintf(out, "and %zu more function%s\n", more, more == 1 ? "" : "s");
    return true;
}

bool pk_difference_text(FILE *out, const pk_stack_tree *tree, const pk_side sides[2],
                        const pk_difference_view *view, pk_err *err) {
    pk_array changes = PK_ARRAY(pk_function_change, 1);
    if (!pk_difference_functions(tree, sides, view->order, view->alpha, &changes, err))
        return false;
    for (int i = 0; i < 2; i++) write_side(out, tree, sides, i);
    bool ok = write_changes(out, tree, sides, view, &changes, err);
    pk_array_fini(&changes);
    return ok;
}

/* ---- JSON ---- */

static void add_side(pk_json *document, const pk_stack_tree *tree, const pk_side *side, int i) {
    pk_json *s = pk_json_object(document, side_words[i]);
    pk_json_text(s, "name", side->name);
    pk_json_text(s, "unit", side->unit);
    pk_json_uint(s, "weight", all_of(tree, i));
    pk_json_uint_if(s, "samples", side->samples > 0, side->samples);
    pk_json_uint_if(s, "duration_ns", side->duration_ns > 0, side->duration_ns);
}

static void add_share(pk_json *parent, const char *key, const uint64_t weights[2],
                      const pk_share_change *c) {
    pk_json *s = pk_json_object(parent, key);
    pk_json_uint(s, "before", weights[0]);
    pk_json_uint(s, "after", weights[1]);
    pk_json_double(s, "share_before", c->before);
    pk_json_double(s, "share_after", c->after);
    pk_json_double(s, "change", c->change);
    pk_json_double(s, "standard_error", c->error);
    pk_json_double(s, "p", c->p);
}

pk_json *pk_difference_json(const pk_stack_tree *tree, const pk_side sides[2],
                            const pk_difference_view *view, pk_err *err) {
    pk_array changes = PK_ARRAY(pk_function_change, 1);
    if (!pk_difference_functions(tree, sides, view->order, view->alpha, &changes, err)) return NULL;
    pk_json *document = pk_json_document("flame-compare/1");
    for (int i = 0; i < 2; i++) add_side(document, tree, &sides[i], i);
    pk_json_text(document, "order", view->order == PK_BY_SELF ? "self" : "total");
    pk_json_double(document, "level", view->alpha);
    pk_json_uint(document, "functions_in_all", changes.count);
    pk_json *functions = pk_json_array(document, "functions");
    for (size_t i = 0; i < rows_of(&changes, view); i++) {
        const pk_function_change *c = &PK_AT(&changes, pk_function_change, i);
        pk_json *row = pk_json_object(functions, NULL);
        pk_json_text(row, "name", pk_names_text(tree->names, c->name, NULL));
        add_share(row, "self", c->self, &c->self_share);
        add_share(row, "total", c->total, &c->total_share);
        if (isnan(c->self_share.p)) pk_json_null(row, "significant");
        else pk_json_bool(row, "significant", c->significant);
    }
    pk_array_fini(&changes);
    if (!document) pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the JSON document");
    return document;
}
