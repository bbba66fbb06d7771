/* Views of ELF files that are made here: what is in their sections is known. */
#include "tests/unit/check.h"

#include <gelf.h>
#include <stdlib.h>
#include <zlib.h>

#include "profile/debug_view.h"

#define INFO_BYTES 400000u
#define FILE_BYTES 600000u
static const char names[] = "\0.debug_info\0.debug_str\0.debug_line\0.gnu_debugaltlink\0.names";
enum { NAME_INFO = 1, NAME_STR = 13, NAME_LINE = 24, NAME_ALT = 36, NAME_NAMES = 54 };

typedef struct file {
    unsigned char *bytes;
    size_t length;
    Elf64_Ehdr header;
    Elf64_Shdr sections[8];
    Elf64_Half n;
} file;

static unsigned char info_byte(size_t i) {
    return (unsigned char)(1 + (i * i / 7 + i / 300) % 250); /* never 0 */
}

static void add_section(file *f, Elf64_Word name, Elf64_Xword flags, const void *data,
                        size_t bytes) {
    assert_true(f->length + bytes < FILE_BYTES && f->n < 8);
    f->sections[f->n++] = (Elf64_Shdr){.sh_name = name,
                                       .sh_type = name == NAME_NAMES ? SHT_STRTAB : SHT_PROGBITS,
                                       .sh_flags = flags,
                                       .sh_offset = f->length,
                                       .sh_size = bytes,
                                       .sh_addralign = 1};
    memcpy(f->bytes + f->length, data, bytes);
    f->length += bytes;
    f->length += -f->length % 16;
}

static file begin(void) {
    file f = {.bytes = calloc(1, FILE_BYTES), .length = sizeof(Elf64_Ehdr), .n = 1};
    assert_non_null(f.bytes);
    f.header = (Elf64_Ehdr){.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT};
    memcpy(f.header.e_ident, ELFMAG, SELFMAG);
    f.header.e_ident[EI_CLASS] = ELFCLASS64;
    f.header.e_ident[EI_DATA] =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    f.header.e_ident[EI_VERSION] = EV_CURRENT;
    return f;
}

/* .debug_info, packed (as `type` says, less than all of it where `keep` is less than 1) or not. */
static void add_info(file *f, bool packed, Elf64_Word type, double keep) {
    unsigned char *info = malloc(INFO_BYTES), *out = malloc(INFO_BYTES + 4096);
    assert_true(info && out);
    for (size_t i = 0; i < INFO_BYTES; i++) info[i] = info_byte(i);
    Elf64_Chdr chunk = {.ch_type = type, .ch_size = INFO_BYTES, .ch_addralign = 1};
    memcpy(out, &chunk, sizeof chunk);
    uLongf bytes = INFO_BYTES;
    assert_int_equal(compress(out + sizeof chunk, &bytes, info, INFO_BYTES), Z_OK);
    assert_true(bytes < INFO_BYTES);
    if (packed)
        add_section(f, NAME_INFO, SHF_COMPRESSED, out,
                    sizeof chunk + (size_t)(keep * (double)bytes));
    else add_section(f, NAME_INFO, 0, info, (size_t)(keep * INFO_BYTES));
    free(info);
    free(out);
}

static pk_elf_image *finish(file *f) {
    add_section(f, NAME_NAMES, 0, names, sizeof names);
    f->header.e_shoff = f->length;
    f->header.e_ehsize = sizeof f->header;
    f->header.e_shentsize = sizeof *f->sections;
    f->header.e_shnum = f->n;
    f->header.e_shstrndx = (Elf64_Half)(f->n - 1);
    memcpy(f->bytes, &f->header, sizeof f->header);
    memcpy(f->bytes + f->length, f->sections, f->n * sizeof *f->sections);
    f->length += f->n * sizeof *f->sections;
    pk_err err = {0};
    pk_elf_image *image = pk_elf_image_copy(f->bytes, f->length, "made here", &err);
    assert_ok(image != NULL, &err);
    free(f->bytes);
    return image;
}

