#include "alloc/preload.h"

#include "base/embed.h"

/* The Makefile builds it and says where it lies; an empty file where it cannot. */
PK_EMBED(pk_alloc_hook, PK_ALLOC_HOOK_PATH);

bool pk_alloc_hook_object(const void **bytes, size_t *n_bytes) {
    if (pk_embed_bytes(pk_alloc_hook) == 0) return false;
    *bytes = pk_embed_data(pk_alloc_hook);
    *n_bytes = pk_embed_bytes(pk_alloc_hook);
    return true;
}
