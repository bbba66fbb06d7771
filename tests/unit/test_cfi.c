/* Call frame information: rows with known values, expressions, and this very program, whose stacks
 * the C library unwinds too. */
#include "tests/unit/check.h"

#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/strbuf.h"
#include "profile/cfi.h"

/* ---- entries made by hand ---- */

#define CODE 0x10000u /* where the section lies */
#define FUNCTION 0x5000u

static void put(pk_strbuf *to, uint64_t value, size_t bytes) {
    pk_strbuf_add(to, &value, bytes);
}

/* A CIE (augmentation "zR", pc-relative 32-bit pointers, factors 1 and -8, return address 16, CFA =
 * rsp + 8, return address at CFA - 8) and an FDE with these instructions, of 0x100 bytes of code.
 */
static void make(pk_strbuf *to, const char *instructions, size_t n) {
    static const char cie[] =
        "\x00\x00\x00\x00\x01zR\x00\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01\x00";
    put(to, sizeof cie - 1, 4);
    pk_strbuf_add(to, cie, sizeof cie - 1);
    size_t fde = to->length;
    put(to, 4 + 4 + 4 + 1 + n, 4);
    put(to, to->length, 4); /* back to the CIE at 0 */
    put(to, (uint32_t)(FUNCTION - (CODE + to->length)), 4);
    put(to, 0x100, 4);
    put(to, 0, 1);
    pk_strbuf_add(to, instructions, n);
    put(to, 0, 4);
    assert_true(fde < to->length);
}

static pk_cfi_section section_of(const pk_strbuf *bytes) {
    return (pk_cfi_section){(const uint8_t *)bytes->data, bytes->length, CODE, 0, 0};
}

static pk_cfi_row row_at(const char *instructions, size_t n, uint64_t pc) {
    pk_strbuf bytes;
    pk_strbuf_init(&bytes, 4096);
    make(&bytes, instructions, n);
    pk_cfi_section section = section_of(&bytes);
    pk_cfi_fde fde;
    assert_true(pk_cfi_find(&section, NULL, 0, 0, pc, &fde));
    assert_int_equal(fde.begin, FUNCTION);
    assert_int_equal(fde.end, FUNCTION + 0x100);
    pk_cfi_row row;
    assert_true(pk_cfi_row_at(&fde, pc, &row));
    assert_true(row.begin <= pc && pc < row.end);
    pk_strbuf_fini(&bytes);
    return row;
}
#define ROW(instructions, pc) row_at(instructions, sizeof(instructions) - 1, pc)

/* push rbp; mov rbp, rsp; ...; leave; ret and more behind, as compilers write it */
static const char usual[] = "\x41\x0e\x10\x86\x02\x43\x0d\x06\x02\x20\x0a\x0c\x07\x08\xc6\x41\x0b";

static void rows_change_where_instructions_say(void **state) {
    (void)state;
    pk_cfi_row row = ROW(usual, FUNCTION);
    assert_int_equal(row.cfa_register, 7);
    assert_int_equal(row.cfa_offset, 8);
    assert_int_equal(row.end, FUNCTION + 1);
    assert_int_equal(row.rules[16].how, PK_CFI_AT);
    assert_int_equal(row.rules[16].offset, -8);
    assert_int_equal(row.rules[6].how, PK_CFI_UNSPECIFIED);
    row = ROW(usual, FUNCTION + 3);
    assert_int_equal(row.begin, FUNCTION + 1);
    assert_int_equal(row.end, FUNCTION + 4);
    assert_int_equal(row.cfa_offset, 16);
    assert_int_equal(row.rules[6].how, PK_CFI_AT);
    assert_int_equal(row.rules[6].offset, -16);
    row = ROW(usual, FUNCTION + 4);
    assert_int_equal(row.cfa_register, 6);
    assert_int_equal(row.cfa_offset, 16);
    assert_int_equal(row.end, FUNCTION + 0x24);
    row = ROW(usual, FUNCTION + 0x24); /* after leave, with rbp back */
    assert_int_equal(row.cfa_register, 7);
    assert_int_equal(row.cfa_offset, 8);
    assert_int_equal(row.rules[6].how, PK_CFI_UNSPECIFIED);
    row = ROW(usual, FUNCTION + 0x25); /* restored */
    assert_int_equal(row.cfa_register, 6);
    assert_int_equal(row.rules[6].how, PK_CFI_AT);
    assert_int_equal(row.end, FUNCTION + 0x100);
}

