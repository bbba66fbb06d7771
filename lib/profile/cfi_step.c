/* Expressions, and the step from a frame to its caller. */
#include "profile/cfi.h"

#include "profile/cfi_cursor.h"

#define EXPRESSION_STACK 32
#define EXPRESSION_STEPS 1000 /* branches could go round for ever */

/* ---- expressions (DWARF 5, 2.5) ---- */

typedef struct evaluation {
    const pk_cfi_frame *frame;
    pk_cfi_read *read;
    void *context;
    uint64_t stack[EXPRESSION_STACK];
    unsigned depth;
    pk_cfi_end end; /* PK_CFI_STEPPED: all is well */
} evaluation;

static void push(evaluation *e, uint64_t value) {
    if (e->depth == EXPRESSION_STACK) e->end = PK_CFI_LOST;
    else e->stack[e->depth++] = value;
}

static uint64_t pop(evaluation *e) {
    if (e->depth == 0) {
        e->end = PK_CFI_LOST;
        return 0;
    }
    return e->stack[--e->depth];
}

static void push_register(evaluation *e, uint64_t reg, int64_t offset) {
    if (reg >= PK_CFI_REGISTERS || !(e->frame->known >> reg & 1)) e->end = PK_CFI_LOST;
    else push(e, e->frame->value[reg] + (uint64_t)offset);
}

static void deref(evaluation *e) {
    uint64_t value = 0;
    if (!e->read(e->context, pop(e), &value) && e->end == PK_CFI_STEPPED) e->end = PK_CFI_NO_MEMORY;
    push(e, value);
}

static void pick(evaluation *e, unsigned from_top) {
    if (from_top >= e->depth) e->end = PK_CFI_LOST;
    else push(e, e->stack[e->depth - 1 - from_top]);
}

/* An arithmetic shift, without C's leave to do something else. */
static uint64_t shifted_down(int64_t value, uint64_t by) {
    uint64_t ones = value < 0 ? ~(uint64_t)0 : 0;
    if (by >= 64) return ones;
    return by == 0 ? (uint64_t)value : (uint64_t)value >> by | ones << (64 - by);
}

static void two(evaluation *e, uint8_t op) {
    uint64_t b = pop(e), a = pop(e);
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    switch (op) {
    case 0x1a:
        push(e, a & b);
        break;
    case 0x1c:
        push(e, a - b);
        break;
    case 0x1e:
        push(e, a * b);
        break;
    case 0x21:
        push(e, a | b);
        break;
    case 0x22:
        push(e, a + b);
        break;
    case 0x24:
        push(e, b < 64 ? a << b : 0);
        break;
    case 0x25:
        push(e, b < 64 ? a >> b : 0);
        break;
    case 0x26:
        push(e, shifted_down(sa, b));
        break;
    case 0x27:
        push(e, a ^ b);
        break;
    case 0x29:
        push(e, sa == sb);
        break;
    case 0x2a:
        push(e, sa >= sb);
        break;
    case 0x2b:
        push(e, sa > sb);
        break;
    case 0x2c:
        push(e, sa <= sb);
        break;
    case 0x2d:
        push(e, sa < sb);
        break;
    case 0x2e:
        push(e, sa != sb);
        break;
    default:
        e->end = PK_CFI_LOST;
    }
}

static void jump(evaluation *e, cursor *c, const uint8_t *begin, bool taken) {
    int64_t by = signed_bytes(c, 2);
    if (!taken || c->failed) return;
    if (by < begin - c->at || by > c->end - c->at) e->end = PK_CFI_LOST;
    else c->at += by;
}

/* Constants, by their size and sign. False: op is none. */
static bool constant(evaluation *e, cursor *c, uint8_t op) {
    if (op >= 0x30 && op <= 0x4f) {
        push(e, op - 0x30u);
        return true;
    }
    switch (op) {
    case 0x03:
        push(e, unsigned_bytes(c, 8));
        return true;
    case 0x10:
        push(e, uleb(c));
        return true;
    case 0x11:
        push(e, (uint64_t)sleb(c));
        return true;
    default:
        break;
    }
    if (op < 0x08 || op > 0x0f) return false;
    size_t bytes = (size_t)1 << (op - 0x08) / 2;
    push(e, op % 2 ? (uint64_t)signed_bytes(c, bytes) : unsigned_bytes(c, bytes));
    return true;
}

static void swap(evaluation *e) {
    uint64_t b = pop(e), a = pop(e);
    push(e, b);
    push(e, a);
}

static void operate(evaluation *e, cursor *c, const uint8_t *begin, uint8_t op) {
    if (constant(e, c, op)) return;
    if (op >= 0x70 && op <= 0x8f) { /* a register and an offset */
        push_register(e, op - 0x70u, sleb(c));
        return;
    }
    uint64_t reg;
    switch (op) {
    case 0x06:
        deref(e);
        break;
    case 0x12:
        pick(e, 0);
        break;
    case 0x13:
        (void)pop(e);
        break;
    case 0x14:
        pick(e, 1);
        break;
    case 0x15:
        pick(e, byte(c));
        break;
    case 0x16:
        swap(e);
        break;
    case 0x1f:
        push(e, 0 - pop(e));
        break;
    case 0x20:
        push(e, ~pop(e));
        break;
    case 0x23:
        push(e, pop(e) + uleb(c));
        break;
    case 0x28:
        jump(e, c, begin, pop(e) != 0);
        break;
    case 0x2f:
        jump(e, c, begin, true);
        break;
    case 0x92:
        reg = uleb(c);
        push_register(e, reg, sleb(c));
        break;
    case 0x96:
        break; /* nop */
    default:
        two(e, op);
    }
}

