/* Profiles that were saved as text: folded stacks, or a flame graph. */
#ifndef PK_PROFILE_SAVED_H
#define PK_PROFILE_SAVED_H

#include "profile/profile.h"
#include "profile/svg_read.h"

typedef enum pk_saved_kind {
    PK_SAVED_UNKNOWN,
    PK_SAVED_FOLDED,
    PK_SAVED_SVG,
    PK_SAVED_PERF_DATA /* not text: flame/collapse reads it */
} pk_saved_kind;

/* Told by the first bytes of a file (a few KiB are enough). */
pk_saved_kind pk_saved_kind_of(const char *text, size_t bytes);

/* Adds folded stacks or an SVG to the profile's tree, and says what can be told of it: unit, and
 * n_samples, which is the weight where pk_saved_samples does not know better. False: neither of the
 * two, without a stack (PK_E_INPUT), or out of memory. */
bool pk_saved_add(pk_profile *profile, const char *where, const char *text, size_t bytes,
                  pk_err *err) PK_MUST_CHECK;

/* The period that the weights of a tree (the last of several) seem to be multiples of: 1 where they
 * are small, and so samples themselves; their common divisor where that is large; 0: it cannot be
 * told, since they differ. Of few stacks the divisor may be a multiple of the real period. */
uint64_t pk_saved_period(const pk_stack_tree *tree);
/* How many samples that makes; 0: it cannot be told. */
uint64_t pk_saved_samples(const pk_stack_tree *tree);
/* The same for two trees of one kind of recording: what both periods are multiples of is nearer to
 * the real one. */
void pk_saved_samples_of_two(const pk_stack_tree *const trees[2], uint64_t samples[2]);

#endif
