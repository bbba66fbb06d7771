/* The file that the hook (hook_*.c, loaded into the program) writes and perfkit reads: who
 * allocated how much, by call stack, of one program image. It is mapped shared, so what was counted
 * is there whatever ends the program; and it stays when perfkit itself is killed (--recover).
 *
 * Its name is FOLDER/PID.EXEC_NUMBER.image (PK_IMAGE_NAME). The magic number is written last: a
 * file without it is not an image yet. The file grows with its chunks; after `full` it may be
 * shorter than pk_image_head.chunks says.
 *
 * A file is a row of chunks of equal size, each of one kind and, but for the first, of one writer:
 * the thread that took it. A chunk is given out by moving pk_image_head.chunks on; nothing that was
 * given out moves or changes its kind. So a reader needs no lock: it walks the chunks, and may meet
 * counters that are one call apart from each other. Chunks that were never written are holes.
 *
 * Cells: what one thread did to one stack. The thread that allocates adds to its own cell of the
 * stack; a thread that frees another one's block adds to a cell of its own that names the other's
 * (pk_image_cell.of). Sums over the cells of a stack are what is shown.
 *
 * Sampled (sample_bytes): the threads count all calls and bytes exactly; cells have the samples as
 * they are in calls to temporary, and what these stand for in estimated_*. live_bytes, peak_bytes
 * and at_peak_* are estimates then: each block counts as 1 / P(sampled) of its size.
 *
 * At the peak: pk_image_head.epoch counts peaks. Before a cell changes for the first time after a
 * peak, what it had live is kept beside (at_peak) with that epoch. A cell whose epoch is not the
 * last one has not changed since the last peak: then what it has live now is what it had at it.
 *
 * Addresses mean what was mapped when the stack was seen: pk_image_cell.era says which snapshots to
 * look in (pk_image_chunk.era); of these the newest that has something at the address. A snapshot
 * is taken at the start, when a stack leads into an object not seen before, and, with a new era,
 * after dlclose. */
#ifndef PK_ALLOC_IMAGE_H
#define PK_ALLOC_IMAGE_H

#include <stdint.h>

#define PK_IMAGE_MAGIC 0x31676d69636c6c61ull /* "allcimg1" */
#define PK_IMAGE_VERSION 1u
#define PK_IMAGE_NAME "%u.%u.image"
#define PK_IMAGE_CHUNK_BYTES ((uint64_t)64 << 10)
#define PK_IMAGE_CHUNKS_MAX (1u << 20) /* 64 GiB; cells are numbered in 32 bits */
#define PK_IMAGE_FRAMES_MAX 512u       /* of a stack; what is deeper is cut, and marked */
#define PK_IMAGE_SIZE_CLASSES 512u     /* 8 per power of two: pk_image_size_class */

/* The folder of images, and what is counted, come to the hook in the environment. Loaded without
 * (injected) it counts nothing until it is called with the same text:
 *   int pk_alloc_hook_attach(const char *settings)    0, or an errno: no image could be made
 *   void pk_alloc_hook_detach(void)                   nothing is counted from here on
 * With PK_ALLOC_ATTACHED it takes the allocator's place in all objects by itself
 * (alloc/hook_patch.h).
 * The functions that stand in for the allocator's are exported by its names ("malloc", ...). */
#define PK_ALLOC_VARIABLE "PERFKIT_ALLOC" /* "FOLDER:FLAGS:SAMPLE_BYTES", flags hexadecimal */

enum {                        /* flags */
       PK_ALLOC_LIVE = 1,     /* follow frees: live, peak, leaked, temporary */
       PK_ALLOC_FOLLOW = 2,   /* programs that it starts are counted too */
       PK_ALLOC_CHECK = 4,    /* each remembered stack is unwound in full as well and compared */
       PK_ALLOC_MAPPINGS = 8, /* mmap, munmap, mremap as a kind of their own */
       PK_ALLOC_ATTACHED = 16 /* injected: blocks from before are not known */
};

typedef enum pk_image_kind {
    PK_CHUNK_NONE, /* a hole */
    PK_CHUNK_HEAD,
    PK_CHUNK_THREAD,
    PK_CHUNK_CELLS,
    PK_CHUNK_FRAMES,
    PK_CHUNK_MAPS /* text of /proc/self/maps, as it was at a moment */
} pk_image_kind;

typedef struct pk_image_chunk { /* at the start of each */
    _Alignas(64) uint32_t kind; /* written last */
    uint32_t thread;            /* the number of its chunk PK_CHUNK_THREAD; 0: none */
    uint32_t used;              /* items, or bytes of text */
    uint32_t part;              /* MAPS: a snapshot may need several; 0 begins one */
    uint64_t time_ns;           /* MAPS: when it was taken */
    uint32_t era;               /* MAPS: of addresses; counts dlclose */
} pk_image_chunk;

