/* C++'s operators. The usual ones, of libstdc++ and libc++, call malloc and free, where they are
 * counted with the operator's own frame; then these only jump there. An allocator that brings its
 * own operators (jemalloc, tcmalloc) does not call malloc: then they are counted here. */
#include "alloc/hook.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/hook_hot.h"

#define ENTRY __attribute__((visibility("default"), noinline))
#define FRAME ((const uint64_t *)__builtin_frame_address(0))

typedef enum operator_number {
    NEW,
    NEW_ARRAY,
    NEW_NOTHROW,
    NEW_ARRAY_NOTHROW,
    NEW_ALIGNED,
    NEW_ARRAY_ALIGNED,
    NEW_ALIGNED_NOTHROW,
    NEW_ARRAY_ALIGNED_NOTHROW,
    DELETE,
    DELETE_ARRAY,
    DELETE_SIZED,
    DELETE_ARRAY_SIZED,
    DELETE_NOTHROW,
    DELETE_ARRAY_NOTHROW,
    DELETE_ALIGNED,
    DELETE_ARRAY_ALIGNED,
    DELETE_SIZED_ALIGNED,
    DELETE_ARRAY_SIZED_ALIGNED,
    DELETE_ALIGNED_NOTHROW,
    DELETE_ARRAY_ALIGNED_NOTHROW,
    OPERATORS
} operator_number;

/* By the C++ ABI's names (Itanium C++ ABI, 5.1.5). */
static const char *const names[OPERATORS] = {
    [NEW] = "_Znwm",
    [NEW_ARRAY] = "_Znam",
    [NEW_NOTHROW] = "_ZnwmRKSt9nothrow_t",
    [NEW_ARRAY_NOTHROW] = "_ZnamRKSt9nothrow_t",
    [NEW_ALIGNED] = "_ZnwmSt11align_val_t",
    [NEW_ARRAY_ALIGNED] = "_ZnamSt11align_val_t",
    [NEW_ALIGNED_NOTHROW] = "_ZnwmSt11align_val_tRKSt9nothrow_t",
    [NEW_ARRAY_ALIGNED_NOTHROW] = "_ZnamSt11align_val_tRKSt9nothrow_t",
    [DELETE] = "_ZdlPv",
    [DELETE_ARRAY] = "_ZdaPv",
    [DELETE_SIZED] = "_ZdlPvm",
    [DELETE_ARRAY_SIZED] = "_ZdaPvm",
    [DELETE_NOTHROW] = "_ZdlPvRKSt9nothrow_t",
    [DELETE_ARRAY_NOTHROW] = "_ZdaPvRKSt9nothrow_t",
    [DELETE_ALIGNED] = "_ZdlPvSt11align_val_t",
    [DELETE_ARRAY_ALIGNED] = "_ZdaPvSt11align_val_t",
    [DELETE_SIZED_ALIGNED] = "_ZdlPvmSt11align_val_t",
    [DELETE_ARRAY_SIZED_ALIGNED] = "_ZdaPvmSt11align_val_t",
    [DELETE_ALIGNED_NOTHROW] = "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    [DELETE_ARRAY_ALIGNED_NOTHROW] = "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

/* All arguments are words, so one type serves: it passes more than some take. */
typedef void *function(uintptr_t, uintptr_t, uintptr_t);

typedef struct real_operator {
    _Atomic(function *) at;
    _Atomic bool counted_here;
} real_operator;

static real_operator real[OPERATORS];

/* What was loaded later and for itself alone is not behind RTLD_NEXT, though it finds ours. */
static void *find(const char *name) {
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1", "libc++abi.so.1"};
    void *at = dlsym(RTLD_NEXT, name);
    for (size_t i = 0; !at && i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        if (!library) continue;
        at = dlsym(library, name);
        dlclose(library);
    }
    return at;
}

static void *last_new(uintptr_t bytes, uintptr_t unused, uintptr_t unused_too) {
    (void)unused;
    (void)unused_too;
    void *p = malloc(bytes ? bytes : 1);
    if (!p) abort(); /* no library is there whose exception could be thrown */
    return p;
}

static void *last_delete(uintptr_t p, uintptr_t unused, uintptr_t unused_too) {
    (void)unused;
    (void)unused_too;
    free((void *)p);
    return NULL;
}

__attribute__((noinline)) static function *find_real(operator_number number) {
    pk_hook_thread *t = pk_hook_silence(); /* dlsym may allocate */
    void *at = find(names[number]), *allocator;
    memcpy(&allocator, &pk_real.malloc, sizeof allocator);
    function *found;
    Dl_info of_operator, of_malloc;
    if (at) memcpy(&found, &at, sizeof found);
    else found = number < DELETE ? last_new : last_delete;
    atomic_store(&real[number].counted_here, at && dladdr(at, &of_operator) &&
                                                 dladdr(allocator, &of_malloc) &&
                                                 of_operator.dli_fbase == of_malloc.dli_fbase);
    atomic_store(&real[number].at, found);
    pk_hook_end_silence(t);
    return found;
}

static inline function *real_of(operator_number number) {
    function *at = atomic_load_explicit(&real[number].at, memory_order_acquire);
    return PK_LIKELY(at != NULL) ? at : find_real(number);
}

static inline bool counted_here(operator_number number) {
    return atomic_load_explicit(&real[number].counted_here, memory_order_relaxed);
}

static uint64_t calls_so_far(void) {
    const pk_hook_thread *t = pk_self.thread;
    return t && t->image ? t->image->calls : 0;
}

/* It may throw, so nothing is held meanwhile. Some of an allocator's operators do call its malloc
 * by name, and were counted there. */
__attribute__((noinline)) static void *counted_new(function *at, uintptr_t bytes, uintptr_t second,
                                                   uintptr_t third, const uint64_t *frame) {
    uint64_t calls = calls_so_far();
    void *p = at(bytes, second, third);
    if (p && calls == calls_so_far()) pk_hook_allocated(PK_CALL_NEW, p, bytes, frame);
    return p;
}

/* A call of free inside is the same block once more. */
__attribute__((noinline)) static void *counted_delete(function *at, uintptr_t p, uintptr_t second,
                                                      uintptr_t third) {
    pk_hook_freeing((void *)p);
    pk_hook_thread *t = pk_hook_silence();
    void *nothing = at(p, second, third);
    pk_hook_end_silence(t);
    return nothing;
}

#define OPERATOR_NEW(number, symbol)                                                   \
    ENTRY void *pk_##symbol(uintptr_t a, uintptr_t b, uintptr_t c) __asm__(#symbol);   \
    ENTRY void *pk_##symbol(uintptr_t a, uintptr_t b, uintptr_t c) {                   \
        function *at = real_of(number);                                                \
        if (PK_UNLIKELY(counted_here(number))) return counted_new(at, a, b, c, FRAME); \
        return at(a, b, c);                                                            \
    }

