/* What the renderers of alloc share; private to lib/alloc/render*.c and their siblings. */
#ifndef PK_ALLOC_RENDER_PARTS_H
#define PK_ALLOC_RENDER_PARTS_H

#include "alloc/image.h"
#include "alloc/render.h"

/* PK_E_USAGE unless the weight is known. */
bool pk_alloc_need_weight(const pk_alloc_result *result, pk_alloc_weight weight,
                          pk_err *err) PK_MUST_CHECK;
bool pk_alloc_no_memory(pk_err *err); /* false */

static inline bool pk_alloc_weight_is_bytes(pk_alloc_weight weight) {
    return weight != PK_WEIGHT_CALLS && weight != PK_WEIGHT_TEMPORARY;
}
/* The five of a stack, in their order. */
void pk_alloc_weights_of(const pk_alloc_stack *stack, uint64_t weights[PK_WEIGHTS]);
static inline uint64_t pk_alloc_all(const pk_alloc_result *result, pk_alloc_weight weight) {
    return pk_node(&result->tree, PK_NODE_ROOT)->total[weight];
}

/* The result's tree with this weight alone, summed and sorted as it is; over the same names. To be
 * given to pk_stack_tree_fini, nothing is to be added. */
bool pk_alloc_tree_of(const pk_alloc_result *result, pk_alloc_weight weight, pk_stack_tree *tree,
                      pk_err *err) PK_MUST_CHECK;

/* The called function's name: the innermost frame of the stack. */
const char *pk_alloc_called(const pk_alloc_result *result, const pk_alloc_stack *stack);

typedef struct pk_alloc_row {
    uint32_t name; /* of a function or an object; of a stack PK_NAME_NONE */
    uint32_t node; /* of a stack: of result->tree */
    uint64_t self[PK_WEIGHTS], total[PK_WEIGHTS];
    double calls_error, bytes_error; /* of total: standard errors */
} pk_alloc_row;

/* One pk_alloc_row per stack, function or object into *rows (made here, the caller frees it), the
 * largest first: of stacks and functions in `self`, equal ones in total, then by name. The function
 * that was called is part of stacks, but no function or object: who calls it has its weight as
 * self, seen through operator new. */
bool pk_alloc_rows(const pk_alloc_result *result, pk_alloc_by by, pk_alloc_weight sort,
                   pk_array *rows, pk_err *err) PK_MUST_CHECK;

/* What is not finite or negative is 0, what is too large the largest. */
static inline uint64_t pk_alloc_rounded(double value) {
    if (!(value > 0)) return 0;
    return value < 0x1p63 ? (uint64_t)(value + 0.5) : UINT64_MAX;
}

/* "1,234" or "12.06 KiB", of a weight; `out` holds PK_QUANTITY_MAX. */
char *pk_alloc_weight_text(char *out, pk_alloc_weight weight, uint64_t value);
/* "1,234" */
char *pk_alloc_grouped(char *out, size_t size, uint64_t value);

/* The stack as folded text; `path` holds the node's depth. */
void pk_alloc_add_stack_text(const pk_stack_tree *tree, uint32_t node, uint32_t *path,
                             pk_strbuf *out);

/* Rows "name, value" of the totals block, for the terminal and the page. */
typedef struct pk_alloc_total {
    const char *name;
    char value[160];
} pk_alloc_total;
#define PK_ALLOC_TOTALS_MAX 16
size_t pk_alloc_totals(const pk_alloc_result *result, pk_alloc_total totals[PK_ALLOC_TOTALS_MAX]);

#endif
