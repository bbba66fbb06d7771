#include "profile/flame_svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/units.h"
#include "report/escape.h"

PK_EMBED(pk_flame_script, "lib/profile/flame.js");
PK_EMBED(pk_flame_css, "lib/profile/flame.css");

#define X_PAD 10
#define FRAME_PAD 1
#define TEXT_PAD 3
#define FLUID_WIDTH 1200 /* until the script knows better */
#define DIFFUSION_STEPS 2000

typedef struct picture {
    const pk_stack_tree *tree;
    const pk_flame_style *style;
    pk_strbuf *out;
    unsigned weight; /* what is drawn: the last one */
    uint64_t total;
    double most;                         /* of a difference */
    unsigned width, height, top, bottom; /* px */
    pk_colour_source colours;
    size_t left_out;
} picture;

/* A node on the way from the root to where we are. */
typedef struct step {
    uint32_t node;
    uint64_t start;
} step;

static uint64_t weight_of(const picture *p, uint32_t node) {
    return pk_node(p->tree, node)->total[p->weight];
}

static double percent(const picture *p, uint64_t weight) {
    return 100 * (double)weight / (double)p->total;
}

static bool kept(const picture *p, uint32_t node) {
    uint64_t weight = weight_of(p, node);
    return weight > 0 && percent(p, weight) >= p->style->min_width;
}

/* A gap takes its room and is not drawn. */
static bool drawn(const picture *p, uint32_t node) {
    return pk_node(p->tree, node)->name != PK_NAME_NONE && kept(p, node);
}

/* The first drawn one of `node` and its later siblings; *start moves on over what is passed. */
static uint32_t next_drawn(const picture *p, uint32_t node, uint64_t *start) {
    while (node != PK_NODE_NONE && !drawn(p, node)) {
        *start += weight_of(p, node);
        node = pk_node(p->tree, node)->next;
    }
    return node;
}

static unsigned depth_drawn(picture *p) {
    unsigned depth = 0;
    for (uint32_t i = 1; i < p->tree->nodes.count; i++) {
        const pk_stack_node *node = pk_node(p->tree, i);
        if (drawn(p, i)) depth = node->depth > depth ? node->depth : depth;
        else if (node->name != PK_NAME_NONE) p->left_out++;
    }
    return depth;
}

/* ---- one frame ---- */

static void add_grouped(pk_strbuf *out, uint64_t n) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) pk_strbuf_add_char(out, ',');
        pk_strbuf_add_char(out, digits[i]);
    }
}

static uint64_t shown_count(const picture *p, uint64_t weight) {
    if (p->style->factor == 1) return weight;
    double count = round((double)weight * p->style->factor);
    return count < 0x1p64 ? (uint64_t)count : UINT64_MAX;
}

static double delta_of(const picture *p, uint32_t node) {
    const pk_stack_node *n = pk_node(p->tree, node);
    double delta = (double)n->total[1] - (double)n->total[0];
    return p->style->negate ? -delta : delta;
}

static pk_rgb colour_of(picture *p, uint32_t node, const char *name, size_t bytes) {
    pk_rgb grey;
    if (pk_separator_colour(name, bytes, &grey)) return grey;
    if (p->style->diffusion) {
        double part = (double)weight_of(p, node) / (double)p->total;
        return pk_diff_colour(trunc(DIFFUSION_STEPS * sqrt(part)), DIFFUSION_STEPS);
    }
    if (p->tree->n_weights == 2) return pk_diff_colour(delta_of(p, node), p->most);
    return pk_flame_colour(&p->colours, name, bytes);
}

/* What collapsers put behind a name to colour it: "_[k]" kernel, "_[w]" waker, "_[i]" inlined,
 * "_[j]" compiled while running. */
static size_t without_mark(const char *name, size_t bytes) {
    if (bytes < 4 || memcmp(name + bytes - 4, "_[", 2) != 0 || name[bytes - 1] != ']') return bytes;
    return strchr("kwij", name[bytes - 2]) ? bytes - 4 : bytes;
}

