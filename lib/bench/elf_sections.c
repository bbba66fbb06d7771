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

/* The file's sections and their names. */
typedef struct sections {
    const char *file;
    size_t bytes;
    uint64_t at, n;
    const char *names; /* the last of names_bytes is a NUL */
    uint64_t names_bytes;
} sections;

static Elf64_Shdr section_of(const sections *s, uint64_t i) {
    Elf64_Shdr section;
    memcpy(&section, s->file + s->at + i * sizeof section, sizeof section);
    return section;
}

/* A table of strings within the file. */
static bool is_strings(const sections *s, const Elf64_Shdr *strings) {
    return within(s->bytes, strings->sh_offset, strings->sh_size) && strings->sh_size > 0 &&
           !s->file[strings->sh_offset + strings->sh_size - 1];
}

static bool open_sections(const void *data, size_t bytes, sections *s, pk_err *err) {
    Elf64_Ehdr header;
    *s = (sections){.file = data, .bytes = bytes};
    if (bytes < sizeof header) return fail(err, "it is too short");
    memcpy(&header, data, sizeof header);
    if (!is_ours(&header)) return fail(err, "it is of another kind");
    s->at = header.e_shoff;
    if (!within(bytes, s->at, sizeof(Elf64_Shdr))) return fail(err, "it has no sections");
    /* More than 65279 sections: their number stands in the first one. */
    const Elf64_Shdr first = section_of(s, 0);
    s->n = header.e_shnum ? header.e_shnum : first.sh_size;
    uint64_t strings_at = header.e_shstrndx == SHN_XINDEX ? first.sh_link : header.e_shstrndx;
    if (s->n > bytes / sizeof first || !within(bytes, s->at, s->n * sizeof first) ||
        strings_at >= s->n)
        return fail(err, "its sections are broken");
    const Elf64_Shdr strings = section_of(s, strings_at);
    if (!is_strings(s, &strings)) return fail(err, "its names are broken");
    s->names = s->file + strings.sh_offset;
    s->names_bytes = strings.sh_size;
    return true;
}

bool pk_elf_code_sections(const void *data, size_t bytes, pk_array *names, pk_err *err) {
    sections s;
    if (!open_sections(data, bytes, &s, err)) return false;
    for (uint64_t i = 0; i < s.n; i++) {
        const Elf64_Shdr section = section_of(&s, i);
        if (section.sh_name >= s.names_bytes) return fail(err, "its names are broken");
        const char *name = s.names + section.sh_name;
        if (!is_function(&section, name)) continue;
        const char **at = pk_array_push(names);
        if (!at) return fail(err, "it has too many functions");
        *at = name;
    }
    return true;
}

static bool is_of_cplusplus(const char *name) {
    return strncmp(name, "_Z", 2) == 0 || strncmp(name, "__gxx_personality_", 18) == 0;
}

bool pk_elf_symbols(const void *data, size_t bytes, const char *name, bool *defined,
                    bool *cplusplus, pk_err *err) {
    sections s;
    *defined = *cplusplus = false;
    if (!open_sections(data, bytes, &s, err)) return false;
    for (uint64_t i = 0; i < s.n; i++) {
        const Elf64_Shdr table = section_of(&s, i);
        if (table.sh_type != SHT_SYMTAB) continue;
        if (!within(bytes, table.sh_offset, table.sh_size) || table.sh_link >= s.n)
            return fail(err, "its symbols are broken");
        const Elf64_Shdr strings = section_of(&s, table.sh_link);
        if (!is_strings(&s, &strings)) return fail(err, "its symbols are broken");
        for (uint64_t k = 0; k < table.sh_size / sizeof(Elf64_Sym); k++) {
            Elf64_Sym symbol;
            memcpy(&symbol, s.file + table.sh_offset + k * sizeof symbol, sizeof symbol);
            if (symbol.st_name >= strings.sh_size) return fail(err, "its symbols are broken");
            const char *own = s.file + strings.sh_offset + symbol.st_name;
            if (symbol.st_shndx == SHN_UNDEF) *cplusplus |= is_of_cplusplus(own);
            else *defined |= strcmp(own, name) == 0;
        }
    }
    return true;
}
