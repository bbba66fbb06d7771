/* Two results of perfkit alloc against each other. Both trees are ready (pk_alloc_tree_ready). */
#ifndef PK_ALLOC_CHANGE_H
#define PK_ALLOC_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "alloc/render.h"

typedef struct pk_alloc_change { /* of a function or a stack; [0] before, [1] after */
    const char *name;            /* of a stack: "process;main;f;malloc" */
    uint64_t self[2][PK_WEIGHTS];
    uint64_t total[2][PK_WEIGHTS];   /* with all it called; of a stack as self */
    double calls_error, bytes_error; /* of the change of total: standard errors; 0: counted */
} pk_alloc_change;

typedef struct pk_alloc_changes {
    pk_arena *arena;
    pk_array rows; /* pk_alloc_change, the largest change of `sort` first, then by name */
    uint64_t all[2][PK_WEIGHTS]; /* of everything */
    bool known[PK_WEIGHTS];      /* on both sides */
    bool sampled;                /* one side at least */
    pk_alloc_by by;
    pk_alloc_weight sort;
    const char *names[2]; /* the caller's */
} pk_alloc_changes;

/* by: FUNCTION or STACK. Rows without any change are left out. False: out of memory, or a weight
 * that is not known on both sides (PK_E_USAGE); *changes untouched. */
bool pk_alloc_compare(const pk_alloc_result *before, const pk_alloc_result *after,
                      const char *const names[2], pk_alloc_by by, pk_alloc_weight sort,
                      pk_alloc_changes *changes, pk_err *err) PK_MUST_CHECK;
void pk_alloc_changes_fini(pk_alloc_changes *changes);

/* Totals, then the rows; view->rows, colour and width hold. */
bool pk_alloc_changes_text(FILE *out, const pk_alloc_changes *changes, const pk_alloc_view *view,
                           pk_err *err) PK_MUST_CHECK;
/* Document "alloc-compare/1". rows: 0 for all. NULL: out of memory. */
pk_json *pk_alloc_changes_json(const pk_alloc_changes *changes, size_t rows, pk_err *err);
/* The flame graph of the difference, as wide as `after`. */
bool pk_alloc_changes_flame(const pk_alloc_result *before, const pk_alloc_result *after,
                            pk_alloc_weight weight, const char *subtitle, pk_strbuf *out,
                            pk_err *err) PK_MUST_CHECK;

#endif
