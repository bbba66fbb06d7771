#include "bench/elf_sections.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

/* data[at..at + n) lies within the file. */
static bool within(size_t bytes, uint64_t at, uint64_t n) {
    return at <= bytes && n <= bytes - at;
}

static bool fail(pk_err *err, const char *what) {
    pk_fail(err, PK_E_INPUT, NULL, "no relocatable object: %s", what);
    pk_fix(err, "compile it again");
    return false;
}

static bool is_ours(const Elf64_Ehdr *header) {
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           header->e_type == ET_REL && header->e_shentsize == sizeof(Elf64_Shdr);
}

static bool can_be_spelt(const char *name) {
    for (; *name; name++) {
        bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
        bool digit = *name >= '0' && *name <= '9';
        if (!letter && !digit && *name != '.' && *name != '_' && *name != '$') return false;
    }
    return true;
}

static bool is_function(const Elf64_Shdr *section, const char *name) {
    static const char text[] = ".text.";
    return section->sh_type == SHT_PROGBITS && (section->sh_flags & SHF_EXECINSTR) &&
           section->sh_size > 0 && strncmp(name, text, sizeof text - 1) == 0 &&
           name[sizeof text - 1] && can_be_spelt(name);
}

bool pk_elf_code_sections(const void *data, size_t bytes, pk_array *names, pk_err *err) {
    const char *file = data;
    Elf64_Ehdr header;
    Elf64_Shdr strings, section;
    if (bytes < sizeof header) return fail(err, "it is too short");
    memcpy(&header, file, sizeof header);
    if (!is_ours(&header)) return fail(err, "it is of another kind");
    /* More than 65279 sections: their number stands in the first one. */
    uint64_t n = header.e_shnum, strings_at = header.e_shstrndx;
    if (!within(bytes, header.e_shoff, sizeof section)) return fail(err, "it has no sections");
    memcpy(&section, file + header.e_shoff, sizeof section);
    if (n == 0) n = section.sh_size;
    if (strings_at == SHN_XINDEX) strings_at = section.sh_link;
    if (n > bytes / sizeof section || !within(bytes, header.e_shoff, n * sizeof section) ||
        strings_at >= n)
        return fail(err, "its sections are broken");
    memcpy(&strings, file + header.e_shoff + strings_at * sizeof section, sizeof strings);
    if (!within(bytes, strings.sh_offset, strings.sh_size) || strings.sh_size == 0 ||
        file[strings.sh_offset + strings.sh_size - 1])
        return fail(err, "its names are broken");
    for (uint64_t i = 0; i < n; i++) {
        memcpy(&section, file + header.e_shoff + i * sizeof section, sizeof section);
        if (section.sh_name >= strings.sh_size) return fail(err, "its names are broken");
        const char *name = file + strings.sh_offset + section.sh_name;
        if (!is_function(&section, name)) continue;
        const char **at = pk_array_push(names);
        if (!at) return fail(err, "it has too many functions");
        *at = name;
    }
    return true;
}
