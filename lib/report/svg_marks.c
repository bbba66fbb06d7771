#include "report/svg_draw.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "report/escape.h"

#define COORDINATE_MAX 1e6 /* far outside any picture */
#define RADIUS 3.0
#define ROW_SHARE 0.4 /* of a row's height that a box or violin takes on each side */
#define CAP 3.0       /* half width of the ends of an interval */

/* By hand: a page has thousands of these, and printf took half of the time that it took to write.
 */
void pk_svg_coordinate(pk_strbuf *out, double value) {
    if (!isfinite(value)) value = 0;
    value = fmin(fmax(value, -COORDINATE_MAX), COORDINATE_MAX);
    int64_t hundredths = llround(value * 100);
    uint64_t size = (uint64_t)(hundredths < 0 ? -hundredths : hundredths);
    char text[16], *end = text + sizeof text, *p = end; /* "-1000000.00" is the longest */
    if (size % 100 != 0) {
        if (size % 10 != 0) *--p = (char)('0' + size % 10);
        *--p = (char)('0' + size / 10 % 10);
        *--p = '.';
    }
    size /= 100;
    do *--p = (char)('0' + size % 10);
    while (size /= 10);
    if (hundredths < 0) *--p = '-';
    pk_strbuf_add(out, p, (size_t)(end - p));
}

void pk_svg_attribute(pk_strbuf *out, const char *name, double value) {
    pk_strbuf_add_char(out, ' ');
    pk_strbuf_add_str(out, name);
    pk_strbuf_add_str(out, "=\"");
    pk_svg_coordinate(out, value);
    pk_strbuf_add_char(out, '"');
}

void pk_svg_escape(pk_strbuf *out, const char *text) {
    pk_escape_markup(out, text, strlen(text));
}

static void move(pk_strbuf *out, char command, double x, double y) {
    pk_strbuf_add_char(out, command);
    pk_svg_coordinate(out, x);
    pk_strbuf_add_char(out, ' ');
    pk_svg_coordinate(out, y);
}

static void line(pk_strbuf *out, double x1, double y1, double x2, double y2) {
    move(out, 'M', x1, y1);
    move(out, 'L', x2, y2);
}

static void rectangle(pk_strbuf *out, double x1, double y1, double x2, double y2) {
    pk_strbuf_add_str(out, "<rect");
    pk_svg_attribute(out, "x", fmin(x1, x2));
    pk_svg_attribute(out, "y", fmin(y1, y2));
    pk_svg_attribute(out, "width", fabs(x2 - x1));
    pk_svg_attribute(out, "height", fabs(y2 - y1));
}

/* ---- hover texts ---- */

static void hover_value(pk_strbuf *out, const pk_axis *axis, double value, const char *before) {
    pk_strbuf_add_str(out, before);
    pk_axis_text(out, axis, value);
}

/* "name: x, y"; a second value as a range. */
static void hover(pk_strbuf *out, const pk_chart *chart, const pk_mark *mark, size_t i) {
    pk_strbuf_add_str(out, "<title>");
    if (mark->hover) pk_svg_escape(out, mark->hover[i]);
    else {
        const char *before = "";
        if (mark->name) {
            pk_svg_escape(out, mark->name);
            before = ": ";
        }
        if (mark->x) hover_value(out, &chart->x, mark->x[i], before);
        if (mark->x2) hover_value(out, &chart->x, mark->x2[i], " .. ");
        if (mark->y) hover_value(out, &chart->y, mark->y[i], mark->x ? ", " : before);
        if (mark->y2) hover_value(out, &chart->y, mark->y2[i], " .. ");
    }
    pk_strbuf_add_str(out, "</title>");
}

/* ---- points ---- */

