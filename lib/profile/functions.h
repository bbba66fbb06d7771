/* Figures per function, made from a stack tree: self and total, and who called and was called. What
 * tables, pprof and differences of profiles rest on. The tree is summed (pk_stack_tree_sum). */
#ifndef PK_PROFILE_FUNCTIONS_H
#define PK_PROFILE_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "profile/stack_tree.h"

typedef struct pk_function {
    uint32_t name;
    uint64_t self[PK_STACK_WEIGHTS_MAX];  /* of stacks that end in it */
    uint64_t total[PK_STACK_WEIGHTS_MAX]; /* of stacks it is in: a stack counts once, however often
                                             the function calls itself */
} pk_function;

typedef enum pk_function_order { PK_BY_SELF, PK_BY_TOTAL } pk_function_order;

/* One pk_function per name into *functions (an array of that type, emptied first), in order of
 * their names' numbers. False: out of memory. */
bool pk_functions(const pk_stack_tree *tree, pk_array *functions, pk_err *err) PK_MUST_CHECK;
/* The heaviest in `weight` first; equal ones by the other figure, then by name. */
void pk_functions_sort(pk_array *functions, const pk_names *names, pk_function_order order,
                       unsigned weight);

/* The functions that `text` means: the one of that name, or if there is none, all in whose name it
 * is found. One bool per name into *chosen, which the caller frees; *n: how many. False: none
 * (PK_E_INPUT), or out of memory. */
bool pk_functions_named(const pk_names *names, const char *text, bool **chosen, size_t *n,
                        pk_err *err) PK_MUST_CHECK;

/* What is next to the chosen functions, as pk_function whose `total` is the weight shared with
 * them (`self` 0), the heaviest in weight 0 first. callers: what called the outermost of them in
 * each stack; callees: what the innermost called. Name PK_NAME_NONE: nothing, they begin or end the
 * stack. Both add up to *of, the weight of all stacks with one of them. */
bool pk_functions_around(const pk_stack_tree *tree, const bool chosen[], pk_array *callers,
                         pk_array *callees, pk_function *of, pk_err *err) PK_MUST_CHECK;

#endif
