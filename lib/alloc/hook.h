/* The hook: loaded into a program, it stands in for the allocator's functions, calls the real ones,
 * and counts in an image file (alloc/image.h) who called them. This header is what its parts share.
 *
 * It is an object of its own and a guest in a strange house, hence its rules:
 * - Nothing here allocates through malloc: memory comes from mmap. What a program's thread changes
 *   is that thread's own, so counting takes no lock; the lock in pk_hook_process guards what is
 *   rare (a thread begins or ends, a snapshot of the mappings).
 * - A thread that counts is marked busy. A signal handler that interrupts it finds that and counts
 *   in a state that it borrows, so that nothing is entered twice.
 * - fork copies our memory with the rest. All that must not be used in the child lies in mappings
 *   that the kernel clears there (MADV_WIPEONFORK) or leaves out (MADV_DONTFORK). The child then
 *   finds its state empty, whichever system call made it, and begins an image of its own.
 * - errno is the program's. */
#ifndef PK_ALLOC_HOOK_H
#define PK_ALLOC_HOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sys/types.h>

#include "alloc/image.h"
#include "profile/cfi.h"

#define PK_HIDDEN __attribute__((visibility("hidden")))
#define PK_LIKELY(x) __builtin_expect(!!(x), 1)
#define PK_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define PK_HOOK_RULES 8192 /* remembered rules, a power of two */
#define PK_HOOK_MEMOS 4096 /* remembered stacks, a power of two */
#define PK_HOOK_MEMO_BYTES ((size_t)2 << 20)
#define PK_HOOK_READS_MAX                                                  \
    1024 /* words of the stack that a walk may depend on, to be remembered \
          */
#define PK_HOOK_WINDOW_BYTES 16384
#define PK_HOOK_SAMPLED 0x10000u /* of pk_hook_thread.flags */
#define PK_HOOK_HELD_MAX 65536   /* see pk_image_thread.held */

/* ---- stacks ---- */

/* Where an allocation was called: the return address, and the caller's registers behind it. */
typedef struct pk_hook_site {
    uint64_t ip, sp, fp;
} pk_hook_site;

typedef enum pk_hook_rule_kind {
    PK_RULE_EMPTY,
    PK_RULE_SP,      /* CFA = stack pointer + offset */
    PK_RULE_FP,      /* CFA = frame pointer + offset */
    PK_RULE_END,     /* the outermost function */
    PK_RULE_GENERAL, /* by profile/cfi, anew each time */
    PK_RULE_MISSING  /* no call frame information */
} pk_hook_rule_kind;

/* How to find the caller at `ip`; the return address is at CFA - 8. */
typedef struct pk_hook_rule {
    uint64_t ip;
    int32_t cfa_offset;
    int16_t fp_offset; /* the caller's frame pointer is at CFA + this; 0: it is unchanged */
    uint8_t kind;
} pk_hook_rule;

/* Four words that a walk read: how far above the stack pointer, and what was there. */
typedef struct pk_hook_reads {
    uint32_t offsets[4];
    uint64_t values[4];
} pk_hook_reads;

/* A stack that was walked: what the walk read, and what came of it. When all of it reads the same
 * again, the same walk would give the same frames. */
typedef struct pk_hook_memo {
    uint64_t ip, sp, fp;
    uint32_t cell;
    uint16_t n_groups; /* the last one is filled up with repetitions */
    uint8_t function;
    bool fp_used; /* the walk depends on the frame pointer at the call */
    pk_image_cell *into;
    pk_hook_reads reads[];
} pk_hook_memo;

/* ---- state ---- */

typedef enum pk_hook_state {
    PK_STATE_WIPED, /* the kernel cleared it: this is a child after fork; or counting has stopped */
    PK_STATE_IDLE,
    PK_STATE_COUNTING
} pk_hook_state;

typedef struct pk_hook_table { /* open addressing; an entry is hash << 32 | cell, 0: empty */
    uint64_t *entries;
    uint32_t n, capacity; /* a power of two */
} pk_hook_table;

