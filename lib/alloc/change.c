/* Two results: what is more now, and what is less. */
#include "alloc/change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/render_parts.h"
#include "profile/difference.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define NAMES_BYTES_MAX ((size_t)1 << 30)
#define TEXT_BYTES_MAX ((size_t)1 << 20)
#define ROWS_MAX ((size_t)1 << 26)

/* ---- rows of both sides ---- */

static const char *stack_name(const pk_alloc_result *result, uint32_t node, uint32_t *path,
                              pk_arena *arena) {
    pk_strbuf text;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    pk_alloc_add_stack_text(&result->tree, node, path, &text);
    const char *name = pk_strbuf_ok(&text) ? pk_arena_strdup(arena, text.data) : NULL;
    pk_strbuf_fini(&text);
    return name;
}

static bool add_rows(pk_alloc_changes *c, const pk_alloc_result *result, int side,
                     const pk_array *rows, uint32_t *path) {
    for (size_t i = 0; i < rows->count; i++) {
        const pk_alloc_row *row = &PK_AT(rows, pk_alloc_row, i);
        pk_alloc_change *change = pk_array_push(&c->rows);
        if (!change) return false;
        change->name =
            row->name == PK_NAME_NONE
                ? stack_name(result, row->node, path, c->arena)
                : pk_arena_strdup(c->arena, pk_names_text(result->names, row->name, NULL));
        if (!change->name) return false;
        memcpy(change->self[side], row->self, sizeof row->self);
        memcpy(change->total[side], row->total, sizeof row->total);
        change->calls_error = row->calls_error;
        change->bytes_error = row->bytes_error;
    }
    return true;
}

static bool add_side(pk_alloc_changes *c, const pk_alloc_result *result, int side, pk_err *err) {
    pk_array rows;
    if (!pk_alloc_rows(result, c->by, c->sort, &rows, err)) return false;
    uint32_t *path = calloc(PK_STACK_DEPTH_MAX, sizeof *path);
    bool ok = path && add_rows(c, result, side, &rows, path);
    if (!ok) pk_alloc_no_memory(err);
    for (int w = 0; w < PK_WEIGHTS; w++) c->all[side][w] = pk_alloc_all(result, (pk_alloc_weight)w);
    free(path);
    pk_array_fini(&rows);
    return ok;
}

/* ---- merged, and in order ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(((const pk_alloc_change *)a)->name, ((const pk_alloc_change *)b)->name);
}

static bool is_change(const pk_alloc_change *c, const bool known[PK_WEIGHTS]) {
    for (int w = 0; w < PK_WEIGHTS; w++)
        if (known[w] && (c->self[0][w] != c->self[1][w] || c->total[0][w] != c->total[1][w]))
            return true;
    return false;
}

/* Rows of one name become one; those without a change go. */
static void merge(pk_alloc_changes *c) {
    pk_alloc_change *rows = c->rows.items;
    size_t kept = 0;
    if (c->rows.count > 1) qsort(rows, c->rows.count, sizeof *rows, by_name);
    for (size_t i = 0; i < c->rows.count;) {
        pk_alloc_change sum = rows[i];
        for (i++; i < c->rows.count && strcmp(rows[i].name, sum.name) == 0; i++) {
            for (int k = 0; k < 2 * PK_WEIGHTS; k++) {
                sum.self[k / PK_WEIGHTS][k % PK_WEIGHTS] +=
                    rows[i].self[k / PK_WEIGHTS][k % PK_WEIGHTS];
                sum.total[k / PK_WEIGHTS][k % PK_WEIGHTS] +=
                    rows[i].total[k / PK_WEIGHTS][k % PK_WEIGHTS];
            }
            sum.calls_error = hypot(sum.calls_error, rows[i].calls_error);
            sum.bytes_error = hypot(sum.bytes_error, rows[i].bytes_error);
        }
        if (is_change(&sum, c->known)) rows[kept++] = sum;
    }
    c->rows.count = kept;
}