static void shape(pk_strbuf *out, pk_shape kind, double x, double y, double r) {
    if (kind == PK_DOT) {
        pk_strbuf_add_str(out, "<circle");
        pk_svg_attribute(out, "cx", x);
        pk_svg_attribute(out, "cy", y);
        pk_svg_attribute(out, "r", r);
        pk_strbuf_add_char(out, '>');
        return;
    }
    pk_strbuf_add_str(out, "<path d=\"");
    if (kind == PK_DIAMOND) {
        move(out, 'M', x, y - 1.4 * r);
        move(out, 'L', x + 1.4 * r, y);
        move(out, 'L', x, y + 1.4 * r);
        move(out, 'L', x - 1.4 * r, y);
    } else if (kind == PK_SQUARE) {
        move(out, 'M', x - r, y - r);
        move(out, 'L', x + r, y - r);
        move(out, 'L', x + r, y + r);
        move(out, 'L', x - r, y + r);
    } else {
        move(out, 'M', x, y - 1.3 * r);
        move(out, 'L', x + 1.25 * r, y + r);
        move(out, 'L', x - 1.25 * r, y + r);
    }
    pk_strbuf_add_str(out, "Z\">");
}

static void end_shape(pk_strbuf *out, pk_shape kind) {
    pk_strbuf_add_str(out, kind == PK_DOT ? "</circle>" : "</path>");
}

static void draw_points(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                        const pk_mark *mark) {
    for (size_t i = 0; i < mark->n; i++) {
        if (!pk_scale_holds(&plot->x, mark->x[i]) || !pk_scale_holds(&plot->y, mark->y[i]))
            continue;
        double r = mark->n > 60 ? 0.8 * RADIUS : RADIUS;
        shape(out, mark->shape, pk_scale_at(&plot->x, mark->x[i]),
              pk_scale_at(&plot->y, mark->y[i]), r);
        hover(out, chart, mark, i);
        end_shape(out, mark->shape);
    }
}

/* Heights within the strip go up and down by the golden ratio: neighbours in the list, which often
 * have equal values, land far from each other. */
static void draw_strip(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                       const pk_mark *mark) {
    double top = plot->bottom + RADIUS + 3, room = plot->strip_bottom - RADIUS - 1 - top;
    for (size_t i = 0; i < mark->n; i++) {
        if (!pk_scale_holds(&plot->x, mark->x[i])) continue;
        double share = fmod((double)(i + 1) * 0.6180339887498949, 1);
        shape(out, mark->shape, pk_scale_at(&plot->x, mark->x[i]), top + room * share,
              0.75 * RADIUS);
        hover(out, chart, mark, i);
        end_shape(out, mark->shape);
    }
}

/* ---- lines and areas ---- */

static bool shown(const pk_svg_plot *plot, const pk_mark *mark, size_t i) {
    return isfinite(pk_scale_at(&plot->x, mark->x[i])) &&
           isfinite(pk_scale_at(&plot->y, mark->y[i])) &&
           (!mark->y2 || isfinite(pk_scale_at(&plot->y, mark->y2[i])));
}

static void trace(pk_strbuf *out, const pk_svg_plot *plot, const double x[], const double y[],
                  size_t from, size_t to, char first) {
    for (size_t i = from; i < to; i++)
        move(out, i == from ? first : 'L', pk_scale_at(&plot->x, x[i]),
             pk_scale_at(&plot->y, y[i]));
}

/* From `from`: the end of the stretch without a gap. */
static size_t stretch(const pk_svg_plot *plot, const pk_mark *mark, size_t from) {
    while (from < mark->n && shown(plot, mark, from)) from++;
    return from;
}

static void draw_line(pk_strbuf *out, const pk_svg_plot *plot, const pk_mark *mark) {
    pk_strbuf_add_str(out, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < mark->n; i++) {
        size_t end = stretch(plot, mark, i);
        trace(out, plot, mark->x, mark->y, i, end, 'M');
        i = end;
    }
    pk_strbuf_add_str(out, "\"/>");
}

static void draw_area(pk_strbuf *out, const pk_svg_plot *plot, const pk_mark *mark) {
    pk_strbuf_add_str(out, "<path class=\"fill\" d=\"");
    for (size_t i = 0; i < mark->n; i++) {
        size_t end = stretch(plot, mark, i);
        if (end > i) {
            move(out, 'M', pk_scale_at(&plot->x, mark->x[i]), plot->bottom);
            trace(out, plot, mark->x, mark->y, i, end, 'L');
            move(out, 'L', pk_scale_at(&plot->x, mark->x[end - 1]), plot->bottom);
            pk_strbuf_add_char(out, 'Z');
        }
        i = end;
    }
    pk_strbuf_add_str(out, "\"/>");
    draw_line(out, plot, mark);
}

