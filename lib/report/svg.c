#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/scale.h"
#include "report/svg_draw.h"
#include "report/utf8.h"

PK_EMBED(pk_svg_style, "lib/report/svg.css");

/* Units of the picture. Type is 13 units at most (svg.css, narrow screens); a cell is the width of
 * a digit of the widest common sans-serif face at that size: DejaVu Sans, 0.636 em. */
#define CELL 8.3
#define LINE 17.0        /* from one line of text to the next */
#define EDGE 4.0         /* left free at the picture's edges */
#define PLOT_HEIGHT 190  /* of charts without categories */
#define ROW_HEIGHT 34    /* of a category */
#define STRIP_HEIGHT 40  /* for PK_MARK_STRIP */
#define LABELS_MAX 170.0 /* room for the names of categories */
#define SWATCH 20.0
#define PADDING 0.04 /* of a domain taken from the marks, at each end */

static double text_width(const char *text) {
    int cells;
    pk_utf8_fit(text, strlen(text), 4096, &cells);
    return CELL * cells;
}

/* The text, cut with an ellipsis where it does not fit. */
static void fitted(pk_strbuf *out, const char *text, double width) {
    if (text_width(text) <= width) {
        pk_svg_escape(out, text);
        return;
    }
    int cells;
    size_t bytes = pk_utf8_fit(text, strlen(text), (int)(width / CELL) - 1, &cells);
    pk_strbuf cut;
    pk_strbuf_init(&cut, bytes);
    pk_strbuf_add(&cut, text, bytes);
    pk_svg_escape(out, cut.data);
    pk_strbuf_fini(&cut);
    pk_strbuf_add_str(out, "…");
}

static void begin_text(pk_strbuf *out, const char *class, double x, double y) {
    pk_strbuf_addf(out, "<text class=\"%s\"", class);
    pk_svg_attribute(out, "x", x);
    pk_svg_attribute(out, "y", y);
    pk_strbuf_add_char(out, '>');
}

void pk_mark_series(pk_mark *mark, size_t i) {
    mark->tone = (pk_tone)(PK_TONE_1 + i % PK_SVG_SERIES);
    mark->dash = (pk_dash)(i % 3);
    mark->shape = (pk_shape)(i % 4);
}

void pk_axis_text(pk_strbuf *out, const pk_axis *axis, double value) {
    if (axis->categories) {
        if (value >= 0 && value < (double)axis->n_categories)
            pk_svg_escape(out, axis->categories[(size_t)value]);
        return;
    }
    char text[PK_QUANTITY_MAX];
    pk_strbuf_add_str(out, pk_quantity_text(text, sizeof text, axis->quantity, value, 5));
}

/* ---- domains ---- */

typedef struct range {
    double low, high;
} range;

static void widen(range *r, bool log, size_t n, const double values[]) {
    for (size_t i = 0; values && i < n; i++) {
        if (!isfinite(values[i]) || (log && values[i] <= 0)) continue;
        if (!(values[i] >= r->low)) r->low = values[i];
        if (!(values[i] <= r->high)) r->high = values[i];
    }
}

/* What all marks show on this axis; NaN when they show nothing. */
static range extent(const pk_chart *chart, bool is_x) {
    const pk_axis *axis = is_x ? &chart->x : &chart->y;
    range r = {NAN, NAN};
    for (size_t m = 0; m < chart->n_marks; m++) {
        const pk_mark *mark = &chart->marks[m];
        if (is_x) widen(&r, axis->log, mark->n, mark->x);
        else widen(&r, axis->log, mark->n, mark->y);
        if (!is_x) widen(&r, axis->log, mark->n, mark->y2);
        if (is_x && mark->kind != PK_MARK_VIOLIN) widen(&r, axis->log, mark->n, mark->x2);
        if (is_x && mark->kind == PK_MARK_BOXES)
            for (size_t i = 0; i < mark->n; i++) {
                widen(&r, axis->log, 1, &mark->boxes[i].low);
                widen(&r, axis->log, 1, &mark->boxes[i].high);
            }
    }
    return r;
}

