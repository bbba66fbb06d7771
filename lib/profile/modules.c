#include "profile/modules.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/fnv.h"
#include "profile/module_file.h"

#define MODULES_MAX (1u << 22)
#define TEXTS_MAX (1u << 28)
#define SLOTS_FIRST 256u /* a power of two */

typedef struct module {
    pk_module_id id; /* path and build-id in the arena */
    const char *name;
    uint64_t root, hash;
    bool opened, has_cfi;
    pk_module_state state;
    pk_elf_image *image; /* of a ready one */
    pk_symbols *symbols; /* these two: NULL until they are asked for */
    pk_inlines *inlines;
    pk_module_cfi cfi; /* if has_cfi */
} module;

struct pk_modules {
    const pk_debug_folders *folders;
    uint64_t own_root;
    pk_arena *texts;
    pk_array all;    /* of module */
    uint32_t *slots; /* n_slots, open addressing: number + 1; 0: free */
    size_t n_slots;
};

pk_modules *pk_modules_new(const pk_debug_folders *folders) {
    pk_modules *modules = calloc(1, sizeof *modules);
    if (!modules) return NULL;
    modules->folders = folders;
    modules->own_root = pk_module_own_root();
    modules->all = PK_ARRAY(module, MODULES_MAX);
    modules->texts = pk_arena_new(TEXTS_MAX);
    modules->n_slots = SLOTS_FIRST;
    modules->slots = calloc(SLOTS_FIRST, sizeof *modules->slots);
    if (modules->texts && modules->slots) return modules;
    pk_modules_free(modules);
    return NULL;
}

static module *at(const pk_modules *modules, uint32_t number) {
    return &PK_AT(&modules->all, module, number);
}

void pk_modules_free(pk_modules *modules) {
    if (!modules) return;
    for (uint32_t i = 0; i < modules->all.count; i++) {
        module *m = at(modules, i);
        pk_symbols_free(m->symbols);
        pk_inlines_free(m->inlines);
        pk_elf_image_free(m->image);
    }
    pk_array_fini(&modules->all);
    pk_arena_free(modules->texts);
    free(modules->slots);
    free(modules);
}

/* ---- numbers ---- */

static uint64_t hash_of(const pk_module_id *id, uint64_t root) {
    uint64_t hash = pk_fnv1a(PK_FNV_START, id->path, strlen(id->path) + 1);
    hash = pk_fnv1a(hash, id->build_id, id->build_id_bytes);
    hash = pk_fnv1a(hash, &id->kernel, sizeof id->kernel);
    return pk_fnv1a(hash, &root, sizeof root);
}

static bool is_same(const module *m, const pk_module_id *id, uint64_t root) {
    return m->root == root && m->id.kernel == id->kernel &&
           m->id.build_id_bytes == id->build_id_bytes && strcmp(m->id.path, id->path) == 0 &&
           (id->build_id_bytes == 0 ||
            memcmp(m->id.build_id, id->build_id, id->build_id_bytes) == 0);
}

/* id NULL: the first free one. */
static uint32_t *slot_of(const pk_modules *modules, uint64_t hash, const pk_module_id *id,
                         uint64_t root) {
    size_t mask = modules->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &modules->slots[i];
        if (!*slot) return slot;
        const module *m = at(modules, *slot - 1);
        if (id && m->hash == hash && is_same(m, id, root)) return slot;
    }
}

static bool grow(pk_modules *modules) {
    uint32_t *slots = calloc(modules->n_slots * 2, sizeof *slots);
    if (!slots) return false;
    free(modules->slots);
    modules->slots = slots;
    modules->n_slots *= 2;
    for (uint32_t i = 0; i < modules->all.count; i++)
        *slot_of(modules, at(modules, i)->hash, NULL, 0) = i + 1;
    return true;
}

static module *add(pk_modules *modules, const pk_module_id *id) {
    char *path = pk_arena_strdup(modules->texts, id->path);
    uint8_t *build_id = PK_NEW(modules->texts, id->build_id_bytes, uint8_t);
    module *m = path && build_id ? pk_array_push(&modules->all) : NULL;
    if (!m) return NULL;
    if (id->build_id_bytes > 0) memcpy(build_id, id->build_id, id->build_id_bytes);
    m->id = *id;
    m->id.path = path;
    m->id.build_id = build_id;
    const char *slash = strrchr(path, '/');
    m->name = slash && slash[1] ? slash + 1 : path;
    return m;
}

static void open_now(const pk_modules *modules, module *m) {
    if (m->opened) return;
    m->opened = true;
    m->state = pk_module_file_open(&m->id, m->root, modules->folders, &m->image);
}

uint32_t pk_modules_number(pk_modules *modules, const pk_module_id *id) {
    uint64_t root =
        id->kernel || id->path[0] != '/' ? 0 : pk_module_root(id->pid, modules->own_root);
    uint64_t hash = hash_of(id, root);
    uint32_t *slot = slot_of(modules, hash, id, root);
    if (*slot) return *slot - 1;
    if (modules->all.count * 2 >= modules->n_slots) {
        if (!grow(modules)) return UINT32_MAX;
        slot = slot_of(modules, hash, id, root);
    }
    module *m = add(modules, id);
    if (!m) return UINT32_MAX;
    m->root = root;
    m->hash = hash;
    *slot = (uint32_t)modules->all.count;
    if (pk_module_is_fleeting(id, root)) open_now(modules, m);
    return *slot - 1;
}

