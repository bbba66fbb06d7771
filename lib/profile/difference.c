#include "profile/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/strbuf.h"
#include "profile/saved.h"
#include "stats/shares.h"
#include "stats/verdict.h"

#define NAME_BYTES_MAX (1u << 20)
#define CHANGES_MAX (64u << 20)

enum { BEFORE, AFTER };

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to compare profiles");
    return false;
}

/* ---- the tree ---- */

/* Each "0x" with digits behind it becomes "0x...". */
static void strip_hex(const char *text, size_t bytes, pk_strbuf *out) {
    for (size_t i = 0; i < bytes;) {
        size_t digits = i + 2;
        if (i + 2 < bytes && text[i] == '0' && text[i + 1] == 'x')
            while (digits < bytes && pk_hex_digit(text[digits]) >= 0) digits++;
        if (digits > i + 2) {
            pk_strbuf_add_str(out, "0x...");
            i = digits;
        } else {
            pk_strbuf_add_char(out, text[i++]);
        }
    }
}

/* The numbers in `names` of the names of a tree; NULL: out of memory. */
static uint32_t *translate(const pk_names *from, bool strip, pk_names *names) {
    uint32_t n = pk_names_count(from);
    uint32_t *numbers = calloc(n ? n : 1, sizeof *numbers);
    pk_strbuf clean;
    pk_strbuf_init(&clean, NAME_BYTES_MAX);
    for (uint32_t i = 0; numbers && i < n; i++) {
        size_t bytes;
        const char *text = pk_names_text(from, i, &bytes);
        pk_strbuf_clear(&clean);
        if (strip) strip_hex(text, bytes, &clean);
        bool stripped = strip && pk_strbuf_ok(&clean);
        numbers[i] = stripped ? pk_names_intern(names, clean.data, clean.length)
                              : pk_names_intern(names, text, bytes);
        if (numbers[i] != PK_NAME_NONE) continue;
        free(numbers);
        numbers = NULL;
    }
    pk_strbuf_fini(&clean);
    return numbers;
}

static bool add_side(pk_stack_tree *out, const pk_stack_tree *side, int which, bool strip,
                     pk_err *err) {
    uint32_t *numbers = translate(side->names, strip, out->names);
    uint32_t *path = calloc(PK_STACK_DEPTH_MAX, sizeof *path);
    bool ok = numbers && path;
    for (uint32_t i = 0; ok && i < side->nodes.count; i++) {
        uint64_t weights[PK_STACK_WEIGHTS_MAX] = {0};
        weights[which] = pk_node(side, i)->self[side->n_weights - 1];
        if (weights[which] == 0) continue;
        size_t n = pk_stack_tree_path(side, i, path);
        for (size_t k = 0; k < n; k++) path[k] = numbers[path[k]];
        ok = pk_stack_tree_add(out, path, n, weights, err) != PK_NODE_NONE;
    }
    free(numbers);
    free(path);
    return ok ? true : no_memory(err);
}

/* As inferno-diff-folded does it. */
static void normalise(pk_stack_tree *tree) {
    double all[2] = {0};
    for (uint32_t i = 0; i < tree->nodes.count; i++)
        for (int k = 0; k < 2; k++) all[k] += (double)pk_node(tree, i)->self[k];
    if (all[BEFORE] == all[AFTER] || all[BEFORE] == 0) return;
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        uint64_t *weight = &pk_node(tree, i)->self[BEFORE];
        double scaled = (double)*weight * all[AFTER] / all[BEFORE];
        *weight = scaled < 0x1p64 ? (uint64_t)scaled : UINT64_MAX;
    }
}

bool pk_difference(const pk_stack_tree *before, const pk_stack_tree *after,
                   const pk_difference_options *options, pk_names *names, pk_stack_tree *out,
                   pk_err *err) {
    pk_stack_tree tree;
    if (!pk_stack_tree_init(&tree, names, 2, false, err)) return false;
    if (!add_side(&tree, before, BEFORE, options->strip_hex, err) ||
        !add_side(&tree, after, AFTER, options->strip_hex, err)) {
        pk_stack_tree_fini(&tree);
        return false;
    }
    if (options->normalise) normalise(&tree);
    *out = tree;
    return true;
}

/* ---- functions ---- */

void pk_sides_of(const pk_profile *const profiles[2], const char *const names[2],
                 pk_side sides[2]) {
    const pk_stack_tree *const trees[2] = {&profiles[BEFORE]->tree, &profiles[AFTER]->tree};
    uint64_t samples[2];
    pk_saved_samples_of_two(trees, samples);
    for (int i = 0; i < 2; i++) {
        const pk_profile *p = profiles[i];
        sides[i] = (pk_side){.name = names[i],
                             .samples = p->event ? p->n_samples : samples[i],
                             .unit = p->unit,
                             .weight_is_time = p->weight_is_time,
                             .duration_ns = p->duration_ns};
    }
}

