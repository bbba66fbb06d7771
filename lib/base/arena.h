/* An arena: memory of one owner, bounded, freed at once.
 * For what lives as long as one run: parsed options, request plans, symbols. */
#ifndef PK_BASE_ARENA_H
#define PK_BASE_ARENA_H

#include <stddef.h>
#include "base/error.h"

typedef struct pk_arena pk_arena;

/* limit_bytes bounds the sum of all allocations, each rounded up to the alignment of max_align_t.
 * NULL only when out of memory. */
pk_arena *pk_arena_new(size_t limit_bytes);
/* Frees everything; NULL is fine. */
void pk_arena_free(pk_arena *arena);

/* n items of item_bytes, zeroed, aligned to max_align_t. NULL on overflow, over the limit or out
 * of memory. n = 0 gives a valid pointer. Not thread-safe. */
void *pk_arena_alloc(pk_arena *arena, size_t n, size_t item_bytes) PK_MUST_CHECK;
#define PK_NEW(arena, n, type) ((type *)pk_arena_alloc((arena), (n), sizeof(type)))

/* Copies, NUL-terminated. NULL as above. */
char *pk_arena_strdup(pk_arena *arena, const char *text) PK_MUST_CHECK;
char *pk_arena_strndup(pk_arena *arena, const char *text, size_t bytes) PK_MUST_CHECK;
char *pk_arena_printf(pk_arena *arena, const char *fmt, ...) PK_PRINTF(2, 3) PK_MUST_CHECK;

/* The sum that limit_bytes bounds. */
size_t pk_arena_used_bytes(const pk_arena *arena);

#endif
