/* Runs in the kernel at the entry of a function that allocates (clang -target bpf; loaded by
 * bpf_probe.c): follows the stack, and counts by it.
 *
 * The stack is copied in one piece, since each read of a program's memory costs as much as several
 * steps in the copy. What holds at an address is remembered by address and list of segments; two
 * words that are only right together make that safe without a lock. A processor can be taken from
 * a program here, so what it works in is taken and given back. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "alloc/bpf_shared.h"
#include "alloc/image.h"

char terms[] SEC("license") = "GPL";

const volatile pk_bpf_settings settings SEC(".rodata.settings") = {0};

#define CACHE_BITS 14
#define MIX 0x9e3779b97f4a7c15ull

struct remembered {
    uint64_t check; /* key ^ rule */
    uint64_t rule;
};

struct remembered cache[1 << CACHE_BITS];

/* Where a walk is. It lies in a map: on the stack, the verifier would follow each of its values. */
struct walk {
    uint64_t pc, sp, fp;
    uint64_t space;                /* in the bits of a key that an address leaves free */
    uint64_t copied, copied_bytes; /* from where, and how much */
    uint64_t hash;
    uint64_t outer_sp, outer_returns_to; /* of the pending call; 0: none */
    uint32_t first_segment, n_segments;
    uint32_t n;
    uint8_t exact, interrupted, inner, ended;
    uint8_t guess; /* pc came by a frame pointer */
    uint8_t unmapped;
    uint8_t flags;
};

struct desk { /* what one program works in */
    uint64_t taken;
    uint64_t beyond; /* a page behind the end of a stack, where a copy failed: that costs much */
    struct walk walk;
    uint64_t copy[PK_BPF_COPY_BYTES / 8];
    pk_bpf_stack stack;
    uint64_t frames[PK_BPF_FRAMES_MAX];
};

struct pending { /* the last call of a thread that may call another of our functions */
    uint32_t thread, reserved;
    uint64_t sp, returns_to;
};

struct chunk {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PK_BPF_CHUNK_ROWS);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(key_size, sizeof(uint32_t));
    __uint(value_size, sizeof(pk_bpf_row));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, PK_BPF_CHUNKS_MAX);
    __type(key, uint32_t);
    __array(values, struct chunk);
} chunks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2 * PK_BPF_SEGMENTS_MAX); /* for each process; set before loading */
    __type(key, uint32_t);
    __type(value, pk_bpf_segment);
} segments SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); /* set before loading */
    __type(key, uint32_t);
    __type(value, pk_bpf_process);
} processes SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2); /* for each process; set before loading */
    __type(key, uint32_t);
    __type(value, pk_bpf_list);
} lists SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2); /* for each processor; set before loading */
    __type(key, uint32_t);
    __type(value, struct desk);
} desks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PK_BPF_PENDING);
    __type(key, uint32_t);
    __type(value, struct pending);
} pendings SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1 << 19);
    __type(key, uint64_t);
    __type(value, pk_bpf_count);
} counts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 << 20);
} stacks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, pk_bpf_totals);
} totals SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PK_IMAGE_SIZE_CLASSES);
    __type(key, uint32_t);
    __type(value, pk_bpf_size);
} sizes SEC(".maps");

/* ---- what holds at an address ---- */

#define NOT_MAPPED 0xffffffffu

