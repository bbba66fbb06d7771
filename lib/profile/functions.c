#include "profile/functions.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_MAX (64u << 20) /* names there can be */

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the table of functions");
    return false;
}

static void add_weights(uint64_t sum[], const uint64_t weights[], unsigned n) {
    for (unsigned w = 0; w < n; w++)
        if (__builtin_add_overflow(sum[w], weights[w], &sum[w])) sum[w] = UINT64_MAX;
}

static void empty(pk_array *array) {
    pk_array_fini(array);
    *array = PK_ARRAY(pk_function, FUNCTIONS_MAX);
}

/* ---- self and total ---- */

typedef struct tally {
    pk_function figures;
    uint32_t active; /* how often it is on the way from the root to where we are */
    bool seen;
} tally;

static void enter(const pk_stack_tree *tree, uint32_t at, tally *tallies) {
    const pk_stack_node *node = pk_node(tree, at);
    if (node->name == PK_NAME_NONE) return; /* the root, or a gap */
    tally *t = &tallies[node->name];
    t->seen = true;
    add_weights(t->figures.self, node->self, tree->n_weights);
    if (t->active++ == 0) add_weights(t->figures.total, node->total, tree->n_weights);
}

static void leave(const pk_stack_tree *tree, uint32_t at, tally *tallies) {
    uint32_t name = pk_node(tree, at)->name;
    if (name != PK_NAME_NONE) tallies[name].active--;
}

/* Depth first, so that it is known which functions are above. */
static void visit_all(const pk_stack_tree *tree, tally *tallies) {
    uint32_t at = PK_NODE_ROOT;
    for (;;) {
        enter(tree, at, tallies);
        uint32_t next = pk_node(tree, at)->first_child;
        while (next == PK_NODE_NONE) {
            leave(tree, at, tallies);
            if (at == PK_NODE_ROOT) return;
            next = pk_node(tree, at)->next;
            if (next == PK_NODE_NONE) at = pk_node(tree, at)->parent;
        }
        at = next;
    }
}

bool pk_functions(const pk_stack_tree *tree, pk_array *functions, pk_err *err) {
    uint32_t n = pk_names_count(tree->names);
    tally *tallies = calloc(n ? n : 1, sizeof *tallies);
    if (!tallies) return no_memory(err);
    visit_all(tree, tallies);
    empty(functions);
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++) {
        if (!tallies[i].seen) continue;
        pk_function *f = pk_array_push(functions);
        ok = f != NULL;
        if (!ok) break;
        *f = tallies[i].figures;
        f->name = i;
    }
    free(tallies);
    return ok ? true : no_memory(err);
}

/* ---- order ---- */

typedef struct order {
    const pk_names *names;
    pk_function_order by;
    unsigned weight;
} order;

static int heavier_first(uint64_t a, uint64_t b) {
    return (a < b) - (a > b);
}

static int by_weight(const void *a, const void *b, void *context) {
    const pk_function *x = a, *y = b;
    const order *o = context;
    int self = heavier_first(x->self[o->weight], y->self[o->weight]);
    int total = heavier_first(x->total[o->weight], y->total[o->weight]);
    int first = o->by == PK_BY_SELF ? self : total, second = o->by == PK_BY_SELF ? total : self;
    if (first != 0 || second != 0) return first != 0 ? first : second;
    if (x->name == PK_NAME_NONE || y->name == PK_NAME_NONE)
        return (x->name == PK_NAME_NONE) - (y->name == PK_NAME_NONE);
    return strcmp(pk_names_text(o->names, x->name, NULL), pk_names_text(o->names, y->name, NULL));
}

void pk_functions_sort(pk_array *functions, const pk_names *names, pk_function_order by,
                       unsigned weight) {
    order o = {names, by, weight};
    if (functions->count > 1)
        qsort_r(functions->items, functions->count, functions->item_bytes, by_weight, &o);
}

/* ---- one function and what is next to it ---- */

static size_t choose(const pk_names *names, const char *text, bool whole, bool *chosen) {
    size_t n = 0;
    for (uint32_t i = 0; i < pk_names_count(names); i++) {
        const char *name = pk_names_text(names, i, NULL);
        chosen[i] = whole ? strcmp(name, text) == 0 : strstr(name, text) != NULL;
        n += chosen[i];
    }
    return n;
}

