/* valgrind's massif.out: what ms_print and massif-visualizer read. */
#include <stdlib.h>
#include <string.h>

#include "alloc/render_parts.h"
#include "base/units.h"

#define MOMENTS_MAX 200 /* ms_print draws 72 columns; massif itself keeps 100 */
#define NAMES_BYTES_MAX ((size_t)256 << 20)
#define NAME_MAX_BYTES ((size_t)1 << 20)

/* Stacks turned round: the callers of what was called below the root, and theirs below them; by
 * place, as massif has them. */
typedef struct inverted {
    pk_names *names;
    pk_stack_tree tree;
    uint32_t *path;
    uint32_t *name_of; /* by place, + 1; 0: not yet */
} inverted;

static uint32_t highest_process(const pk_alloc_result *result) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < result->processes.count; i++)
        if (PK_AT(&result->processes, pk_alloc_process, i).peak_bytes >
            PK_AT(&result->processes, pk_alloc_process, best).peak_bytes)
            best = i;
    return best;
}

/* A line break would end the node. */
static void add_flat(pk_strbuf *out, const char *text) {
    for (; *text; text++) pk_strbuf_add_char(out, *text == '\n' || *text == '\r' ? ' ' : *text);
}

/* "0x1192B4: f (in prog)", as massif writes it without lines of source. */
static uint32_t name_place(inverted *v, const pk_alloc_result *result, uint32_t place) {
    const pk_alloc_place *p = &PK_AT(&result->places, pk_alloc_place, place);
    if (v->name_of[place]) return v->name_of[place] - 1;
    pk_strbuf text;
    pk_strbuf_init(&text, NAME_MAX_BYTES);
    pk_strbuf_addf(&text, "0x%llX: ", (unsigned long long)p->address);
    add_flat(&text, p->symbol ? p->symbol : "???");
    if (p->object) {
        pk_strbuf_add_str(&text, " (in ");
        add_flat(&text, p->object);
        pk_strbuf_add_char(&text, ')');
    }
    uint32_t name =
        pk_strbuf_ok(&text) ? pk_names_intern(v->names, text.data, text.length) : PK_NAME_NONE;
    pk_strbuf_fini(&text);
    if (name != PK_NAME_NONE) v->name_of[place] = name + 1;
    return name;
}

static bool add_callers(inverted *v, const pk_alloc_result *result, const pk_alloc_stack *s,
                        uint64_t weight, pk_err *err) {
    for (uint32_t i = 0; i < s->n_frames; i++) {
        v->path[i] = name_place(v, result, s->places[i + 1]);
        if (v->path[i] == PK_NAME_NONE) return pk_alloc_no_memory(err);
    }
    return pk_stack_tree_add(&v->tree, v->path, s->n_frames, &weight, err) != PK_NODE_NONE;
}

static void inverted_fini(inverted *v) {
    pk_stack_tree_fini(&v->tree);
    pk_names_free(v->names);
    free(v->path);
    free(v->name_of);
}

static bool invert(const pk_alloc_result *result, uint32_t process, pk_alloc_weight weight,
                   inverted *v, pk_err *err) {
    *v = (inverted){.names = pk_names_new(NAMES_BYTES_MAX),
                    .path = calloc(PK_STACK_DEPTH_MAX, sizeof *v->path),
                    .name_of = calloc(result->places.count + 1, sizeof *v->name_of)};
    bool ok = v->names && v->path && v->name_of;
    if (!ok) pk_alloc_no_memory(err);
    ok = ok && pk_stack_tree_init(&v->tree, v->names, 1, false, err);
    for (size_t i = 0; ok && i < result->stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&result->stacks, pk_alloc_stack, i);
        uint64_t weights[PK_WEIGHTS];
        pk_alloc_weights_of(s, weights);
        if (s->process == process && weights[weight] > 0)
            ok = add_callers(v, result, s, weights[weight], err);
    }
    if (ok) pk_stack_tree_sum(&v->tree);
    return ok;
}

