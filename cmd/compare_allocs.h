/* perfkit compare, where what is compared are results of perfkit alloc: private to compare*.c. */
#ifndef PK_CMD_COMPARE_ALLOCS_H
#define PK_CMD_COMPARE_ALLOCS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct compare_allocs_options {
    const char *before, *after; /* files */
    const char *output;         /* the picture of the difference; NULL: none */
    uint64_t rows;              /* of the table; 0: all */
    int by, weight;             /* pk_alloc_by, pk_alloc_weight */
    bool json, colour;
} compare_allocs_options;

/* Is it a file with a result of perfkit alloc --json? */
bool compare_is_alloc(const char *path);
/* Prints what changed most and writes the picture; returns the exit code. */
int compare_allocs(const compare_allocs_options *options, pk_err *err);

#endif
