/* The instructions of an entry (DWARF 5, 6.4.2). */
#include "profile/cfi.h"

#include "profile/cfi_cursor.h"

#define STATES_MAX 8 /* DW_CFA_remember_state within one function */

/* What DW_CFA_remember_state keeps: all but the place. */
typedef struct machine {
    pk_cfi_row row, initial;
    pk_cfi_row kept[STATES_MAX];
    unsigned n_kept;
    const pk_cfi_fde *fde;
    uint64_t pc;   /* looked for */
    bool at_place; /* the next rows are behind it */
} machine;

/* Sets a rule; registers that nobody unwinds by (vector, flags) are passed over. */
static void set(machine *m, uint64_t reg, pk_cfi_how how, int64_t offset) {
    if (reg < PK_CFI_REGISTERS) m->row.rules[reg] = (pk_cfi_rule){.how = how, .offset = offset};
}

static pk_cfi_rule block(cursor *c, pk_cfi_how how) {
    uint64_t bytes = uleb(c);
    pk_cfi_rule rule = {.how = how, .expression_bytes = (uint32_t)bytes};
    if (bytes > UINT32_MAX) c->failed = true;
    else rule.expression = take(c, (size_t)bytes);
    return rule;
}

static void set_expression(machine *m, cursor *c, pk_cfi_how how) {
    uint64_t reg = uleb(c);
    pk_cfi_rule rule = block(c, how);
    if (reg < PK_CFI_REGISTERS) m->row.rules[reg] = rule;
}

static void set_cfa_register(machine *m, cursor *c, uint64_t reg) {
    if (reg >= PK_CFI_REGISTERS) c->failed = true;
    else m->row.cfa_register = (uint8_t)reg;
    m->row.cfa_is_expression = false;
}

static void advance(machine *m, uint64_t steps) {
    uint64_t to = m->row.begin + steps * m->fde->code_factor;
    if (to > m->pc) {
        m->row.end = to;
        m->at_place = true;
    } else {
        m->row.begin = to;
    }
}

static int64_t factored(const machine *m, int64_t n) {
    return (int64_t)((uint64_t)n * (uint64_t)m->fde->data_factor);
}

static void restore(machine *m, uint64_t reg) {
    if (reg < PK_CFI_REGISTERS) m->row.rules[reg] = m->initial.rules[reg];
}

static void remember(machine *m, cursor *c) {
    if (m->n_kept == STATES_MAX) c->failed = true;
    else m->kept[m->n_kept++] = m->row;
}

static void recall(machine *m, cursor *c) {
    if (m->n_kept == 0) {
        c->failed = true;
        return;
    }
    uint64_t begin = m->row.begin;
    m->row = m->kept[--m->n_kept];
    m->row.begin = begin;
}

/* AArch64: DW_CFA_AARCH64_negate_ra_state; SPARC used the same number. The signature of a return
 * address is cut off by whoever reads it. */
enum { NEGATE_RA_STATE = 0x2d };

/* Rules of single registers. False: op is none of them. */
static bool rule(machine *m, cursor *c, uint8_t op) {
    uint64_t reg = 0;
    if (op == 0x10) set_expression(m, c, PK_CFI_EXPRESSION);
    if (op == 0x16) set_expression(m, c, PK_CFI_VALUE);
    if (op == 0x10 || op == 0x16) return true;
    if (op < 0x05 || (op > 0x09 && op < 0x11) || op == 0x12 || op == 0x13) return false;
    if (op > 0x15 && op != 0x2f) return false;
    reg = uleb(c);
    switch (op) {
    case 0x05:
        set(m, reg, PK_CFI_AT, factored(m, (int64_t)uleb(c)));
        break;
    case 0x06:
        restore(m, reg);
        break;
    case 0x07:
        set(m, reg, PK_CFI_UNDEFINED, 0);
        break;
    case 0x08:
        set(m, reg, PK_CFI_SAME, 0);
        break;
    case 0x09:
        set(m, reg, PK_CFI_REGISTER, (int64_t)uleb(c));
        break;
    case 0x11:
        set(m, reg, PK_CFI_AT, factored(m, sleb(c)));
        break;
    case 0x14:
        set(m, reg, PK_CFI_IS, factored(m, (int64_t)uleb(c)));
        break;
    case 0x15:
        set(m, reg, PK_CFI_IS, factored(m, sleb(c)));
        break;
    default: /* GNU_negative_offset_extended */
        set(m, reg, PK_CFI_AT, (int64_t)(0 - (uint64_t)factored(m, (int64_t)uleb(c))));
    }
    return true;
}

/* How the CFA is found. False: op is none of these. */
static bool cfa(machine *m, cursor *c, uint8_t op) {
    if (op == 0x0c || op == 0x0d || op == 0x12) set_cfa_register(m, c, uleb(c));
    switch (op) {
    case 0x0c:
    case 0x0e:
        m->row.cfa_offset = (int64_t)uleb(c);
        return true;
    case 0x0d:
        return true;
    case 0x12:
    case 0x13:
        m->row.cfa_offset = factored(m, sleb(c));
        return true;
    case 0x0f:
        m->row.cfa_expression = block(c, PK_CFI_VALUE);
        m->row.cfa_is_expression = true;
        return true;
    default:
        return false;
    }
}

/* set_loc (0x01), which holds an address, does not occur in .eh_frame. */
static void extended(machine *m, cursor *c, uint8_t op) {
    switch (op) {
    case 0x00:
        break; /* nop */
    case 0x02:
        advance(m, unsigned_bytes(c, 1));
        break;
    case 0x03:
        advance(m, unsigned_bytes(c, 2));
        break;
    case 0x04:
        advance(m, unsigned_bytes(c, 4));
        break;
    case 0x0a:
        remember(m, c);
        break;
    case 0x0b:
        recall(m, c);
        break;
    case NEGATE_RA_STATE:
        break;
    case 0x2e:
        (void)uleb(c);
        break; /* GNU_args_size: of the callee's arguments */
    default:
        if (!cfa(m, c, op) && !rule(m, c, op)) c->failed = true;
    }
}

static bool run(machine *m, const uint8_t *at, const uint8_t *end) {
    cursor c = {at, end, 0, false};
    while (c.at < c.end && !c.failed && !m->at_place) {
        uint8_t op = byte(&c), low = op & 0x3f;
        switch (op >> 6) {
        case 1:
            advance(m, low);
            break;
        case 2:
            set(m, low, PK_CFI_AT, factored(m, (int64_t)uleb(&c)));
            break;
        case 3:
            restore(m, low);
            break;
        default:
            extended(m, &c, op);
        }
    }
    return !c.failed;
}

bool pk_cfi_row_at(const pk_cfi_fde *fde, uint64_t pc, pk_cfi_row *row) {
    machine m;
    memset(&m.row, 0, sizeof m.row);
    m.n_kept = 0;
    m.fde = fde;
    m.pc = UINT64_MAX; /* the CIE's instructions hold for all of the function */
    m.at_place = false;
    m.row.begin = fde->begin;
    m.row.return_register = fde->return_register;
    m.row.signal_frame = fde->signal_frame;
    if (!run(&m, fde->initial, fde->initial_end)) return false;
    m.row.begin = fde->begin;
    m.row.end = fde->end;
    m.initial = m.row;
    m.pc = pc;
    if (!run(&m, fde->instructions, fde->instructions_end)) return false;
    *row = m.row;
    return true;
}