static void draw_band(pk_strbuf *out, const pk_svg_plot *plot, const pk_mark *mark) {
    pk_strbuf_add_str(out, "<path class=\"fill\" d=\"");
    for (size_t i = 0; i < mark->n; i++) {
        size_t end = stretch(plot, mark, i);
        trace(out, plot, mark->x, mark->y, i, end, 'M');
        for (size_t k = end; k > i; k--)
            move(out, 'L', pk_scale_at(&plot->x, mark->x[k - 1]),
                 pk_scale_at(&plot->y, mark->y2[k - 1]));
        if (end > i) pk_strbuf_add_char(out, 'Z');
        i = end;
    }
    pk_strbuf_add_str(out, "\"/>");
}

/* ---- intervals, bars, rules ---- */

static void draw_interval(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                          const pk_mark *mark, size_t i, bool lying) {
    const pk_scale *along = lying ? &plot->x : &plot->y, *across = lying ? &plot->y : &plot->x;
    double low = pk_scale_at(along, lying ? mark->x[i] : mark->y[i]);
    double high = pk_scale_at(along, lying ? mark->x2[i] : mark->y2[i]);
    double at = pk_scale_at(across, lying ? mark->y[i] : mark->x[i]);
    if (!isfinite(low) || !isfinite(high) || !isfinite(at)) return;
    pk_strbuf_add_str(out, "<path class=\"line\" d=\"");
    if (lying) {
        line(out, low, at, high, at);
        line(out, low, at - CAP, low, at + CAP);
        line(out, high, at - CAP, high, at + CAP);
    } else {
        line(out, at, low, at, high);
        line(out, at - CAP, low, at + CAP, low);
        line(out, at - CAP, high, at + CAP, high);
    }
    pk_strbuf_add_str(out, "\">");
    hover(out, chart, mark, i);
    pk_strbuf_add_str(out, "</path>");
}

/* Half the least distance between two neighbours on the axis, so that bars do not touch. */
static double bar_half(const pk_scale *scale, const double at[], size_t n) {
    double least = fabs(scale->to - scale->from) / 8;
    for (size_t i = 1; i < n; i++) {
        double gap = fabs(pk_scale_at(scale, at[i]) - pk_scale_at(scale, at[i - 1]));
        if (gap > 0 && gap < least) least = gap;
    }
    return fmax(0.35 * least, 0.5);
}

static void draw_bars(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                      const pk_mark *mark, bool lying) {
    double half =
        lying ? bar_half(&plot->y, mark->y, mark->n) : bar_half(&plot->x, mark->x, mark->n);
    for (size_t i = 0; i < mark->n; i++) {
        double x = pk_scale_at(&plot->x, mark->x[i]), y = pk_scale_at(&plot->y, mark->y[i]);
        if (!isfinite(x) || !isfinite(y)) continue;
        if (lying) rectangle(out, plot->left, y - half, x, y + half);
        else rectangle(out, x - half, plot->bottom, x + half, y);
        pk_strbuf_add_str(out, " class=\"bar\">");
        hover(out, chart, mark, i);
        pk_strbuf_add_str(out, "</rect>");
    }
}

static void draw_rules(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                       const pk_mark *mark, bool upright) {
    for (size_t i = 0; i < mark->n; i++) {
        const pk_scale *scale = upright ? &plot->x : &plot->y;
        double value = upright ? mark->x[i] : mark->y[i], at = pk_scale_at(scale, value);
        if (!pk_scale_holds(scale, value) || !isfinite(at)) continue;
        pk_strbuf_add_str(out, "<path class=\"line\" d=\"");
        if (upright) line(out, at, plot->top, at, plot->strip_bottom);
        else line(out, plot->left, at, plot->right, at);
        pk_strbuf_add_str(out, "\">");
        hover(out, chart, mark, i);
        pk_strbuf_add_str(out, "</path>");
    }
}

