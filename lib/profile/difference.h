/* Two profiles against each other: a tree with the weights before and after, for differential flame
 * graphs and folded text, and the functions whose share has changed, told from chance. */
#ifndef PK_PROFILE_DIFFERENCE_H
#define PK_PROFILE_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/array.h"
#include "profile/functions.h"
#include "profile/profile.h"
#include "report/json.h"

typedef struct pk_difference_options {
    bool normalise; /* scale "before" to the total of "after"; fractions are cut off */
    bool strip_hex; /* 0x1f2e becomes 0x...: addresses differ from run to run */
} pk_difference_options;

/* Trees of one weight (of more, the last); their names may be different lists. Makes *out, which is
 * not initialised yet, with two weights over `names`; not summed. False: out of memory, *out
 * untouched. */
bool pk_difference(const pk_stack_tree *before, const pk_stack_tree *after,
                   const pk_difference_options *options, pk_names *names, pk_stack_tree *out,
                   pk_err *err) PK_MUST_CHECK;

typedef struct pk_side {
    const char *name; /* the file */
    uint64_t samples; /* how many samples the weights stand for; 0: not known, then no errors */
    const char *unit; /* "ns", an event, "samples" */
    bool weight_is_time;
    uint64_t duration_ns; /* 0: not known */
} pk_side;

/* Of two profiles; the numbers of samples of saved text are what its weights tell
 * (profile/saved.h). */
void pk_sides_of(const pk_profile *const profiles[2], const char *const names[2], pk_side sides[2]);

/* A share of all samples, before and after. */
typedef struct pk_share_change {
    double before, after; /* 0 to 1; NaN: there are no samples on that side */
    double change;        /* after - before; times 100: points */
    double error;         /* its standard error; NaN: the number of samples is not known */
    double p;             /* how likely chance alone makes a difference like this; NaN as above */
} pk_share_change;

typedef struct pk_function_change {
    uint32_t name;
    uint64_t self[2], total[2]; /* weights, before and after */
    pk_share_change self_share, total_share;
    bool significant; /* its share of the order asked for, over all functions together (Holm) */
} pk_function_change;

/* Of weights part[i] of all[i] that samples[i] samples make up (0: not known). Error and p treat
 * samples as independent of each other (docs/methods.md). */
pk_share_change pk_share_change_of(const uint64_t part[2], const uint64_t all[2],
                                   const uint64_t samples[2]);

/* One pk_function_change per function into *changes (emptied first), the largest change of the
 * order's share first, equal ones by name. `tree` is that of pk_difference without normalise,
 * summed. alpha: the level for `significant`. False: out of memory. */
bool pk_difference_functions(const pk_stack_tree *tree, const pk_side sides[2],
                             pk_function_order order, double alpha, pk_array *changes,
                             pk_err *err) PK_MUST_CHECK;

typedef struct pk_difference_view {
    size_t rows; /* 0: all */
    pk_function_order order;
    double alpha; /* 0.05 */
    bool colour;
    int width; /* of the terminal, in cells: longer names lose their end; 0: they do not */
} pk_difference_view;

/* Both totals, then the functions that changed most. `tree` as above. */
bool pk_difference_text(FILE *out, const pk_stack_tree *tree, const pk_side sides[2],
                        const pk_difference_view *view, pk_err *err) PK_MUST_CHECK;
/* Document "flame-compare/1" (docs/formats.md). NULL: out of memory. */
pk_json *pk_difference_json(const pk_stack_tree *tree, const pk_side sides[2],
                            const pk_difference_view *view, pk_err *err) PK_MUST_CHECK;

#endif
