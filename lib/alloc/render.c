/* Weights, and the tables of stacks, functions and objects that several renderers show. */
#include "alloc/render_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "profile/functions.h"
#include "report/quantity.h"

#define ROWS_MAX ((size_t)PK_STACK_NODES_MAX)

const char *pk_alloc_weight_name(pk_alloc_weight weight) {
    static const char *const names[PK_WEIGHTS] = {"calls", "bytes", "peak", "leaked", "temporary"};
    return names[weight];
}

bool pk_alloc_weight_known(const pk_alloc_result *result, pk_alloc_weight weight) {
    return result->live_known || weight == PK_WEIGHT_CALLS || weight == PK_WEIGHT_BYTES;
}

bool pk_alloc_need_weight(const pk_alloc_result *result, pk_alloc_weight weight, pk_err *err) {
    if (pk_alloc_weight_known(result, weight)) return true;
    pk_fail(err, PK_E_USAGE, NULL, "%s is not known: frees were not followed",
            pk_alloc_weight_name(weight));
    pk_fix(err, "record with frees, or show calls or bytes");
    return false;
}

bool pk_alloc_no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to show what was allocated");
    return false;
}

bool pk_alloc_tree_ready(pk_alloc_result *result, pk_err *err) {
    pk_stack_tree_sum(&result->tree);
    return pk_stack_tree_sort(&result->tree, err);
}

void pk_alloc_weights_of(const pk_alloc_stack *stack, uint64_t weights[PK_WEIGHTS]) {
    weights[PK_WEIGHT_CALLS] = stack->calls;
    weights[PK_WEIGHT_BYTES] = stack->bytes;
    weights[PK_WEIGHT_PEAK] = stack->peak_bytes;
    weights[PK_WEIGHT_LEAKED] = stack->leaked_bytes;
    weights[PK_WEIGHT_TEMPORARY] = stack->temporary;
}

bool pk_alloc_tree_of(const pk_alloc_result *result, pk_alloc_weight weight, pk_stack_tree *tree,
                      pk_err *err) {
    if (!pk_alloc_need_weight(result, weight, err)) return false;
    size_t n = result->tree.nodes.count;
    pk_stack_node *nodes = calloc(n ? n : 1, sizeof *nodes);
    if (!nodes) return pk_alloc_no_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        nodes[i] = *pk_node(&result->tree, i);
        nodes[i].self[0] = nodes[i].self[weight];
        nodes[i].total[0] = nodes[i].total[weight];
    }
    *tree = result->tree;
    tree->n_weights = 1;
    tree->slots = NULL;
    tree->n_slots = 0;
    tree->nodes.items = nodes;
    tree->nodes.capacity = n;
    return true;
}

const char *pk_alloc_called(const pk_alloc_result *result, const pk_alloc_stack *stack) {
    return pk_names_text(result->names, pk_node(&result->tree, stack->node)->name, NULL);
}

/* ---- texts ---- */