static pk_scale scale_of(const pk_chart *chart, bool is_x, double from, double to) {
    const pk_axis *axis = is_x ? &chart->x : &chart->y;
    if (axis->categories)
        return pk_scale_of(false, -0.5, (double)axis->n_categories - 0.5, from, to);
    if (axis->low < axis->high) return pk_scale_of(axis->log, axis->low, axis->high, from, to);
    range r = extent(chart, is_x);
    if (axis->log) {
        double room = pow(r.high / r.low, PADDING);
        return pk_scale_of(true, r.low / room, r.high * room, from, to);
    }
    double room = (r.high - r.low) * PADDING;
    bool from_zero = axis->from_zero && r.low >= 0;
    return pk_scale_of(false, from_zero ? 0 : r.low - room, r.high + room, from, to);
}

/* ---- layout ---- */

typedef struct layout {
    pk_svg_plot plot;
    pk_ticks x, y;
    double height;
    double names_width; /* of the categories */
    double legend_y, y_label_y;
    bool empty;
} layout;

/* Entries flow into lines from the left. Calls with out = NULL to measure: returns the lines. */
static size_t legend(pk_strbuf *out, const pk_chart *chart, double top) {
    double x = EDGE;
    size_t lines = 0;
    for (size_t m = 0; m < chart->n_marks; m++) {
        const pk_mark *mark = &chart->marks[m];
        if (!mark->name || mark->n == 0 || mark->kind == PK_MARK_VIOLIN) continue;
        double room = PK_SVG_WIDTH - 2 * EDGE - SWATCH - 6;
        double width = SWATCH + 6 + fmin(text_width(mark->name), room);
        if (lines == 0) lines = 1;
        if (x > EDGE && x + width > PK_SVG_WIDTH - EDGE) {
            x = EDGE;
            lines++;
        }
        if (out) {
            double y = top + LINE * (double)(lines - 1);
            pk_svg_swatch(out, mark, x + SWATCH / 2, y - 4);
            begin_text(out, "legend", x + SWATCH + 6, y);
            fitted(out, mark->name, room);
            pk_strbuf_add_str(out, "</text>");
        }
        x += width + 14;
    }
    return lines;
}

static double widest(const pk_ticks *ticks) {
    double width = 0;
    for (size_t i = 0; i < ticks->n; i++) width = fmax(width, text_width(ticks->text[i]));
    return width;
}

/* As many as fit beside each other with room between them. */
static void choose_x_ticks(layout *l, const pk_axis *axis) {
    for (size_t max = 9; max >= 2; max--) {
        pk_ticks_of(&l->plot.x, axis->quantity, max, &l->x);
        double least = INFINITY;
        for (size_t i = 1; i < l->x.n; i++)
            least = fmin(least, pk_scale_at(&l->plot.x, l->x.value[i]) -
                                    pk_scale_at(&l->plot.x, l->x.value[i - 1]));
        if (widest(&l->x) + 10 <= least) return;
    }
    if (l->x.n > 1) l->x.n = 1; /* two labels that would touch: one stays */
}

static double names_width(const pk_axis *axis) {
    double width = 0;
    if (!axis->categories) return 0;
    for (size_t i = 0; i < axis->n_categories; i++)
        width = fmax(width, text_width(axis->categories[i]));
    return fmin(width, LABELS_MAX);
}

/* Any value that a mark could show? */
static bool has_values(const pk_chart *chart) {
    range x = extent(chart, true), y = extent(chart, false);
    bool x_only = false;
    for (size_t m = 0; m < chart->n_marks; m++)
        x_only = x_only || chart->marks[m].kind == PK_MARK_STRIP;
    return isfinite(x.low) && (isfinite(y.low) || x_only || chart->y.categories);
}

