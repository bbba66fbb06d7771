/* Stacks changed before they are drawn or counted: turned round, cut at a function, some left out,
 * recursion folded, names without the compiler's suffixes. In that order:
 * strip_suffixes, drop, keep, bases, fold_recursion, reverse. */
#ifndef PK_PROFILE_RESHAPE_H
#define PK_PROFILE_RESHAPE_H

#include "base/textlist.h"
#include "profile/profile.h"

typedef struct pk_reshape {
    bool reverse;        /* the leaf becomes the root: who calls this, over all stacks */
    bool fold_recursion; /* f;f;f is f, and f;g;f;g is f;g: a frame that repeats what its caller,
                            or a chain of up to PK_RECURSION_MAX callers, was */
    bool strip_suffixes; /* "f.constprop.0", "f.isra.0", "f.part.0", "f.cold", "f.llvm.123" and
                            the like are f */
    pk_text_list bases;  /* only stacks with one of these functions, and of them what is below
                            the innermost one, itself included; none: all */
    pk_text_list keep;   /* only stacks with a function that matches one of these; none: all */
    pk_text_list drop;   /* without stacks that have a function that matches one of these */
} pk_reshape;
/* keep and drop are extended regular expressions (regex(7)), found anywhere in the name; bases are
 * whole names. */

#define PK_RECURSION_MAX 8

/* Does it change anything? */
bool pk_reshape_any(const pk_reshape *reshape);
/* Makes *to, which is not initialised yet and shares the names, of the same kind as `from`.
 * map: NULL, or from->nodes.count numbers: the new node of each old one that has a self weight;
 * PK_NODE_NONE: it was left out. False (and *to untouched): a wrong expression (PK_E_USAGE), or out
 * of memory. */
bool pk_reshape_tree(const pk_stack_tree *from, const pk_reshape *reshape, pk_stack_tree *to,
                     uint32_t *map, pk_err *err) PK_MUST_CHECK;
/* The same for a profile: its tree (not summed then) and its samples; n_samples is what the weights
 * that stayed stand for. What is counted of the recording (lost, truncated, modules, ...) stays. */
bool pk_reshape_profile(pk_profile *profile, const pk_reshape *reshape, pk_err *err) PK_MUST_CHECK;

#endif