static void add_title(picture *p, uint32_t node, const char *name, size_t bytes) {
    uint64_t weight = weight_of(p, node);
    pk_strbuf_add_str(p->out, "<title>");
    if (node == PK_NODE_ROOT) pk_strbuf_add_str(p->out, "all");
    else pk_escape_markup(p->out, name, bytes);
    pk_strbuf_add_str(p->out, " (");
    add_grouped(p->out, shown_count(p, weight));
    pk_strbuf_add_char(p->out, ' ');
    pk_escape_markup(p->out, p->style->count_name, strlen(p->style->count_name));
    if (node == PK_NODE_ROOT) pk_strbuf_add_str(p->out, ", 100%");
    else pk_strbuf_addf(p->out, ", %.2f%%", percent(p, weight));
    if (p->tree->n_weights == 2) {
        double change = 100 * delta_of(p, node) / (double)p->total;
        pk_strbuf_addf(p->out, change == 0 ? "; %.2f%%" : "; %+.2f%%", change);
    }
    pk_strbuf_add_str(p->out, ")</title>");
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

static void add_frame(picture *p, const step *at, unsigned depth) {
    uint64_t weight = weight_of(p, at->node);
    size_t bytes = 0;
    const char *name =
        at->node == PK_NODE_ROOT
            ? ""
            : pk_names_text(p->tree->names, pk_node(p->tree, at->node)->name, &bytes);
    pk_rgb colour = colour_of(p, at->node, name, bytes);
    bytes = without_mark(name, bytes);
    unsigned row = p->style->frame_height;
    unsigned y = p->style->inverted ? p->top + depth * row
                                    : p->height - p->bottom - (depth + 1) * row + FRAME_PAD;
    double x = percent(p, at->start), width = percent(p, weight);
    pk_strbuf_add_str(p->out, "<g>");
    add_title(p, at->node, name, bytes);
    pk_strbuf_addf(p->out,
                   "<rect x=\"%.4f%%\" y=\"%u\" width=\"%.4f%%\" height=\"%u\" "
                   "fill=\"rgb(%u,%u,%u)\" fg:x=\"%llu\" fg:w=\"%llu\"/>",
                   x, y, width, row - FRAME_PAD, colour.r, colour.g, colour.b,
                   (unsigned long long)at->start, (unsigned long long)weight);
    pk_strbuf_addf(p->out, "<text x=\"%.4f%%\" y=\"%.2f\">", x + 100.0 * TEXT_PAD / p->width,
                   TEXT_PAD + (y + (row - FRAME_PAD) / 2.0));
    add_label(p, width, name, bytes);
    pk_strbuf_add_str(p->out, "</text></g>\n");
}

/* ---- all frames ----
 * In the order in which they end, the outer one first where several end together, as inferno draws:
 * the sequence of colours depends on it. */

/* Does its parent end with it? Siblings that are too narrow to be drawn count. */
static bool is_last(const picture *p, uint32_t node) {
    uint32_t next = pk_node(p->tree, node)->next;
    while (next != PK_NODE_NONE && weight_of(p, next) == 0) next = pk_node(p->tree, next)->next;
    return next == PK_NODE_NONE;
}

static void add_ending(picture *p, const step *path, unsigned leaf) {
    unsigned first = leaf;
    while (first > 0 && is_last(p, path[first].node)) first--;
    for (unsigned depth = first; depth <= leaf; depth++) add_frame(p, &path[depth], depth);
}

static step next_sibling(const picture *p, const step *at) {
    step next = {.start = at->start + weight_of(p, at->node)};
    next.node = next_drawn(p, pk_node(p->tree, at->node)->next, &next.start);
    return next;
}

static void add_frames(picture *p, step *path) {
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

/* ---- the document ---- */

static void add_attribute(picture *p, const char *name, const char *value) {
    pk_strbuf_addf(p->out, " %s=\"", name);
    pk_escape_markup(p->out, value, strlen(value));
    pk_strbuf_add_char(p->out, '"');
}

static void add_text(picture *p, const char *id, const char *class, const char *x, double y,
                     const char *text) {
    pk_strbuf_addf(p->out, "<text id=\"%s\"", id);
    if (class) add_attribute(p, "class", class);
    add_attribute(p, "fill", p->style->ui_colour);
    pk_strbuf_addf(p->out, " x=\"%s\" y=\"%.2f\">", x, y);
    pk_escape_markup(p->out, text, strlen(text));
    pk_strbuf_add_str(p->out, "</text>\n");
}

/* A CSS family of more than letters is quoted; a quote in it would end the quoting. */
static void add_font(picture *p) {
    static const char *const generic[] = {"cursive", "fantasy", "monospace", "serif", "sans-serif"};
    for (size_t i = 0; i < sizeof generic / sizeof generic[0]; i++)
        if (strcmp(p->style->font, generic[i]) == 0) {
            pk_strbuf_add_str(p->out, generic[i]);
            return;
        }
    pk_strbuf_add_str(p->out, "&quot;");
    for (const char *c = p->style->font; *c; c++)
        if (*c != '"' && *c != '\\' && *c != '<' && *c != ';') pk_escape_markup(p->out, c, 1);
    pk_strbuf_add_str(p->out, "&quot;");
}

static void add_style(picture *p) {
    pk_strbuf_add_str(p->out, "<style type=\"text/css\">\ntext { font-family:");
    add_font(p);
    pk_strbuf_addf(p->out, "; font-size:%upx }\n#title { font-size:%upx }\n", p->style->font_size,
                   p->style->font_size + 5);
    if (p->style->stroke_colour) {
        pk_strbuf_add_str(p->out, "#frames rect { stroke-width:1; stroke:");
        pk_escape_markup(p->out, p->style->stroke_colour, strlen(p->style->stroke_colour));
        pk_strbuf_add_str(p->out, " }\n");
    }
    pk_strbuf_add_str(p->out, pk_embed_data(pk_flame_css));
    pk_strbuf_add_str(p->out, "</style>\n");
}

/* "--" may not stand in a comment of XML. */
static void add_notes(picture *p) {
    if (!p->style->notes) return;
    pk_strbuf_add_str(p->out, "<!--NOTES: ");
    char before = 0;
    for (const char *c = p->style->notes; *c; c++) {
        if (*c == '-' && before == '-') pk_strbuf_add_char(p->out, ' ');
        pk_escape_markup(p->out, c, 1);
        before = *c;
    }
    pk_strbuf_add_str(p->out, " -->\n");
}

static void add_head(picture *p) {
    pk_strbuf_addf(p->out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
                   "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" "
                   "\"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n"
                   "<svg version=\"1.1\" width=\"%u\" height=\"%u\" onload=\"init(evt)\" "
                   "viewBox=\"0 0 %u %u\" xmlns=\"http://www.w3.org/2000/svg\" "
                   "xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
                   "xmlns:fg=\"http://github.com/jonhoo/inferno\">\n",
                   p->width, p->height, p->width, p->height);
    add_notes(p);
    pk_rgb top, bottom;
    if (!p->style->background || !pk_background_parse(p->style->background, &top, &bottom))
        pk_palette_background(p->style->palette, &top, &bottom);
    pk_strbuf_addf(p->out,
                   "<defs><linearGradient id=\"background\" y1=\"0\" y2=\"1\" x1=\"0\" x2=\"0\">"
                   "<stop stop-color=\"#%02x%02x%02x\" offset=\"5%%\"/>"
                   "<stop stop-color=\"#%02x%02x%02x\" offset=\"95%%\"/></linearGradient></defs>\n",
                   top.r, top.g, top.b, bottom.r, bottom.g, bottom.b);
    add_style(p);
    pk_strbuf_add_str(p->out, "<script type=\"text/ecmascript\"><![CDATA[\n");
    pk_strbuf_add_str(p->out, pk_embed_data(pk_flame_script));
    pk_strbuf_add_str(p->out, "]]></script>\n");
    pk_strbuf_addf(
        p->out, "<rect x=\"0\" y=\"0\" width=\"100%%\" height=\"%u\" fill=\"url(#background)\"/>\n",
        p->height);
}

static void add_controls(picture *p) {
    double font = p->style->font_size;
    double low = p->style->inverted ? p->top - font : p->height - p->bottom / 2.0;
    char right[16], left_of_it[16];
    snprintf(right, sizeof right, "%u", p->width - X_PAD);
    snprintf(left_of_it, sizeof left_of_it, "%.0f",
             p->width - X_PAD - 14 * font * p->style->font_width);
    add_text(p, "title", NULL, "50.0000%", 2 * font, p->style->title);
    if (p->style->subtitle) add_text(p, "subtitle", NULL, "50.0000%", 4 * font, p->style->subtitle);
    add_text(p, "details", NULL, "10", low, " ");
    add_text(p, "unzoom", "hide", "10", 2 * font, "Reset Zoom");
    add_text(p, "search", NULL, right, 2 * font, "Search");
    add_text(p, "ignorecase", NULL, left_of_it, 2 * font, "ic");
    add_text(p, "matched", "hide", right, low, " ");
}

static void add_settings(picture *p) {
    const pk_flame_style *s = p->style;
    pk_strbuf_addf(p->out,
                   "<svg id=\"frames\" x=\"%d\" width=\"%u\" total_samples=\"%llu\" "
                   "data-inverted=\"%d\" data-truncate-right=\"%d\" data-fluid=\"%d\" "
                   "data-font-size=\"%u\" data-font-width=\"%g\"",
                   X_PAD, p->width - 2 * X_PAD, (unsigned long long)p->total, s->inverted,
                   s->truncate_right, s->image_width == 0, s->font_size, s->font_width);
    add_attribute(p, "data-name-type", s->name_type);
    add_attribute(p, "data-search-colour", s->search_colour);
    pk_strbuf_add_str(p->out, ">\n");
}

static void lay_out(picture *p) {
    const pk_flame_style *s = p->style;
    p->width = s->image_width ? s->image_width : FLUID_WIDTH;
    p->top = s->inverted ? s->font_size * 4 + 4 : s->font_size * 3;
    p->bottom = s->inverted ? s->font_size + 10 : s->font_size * 2 + 10;
    if (s->subtitle) p->top += s->font_size * 2;
    unsigned depth = p->total ? depth_drawn(p) : 0;
    p->height = (depth + 1) * s->frame_height + p->top + p->bottom;
    for (uint32_t i = 0; p->tree->n_weights == 2 && i < p->tree->nodes.count; i++)
        p->most = fmax(p->most, fabs(delta_of(p, i)));
}

bool pk_flame_svg(const pk_stack_tree *tree, const pk_flame_style *style, pk_strbuf *out,
                  size_t *left_out, pk_err *err) {
    picture p = {
        .tree = tree, .style = style, .out = out, .weight = tree->n_weights - 1, .most = 1};
    p.total = weight_of(&p, PK_NODE_ROOT);
    p.colours = (pk_colour_source){style->palette, style->colouring, PK_COLOUR_SEED};
    lay_out(&p);
    add_head(&p);
    if (p.total == 0) {
        add_text(&p, "title", NULL, "50.0000%", 2.0 * style->font_size,
                 "There is nothing to draw: no stack has any weight");
        pk_strbuf_add_str(out, "</svg>\n");
        pk_fail(err, PK_E_INPUT, NULL, "no stacks: nothing to draw");
        return false;
    }
    step *path = calloc(PK_STACK_DEPTH_MAX + 2, sizeof *path);
    if (path) {
        add_controls(&p);
        add_settings(&p);
        add_frames(&p, path);
        pk_strbuf_add_str(out, "</svg>\n</svg>\n");
    }
    bool ok = path && pk_strbuf_ok(out);
    free(path);
    if (left_out) *left_out = p.left_out;
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the picture");
    return ok;
}