static void every_kind_of_rule(void **state) {
    (void)state;
    pk_cfi_row row =
        ROW("\x05\x03\x02\x07\x0c\x08\x0d\x09\x0e\x03\x14\x0f\x02\x15\x02\x7e\x11\x01\x01"
            "\x2f\x00\x01\x10\x06\x02\x77\x10\x16\x04\x01\x31",
            FUNCTION);
    assert_int_equal(row.rules[3].how, PK_CFI_AT);
    assert_int_equal(row.rules[3].offset, -16);
    assert_int_equal(row.rules[12].how, PK_CFI_UNDEFINED);
    assert_int_equal(row.rules[13].how, PK_CFI_SAME);
    assert_int_equal(row.rules[14].how, PK_CFI_REGISTER);
    assert_int_equal(row.rules[14].offset, 3);
    assert_int_equal(row.rules[15].how, PK_CFI_IS);
    assert_int_equal(row.rules[15].offset, -16);
    assert_int_equal(row.rules[2].how, PK_CFI_IS);
    assert_int_equal(row.rules[2].offset, 16);
    assert_int_equal(row.rules[1].how, PK_CFI_AT);
    assert_int_equal(row.rules[1].offset, -8);
    assert_int_equal(row.rules[0].how, PK_CFI_AT);
    assert_int_equal(row.rules[0].offset, 8);
    assert_int_equal(row.rules[6].how, PK_CFI_EXPRESSION);
    assert_int_equal(row.rules[6].expression_bytes, 2);
    assert_int_equal(row.rules[4].how, PK_CFI_VALUE);
    /* CFA by signed offset, by expression, by register alone */
    row = ROW("\x12\x06\x7e", FUNCTION);
    assert_int_equal(row.cfa_register, 6);
    assert_int_equal(row.cfa_offset, 16);
    row = ROW("\x0f\x02\x77\x20\x41\x0c\x07\x30", FUNCTION);
    assert_true(row.cfa_is_expression);
    row = ROW("\x0f\x02\x77\x20\x41\x0c\x07\x30", FUNCTION + 1);
    assert_false(row.cfa_is_expression);
    assert_int_equal(row.cfa_offset, 0x30);
}

static bool broken(const char *instructions, size_t n) {
    pk_strbuf bytes;
    pk_strbuf_init(&bytes, 4096);
    make(&bytes, instructions, n);
    pk_cfi_section section = section_of(&bytes);
    pk_cfi_fde fde;
    pk_cfi_row row;
    assert_true(pk_cfi_find(&section, NULL, 0, 0, FUNCTION, &fde));
    bool bad = !pk_cfi_row_at(&fde, FUNCTION + 0x80, &row);
    pk_strbuf_fini(&bytes);
    return bad;
}

static void broken_instructions_are_refused(void **state) {
    (void)state;
    assert_true(broken("\x0b", 1));                                 /* nothing remembered */
    assert_true(broken("\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a", 9)); /* too much */
    assert_true(broken("\x3f", 1));                                 /* no such instruction */
    assert_true(broken("\x05\x03", 2));                             /* cut off */
    assert_true(broken("\x0f\x7f\x01", 3));
    assert_true(broken("\x0c\x50\x08", 3));  /* no such register */
    assert_false(broken("\x05\x50\x01", 3)); /* one that nobody needs */
}

/* ---- expressions ---- */

static bool memory(void *context, uint64_t address, uint64_t *value) {
    const uint64_t *words = context; /* at 0x1000 */
    if (address < 0x1000 || address >= 0x1000 + 8 * 8) return false;
    memcpy(value, (const char *)words + (address - 0x1000), 8);
    return true;
}

static pk_cfi_end value_of(const char *expression, size_t n, uint64_t *value) {
    uint64_t words[8] = {0x1111, 0x2222, 0x3333, 7, 8, 9, 10, 11};
    pk_cfi_row row = {.cfa_register = 7, .return_register = 16};
    row.rules[16] = (pk_cfi_rule){.how = PK_CFI_VALUE,
                                  .expression = (const uint8_t *)expression,
                                  .expression_bytes = (uint32_t)n};
    pk_cfi_frame frame = {.known = 1u << 7 | 1u << 3}, caller = {0};
    frame.value[7] = 0x1000;
    frame.value[3] = 5;
    pk_cfi_end end = pk_cfi_step(&row, &frame, 7, memory, words, &caller);
    *value = caller.pc;
    return end;
}

