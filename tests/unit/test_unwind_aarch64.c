/* Stacks of AArch64, made by hand with a file of their own, on any machine. */
#include "tests/unit/check.h"

#include <elf.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "profile/unwind.h"
#include "profile/unwind_arch.h"

/* ---- a file: headers, .eh_frame_hdr, .eh_frame, code ---- */

#define HEADER 0x400u /* offsets */
#define FRAMES 0x410u
#define CODE 0x1000u
#define FILE_BYTES 0x2000u
#define VADDR 0x400000u
#define MEMORY UINT64_C(0xaaaa00000000) /* where the process has it */
#define STACK UINT64_C(0xffffe0000000)

enum { /* functions, 0x40 bytes each */
       OUTER = CODE,
       MIDDLE = CODE + 0x40,
       LEAF = CODE + 0x80,
       FRAMED = CODE + 0xc0,
       PLAIN = CODE + 0x100, /* without call frame information */
       ENTRY = CODE + 0x140, /* the same, where the program starts */
};
#define BL 0x94000000u
#define NOP 0xd503201fu
#define NO_CALL 0x20u /* within a function: no call stands in front of it */

static void put(pk_strbuf *to, uint64_t value, size_t bytes) {
    pk_strbuf_add(to, &value, bytes);
}

/* An entry for `function`, behind the CIE, which lies at 0 of the section. */
static void put_fde(pk_strbuf *section, unsigned function, const char *instructions, size_t n) {
    put(section, 4 + 4 + 4 + 1 + n, 4);
    put(section, section->length, 4);
    put(section, function - (FRAMES + (unsigned)section->length), 4);
    put(section, 0x40, 4);
    put(section, 0, 1);
    pk_strbuf_add(section, instructions, n);
}
#define FDE(section, function, instructions) \
    put_fde(section, function, instructions, sizeof(instructions) - 1)

static void make_frames(pk_strbuf *section) {
    /* "zR", factors 4 and -8, return address in 30, CFA = sp + 0 */
    static const char cie[] = "\0\0\0\0\1zR\0\4\x78\x1e\1\x1b\x0c\x1f\0";
    put(section, sizeof cie - 1, 4);
    pk_strbuf_add(section, cie, sizeof cie - 1);
    FDE(section, OUTER, "\x07\x1e");
    /* stp x29, x30, [sp, -32]! */
    FDE(section, MIDDLE, "\x41\x0e\x20\x9d\x04\x9e\x03");
    FDE(section, LEAF, "");
    /* CFA = x29 + 64, and x29 and x30 at its other end */
    FDE(section, FRAMED, "\x0c\x1d\x40\x9d\x08\x9e\x07");
    put(section, 0, 4);
}

static void write_file(const char *path) {
    static unsigned char bytes[FILE_BYTES];
    Elf64_Ehdr header = {.e_type = ET_EXEC,
                         .e_machine = EM_AARCH64,
                         .e_version = EV_CURRENT,
                         .e_entry = VADDR + ENTRY,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    Elf64_Phdr segments[2] = {{.p_type = PT_LOAD,
                               .p_flags = PF_R | PF_X,
                               .p_vaddr = VADDR,
                               .p_filesz = FILE_BYTES,
                               .p_memsz = FILE_BYTES,
                               .p_align = 0x1000},
                              {.p_type = PT_GNU_EH_FRAME,
                               .p_flags = PF_R,
                               .p_offset = HEADER,
                               .p_vaddr = VADDR + HEADER,
                               .p_filesz = 8,
                               .p_memsz = 8}};
    static const unsigned char table[8] = {1, 0x1b, 0xff, 0xff, FRAMES - HEADER - 4};
    memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, segments, sizeof segments);
    memcpy(bytes + HEADER, table, sizeof table);
    pk_strbuf section;
    pk_strbuf_init(&section, 4096);
    make_frames(&section);
    memcpy(bytes + FRAMES, section.data, section.length);
    pk_strbuf_fini(&section);
    for (uint32_t at = CODE; at < FILE_BYTES; at += 4) {
        uint32_t word = (at & 0x3f) == NO_CALL - 4 ? NOP : BL;
        memcpy(bytes + at, &word, sizeof word);
    }
    pk_err err;
    assert_ok(pk_file_replace(path, bytes, sizeof bytes, &err), &err);
}

/* ---- a thread ---- */

typedef struct fixture {
    char folder[CHECK_PATH_MAX];
    pk_spaces *spaces;
    pk_modules *modules;
    pk_unwinder *unwinder;
    uint64_t registers[33], words[32];
    pk_user_state state;
    uint64_t at[16];
    size_t n;
    uint32_t lost_in;
} fixture;

static void begin(fixture *f) {
    char path[CHECK_PATH_MAX];
    pk_err err;
    memset(f, 0, sizeof *f);
    check_folder_begin(f->folder);
    write_file(check_path(path, f->folder, "program"));
    f->spaces = pk_spaces_new();
    f->modules = pk_modules_new(NULL);
    assert_true(f->spaces && f->modules);
    pk_module_id id = {.path = path};
    pk_map map = {MEMORY, MEMORY + FILE_BYTES, 0, pk_modules_number(f->modules, &id)};
    assert_ok(pk_spaces_map(f->spaces, 5, &map, &err), &err);
    f->unwinder = pk_unwinder_new_for(&pk_unwind_aarch64, f->spaces, f->modules);
    assert_non_null(f->unwinder);
    f->registers[31] = STACK;
    f->state = (pk_user_state){.pid = 5,
                               .registers = f->registers,
                               .registers_known = 0x1ffffffff,
                               .stack = (const unsigned char *)f->words,
                               .stack_bytes = sizeof f->words};
}

