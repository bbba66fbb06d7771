/* Inside report/svg: what the layout hands to the marks. */
#ifndef PK_REPORT_SVG_DRAW_H
#define PK_REPORT_SVG_DRAW_H

#include "report/scale.h"
#include "report/svg.h"

/* The plot's rectangle and scales. Strip: the room below the plot for PK_MARK_STRIP, from bottom
 * to strip_bottom (equal: none). */
typedef struct pk_svg_plot {
    pk_scale x, y;
    double left, right, top, bottom, strip_bottom;
} pk_svg_plot;

/* A coordinate with at most two decimals, no locale; finite. */
void pk_svg_coordinate(pk_strbuf *out, double value);
/* ` name="value"`. */
void pk_svg_attribute(pk_strbuf *out, const char *name, double value);
void pk_svg_escape(pk_strbuf *out, const char *text);

/* One mark, as a <g>. */
void pk_svg_mark(pk_strbuf *out, const pk_svg_plot *plot, const pk_chart *chart,
                 const pk_mark *mark);
/* Its sample in the legend, 20 units wide, around (x, y). */
void pk_svg_swatch(pk_strbuf *out, const pk_mark *mark, double x, double y);

#endif
