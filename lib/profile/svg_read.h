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
    bool exact;        /* the stacks came along in <metadata id="stacks">, as ours have them; else
                          frames that were too narrow to be drawn count for their callers */
    uint64_t frames;   /* seen, without the root */
    uint64_t loose;    /* of them lie on no other frame: ignored */
    bool inverted;     /* the root is above */
    uint64_t heaviest; /* weight of the heaviest frame, and */
    char shown[64];    /* what its title calls that: "1,234 samples", "12.3 ms"; "": nothing */
} pk_svg_info;

/* Does it begin as an SVG, or as XML that may be one? */
bool pk_is_svg(const char *text, size_t bytes);

/* Adds the stacks to a tree of one weight (of more, to the last). Of a difference it takes what was
 * drawn: "after". `where` names the file in errors. False: not a flame graph (PK_E_INPUT), or out
 * of memory; some stacks may have been added then. */
bool pk_svg_read(pk_stack_tree *tree, const char *where, const char *text, size_t bytes,
                 pk_svg_info *info, pk_err *err) PK_MUST_CHECK;

#endif
