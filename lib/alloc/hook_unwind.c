/* The walk up the stack. */
#include "alloc/hook.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FP = 6, SP = 7, RETURN = 16 };
#define PAGE 4096u

typedef struct walk {
    pk_hook_thread *thread;
    uint64_t low, high; /* memory that can be read as it is: the thread's own stack */
    uint64_t ip, sp;
    bool interrupted; /* ip is the next instruction, not a return address */
    uint64_t fp;      /* the frame pointer, if fp_known; else it is still in memory at fp_at */
    uint64_t fp_at;
    bool fp_known, fp_at_call; /* at_call: it is what it was when the allocator was called */
    bool fp_lost;
    uint8_t flags;
} walk;

/* ---- memory ---- */

/* Of a stack that is not the thread's own we do not know where it ends: the kernel copies a few
 * pages of it, as many as are there. */
static bool peek_far(walk *w, uint64_t address, uint64_t *value) {
    pk_hook_thread *t = w->thread;
    t->far = true;
    if (address < t->window_low || address + 8 > t->window_high) {
        struct iovec here = {t->window, sizeof t->window}, there[PK_HOOK_WINDOW_BYTES / PAGE];
        uint64_t at = address, end = address + PK_HOOK_WINDOW_BYTES;
        unsigned n = 0;
        while (n < PK_HOOK_WINDOW_BYTES / PAGE && at < end) {
            uint64_t next = (at | (PAGE - 1)) + 1;
            there[n++] = (struct iovec){(void *)(uintptr_t)at, next - at};
            at = next;
        }
        int error = errno;
        ssize_t got = process_vm_readv(getpid(), &here, 1, there, n, 0);
        errno = error;
        t->window_low = address;
        t->window_high = address + (got > 0 ? (uint64_t)got : 0);
        if (got < 8) return false;
    }
    memcpy(value, t->window + (address - t->window_low), sizeof *value);
    return true;
}

static void note_read(pk_hook_thread *t, uint64_t address, uint64_t value) {
    if (t->n_reads == PK_HOOK_READS_MAX) {
        t->far = true;
        return;
    }
    t->read_at[t->n_reads] = address;
    t->read_value[t->n_reads++] = value;
}

static inline bool peek(walk *w, uint64_t address, uint64_t *value) {
    if (PK_UNLIKELY(address < w->low || address >= w->high || w->high - address < 8))
        return peek_far(w, address, value);
    memcpy(value, (const void *)(uintptr_t)address, sizeof *value);
    note_read(w->thread, address, *value);
    return true;
}

static bool read_for_cfi(void *context, uint64_t address, uint64_t *value) {
    return peek(context, address, value);
}

/* The frame pointer is read only when something depends on it: what is remembered then holds for
 * more stacks. */
static bool frame_pointer(walk *w, uint64_t *fp) {
    if (w->fp_lost) return false;
    if (!w->fp_known) {
        if (!peek(w, w->fp_at, &w->fp)) return false;
        w->fp_known = true;
    }
    if (w->fp_at_call) w->thread->fp_used = true;
    *fp = w->fp;
    return true;
}

/* ---- steps ---- */

static void fp_is_at(walk *w, uint64_t address) {
    w->fp_at = address;
    w->fp_known = w->fp_at_call = w->fp_lost = false;
}

static pk_cfi_end step_general(walk *w) {
    pk_hook_thread *t = w->thread;
    uint64_t fp = 0;
    if (!pk_hook_row_of(t, w->ip - !w->interrupted)) return PK_CFI_LOST;
    bool interrupts = t->row.signal_frame;
    pk_cfi_frame frame = {.pc = w->ip}, caller;
    frame.value[SP] = w->sp;
    frame.value[RETURN] = w->ip;
    frame.known = 1u << SP | 1u << RETURN;
    if (frame_pointer(w, &fp)) {
        frame.value[FP] = fp;
        frame.known |= 1u << FP;
    }
    pk_cfi_end end = pk_cfi_step(&t->row, &frame, SP, read_for_cfi, w, &caller);
    if (end != PK_CFI_STEPPED) return end;
    if (!(caller.known >> SP & 1)) return PK_CFI_LOST;
    w->ip = caller.pc;
    w->sp = caller.value[SP];
    w->fp = caller.value[FP];
    w->fp_known = true;
    w->fp_at_call = false;
    w->fp_lost = !(caller.known >> FP & 1);
    w->interrupted = interrupts;
    return PK_CFI_STEPPED;
}