static void lay_out(const pk_chart *chart, layout *l) {
    bool rows = chart->y.categories != NULL, strip = false;
    for (size_t m = 0; m < chart->n_marks; m++)
        strip = strip || chart->marks[m].kind == PK_MARK_STRIP;
    size_t lines = legend(NULL, chart, 0);
    l->legend_y = LINE + 20;
    l->y_label_y = l->legend_y + LINE * (double)lines;
    double top = l->y_label_y + (rows ? -4 : 11);
    double bottom = top + (rows ? ROW_HEIGHT * (double)chart->y.n_categories : PLOT_HEIGHT);
    double strip_bottom = bottom + (strip ? STRIP_HEIGHT : 0);
    l->plot = (pk_svg_plot){.top = top, .bottom = bottom, .strip_bottom = strip_bottom};
    l->plot.y = rows ? scale_of(chart, false, top, bottom) : scale_of(chart, false, bottom, top);
    if (!rows) pk_ticks_of(&l->plot.y, chart->y.quantity, PLOT_HEIGHT / 32, &l->y);
    l->names_width = names_width(&chart->y);
    double left = EDGE + (rows ? l->names_width : widest(&l->y)) + 8;

    /* A label at an end sticks out by half of its width; which labels there are depends on the
     * room: measure once with a guess. */
    l->plot.x = scale_of(chart, true, left, PK_SVG_WIDTH - 20);
    choose_x_ticks(l, &chart->x);
    double half = widest(&l->x) / 2 + EDGE;
    l->plot.left = fmax(left, half);
    l->plot.right = PK_SVG_WIDTH - fmax(half, 10);
    l->plot.x.from = l->plot.left + 4;
    l->plot.x.to = l->plot.right - 4;
    if (rows && chart->x.from_zero) l->plot.x.from = l->plot.left;
    choose_x_ticks(l, &chart->x);
    l->height = strip_bottom + 22 + LINE + 6;
    l->empty = !has_values(chart);
}

/* ---- drawing ---- */

static void label(pk_strbuf *out, const pk_axis *axis, pk_unit unit) {
    pk_svg_escape(out, axis->label ? axis->label : "");
    if (unit.name[0]) pk_strbuf_addf(out, " (%s)", unit.name);
    if (axis->log) pk_strbuf_add_str(out, ", logarithmic");
}

static void grid_line(pk_strbuf *out, double x1, double y1, double x2, double y2) {
    pk_strbuf_add_str(out, "<line");
    pk_svg_attribute(out, "x1", x1);
    pk_svg_attribute(out, "y1", y1);
    pk_svg_attribute(out, "x2", x2);
    pk_svg_attribute(out, "y2", y2);
    pk_strbuf_add_str(out, "/>");
}

static void draw_grid(pk_strbuf *out, const pk_chart *chart, const layout *l) {
    const pk_svg_plot *p = &l->plot;
    pk_strbuf_add_str(out, "<g class=\"grid\">");
    for (size_t i = 0; i < l->x.n; i++) {
        double x = pk_scale_at(&p->x, l->x.value[i]);
        grid_line(out, x, p->top, x, p->strip_bottom);
    }
    for (size_t i = 0; i < l->y.n; i++) {
        double y = pk_scale_at(&p->y, l->y.value[i]);
        grid_line(out, p->left, y, p->right, y);
    }
    for (size_t i = 1; i < chart->y.n_categories; i++) {
        double y = pk_scale_at(&p->y, (double)i - 0.5);
        grid_line(out, EDGE, y, p->right, y);
    }
    pk_strbuf_add_str(out, "</g><g class=\"axis\">");
    grid_line(out, p->left, p->strip_bottom, p->right, p->strip_bottom);
    if (p->strip_bottom > p->bottom) grid_line(out, p->left, p->bottom, p->right, p->bottom);
    pk_strbuf_add_str(out, "</g>");
}