static void assert_value(const char *expression, size_t n, uint64_t expected) {
    uint64_t value;
    assert_int_equal(value_of(expression, n, &value), PK_CFI_STEPPED);
    assert_true(value == expected);
}
#define VALUE(expression, expected) assert_value(expression, sizeof(expression) - 1, expected)
#define ENDS(expression, how)                                                           \
    do {                                                                                \
        uint64_t ignored_;                                                              \
        assert_int_equal(value_of(expression, sizeof(expression) - 1, &ignored_), how); \
    } while (0)

/* The CFA, 0x1000, is on the stack at first. */
static void expressions_have_known_values(void **state) {
    (void)state;
    VALUE("\x77\x10", 0x1010);
    VALUE("\x77\x08\x06", 0x2222);
    VALUE("\x73\x7f", 4);
    VALUE("\x92\x03\x02", 7);
    VALUE("\x23\x08", 0x1008);
    VALUE("\x06", 0x1111);
    VALUE("\x0a\x34\x12", 0x1234);
    VALUE("\x09\xff\x20\x31\x22", 1); /* not(-1) + 1 */
    VALUE("\x35\x33\x1c", 2);
    VALUE("\x35\x33\x1e", 15);
    VALUE("\x33\x34\x24", 48);
    VALUE("\x48\x32\x25", 6);
    VALUE("\x0d\xf0\xff\xff\xff\x32\x26\x1f", 4); /* -(-16 >> 2) */
    VALUE("\x3f\x36\x1a\x31\x21\x33\x27", 4);     /* ((15 & 6) | 1) ^ 3 */
    VALUE("\x31\x32\x16\x1c", 1);                 /* swapped: 2 - 1 */
    VALUE("\x35\x12\x22", 10);
    VALUE("\x35\x36\x14\x22\x22", 16);
    VALUE("\x35\x36\x37\x15\x02\x22", 12);
    VALUE("\x35\x36\x2a\x31\x22", 1);         /* 5 >= 6, then + 1 */
    VALUE("\x31\x28\x01\x00\x13\x35", 5);     /* a branch over the drop */
    VALUE("\x35\x2f\x02\x00\x36\x22\x96", 5); /* ... and over an addition */
    /* the PLT of x86-64: rsp + 8 + (((rip & 15) >= 11) << 3), here with rbx = 5 */
    VALUE("\x77\x08\x73\x00\x3f\x1a\x3b\x2a\x33\x24\x22", 0x1008);
}

static void bad_expressions_end(void **state) {
    (void)state;
    ENDS("\x13\x13", PK_CFI_LOST);         /* nothing to drop */
    ENDS("\x70\x00", PK_CFI_LOST);         /* rax is not known */
    ENDS("\x0b", PK_CFI_LOST);             /* cut off */
    ENDS("\xe0", PK_CFI_LOST);             /* no such operation */
    ENDS("\x2f\xfd\xff", PK_CFI_LOST);     /* for ever */
    ENDS("\x2f\x00\x10", PK_CFI_LOST);     /* out of it */
    ENDS("\x31\x06", PK_CFI_NO_MEMORY);    /* address 1 */
    ENDS("\x12\x2f\xfc\xff", PK_CFI_LOST); /* too many values */
    ENDS("\x30", PK_CFI_OUTERMOST);        /* a return address of 0 */
}

static void steps_follow_rules(void **state) {
    (void)state;
    uint64_t words[8] = {0x1111, 0x2222, 0x3333, 7, 8, 9, 10, 11};
    pk_cfi_row row = {.cfa_register = 7, .cfa_offset = 24, .return_register = 16};
    row.rules[16] = (pk_cfi_rule){.how = PK_CFI_AT, .offset = -8};
    row.rules[6] = (pk_cfi_rule){.how = PK_CFI_AT, .offset = -16};
    row.rules[12] = (pk_cfi_rule){.how = PK_CFI_UNDEFINED};
    row.rules[13] = (pk_cfi_rule){.how = PK_CFI_REGISTER, .offset = 3};
    row.rules[14] = (pk_cfi_rule){.how = PK_CFI_IS, .offset = 4};
    pk_cfi_frame frame = {.known = 1u << 7 | 1u << 3 | 1u << 12}, caller;
    frame.value[7] = 0x1000;
    frame.value[3] = 5;
    assert_int_equal(pk_cfi_step(&row, &frame, 7, memory, words, &caller), PK_CFI_STEPPED);
    assert_int_equal(caller.pc, 0x3333);
    assert_int_equal(caller.value[7], 0x1018);
    assert_int_equal(caller.value[6], 0x2222);
    assert_int_equal(caller.value[3], 5);
    assert_int_equal(caller.value[13], 5);
    assert_int_equal(caller.value[14], 0x101c);
    assert_false(caller.known >> 12 & 1);
    assert_false(caller.known >> 0 & 1);
    row.cfa_offset = 0x1000;
    assert_int_equal(pk_cfi_step(&row, &frame, 7, memory, words, &caller), PK_CFI_NO_MEMORY);
    row.rules[16].how = PK_CFI_UNDEFINED;
    assert_int_equal(pk_cfi_step(&row, &frame, 7, memory, words, &caller), PK_CFI_OUTERMOST);
    row.cfa_register = 0;
    assert_int_equal(pk_cfi_step(&row, &frame, 7, memory, words, &caller), PK_CFI_LOST);
}