static void end(fixture *f) {
    pk_unwinder_free(f->unwinder);
    pk_modules_free(f->modules);
    pk_spaces_free(f->spaces);
    check_folder_end(f->folder);
}

static pk_unwind_end unwind(fixture *f, uint64_t pc) {
    f->registers[32] = MEMORY + pc;
    return pk_unwind(f->unwinder, &f->state, f->at, 16, &f->n, &f->lost_in);
}

static void assert_at(const fixture *f, size_t n, const uint64_t offsets[]) {
    for (size_t i = 0; i < n && i < f->n; i++)
        if (f->at[i] != MEMORY + offsets[i])
            fail_msg("frame %zu is at %#llx", i, (unsigned long long)(f->at[i] - MEMORY));
    assert_int_equal(f->n, n);
}
#define AT(f, ...)                                                     \
    assert_at(f, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), \
              (const uint64_t[]){__VA_ARGS__})

static void return_addresses_in_the_link_register(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.registers[30] = MEMORY + MIDDLE + 0x10;
    f.words[1] = MEMORY + OUTER + 8; /* x30 of middle, at CFA - 24 */
    assert_int_equal(unwind(&f, LEAF + 4), PK_UNWIND_WHOLE);
    AT(&f, LEAF + 4, MIDDLE + 0xf, OUTER + 7);
    /* the first instruction of a function that will make a frame */
    f.registers[30] = MEMORY + OUTER + 8;
    assert_int_equal(unwind(&f, MIDDLE), PK_UNWIND_WHOLE);
    AT(&f, MIDDLE, OUTER + 7);
    f.registers[30] = 0;
    assert_int_equal(unwind(&f, MIDDLE), PK_UNWIND_WHOLE);
    AT(&f, MIDDLE);
    end(&f);
}

static void signatures_of_return_addresses_are_cut_off(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.registers[30] = (MEMORY + MIDDLE + 0x10) | UINT64_C(0x2a7f) << 48;
    f.words[1] = (MEMORY + OUTER + 8) | UINT64_C(0x55) << 56;
    assert_int_equal(unwind(&f, LEAF + 4), PK_UNWIND_WHOLE);
    AT(&f, LEAF + 4, MIDDLE + 0xf, OUTER + 7);
    end(&f);
}

/* Only the innermost function can have its return address in the register. */
static void a_caller_without_a_frame_is_a_broken_stack(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.words[1] = MEMORY + LEAF + 8;
    assert_int_equal(unwind(&f, MIDDLE + 8), PK_UNWIND_LOST);
    AT(&f, MIDDLE + 8, LEAF + 7);
    assert_int_equal(f.lost_in, 0);
    end(&f);
}

static void frame_records_lead_through_other_code(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.registers[29] = STACK + 16;
    f.registers[30] = MEMORY + PLAIN + NO_CALL; /* of no use: no call stands there */
    f.words[2] = STACK + 64;
    f.words[3] = MEMORY + FRAMED + 0x14;
    f.words[8] = 0; /* x29 and x30 of framed, whose CFA is STACK + 128 */
    f.words[9] = MEMORY + OUTER + 4;
    assert_int_equal(unwind(&f, PLAIN + 8), PK_UNWIND_WHOLE);
    AT(&f, PLAIN + 8, FRAMED + 0x13, OUTER + 3);
    /* What lies beside a record is not known to be the stack pointer: middle, whose frame begins
     * there, is crossed by its record as well. */
    f.words[3] = MEMORY + MIDDLE + 0x14;
    assert_int_equal(unwind(&f, PLAIN + 8), PK_UNWIND_WHOLE);
    AT(&f, PLAIN + 8, MIDDLE + 0x13, OUTER + 3);
    f.words[3] = MEMORY + FRAMED + NO_CALL;
    assert_int_equal(unwind(&f, PLAIN + 8), PK_UNWIND_LOST);
    AT(&f, PLAIN + 8);
    end(&f);
}

/* Old start files do not say that it is the end. */
static void where_programs_start_it_ends(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.registers[29] = 1;
    f.registers[30] = MEMORY + ENTRY + 8;
    assert_int_equal(unwind(&f, LEAF + 4), PK_UNWIND_WHOLE);
    AT(&f, LEAF + 4, ENTRY + 7);
    f.registers[30] = MEMORY + PLAIN + 8;
    assert_int_equal(unwind(&f, LEAF + 4), PK_UNWIND_LOST);
    AT(&f, LEAF + 4, PLAIN + 7);
    /* nor do they all clear the link register, as they do the frame pointer */
    f.registers[29] = 0;
    assert_int_equal(unwind(&f, LEAF + 4), PK_UNWIND_WHOLE);
    end(&f);
}

static void leaves_without_anything_return_by_register(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.registers[29] = STACK + 64;
    f.registers[30] = MEMORY + FRAMED + 0x14;
    f.words[9] = MEMORY + OUTER + 4;
    assert_int_equal(unwind(&f, PLAIN + 8), PK_UNWIND_WHOLE);
    AT(&f, PLAIN + 8, FRAMED + 0x13, OUTER + 3);
    f.state.stack_bytes = 72;
    assert_int_equal(unwind(&f, PLAIN + 8), PK_UNWIND_CUT);
    AT(&f, PLAIN + 8, FRAMED + 0x13);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(return_addresses_in_the_link_register),
        cmocka_unit_test(signatures_of_return_addresses_are_cut_off),
        cmocka_unit_test(a_caller_without_a_frame_is_a_broken_stack),
        cmocka_unit_test(frame_records_lead_through_other_code),
        cmocka_unit_test(where_programs_start_it_ends),
        cmocka_unit_test(leaves_without_anything_return_by_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
