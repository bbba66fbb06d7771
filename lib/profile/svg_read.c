#include "profile/svg_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "profile/folded.h"
#include "profile/folded_pack.h"
#include "profile/svg_scan.h"

#define FRAMES_MAX (1u << 24)
#define POSITION_STEPS 1e6 /* per px or percent, where weights do not say where a frame begins */

typedef struct frame {
    uint32_t name;
    uint32_t parent;     /* in the array, sorted; PK_NODE_NONE */
    uint64_t begin, end; /* from left to right */
    uint64_t at;         /* between the two: lies in the parent */
    uint64_t weight, self;
    double y;
} frame;

typedef struct reader {
    pk_stack_tree *tree;
    pk_svg_info *info;
    pk_array frames;
    bool by_weight; /* begin and end are weights: all frames have fg:x and fg:w */
    bool inverted;  /* by what the document says of itself */
    uint32_t root_name;
    uint32_t *path;
} reader;

static frame *frame_at(const reader *r, size_t i) {
    return &PK_AT(&r->frames, frame, i);
}

/* ---- frames ---- */

static uint64_t position(double x) {
    return x <= 0     ? 0
           : x < 1e12 ? (uint64_t)(x * POSITION_STEPS)
                      : (uint64_t)(1e12 * POSITION_STEPS);
}

/* False: out of memory. What is no frame of a flame graph is passed over. */
static bool add_frame(reader *r, const pk_svg_frame *found) {
    bool weighed = found->has_fg;
    if (!weighed && !found->has_count) return true;
    if (!weighed) r->by_weight = false;
    uint32_t name = pk_names_intern(r->tree->names, found->name.data, found->name.length);
    frame *f = name == PK_NAME_NONE ? NULL : pk_array_push(&r->frames);
    if (!f) return false;
    *f = (frame){.name = name,
                 .parent = PK_NODE_NONE,
                 .y = found->y,
                 .weight = weighed ? found->fg_w : found->count};
    /* Where it is, in both ways, until it is known which of them all frames have. */
    f->begin = position(found->x);
    f->end = position(found->x + found->width);
    f->at = weighed ? found->fg_x : 0;
    if (found->has_count && f->weight >= r->info->heaviest) {
        r->info->heaviest = f->weight;
        memcpy(r->info->shown, found->shown, sizeof r->info->shown);
    }
    return true;
}

static void place(reader *r) {
    for (size_t i = 0; i < r->frames.count; i++) {
        frame *f = frame_at(r, i);
        if (r->by_weight) {
            f->begin = f->at;
            if (__builtin_add_overflow(f->begin, f->weight, &f->end)) f->end = UINT64_MAX;
        } else {
            f->at = f->begin + (f->end - f->begin) / 2;
        }
    }
}

/* ---- which lies on which ---- */

