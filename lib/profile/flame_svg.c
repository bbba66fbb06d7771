#include "profile/flame_picture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/embed.h"
#include "base/units.h"
#include "profile/folded_pack.h"
#include "report/escape.h"

PK_EMBED(pk_flame_script, "lib/profile/flame.js");
PK_EMBED(pk_flame_css, "lib/profile/flame.css");

#define FLUID_WIDTH_PX 1200 /* until the script knows better */

typedef pk_flame_picture picture;

/* ---- counts ---- */

static void add_grouped(pk_strbuf *out, uint64_t n) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) pk_strbuf_add_char(out, ',');
        pk_strbuf_add_char(out, digits[i]);
    }
}

static uint64_t rounded(double count) {
    count = round(count);
    return count < 0x1p64 ? (uint64_t)count : UINT64_MAX;
}

void pk_flame_add_count(const picture *p, uint64_t weight, pk_strbuf *out) {
    const pk_flame_style *s = p->style;
    char text[PK_FORMAT_MAX];
    if (s->weight_is_time) {
        pk_strbuf_add_str(out, pk_format_duration(text, sizeof text, (double)weight * s->factor));
    } else if (s->weight_is_bytes) {
        pk_strbuf_add_str(out, pk_format_bytes(text, sizeof text, (double)weight * s->factor));
    } else {
        add_grouped(out, s->factor == 1 ? weight : rounded((double)weight * s->factor));
        pk_strbuf_add_char(out, ' ');
        pk_escape_markup(out, s->count_name, strlen(s->count_name));
    }
    if (s->sample_weight == 0) return;
    uint64_t samples = rounded((double)weight / (double)s->sample_weight);
    pk_strbuf_add_str(out, ", ");
    add_grouped(out, samples);
    pk_strbuf_add_str(out, samples == 1 ? " sample" : " samples");
}

/* ---- the document ---- */

void pk_flame_add_attribute(picture *p, const char *name, const char *value) {
    pk_strbuf_addf(p->out, " %s=\"", name);
    pk_escape_markup(p->out, value, strlen(value));
    pk_strbuf_add_char(p->out, '"');
}

static void add_text(picture *p, const char *id, const char *class, const char *x, double y,
                     const char *text) {
    pk_strbuf_addf(p->out, "<text id=\"%s\"", id);
    if (class) pk_flame_add_attribute(p, "class", class);
    pk_flame_add_attribute(p, "fill", p->style->ui_colour);
    if (strcmp(id, "title") == 0)
        pk_strbuf_addf(p->out, " font-size=\"%u\"", p->style->font_size + 5);
    if (strcmp(id, "details") == 0) pk_flame_add_attribute(p, "aria-live", "polite");
    pk_strbuf_addf(p->out, " x=\"%s\" y=\"%.2f\">", x, y);
    pk_escape_markup(p->out, text, strlen(text));
    pk_strbuf_add_str(p->out, "</text>\n");
}

/* A family of CSS of more than letters is quoted; a quote in it would end the quoting. */
static void add_font(picture *p) {
    static const char *const generic[] = {"cursive", "fantasy", "monospace", "serif", "sans-serif"};
    bool quoted = true;
    for (size_t i = 0; i < sizeof generic / sizeof generic[0]; i++)
        if (strcmp(p->style->font, generic[i]) == 0) quoted = false;
    pk_strbuf family;
    pk_strbuf_init(&family, 1 << 10);
    if (quoted) pk_strbuf_add_char(&family, '"');
    for (const char *c = p->style->font; *c; c++)
        if (!strchr("\"\\;", *c)) pk_strbuf_add_char(&family, *c);
    if (quoted) pk_strbuf_add_char(&family, '"');
    pk_flame_add_attribute(p, "font-family", family.data);
    pk_strbuf_fini(&family);
    pk_strbuf_addf(p->out, " font-size=\"%u\"", p->style->font_size);
}