static double share(uint64_t part, uint64_t all) {
    return all > 0 ? (double)part / (double)all : NAN;
}

pk_share_change pk_share_change_of(const uint64_t part[2], const uint64_t all[2],
                                   const uint64_t samples[2]) {
    pk_share_change c = {.before = share(part[BEFORE], all[BEFORE]),
                         .after = share(part[AFTER], all[AFTER])};
    c.change = c.after - c.before;
    c.error = c.p = NAN;
    if (isnan(c.change) || samples[BEFORE] == 0 || samples[AFTER] == 0) return c;
    double x[2] = {round(c.before * (double)samples[BEFORE]),
                   round(c.after * (double)samples[AFTER])};
    c.error = pk_share_difference_error(x[BEFORE], (double)samples[BEFORE], x[AFTER],
                                        (double)samples[AFTER]);
    c.p = pk_fisher_exact((uint64_t)x[BEFORE], samples[BEFORE], (uint64_t)x[AFTER], samples[AFTER]);
    return c;
}

static pk_function_change change_of(const pk_function *f, const uint64_t all[2],
                                    const uint64_t samples[2]) {
    return (pk_function_change){.name = f->name,
                                .self = {f->self[BEFORE], f->self[AFTER]},
                                .total = {f->total[BEFORE], f->total[AFTER]},
                                .self_share = pk_share_change_of(f->self, all, samples),
                                .total_share = pk_share_change_of(f->total, all, samples)};
}

typedef struct order {
    const pk_names *names;
    pk_function_order by;
} order;

static const pk_share_change *share_of(const pk_function_change *c, pk_function_order by) {
    return by == PK_BY_SELF ? &c->self_share : &c->total_share;
}

static int larger_first(const pk_share_change *a, const pk_share_change *b) {
    double x = fabs(a->change), y = fabs(b->change);
    return (x < y) - (x > y); /* NaN only where all are */
}

static int by_change(const void *a, const void *b, void *context) {
    const order *o = context;
    const pk_function_change *x = a, *y = b;
    int first = larger_first(share_of(x, o->by), share_of(y, o->by));
    if (first != 0) return first;
    pk_function_order other = o->by == PK_BY_SELF ? PK_BY_TOTAL : PK_BY_SELF;
    int second = larger_first(share_of(x, other), share_of(y, other));
    if (second != 0) return second;
    return strcmp(pk_names_text(o->names, x->name, NULL), pk_names_text(o->names, y->name, NULL));
}

static bool judge(pk_array *changes, pk_function_order by, double alpha) {
    size_t n = changes->count;
    double *p = calloc(n ? n : 1, sizeof *p);
    bool *rejected = calloc(n ? n : 1, sizeof *rejected);
    bool ok = p && rejected;
    if (ok) {
        for (size_t i = 0; i < n; i++)
            p[i] = share_of(&PK_AT(changes, pk_function_change, i), by)->p;
        pk_holm(n, p, alpha, rejected);
        for (size_t i = 0; i < n; i++)
            PK_AT(changes, pk_function_change, i).significant = rejected[i];
    }
    free(p);
    free(rejected);
    return ok;
}

bool pk_difference_functions(const pk_stack_tree *tree, const pk_side sides[2],
                             pk_function_order by, double alpha, pk_array *changes, pk_err *err) {
    pk_array functions = PK_ARRAY(pk_function, CHANGES_MAX);
    const uint64_t *all = pk_node(tree, PK_NODE_ROOT)->total;
    uint64_t samples[2] = {sides[BEFORE].samples, sides[AFTER].samples};
    if (!pk_functions(tree, &functions, err)) return false;
    pk_array_fini(changes);
    *changes = PK_ARRAY(pk_function_change, CHANGES_MAX);
    bool ok = true;
    for (size_t i = 0; ok && i < functions.count; i++) {
        pk_function_change *c = pk_array_push(changes);
        ok = c != NULL;
        if (ok) *c = change_of(&PK_AT(&functions, pk_function, i), all, samples);
    }
    pk_array_fini(&functions);
    ok = ok && judge(changes, by, alpha);
    if (!ok) return no_memory(err);
    order o = {tree->names, by};
    if (changes->count > 1)
        qsort_r(changes->items, changes->count, changes->item_bytes, by_change, &o);
    return true;
}
