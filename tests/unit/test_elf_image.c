/* Offsets and addresses, build-ids and links of ELF files whose values are known. */
#include "tests/unit/symbol_objects.h"

#include <elf.h>
#include <sys/stat.h>

#include "profile/elf_image.h"

static pk_elf_image *open_object(const char *name) {
    char path[CHECK_PATH_MAX];
    pk_err err = {0};
    pk_elf_image *image = pk_elf_image_open(symbol_object(path, name), &err);
    assert_ok(image != NULL, &err);
    assert_string_equal(pk_elf_image_path(image), path);
    return image;
}

/* The kernel says which byte of the file a function is mapped from, the dynamic linker where the
 * file wants it. */
static void check_offsets(const char *name, bool differ) {
    loaded l = load_object(name);
    pk_elf_image *image = open_object(name);
    static const char *const functions[] = {"shown", "by_hand", "sized", "outer", "after"};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        uint64_t vaddr = 0, offset = loaded_offset(&l, functions[i]);
        assert_true(pk_elf_image_vaddr(image, offset, &vaddr));
        assert_true(vaddr == loaded_vaddr(&l, functions[i]));
        assert_true(!differ || vaddr != offset);
        /* The start of its mapping, from which the load bias follows. */
        uint64_t page;
        assert_true(pk_elf_image_vaddr(image, offset & ~(uint64_t)4095, &page));
        assert_true(page == (vaddr & ~(uint64_t)4095));
    }
    uint64_t untouched = 77;
    assert_false(pk_elf_image_vaddr(image, UINT64_MAX, &untouched));
    assert_false(pk_elf_image_vaddr(image, 1u << 30, &untouched));
    assert_true(untouched == 77);
    pk_elf_image_free(image);
    dlclose(l.handle);
}

static void offsets_become_addresses(void **state) {
    (void)state;
    check_offsets("places.so", false);
}

static void code_may_lie_elsewhere_than_in_the_file(void **state) {
    (void)state;
    check_offsets("apart.so", true);
}

/* Three segments as lld and mold lay them out: next to each other in the file, so that they share
 * pages of it, and a page further apart in memory. */
typedef struct small_elf {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
} small_elf;

static small_elf shared_pages(void) {
    small_elf f = {.header = {.e_type = ET_DYN,
                              .e_machine = EM_X86_64,
                              .e_version = EV_CURRENT,
                              .e_phoff = sizeof(Elf64_Ehdr),
                              .e_ehsize = sizeof(Elf64_Ehdr),
                              .e_phentsize = sizeof(Elf64_Phdr),
                              .e_phnum = 3}};
    memcpy(f.header.e_ident, ELFMAG "\2\1\1", 7);
    f.segments[0] =
        (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 0x5f0, .p_align = 0x1000};
    f.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                 .p_flags = PF_R | PF_X,
                                 .p_offset = 0x5f0,
                                 .p_vaddr = 0x15f0,
                                 .p_filesz = 0x900,
                                 .p_align = 0x1000};
    f.segments[2] = (Elf64_Phdr){.p_type = PT_LOAD,
                                 .p_flags = PF_R | PF_W,
                                 .p_offset = 0xef0,
                                 .p_vaddr = 0x2ef0,
                                 .p_filesz = 0x200,
                                 .p_align = 0x1000};
    return f;
}

static void segments_may_share_a_page_of_the_file(void **state) {
    (void)state;
    small_elf f = shared_pages();
    pk_err err = {0};
    pk_elf_image *image = pk_elf_image_copy(&f, sizeof f, "[made]", &err);
    assert_ok(image != NULL, &err);
    /* offset: address, worked out by hand */
    static const uint64_t known[][2] = {
        {0x5f0, 0x15f0},  /* the first byte of code */
        {0xeef, 0x1eef},  /* the last one */
        {0x000, 0x1000},  /* where the mapping of the code begins, although the headers are there */
        {0xef0, 0x1ef0},  /* the rest of the code's page */
        {0x10e0, 0x30e0}, /* only the data has this */
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t vaddr = 0;
        assert_true(pk_elf_image_vaddr(image, known[i][0], &vaddr));
        assert_int_equal(vaddr, known[i][1]);
    }
    size_t bytes;
    uint32_t crc;
    assert_null(pk_elf_image_build_id(image, &bytes));
    assert_null(pk_elf_image_debug_link(image, &crc));
    assert_false(pk_elf_image_has_section(image, ".text"));
    pk_elf_image_free(image);
}

static void build_ids_are_read(void **state) {
    (void)state;
    pk_elf_image *with = open_object("stripped.so"), *debug = open_object("stripped.so.debug");
    pk_elf_image *without = open_object("places.so");
    static const uint8_t known[20] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
                                      0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67};
    size_t bytes = 0;
    const uint8_t *id = pk_elf_image_build_id(with, &bytes);
    assert_non_null(id);
    assert_int_equal(bytes, sizeof known);
    assert_memory_equal(id, known, sizeof known);
    assert_true(pk_elf_image_same_build(with, debug));
    assert_null(pk_elf_image_build_id(without, &bytes));
    assert_false(pk_elf_image_same_build(with, without));
    assert_false(pk_elf_image_same_build(without, without));
    pk_elf_image_free(with);
    pk_elf_image_free(debug);
    pk_elf_image_free(without);
}

static void links_and_sections_are_read(void **state) {
    (void)state;
    pk_elf_image *linked = open_object("linked.so"), *debug = open_object("linked.so.debug");
    uint32_t crc = 0;
    assert_string_equal(pk_elf_image_debug_link(linked, &crc), "linked.so.debug");
    assert_true(crc != 0);
    assert_null(pk_elf_image_debug_link(debug, &crc));
    assert_true(pk_elf_image_has_section(linked, ".text"));
    assert_false(pk_elf_image_has_section(linked, ".debug_info"));
    assert_false(pk_elf_image_has_section(debug, ".text")); /* there, but without content */
    assert_true(pk_elf_image_has_section(debug, ".debug_info"));
    pk_elf_image_free(linked);
    pk_elf_image_free(debug);
}

static void what_is_no_elf_file_is_refused(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    check_folder_begin(folder);
    pk_err err = {0};
    assert_null(pk_elf_image_open(check_path(path, folder, "absent"), &err));
    assert_int_equal(err.kind, PK_E_SYS);
    memset(&err, 0, sizeof err);
    check_write_file(path, "#!/bin/sh\n");
    assert_fails(pk_elf_image_open(path, &err) != NULL, &err, PK_E_INPUT);
    memset(&err, 0, sizeof err);
    assert_fails(pk_elf_image_open(folder, &err) != NULL, &err, PK_E_INPUT);
    memset(&err, 0, sizeof err);
    assert_int_equal(mkfifo(check_path(path, folder, "fifo"), 0600), 0);
    assert_fails(pk_elf_image_open(path, &err) != NULL, &err, PK_E_INPUT);
    memset(&err, 0, sizeof err);
    assert_fails(pk_elf_image_copy("", 0, "[empty]", &err) != NULL, &err, PK_E_INPUT);
    check_folder_end(folder);
    pk_elf_image_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_become_addresses),
        cmocka_unit_test(code_may_lie_elsewhere_than_in_the_file),
        cmocka_unit_test(segments_may_share_a_page_of_the_file),
        cmocka_unit_test(build_ids_are_read),
        cmocka_unit_test(links_and_sections_are_read),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