/* "--" may not stand in a comment of XML. */
static void add_notes(picture *p) {
    if (!p->style->notes) return;
    pk_strbuf notes;
    pk_strbuf_init(&notes, 1 << 20);
    for (const char *c = p->style->notes; *c; c++) {
        if (*c == '-' && notes.length && notes.data[notes.length - 1] == '-')
            pk_strbuf_add_char(&notes, ' ');
        pk_strbuf_add_char(&notes, *c);
    }
    pk_strbuf_add_str(p->out, "<!--NOTES: ");
    pk_escape_markup(p->out, notes.data, notes.length);
    pk_strbuf_add_str(p->out, " -->\n");
    pk_strbuf_fini(&notes);
}

static const char *title_of(const picture *p) {
    if (p->style->title) return p->style->title;
    if (p->stacks->in_order || p->lane->name) return "Flame Chart";
    return p->style->inverted ? "Icicle Graph" : "Flame Graph";
}

/* The colours of the night are for pictures that were given none. */
static bool may_be_dark(const picture *p) {
    return !p->style->plain && !p->style->background &&
           strcmp(p->style->ui_colour, PK_FLAME_STYLE.ui_colour) == 0;
}

static void add_background(picture *p) {
    pk_rgb top, bottom;
    if (!p->style->background || !pk_background_parse(p->style->background, &top, &bottom))
        pk_palette_background(p->style->palette, &top, &bottom);
    pk_strbuf_addf(p->out,
                   "<defs><linearGradient id=\"background\" y1=\"0\" y2=\"1\" x1=\"0\" x2=\"0\">"
                   "<stop stop-color=\"#%02x%02x%02x\" offset=\"5%%\"/>"
                   "<stop stop-color=\"#%02x%02x%02x\" offset=\"95%%\"/></linearGradient></defs>\n",
                   top.r, top.g, top.b, bottom.r, bottom.g, bottom.b);
}

static void add_head(picture *p) {
    unsigned height = p->height + p->below;
    pk_strbuf_addf(p->out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
                   "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" "
                   "\"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n"
                   "<svg version=\"1.1\" width=\"%u\" height=\"%u\" onload=\"init(evt)\" "
                   "viewBox=\"0 0 %u %u\" xmlns=\"http://www.w3.org/2000/svg\" "
                   "xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
                   "xmlns:fg=\"http://github.com/jonhoo/inferno\" class=\"perfkit-flame%s\" "
                   "role=\"group\"",
                   p->width, height, p->width, height, may_be_dark(p) ? " night" : "");
    pk_flame_add_attribute(p, "aria-label", title_of(p));
    add_font(p);
    pk_strbuf_add_str(p->out, ">\n");
    add_notes(p);
    add_background(p);
    pk_strbuf_add_str(p->out, "<style type=\"text/css\">\n");
    pk_strbuf_add_str(p->out, pk_embed_data(pk_flame_css));
    pk_strbuf_add_str(p->out, "</style>\n<script type=\"text/ecmascript\"><![CDATA[\n");
    pk_strbuf_add_str(p->out, pk_embed_data(pk_flame_script));
    pk_strbuf_add_str(p->out, "]]></script>\n");
    pk_strbuf_addf(
        p->out, "<rect x=\"0\" y=\"0\" width=\"100%%\" height=\"%u\" fill=\"url(#background)\"/>\n",
        height);
}

/* What stands where details will: what is missing, or what the picture can do. */
static void notice(const picture *p, char *out, size_t size) {
    uint64_t least = 0;
    for (size_t i = 0; i < p->n_lanes; i++)
        if (p->lanes[i].least > least) least = p->lanes[i].least;
    if (p->style->plain) snprintf(out, size, " ");
    else if (p->left_out)
        snprintf(out, size, "%zu frame%s narrower than %.2g%% %s left out", p->left_out,
                 p->left_out == 1 ? "" : "s",
                 fmax(p->style->min_width, least > 1 ? 100 * (double)least / (double)p->total : 0),
                 p->left_out == 1 ? "is" : "are");
    else snprintf(out, size, "Opened in a browser, frames zoom on a click and Ctrl-F searches");
}