static int from_above(const void *a, const void *b) {
    const frame *x = a, *y = b;
    if (x->y != y->y) return x->y < y->y ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int from_below(const void *a, const void *b) {
    const frame *x = a, *y = b;
    return x->y != y->y ? -from_above(a, b) : from_above(a, b);
}

/* The width of the widest frame of the uppermost (or lowest) row. */
static uint64_t widest(const reader *r, bool lowest) {
    size_t n = r->frames.count;
    double y = frame_at(r, lowest ? n - 1 : 0)->y;
    uint64_t width = 0;
    for (size_t i = 0; i < n; i++) {
        const frame *f = frame_at(r, lowest ? n - 1 - i : i);
        if (f->y != y) break;
        if (f->end - f->begin > width) width = f->end - f->begin;
    }
    return width;
}

/* Sorts the frames so that the root's row comes first. */
static void sort(reader *r) {
    qsort(r->frames.items, r->frames.count, sizeof(frame), from_above);
    uint64_t above = widest(r, false), below = widest(r, true);
    r->info->inverted = above != below ? above > below : r->inverted;
    if (!r->info->inverted) qsort(r->frames.items, r->frames.count, sizeof(frame), from_below);
}

static size_t row_end(const reader *r, size_t begin) {
    size_t end = begin;
    while (end < r->frames.count && frame_at(r, end)->y == frame_at(r, begin)->y) end++;
    return end;
}

/* Both rows from left to right. */
static void join(reader *r, size_t row, size_t end, size_t lower, size_t lower_end) {
    for (size_t i = row; i < end; i++) {
        frame *f = frame_at(r, i);
        while (lower < lower_end && frame_at(r, lower)->end <= f->at) lower++;
        bool lies = lower < lower_end && frame_at(r, lower)->begin <= f->at;
        if (lies) f->parent = (uint32_t)lower;
        else r->info->loose++;
    }
}

/* What a frame has itself is what its children leave of it. */
static void share_out(reader *r) {
    for (size_t i = 0; i < r->frames.count; i++) frame_at(r, i)->self = frame_at(r, i)->weight;
    for (size_t i = 0; i < r->frames.count; i++) {
        const frame *f = frame_at(r, i);
        if (f->parent == PK_NODE_NONE) continue;
        uint64_t *left = &frame_at(r, f->parent)->self;
        *left -= f->weight < *left ? f->weight : *left;
    }
}

static size_t connect(reader *r) {
    size_t lower = 0, lower_end = row_end(r, 0), first_row = lower_end;
    for (size_t row = lower_end; row < r->frames.count;) {
        size_t end = row_end(r, row);
        join(r, row, end, lower, lower_end);
        lower = row;
        lower_end = row = end;
    }
    share_out(r);
    return first_row;
}

/* ---- stacks ---- */

/* The stack that ends in a frame. */
static bool add_stack(reader *r, const frame *f, pk_err *err) {
    uint64_t weights[PK_STACK_WEIGHTS_MAX] = {0};
    size_t n = PK_STACK_DEPTH_MAX;
    weights[r->tree->n_weights - 1] = f->self;
    for (;; f = frame_at(r, f->parent)) {
        if (f->parent == PK_NODE_NONE && f->name == r->root_name) break;
        if (n == 0) {
            r->info->loose++; /* deeper than stacks may be */
            return true;
        }
        r->path[--n] = f->name;
        if (f->parent == PK_NODE_NONE) break;
    }
    return pk_stack_tree_add(r->tree, r->path + n, PK_STACK_DEPTH_MAX - n, weights, err) !=
           PK_NODE_NONE;
}

static bool add_stacks(reader *r, size_t first_row, pk_err *err) {
    bool ok = true;
    for (size_t i = 0; ok && i < r->frames.count; i++) {
        const frame *f = frame_at(r, i);
        bool loose = i >= first_row && f->parent == PK_NODE_NONE;
        if (f->self > 0 && !loose) ok = add_stack(r, f, err);
    }
    return ok;
}

/* ---- the document ---- */

static bool no_memory(const char *where, pk_err *err) {
    pk_fail(err, PK_E_LIMIT, where, "not enough memory for the frames of this flame graph");
    return false;
}

/* A frame that is left out of the picture takes those upon it along, so every frame that is there
 * lies on the row below. */
static bool read_geometry(reader *r, const char *where, pk_err *err) {
    if (r->frames.count == 0) {
        pk_fail(err, PK_E_INPUT, where, "no frame of a flame graph is in this SVG");
        pk_fix(err, "a frame is a <title> like \"main (12 samples, 3.4%%)\" and a <rect>");
        return false;
    }
    r->root_name = pk_names_intern(r->tree->names, "all", 3);
    if (r->root_name == PK_NAME_NONE) return no_memory(where, err);
    place(r);
    sort(r);
    size_t first_row = connect(r);
    bool has_root = first_row == 1 && frame_at(r, 0)->name == r->root_name;
    if (!has_root) r->root_name = PK_NAME_NONE;
    r->info->frames = r->frames.count - has_root;
    return add_stacks(r, first_row, err) ? true : no_memory(where, err);
}

static bool copy_last_weight(const pk_stack_tree *from, pk_stack_tree *to, uint32_t *path,
                             pk_err *err) {
    for (uint32_t i = 0; i < from->nodes.count; i++) {
        uint64_t weights[PK_STACK_WEIGHTS_MAX] = {0};
        weights[to->n_weights - 1] = pk_node(from, i)->self[from->n_weights - 1];
        if (weights[to->n_weights - 1] == 0) continue;
        size_t n = pk_stack_tree_path(from, i, path);
        if (pk_stack_tree_add(to, path, n, weights, err) == PK_NODE_NONE) return false;
    }
    return true;
}

/* The folded stacks that came along. *damaged: they are none, and the picture has to do. */
static bool read_hint(reader *r, const pk_svg_scan *scan, bool *damaged, pk_err *err) {
    pk_strbuf folded;
    pk_stack_tree tree;
    pk_folded_read read = {0};
    pk_strbuf_init(&folded, PK_FOLDED_BYTES_MAX);
    unsigned weights = scan->stacks_weights == 2 ? 2 : 1;
    *damaged = !pk_folded_unpack(scan->stacks, scan->stacks_bytes, &folded, err);
    bool ok = *damaged || pk_stack_tree_init(&tree, r->tree->names, weights, false, err);
    if (ok && !*damaged) {
        ok = pk_folded_add(&tree, folded.data, folded.length, &read, err) &&
             copy_last_weight(&tree, r->tree, r->path, err);
        pk_stack_tree_fini(&tree);
    }
    pk_strbuf_fini(&folded);
    return ok;
}

static bool read_document(reader *r, pk_svg_scan *scan, const char *where, pk_err *err) {
    bool ok = true, damaged = false;
    while (ok && pk_svg_scan_next(scan)) ok = add_frame(r, &scan->frame);
    if (!ok) return no_memory(where, err);
    r->inverted = r->info->inverted = scan->inverted;
    r->info->frames = r->frames.count;
    if (scan->stacks && !read_hint(r, scan, &damaged, err)) return false;
    r->info->exact = scan->stacks && !damaged;
    return r->info->exact || read_geometry(r, where, err);
}

bool pk_svg_read(pk_stack_tree *tree, const char *where, const char *text, size_t bytes,
                 pk_svg_info *info, pk_err *err) {
    *info = (pk_svg_info){0};
    reader r = {.tree = tree,
                .info = info,
                .frames = PK_ARRAY(frame, FRAMES_MAX),
                .by_weight = true,
                .path = calloc(PK_STACK_DEPTH_MAX, sizeof *r.path)};
    pk_svg_scan scan;
    pk_svg_scan_begin(&scan, text, bytes);
    bool ok = r.path ? read_document(&r, &scan, where, err) : no_memory(where, err);
    pk_svg_scan_end(&scan);
    pk_array_fini(&r.frames);
    free(r.path);
    return ok;
}

bool pk_is_svg(const char *text, size_t bytes) {
    size_t i = 0;
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) i = 3; /* a byte order mark */
    while (i < bytes && strchr(" \t\r\n", text[i]) && text[i]) i++;
    static const char *const begins[] = {"<?xml", "<!DOCTYPE svg", "<svg", "<!--"};
    for (size_t k = 0; k < sizeof begins / sizeof begins[0]; k++)
        if (bytes - i >= strlen(begins[k]) && memcmp(text + i, begins[k], strlen(begins[k])) == 0)
            return true;
    return false;
}