typedef struct pk_hook_thread {
    _Atomic uint32_t state;
    uint32_t flags;  /* pk_hook.flags, and PK_HOOK_SAMPLED */
    uint32_t number; /* of its chunk */
    uint32_t seen;   /* pk_hook_process.changes, when it last looked */
    pk_image_thread *image;
    pk_image_head *head;
    bool alone;       /* no other thread counts */
    bool growing;     /* it is, and has freed nothing since it allocated */
    const void *last; /* the block that it allocated last, if it has freed nothing since */
    bool borrowed;    /* for one call: by a signal handler, or a thread that has ended */
    double until_sample;
    uint64_t random;
    uint64_t stack_low, stack_high; /* its own stack; both 0: not known */
    uint32_t generation;            /* of memos and rules */
    uint32_t n_reads;
    bool far, fp_used; /* what the last walk depends on */
    pk_hook_table stacks, foreign;
    pk_image_chunk *cells, *frames; /* being filled */
    uint32_t cells_chunk, frames_chunk;
    size_t memo_used;
    unsigned char *memo_arena;
    struct pk_hook_thread *next_free, *next;
    char *slow_stack_top; /* rules are made on a stack of ours: the program's may be small */
    uint64_t window_low, window_high;
    pk_hook_memo *memos[PK_HOOK_MEMOS];
    pk_hook_rule rules[PK_HOOK_RULES];
    uint64_t stack[PK_IMAGE_FRAMES_MAX];
    uint64_t read_at[PK_HOOK_READS_MAX], read_value[PK_HOOK_READS_MAX];
    unsigned char window[PK_HOOK_WINDOW_BYTES];
    pk_cfi_row row;
    pk_cfi_fde fde;
} pk_hook_thread;

typedef struct pk_hook_chunk {
    unsigned char *base;
    uint32_t thread;
} pk_hook_chunk;

#define PK_HOOK_OBJECTS 1024

typedef struct pk_hook_range {
    uint64_t low, high;
    uint32_t cell;
    bool first; /* its call is not freed yet: it has the first page of what was mapped */
} pk_hook_range;

typedef struct pk_hook_ranges { /* by address; items: capacity of them */
    _Atomic uint32_t lock;
    uint32_t n, capacity;
    pk_hook_range *items;
} pk_hook_ranges;

typedef struct pk_hook_process { /* cleared by fork */
    _Atomic uint32_t ready;      /* 1: there is an image; 2: there will be none */
    _Atomic uint32_t lock;
    _Atomic uint32_t changes;    /* moves on when threads have to look at the next two */
    _Atomic uint32_t generation; /* moves on with dlclose: what was remembered is void */
    _Atomic uint32_t threads;    /* that count at present */
    _Atomic uint32_t opening;    /* threads that look for a state at present */
    _Atomic bool no_room;        /* the file cannot grow: not to be asked again at each call */
    pk_image_head *head;
    pk_hook_thread *free_threads, *all_threads; /* linked by next_free, next */
    int fd;                                     /* of the image */
    uint64_t device, inode;
    uint32_t era, snapshots;
    char path[4200];
    pk_hook_ranges ranges; /* PK_ALLOC_MAPPINGS */
    uint32_t n_objects;
    uint64_t objects[PK_HOOK_OBJECTS]; /* where the objects begin that are in the last snapshot */
} pk_hook_process;

struct dl_find_object;

typedef struct pk_hook_globals {
    _Atomic bool active;
    bool forked_once;
    uint32_t flags;
    uint64_t sample_bytes;
    char folder[4096];
    pk_hook_process *process;
    pk_hook_chunk *chunks; /* chunks_max; by number */
    uint32_t chunks_max;
    unsigned granule_shift; /* blocks begin at multiples of 1 << this */
    _Atomic(void *) *live;  /* the shadow map's first level */
    pthread_key_t key;
    pid_t first_pid;
    pthread_t main_thread;
    uint64_t main_stack_low, main_stack_high;
    int (*find_object)(void *, struct dl_find_object *);
    _Atomic uint64_t before_ready;
} pk_hook_globals;

/* The hook's only state; hidden, so that two hooks in one program would not share it. */
extern pk_hook_globals pk_hook PK_HIDDEN;

typedef struct pk_hook_self {
    pk_hook_thread *thread;
    bool opening; /* its calls are our own */
    bool ended;
} pk_hook_self;

/* initial-exec: reading it never calls __tls_get_addr, which may allocate. */
extern __thread pk_hook_self pk_self PK_HIDDEN __attribute__((tls_model("initial-exec")));

/* ---- hook_process.c ---- */