typedef struct pk_image_head {
    pk_image_chunk chunk;
    uint64_t magic;
    uint32_t version, flags;
    uint64_t sample_bytes; /* the mean distance of samples; 0: everything is counted */
    uint32_t pid, parent_pid;
    uint32_t exec_number;          /* images before this one in the same process */
    uint32_t forked;               /* it began as a copy of its parent, whose blocks it has too */
    uint64_t started_ns, ended_ns; /* CLOCK_MONOTONIC; ended 0: it did not say */
    uint64_t started_unix_ns;
    char name[16];  /* comm */
    char exe[4096]; /* /proc/self/exe */

    /* Shared by all threads; each on its own line. */
    _Alignas(64) _Atomic uint32_t chunks;    /* given out, this one too */
    _Alignas(64) _Atomic int64_t live_bytes; /* without what the threads hold back:
                                                pk_image_thread.held */
    _Alignas(64) _Atomic int64_t peak_bytes;
    _Atomic uint64_t peak_ns; /* A thread alone notes a peak when it first frees again: while more
                                 is live than peak_bytes, the peak is now. */
    _Alignas(64) _Atomic uint32_t epoch; /* of peaks */
    /* What was not counted, and why; rare, so shared. */
    _Alignas(64) _Atomic uint64_t inside_hook; /* calls while a call of that thread was counted:
                                                  from signal handlers */
    _Atomic uint64_t before_ready;             /* served from the hook's own memory at the start */
    _Atomic uint64_t full;                     /* calls not kept: no chunk was left, or no memory */
    _Atomic uint64_t unknown_frees;            /* of blocks that the hook has not seen */
    _Atomic uint64_t differences; /* PK_ALLOC_CHECK: remembered stacks that were not right */
} pk_image_head;

/* One per thread, also after it has ended; a later thread may go on in it. */
typedef struct pk_image_thread {
    pk_image_chunk chunk;
    uint32_t tid;
    uint32_t reused;
    uint64_t calls, bytes;       /* allocations; frees are not calls */
    uint64_t frees, freed_bytes; /* of blocks that were counted when they were allocated */
    uint64_t temporary;
    int64_t held; /* live bytes not yet in pk_image_head.live_bytes: at most 64 KiB up or down */
    uint64_t stacks_remembered, stacks_unwound; /* memo hits and misses */
    uint64_t sizes[PK_IMAGE_SIZE_CLASSES];      /* calls by size */
} pk_image_thread;

enum {                      /* of a stack */
       PK_STACK_CUT = 1,    /* deeper than PK_IMAGE_FRAMES_MAX */
       PK_STACK_LOST = 2,   /* ends in code that could not be followed */
       PK_STACK_GUESSED = 4 /* a frame pointer was followed without call frame information */
};

typedef enum pk_alloc_function { /* what was called; it is the stack's innermost frame */
                                 PK_CALL_MALLOC,
                                 PK_CALL_CALLOC,
                                 PK_CALL_REALLOC,
                                 PK_CALL_REALLOCARRAY,
                                 PK_CALL_ALIGNED_ALLOC,
                                 PK_CALL_MEMALIGN,
                                 PK_CALL_POSIX_MEMALIGN,
                                 PK_CALL_VALLOC,
                                 PK_CALL_PVALLOC,
                                 PK_CALL_NEW,
                                 PK_CALL_MMAP,
                                 PK_CALL_OTHER, /* --function */
                                 PK_CALLS
} pk_alloc_function;

/* The number of a cell is chunk * PK_IMAGE_CELLS + its place there; they begin behind the
 * pk_image_chunk. Ordered so that counting touches one line. */
typedef struct pk_image_cell {
    uint32_t of;       /* UINT32_MAX: the stack's own; else the cell whose blocks were freed here */
    uint16_t n_frames; /* own cells only, as are frames, flags and function */
    uint8_t flags, function;
    uint64_t frames; /* place in the file of n_frames addresses (uint64_t), innermost first: of each
                        caller the address that it returns to; of frames interrupted by a signal the
                        instruction, with bit 63 set */
    uint64_t calls, bytes;
    uint64_t freed_calls, freed_bytes;
    uint64_t temporary;
    uint32_t epoch, era;                     /* epoch: of at_peak; era: of the addresses */
    int64_t at_peak_calls, at_peak_bytes;    /* what was live at that peak */
    double estimated_calls, estimated_bytes; /* with sample_bytes: sums of 1 / P(sampled) */
    double estimated_freed_calls, estimated_freed_bytes; /* the same of what was freed */
    double variance_calls, variance_bytes; /* of estimated_calls and estimated_bytes */
} pk_image_cell;

#define PK_IMAGE_CELLS \
    ((uint32_t)((PK_IMAGE_CHUNK_BYTES - sizeof(pk_image_chunk)) / sizeof(pk_image_cell)))

/* Classes of sizes: 0 to 15 are exact; from there on 8 per power of two. */
static inline uint32_t pk_image_size_class(uint64_t bytes) {
    if (bytes < 16) return (uint32_t)bytes;
    uint32_t log2 = 63u - (uint32_t)__builtin_clzll(bytes);
    uint32_t class = 16 + (log2 - 4) * 8 + (uint32_t)((bytes >> (log2 - 3)) & 7);
    return class < PK_IMAGE_SIZE_CLASSES ? class : PK_IMAGE_SIZE_CLASSES - 1;
}

/* The smallest size of a class. */
static inline uint64_t pk_image_size_least(uint32_t class) {
    if (class < 16) return class;
    uint32_t log2 = (class - 16) / 8 + 4;
    return (8ull + (class - 16) % 8) << (log2 - 3);
}

_Static_assert(sizeof(pk_image_cell) == 128, "two lines, the first of them the busy one");
_Static_assert(sizeof(pk_image_head) <= PK_IMAGE_CHUNK_BYTES, "one chunk");
_Static_assert(sizeof(pk_image_thread) <= PK_IMAGE_CHUNK_BYTES, "one chunk");

#endif