/* ---- this program and its libraries ---- */

typedef struct object {
    uint64_t pc; /* looked for */
    pk_cfi_section section;
    const uint8_t *header;
    size_t header_bytes;
    uint64_t largest; /* bytes of .eh_frame up to the end of its segment */
    const char *name;
} object;

/* .eh_frame begins where its header says and ends with its segment at the latest. */
static void fill(object *o, const struct dl_phdr_info *info, const ElfW(Phdr) * frame) {
    const uint8_t *header = (const uint8_t *)(info->dlpi_addr + frame->p_vaddr);
    int32_t to_frame;
    memcpy(&to_frame, header + 4, 4);
    const uint8_t *begin = header + 4 + to_frame;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uint64_t from = info->dlpi_addr + p->p_vaddr;
        if (p->p_type != PT_LOAD || (uint64_t)begin < from || (uint64_t)begin >= from + p->p_filesz)
            continue;
        o->section = (pk_cfi_section){begin, (size_t)(from + p->p_filesz - (uint64_t)begin),
                                      (uint64_t)begin, 0, 0};
    }
    o->header = header;
    o->header_bytes = frame->p_memsz;
    o->name = info->dlpi_name;
}

static int find_object(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    object *o = data;
    bool inside = false;
    const ElfW(Phdr) *frame = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uint64_t from = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && o->pc >= from && o->pc < from + p->p_memsz) inside = true;
        if (p->p_type == PT_GNU_EH_FRAME) frame = p;
    }
    if (!inside || !frame) return 0;
    fill(o, info, frame);
    return 1;
}

/* Stacks hold what AddressSanitizer has put between variables. */
__attribute__((no_sanitize("address"))) static bool own_memory(void *context, uint64_t address,
                                                               uint64_t *value) {
    (void)context;
    *value = *(const volatile uint64_t *)address;
    return true;
}

#define FRAMES_MAX 64

#if defined __x86_64__
#define STACK_POINTER 7
static void from_context(pk_cfi_frame *frame, const ucontext_t *c) {
    static const int order[17] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                  REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (int i = 0; i < 17; i++) frame->value[i] = (uint64_t)c->uc_mcontext.gregs[order[i]];
    frame->known = (1u << 17) - 1;
    frame->pc = frame->value[16];
}
#elif defined __aarch64__
#define STACK_POINTER 31
static void from_context(pk_cfi_frame *frame, const ucontext_t *c) {
    for (int i = 0; i < 31; i++) frame->value[i] = c->uc_mcontext.regs[i];
    frame->value[31] = c->uc_mcontext.sp;
    frame->known = (1ull << 32) - 1;
    frame->pc = c->uc_mcontext.pc;
}
#endif

/* Return addresses up to the outermost frame. */
static size_t unwind(const ucontext_t *context, uint64_t pcs[FRAMES_MAX]) {
    pk_cfi_frame frame = {0};
    from_context(&frame, context);
    bool exact = true;
    size_t n = 0;
    while (n < FRAMES_MAX) {
        object o = {.pc = frame.pc - !exact};
        pk_cfi_fde fde;
        pk_cfi_row row;
        if (dl_iterate_phdr(find_object, &o) != 1) break;
        if (!pk_cfi_find(&o.section, o.header, o.header_bytes, (uint64_t)o.header, o.pc, &fde))
            break;
        assert_true(pk_cfi_row_at(&fde, o.pc, &row));
        if (pk_cfi_step(&row, &frame, STACK_POINTER, own_memory, NULL, &frame) != PK_CFI_STEPPED)
            break;
        exact = row.signal_frame;
        pcs[n++] = frame.pc;
    }
    return n;
}

/* What both find, from the frame that both share on. */
typedef struct stacks {
    uint64_t ours[FRAMES_MAX];
    void *theirs[FRAMES_MAX];
    size_t n_ours;
    int n_theirs;
} stacks;