bool pk_functions_named(const pk_names *names, const char *text, bool **chosen, size_t *n,
                        pk_err *err) {
    uint32_t count = pk_names_count(names);
    bool *mine = calloc(count ? count : 1, sizeof *mine);
    if (!mine) return no_memory(err);
    size_t found = choose(names, text, true, mine);
    if (found == 0) found = choose(names, text, false, mine);
    if (found == 0) {
        free(mine);
        pk_fail(err, PK_E_INPUT, NULL, "no function in this profile has \"%s\" in its name", text);
        pk_fix(err, "--top lists the functions there are");
        return false;
    }
    *chosen = mine;
    *n = found;
    return true;
}

/* What a chosen function has above and below in the stack that ends at a node. */
typedef struct around {
    uint32_t caller; /* node before the outermost chosen one; NODE_NONE: there is no chosen one */
    uint32_t callee; /* node behind the innermost one, or that one itself: nothing is behind */
} around;

static bool is_chosen(const pk_stack_tree *tree, const bool chosen[], uint32_t node) {
    uint32_t name = pk_node(tree, node)->name;
    return name != PK_NAME_NONE && chosen[name];
}

/* Parents have smaller numbers than their children, so one pass does. */
static void look_around(const pk_stack_tree *tree, const bool chosen[], around *at) {
    at[PK_NODE_ROOT] = (around){PK_NODE_NONE, PK_NODE_NONE};
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        const pk_stack_node *node = pk_node(tree, i);
        at[i] = at[node->parent];
        if (is_chosen(tree, chosen, i)) {
            at[i].callee = i;
            if (at[i].caller == PK_NODE_NONE) at[i].caller = node->parent;
        } else if (at[i].caller != PK_NODE_NONE && at[i].callee == node->parent &&
                   is_chosen(tree, chosen, node->parent) && node->name != PK_NAME_NONE) {
            at[i].callee = i;
        }
    }
}

/* By name; the last one is for no name. */
static bool gather(const pk_function *sums, uint32_t n, pk_array *out) {
    empty(out);
    for (uint32_t i = 0; i <= n; i++) {
        bool any = false;
        for (unsigned w = 0; w < PK_STACK_WEIGHTS_MAX; w++) any = any || sums[i].total[w] > 0;
        if (!any) continue;
        pk_function *f = pk_array_push(out);
        if (!f) return false;
        *f = sums[i];
        f->name = i < n ? i : PK_NAME_NONE;
    }
    return true;
}

static pk_function *sum_of(pk_function *sums, uint32_t n, uint32_t name) {
    return &sums[name == PK_NAME_NONE ? n : name];
}

static void add_up(const pk_stack_tree *tree, const bool chosen[], const around *at, uint32_t n,
                   pk_function *callers, pk_function *callees, pk_function *of) {
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        const pk_stack_node *node = pk_node(tree, i);
        if (at[i].caller == PK_NODE_NONE) continue;
        uint32_t callee = is_chosen(tree, chosen, at[i].callee) ? PK_NAME_NONE
                                                                : pk_node(tree, at[i].callee)->name;
        uint32_t caller = pk_node(tree, at[i].caller)->name;
        add_weights(sum_of(callers, n, caller)->total, node->self, tree->n_weights);
        add_weights(sum_of(callees, n, callee)->total, node->self, tree->n_weights);
        add_weights(of->total, node->self, tree->n_weights);
        if (callee == PK_NAME_NONE) add_weights(of->self, node->self, tree->n_weights);
    }
}

bool pk_functions_around(const pk_stack_tree *tree, const bool chosen[], pk_array *callers,
                         pk_array *callees, pk_function *of, pk_err *err) {
    uint32_t n = pk_names_count(tree->names);
    around *at = calloc(tree->nodes.count, sizeof *at);
    pk_function *above = calloc((size_t)n + 1, sizeof *above);
    pk_function *below = calloc((size_t)n + 1, sizeof *below);
    *of = (pk_function){.name = PK_NAME_NONE};
    bool ok = at && above && below;
    if (ok) {
        look_around(tree, chosen, at);
        add_up(tree, chosen, at, n, above, below, of);
        ok = gather(above, n, callers) && gather(below, n, callees);
    }
    free(at);
    free(above);
    free(below);
    if (!ok) return no_memory(err);
    pk_functions_sort(callers, tree->names, PK_BY_TOTAL, 0);
    pk_functions_sort(callees, tree->names, PK_BY_TOTAL, 0);
    return true;
}