/* 0, or why nothing will be counted: an errno value. */
int pk_hook_start(const char *settings) PK_HIDDEN;
/* From the environment, if it is there already. */
void pk_hook_start_by_environment(void) PK_HIDDEN;
bool pk_hook_process_open(void) PK_HIDDEN;
void pk_hook_lock(void) PK_HIDDEN;
bool pk_hook_try_lock(void) PK_HIDDEN;
void pk_hook_unlock(void) PK_HIDDEN;
uint64_t pk_hook_now_ns(void) PK_HIDDEN;

/* ---- hook_image.c ---- */

/* The system calls themselves: mmap and munmap are the program's, and may be counted. */
void *pk_hook_map(void *address, size_t bytes, int protection, int flags, int fd,
                  off_t offset) PK_HIDDEN;
int pk_hook_unmap(void *address, size_t bytes) PK_HIDDEN;

/* Memory of our own; NULL: none. advice: MADV_WIPEONFORK or MADV_DONTFORK. */
void *pk_hook_memory(size_t bytes, int advice) PK_HIDDEN;
bool pk_hook_image_create(pk_hook_process *process) PK_HIDDEN;
/* A new chunk of which `bytes` will be used; NULL: there is no room, and that is counted. */
pk_image_chunk *pk_hook_chunk_new(pk_image_kind kind, uint32_t thread, size_t bytes,
                                  uint32_t *number) PK_HIDDEN;
void pk_hook_image_close(pk_hook_process *process) PK_HIDDEN;
/* /proc/self/maps as it is now, with the process locked. */
void pk_hook_snapshot(void) PK_HIDDEN;
/* Code at pc is in an object that begins at `start`: if that is new, a snapshot is taken. */
void pk_hook_object_seen(uint64_t start) PK_HIDDEN;

/* ---- hook_thread.c ---- */

pk_hook_thread *pk_hook_enter_slowly(pk_hook_thread *t) PK_HIDDEN;
/* pk_hook_process.changes has moved on. NULL: nothing is counted any more. */
pk_hook_thread *pk_hook_look(pk_hook_thread *t) PK_HIDDEN;
/* Nobody counts any more: what the threads have of this image is given up. False: one goes on. */
bool pk_hook_threads_stop(void) PK_HIDDEN;
void pk_hook_thread_end(void *thread) PK_HIDDEN;
void pk_hook_give_back(pk_hook_thread *t) PK_HIDDEN;