/* From when to when the picture goes. */
static void add_axis(picture *p, const char *right) {
    char end[PK_FORMAT_MAX];
    add_text(p, "begin", NULL, "10", p->top - PK_FLAME_INDENT_PX, "0");
    add_text(p, "end", NULL, right, p->top - PK_FLAME_INDENT_PX,
             pk_format_duration(end, sizeof end, (double)p->total));
}

static void add_controls(picture *p) {
    double font = p->style->font_size;
    double low = p->style->inverted ? p->top - p->axis - font : p->height - p->bottom / 2.0;
    char right[16], left_of_it[16], idle[128];
    snprintf(right, sizeof right, "%u", p->width - PK_FLAME_PAD_PX);
    snprintf(left_of_it, sizeof left_of_it, "%.0f",
             p->width - PK_FLAME_PAD_PX - 14 * font * p->style->font_width);
    notice(p, idle, sizeof idle);
    add_text(p, "title", NULL, "50.0000%", 2 * font, title_of(p));
    if (p->style->subtitle) add_text(p, "subtitle", NULL, "50.0000%", 4 * font, p->style->subtitle);
    if (p->legend) pk_flame_legend(p, (p->style->subtitle ? 6 : 4) * font);
    if (p->axis) add_axis(p, right);
    add_text(p, "details", NULL, "10", low, idle);
    add_text(p, "unzoom", "hide", "10", 2 * font, "Reset Zoom");
    add_text(p, "search", NULL, right, 2 * font, "Search");
    add_text(p, "ignorecase", NULL, left_of_it, 2 * font, "ic");
    add_text(p, "matched", "hide", right, low, " ");
}

static const char *kind_of(const picture *p) {
    if (p->lane->name) return "threads";
    if (p->tree->n_weights == 2) return "difference";
    return p->tree->in_order ? "chart" : "graph";
}

/* What the script needs to know. */
static void add_settings(picture *p) {
    const pk_flame_style *s = p->style;
    pk_strbuf_addf(p->out,
                   "<svg id=\"frames\" x=\"%d\" width=\"%u\" total_samples=\"%llu\" "
                   "data-inverted=\"%d\" data-truncate-right=\"%d\" data-fluid=\"%d\" "
                   "data-font-size=\"%u\" data-font-width=\"%g\" data-factor=\"%.17g\" "
                   "data-time=\"%d\" data-sample-weight=\"%llu\" data-kind=\"%s\" "
                   "data-notice=\"%d\"",
                   PK_FLAME_PAD_PX, p->width - 2 * PK_FLAME_PAD_PX, (unsigned long long)p->total,
                   s->inverted, s->truncate_right, s->image_width == 0, s->font_size, s->font_width,
                   s->factor, s->weight_is_time, (unsigned long long)s->sample_weight, kind_of(p),
                   !s->plain && p->left_out > 0);
    if (s->weight_is_bytes) pk_strbuf_add_str(p->out, " data-bytes=\"1\"");
    pk_flame_add_attribute(p, "data-count-name", s->count_name);
    pk_flame_add_attribute(p, "data-name-type", s->name_type);
    pk_flame_add_attribute(p, "data-search-colour", s->search_colour);
    if (s->stroke_colour) {
        pk_flame_add_attribute(p, "stroke", s->stroke_colour);
        pk_flame_add_attribute(p, "stroke-width", "1");
    }
    pk_strbuf_add_str(p->out, ">\n");
}

/* The lanes below each other; from where to where. Each has half a row of air above it, but the
 * first. */
static bool place_lanes(picture *p) {
    unsigned row = p->style->frame_height, y = p->top;
    size_t most = p->style->max_frames / p->n_lanes;
    for (size_t i = 0; i < p->n_lanes; i++) {
        pk_flame_lane *lane = &p->lanes[i];
        if (!pk_flame_select(p, lane, p->style->max_frames && most == 0 ? 1 : most)) return false;
        if (i > 0) y += row / 2;
        lane->y = p->style->inverted ? y : y + (lane->rows - 1) * row + PK_FLAME_GAP_PX;
        y += lane->rows * row;
    }
    p->height = y + p->bottom;
    return true;
}