/* start: what is on the stack at first, the CFA for registers; NULL: nothing. */
static pk_cfi_end evaluate(const pk_cfi_rule *rule, const pk_cfi_frame *frame,
                           const uint64_t *start, pk_cfi_read *read, void *context,
                           uint64_t *value) {
    evaluation e = {.frame = frame, .read = read, .context = context, .end = PK_CFI_STEPPED};
    cursor c = {rule->expression, rule->expression + rule->expression_bytes, 0, false};
    if (start) push(&e, *start);
    for (unsigned steps = 0; c.at < c.end && !c.failed && e.end == PK_CFI_STEPPED; steps++) {
        if (steps == EXPRESSION_STEPS) return PK_CFI_LOST;
        operate(&e, &c, rule->expression, byte(&c));
    }
    *value = pop(&e);
    return c.failed ? PK_CFI_LOST : e.end;
}

/* ---- a step ---- */

static pk_cfi_end find_cfa(const pk_cfi_row *row, const pk_cfi_frame *frame, pk_cfi_read *read,
                           void *context, uint64_t *cfa) {
    if (row->cfa_is_expression)
        return evaluate(&row->cfa_expression, frame, NULL, read, context, cfa);
    if (!(frame->known >> row->cfa_register & 1)) return PK_CFI_LOST;
    *cfa = frame->value[row->cfa_register] + (uint64_t)row->cfa_offset;
    return PK_CFI_STEPPED;
}

/* *known: whether the caller's value is. */
static pk_cfi_end recover(const pk_cfi_rule *rule, unsigned reg, const pk_cfi_frame *frame,
                          uint64_t cfa, pk_cfi_read *read, void *context, uint64_t *value,
                          bool *known) {
    unsigned from = reg;
    pk_cfi_end end;
    *known = true;
    switch (rule->how) {
    case PK_CFI_UNDEFINED:
        *known = false;
        return PK_CFI_STEPPED;
    case PK_CFI_AT:
        return read(context, cfa + (uint64_t)rule->offset, value) ? PK_CFI_STEPPED
                                                                  : PK_CFI_NO_MEMORY;
    case PK_CFI_IS:
        *value = cfa + (uint64_t)rule->offset;
        return PK_CFI_STEPPED;
    case PK_CFI_EXPRESSION:
        end = evaluate(rule, frame, &cfa, read, context, value);
        if (end != PK_CFI_STEPPED) return end;
        return read(context, *value, value) ? PK_CFI_STEPPED : PK_CFI_NO_MEMORY;
    case PK_CFI_VALUE:
        return evaluate(rule, frame, &cfa, read, context, value);
    case PK_CFI_REGISTER:
        if ((uint64_t)rule->offset >= PK_CFI_REGISTERS) return PK_CFI_LOST;
        from = (unsigned)rule->offset;
        break;
    case PK_CFI_UNSPECIFIED:
    case PK_CFI_SAME:
        break;
    }
    *known = frame->known >> from & 1;
    *value = frame->value[from];
    return PK_CFI_STEPPED;
}

pk_cfi_end pk_cfi_step(const pk_cfi_row *row, const pk_cfi_frame *frame, unsigned architecture_sp,
                       pk_cfi_read *read, void *context, pk_cfi_frame *caller) {
    uint64_t cfa = 0;
    pk_cfi_end end = find_cfa(row, frame, read, context, &cfa);
    if (end != PK_CFI_STEPPED) return end;
    if (row->rules[row->return_register].how == PK_CFI_UNDEFINED) return PK_CFI_OUTERMOST;
    pk_cfi_frame next = {0};
    for (unsigned reg = 0; reg < PK_CFI_REGISTERS; reg++) {
        bool known;
        uint64_t value = 0;
        end = recover(&row->rules[reg], reg, frame, cfa, read, context, &value, &known);
        /* A register that cannot be read is lost; without the return address all is. */
        if (end != PK_CFI_STEPPED && reg == row->return_register) return end;
        if (end != PK_CFI_STEPPED || !known) continue;
        next.value[reg] = value;
        next.known |= 1ull << reg;
    }
    if (row->rules[architecture_sp].how == PK_CFI_UNSPECIFIED) {
        next.value[architecture_sp] = cfa;
        next.known |= 1ull << architecture_sp;
    }
    if (!(next.known >> row->return_register & 1)) return PK_CFI_LOST;
    next.pc = next.value[row->return_register];
    if (next.pc == 0) return PK_CFI_OUTERMOST;
    *caller = next;
    return PK_CFI_STEPPED;
}