static void draw_span(pk_strbuf *out, const pk_svg_plot *plot, const pk_mark *mark, bool upright) {
    const pk_scale *scale = upright ? &plot->x : &plot->y;
    const double *ends = upright ? mark->x : mark->y;
    if (mark->n != 2) return;
    double from = pk_scale_at(scale, ends[0]), to = pk_scale_at(scale, ends[1]);
    if (!isfinite(from) || !isfinite(to)) return;
    if (upright) rectangle(out, from, plot->top, to, plot->strip_bottom);
    else rectangle(out, plot->left, from, plot->right, to);
    pk_strbuf_add_str(out, " class=\"fill\"/>");
}

/* ---- boxes and violins ---- */

static double row_height(const pk_svg_plot *plot) {
    return fabs(pk_scale_at(&plot->y, plot->y.low + 1) - pk_scale_at(&plot->y, plot->y.low));
}

static void draw_box(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                     const pk_mark *mark, size_t i) {
    const pk_box *box = &mark->boxes[i];
    double low = pk_scale_at(&plot->x, box->low), q1 = pk_scale_at(&plot->x, box->q1);
    double middle = pk_scale_at(&plot->x, box->middle), q3 = pk_scale_at(&plot->x, box->q3);
    double high = pk_scale_at(&plot->x, box->high), y = pk_scale_at(&plot->y, mark->y[i]);
    if (!isfinite(low + q1 + middle + q3 + high + y)) return;
    double half = fmin(0.6 * ROW_SHARE * row_height(plot), 9);
    pk_strbuf_add_str(out, "<g>");
    hover(out, chart, mark, i);
    pk_strbuf_add_str(out, "<path class=\"line\" d=\"");
    line(out, low, y, q1, y);
    line(out, q3, y, high, y);
    line(out, low, y - half / 2, low, y + half / 2);
    line(out, high, y - half / 2, high, y + half / 2);
    pk_strbuf_add_str(out, "\"/>");
    rectangle(out, q1, y - half, q3, y + half);
    pk_strbuf_add_str(out, " class=\"box\"/><path class=\"line thick\" d=\"");
    line(out, middle, y - half, middle, y + half);
    pk_strbuf_add_str(out, "\"/></g>");
}

/* The violin ends where the density has come down to nothing that could be seen. */
#define VIOLIN_END 0.005

static void draw_violin(pk_strbuf *out, const pk_svg_plot *plot, const pk_mark *mark) {
    double at = pk_scale_at(&plot->y, mark->x2[0]), half = ROW_SHARE * row_height(plot), peak = 0;
    for (size_t i = 0; i < mark->n; i++)
        if (mark->y[i] > peak) peak = mark->y[i];
    if (!isfinite(at) || !(peak > 0) || !isfinite(peak)) return;
    size_t first = 0, end = mark->n;
    while (first < end && !(mark->y[first] > VIOLIN_END * peak)) first++;
    while (end > first && !(mark->y[end - 1] > VIOLIN_END * peak)) end--;
    pk_strbuf_add_str(out, "<path class=\"fill outlined\" d=\"");
    char command = 'M';
    for (size_t k = 0, n = end - first; k < 2 * n; k++) { /* along the upper side, and back */
        size_t i = k < n ? first + k : end - 1 - (k - n);
        if (!pk_scale_holds(&plot->x, mark->x[i]) || !isfinite(mark->y[i])) continue;
        double height = half * mark->y[i] / peak, x = pk_scale_at(&plot->x, mark->x[i]);
        if (!isfinite(x)) continue;
        move(out, command, x, k < n ? at - height : at + height);
        command = 'L';
    }
    pk_strbuf_add_str(out, command == 'L' ? "Z\">" : "\">");
    if (mark->name) {
        pk_strbuf_add_str(out, "<title>");
        pk_svg_escape(out, mark->name);
        pk_strbuf_add_str(out, "</title>");
    }
    pk_strbuf_add_str(out, "</path>");
}

/* ---- all kinds ---- */