static void draw_labels(pk_strbuf *out, const pk_chart *chart, const layout *l) {
    const pk_svg_plot *p = &l->plot;
    for (size_t i = 0; i < l->x.n; i++) {
        begin_text(out, "tick middle", pk_scale_at(&p->x, l->x.value[i]), p->strip_bottom + 18);
        pk_strbuf_addf(out, "%s</text>", l->x.text[i]);
    }
    for (size_t i = 0; i < l->y.n; i++) {
        begin_text(out, "tick end", p->left - 6, pk_scale_at(&p->y, l->y.value[i]) + 4);
        pk_strbuf_addf(out, "%s</text>", l->y.text[i]);
    }
    for (size_t i = 0; i < chart->y.n_categories; i++) {
        begin_text(out, "row end", p->left - 8, pk_scale_at(&p->y, (double)i) + 4);
        pk_strbuf_add_str(out, "<title>");
        pk_svg_escape(out, chart->y.categories[i]);
        pk_strbuf_add_str(out, "</title>");
        fitted(out, chart->y.categories[i], l->names_width);
        pk_strbuf_add_str(out, "</text>");
    }
    begin_text(out, "label middle", (p->left + p->right) / 2, p->strip_bottom + 18 + LINE);
    label(out, &chart->x, l->x.unit);
    pk_strbuf_add_str(out, "</text>");
    if (chart->y.categories) return; /* rows name themselves */
    begin_text(out, "label", EDGE, l->y_label_y);
    label(out, &chart->y, l->y.unit);
    pk_strbuf_add_str(out, "</text>");
}

static void draw_alternative(pk_strbuf *out, const pk_chart *chart, const char *id) {
    pk_strbuf_addf(out, "<title id=\"%s-title\">", id);
    pk_svg_escape(out, chart->title);
    pk_strbuf_addf(out, "</title><desc id=\"%s-desc\">", id);
    if (chart->description) pk_svg_escape(out, chart->description);
    pk_strbuf_add_str(out, "</desc>");
}

void pk_svg_chart(pk_strbuf *out, const pk_chart *chart, const char *id) {
    layout l = {.x.unit.name = "", .y.unit.name = ""};
    lay_out(chart, &l);
    pk_strbuf_addf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" "
                   "aria-labelledby=\"%s-title %s-desc\" viewBox=\"0 0 %d ",
                   id, id, PK_SVG_WIDTH);
    pk_svg_coordinate(out, l.height);
    pk_strbuf_add_str(out, "\">");
    draw_alternative(out, chart, id);
    begin_text(out, "heading", EDGE, LINE - 2);
    fitted(out, chart->title, (PK_SVG_WIDTH - 2 * EDGE) / 1.08); /* bold is wider */
    pk_strbuf_add_str(out, "</text>");
    if (l.empty) {
        begin_text(out, "label middle", PK_SVG_WIDTH / 2.0, (l.plot.top + l.plot.bottom) / 2);
        pk_strbuf_add_str(out, "nothing was measured</text></svg>\n");
        return;
    }
    legend(out, chart, l.legend_y);
    draw_grid(out, chart, &l);
    for (size_t m = 0; m < chart->n_marks; m++)
        if (chart->marks[m].n > 0) pk_svg_mark(out, &l.plot, chart, &chart->marks[m]);
    draw_labels(out, chart, &l);
    pk_strbuf_add_str(out, "</svg>\n");
}

void pk_svg_file(pk_strbuf *out, const pk_chart *chart) {
    pk_strbuf body;
    pk_strbuf_init(&body, out->max_bytes);
    pk_svg_chart(&body, chart, "c");
    const char *rest = strchr(body.data, '>');
    if (!pk_strbuf_ok(&body) || !rest) out->failed = true;
    else {
        pk_strbuf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        pk_strbuf_add(out, body.data, (size_t)(rest - body.data) + 1);
        pk_strbuf_add_str(out, "<style>");
        pk_strbuf_add(out, pk_embed_data(pk_svg_style), pk_embed_bytes(pk_svg_style));
        pk_strbuf_add_str(out, "</style>");
        pk_strbuf_add_str(out, rest + 1);
    }
    pk_strbuf_fini(&body);
}