/* ---- a tree as lines ---- */

typedef struct child {
    uint32_t node; /* PK_NODE_NONE: those below the threshold, together */
    uint64_t bytes;
    size_t places; /* of those together */
} child;

static int larger_first(const void *a, const void *b) {
    const child *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The children to be shown, sorted, and last what is too small; malloc'ed. */
static child *children_of(const pk_stack_tree *tree, uint32_t node, double least, size_t *n) {
    size_t room = 1;
    for (uint32_t i = pk_node(tree, node)->first_child; i != PK_NODE_NONE;
         i = pk_node(tree, i)->next)
        room++;
    child *all = calloc(room, sizeof *all);
    *n = 0;
    if (!all) return NULL;
    child small = {.node = PK_NODE_NONE};
    for (uint32_t i = pk_node(tree, node)->first_child; i != PK_NODE_NONE;
         i = pk_node(tree, i)->next) {
        uint64_t bytes = pk_node(tree, i)->total[0];
        if ((double)bytes >= least) {
            all[(*n)++] = (child){.node = i, .bytes = bytes};
        } else {
            small.bytes += bytes;
            small.places++;
        }
    }
    qsort(all, *n, sizeof *all, larger_first);
    if (small.places > 0) all[(*n)++] = small;
    return all;
}

static void add_small(const child *c, unsigned depth, double threshold, pk_strbuf *out) {
    pk_strbuf_addf(out, "%*sn0: %llu in %zu place%s, %sbelow massif's threshold (%.2f%%)\n",
                   (int)depth, "", (unsigned long long)c->bytes, c->places,
                   c->places == 1 ? "" : "s", c->places == 1 ? "" : "all ", threshold * 100);
}

typedef struct level { /* of the walk: the children of one node */
    child *children;
    size_t n, at;
} level;

static bool enter(const pk_stack_tree *tree, uint32_t node, double least, pk_array *levels) {
    level *l = pk_array_push(levels);
    if (!l) return false;
    l->children = children_of(tree, node, least, &l->n);
    return l->children != NULL;
}

static void add_head(const pk_stack_tree *tree, uint32_t node, size_t n_children, unsigned depth,
                     pk_strbuf *out) {
    pk_strbuf_addf(out, "%*sn%zu: %llu ", (int)depth, "", n_children,
                   (unsigned long long)pk_node(tree, node)->total[0]);
    if (node == PK_NODE_ROOT)
        pk_strbuf_add_str(out, "(heap allocation functions) malloc/new/new[], --alloc-fns, etc.");
    else pk_strbuf_add_str(out, pk_names_text(tree->names, pk_node(tree, node)->name, NULL));
    pk_strbuf_add_char(out, '\n');
}

/* Depth first, without recursion: stacks may be deep. */
static bool add_tree(const pk_stack_tree *tree, double threshold, pk_strbuf *out) {
    double least = threshold * (double)pk_node(tree, PK_NODE_ROOT)->total[0];
    pk_array levels = PK_ARRAY(level, PK_STACK_DEPTH_MAX);
    bool ok = enter(tree, PK_NODE_ROOT, least, &levels);
    if (ok) add_head(tree, PK_NODE_ROOT, PK_AT(&levels, level, 0).n, 0, out);
    while (ok && levels.count > 0) {
        unsigned depth = (unsigned)levels.count;
        level *l = &PK_AT(&levels, level, depth - 1);
        if (l->at == l->n) {
            free(l->children);
            levels.count--;
            continue;
        }
        const child c = l->children[l->at++];
        if (c.node == PK_NODE_NONE) {
            add_small(&c, depth, threshold, out);
            continue;
        }
        ok = enter(tree, c.node, least, &levels);
        if (ok) add_head(tree, c.node, PK_AT(&levels, level, depth).n, depth, out);
    }
    for (size_t i = 0; i < levels.count; i++) free(PK_AT(&levels, level, i).children);
    pk_array_fini(&levels);
    return ok;
}

/* ---- snapshots ---- */

typedef struct snapshots {
    const pk_alloc_result *result;
    pk_strbuf *out;
    uint32_t process;
    double threshold;
    unsigned n;
} snapshots;

static void begin_snapshot(snapshots *s, uint64_t time_ns, uint64_t bytes) {
    pk_strbuf_addf(s->out,
                   "#-----------\nsnapshot=%u\n#-----------\ntime=%llu\nmem_heap_B=%llu\n"
                   "mem_heap_extra_B=0\nmem_stacks_B=0\n",
                   s->n++, (unsigned long long)(time_ns / PK_NS_PER_MS), (unsigned long long)bytes);
}

static bool detailed(snapshots *s, uint64_t time_ns, pk_alloc_weight weight, const char *word,
                     pk_err *err) {
    inverted v;
    bool ok = invert(s->result, s->process, weight, &v, err);
    if (ok) {
        begin_snapshot(s, time_ns, pk_node(&v.tree, PK_NODE_ROOT)->total[0]);
        pk_strbuf_addf(s->out, "heap_tree=%s\n", word);
        ok = add_tree(&v.tree, s->threshold, s->out);
        if (!ok) pk_alloc_no_memory(err);
    }
    inverted_fini(&v);
    return ok;
}

/* Moments strictly between two times, every `step`th. */
static void add_moments(snapshots *s, uint64_t from_ns, uint64_t to_ns) {
    const pk_array *moments = &s->result->moments;
    size_t step = moments->count / MOMENTS_MAX + 1;
    for (size_t i = 0; i < moments->count; i += step) {
        const pk_alloc_moment *m = &PK_AT(moments, pk_alloc_moment, i);
        if (m->time_ns < from_ns || m->time_ns >= to_ns) continue;
        begin_snapshot(s, m->time_ns, m->live_bytes);
        pk_strbuf_add_str(s->out, "heap_tree=empty\n");
    }
}

/* UINT64_MAX: it was still growing at the end. */
static uint64_t peak_time(const pk_alloc_result *result, uint32_t process) {
    uint64_t ns = result->total.peak_ns;
    if (process < result->processes.count)
        ns = PK_AT(&result->processes, pk_alloc_process, process).peak_ns;
    return ns == UINT64_MAX ? result->duration_ns : ns;
}

bool pk_alloc_massif(const pk_alloc_result *result, double threshold, pk_strbuf *out, pk_err *err) {
    if (!pk_alloc_need_weight(result, PK_WEIGHT_PEAK, err)) return false;
    snapshots s = {
        .result = result, .out = out, .process = highest_process(result), .threshold = threshold};
    uint64_t peak_ns = peak_time(result, s.process), end_ns = result->duration_ns;
    if (peak_ns > end_ns) end_ns = peak_ns;
    pk_strbuf_addf(out, "desc: perfkit alloc%s\n",
                   result->processes.count > 1 ? ", all processes; stacks of the one with the "
                                                 "highest peak"
                                               : "");
    pk_strbuf_add_str(out, "cmd: ");
    add_flat(out, result->command ? result->command : "(attached)");
    pk_strbuf_add_str(out, "\ntime_unit: ms\n");
    begin_snapshot(&s, 0, 0);
    pk_strbuf_add_str(out, "heap_tree=empty\n");
    add_moments(&s, 1, peak_ns);
    bool ok = detailed(&s, peak_ns, PK_WEIGHT_PEAK, "peak", err);
    if (ok) add_moments(&s, peak_ns + 1, end_ns);
    ok = ok && detailed(&s, end_ns, PK_WEIGHT_LEAKED, "detailed", err);
    return ok && !pk_strbuf_ok(out) ? pk_alloc_no_memory(err) : ok;
}
