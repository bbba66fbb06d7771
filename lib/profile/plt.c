#include "profile/plt.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define SLOTS_MAX (1u << 24)
#define JMP_BYTES 6u /* ff 25 and 4 bytes of distance, from the end of the instruction */

/* A slot of the GOT and whose address the loader writes there. */
typedef struct slot {
    uint64_t address;
    const char *name;
} slot;

static int by_address(const void *a, const void *b) {
    uint64_t x = ((const slot *)a)->address, y = ((const slot *)b)->address;
    return (x > y) - (x < y);
}

static bool take_relocations(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, pk_array *slots) {
    Elf_Scn *table = elf_getscn(elf, header->sh_link);
    GElf_Shdr symbols;
    Elf_Data *data = elf_getdata(section, NULL),
             *table_data = table ? elf_getdata(table, NULL) : NULL;
    if (!data || !table_data || !gelf_getshdr(table, &symbols)) return true;
    size_t n = data->d_size / gelf_fsize(elf, ELF_T_RELA, 1, EV_CURRENT);
    for (size_t i = 0; i < n && i < INT32_MAX; i++) {
        GElf_Rela rela;
        GElf_Sym sym;
        if (!gelf_getrela(data, (int)i, &rela)) continue;
        uint64_t type = GELF_R_TYPE(rela.r_info), index = GELF_R_SYM(rela.r_info);
        if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) || index > INT32_MAX)
            continue;
        if (index == 0 || !gelf_getsym(table_data, (int)index, &sym)) continue;
        const char *name = elf_strptr(elf, symbols.sh_link, sym.st_name);
        if (!name || !*name) continue;
        slot *item = pk_array_push(slots);
        if (!item) return false;
        *item = (slot){rela.r_offset, name};
    }
    return true;
}

/* The name of the function that the entry code[0..bytes) at `address` jumps to, or NULL. */
static const char *target_of(const uint8_t *code, size_t bytes, uint64_t address,
                             const pk_array *slots) {
    for (size_t i = 0; i + JMP_BYTES <= bytes; i++) {
        if (code[i] != 0xff || code[i + 1] != 0x25) continue;
        uint32_t distance = (uint32_t)code[i + 2] | (uint32_t)code[i + 3] << 8 |
                            (uint32_t)code[i + 4] << 16 | (uint32_t)code[i + 5] << 24;
        slot key = {.address = address + i + JMP_BYTES + (uint64_t)(int64_t)(int32_t)distance};
        const slot *found =
            slots->count > 0 ? bsearch(&key, slots->items, slots->count, sizeof(slot), by_address)
                             : NULL;
        return found ? found->name : NULL;
    }
    return NULL;
}

static bool visit_section(Elf_Scn *section, const GElf_Shdr *header, const pk_array *slots,
                          pk_plt_visitor *each, void *context) {
    Elf_Data *data = header->sh_type == SHT_PROGBITS ? elf_getdata(section, NULL) : NULL;
    if (!data || !data->d_buf) return true;
    /* Entries of .plt.got have 8 bytes unless they begin with endbr64; some linkers leave the size
     * out. */
    size_t size = header->sh_entsize == 8 || header->sh_entsize == 16 ? header->sh_entsize : 16;
    for (size_t i = 0; i + size <= data->d_size; i += size) {
        uint64_t address = header->sh_addr + i;
        const char *name = target_of((const uint8_t *)data->d_buf + i, size, address, slots);
        if (name && !each(context, address, size, name)) return false;
    }
    return true;
}

static bool walk(const pk_elf_image *image, bool relocations, pk_array *slots, pk_plt_visitor *each,
                 void *context) {
    Elf *elf = pk_elf_image_elf(image);
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0) return true;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header)) continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        bool ok = true;
        if (relocations && header.sh_type == SHT_RELA && (header.sh_flags & SHF_ALLOC))
            ok = take_relocations(elf, section, &header, slots);
        else if (!relocations && name &&
                 (strcmp(name, ".plt") == 0 || strncmp(name, ".plt.", 5) == 0))
            ok = visit_section(section, &header, slots, each, context);
        if (!ok) return false;
    }
    return true;
}

bool pk_plt_each(const pk_elf_image *image, pk_plt_visitor *each, void *context) {
    GElf_Ehdr header;
    if (!gelf_getehdr(pk_elf_image_elf(image), &header) || header.e_machine != EM_X86_64)
        return true;
    pk_array slots = PK_ARRAY(slot, SLOTS_MAX);
    bool ok = walk(image, true, &slots, each, context);
    if (ok && slots.count > 0) {
        qsort(slots.items, slots.count, sizeof(slot), by_address);
        ok = walk(image, false, &slots, each, context);
    }
    pk_array_fini(&slots);
    return ok;
}