static __attribute__((noinline)) void take_both(stacks *s) {
    ucontext_t context;
    assert_int_equal(getcontext(&context), 0);
    s->n_ours = unwind(&context, s->ours);
    s->n_theirs = backtrace(s->theirs, FRAMES_MAX);
}

static __attribute__((noinline)) int deep(stacks *s, int depth, volatile char *pad) {
    volatile char room[100 + 0];
    room[0] = (char)depth;
    if (depth == 0) take_both(s);
    else (void)deep(s, depth - 1, room);
    return room[0] + pad[0];
}

static int compare_depth(const void *a, const void *b) {
    stacks *s = *(stacks *const *)a;
    if (s->n_ours == 0) {
        volatile char pad[1] = {0};
        (void)deep(s, 5, pad);
    }
    return a < b ? -1 : a > b;
}

/* theirs begins in take_both, or in what a sanitizer puts before backtrace; ours with its caller.
 */
static void assert_same(const stacks *s) {
    int first = 0;
    while (first < s->n_theirs && (uint64_t)s->theirs[first] != s->ours[0]) first++;
    assert_true(first <= 2);
    assert_true(s->n_theirs - first > 3);
    assert_int_equal(s->n_ours, s->n_theirs - first);
    for (size_t i = 0; i < s->n_ours; i++)
        assert_true(s->ours[i] == (uint64_t)s->theirs[(size_t)first + i]);
}

/* Through qsort: code of the C library without frame pointers lies between. */
static void our_own_stack_as_the_C_library_sees_it(void **state) {
    (void)state;
    stacks s = {0};
    stacks *items[3] = {&s, &s, &s};
    qsort(items, 3, sizeof items[0], compare_depth);
    assert_same(&s);
}

static stacks in_handler; /* a signal's handler has no other way */

static void handler(int number) {
    (void)number;
    take_both(&in_handler);
}

static void signal_frames_are_passed(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = handler}, before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    (void)backtrace(in_handler.theirs, 1); /* loads what it needs outside of the handler */
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    assert_same(&in_handler);
    assert_true(in_handler.n_ours > 6);
}

/* Every entry of the C library, with its rows at the beginning, in the middle and at the end; and
 * the table finds each of them. */
static void all_of_the_C_library_is_read(void **state) {
    (void)state;
    object o = {.pc = (uint64_t)qsort};
    assert_int_equal(dl_iterate_phdr(find_object, &o), 1);
    size_t offset = 0, entries = 0, rows = 0;
    pk_cfi_fde fde, found;
    while (pk_cfi_next(&o.section, &offset, &fde)) {
        entries++;
        for (uint64_t pc = fde.begin; pc < fde.end; rows++) {
            pk_cfi_row row;
            assert_true(pk_cfi_row_at(&fde, pc, &row));
            assert_true(row.begin <= pc && pc < row.end && row.end <= fde.end);
            pc = row.end;
        }
        if (fde.end == fde.begin) continue;
        assert_true(pk_cfi_find(&o.section, o.header, o.header_bytes, (uint64_t)o.header,
                                fde.end - 1, &found));
        assert_true(found.begin == fde.begin && found.end == fde.end);
    }
    uint32_t in_table;
    memcpy(&in_table, o.header + 8, 4);
    assert_int_equal(entries, in_table);
    assert_true(entries > 1000 && rows > entries);
}

static void no_code_has_no_entry(void **state) {
    (void)state;
    object o = {.pc = (uint64_t)qsort};
    assert_int_equal(dl_iterate_phdr(find_object, &o), 1);
    pk_cfi_fde fde;
    assert_false(pk_cfi_find(&o.section, o.header, o.header_bytes, (uint64_t)o.header, 16, &fde));
    assert_false(pk_cfi_find(&o.section, o.header, o.header_bytes, (uint64_t)o.header,
                             UINT64_MAX - 16, &fde));
    assert_false(pk_cfi_find(&o.section, o.header, 11, (uint64_t)o.header, 16, &fde));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_change_where_instructions_say),
        cmocka_unit_test(every_kind_of_rule),
        cmocka_unit_test(broken_instructions_are_refused),
        cmocka_unit_test(expressions_have_known_values),
        cmocka_unit_test(bad_expressions_end),
        cmocka_unit_test(steps_follow_rules),
        cmocka_unit_test(our_own_stack_as_the_C_library_sees_it),
        cmocka_unit_test(signal_frames_are_passed),
        cmocka_unit_test(all_of_the_C_library_is_read),
        cmocka_unit_test(no_code_has_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
