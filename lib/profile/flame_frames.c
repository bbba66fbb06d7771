#include "profile/flame_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"

#define DIFFUSION_STEPS 2000

typedef pk_flame_picture picture;

/* A node on the way from the root to where we are. */
typedef struct step {
    uint32_t node;
    uint64_t start;
} step;

static double percent(const picture *p, uint64_t weight) {
    return 100 * (double)weight / (double)p->total;
}

static bool kept(const picture *p, uint32_t node) {
    uint64_t weight = pk_flame_weight(p, node);
    return weight >= p->lane->least && percent(p, weight) >= p->style->min_width;
}

/* A gap takes its room and is not drawn. */
static bool drawn(const picture *p, uint32_t node) {
    return pk_node(p->tree, node)->name != PK_NAME_NONE && kept(p, node);
}

/* The first drawn one of `node` and its later siblings; *start moves on over what is passed. */
static uint32_t next_drawn(const picture *p, uint32_t node, uint64_t *start) {
    while (node != PK_NODE_NONE && !drawn(p, node)) {
        *start += pk_flame_weight(p, node);
        node = pk_node(p->tree, node)->next;
    }
    return node;
}

/* ---- which frames ---- */

static int heaviest_first(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The least weight with which no more than `most` remain of the n that are wide enough: of frames
 * of one weight all stay or none. */
static bool narrow_down(const picture *p, size_t n, size_t most, uint64_t *least) {
    uint64_t *weights = calloc(n, sizeof *weights);
    if (!weights) return false;
    size_t k = 0;
    for (uint32_t i = 1; i < p->tree->nodes.count; i++)
        if (drawn(p, i)) weights[k++] = pk_flame_weight(p, i);
    qsort(weights, n, sizeof *weights, heaviest_first);
    *least = weights[most] + 1;
    free(weights);
    return true;
}

bool pk_flame_select(picture *p, pk_flame_lane *lane, size_t most) {
    size_t left = 0, wide = 0; /* what has no weight is not missing: it vanished */
    p->lane = lane;
    p->tree = lane->tree;
    lane->least = 1;
    for (uint32_t i = 1; i < p->tree->nodes.count; i++) {
        left += pk_node(p->tree, i)->name != PK_NAME_NONE && pk_flame_weight(p, i) > 0;
        wide += drawn(p, i);
    }
    if (most && wide > most && !narrow_down(p, wide, most, &lane->least)) return false;
    lane->rows = 1;
    for (uint32_t i = 1; i < p->tree->nodes.count; i++) {
        if (!drawn(p, i)) continue;
        left--;
        unsigned rows = pk_node(p->tree, i)->depth + 1;
        if (rows > lane->rows) lane->rows = rows;
    }
    p->left_out += left;
    return true;
}

/* ---- one frame ---- */

double pk_flame_delta(const picture *p, uint32_t node) {
    const pk_stack_node *n = pk_node(p->tree, node);
    double delta = (double)n->total[1] - (double)n->total[0];
    return p->style->negate ? -delta : delta;
}

/* What the map has, or what the palette gives, which the map then keeps. */
static pk_rgb next_colour(picture *p, const char *name, size_t bytes) {
    pk_palette_map *map = p->style->palette_map;
    pk_rgb colour;
    if (map && pk_palette_map_find(map, name, bytes, &colour)) return colour;
    colour = pk_flame_colour(&p->colours, name, bytes);
    if (map && !pk_palette_map_set(map, name, bytes, colour)) p->failed = true;
    return colour;
}

static pk_rgb colour_of(picture *p, uint32_t node, const char *name, size_t bytes) {
    pk_rgb grey;
    if (pk_separator_colour(name, bytes, &grey)) return grey;
    if (p->style->diffusion) {
        double part = (double)pk_flame_weight(p, node) / (double)p->total;
        return pk_diff_colour(trunc(DIFFUSION_STEPS * sqrt(part)), DIFFUSION_STEPS);
    }
    if (p->tree->n_weights == 2) return pk_diff_colour(pk_flame_delta(p, node), p->most);
    return next_colour(p, name, bytes);
}

/* What collapsers put behind a name to colour it: "_[k]" kernel, "_[w]" waker, "_[i]" inlined,
 * "_[j]" compiled while running. */
static size_t without_mark(const char *name, size_t bytes) {
    if (bytes < 4 || memcmp(name + bytes - 4, "_[", 2) != 0 || name[bytes - 1] != ']') return bytes;
    return strchr("kwij", name[bytes - 2]) ? bytes - 4 : bytes;
}

/* "main (12.3 ms, 12 samples, 34.00%)" */
static void add_counts(picture *p, uint32_t node) {
    uint64_t weight = pk_flame_weight(p, node);
    pk_strbuf_add_str(p->out, " (");
    pk_flame_add_count(p, weight, p->out);
    if (node == PK_NODE_ROOT) pk_strbuf_add_str(p->out, ", 100%");
    else pk_strbuf_addf(p->out, ", %.2f%%", percent(p, weight));
    if (p->tree->n_weights == 2) {
        double change = 100 * pk_flame_delta(p, node) / (double)p->total;
        pk_strbuf_addf(p->out, change == 0 ? "; %.2f%%" : "; %+.2f%%", change);
    }
    pk_strbuf_add_char(p->out, ')');
}

/* "main (12.3 ms from 1.23 s)", and of a thread "worker (1.2 s of 3 s)" */
static void add_times(picture *p, const step *at) {
    bool thread = at->node == PK_NODE_ROOT;
    pk_strbuf_add_str(p->out, " (");
    pk_flame_add_count(p, thread ? p->lane->busy : pk_flame_weight(p, at->node), p->out);
    pk_strbuf_add_str(p->out, thread ? " of " : " from ");
    pk_flame_add_count(p, thread ? p->total : at->start, p->out);
    pk_strbuf_add_char(p->out, ')');
}

static void add_title(picture *p, const step *at, const char *name, size_t bytes,
                      const char *instead) {
    pk_strbuf_add_str(p->out, "<title>");
    if (instead) {
        pk_escape_markup(p->out, instead, strlen(instead));
    } else {
        if (at->node == PK_NODE_ROOT && !p->lane->name) pk_strbuf_add_str(p->out, "all");
        else pk_escape_markup(p->out, name, bytes);
        if (p->lane->name) add_times(p, at);
        else add_counts(p, at->node);
    }
    pk_strbuf_add_str(p->out, "</title>");
}

/* Bytes of the first n characters of UTF-8 text; bytes that are none count as one each. */
static size_t first_characters(const char *text, size_t bytes, size_t n) {
    size_t i = 0;
    while (i < bytes && n-- > 0)
        for (i++; i < bytes && ((unsigned char)text[i] & 0xC0) == 0x80;) i++;
    return i;
}

static void add_label(picture *p, double width_percent, const char *name, size_t bytes) {
    double character = 100 * p->style->font_size * p->style->font_width / p->width;
    size_t room = (size_t)(width_percent / character);
    if (room < 3) return;
    if (first_characters(name, bytes, room - 1) == bytes) {
        pk_escape_markup(p->out, name, bytes);
        return;
    }
    pk_escape_markup(p->out, name, first_characters(name, bytes, room - 2));
    pk_strbuf_add_str(p->out, "..");
}

/* A line break and an indent where that was asked for. */
static void add_break(picture *p, unsigned depth) {
    if (p->style->pretty) pk_strbuf_addf(p->out, "\n%*s", (int)depth * 2, "");
}

static void open_group(picture *p, const pk_flame_wish *wish, bool thread) {
    pk_strbuf_add_str(p->out, wish && wish->is_link ? "<a" : "<g");
    for (unsigned i = 0; wish && i < wish->n_attributes; i++)
        pk_flame_add_attribute(p, wish->attributes[i].name, wish->attributes[i].value);
    if (thread) pk_flame_add_attribute(p, "class", "thread");
    pk_strbuf_add_char(p->out, '>');
}

static void add_rect(picture *p, const step *at, unsigned y, pk_rgb colour) {
    uint64_t weight = pk_flame_weight(p, at->node);
    pk_strbuf_addf(p->out,
                   "<rect x=\"%.4f%%\" y=\"%u\" width=\"%.4f%%\" height=\"%u\" "
                   "fill=\"rgb(%u,%u,%u)\" fg:x=\"%llu\" fg:w=\"%llu\"/>",
                   percent(p, at->start), y, percent(p, weight),
                   p->style->frame_height - PK_FLAME_GAP_PX, colour.r, colour.g, colour.b,
                   (unsigned long long)at->start, (unsigned long long)weight);
}

/* Of the root of a graph it is "". */
static const char *name_of(const picture *p, uint32_t node, size_t *bytes) {
    if (node != PK_NODE_ROOT)
        return pk_names_text(p->tree->names, pk_node(p->tree, node)->name, bytes);
    const char *name = p->lane->name ? p->lane->name : "";
    *bytes = strlen(name);
    return name;
}

static void add_frame(picture *p, const step *at, unsigned depth) {
    size_t bytes;
    const char *name = name_of(p, at->node, &bytes);
    const pk_flame_wish *wish =
        p->style->attributes ? pk_flame_attributes_find(p->style->attributes, name, bytes) : NULL;
    pk_rgb colour = colour_of(p, at->node, name, bytes);
    bytes = without_mark(name, bytes);
    unsigned row = p->style->frame_height;
    unsigned y = p->style->inverted ? p->lane->y + depth * row : p->lane->y - depth * row;
    open_group(p, wish, p->lane->name && at->node == PK_NODE_ROOT);
    add_break(p, 1);
    add_title(p, at, name, bytes, wish ? wish->title : NULL);
    add_break(p, 1);
    add_rect(p, at, y, colour);
    add_break(p, 1);
    pk_strbuf_addf(p->out, "<text x=\"%.4f%%\" y=\"%.2f\">",
                   percent(p, at->start) + 100.0 * PK_FLAME_INDENT_PX / p->width,
                   PK_FLAME_INDENT_PX + (y + (row - PK_FLAME_GAP_PX) / 2.0));
    add_label(p, percent(p, pk_flame_weight(p, at->node)), name, bytes);
    pk_strbuf_add_str(p->out, "</text>");
    add_break(p, 0);
    pk_strbuf_add_str(p->out, wish && wish->is_link ? "</a>\n" : "</g>\n");
}

/* ---- all frames ----
 * In the order in which they end, the outer one first where several end together, as inferno draws:
 * the sequence of colours depends on it. */

/* Does its parent end with it? Siblings that are too narrow to be drawn count. */
static bool is_last(const picture *p, uint32_t node) {
    uint32_t next = pk_node(p->tree, node)->next;
    while (next != PK_NODE_NONE && pk_flame_weight(p, next) == 0)
        next = pk_node(p->tree, next)->next;
    return next == PK_NODE_NONE;
}

static void add_ending(picture *p, const step *path, unsigned leaf) {
    unsigned first = leaf;
    while (first > 0 && is_last(p, path[first].node)) first--;
    for (unsigned depth = first; depth <= leaf; depth++) add_frame(p, &path[depth], depth);
}

static step next_sibling(const picture *p, const step *at) {
    step next = {.start = at->start + pk_flame_weight(p, at->node)};
    next.node = next_drawn(p, pk_node(p->tree, at->node)->next, &next.start);
    return next;
}

static void walk(picture *p, step *path) {
    unsigned depth = 0;
    path[0] = (step){PK_NODE_ROOT, 0};
    for (;;) {
        const pk_stack_node *node = pk_node(p->tree, path[depth].node);
        step child = {.start = path[depth].start + node->self[p->weight]};
        child.node = next_drawn(p, node->first_child, &child.start);
        if (child.node != PK_NODE_NONE) {
            path[++depth] = child;
            continue;
        }
        add_ending(p, path, depth);
        for (;;) {
            if (depth == 0) return;
            step next = next_sibling(p, &path[depth]);
            if (next.node != PK_NODE_NONE) {
                path[depth] = next;
                break;
            }
            bool last = is_last(p, path[depth].node);
            depth--;
            if (!last) add_ending(p, path, depth);
        }
    }
}

bool pk_flame_frames(picture *p) {
    step *path = calloc(PK_STACK_DEPTH_MAX + 2, sizeof *path);
    if (!path) return false;
    walk(p, path);
    free(path);
    return !p->failed;
}