/* The caller's frame, whose stack pointer is `cfa`. */
static pk_cfi_end step_to(walk *w, uint64_t cfa) {
    uint64_t ip;
    if (cfa <= w->sp || cfa & 7) return PK_CFI_LOST;
    if (!peek(w, cfa - 8, &ip)) return PK_CFI_NO_MEMORY;
    if (ip == 0) return PK_CFI_OUTERMOST;
    w->ip = ip;
    w->sp = cfa;
    w->interrupted = false;
    return PK_CFI_STEPPED;
}

/* Code without call frame information, such as a just-in-time compiler's: it may keep frame
 * records. */
static pk_cfi_end step_guessed(walk *w) {
    uint64_t fp;
    if (!frame_pointer(w, &fp)) return PK_CFI_LOST;
    if (fp == 0) return PK_CFI_OUTERMOST; /* psABI 3.4.1: so marks the first frame itself */
    w->flags |= PK_STACK_GUESSED;
    if (fp < w->sp || fp & 7) return PK_CFI_LOST;
    pk_cfi_end end = step_to(w, fp + 16);
    if (end == PK_CFI_STEPPED) fp_is_at(w, fp);
    return end;
}

static pk_cfi_end step(walk *w) {
    const pk_hook_rule *rule = pk_hook_rule_of(w->thread, w->ip - !w->interrupted);
    uint64_t base = w->sp;
    pk_cfi_end end;
    switch ((pk_hook_rule_kind)rule->kind) {
    case PK_RULE_END:
        return PK_CFI_OUTERMOST;
    case PK_RULE_GENERAL:
        return step_general(w);
    case PK_RULE_FP:
        if (!frame_pointer(w, &base)) return PK_CFI_LOST;
        break;
    case PK_RULE_SP:
        break;
    case PK_RULE_EMPTY:
    case PK_RULE_MISSING:
        return step_guessed(w);
    }
    uint64_t cfa = base + (uint64_t)(int64_t)rule->cfa_offset;
    int16_t fp_offset = rule->fp_offset;
    end = step_to(w, cfa);
    if (end == PK_CFI_STEPPED && fp_offset) fp_is_at(w, cfa + (uint64_t)(int64_t)fp_offset);
    return end;
}

uint32_t pk_hook_walk(pk_hook_thread *t, const pk_hook_site *site, uint8_t *flags) {
    walk w = {.thread = t,
              .ip = site->ip,
              .sp = site->sp,
              .fp = site->fp,
              .fp_known = true,
              .fp_at_call = true};
    t->n_reads = 0;
    t->far = t->fp_used = false;
    t->window_low = t->window_high = 0;
    if (site->sp >= t->stack_low && site->sp < t->stack_high) {
        w.low = site->sp;
        w.high = t->stack_high;
    }
    uint32_t n = 0;
    pk_cfi_end end = PK_CFI_STEPPED;
    while (end == PK_CFI_STEPPED && n < PK_IMAGE_FRAMES_MAX) {
        t->stack[n++] = w.ip | (uint64_t)w.interrupted << 63;
        end = step(&w);
    }
    if (end == PK_CFI_STEPPED) w.flags |= PK_STACK_CUT;
    else if (end != PK_CFI_OUTERMOST) w.flags |= PK_STACK_LOST;
    *flags = w.flags;
    return n;
}
