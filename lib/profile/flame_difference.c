/* A difference's own parts of the picture: what its colours mean, and what is not in it because
 * nothing is left of it. */
#include "profile/flame_picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"

#define GONE_ROWS_MAX 12

typedef pk_flame_picture picture;

/* ---- legend ---- */

static uint64_t before_of(const picture *p, uint32_t node) {
    return pk_node(p->tree, node)->total[0];
}

void pk_flame_legend(picture *p, double y) {
    static const char *const red = "#d04040", *const blue = "#5060f0";
    const pk_stack_node *root = pk_node(p->tree, PK_NODE_ROOT);
    pk_strbuf_addf(p->out,
                   "<text id=\"legend\" fill=\"%s\" x=\"50.0000%%\" y=\"%.2f\">"
                   "<tspan fill=\"%s\">\u25a0</tspan> more, <tspan fill=\"%s\">\u25a0</tspan> less "
                   "than before: ",
                   p->style->ui_colour, y, p->style->negate ? blue : red,
                   p->style->negate ? red : blue);
    pk_flame_add_count(p, root->total[0], p->out);
    pk_strbuf_add_str(p->out, " \u2192 ");
    pk_flame_add_count(p, root->total[1], p->out);
    if (root->total[0])
        pk_strbuf_addf(p->out, " (%+.1f%%)",
                       100 * ((double)root->total[1] - (double)root->total[0]) /
                           (double)root->total[0]);
    pk_strbuf_add_str(p->out, "</text>\n");
}

/* ---- what vanished ---- */

typedef struct gone {
    uint32_t node;
    uint64_t weight;
} gone;

static int heaviest_first(const void *a, const void *b) {
    const gone *x = a, *y = b;
    if (x->weight != y->weight) return x->weight < y->weight ? 1 : -1;
    return x->node < y->node ? -1 : 1;
}

/* It had weight and has none, but its caller has. */
static bool is_gone(const picture *p, uint32_t node) {
    const pk_stack_node *n = pk_node(p->tree, node);
    return n->total[0] > 0 && n->total[1] == 0 && n->name != PK_NAME_NONE &&
           pk_node(p->tree, n->parent)->total[1] > 0;
}

/* All of them, the heaviest first; the caller's to free. NULL: none, or *ok is false. */
static gone *collect(const picture *p, size_t *n, bool *ok) {
    *n = 0;
    *ok = true;
    for (uint32_t i = 1; i < p->tree->nodes.count; i++) *n += is_gone(p, i);
    if (*n == 0) return NULL;
    gone *all = calloc(*n, sizeof *all);
    *ok = all != NULL;
    if (!all) return NULL;
    size_t k = 0;
    for (uint32_t i = 1; i < p->tree->nodes.count; i++)
        if (is_gone(p, i)) all[k++] = (gone){i, before_of(p, i)};
    qsort(all, *n, sizeof *all, heaviest_first);
    return all;
}

static unsigned row_px(const picture *p) {
    return p->style->font_size + 4;
}

/* Two more rows: a heading, and how many more there are. */
bool pk_flame_gone_measure(picture *p) {
    size_t n;
    bool ok;
    free(collect(p, &n, &ok));
    size_t rows = n > GONE_ROWS_MAX ? GONE_ROWS_MAX + 1 : n;
    p->below = n ? (unsigned)(rows + 2) * row_px(p) : 0;
    return ok;
}

static void add_name(picture *p, uint32_t node) {
    size_t bytes;
    const char *name = pk_names_text(p->tree->names, pk_node(p->tree, node)->name, &bytes);
    pk_escape_markup(p->out, name, bytes);
}

/* "main;parse;gone", as the tooltip. */
static bool add_path(picture *p, uint32_t node) {
    uint32_t depth = pk_node(p->tree, node)->depth, *path = calloc(depth, sizeof *path);
    if (!path) return false;
    for (uint32_t i = depth; i-- > 0; node = pk_node(p->tree, node)->parent) path[i] = node;
    pk_strbuf_add_str(p->out, "<title>");
    for (uint32_t i = 0; i < depth; i++) {
        if (i) pk_strbuf_add_char(p->out, ';');
        add_name(p, path[i]);
    }
    pk_strbuf_add_str(p->out, "</title>");
    free(path);
    return true;
}

static void begin_row(picture *p, size_t row) {
    pk_strbuf_addf(p->out, "<text x=\"%d\" y=\"%u\">", PK_FLAME_PAD_PX,
                   p->height + (unsigned)(row + 1) * row_px(p));
}

bool pk_flame_gone(picture *p) {
    size_t n;
    bool ok;
    gone *all = collect(p, &n, &ok);
    if (!all) return ok;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += all[i].weight;
    pk_strbuf_add_str(p->out, "<g id=\"gone\"");
    pk_flame_add_attribute(p, "fill", p->style->ui_colour);
    pk_strbuf_add_str(p->out, ">\n");
    begin_row(p, 0);
    pk_strbuf_add_str(p->out, "Vanished: ");
    pk_flame_add_count(p, sum, p->out);
    pk_strbuf_add_str(p->out, " before, nothing after</text>\n");
    for (size_t i = 0; ok && i < n && i < GONE_ROWS_MAX; i++) {
        begin_row(p, i + 1);
        ok = add_path(p, all[i].node);
        add_name(p, all[i].node);
        pk_strbuf_add_str(p->out, " (");
        pk_flame_add_count(p, all[i].weight, p->out);
        pk_strbuf_add_str(p->out, ")</text>\n");
    }
    if (n > GONE_ROWS_MAX) {
        begin_row(p, GONE_ROWS_MAX + 1);
        pk_strbuf_addf(p->out, "and %zu more</text>\n", n - GONE_ROWS_MAX);
    }
    pk_strbuf_add_str(p->out, "</g>\n");
    free(all);
    return ok;
}
