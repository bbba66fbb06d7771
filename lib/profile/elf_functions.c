#include "profile/elf_functions.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define NAMES_MAX 64

typedef struct search {
    Elf *elf;
    const char *const *names;
    size_t n;
    pk_elf_function_visitor *each;
    void *context;
    uint64_t found; /* a bit for each name, in the table that was read before */
    uint64_t found_here;
    bool stopped;
} search;

static bool offset_of(Elf *elf, uint64_t vaddr, uint64_t *offset) {
    size_t n = 0;
    GElf_Phdr load;
    if (elf_getphdrnum(elf, &n) != 0) return false;
    for (size_t i = 0; i < n; i++) {
        if (!gelf_getphdr(elf, (int)i, &load) || load.p_type != PT_LOAD || !(load.p_flags & PF_X))
            continue;
        if (vaddr < load.p_vaddr || vaddr - load.p_vaddr >= load.p_filesz) continue;
        *offset = vaddr - load.p_vaddr + load.p_offset;
        return true;
    }
    return false;
}

static void look_at(search *s, const GElf_Sym *symbol, const char *name) {
    uint64_t offset;
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    if (!name || symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_NOTYPE)) return;
    for (size_t i = 0; i < s->n && !s->stopped; i++) {
        if (s->found >> i & 1 || strcmp(name, s->names[i]) != 0) continue;
        if (!offset_of(s->elf, symbol->st_value, &offset)) continue;
        s->found_here |= UINT64_C(1) << i;
        s->stopped = !s->each(s->context, i, offset);
    }
}

static void read_table(search *s, Elf_Scn *section, const GElf_Shdr *header) {
    Elf_Data *data = elf_getdata(section, NULL);
    if (!data || header->sh_entsize == 0) return;
    size_t n = data->d_size / header->sh_entsize;
    GElf_Sym symbol;
    for (size_t i = 0; i < n && i < INT32_MAX && !s->stopped; i++)
        if (gelf_getsym(data, (int)i, &symbol))
            look_at(s, &symbol, elf_strptr(s->elf, header->sh_link, symbol.st_name));
}

static void read_tables(search *s, unsigned type) {
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    s->found_here = 0;
    while ((section = elf_nextscn(s->elf, section)))
        if (gelf_getshdr(section, &header) && header.sh_type == type)
            read_table(s, section, &header);
    s->found |= s->found_here;
}

void pk_elf_functions_find(const pk_elf_image *image, const char *const names[], size_t n,
                           pk_elf_function_visitor *each, void *context) {
    search s = {.elf = pk_elf_image_elf(image),
                .names = names,
                .n = n < NAMES_MAX ? n : NAMES_MAX,
                .each = each,
                .context = context};
    read_tables(&s, SHT_DYNSYM);
    if (!s.stopped) read_tables(&s, SHT_SYMTAB);
}
