#include "alloc/index.h"

#include <stdlib.h>

#define SLOTS_FIRST 1024u /* a power of two */

static bool grow(pk_index *index, pk_index_hash *hash_of, const void *context) {
    size_t n = index->n_slots ? index->n_slots * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < index->n_slots; i++) {
        if (!index->slots[i]) continue;
        size_t at = hash_of(context, index->slots[i] - 1) & (n - 1);
        while (slots[at]) at = (at + 1) & (n - 1);
        slots[at] = index->slots[i];
    }
    free(index->slots);
    index->slots = slots;
    index->n_slots = n;
    return true;
}

uint32_t *pk_index_slot(pk_index *index, uint64_t hash, const void *key, pk_index_same *same,
                        pk_index_hash *hash_of, const void *context) {
    if (index->n_used * 2 >= index->n_slots && !grow(index, hash_of, context)) return NULL;
    size_t mask = index->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &index->slots[i];
        if (!*slot || same(context, *slot - 1, key)) return slot;
    }
}

void pk_index_fini(pk_index *index) {
    free(index->slots);
    *index = (pk_index){0};
}