/* The section's bytes in the view, *bytes long; NULL: it is not there. */
static const unsigned char *section(const pk_debug_view *view, const char *name, size_t *bytes) {
    Elf *elf = pk_debug_view_elf(view);
    size_t table;
    assert_int_equal(elf_getshdrstrndx(elf, &table), 0);
    for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
        GElf_Shdr header;
        assert_non_null(gelf_getshdr(s, &header));
        if (strcmp(elf_strptr(elf, table, header.sh_name), name) != 0) continue;
        if (header.sh_type == SHT_NOBITS) return NULL;
        const Elf_Data *data = elf_rawdata(s, NULL);
        *bytes = data->d_size;
        return data->d_buf;
    }
    return NULL;
}

static void check_info(const unsigned char *info, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (info[i] != info_byte(i)) fail_msg("byte %zu is %d", i, info[i]);
}

static void check_view(bool packed) {
    file f = begin();
    add_info(&f, packed, ELFCOMPRESS_ZLIB, 1);
    add_section(&f, NAME_STR, 0, "some\0names", 11);
    add_section(&f, NAME_LINE, 0, "lines", 6);
    pk_elf_image *image = finish(&f);
    pk_debug_view *view = pk_debug_view_open(image);
    assert_non_null(view);
    size_t bytes = 0;
    const unsigned char *info = section(view, ".debug_info", &bytes);
    assert_non_null(info);
    assert_int_equal(bytes, INFO_BYTES);
    assert_int_equal(info[0], 0);
    assert_true(pk_debug_view_reach(view, 10));
    check_info(info, 0, 10);
    assert_int_equal(info[INFO_BYTES / 2], 0);
    assert_true(pk_debug_view_reach(view, INFO_BYTES / 2 + 1));
    check_info(info, 0, INFO_BYTES / 2 + 1);
    assert_int_equal(info[INFO_BYTES - 1], 0);
    assert_true(pk_debug_view_reach(view, 5));
    assert_true(pk_debug_view_reach(view, UINT64_MAX));
    check_info(info, 0, INFO_BYTES);
    const unsigned char *str = section(view, ".debug_str", &bytes);
    assert_int_equal(bytes, 11);
    assert_memory_equal(str, "some\0names", 11);
    assert_null(section(view, ".debug_line", &bytes));
    assert_null(section(view, ".debug_abbrev", &bytes));
    pk_debug_view_free(view);
    pk_elf_image_free(image);
}

static void packed_and_read_as_far_as_asked(void **state) {
    (void)state;
    check_view(true);
}

static void not_packed(void **state) {
    (void)state;
    check_view(false);
}

static void damaged(void **state) {
    (void)state;
    file f = begin();
    add_info(&f, true, ELFCOMPRESS_ZLIB, 0.5);
    pk_elf_image *image = finish(&f);
    pk_debug_view *view = pk_debug_view_open(image);
    assert_non_null(view);
    size_t bytes = 0;
    const unsigned char *info = section(view, ".debug_info", &bytes);
    assert_true(pk_debug_view_reach(view, 100));
    assert_false(pk_debug_view_reach(view, INFO_BYTES));
    assert_true(pk_debug_view_reach(view, 100));
    check_info(info, 0, 100);
    assert_int_equal(info[INFO_BYTES - 1], 0);
    assert_false(pk_debug_view_reach(view, INFO_BYTES));
    pk_debug_view_free(view);
    pk_elf_image_free(image);
}

static void expect_none(file *f) {
    pk_elf_image *image = finish(f);
    assert_null(pk_debug_view_open(image));
    pk_elf_image_free(image);
}

static void files_for_libdw_itself(void **state) {
    (void)state;
    file f = begin();
    add_info(&f, true, 2 /* zstd */, 1);
    expect_none(&f);
    f = begin();
    add_info(&f, false, 0, 1);
    add_section(&f, NAME_ALT, 0, "other", 6);
    expect_none(&f);
    f = begin();
    f.header.e_type = ET_REL;
    add_info(&f, false, 0, 1);
    expect_none(&f);
    f = begin();
    add_section(&f, NAME_STR, 0, "x", 2);
    expect_none(&f);
    /* More than so few bytes can become. */
    f = begin();
    static const Elf64_Chdr bomb = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = 1u << 30};
    unsigned char chunk[sizeof bomb + 100] = {0};
    memcpy(chunk, &bomb, sizeof bomb);
    add_section(&f, NAME_INFO, SHF_COMPRESSED, chunk, sizeof chunk);
    expect_none(&f);
    pk_debug_view_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_and_read_as_far_as_asked),
        cmocka_unit_test(not_packed),
        cmocka_unit_test(damaged),
        cmocka_unit_test(files_for_libdw_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
