/* Stacks read back from a flame graph: ours, inferno's, FlameGraph's, and what else has a <title>
 * "name (123 samples, ...)" and a <rect> per frame. Which frame lies on which follows from where
 * the rectangles are; how heavy they are from fg:w, else from the title. */
#ifndef PK_PROFILE_SVG_READ_H
#define PK_PROFILE_SVG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/stack_tree.h"

#define PK_SVG_LEFT_OUT "[left out]"

typedef struct pk_svg_info {
    uint64_t frames;   /* read, without the root */
    uint64_t loose;    /* that lie on no other frame: ignored */
    uint64_t left_out; /* weight of frames that were too narrow to be drawn, as far as it is known:
                          our own pictures say so (fg:s, what a frame has itself), and it becomes
                          frames PK_SVG_LEFT_OUT. In others it counts for the caller itself. */
    bool inverted;     /* the root is above */
    char unit[32];     /* of the titles: "samples", "ms"; "": they have none */
    uint64_t heaviest; /* weight of the heaviest frame, and */
    uint64_t shown; /* that as its title has it, in `unit`: other than fg:w where that was scaled */
} pk_svg_info;

/* Does it begin as an SVG, or as XML that may be one? */
bool pk_is_svg(const char *text, size_t bytes);

/* Adds the stacks to a tree of one weight (of more, to the last). Of a difference it takes what was
 * drawn: "after". `where` names the file in errors. False: not a flame graph (PK_E_INPUT), or out
 * of memory; some stacks may have been added then. */
bool pk_svg_read(pk_stack_tree *tree, const char *where, const char *text, size_t bytes,
                 pk_svg_info *info, pk_err *err) PK_MUST_CHECK;

#endif
