/* The frames of a flame graph as they stand in its SVG: a scanner for svg_read, not for XML at
 * large. It takes any bytes. */
#ifndef PK_PROFILE_SVG_SCAN_H
#define PK_PROFILE_SVG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* A <title> and the <rect> behind it, in one <g> or <a>. */
typedef struct pk_svg_frame {
    pk_strbuf name; /* the title without its figures, entities resolved */
    char shown[64]; /* of "name (COUNT UNIT, ...)": "COUNT UNIT"; "": there is none */
    bool has_count;
    uint64_t count;     /* whole ones */
    double x, y, width; /* px or percent; 0 where it does not say */
    bool has_fg;
    uint64_t fg_x, fg_w;
} pk_svg_frame;

typedef struct pk_svg_scan {
    const char *text;
    size_t bytes, at;
    pk_svg_frame frame;
    bool titled;        /* the frame has its title, and waits for its rectangle */
    bool inverted;      /* the document says that its root is above */
    const char *stacks; /* what is in <metadata id="stacks">; NULL: not seen */
    size_t stacks_bytes;
    uint64_t stacks_weights; /* counts per line: 2 for a difference */
} pk_svg_scan;

void pk_svg_scan_begin(pk_svg_scan *scan, const char *text, size_t bytes);
/* Makes scan->frame the next one. False: there is none. */
bool pk_svg_scan_next(pk_svg_scan *scan);
void pk_svg_scan_end(pk_svg_scan *scan);

#endif
