/* The functions that the hook stands in for, and what serves until they are found. */
#include "alloc/hook.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

/* Found in steps: dlsym may allocate itself. */
enum { UNKNOWN, SEARCHING, FOUND };

static _Atomic int search;
static _Atomic size_t pool_used;
unsigned char pk_hook_pool[PK_HOOK_POOL_BYTES] __attribute__((aligned(16)));

/* ---- the pool: each block has its size in the 16 bytes in front ---- */

static void *pool_take(size_t bytes, size_t alignment) {
    size_t used = atomic_load(&pool_used), start, end;
    if (alignment < 16) alignment = 16;
    do {
        if (bytes > PK_HOOK_POOL_BYTES) break;
        start = (used + 16 + alignment - 1) & ~(alignment - 1);
        end = start + bytes;
        if (end > PK_HOOK_POOL_BYTES) break;
        if (atomic_compare_exchange_weak(&pool_used, &used, end)) {
            memcpy(pk_hook_pool + start - 16, &bytes, sizeof bytes);
            return pk_hook_pool + start;
        }
    } while (true);
    errno = ENOMEM;
    return NULL;
}

size_t pk_hook_pool_size(const void *p) {
    size_t bytes;
    memcpy(&bytes, (const unsigned char *)p - 16, sizeof bytes);
    return bytes;
}

/* ---- stand-ins until the real ones are known ---- */

static bool found(void) {
    pk_hook_find_real();
    return atomic_load(&search) == FOUND;
}

static void *early(size_t bytes, size_t alignment) {
    atomic_fetch_add(&pk_hook.before_ready, 1);
    return pool_take(bytes, alignment);
}

static void *early_malloc(size_t bytes) {
    return found() ? pk_real.malloc(bytes) : early(bytes, 16);
}

static void *early_calloc(size_t n, size_t bytes) {
    size_t all;
    if (found()) return pk_real.calloc(n, bytes);
    if (!__builtin_mul_overflow(n, bytes, &all)) return early(all, 16);
    errno = ENOMEM;
    return NULL;
}

static void *early_realloc(void *p, size_t bytes) { /* blocks of the pool do not come here */
    if (found()) return pk_real.realloc(p, bytes);
    return p ? NULL : early(bytes, 16);
}

static void early_free(void *p) {
    if (found()) pk_real.free(p);
}

static void *early_aligned_alloc(size_t alignment, size_t bytes) {
    return found() ? pk_real.aligned_alloc(alignment, bytes) : early(bytes, alignment);
}

static void *early_memalign(size_t alignment, size_t bytes) {
    return found() ? pk_real.memalign(alignment, bytes) : early(bytes, alignment);
}

static int early_posix_memalign(void **p, size_t alignment, size_t bytes) {
    if (found()) return pk_real.posix_memalign(p, alignment, bytes);
    *p = early(bytes, alignment);
    return *p ? 0 : ENOMEM;
}

static void *early_valloc(size_t bytes) {
    return found() ? pk_real.valloc(bytes) : early(bytes, 4096);
}

static void *early_pvalloc(size_t bytes) {
    return found() ? pk_real.pvalloc(bytes) : early((bytes + 4095) & ~(size_t)4095, 4096);
}

pk_hook_real pk_real = {
    .malloc = early_malloc,
    .calloc = early_calloc,
    .realloc = early_realloc,
    .free = early_free,
    .aligned_alloc = early_aligned_alloc,
    .memalign = early_memalign,
    .posix_memalign = early_posix_memalign,
    .valloc = early_valloc,
    .pvalloc = early_pvalloc,
};

/* ---- the search ---- */

static const struct link_map *map_of(const void *address) {
    Dl_info info;
    void *map = NULL;
    return address && dladdr1(address, &info, &map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* Loaded with the program, ours stand in front of libc's: the real ones are the next. Injected,
 * they stand behind, and nobody finds them by name: the real ones are the first; RTLD_NEXT is for
 * objects loaded at the start alone. (The address of malloc itself does not tell: in programs at
 * fixed addresses it may be one of theirs.) */
static void *handle_of_real(void) {
    const struct link_map *libc = map_of(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"));
    const struct link_map *at = map_of(pk_hook_pool);
    while (at && at != libc) at = at->l_next;
    return at ? RTLD_NEXT : RTLD_DEFAULT;
}

/* The first of this name in an object behind the program's own. */
static void *find_beyond(const struct link_map *program, const char *name) {
    void *found = NULL;
    for (const struct link_map *map = program->l_next; map && !found; map = map->l_next) {
        void *object = map->l_name[0] ? dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;
        if (!object) continue;
        void *at = dlsym(object, name); /* it looks into what that one needs, too */
        if (map_of(at) == map) found = at;
        dlclose(object);
    }
    return found;
}

/* A program at fixed addresses that asks for malloc's has an entry of its own for it, which leads
 * through the slot that will be ours: that is not the real one. */
void *pk_hook_find_function(const char *name) {
    void *at = dlsym(handle_of_real(), name);
    const struct link_map *map = map_of(at);
    return map && !map->l_prev ? find_beyond(map, name) : at;
}

#define FIND(name)                                         \
    do {                                                   \
        void *at = pk_hook_find_function(#name);           \
        if (at) memcpy(&real.name, &at, sizeof real.name); \
    } while (0)

void pk_hook_find_real(void) {
    int unknown = UNKNOWN;
    if (!atomic_compare_exchange_strong(&search, &unknown, SEARCHING)) return;
    pk_hook_real real = pk_real;
    FIND(malloc);
    FIND(calloc);
    FIND(realloc);
    FIND(free);
    FIND(aligned_alloc);
    FIND(memalign);
    FIND(posix_memalign);
    FIND(valloc);
    FIND(pvalloc);
    /* glibc's blocks begin at multiples of 16, others' small ones also at odd multiples of 8. */
    void *libc_malloc = pk_hook_find_function("__libc_malloc"), *is = NULL;
    memcpy(&is, &real.malloc, sizeof is);
    pk_hook.granule_shift = is == libc_malloc ? 4 : 3;
    void *find = dlsym(RTLD_DEFAULT, "_dl_find_object");
    memcpy(&pk_hook.find_object, &find, sizeof find);
    pk_real = real;
    atomic_store(&search, FOUND);
    pk_hook_start_by_environment();
}
