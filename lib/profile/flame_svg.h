/* A stack tree as an interactive flame graph: one SVG document with the ids and attributes of
 * inferno's (0.12), so that tools which read those read these: #frames with total_samples, a <g>
 * per frame with its <title>, <rect fg:x fg:w> and <text>. The script is ours (flame.js). */
#ifndef PK_PROFILE_FLAME_SVG_H
#define PK_PROFILE_FLAME_SVG_H

#include "base/strbuf.h"
#include "profile/flame_colour.h"
#include "profile/stack_tree.h"

typedef struct pk_flame_style {
    const char *title, *subtitle, *notes; /* subtitle, notes: NULL for none */
    const char *count_name;               /* "samples" */
    const char *name_type;                /* "Function:" */
    double factor;                        /* shown counts are multiplied by it; 1 */
    unsigned image_width;                 /* px; 0: as wide as its place */
    unsigned frame_height, font_size;     /* px */
    double font_width;                    /* of a character, in font sizes */
    const char *font;                     /* CSS family */
    double min_width;                     /* frames narrower than so many percent are left out */
    bool inverted;                        /* the root above: an icicle graph */
    bool truncate_right;                  /* long names lose their end, not their beginning */
    bool diffusion;                       /* colour by width */
    bool negate;                          /* differences: blue for more */
    pk_palette palette;
    pk_colouring colouring;
    const char *background; /* as pk_background_parse; NULL: the palette's own */
    const char *search_colour, *ui_colour, *stroke_colour; /* "#rrggbb"; stroke NULL: none */
} pk_flame_style;
#define PK_FLAME_STYLE                            \
    ((pk_flame_style){.title = "Flame Graph",     \
                      .count_name = "samples",    \
                      .name_type = "Function:",   \
                      .factor = 1,                \
                      .frame_height = 16,         \
                      .font_size = 12,            \
                      .font_width = 0.59,         \
                      .font = "monospace",        \
                      .min_width = 0.01,          \
                      .search_colour = "#e600e6", \
                      .ui_colour = "#000000"})

/* The tree is summed, and sorted unless in_order; one weight, or two for a difference: as wide as
 * the second, coloured by how much of the subtree came or went. A tree without weight is drawn as a
 * sentence that says so, and *err is set: PK_E_INPUT. *left_out: frames too narrow to be drawn; may
 * be NULL. */
bool pk_flame_svg(const pk_stack_tree *tree, const pk_flame_style *style, pk_strbuf *out,
                  size_t *left_out, pk_err *err) PK_MUST_CHECK;

#endif
