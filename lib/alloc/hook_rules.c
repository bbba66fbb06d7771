/* How to find the caller of an address: what the object's call frame information says, in the few
 * words that nearly all of it can be said in, remembered by address. x86-64. */
#include "alloc/hook.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

enum { FP = 6, SP = 7, RETURN = 16 };

/* _dl_find_object (glibc 2.35) takes no lock and allocates nothing. */
static bool section_of(uint64_t pc, pk_cfi_section *section, const uint8_t **header,
                       size_t *header_bytes) {
    struct dl_find_object object;
    if (!pk_hook.find_object || pk_hook.find_object((void *)(uintptr_t)pc, &object) != 0 ||
        !object.dlfo_eh_frame)
        return false;
    const uint8_t *at = object.dlfo_eh_frame;
    uint64_t begin = (uint64_t)object.dlfo_map_start, end = (uint64_t)object.dlfo_map_end;
    int32_t distance;
    /* Version 1; .eh_frame by its distance from here in 32 bits, as all linkers write it. */
    if (at[0] != 1 || at[1] != 0x1b) return false;
    memcpy(&distance, at + 4, sizeof distance);
    uint64_t frames = (uint64_t)at + 4 + (uint64_t)(int64_t)distance;
    if (frames < begin || frames >= end || (uint64_t)at < begin || (uint64_t)at >= end)
        return false;
    *section = (pk_cfi_section){
        .bytes = (const uint8_t *)(uintptr_t)frames, .n_bytes = end - frames, .address = frames};
    *header = at;
    *header_bytes = end - (uint64_t)at;
    pk_hook_object_seen(begin);
    return true;
}

typedef struct request {
    pk_hook_thread *thread;
    uint64_t pc;
    bool found;
} request;

static void find_row(void *context) {
    request *r = context;
    pk_hook_thread *t = r->thread;
    pk_cfi_section section;
    const uint8_t *header;
    size_t header_bytes;
    int error = errno;
    r->found = section_of(r->pc, &section, &header, &header_bytes) &&
               pk_cfi_find(&section, header, header_bytes, (uint64_t)header, r->pc, &t->fde) &&
               pk_cfi_row_at(&t->fde, r->pc, &t->row);
    errno = error;
}

/* A program may allocate with little stack left, in a signal handler or a coroutine; running the
 * entries takes some kilobytes. */
__attribute__((noinline)) static void on_slow_stack(char *top, void (*function)(void *),
                                                    void *context) {
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "movq %[top], %%rsp\n\t"
                     "callq *%[function]\n\t"
                     "movq %%rbx, %%rsp"
                     : "+D"(context)
                     : [top] "r"(top), [function] "r"(function)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

bool pk_hook_row_of(pk_hook_thread *t, uint64_t pc) {
    request r = {.thread = t, .pc = pc};
    on_slow_stack(t->slow_stack_top, find_row, &r);
    return r.found;
}

static void shorten(const pk_cfi_row *row, pk_hook_rule *rule) {
    const pk_cfi_rule *fp = &row->rules[FP], *back = &row->rules[RETURN];
    bool fp_kept = fp->how == PK_CFI_UNSPECIFIED || fp->how == PK_CFI_SAME;
    bool fp_saved = fp->how == PK_CFI_AT && fp->offset < 0 && fp->offset >= INT16_MIN;
    rule->kind = PK_RULE_GENERAL;
    if (row->return_register != RETURN) return;
    if (back->how == PK_CFI_UNDEFINED) {
        rule->kind = PK_RULE_END;
        return;
    }
    if (row->signal_frame || row->cfa_is_expression || back->how != PK_CFI_AT ||
        back->offset != -8 || row->rules[SP].how != PK_CFI_UNSPECIFIED || !(fp_kept || fp_saved) ||
        (row->cfa_register != FP && row->cfa_register != SP) ||
        row->cfa_offset != (int32_t)row->cfa_offset)
        return;
    rule->kind = row->cfa_register == FP ? PK_RULE_FP : PK_RULE_SP;
    rule->cfa_offset = (int32_t)row->cfa_offset;
    rule->fp_offset = fp_saved ? (int16_t)fp->offset : 0;
}

const pk_hook_rule *pk_hook_rule_of(pk_hook_thread *t, uint64_t pc) {
    pk_hook_rule *rule = &t->rules[(pc ^ pc >> 13) & (PK_HOOK_RULES - 1)];
    if (PK_LIKELY(rule->ip == pc && rule->kind != PK_RULE_EMPTY)) return rule;
    *rule = (pk_hook_rule){.ip = pc};
    if (pk_hook_row_of(t, pc)) {
        shorten(&t->row, rule);
    } else if (pk_hook_row_of(t, pc + 1) && t->fde.begin == pc + 1) {
        /* Nothing calls from in front of a function's first instruction: that address was put
         * there, as by makecontext, and there is no caller. */
        rule->kind = PK_RULE_END;
    } else {
        rule->kind = PK_RULE_MISSING;
        rule->ip = 0; /* there may be code with call frame information at that place later */
    }
    return rule;
}
