/* What the parts of a flame graph share while it is drawn; private to flame_*.c. */
#ifndef PK_PROFILE_FLAME_PICTURE_H
#define PK_PROFILE_FLAME_PICTURE_H

#include "profile/flame_svg.h"

#define PK_FLAME_PAD_PX 10   /* beside the frames */
#define PK_FLAME_GAP_PX 1    /* between two rows */
#define PK_FLAME_INDENT_PX 3 /* of a label in its frame */

/* A graph has one lane without a name; a chart of threads over time has one for each. */
typedef struct pk_flame_lane {
    const pk_stack_tree *tree;
    const char *name; /* of the thread, instead of "all"; NULL: of a graph */
    uint64_t busy;    /* weight of its stacks, without gaps; only of a thread */
    uint64_t least;   /* a frame weighs at least so much */
    unsigned rows;
    unsigned y; /* px: of its root */
} pk_flame_lane;

typedef struct pk_flame_picture {
    pk_flame_lane *lanes;
    size_t n_lanes;
    const pk_flame_lane *lane; /* that is drawn; tree is its tree */
    const pk_stack_tree *tree;
    const pk_stack_tree *stacks; /* what may travel along */
    const pk_flame_style *style;
    pk_strbuf *out;
    unsigned weight;                     /* what is drawn: the last one */
    uint64_t total;                      /* of the root */
    double most;                         /* change, of all frames of a difference */
    unsigned width, height, top, bottom; /* px; height: without what stands below the details */
    unsigned axis;                       /* px, of top: the times of a chart of threads */
    unsigned below;                      /* px: the list of what vanished */
    pk_colour_source colours;
    size_t left_out;
    bool legend; /* of a difference */
    bool failed; /* out of memory */
} pk_flame_picture;

static inline uint64_t pk_flame_weight(const pk_flame_picture *p, uint32_t node) {
    return node == PK_NODE_ROOT ? p->total : pk_node(p->tree, node)->total[p->weight];
}

/* ---- flame_svg.c ---- */

/* Draws the lanes, which have their trees and names; `stacks` is what they were made from. As
 * pk_flame_svg. */
bool pk_flame_draw(pk_flame_lane lanes[], size_t n_lanes, const pk_stack_tree *stacks,
                   const pk_flame_style *style, pk_strbuf *out, size_t *left_out,
                   pk_err *err) PK_MUST_CHECK;

/* x="VALUE", escaped, with a blank before it. */
void pk_flame_add_attribute(pk_flame_picture *p, const char *name, const char *value);
/* "1,234 samples", or "12.3 ms, 45 samples". */
void pk_flame_add_count(const pk_flame_picture *p, uint64_t weight, pk_strbuf *out);

/* ---- flame_frames.c ---- */

/* Which frames of a lane are drawn, at most so many (0: no bound): sets its least and rows, and
 * adds to left_out. False: out of memory. */
bool pk_flame_select(pk_flame_picture *p, pk_flame_lane *lane, size_t most) PK_MUST_CHECK;
double pk_flame_delta(const pk_flame_picture *p, uint32_t node);
/* One <g> or <a> per frame of p->lane. False: out of memory. */
bool pk_flame_frames(pk_flame_picture *p);

/* ---- flame_difference.c ---- */

/* What the colours mean, and both totals: one line at `y`. */
void pk_flame_legend(pk_flame_picture *p, double y);
/* Below the picture: the functions that vanished with all that they called, the heaviest first. The
 * first call only sets p->below. False: out of memory. */
bool pk_flame_gone_measure(pk_flame_picture *p) PK_MUST_CHECK;
bool pk_flame_gone(pk_flame_picture *p) PK_MUST_CHECK;

#endif
