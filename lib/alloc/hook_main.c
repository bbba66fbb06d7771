/* The functions that stand in for the allocator's: each calls the real one and has it counted. They
 * keep a frame pointer, so that the caller's registers are where pk_hook_allocated looks. */
#include "alloc/hook.h"

#include <errno.h>
#include <string.h>

#include "alloc/hook_hot.h"

#define PK_EXPORTED __attribute__((visibility("default")))
#define FRAME ((const uint64_t *)__builtin_frame_address(0))

/* The compiler must not take these for the functions that it knows, nor make one of another. */
#define ENTRY PK_EXPORTED __attribute__((noinline))

ENTRY void *malloc(size_t bytes) {
    void *p = pk_real.malloc(bytes);
    if (PK_LIKELY(p != NULL)) pk_hook_allocated_hot(PK_CALL_MALLOC, p, bytes, FRAME);
    return p;
}

ENTRY void free(void *p) {
    if (PK_UNLIKELY(!p || pk_hook_in_pool(p))) return;
    /* What the allocator will look at; it arrives while we look at ours. */
    __builtin_prefetch((const char *)p - 16, 1);
    pk_hook_freeing(p);
    pk_real.free(p);
}

ENTRY void *calloc(size_t n, size_t bytes) {
    void *p = pk_real.calloc(n, bytes);
    if (PK_LIKELY(p != NULL)) pk_hook_allocated(PK_CALL_CALLOC, p, n * bytes, FRAME);
    return p;
}

/* A block of the pool goes on as a real one. */
static void *out_of_pool(const void *p, size_t bytes) {
    void *q = pk_real.malloc(bytes);
    size_t had = pk_hook_pool_size(p);
    if (q) memcpy(q, p, had < bytes ? had : bytes);
    return q;
}

/* Given back before the real function runs, else another thread could be given its place first;
 * but a block that could not be moved is still there. */
static void *move(void *p, size_t bytes) {
    if (PK_UNLIKELY(!p)) return pk_real.realloc(p, bytes);
    if (PK_UNLIKELY(pk_hook_in_pool(p))) return out_of_pool(p, bytes);
    pk_hook_block block = pk_hook_moving(p);
    void *q = pk_real.realloc(p, bytes);
    pk_hook_moved(p, block, q != NULL || bytes == 0);
    return q;
}

ENTRY void *realloc(void *p, size_t bytes) {
    void *q = move(p, bytes);
    if (PK_LIKELY(q != NULL)) pk_hook_allocated(PK_CALL_REALLOC, q, bytes, FRAME);
    return q;
}

/* glibc's own calls realloc, which would be counted as well. */
ENTRY void *reallocarray(void *p, size_t n, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(n, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    void *q = move(p, all);
    if (PK_LIKELY(q != NULL)) pk_hook_allocated(PK_CALL_REALLOCARRAY, q, all, FRAME);
    return q;
}

ENTRY void *aligned_alloc(size_t alignment, size_t bytes) {
    void *p = pk_real.aligned_alloc(alignment, bytes);
    if (PK_LIKELY(p != NULL)) pk_hook_allocated(PK_CALL_ALIGNED_ALLOC, p, bytes, FRAME);
    return p;
}

ENTRY void *memalign(size_t alignment, size_t bytes) {
    void *p = pk_real.memalign(alignment, bytes);
    if (PK_LIKELY(p != NULL)) pk_hook_allocated(PK_CALL_MEMALIGN, p, bytes, FRAME);
    return p;
}

ENTRY int posix_memalign(void **p, size_t alignment, size_t bytes) {
    int error = pk_real.posix_memalign(p, alignment, bytes);
    if (PK_LIKELY(error == 0 && *p)) pk_hook_allocated(PK_CALL_POSIX_MEMALIGN, *p, bytes, FRAME);
    return error;
}

ENTRY void *valloc(size_t bytes) {
    void *p = pk_real.valloc(bytes);
    if (PK_LIKELY(p != NULL)) pk_hook_allocated(PK_CALL_VALLOC, p, bytes, FRAME);
    return p;
}

ENTRY void *pvalloc(size_t bytes) {
    void *p = pk_real.pvalloc(bytes);
    if (PK_LIKELY(p != NULL)) pk_hook_allocated(PK_CALL_PVALLOC, p, bytes, FRAME);
    return p;
}

/* C23, and an old name: they are free with a hint. */
ENTRY void free_sized(void *p, size_t bytes) {
    (void)bytes;
    free(p);
}

ENTRY void free_aligned_sized(void *p, size_t alignment, size_t bytes) {
    (void)alignment;
    (void)bytes;
    free(p);
}

ENTRY void cfree(void *p) {
    free(p);
}