uint32_t pk_modules_count(const pk_modules *modules) {
    return (uint32_t)modules->all.count;
}

const char *pk_module_path(const pk_modules *modules, uint32_t number) {
    return at(modules, number)->id.path;
}

const char *pk_module_name(const pk_modules *modules, uint32_t number) {
    return at(modules, number)->name;
}

/* ---- what is in them ---- */

pk_module_state pk_module_open(pk_modules *modules, uint32_t number) {
    module *m = at(modules, number);
    open_now(modules, m);
    return m->state;
}

const pk_elf_image *pk_module_image(pk_modules *modules, uint32_t number) {
    module *m = at(modules, number);
    open_now(modules, m);
    return m->image;
}

const pk_symbols *pk_module_symbols(pk_modules *modules, uint32_t number) {
    const pk_elf_image *image = pk_module_image(modules, number);
    module *m = at(modules, number);
    pk_err err;
    if (image && !m->symbols) m->symbols = pk_symbols_load(image, modules->folders, &err);
    return m->symbols;
}

pk_inlines *pk_module_inlines(pk_modules *modules, uint32_t number) {
    const pk_elf_image *image = pk_module_image(modules, number);
    module *m = at(modules, number);
    pk_err err;
    if (image && !m->inlines) m->inlines = pk_inlines_open(image, modules->folders, &err);
    return m->inlines;
}

/* ---- call frame information ---- */

/* Bytes of the file, which libelf keeps. NULL: they are not there. */
static const uint8_t *bytes_at(Elf *elf, uint64_t offset, uint64_t bytes) {
    if (bytes == 0 || offset > INT64_MAX || bytes > SIZE_MAX) return NULL;
    const Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)offset, (size_t)bytes, ELF_T_BYTE);
    return data ? data->d_buf : NULL;
}

static void take_header(Elf *elf, const GElf_Phdr *segment, pk_module_cfi *cfi) {
    cfi->header = bytes_at(elf, segment->p_offset, segment->p_filesz);
    if (!cfi->header) return;
    cfi->header_bytes = (size_t)segment->p_filesz;
    cfi->header_address = segment->p_vaddr;
}

/* Where the header says that .eh_frame begins, in the encoding that every linker uses (relative to
 * the field, 32 bits); it then goes to the end of its segment at most. For files whose section
 * headers are gone. */
static void take_from_header(Elf *elf, size_t n_segments, pk_module_cfi *cfi) {
    int32_t distance;
    if (!cfi->header || cfi->header_bytes < 8 || cfi->header[0] != 1 || cfi->header[1] != 0x1b)
        return;
    memcpy(&distance, cfi->header + 4, sizeof distance);
    uint64_t begin = cfi->header_address + 4 + (uint64_t)(int64_t)distance;
    for (size_t i = 0; i < n_segments; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD) continue;
        uint64_t into = begin - segment.p_vaddr;
        if (begin < segment.p_vaddr || into >= segment.p_filesz) continue;
        uint64_t bytes = segment.p_filesz - into;
        const uint8_t *at_begin = bytes_at(elf, segment.p_offset + into, bytes);
        if (at_begin) cfi->section = (pk_cfi_section){at_begin, (size_t)bytes, begin, 0, 0};
        return;
    }
}

static void take_section(Elf *elf, pk_module_cfi *cfi) {
    size_t names = 0;
    if (elf_getshdrstrndx(elf, &names) != 0) return;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS) continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        if (!name || strcmp(name, ".eh_frame") != 0) continue;
        const uint8_t *begin = bytes_at(elf, header.sh_offset, header.sh_size);
        if (begin)
            cfi->section = (pk_cfi_section){begin, (size_t)header.sh_size, header.sh_addr, 0, 0};
        return;
    }
}

static void find_cfi(Elf *elf, pk_module_cfi *cfi) {
    size_t n = 0;
    GElf_Phdr segment;
    /* Registers of 32-bit code have other numbers. */
    if (gelf_getclass(elf) != ELFCLASS64 || elf_getphdrnum(elf, &n) != 0) return;
    if (n > INT32_MAX) n = 0;
    for (size_t i = 0; i < n && !cfi->header; i++)
        if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_GNU_EH_FRAME)
            take_header(elf, &segment, cfi);
    take_section(elf, cfi);
    if (cfi->section.n_bytes == 0) take_from_header(elf, n, cfi);
}

const pk_module_cfi *pk_module_cfi_of(pk_modules *modules, uint32_t number) {
    const pk_elf_image *image = pk_module_image(modules, number);
    module *m = at(modules, number);
    if (!image) return NULL;
    if (!m->has_cfi) find_cfi(pk_elf_image_elf(image), &m->cfi);
    m->has_cfi = true;
    return &m->cfi;
}