static uint64_t size_of_change(const uint64_t values[2][PK_WEIGHTS], pk_alloc_weight weight) {
    uint64_t a = values[0][weight], b = values[1][weight];
    return a > b ? a - b : b - a;
}

static int larger_first(const void *a, const void *b, void *context) {
    const pk_alloc_change *x = a, *y = b;
    const pk_alloc_weight weight = *(const pk_alloc_weight *)context;
    uint64_t p = size_of_change(x->self, weight), q = size_of_change(y->self, weight);
    if (p == q) {
        p = size_of_change(x->total, weight);
        q = size_of_change(y->total, weight);
    }
    return p != q ? (p < q ? 1 : -1) : strcmp(x->name, y->name);
}

bool pk_alloc_compare(const pk_alloc_result *before, const pk_alloc_result *after,
                      const char *const names[2], pk_alloc_by by, pk_alloc_weight sort,
                      pk_alloc_changes *changes, pk_err *err) {
    pk_alloc_changes c = {.arena = pk_arena_new(ARENA_BYTES),
                          .rows = PK_ARRAY(pk_alloc_change, ROWS_MAX),
                          .sampled = before->sampled || after->sampled,
                          .by = by,
                          .sort = sort,
                          .names = {names[0], names[1]}};
    if (!c.arena) return pk_alloc_no_memory(err);
    for (int w = 0; w < PK_WEIGHTS; w++)
        c.known[w] = pk_alloc_weight_known(before, (pk_alloc_weight)w) &&
                     pk_alloc_weight_known(after, (pk_alloc_weight)w);
    if (!add_side(&c, before, 0, err) || !add_side(&c, after, 1, err)) {
        pk_alloc_changes_fini(&c);
        return false;
    }
    merge(&c);
    if (c.rows.count > 1)
        qsort_r(c.rows.items, c.rows.count, sizeof(pk_alloc_change), larger_first, &c.sort);
    *changes = c;
    return true;
}

void pk_alloc_changes_fini(pk_alloc_changes *changes) {
    pk_array_fini(&changes->rows);
    pk_arena_free(changes->arena);
    *changes = (pk_alloc_changes){0};
}

/* ---- the picture ---- */

static bool draw(const pk_stack_tree *before, const pk_stack_tree *after, pk_names *names,
                 const pk_flame_style *style, pk_strbuf *out, pk_err *err) {
    static const pk_difference_options as_they_are = {0};
    pk_stack_tree tree;
    if (!pk_difference(before, after, &as_they_are, names, &tree, err)) return false;
    pk_stack_tree_sum(&tree);
    bool ok = pk_stack_tree_sort(&tree, err) && pk_flame_svg(&tree, style, out, NULL, err);
    pk_stack_tree_fini(&tree);
    return ok;
}

bool pk_alloc_changes_flame(const pk_alloc_result *before, const pk_alloc_result *after,
                            pk_alloc_weight weight, const char *subtitle, pk_strbuf *out,
                            pk_err *err) {
    pk_flame_style style = PK_FLAME_STYLE;
    pk_stack_tree trees[2];
    style.title = "Differential Flame Graph";
    style.subtitle = subtitle;
    style.count_name = pk_alloc_weight_name(weight);
    style.weight_is_bytes = pk_alloc_weight_is_bytes(weight);
    style.max_frames = PK_FLAME_FRAMES_MAX;
    style.embed_stacks = true;
    if (!pk_alloc_tree_of(before, weight, &trees[0], err)) return false;
    if (!pk_alloc_tree_of(after, weight, &trees[1], err)) {
        pk_stack_tree_fini(&trees[0]);
        return false;
    }
    pk_names *names = pk_names_new(NAMES_BYTES_MAX);
    bool ok = names ? draw(&trees[0], &trees[1], names, &style, out, err) : pk_alloc_no_memory(err);
    pk_names_free(names);
    for (int i = 0; i < 2; i++) pk_stack_tree_fini(&trees[i]);
    return ok;
}
