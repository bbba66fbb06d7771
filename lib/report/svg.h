/* Charts as inline SVG: no scripts, no fixed colours, every chart with a title, axes that say what
 * and in which unit, values on hover, and a text alternative.
 *
 * A chart is a struct that the caller fills: two axes and a list of marks that refer to the
 * caller's arrays. pk_svg_chart lays it out and writes it; nothing is kept. Values that are not
 * finite (on a logarithmic axis: not positive) are left out: a line has a gap there. So the output
 * never holds "nan", and a chart without a single value says so.
 *
 * Sizes: the picture is PK_SVG_WIDTH units wide and scales with its place; labels are laid out for
 * the larger type that svg.css uses on narrow screens, so they do not collide at any width.
 * Colours: CSS custom properties (--pk-new, --pk-grid ...) in svg.css with light, dark and print;
 * series also differ by dash and shape, so colour never carries meaning alone. */
#ifndef PK_REPORT_SVG_H
#define PK_REPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/embed.h"
#include "base/strbuf.h"
#include "report/quantity.h"

PK_EMBEDDED(pk_svg_style); /* svg.css: into a <style> of the page, once */

#define PK_SVG_WIDTH 420

typedef enum pk_tone {
    PK_TONE_NEW, /* what is measured now */
    PK_TONE_OLD, /* what it is compared with */
    PK_TONE_GOOD,
    PK_TONE_BAD,
    PK_TONE_MILD, /* outliers */
    PK_TONE_SEVERE,
    PK_TONE_MUTED,
    PK_TONE_1, /* series of equal rank: PK_TONE_1 + i % PK_SVG_SERIES */
    PK_TONE_LAST = PK_TONE_1 + 7
} pk_tone;
#define PK_SVG_SERIES 8

typedef enum pk_dash { PK_SOLID, PK_DASHED, PK_DOTTED } pk_dash;
typedef enum pk_shape { PK_DOT, PK_DIAMOND, PK_SQUARE, PK_TRIANGLE } pk_shape;

/* Five numbers of a box; the whiskers end at low and high. */
typedef struct pk_box {
    double low, q1, middle, q3, high;
} pk_box;

typedef enum pk_mark_kind {                 /* arrays it reads, n long each */
                            PK_MARK_POINTS, /* x, y */
                            PK_MARK_LINE,   /* x, y */
                            PK_MARK_AREA,   /* x, y: filled down to the axis, with a line on top */
                            PK_MARK_BAND,   /* x, y (low), y2 (high): filled between */
                            PK_MARK_INTERVALS,   /* x, y (low), y2 (high): a bar with ends at each x
                                                  */
                            PK_MARK_INTERVALS_X, /* y, x (low), x2 (high): the same, lying */
                            PK_MARK_BARS,        /* x, y: from the axis up */
                            PK_MARK_BARS_X,      /* x, y: from the left to x at row y */
                            PK_MARK_STRIP,   /* x: points in a strip of their own below the plot,
                                                spread to be seen */
                            PK_MARK_RULES_X, /* x: lines from bottom to top */
                            PK_MARK_RULES_Y, /* y: lines from left to right */
                            PK_MARK_SPAN_X,  /* x: x[0] to x[1] shaded over the whole height */
                            PK_MARK_SPAN_Y,  /* y: y[0] to y[1] shaded over the whole width */
                            PK_MARK_BOXES,   /* boxes, lying along x; y: rows */
                            PK_MARK_VIOLIN,  /* x, y (density): mirrored about row x2[0], as wide as
                                                a row */
} pk_mark_kind;

typedef struct pk_mark {
    pk_mark_kind kind;
    pk_tone tone;
    pk_dash dash;
    pk_shape shape;
    const char *name; /* in the legend, in hover texts and in the table; NULL: in no legend */
    size_t n;
    const double *x, *x2, *y, *y2;
    const pk_box *boxes;
    const char *const *hover; /* n texts; NULL: made from name and values */
    bool tabled;              /* listed in the table of values (report/page.h) */
} pk_mark;

typedef struct pk_axis {
    const char *label; /* what it shows; the unit is added: "time per iteration" -> "... (µs)" */
    pk_quantity quantity;
    bool log;
    bool from_zero;                /* a domain taken from the marks begins at 0 at the latest */
    double low, high;              /* the domain; not low < high: taken from the marks */
    const char *const *categories; /* y axis only: rows, the first at the top, at y = 0, 1 ... */
    size_t n_categories;
} pk_axis;

typedef struct pk_chart {
    const char *title;       /* shown above it, and its accessible name */
    const char *description; /* the text alternative: one or two sentences with the result */
    pk_axis x, y;
    const pk_mark *marks; /* drawn in this order */
    size_t n_marks;
} pk_chart;

/* Tone, dash and shape of the i-th of several equal series. */
void pk_mark_series(pk_mark *mark, size_t i);

/* Appends one <svg> element, well-formed XML. id: unique within the page, letters and digits; names
 * the elements that aria-labelledby refers to. All texts are escaped here. */
void pk_svg_chart(pk_strbuf *out, const pk_chart *chart, const char *id);
/* The same as a file of its own, style included. */
void pk_svg_file(pk_strbuf *out, const pk_chart *chart);

/* "12.30 ns" as an axis shows a value of it, 5 digits; a category's name. */
void pk_axis_text(pk_strbuf *out, const pk_axis *axis, double value);

#endif
