#include "alloc/bpf_rows.h"

#include <stdlib.h>
#include <string.h>

#include "profile/cfi_cursor.h"

enum { REG_FP = 6, REG_SP = 7, REG_RETURN = 16 }; /* x86-64 psABI, 3.6.2 */
enum { OP_DEREF = 0x06, OP_LIT0 = 0x30, OP_BREG_FP = 0x76 };

#define FP_SAVED_MAX 0xfff
#define CFA_MAX 0xffff /* in eights, up and down */
#define FUNCTIONS_MAX (64u << 20)

/* Is it DW_OP_breg6 OFFSET, with DW_OP_deref behind or not? */
static bool is_at_fp(const pk_cfi_rule *rule, bool deref, int64_t *offset) {
    cursor c = {rule->expression, rule->expression + rule->expression_bytes, 0, false};
    if (rule->expression_bytes < 2 || byte(&c) != OP_BREG_FP) return false;
    *offset = sleb(&c);
    if (deref && byte(&c) != OP_DEREF) return false;
    return !c.failed && c.at == c.end;
}

/* What linkers write for the entries of the PLT: SP + 8 + ((pc & 15 >= N) << 3). */
static bool is_plt(const pk_cfi_rule *rule, unsigned *n) {
    static const uint8_t front[] = {0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a};
    static const uint8_t back[] = {0x2a, 0x33, 0x24, 0x22};
    const uint8_t *at = rule->expression;
    if (rule->expression_bytes != sizeof front + 1 + sizeof back ||
        memcmp(at, front, sizeof front) != 0 ||
        memcmp(at + sizeof front + 1, back, sizeof back) != 0)
        return false;
    *n = (unsigned)at[sizeof front] - OP_LIT0;
    return *n < 16;
}

static uint32_t rule_of_expression(const pk_cfi_row *row) {
    unsigned n;
    int64_t cfa, fp;
    const pk_cfi_rule *saved = &row->rules[REG_FP];
    if (is_plt(&row->cfa_expression, &n)) return PK_BPF_RULE(PK_BPF_PLT, 0, n);
    if (is_at_fp(&row->cfa_expression, true, &cfa) && cfa % 8 == 0 && cfa >= -8 * CFA_MAX &&
        cfa <= 8 * CFA_MAX && saved->how == PK_CFI_EXPRESSION && is_at_fp(saved, false, &fp) &&
        fp == 0)
        return PK_BPF_RULE(PK_BPF_FP_SAVED, 0, cfa / 8);
    return PK_BPF_LOST;
}

uint32_t pk_bpf_rule_of(const pk_cfi_row *row) {
    const pk_cfi_rule *back = &row->rules[REG_RETURN], *fp = &row->rules[REG_FP];
    if (row->return_register != REG_RETURN) return PK_BPF_LOST;
    if (back->how == PK_CFI_UNDEFINED) return PK_BPF_END;
    if (row->signal_frame) return PK_BPF_SIGNAL;
    if (back->how != PK_CFI_AT || back->offset != -8) return PK_BPF_LOST;
    if (row->cfa_is_expression) return rule_of_expression(row);
    if (row->cfa_register != REG_SP && row->cfa_register != REG_FP) return PK_BPF_LOST;
    pk_bpf_kind kind = row->cfa_register == REG_SP ? PK_BPF_SP : PK_BPF_FP;
    int64_t cfa = row->cfa_offset, saved = 0;
    if (fp->how == PK_CFI_AT) saved = -fp->offset;
    else if (fp->how != PK_CFI_UNSPECIFIED && fp->how != PK_CFI_SAME && fp->how != PK_CFI_UNDEFINED)
        return PK_BPF_LOST;
    if (cfa % 8 != 0 || cfa < -8 * CFA_MAX || cfa > 8 * CFA_MAX || saved % 8 != 0 || saved < 0 ||
        saved > 8 * FP_SAVED_MAX)
        return PK_BPF_LOST;
    return PK_BPF_RULE(kind, saved / 8, cfa / 8);
}

static int by_begin(const void *a, const void *b) {
    const pk_cfi_fde *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* A row that says what the last one does goes on in it. */
static bool add(pk_array *rows, uint64_t pc, uint32_t rule) {
    if (rows->count > 0 && PK_AT(rows, pk_bpf_row, rows->count - 1).rule == rule) return true;
    pk_bpf_row *row = pk_array_push(rows);
    if (row) *row = (pk_bpf_row){(uint32_t)pc, rule};
    return row != NULL;
}

static bool add_function(pk_array *rows, const pk_cfi_fde *fde, uint64_t from, uint64_t base) {
    uint64_t pc = from;
    while (pc < fde->end) {
        pk_cfi_row row;
        if (!pk_cfi_row_at(fde, pc, &row) || row.end <= pc)
            return add(rows, pc - base, PK_BPF_LOST);
        if (!add(rows, pc - base, pk_bpf_rule_of(&row))) return false;
        pc = row.end;
    }
    return true;
}

static bool add_functions(pk_array *rows, const pk_array *functions, uint64_t base) {
    uint64_t end = base;
    for (size_t i = 0; i < functions->count; i++) {
        const pk_cfi_fde *fde = &PK_AT(functions, pk_cfi_fde, i);
        /* Of what a linker left without a place, or put twice, nothing is lost. */
        if (fde->end <= end || fde->end - base > UINT32_MAX) continue;
        uint64_t begin = fde->begin > end ? fde->begin : end;
        if (begin > end && !add(rows, end - base, PK_BPF_NONE)) return false;
        if (!add_function(rows, fde, begin, base)) return false;
        end = fde->end;
    }
    return end - base > UINT32_MAX || add(rows, end - base, PK_BPF_NONE);
}

bool pk_bpf_rows_make(const pk_cfi_section *section, pk_array *rows, uint64_t *base, pk_err *err) {
    pk_array functions = PK_ARRAY(pk_cfi_fde, FUNCTIONS_MAX);
    size_t offset = 0;
    bool ok = true;
    pk_cfi_fde fde;
    while (ok && pk_cfi_next(section, &offset, &fde)) {
        if (fde.begin == 0 || fde.end <= fde.begin) continue; /* a function that was left out */
        pk_cfi_fde *new = pk_array_push(&functions);
        ok = new != NULL;
        if (ok) *new = fde;
    }
    *base = 0;
    if (ok && functions.count > 0) {
        qsort(functions.items, functions.count, sizeof(pk_cfi_fde), by_begin);
        *base = PK_AT(&functions, pk_cfi_fde, 0).begin;
        ok = add_functions(rows, &functions, *base);
    }
    pk_array_fini(&functions);
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "no memory for tables of call frame information");
    return ok;
}