char *pk_alloc_grouped(char *out, size_t size, uint64_t value) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t at = 0;
    for (int i = 0; i < n && at + 2 < size; i++) {
        if (i > 0 && (n - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

char *pk_alloc_weight_text(char *out, pk_alloc_weight weight, uint64_t value) {
    if (pk_alloc_weight_is_bytes(weight))
        return pk_format_bytes(out, PK_QUANTITY_MAX, (double)value);
    return pk_alloc_grouped(out, PK_QUANTITY_MAX, value);
}

void pk_alloc_add_stack_text(const pk_stack_tree *tree, uint32_t node, uint32_t *path,
                             pk_strbuf *out) {
    size_t depth = pk_stack_tree_path(tree, node, path);
    for (size_t i = 0; i < depth; i++) {
        if (i > 0) pk_strbuf_add_char(out, ';');
        pk_strbuf_add_str(out, pk_names_text(tree->names, path[i], NULL));
    }
}

/* ---- stacks ---- */

static bool stack_rows(const pk_alloc_result *result, pk_array *rows) {
    const pk_stack_tree *tree = &result->tree;
    uint32_t *row_of = calloc(tree->nodes.count, sizeof *row_of);
    bool ok = row_of != NULL;
    for (size_t i = 0; ok && i < result->stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&result->stacks, pk_alloc_stack, i);
        pk_alloc_row *row = NULL;
        if (row_of[s->node]) row = &PK_AT(rows, pk_alloc_row, row_of[s->node] - 1);
        else {
            row = pk_array_push(rows);
            ok = row != NULL;
            if (!ok) break;
            *row = (pk_alloc_row){.name = PK_NAME_NONE, .node = s->node};
            row_of[s->node] = (uint32_t)rows->count;
        }
        uint64_t weights[PK_WEIGHTS];
        pk_alloc_weights_of(s, weights);
        for (int w = 0; w < PK_WEIGHTS; w++) {
            row->self[w] += weights[w];
            row->total[w] += weights[w];
        }
        row->calls_error = hypot(row->calls_error, s->calls_error);
        row->bytes_error = hypot(row->bytes_error, s->bytes_error);
    }
    free(row_of);
    return ok;
}

/* ---- functions and objects ---- */

static bool is_new(const char *name) {
    static const char prefix[] = "operator new";
    return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

/* The functions of a stack, without the program and what was called; that alone where there is
 * nothing else. */
static size_t functions_path(const pk_alloc_result *result, const pk_alloc_stack *s,
                             uint32_t *path) {
    size_t n = pk_stack_tree_path(&result->tree, s->node, path);
    size_t end = n > 0 ? n - 1 : 0;
    while (end > 1 && is_new(pk_names_text(result->names, path[end - 1], NULL))) end--;
    if (end <= 1) {
        if (n > 0) path[0] = path[n - 1];
        return n > 0 ? 1 : 0;
    }
    memmove(path, path + 1, (end - 1) * sizeof *path);
    return end - 1;
}

static uint32_t object_name(const pk_alloc_result *result, const pk_alloc_place *place) {
    const char *text = place->object ? place->object : "[unknown]";
    return pk_names_intern(result->names, text, strlen(text));
}

/* The objects that a stack leads through, each once for a row of frames in it. */
static size_t objects_path(const pk_alloc_result *result, const pk_alloc_stack *s, uint32_t *path) {
    uint32_t first = 1, n_places = s->n_frames + 1;
    while (first < n_places) {
        const char *symbol = pk_alloc_place_of(result, s, first)->symbol;
        if (!symbol || !is_new(symbol)) break;
        first++;
    }
    if (first == n_places) first = 0;
    size_t n = 0;
    for (uint32_t i = n_places; i-- > first;) {
        uint32_t name = object_name(result, pk_alloc_place_of(result, s, i));
        if (n == 0 || path[n - 1] != name) path[n++] = name;
    }
    return n;
}

typedef struct grouping {
    const pk_alloc_result *result;
    pk_alloc_by by;
    pk_stack_tree tree; /* of what a row is for, PK_WEIGHTS weights */
    uint32_t *path;
    pk_array functions; /* pk_function */
} grouping;

static size_t path_of(const grouping *g, const pk_alloc_stack *s) {
    return g->by == PK_ALLOC_BY_OBJECT ? objects_path(g->result, s, g->path)
                                       : functions_path(g->result, s, g->path);
}

static const pk_alloc_stack *stack_at(const grouping *g, size_t i) {
    return &PK_AT(&g->result->stacks, pk_alloc_stack, i);
}

static bool group(grouping *g, pk_err *err) {
    for (size_t i = 0; i < g->result->stacks.count; i++) {
        uint64_t weights[PK_WEIGHTS];
        pk_alloc_weights_of(stack_at(g, i), weights);
        size_t n = path_of(g, stack_at(g, i));
        for (size_t k = 0; k < n; k++)
            if (g->path[k] == PK_NAME_NONE) return pk_alloc_no_memory(err);
        if (pk_stack_tree_add(&g->tree, g->path, n, weights, err) == PK_NODE_NONE) return false;
    }
    pk_stack_tree_sum(&g->tree);
    return pk_functions(&g->tree, &g->functions, err);
}

/* Stacks are sampled apart from each other: variances add up. A stack counts once for a name. */
static void add_errors(const grouping *g, pk_alloc_row *const row_of[], size_t seen[]) {
    for (size_t i = 0; i < g->result->stacks.count; i++) {
        const pk_alloc_stack *s = stack_at(g, i);
        size_t n = path_of(g, s);
        for (size_t k = 0; k < n; k++) {
            pk_alloc_row *row = row_of[g->path[k]];
            if (!row || seen[g->path[k]] == i + 1) continue;
            seen[g->path[k]] = i + 1;
            row->calls_error = hypot(row->calls_error, s->calls_error);
            row->bytes_error = hypot(row->bytes_error, s->bytes_error);
        }
    }
}

static bool rows_of_groups(const grouping *g, pk_array *rows) {
    size_t n_names = pk_names_count(g->result->names);
    pk_alloc_row **row_of = calloc(n_names + 1, sizeof(pk_alloc_row *));
    size_t *seen = calloc(n_names + 1, sizeof *seen);
    bool ok = row_of && seen;
    for (size_t i = 0; ok && i < g->functions.count; i++) {
        const pk_function *f = &PK_AT(&g->functions, pk_function, i);
        if (f->name == PK_NAME_NONE) continue;
        pk_alloc_row *row = pk_array_push(rows);
        ok = row != NULL;
        if (!ok) break;
        *row = (pk_alloc_row){.name = f->name, .node = PK_NODE_NONE};
        memcpy(row->self, f->self, sizeof row->self);
        memcpy(row->total, f->total, sizeof row->total);
    }
    for (size_t i = 0; ok && i < rows->count; i++) {
        pk_alloc_row *row = &PK_AT(rows, pk_alloc_row, i); /* it moves no more */
        row_of[row->name] = row;
    }
    if (ok && g->result->sampled) add_errors(g, row_of, seen);
    free(row_of);
    free(seen);
    return ok;
}

static bool grouped_rows(const pk_alloc_result *result, pk_alloc_by by, pk_array *rows,
                         pk_err *err) {
    grouping g = {.result = result, .by = by, .functions = PK_ARRAY(pk_function, 1)};
    g.path = calloc(PK_STACK_DEPTH_MAX, sizeof *g.path);
    if (!g.path) return pk_alloc_no_memory(err);
    bool made = pk_stack_tree_init(&g.tree, result->names, PK_WEIGHTS, false, err);
    bool ok = made && group(&g, err);
    if (ok && !rows_of_groups(&g, rows)) ok = pk_alloc_no_memory(err);
    if (made) pk_stack_tree_fini(&g.tree);
    pk_array_fini(&g.functions);
    free(g.path);
    return ok;
}

/* ---- in order ---- */

typedef struct order {
    const pk_alloc_result *result;
    pk_alloc_weight weight;
} order;

static int by_path(const pk_stack_tree *tree, uint32_t a, uint32_t b) {
    while (pk_node(tree, a)->depth > pk_node(tree, b)->depth) a = pk_node(tree, a)->parent;
    while (pk_node(tree, b)->depth > pk_node(tree, a)->depth) b = pk_node(tree, b)->parent;
    if (a == b) return 0; /* one begins with the other */
    while (pk_node(tree, a)->parent != pk_node(tree, b)->parent) {
        a = pk_node(tree, a)->parent;
        b = pk_node(tree, b)->parent;
    }
    return strcmp(pk_names_text(tree->names, pk_node(tree, a)->name, NULL),
                  pk_names_text(tree->names, pk_node(tree, b)->name, NULL));
}

static int by_name(const order *o, const pk_alloc_row *a, const pk_alloc_row *b) {
    if (a->name != PK_NAME_NONE)
        return strcmp(pk_names_text(o->result->names, a->name, NULL),
                      pk_names_text(o->result->names, b->name, NULL));
    int paths = by_path(&o->result->tree, a->node, b->node);
    uint32_t x = pk_node(&o->result->tree, a->node)->depth;
    uint32_t y = pk_node(&o->result->tree, b->node)->depth;
    return paths != 0 ? paths : (x > y) - (x < y);
}

static int compare(const void *a, const void *b, void *context) {
    const pk_alloc_row *x = a, *y = b;
    const order *o = context;
    uint64_t p = x->self[o->weight], q = y->self[o->weight];
    if (p == q) {
        p = x->total[o->weight];
        q = y->total[o->weight];
    }
    return p != q ? (p < q ? 1 : -1) : by_name(o, x, y);
}

bool pk_alloc_rows(const pk_alloc_result *result, pk_alloc_by by, pk_alloc_weight sort,
                   pk_array *rows, pk_err *err) {
    if (!pk_alloc_need_weight(result, sort, err)) return false;
    *rows = PK_ARRAY(pk_alloc_row, ROWS_MAX);
    bool ok = true;
    if (by != PK_ALLOC_BY_STACK) ok = grouped_rows(result, by, rows, err);
    else if (!stack_rows(result, rows)) ok = pk_alloc_no_memory(err);
    order o = {.result = result, .weight = sort};
    if (ok && rows->count > 1) qsort_r(rows->items, rows->count, sizeof(pk_alloc_row), compare, &o);
    if (!ok) pk_array_fini(rows);
    return ok;
}
