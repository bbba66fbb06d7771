/* Stacks read back from a flame graph: ours, inferno's, FlameGraph's, and what else has a <title>
 * "name (123 samples, ...)" and a <rect> per frame. Which frame lies on which follows from where
 * the rectangles are; how heavy they are from fg:w, else from the title. */
#ifndef PK_PROFILE_SVG_READ_H
#define PK_PROFILE_SVG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/stack_tree.h"

typedef struct pk_svg_info {
    uint64_t frames; /* read, without the root */
    uint64_t loose;  /* that lie on no other frame: left out */
    uint64_t narrow; /* weight of frames that the picture left out because they were too narrow;
                        it counts for their callers. Known only from our own pictures */
    bool narrow_known;
    bool inverted;   /* the root is above */
    bool difference; /* its weights are those of "after" */
    char unit[32];   /* "samples", "ms"; "": not said */
} pk_svg_info;

/* Does it begin as an SVG, or XML with one? */
bool pk_is_svg(const char *text, size_t bytes);

/* Adds the stacks to a tree of one weight (of more, to the last). `where` names the file in errors.
 * False: not a flame graph (PK_E_INPUT), or out of memory; stacks may have been added then. */
bool pk_svg_read(pk_stack_tree *tree, const char *where, const char *text, size_t bytes,
                 pk_svg_info *info, pk_err *err) PK_MUST_CHECK;

#endif