static void begin_group(pk_strbuf *out, const pk_mark *mark) {
    static const char *const dashes[] = {"", " dashed", " dotted"};
    static const char *const tones[] = {"new", "old", "good", "bad", "mild", "severe", "muted"};
    pk_strbuf_add_str(out, "<g class=\"mark ");
    if (mark->tone < PK_TONE_1) pk_strbuf_add_str(out, tones[mark->tone]);
    else pk_strbuf_addf(out, "s%d", (int)(mark->tone - PK_TONE_1) + 1);
    pk_strbuf_add_str(out, dashes[mark->dash]);
    pk_strbuf_add_str(out, "\">");
}

void pk_svg_mark(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                 const pk_mark *mark) {
    begin_group(out, mark);
    switch (mark->kind) {
    case PK_MARK_POINTS:
        draw_points(out, plot, chart, mark);
        break;
    case PK_MARK_LINE:
        draw_line(out, plot, mark);
        break;
    case PK_MARK_AREA:
        draw_area(out, plot, mark);
        break;
    case PK_MARK_BAND:
        draw_band(out, plot, mark);
        break;
    case PK_MARK_INTERVALS:
    case PK_MARK_INTERVALS_X:
        for (size_t i = 0; i < mark->n; i++)
            draw_interval(out, plot, chart, mark, i, mark->kind == PK_MARK_INTERVALS_X);
        break;
    case PK_MARK_BARS:
    case PK_MARK_BARS_X:
        draw_bars(out, plot, chart, mark, mark->kind == PK_MARK_BARS_X);
        break;
    case PK_MARK_STRIP:
        draw_strip(out, plot, chart, mark);
        break;
    case PK_MARK_RULES_X:
    case PK_MARK_RULES_Y:
        draw_rules(out, plot, chart, mark, mark->kind == PK_MARK_RULES_X);
        break;
    case PK_MARK_SPAN_X:
    case PK_MARK_SPAN_Y:
        draw_span(out, plot, mark, mark->kind == PK_MARK_SPAN_X);
        break;
    case PK_MARK_BOXES:
        for (size_t i = 0; i < mark->n; i++) draw_box(out, plot, chart, mark, i);
        break;
    case PK_MARK_VIOLIN:
        draw_violin(out, plot, mark);
        break;
    }
    pk_strbuf_add_str(out, "</g>");
}

static void swatch_fill(pk_strbuf *out, double x, double y, const char *class) {
    rectangle(out, x - 9, y - 5, x + 9, y + 5);
    pk_strbuf_addf(out, " class=\"%s\"/>", class);
}

void pk_svg_swatch(pk_strbuf *out, const pk_mark *mark, double x, double y) {
    begin_group(out, mark);
    switch (mark->kind) {
    case PK_MARK_POINTS:
    case PK_MARK_STRIP:
        shape(out, mark->shape, x, y, RADIUS + 0.5);
        end_shape(out, mark->shape);
        break;
    case PK_MARK_AREA:
    case PK_MARK_BAND:
    case PK_MARK_SPAN_X:
    case PK_MARK_SPAN_Y:
        swatch_fill(out, x, y, "fill");
        break;
    case PK_MARK_VIOLIN:
        swatch_fill(out, x, y, "fill outlined");
        break;
    case PK_MARK_BOXES:
        swatch_fill(out, x, y, "box");
        break;
    case PK_MARK_BARS:
    case PK_MARK_BARS_X:
        swatch_fill(out, x, y, "bar");
        break;
    default:
        break;
    }
    pk_strbuf_add_str(out, "<path class=\"line\" d=\"");
    switch (mark->kind) {
    case PK_MARK_LINE:
    case PK_MARK_RULES_X:
    case PK_MARK_RULES_Y:
        line(out, x - 10, y, x + 10, y);
        break;
    case PK_MARK_AREA:
        line(out, x - 9, y - 5, x + 9, y - 5);
        break;
    case PK_MARK_INTERVALS:
    case PK_MARK_INTERVALS_X:
        line(out, x - 9, y, x + 9, y);
        line(out, x - 9, y - CAP, x - 9, y + CAP);
        line(out, x + 9, y - CAP, x + 9, y + CAP);
        break;
    default:
        break;
    }
    pk_strbuf_add_str(out, "\"/></g>");
}