/* The caller's state, marked busy; NULL: it cannot count now. */
static inline pk_hook_thread *pk_hook_enter(void) {
    pk_hook_thread *t = pk_self.thread;
    if (PK_UNLIKELY(!t || atomic_load_explicit(&t->state, memory_order_relaxed) != PK_STATE_IDLE))
        return pk_hook_enter_slowly(t);
    atomic_store_explicit(&t->state, PK_STATE_COUNTING, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (PK_UNLIKELY(t->seen !=
                    atomic_load_explicit(&pk_hook.process->changes, memory_order_relaxed)))
        return pk_hook_look(t);
    return t;
}

static inline void pk_hook_leave(pk_hook_thread *t) {
    atomic_signal_fence(memory_order_seq_cst);
    if (PK_UNLIKELY(t->borrowed)) pk_hook_give_back(t);
    else atomic_store_explicit(&t->state, PK_STATE_IDLE, memory_order_release);
}

/* Calls in between are not the program's own, and are not counted. */
static inline pk_hook_thread *pk_hook_silence(void) {
    pk_hook_thread *t = pk_hook_enter();
    pk_self.opening = true;
    return t;
}

static inline void pk_hook_end_silence(pk_hook_thread *t) {
    pk_self.opening = false;
    if (t) pk_hook_leave(t);
}

/* ---- hook_unwind.c, hook_rules.c, hook_memo.c ---- */

/* t->stack[0..n): the return addresses from site outwards; flags: PK_STACK_... */
uint32_t pk_hook_walk(pk_hook_thread *t, const pk_hook_site *site, uint8_t *flags) PK_HIDDEN;
const pk_hook_rule *pk_hook_rule_of(pk_hook_thread *t, uint64_t pc) PK_HIDDEN;
/* The full row of pc in t->row. */
bool pk_hook_row_of(pk_hook_thread *t, uint64_t pc) PK_HIDDEN;
typedef struct pk_hook_found {
    pk_image_cell *cell; /* NULL: there is no room for it */
    uint32_t number;
} pk_hook_found;

/* The cell of a stack that has to be walked, and is remembered in *slot. */
pk_hook_found pk_hook_memo_make(pk_hook_thread *t, pk_hook_memo **slot, uint8_t function,
                                pk_hook_site site) PK_HIDDEN;
/* PK_ALLOC_CHECK: does a walk agree with what was remembered? */
void pk_hook_memo_check(pk_hook_thread *t, const pk_hook_memo *memo,
                        const pk_hook_site *site) PK_HIDDEN;
/* Code was unloaded: all that was remembered is void. */
void pk_hook_memo_forget(pk_hook_thread *t, uint32_t generation) PK_HIDDEN;

/* ---- hook_cells.c ---- */

/* The cell of t->stack[0..n). */
pk_image_cell *pk_hook_cell_of_stack(pk_hook_thread *t, uint8_t function, uint8_t flags, uint32_t n,
                                     uint32_t *number) PK_HIDDEN;
/* Where this thread counts what it frees of another one's cell. */
pk_image_cell *pk_hook_foreign_cell(pk_hook_thread *t, uint32_t number) PK_HIDDEN;
const uint64_t *pk_hook_cell_frames(const pk_image_cell *cell) PK_HIDDEN;

/* ---- hook_live.c ---- */

typedef struct pk_hook_block {
    uint64_t size;
    uint32_t cell; /* 0: not known */
} pk_hook_block;

bool pk_hook_live_init(void) PK_HIDDEN;
void pk_hook_live_clear(void) PK_HIDDEN;
/* False: no memory to remember it. */
bool pk_hook_live_put(const void *p, pk_hook_block block) PK_HIDDEN;
/* The size of a block of 4 GiB or more, which is taken out. */
uint64_t pk_hook_live_size(const void *p) PK_HIDDEN;

/* ---- hook_sample.c ---- */

/* Whether this allocation is in the sample. */
bool pk_hook_sampled(pk_hook_thread *t, uint64_t bytes) PK_HIDDEN;
/* P(sampled) of a block. */
double pk_hook_sample_probability(uint64_t bytes) PK_HIDDEN;

/* ---- hook_count.c; what is called most is in alloc/hook_hot.h ---- */

void pk_hook_allocated(pk_alloc_function function, const void *p, size_t bytes,
                       const uint64_t *frame) PK_HIDDEN;
/* Live bytes may be more than ever. */
void pk_hook_peak_at(pk_image_head *head, int64_t live) PK_HIDDEN;
/* More than 64 KiB are held, up or down. */
void pk_hook_tell(pk_hook_thread *t) PK_HIDDEN;
/* Keeps beside a cell what it had live at the last peak. */
void pk_hook_keep(const pk_hook_thread *t, pk_image_cell *cell) PK_HIDDEN;
/* What a sampled block stands for, in bytes. */
int64_t pk_hook_estimate(pk_image_cell *cell, size_t bytes) PK_HIDDEN;
int64_t pk_hook_estimate_freed(pk_image_cell *cell, size_t bytes) PK_HIDDEN;
/* A block goes back that was never seen. */
void pk_hook_unknown(pk_hook_thread *t) PK_HIDDEN;
/* pk_hook_freeing in two parts, for realloc, which may fail. */
pk_hook_block pk_hook_moving(const void *p) PK_HIDDEN;
void pk_hook_moved(const void *p, pk_hook_block block, bool freed) PK_HIDDEN;

/* ---- hook_real.c ---- */

typedef struct pk_hook_real {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
} pk_hook_real;

/* At first functions that find the real ones; then these. */
extern pk_hook_real pk_real PK_HIDDEN;
/* Finds them, once; until they are found memory comes from a pool. */
void pk_hook_find_real(void) PK_HIDDEN;
/* What the program's calls of this name lead to, or would without the hook; NULL: nothing. */
void *pk_hook_find_function(const char *name) PK_HIDDEN;

#define PK_HOOK_POOL_BYTES ((size_t)64 << 10)
extern unsigned char pk_hook_pool[PK_HOOK_POOL_BYTES] PK_HIDDEN;

static inline bool pk_hook_in_pool(const void *p) {
    return (uintptr_t)p - (uintptr_t)pk_hook_pool < PK_HOOK_POOL_BYTES;
}
size_t pk_hook_pool_size(const void *p) PK_HIDDEN;

#endif