static bool lay_out(picture *p) {
    const pk_flame_style *s = p->style;
    p->width = s->image_width ? s->image_width : FLUID_WIDTH_PX;
    p->top = s->inverted ? s->font_size * 4 + 4 : s->font_size * 3;
    p->bottom = s->inverted ? s->font_size + 10 : s->font_size * 2 + 10;
    p->legend = p->tree->n_weights == 2 && !s->plain;
    if (s->subtitle) p->top += s->font_size * 2;
    if (p->legend) p->top += s->font_size * 2;
    p->axis = p->lane->name ? s->font_size : 0;
    p->top += p->axis;
    if (p->total == 0) {
        p->height = s->frame_height + p->top + p->bottom;
        return true;
    }
    if (!place_lanes(p)) return false;
    for (uint32_t i = 0; p->tree->n_weights == 2 && i < p->tree->nodes.count; i++)
        p->most = fmax(p->most, fabs(pk_flame_delta(p, i)));
    return !p->legend || pk_flame_gone_measure(p);
}

/* False: out of memory. Stacks too many to travel along are left out: the picture is still whole.
 */
static bool add_stacks(picture *p) {
    pk_err err;
    pk_strbuf packed;
    pk_strbuf_init(&packed, PK_FLAME_STACKS_BYTES_MAX);
    bool ok = pk_folded_pack(p->stacks, &packed, &err);
    if (ok)
        pk_strbuf_addf(p->out,
                       "<metadata id=\"stacks\" fg:encoding=\"base64 gzip folded\" "
                       "fg:weights=\"%u\" fg:in-order=\"%d\">%s</metadata>\n",
                       p->stacks->n_weights, p->stacks->in_order, packed.data);
    else if (packed.failed) ok = true;
    pk_strbuf_fini(&packed);
    return ok;
}

static void add_nothing(picture *p) {
    add_head(p);
    add_text(p, "title", NULL, "50.0000%", 2.0 * p->style->font_size,
             "There is nothing to draw: no stack has any weight");
    pk_strbuf_add_str(p->out, "</svg>\n");
}

static bool add_picture(picture *p) {
    add_head(p);
    add_controls(p);
    add_settings(p);
    for (size_t i = 0; i < p->n_lanes; i++) {
        p->lane = &p->lanes[i];
        p->tree = p->lane->tree;
        if (!pk_flame_frames(p)) return false;
    }
    pk_strbuf_add_str(p->out, "</svg>\n");
    if (p->below && !pk_flame_gone(p)) return false;
    if (p->style->embed_stacks && !add_stacks(p)) return false;
    pk_strbuf_add_str(p->out, "</svg>\n");
    return pk_strbuf_ok(p->out);
}

bool pk_flame_draw(pk_flame_lane lanes[], size_t n_lanes, const pk_stack_tree *stacks,
                   const pk_flame_style *style, pk_strbuf *out, size_t *left_out, pk_err *err) {
    const pk_stack_tree *tree = lanes[0].tree;
    picture p = {.lanes = lanes,
                 .n_lanes = n_lanes,
                 .lane = lanes,
                 .tree = tree,
                 .stacks = stacks,
                 .style = style,
                 .out = out,
                 .weight = tree->n_weights - 1,
                 .most = 1};
    p.total = pk_node(tree, PK_NODE_ROOT)->total[p.weight];
    if (p.total && style->total > p.total) p.total = style->total;
    p.colours = (pk_colour_source){style->palette, style->colouring, PK_COLOUR_SEED};
    bool ok = lay_out(&p);
    if (ok && p.total == 0) {
        add_nothing(&p);
        pk_fail(err, PK_E_INPUT, NULL, "no stacks: nothing to draw");
        return false;
    }
    ok = ok && add_picture(&p);
    if (left_out) *left_out = p.left_out;
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the picture");
    return ok;
}

bool pk_flame_svg(const pk_stack_tree *tree, const pk_flame_style *style, pk_strbuf *out,
                  size_t *left_out, pk_err *err) {
    pk_flame_lane all = {.tree = tree};
    return pk_flame_draw(&all, 1, tree, style, out, left_out, err);
}
