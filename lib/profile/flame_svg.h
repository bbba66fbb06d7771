/* A stack tree as an interactive flame graph: one SVG document with the ids and attributes of
 * inferno's (0.12), so that tools which read those read these: #frames with total_samples, a <g>
 * per frame with its <title>, <rect fg:x fg:w> and <text>. The script is ours (flame.js). */
#ifndef PK_PROFILE_FLAME_SVG_H
#define PK_PROFILE_FLAME_SVG_H

#include "base/strbuf.h"
#include "profile/flame_attributes.h"
#include "profile/flame_colour.h"
#include "profile/palette_map.h"
#include "profile/stack_tree.h"

typedef struct pk_flame_style {
    const char
        *title; /* NULL: "Flame Graph", "Icicle Graph" (inverted), "Flame Chart" (in_order) */
    const char *subtitle, *notes; /* NULL: none */
    const char *count_name;       /* "samples"; of times and bytes not used */
    const char *name_type;        /* "Function:" */
    double factor;                /* shown counts are multiplied by it; 1 */
    bool weight_is_time;          /* weights, times factor, are ns: shown as "12.3 ms" */
    bool weight_is_bytes;         /* ... or bytes: shown as "12.06 KiB" */
    uint64_t sample_weight; /* of every sample: their number is shown beside the weight. 0: they
                               differ, or it is not known, or weights are samples */
    uint64_t total;         /* weight of the whole width, if the stacks have less; 0: theirs */
    unsigned image_width;   /* px; 0: as wide as its place */
    unsigned frame_height, font_size; /* px */
    double font_width;                /* of a character, in font sizes */
    const char *font;                 /* CSS family */
    double min_width;                 /* frames narrower than so many percent are left out */
    size_t max_frames;   /* and the narrowest of more than so many; 0: no bound. Browsers are quick
                            with some ten thousand: PK_FLAME_FRAMES_MAX */
    bool inverted;       /* the root above: an icicle graph */
    bool truncate_right; /* long names lose their end, not their beginning */
    bool diffusion;      /* colour by width */
    bool negate;         /* differences: blue for more */
    bool plain;          /* as inferno draws: without hint, notice of what was left out, legend of a
                            difference, list of what vanished, and dark colours at night */
    bool pretty;         /* each element on a line of its own */
    bool embed_stacks;   /* the stacks themselves in <metadata id="stacks">, as pk_folded_unpack
                            reads them, unless that is longer than PK_FLAME_STACKS_BYTES_MAX */
    pk_palette palette;
    pk_colouring colouring;
    const pk_flame_attributes *attributes; /* NULL: none */
    pk_palette_map *palette_map; /* colours found here are used, new ones are added; NULL: none */
    const char *background;      /* as pk_background_parse; NULL: the palette's own */
    const char *search_colour, *ui_colour, *stroke_colour; /* "#rrggbb"; stroke NULL: none */
} pk_flame_style;
#define PK_FLAME_FRAMES_MAX 20000u
#define PK_FLAME_STACKS_BYTES_MAX ((size_t)16 << 20)
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
 * the second, coloured by how much of the subtree came or went; what vanished has no width, and is
 * listed below. A tree without weight is drawn as a
 * sentence that says so, and *err is set: PK_E_INPUT. *left_out: frames too narrow to be drawn; may
 * be NULL. */
bool pk_flame_svg(const pk_stack_tree *tree, const pk_flame_style *style, pk_strbuf *out,
                  size_t *left_out, pk_err *err) PK_MUST_CHECK;

#endif
