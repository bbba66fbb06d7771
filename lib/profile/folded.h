/* Folded stacks: "frame0;frame1;leaf COUNT" lines, frame0 next to the root; with two counts at the
 * end, a difference ("before after"). The text that FlameGraph's stackcollapse scripts and
 * inferno-collapse-* write; docs/formats.md. */
#ifndef PK_PROFILE_FOLDED_H
#define PK_PROFILE_FOLDED_H

#include "base/strbuf.h"
#include "profile/stack_tree.h"

typedef struct pk_folded_read {
    uint64_t lines;    /* taken */
    uint64_t ignored;  /* without a count at the end, or too deep */
    uint64_t fraction; /* counts whose fraction was dropped */
} pk_folded_read;

/* Adds the stacks of text[0..bytes) to the tree, which has one weight, or two for a difference; a
 * line of a difference with one count has it as "after". Lines that begin with "# " and empty ones
 * are passed over. The count follows the last blank, so names may hold blanks. *read is added to.
 * False only without memory. */
bool pk_folded_add(pk_stack_tree *tree, const char *text, size_t bytes, pk_folded_read *read,
                   pk_err *err) PK_MUST_CHECK;

/* One line per node with a self weight, sorted bytewise (a tree in_order: in its order); weights
 * [0..n_weights) behind. In names ';' becomes ':' and a line break a blank. */
bool pk_folded_write(const pk_stack_tree *tree, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

#endif
