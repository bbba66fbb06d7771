/* A hash table over the items of an array of the caller's: it holds their numbers. */
#ifndef PK_ALLOC_INDEX_H
#define PK_ALLOC_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_index {
    uint32_t *slots; /* n_slots, open addressing: number + 1; 0: free */
    size_t n_slots, n_used;
} pk_index;

typedef bool pk_index_same(const void *context, uint32_t item, const void *key);
typedef uint64_t pk_index_hash(const void *context, uint32_t item);

/* The slot of the item that is the same as *key, or the free one where it belongs: who fills it
 * counts n_used up. hash: of *key; hash_of: of an item, for when the table grows. Valid until the
 * next call. NULL: out of memory. */
uint32_t *pk_index_slot(pk_index *index, uint64_t hash, const void *key, pk_index_same *same,
                        pk_index_hash *hash_of, const void *context) PK_MUST_CHECK;
void pk_index_fini(pk_index *index);

#endif
