/* What the program in the kernel (bpf_alloc.bpf.c) and we share: the layout of its maps.
 *
 * From us it has, per process, the executable mappings in the order of addresses (segments), and
 * for each the rows that say how to find a frame's caller. Rows are numbered over all files and lie
 * in chunks of equal size, which are added as more is mapped. Back come counts by stack; each stack
 * is handed over once, by a ring. */
#ifndef PK_ALLOC_BPF_SHARED_H
#define PK_ALLOC_BPF_SHARED_H

#include <stdint.h>

#define PK_BPF_FRAMES_MAX 512u /* as PK_IMAGE_FRAMES_MAX */
#define PK_BPF_CHUNK_ROWS (1u << 16)
#define PK_BPF_CHUNKS_MAX 1024u   /* 64 M rows: half a GiB */
#define PK_BPF_SEGMENTS_MAX 2048u /* of a process at a time */
#define PK_BPF_SPACES_MAX 0xffffu /* numbers of pk_bpf_process.space */
#define PK_BPF_COPY_BYTES 2048u   /* of the stack at a time */
#define PK_BPF_PENDING 65536u

/* From here to `end`, or the next row: how to find the caller. */
typedef struct pk_bpf_row {
    uint32_t pc;   /* from the segment's bias on */
    uint32_t rule; /* bits 0-2: pk_bpf_kind; 3-14: the caller's frame pointer is at CFA - 8 times
                      this (0: it is unchanged); 15-31: offset of the CFA in eights, signed */
} pk_bpf_row;

typedef enum pk_bpf_kind {
    PK_BPF_NONE,     /* no information: a frame pointer is tried */
    PK_BPF_SP,       /* CFA = stack pointer + offset */
    PK_BPF_FP,       /* CFA = frame pointer + offset */
    PK_BPF_FP_SAVED, /* CFA is at frame pointer + offset, the caller's frame pointer at it: a
                        function that aligns its stack */
    PK_BPF_PLT,      /* CFA = stack pointer + 8, and 8 more behind the push at `offset` of 16 */
    PK_BPF_SIGNAL,   /* what was interrupted is in the ucontext at the stack pointer */
    PK_BPF_END,      /* there is no caller */
    PK_BPF_LOST      /* a rule that does not fit here */
} pk_bpf_kind;

#define PK_BPF_RULE(kind, fp, cfa) \
    ((uint32_t)(kind) | ((uint32_t)(fp)&0xfffu) << 3 | (uint32_t)(cfa) << 15)
#define PK_BPF_RULE_KIND(rule) ((rule)&7u)
#define PK_BPF_RULE_FP(rule) ((rule) >> 3 & 0xfffu)
#define PK_BPF_RULE_CFA(rule) ((int32_t)(rule) >> 15)

typedef struct pk_bpf_segment {
    uint64_t begin, end; /* in memory */
    uint64_t bias;       /* address - bias = pk_bpf_row.pc */
    uint32_t first_row, n_rows;
} pk_bpf_segment;

/* A process is known by its number, which the probe brings along (PK_BPF_COOKIE). The lists of what
 * it has mapped take turns, since one may be in use while the next one is written. */
typedef struct pk_bpf_process {
    uint32_t pid; /* a copy that it made of itself by fork is not counted */
    uint32_t turn;
} pk_bpf_process;

typedef struct pk_bpf_list { /* number 2 * process + turn */
    uint32_t space;          /* of this list, never used twice */
    uint32_t era;            /* of addresses: moves on when something was unmapped */
    uint32_t n_segments;     /* from number PK_BPF_SEGMENTS_MAX * that of the list */
} pk_bpf_list;

#define PK_BPF_COOKIE(process, function) ((uint64_t)(process) << 8 | (uint64_t)(function))

typedef struct pk_bpf_settings {
    uint64_t namespace_device, namespace_inode; /* of process numbers as we see them; 0: of all */
} pk_bpf_settings;

typedef struct pk_bpf_count { /* by the hash of the stack */
    uint64_t calls, bytes;
    uint32_t sent;
    uint16_t process, function; /* the process's number, pk_alloc_function */
} pk_bpf_count;

/* The hash of a call whose stack was not followed; those of stacks have all their bits. */
#define PK_BPF_NO_STACK(process, function) ((uint64_t)(process) << 8 | (uint64_t)(function))

typedef struct pk_bpf_stack { /* in the ring; n_frames addresses behind it */
    uint64_t hash;
    uint32_t process, era;
    uint16_t n_frames;
    uint8_t flags, function; /* PK_STACK_..., pk_alloc_function */
    uint32_t reserved;
} pk_bpf_stack;

typedef struct pk_bpf_size { /* per class of sizes and processor: what was counted */
    uint64_t calls, bytes;
} pk_bpf_size;

typedef struct pk_bpf_totals { /* one per processor: calls that are not as they should be */
    uint64_t unmapped;         /* their stack ends in code that no segment has */
    uint64_t no_stack;         /* no stack: the processor was busy with two others */
    uint64_t not_kept;         /* not in any count: there is no room for more stacks */
    uint64_t inner;            /* by another function that was counted: not counted again */
} pk_bpf_totals;

#endif
