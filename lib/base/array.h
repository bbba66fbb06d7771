/* A growing array of equal items with a mandatory maximum. */
#ifndef PK_BASE_ARRAY_H
#define PK_BASE_ARRAY_H

#include <stddef.h>
#include "base/error.h"

typedef struct pk_array {
    void *items;
    size_t count;
    size_t capacity;
    size_t item_bytes;
    size_t max_count;
} pk_array;

#define PK_ARRAY(type, max) ((pk_array){.item_bytes = sizeof(type), .max_count = (max)})
#define PK_AT(array, type, i) (((type *)(array)->items)[i])

/* One more item, zeroed; valid until the next push. NULL at max_count or out of memory. */
void *pk_array_push(pk_array *array) PK_MUST_CHECK;
void pk_array_fini(pk_array *array);

#endif