#define OPERATOR_DELETE(number, symbol)                                              \
    ENTRY void *pk_##symbol(uintptr_t a, uintptr_t b, uintptr_t c) __asm__(#symbol); \
    ENTRY void *pk_##symbol(uintptr_t a, uintptr_t b, uintptr_t c) {                 \
        function *at = real_of(number);                                              \
        if (PK_UNLIKELY(counted_here(number))) return counted_delete(at, a, b, c);   \
        return at(a, b, c);                                                          \
    }

/* clang-format off */
OPERATOR_NEW(NEW, _Znwm)
OPERATOR_NEW(NEW_ARRAY, _Znam)
OPERATOR_NEW(NEW_NOTHROW, _ZnwmRKSt9nothrow_t)
OPERATOR_NEW(NEW_ARRAY_NOTHROW, _ZnamRKSt9nothrow_t)
OPERATOR_NEW(NEW_ALIGNED, _ZnwmSt11align_val_t)
OPERATOR_NEW(NEW_ARRAY_ALIGNED, _ZnamSt11align_val_t)
OPERATOR_NEW(NEW_ALIGNED_NOTHROW, _ZnwmSt11align_val_tRKSt9nothrow_t)
OPERATOR_NEW(NEW_ARRAY_ALIGNED_NOTHROW, _ZnamSt11align_val_tRKSt9nothrow_t)
OPERATOR_DELETE(DELETE, _ZdlPv)
OPERATOR_DELETE(DELETE_ARRAY, _ZdaPv)
OPERATOR_DELETE(DELETE_SIZED, _ZdlPvm)
OPERATOR_DELETE(DELETE_ARRAY_SIZED, _ZdaPvm)
OPERATOR_DELETE(DELETE_NOTHROW, _ZdlPvRKSt9nothrow_t)
OPERATOR_DELETE(DELETE_ARRAY_NOTHROW, _ZdaPvRKSt9nothrow_t)
OPERATOR_DELETE(DELETE_ALIGNED, _ZdlPvSt11align_val_t)
OPERATOR_DELETE(DELETE_ARRAY_ALIGNED, _ZdaPvSt11align_val_t)
OPERATOR_DELETE(DELETE_SIZED_ALIGNED, _ZdlPvmSt11align_val_t)
OPERATOR_DELETE(DELETE_ARRAY_SIZED_ALIGNED, _ZdaPvmSt11align_val_t)
OPERATOR_DELETE(DELETE_ALIGNED_NOTHROW, _ZdlPvSt11align_val_tRKSt9nothrow_t)
OPERATOR_DELETE(DELETE_ARRAY_ALIGNED_NOTHROW, _ZdaPvSt11align_val_tRKSt9nothrow_t)
/* clang-format on */
