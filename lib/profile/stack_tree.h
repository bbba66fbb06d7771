/* Call stacks merged from their root: a prefix that two stacks share is one chain of nodes. What
 * flame graphs, tables of self and total, folded text and differences are all made from. */
#ifndef PK_PROFILE_STACK_TREE_H
#define PK_PROFILE_STACK_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "profile/names.h"

#define PK_STACK_WEIGHTS_MAX 5
#define PK_STACK_DEPTH_MAX 65535
#define PK_STACK_NODES_MAX (64u << 20)
#define PK_NODE_ROOT 0u
#define PK_NODE_NONE UINT32_MAX

typedef struct pk_stack_node {
    uint32_t name;                                  /* PK_NAME_NONE: the root */
    uint32_t parent, first_child, last_child, next; /* PK_NODE_NONE: none; siblings in the order
                                                       they came, or as sorted */
    uint32_t depth;                                 /* root: 0 */
    uint64_t self[PK_STACK_WEIGHTS_MAX];            /* of stacks that end here */
    uint64_t total[PK_STACK_WEIGHTS_MAX];           /* with all below; set by pk_stack_tree_sum */
} pk_stack_node;

typedef struct pk_stack_tree {
    pk_names *names; /* the caller's; may be shared by several trees */
    bool in_order;   /* flame chart: only neighbours in time are merged */
    unsigned n_weights;
    pk_array nodes;  /* pk_stack_node; [0] is the root */
    uint32_t *slots; /* (parent, name) -> node + 1 */
    size_t n_slots;
} pk_stack_tree;

static inline pk_stack_node *pk_node(const pk_stack_tree *tree, uint32_t node) {
    return &PK_AT(&tree->nodes, pk_stack_node, node);
}

bool pk_stack_tree_init(pk_stack_tree *tree, pk_names *names, unsigned n_weights, bool in_order,
                        pk_err *err) PK_MUST_CHECK;
void pk_stack_tree_fini(pk_stack_tree *tree);

/* One stack, the root's side first: frames[0..n) are names. weights: n_weights, added to the self
 * of its last frame (n = 0: of the root). Returns that node; PK_NODE_NONE with *err when there is
 * no room. */
uint32_t pk_stack_tree_add(pk_stack_tree *tree, const uint32_t frames[], size_t n,
                           const uint64_t weights[], pk_err *err) PK_MUST_CHECK;

/* The names of the stack that ends at a node, the root's side first, into names[0..depth of the
 * node); returns how many: gaps of trees in_order are left out. */
size_t pk_stack_tree_path(const pk_stack_tree *tree, uint32_t node, uint32_t names[]);

/* Totals from selves; may be called again after more was added. Sums that do not fit stay at
 * UINT64_MAX. Returns the greatest depth. */
uint32_t pk_stack_tree_sum(pk_stack_tree *tree);
/* Puts siblings in the byte order of sorted folded text: as if each name had a ';' behind. Not for
 * trees in_order. PK_E_LIMIT without memory. */
bool pk_stack_tree_sort(pk_stack_tree *tree, pk_err *err) PK_MUST_CHECK;

#endif