/* The rule of the last row at or before pc. A function of its own to the verifier. */
__attribute__((noinline)) uint32_t find_row(uint32_t first, uint32_t n, uint32_t pc) {
    uint32_t low = 0, high = n, rule = PK_BPF_NONE;
    for (int i = 0; i < 26 && low < high; i++) {
        uint32_t middle = low + (high - low) / 2, number = first + middle;
        uint32_t chunk_number = number / PK_BPF_CHUNK_ROWS, place = number % PK_BPF_CHUNK_ROWS;
        void *chunk = bpf_map_lookup_elem(&chunks, &chunk_number);
        if (!chunk) return PK_BPF_NONE;
        pk_bpf_row *row = bpf_map_lookup_elem(chunk, &place);
        if (!row) return PK_BPF_NONE;
        if (row->pc <= pc) {
            rule = row->rule;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return rule;
}

__attribute__((noinline)) uint32_t find_rule(uint32_t first, uint32_t n, uint64_t pc) {
    uint32_t low = 0, high = n;
    for (int i = 0; i < 12 && low < high; i++) {
        uint32_t middle = low + (high - low) / 2, number = first + middle;
        pk_bpf_segment *segment = bpf_map_lookup_elem(&segments, &number);
        if (!segment) return NOT_MAPPED;
        if (pc < segment->begin) {
            high = middle;
        } else if (pc >= segment->end) {
            low = middle + 1;
        } else if (segment->n_rows == 0) {
            return PK_BPF_NONE;
        } else {
            return find_row(segment->first_row, segment->n_rows, (uint32_t)(pc - segment->bias));
        }
    }
    return NOT_MAPPED;
}

/* Programs' addresses have 47 bits; the next one keeps the key from being 0, which is what an entry
 * that was never written would be right for. */
#define SPACE(number) ((uint64_t)(number) << 48 | 1ull << 47)

static inline bool remember(uint64_t key, uint32_t *rule) {
    volatile struct remembered *r = &cache[key * MIX >> (64 - CACHE_BITS)];
    uint64_t known = r->rule;
    *rule = (uint32_t)known;
    return (known ^ r->check) == key;
}

static inline uint32_t rule_at(const struct walk *w, uint64_t pc) {
    uint64_t key = pc | w->space;
    uint32_t rule;
    if (remember(key, &rule)) return rule;
    rule = find_rule(w->first_segment, w->n_segments, pc);
    if (rule == NOT_MAPPED) return rule;
    volatile struct remembered *r = &cache[key * MIX >> (64 - CACHE_BITS)];
    r->rule = rule;
    r->check = rule ^ key;
    return rule;
}

/* ---- memory ---- */

/* Copies more of the stack, so that `address` is in it, and what is above. */
static bool copy_more(struct desk *desk, uint64_t address) {
    struct walk *w = &desk->walk;
    uint64_t from = address - w->sp < PK_BPF_COPY_BYTES - 8 ? w->sp : address - 256;
    from &= ~7ull;
    w->copied = from;
    w->copied_bytes = PK_BPF_COPY_BYTES;
    uint64_t last_page = (from + PK_BPF_COPY_BYTES - 1) >> 12;
    if (desk->beyond != last_page) {
        if (bpf_probe_read_user(desk->copy, PK_BPF_COPY_BYTES, (void *)from) == 0) return true;
        desk->beyond = last_page;
    }
    /* The stack, or what of it is in memory, ends with the page. */
    uint32_t rest = (4096 - (from & 4095)) & (PK_BPF_COPY_BYTES - 8);
    w->copied_bytes = rest;
    return rest > 0 && bpf_probe_read_user(desk->copy, rest, (void *)from) == 0;
}

static bool load(struct desk *desk, uint64_t address, uint64_t *value) {
    struct walk *w = &desk->walk;
    if (address & 7) return false;
    uint64_t offset = address - w->copied;
    if (offset >= w->copied_bytes) {
        if (!copy_more(desk, address)) {
            w->copied_bytes = 0;
            return bpf_probe_read_user(value, 8, (void *)address) == 0;
        }
        offset = address - w->copied;
        if (offset >= w->copied_bytes) return false;
    }
    *value = desk->copy[(offset >> 3) & (PK_BPF_COPY_BYTES / 8 - 1)];
    return true;
}

/* ---- one frame to its caller ---- */

/* Places in the ucontext that the kernel makes (asm/ucontext.h, asm/sigcontext.h). */
enum { CONTEXT_FP = 120, CONTEXT_SP = 160, CONTEXT_PC = 168 };

static bool from_signal(struct desk *desk) {
    struct walk *w = &desk->walk;
    uint64_t context = w->sp, pc = 0, sp = 0, fp = 0;
    if (!load(desk, context + CONTEXT_FP, &fp) || !load(desk, context + CONTEXT_SP, &sp) ||
        !load(desk, context + CONTEXT_PC, &pc))
        return false;
    w->pc = pc;
    w->sp = sp;
    w->fp = fp;
    w->exact = true;
    w->interrupted = true;
    return pc != 0;
}

/* The frame pointer leads to a frame record further up the stack, or it does not. */
static bool by_frame_pointer(struct desk *desk) {
    struct walk *w = &desk->walk;
    uint64_t record = w->fp, fp = 0, pc = 0;
    if (record < w->sp || record & 7 || !load(desk, record, &fp) || !load(desk, record + 8, &pc))
        return false;
    if (pc == 0) return false;
    w->pc = pc;
    w->sp = record + 16;
    w->fp = fp;
    w->guess = true;
    w->flags |= PK_STACK_GUESSED;
    return true;
}

static bool by_rule(struct desk *desk, uint32_t rule) {
    struct walk *w = &desk->walk;
    uint32_t kind = PK_BPF_RULE_KIND(rule), saved = PK_BPF_RULE_FP(rule);
    int64_t offset = (int64_t)PK_BPF_RULE_CFA(rule) * 8;
    uint64_t cfa = 0, pc = 0;
    if (kind == PK_BPF_SP) cfa = w->sp + (uint64_t)offset;
    else if (kind == PK_BPF_FP) cfa = w->fp + (uint64_t)offset;
    else if (kind == PK_BPF_PLT) cfa = w->sp + 8 + ((w->pc & 15) >= (uint64_t)offset / 8 ? 8 : 0);
    else if (!load(desk, w->fp + (uint64_t)offset, &cfa)) return false;
    if (cfa <= w->sp) return false;
    if (kind == PK_BPF_FP_SAVED) {
        uint64_t fp = 0;
        if (!load(desk, w->fp, &fp)) return false;
        w->fp = fp;
    } else if (saved && cfa - 8ull * saved >= w->sp) {
        /* (Below the stack pointer, at a function's end, it was taken back already.) */
        uint64_t fp = 0;
        if (!load(desk, cfa - 8ull * saved, &fp)) return false;
        w->fp = fp;
    }
    if (!load(desk, cfa - 8, &pc)) return false;
    if (cfa - 8 == w->outer_sp && pc == w->outer_returns_to && !w->interrupted) w->inner = true;
    w->pc = pc;
    w->sp = cfa;
    if (pc == 0) w->ended = true;
    return pc != 0 && !w->inner;
}

static inline uint64_t mixed(uint64_t hash, uint64_t frame) {
    hash = (hash ^ frame) * MIX;
    return hash ^ hash >> 32;
}

#define FAST_FRAMES 8

/* The steps that nearly all are: within the copy, by a rule that is remembered. What is not so is
 * left to slow_step. False: it came to such a frame. */
static inline bool fast_steps(struct desk *desk) {
    struct walk *w = &desk->walk;
    uint32_t n = w->n;
    if (w->exact | w->guess || n > PK_BPF_FRAMES_MAX - FAST_FRAMES) return false;
    uint64_t pc = w->pc, sp = w->sp, fp = w->fp, hash = w->hash;
    uint64_t space = w->space, copied = w->copied, copied_bytes = w->copied_bytes;
    uint64_t outer = w->outer_sp;
    int i;
#pragma unroll
    for (i = 0; i < FAST_FRAMES; i++) {
        uint32_t rule;
        if (!remember((pc - 1) | space, &rule)) break;
        uint32_t kind = PK_BPF_RULE_KIND(rule);
        if (kind != PK_BPF_SP && kind != PK_BPF_FP) break;
        uint64_t cfa = (kind == PK_BPF_SP ? sp : fp) + (uint64_t)((int64_t)(int32_t)rule >> 15) * 8;
        uint64_t offset = cfa - 8 - copied, saved = 8ull * PK_BPF_RULE_FP(rule), up = fp;
        if (cfa <= sp || cfa & 7 || offset >= copied_bytes || cfa - 8 == outer) break;
        if (saved) {
            /* From below the copy the offset is a very large number. */
            if (offset + 8 - saved >= copied_bytes || cfa - saved < sp) break;
            up = desk->copy[((offset + 8 - saved) >> 3) & (PK_BPF_COPY_BYTES / 8 - 1)];
        }
        uint64_t back = desk->copy[(offset >> 3) & (PK_BPF_COPY_BYTES / 8 - 1)];
        if (back == 0) break;
        desk->frames[n + i] = pc;
        hash = mixed(hash, pc);
        pc = back;
        sp = cfa;
        fp = up;
    }
    w->pc = pc;
    w->sp = sp;
    w->fp = fp;
    w->hash = hash;
    w->n = n + (uint32_t)i;
    return i == FAST_FRAMES;
}

/* One frame of any kind. True: it was the last one. */
static inline bool slow_step(struct desk *desk) {
    struct walk *w = &desk->walk;
    if (w->n >= PK_BPF_FRAMES_MAX) {
        w->flags |= PK_STACK_CUT;
        return true;
    }
    uint32_t rule = rule_at(w, w->exact ? w->pc : w->pc - 1);
    if (rule == NOT_MAPPED) {
        w->flags |= PK_STACK_LOST;
        /* An address that a frame pointer led to may be none at all. */
        w->unmapped = !w->guess;
        if (w->guess) return true;
    }
    uint64_t frame = w->pc | (w->exact ? 1ull << 63 : 0);
    desk->frames[w->n & (PK_BPF_FRAMES_MAX - 1)] = frame;
    w->n++;
    w->hash = mixed(w->hash, frame);
    if (rule == NOT_MAPPED) return true;
    w->exact = w->guess = false;
    uint32_t kind = PK_BPF_RULE_KIND(rule);
    bool on = false;
    if (kind == PK_BPF_END) w->ended = true;
    else if (kind == PK_BPF_SIGNAL) on = from_signal(desk);
    else if (kind == PK_BPF_NONE) on = by_frame_pointer(desk);
    else if (kind != PK_BPF_LOST) on = by_rule(desk, rule);
    if (!on && !w->ended && !w->inner) w->flags |= PK_STACK_LOST;
    return !on;
}

static long step(uint32_t i, void *context) {
    (void)i;
    struct desk *desk = *(struct desk **)context;
    return !fast_steps(desk) && slow_step(desk);
}

/* ---- counting ---- */

/* 0: it does not fit, and the call fails. */
static inline uint64_t product(uint64_t a, uint64_t b) {
    uint64_t large = a > b ? a : b, small = a > b ? b : a;
    if (small >> 32 || (large >> 32) * small >> 32) return 0;
    return large * small;
}

static inline uint64_t bytes_asked_for(struct pt_regs *r, uint32_t function) {
    switch (function) {
    case PK_CALL_CALLOC:
        return product(PT_REGS_PARM1(r), PT_REGS_PARM2(r));
    case PK_CALL_REALLOCARRAY:
        return product(PT_REGS_PARM2(r), PT_REGS_PARM3(r));
    case PK_CALL_REALLOC:
    case PK_CALL_ALIGNED_ALLOC:
    case PK_CALL_MEMALIGN:
        return PT_REGS_PARM2(r);
    case PK_CALL_POSIX_MEMALIGN:
        return PT_REGS_PARM3(r);
    case PK_CALL_OTHER:
        return 0;
    default:
        return PT_REGS_PARM1(r);
    }
}

static inline uint64_t thread_and_process(void) {
    if (!settings.namespace_inode) return bpf_get_current_pid_tgid();
    struct bpf_pidns_info info = {};
    if (bpf_get_ns_current_pid_tgid(settings.namespace_device, settings.namespace_inode, &info,
                                    sizeof info))
        return 0;
    return (uint64_t)info.tgid << 32 | info.pid;
}

static struct desk *take_desk(void) {
    uint32_t number = bpf_get_smp_processor_id() * 2;
    for (int i = 0; i < 2; i++, number++) {
        struct desk *desk = bpf_map_lookup_elem(&desks, &number);
        if (desk && __sync_lock_test_and_set(&desk->taken, 1) == 0) return desk;
    }
    return NULL;
}

/* The stack is handed over until that has succeeded once. */
static inline void hand_over(pk_bpf_count *c, struct desk *desk, uint32_t process, uint32_t era,
                             uint32_t function) {
    const struct walk *w = &desk->walk;
    desk->stack = (pk_bpf_stack){.hash = w->hash,
                                 .process = process,
                                 .era = era,
                                 .n_frames = (uint16_t)w->n,
                                 .flags = w->flags,
                                 .function = (uint8_t)function};
    uint64_t size = sizeof desk->stack + 8ull * (w->n & (2 * PK_BPF_FRAMES_MAX - 1));
    if (size > sizeof desk->stack + sizeof desk->frames) return;
    if (bpf_ringbuf_output(&stacks, &desk->stack, size, BPF_RB_NO_WAKEUP) == 0) c->sent = 1;
}

/* NULL: there is no room. */
static inline pk_bpf_count *count(uint64_t hash, uint64_t bytes, uint32_t process,
                                  uint32_t function) {
    pk_bpf_count *c = bpf_map_lookup_elem(&counts, &hash);
    if (!c) {
        pk_bpf_count none = {.process = (uint16_t)process, .function = (uint16_t)function};
        bpf_map_update_elem(&counts, &hash, &none, BPF_NOEXIST);
        c = bpf_map_lookup_elem(&counts, &hash);
        if (!c) return NULL;
    }
    __sync_fetch_and_add(&c->calls, 1);
    __sync_fetch_and_add(&c->bytes, bytes);
    return c;
}

/* pk_image_size_class, without the builtin that this target does not have. */
static inline uint32_t size_class(uint64_t bytes) {
    if (bytes < 16) return (uint32_t)bytes;
    uint32_t log2 = 0;
    uint64_t rest = bytes;
    for (uint32_t bits = 32; bits; bits /= 2) {
        if (rest >> bits == 0) continue;
        rest >>= bits;
        log2 += bits;
    }
    uint32_t class = 16 + (log2 - 4) * 8 + (uint32_t)((bytes >> (log2 - 3)) & 7);
    return class < PK_IMAGE_SIZE_CLASSES ? class : PK_IMAGE_SIZE_CLASSES - 1;
}

static inline void count_size(uint64_t bytes) {
    uint32_t class = size_class(bytes);
    pk_bpf_size *size = bpf_map_lookup_elem(&sizes, &class);
    if (!size) return;
    __sync_fetch_and_add(&size->calls, 1);
    __sync_fetch_and_add(&size->bytes, bytes);
}

/* Things that rarely happen. */
#define NOTE(what)                                              \
    do {                                                        \
        uint32_t zero = 0;                                      \
        pk_bpf_totals *t = bpf_map_lookup_elem(&totals, &zero); \
        if (t) __sync_fetch_and_add(&t->what, 1);               \
    } while (0)

/* The thread's last call, if it may be going on; it is forgotten. */
static inline struct pending *take_pending(uint32_t thread, struct walk *w) {
    uint32_t place = thread % PK_BPF_PENDING;
    struct pending *pending = bpf_map_lookup_elem(&pendings, &place);
    if (!pending || pending->thread != thread) return pending;
    w->outer_sp = pending->sp;
    w->outer_returns_to = pending->returns_to;
    pending->thread = 0;
    return pending;
}

/* Follows the stack from the entry of a function. False: the call is part of one that is counted.
 */
static bool follow(struct desk *desk, uint32_t function, uint32_t thread) {
    struct walk *w = &desk->walk;
    struct pending *pending = NULL;
    if (function != PK_CALL_OTHER) pending = take_pending(thread, w);
    uint64_t entry_sp = w->sp;
    uint64_t returns_to = 0;
    if (!load(desk, entry_sp, &returns_to)) {
        w->flags |= PK_STACK_LOST;
        return true;
    }
    w->pc = returns_to;
    /* One that ends by jumping to another leaves the stack as it was. */
    w->inner = w->outer_sp == entry_sp && w->outer_returns_to == returns_to;
    if (!w->inner) {
        w->sp += 8;
        bpf_loop(PK_BPF_FRAMES_MAX + 1, step, &desk, 0);
    }
    if (w->inner) {
        if (pending) pending->thread = thread;
        return false;
    }
    if (pending && function != PK_CALL_MALLOC) {
        pending->sp = entry_sp;
        pending->returns_to = returns_to;
        pending->thread = thread;
    }
    return true;
}

/* NULL: not counted; *inner: since it is part of a call that was. */
static inline pk_bpf_count *count_stack(struct pt_regs *registers, struct desk *desk,
                                        const pk_bpf_list *list, uint32_t number, uint32_t function,
                                        uint32_t process, uint32_t thread, uint64_t bytes,
                                        bool *inner) {
    uint64_t seed = (uint64_t)process << 40 | (uint64_t)function << 32 | list->era;
    struct walk *w = &desk->walk;
    *w = (struct walk){.sp = PT_REGS_SP(registers),
                       .fp = PT_REGS_FP(registers),
                       .space = SPACE(list->space),
                       .hash = (seed + 1) * MIX,
                       .first_segment = number * PK_BPF_SEGMENTS_MAX,
                       .n_segments = list->n_segments};
    *inner = !follow(desk, function, thread);
    if (*inner) return NULL;
    pk_bpf_count *c = count(w->hash, bytes, process, function);
    if (c && !c->sent) hand_over(c, desk, process, list->era, function);
    if (w->unmapped) NOTE(unmapped);
    return c;
}

SEC("uprobe")
int on_entry(struct pt_regs *registers) {
    uint64_t who = thread_and_process(), cookie = bpf_get_attach_cookie(registers);
    uint32_t number = (uint32_t)(cookie >> 8), function = cookie & 0xff, process = number;
    pk_bpf_process *p = bpf_map_lookup_elem(&processes, &number);
    if (!p || p->pid != who >> 32) return 0;
    number = 2 * number + (p->turn & 1);
    pk_bpf_list *list = bpf_map_lookup_elem(&lists, &number);
    if (!list) return 0;
    uint64_t bytes = bytes_asked_for(registers, function);
    struct desk *desk = take_desk();
    pk_bpf_count *c;
    if (desk) {
        bool inner;
        c = count_stack(registers, desk, list, number, function, process, (uint32_t)who, bytes,
                        &inner);
        desk->taken = 0;
        if (inner) {
            NOTE(inner);
            return 0;
        }
    } else {
        c = count(PK_BPF_NO_STACK(process, function), bytes, process, function);
        NOTE(no_stack);
    }
    if (c) count_size(bytes);
    else NOTE(not_kept);
    return 0;
}
